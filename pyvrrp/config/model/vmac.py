"""The virtual router's own MAC address: a macvlan that carries its virtual addresses."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from pyvrrp.config.model.section import Either, Section
from pyvrrp.config.values import Flag, FlagOrName, Word
from pyvrrp.config.values_net import InterfaceName, MacAddress


class Vmac(Section):
    """The interface that is made for it."""

    interface: Annotated[str | None, InterfaceName()] = Field(
        default=None, description="What it is called: vrrp.VRID, or vrrp6.VRID with IPv6."
    )
    mac: Annotated[bytes | None, MacAddress()] = Field(
        default=None, description="Another MAC address than the RFC's, 00:00:5e:00:01:VRID (IPv6: 00:00:5e:00:02:VRID)."
    )


def _as_vmac(value: object) -> object:
    if not isinstance(value, Word):
        return value
    try:
        return {} if Flag().parse(value) else None
    except ValueError:
        return {"interface": value}


AnyVmac = Annotated[Vmac | None, BeforeValidator(_as_vmac), Either(FlagOrName())]
