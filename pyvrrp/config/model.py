"""node.yaml as pydantic models: its keys, their kinds, defaults and descriptions. The JSON Schema is made from these.

The models check what can be said of one value. What needs two of them is in rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from pyvrrp.config.values import (
    Choice,
    Duration,
    FileName,
    Flag,
    Host,
    InterfaceName,
    Lease,
    Name,
    Password,
    Vip,
    VirtualIp,
    Whole,
    Word,
)
from pyvrrp.core import const

BACKUP, MASTER = "BACKUP", "MASTER"

_LATER: Final = ("mysql", "http", "script", "process", "file", "ping")


class _Section(BaseModel):
    """Base of all models: unknown keys are errors, and no error carries what the file says (it may be a password)."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, use_attribute_docstrings=False
    )


class Authentication(_Section):
    """VRRPv2's password. It keeps strangers' mistakes out, not attackers: it crosses the network in clear."""

    auth_type: Annotated[
        str,
        Choice(("PASS",), (("AH", "auth_type AH is not supported (RFC 3768 removed it); use PASS"),), shown=False),
    ] = Field(description="PASS is the only one.", examples=["PASS"])
    auth_pass: Annotated[bytes | None, Password()] = Field(
        default=None, repr=False, description="The password, 1 to 8 characters of printable ASCII."
    )
    auth_pass_file: Annotated[str | None, FileName()] = Field(
        default=None, description="A file that holds the password in one line, readable by its owner only (mode 0600)."
    )


class TrackOptions(_Section):
    """How a check's result acts on an instance."""

    weight: Annotated[int, Whole(-253, 253)] = Field(
        default=0,
        description="0: the instance is in FAULT while the check fails. Negative: added to the priority while it "
        "fails. Positive: added while it passes.",
    )


def _as_list(value: object) -> object:
    """A mapping stands for a list with that mapping in it."""
    return [value] if isinstance(value, dict) else value


def _as_options(value: object) -> object:
    """A check's name alone stands for that name without options."""
    return {value: {}} if isinstance(value, Word) and value else value


TrackedCheck = Annotated[dict[Annotated[str, Name()], TrackOptions], Field(min_length=1), BeforeValidator(_as_options)]


@dataclass(frozen=True, slots=True)
class _TrackedChecksSchema:
    """The short forms that the validators accept, for the JSON Schema."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        weighted = handler(core)["items"]
        return {"anyOf": [{"type": "array", "items": {"anyOf": [Name().schema, weighted]}}, weighted]}


TrackedChecks = Annotated[list[TrackedCheck], BeforeValidator(_as_list), _TrackedChecksSchema()]


class Instance(_Section):
    """One virtual router. The keys are keepalived's."""

    state: Annotated[str | None, Choice((BACKUP, MASTER))] = Field(
        default=None, description="What it starts as: BACKUP, unless its priority is 255."
    )
    interface: Annotated[str, InterfaceName()] = Field(
        description="The network interface that adverts and virtual addresses use.", examples=["eth0"]
    )
    virtual_router_id: Annotated[int, Whole(const.VRID_MIN, const.VRID_MAX)] = Field(
        description="The same on every node of the virtual router, and of no other one on this network.", examples=[60]
    )
    priority: Annotated[int | None, Whole(const.PRIORITY_MIN, const.PRIORITY_OWNER)] = Field(
        default=None,
        description="The highest one becomes MASTER. 100, or 255 with state MASTER. 255 is for the router that owns "
        "the address.",
    )
    version: Annotated[int, Whole(const.VERSIONS[0], const.VERSIONS[-1])] = Field(
        default=2, description="VRRPv2 or VRRPv3."
    )
    advert_int: Annotated[float, Duration(0, 3600)] = Field(  # the range depends on the version: rules.py
        default=1.0,
        description="Between two adverts. VRRPv2: whole seconds, 1 to 255. VRRPv3: 0.01 to 40.95 s in steps of 0.01.",
    )
    nopreempt: Annotated[bool, Flag()] = Field(
        default=False, description="Leave a living master alone, also when the priority here is higher."
    )
    authentication: Authentication | None = Field(default=None, description="VRRPv2 only.")
    virtual_ipaddress: list[Annotated[Vip, VirtualIp()]] = Field(
        min_length=1,
        max_length=255,  # the packet counts them in one byte; RFC 3768 section 5.3.5
        description="The addresses that follow the master: IP or IP/length, /32 where no length is named.",
        examples=[["192.168.1.200"]],
    )
    track_checks: TrackedChecks = Field(
        default=[], description="Checks that this instance follows: names, or {name: {weight: -20}}."
    )
    vip_lease: Annotated[str | int, Lease()] = Field(
        default="auto",
        description="Seconds after which the kernel removes the virtual addresses of an agent that died; auto makes "
        "them from advert_int, off leaves the addresses where they are.",
    )
    garp_master_delay: Annotated[float, Duration(0, 1000)] = Field(
        default=const.GARP_DELAY, description="After this time a new master announces its addresses a second time."
    )
    garp_master_repeat: Annotated[int, Whole(1, 100)] = Field(
        default=const.GARP_REPEAT, description="Gratuitous ARPs in each announcement."
    )

    @property
    def base_priority(self) -> int:
        """The priority before weights; keepalived's default where the file names none."""
        if self.priority is not None:
            return self.priority
        return const.PRIORITY_OWNER if self.state == MASTER else const.PRIORITY_DEFAULT

    @property
    def owner(self) -> bool:
        """Whether this router owns the addresses (RFC 3768 section 5.3.4)."""
        return self.base_priority == const.PRIORITY_OWNER


class Check(_Section):
    """A health check of a service on this or another host."""

    type: Annotated[
        str, Choice(("tcp",), tuple((each, f"type {each} is not available yet, only tcp") for each in _LATER))
    ] = Field(description="tcp: connect and close.", examples=["tcp"])
    host: Annotated[str, Host()] = Field(default="127.0.0.1", description="An IP address.")
    port: Annotated[int, Whole(1, 65535)] = Field(default=3306, description="TCP port.")
    interval: Annotated[float, Duration(0.05, 3600)] = Field(default=2.0, description="Between two runs.")
    timeout: Annotated[float, Duration(0.001, 3600)] = Field(
        default=3.0, description="A run that takes longer has failed."
    )
    fall: Annotated[int, Whole(1, 100)] = Field(default=3, description="Failures in a row that count as down.")
    rise: Annotated[int, Whole(1, 100)] = Field(default=1, description="Successes in a row that count as up.")


class Node(_Section):
    """One pyvrrpd: its virtual routers and its checks."""

    router_id: Annotated[str | None, Name()] = Field(
        default=None, description="The name of this node in status and logs; the host's name up to its first dot."
    )
    vrrp_instances: dict[Annotated[str, Name()], Instance] = Field(min_length=1, description="Virtual routers by name.")
    checks: dict[Annotated[str, Name()], Check] = Field(default={}, description="Health checks by name.")
