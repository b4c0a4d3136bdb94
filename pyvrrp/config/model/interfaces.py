"""What a node says of interfaces: how soon their state counts, how fast addresses are announced, what stays on them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from pyvrrp.config.model.instance import HeldAddress
from pyvrrp.config.model.section import Either, Section
from pyvrrp.config.values import Duration, Word
from pyvrrp.config.values_net import InterfaceName

_DELAY = Duration(0, 255)
_PAUSE = Duration(0, 1000)


class GarpGroup(Section):
    """Interfaces that lead to one switch, and share the pace at which addresses are announced on them."""

    interfaces: list[Annotated[str, InterfaceName()]] = Field(
        min_length=1, description="Their names.", examples=[["eth0"]]
    )
    garp_interval: Annotated[float, _PAUSE] = Field(
        default=0.0, description="The least time between two gratuitous ARPs; 0: none."
    )
    gna_interval: Annotated[float, _PAUSE] = Field(
        default=0.0, description="The least time between two neighbour advertisements; 0: none."
    )


class Delays(Section):
    """How long a new state of an interface must last before it counts."""

    down: Annotated[float, _DELAY] = Field(default=0.0, description="After it went down.")
    up: Annotated[float, _DELAY] = Field(default=0.0, description="After it came up.")


def _as_delays(value: object) -> object:
    return {"down": value, "up": value} if isinstance(value, Word) else value


AnyDelays = Annotated[Delays, BeforeValidator(_as_delays), Either(_DELAY)]


class StaticAddress(HeldAddress):
    """An address that is set when the daemon starts, and stays."""

    dev: Annotated[str, InterfaceName(loopback=True)] = Field(
        description="The interface to put it on.", examples=["eth0"]
    )
