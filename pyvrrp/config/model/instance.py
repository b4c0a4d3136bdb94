"""vrrp_instances: virtual routers and their addresses."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import BeforeValidator, Field

from pyvrrp.config.iproute import RouteText, RuleText
from pyvrrp.config.model.section import Either, Notifying, Section, TrackedChecks
from pyvrrp.config.model.transport import Transport
from pyvrrp.config.model.vmac import AnyVmac
from pyvrrp.config.values import (
    Choice,
    Duration,
    DurationOrForever,
    FileName,
    Flag,
    Lease,
    Password,
    Scope,
    Whole,
    Word,
)
from pyvrrp.config.values_net import InterfaceName, IpAddress, Label, Vip, VirtualIp
from pyvrrp.core import const
from pyvrrp.core.settings import VirtualRoute, VirtualRule

BACKUP, MASTER = "BACKUP", "MASTER"


class Authentication(Section):
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


class HeldAddress(Section):
    """A virtual address with what the kernel is to know of it."""

    address: Annotated[Vip, VirtualIp()] = Field(
        description="IP or IP/length; /32, or /128 for IPv6, where no length is named.", examples=["192.0.2.1"]
    )
    dev: Annotated[str | None, InterfaceName(loopback=True)] = Field(
        default=None, description="Another interface to put it on."
    )
    label: Annotated[str, Label()] = Field(default="", description="The name that ifconfig shows, as eth0:1.")
    scope: Annotated[int, Scope()] = Field(default=0, description="global, site, link, host, nowhere or a number.")
    broadcast: Annotated[str | None, IpAddress()] = Field(default=None, description="The broadcast address.")


def _as_address(value: object) -> object:
    return {"address": value} if isinstance(value, Word) else value


Address = Annotated[HeldAddress, BeforeValidator(_as_address), Either(VirtualIp())]
Route = Annotated[VirtualRoute, RouteText()]
Rule = Annotated[VirtualRule, RuleText()]


class Instance(Notifying, Transport):
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
    advert_int: Annotated[float, Duration(0, 3600)] = Field(  # the range depends on the version: rules.py
        default=1.0,
        description="Between two adverts. VRRPv2: whole seconds, 1 to 255. VRRPv3: 0.01 to 40.95 s in steps of 0.01.",
    )
    down_timer_adverts: Annotated[int, Whole(1, 100)] = Field(
        default=const.DOWN_TIMER_ADVERTS, description="Adverts that may be missed before a BACKUP takes over."
    )
    nopreempt: Annotated[bool, Flag()] = Field(
        default=False, description="Leave a living master alone, also when the priority here is higher."
    )
    preempt_delay: Annotated[float, Duration(0, 1000)] = Field(
        default=0.0, description="How long a master with a lower priority is left alone."
    )
    authentication: Authentication | None = Field(default=None, description="VRRPv2 only.")
    virtual_ipaddress: list[Address] = Field(
        default=[],
        max_length=255,  # the packet counts them in one byte; RFC 3768 section 5.3.5
        description="The addresses that follow the master, all of one family: IPv4 or IPv6.",
        examples=[["192.168.1.200"]],
    )
    virtual_ipaddress_excluded: list[Address] = Field(
        default=[],
        max_length=1000,
        description="Addresses of either family that follow the master without being named in adverts.",
    )
    virtual_routes: list[Route] = Field(
        default=[],
        max_length=1000,
        description="Routes that follow the addresses, in iproute2's words.",
        examples=[["10.0.0.0/8 via 192.168.1.1"]],
    )
    virtual_rules: list[Rule] = Field(
        default=[],
        max_length=1000,
        description="Rules of policy routing that follow the addresses, in iproute2's words, each with its priority.",
        examples=[["from 192.168.1.200 table 100 priority 500"]],
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
    garp_master_refresh: Annotated[float, Duration(0, 86400)] = Field(
        default=0.0, description="A master announces its addresses again and again after this time; 0: it does not."
    )
    garp_master_refresh_repeat: Annotated[int, Whole(1, 100)] = Field(
        default=1, description="Gratuitous ARPs in each of those."
    )
    garp_lower_prio_delay: Annotated[float | None, Duration(0, 1000)] = Field(
        default=None, description="As garp_master_delay, after an advert with a lower priority."
    )
    garp_lower_prio_repeat: Annotated[int | None, Whole(0, 100)] = Field(
        default=None, description="As garp_master_repeat, after an advert with a lower priority."
    )
    lower_prio_no_advert: Annotated[bool, Flag()] = Field(
        default=False, description="Do not answer an advert with a lower priority at once."
    )
    higher_prio_send_advert: Annotated[bool, Flag()] = Field(
        default=False, description="Send one more advert when a better master is heard."
    )

    accept: Annotated[bool | None, Flag()] = Field(
        default=None,
        description="false: the virtual addresses only forward, nothing on this host answers on them. Such an address "
        "serves no database; true, unless strict_mode is.",
    )
    strict_mode: Annotated[bool, Flag()] = Field(
        default=False, description="What the RFCs do not allow is an error, and `accept` is for priority 255 only."
    )
    promote_secondaries: Annotated[bool, Flag()] = Field(
        default=False,
        description="Where a primary address goes, the kernel keeps the secondary ones of its network (a sysctl of the "
        "interface).",
    )
    use_vmac: AnyVmac = Field(
        default=None,
        description="The virtual addresses move with a MAC address of their own, on an interface that is made for it: "
        "true, its name, or {interface: name, mac: address}.",
    )
    vmac_xmit_base: Annotated[bool, Flag()] = Field(
        default=False, description="With use_vmac: adverts leave by `interface` itself, as unicast ones always do."
    )
    vip_list_tolerance: Annotated[float, Duration(0, 86400)] = Field(
        default=const.LIST_TOLERANCE,
        description="A master whose list of virtual addresses differs is still followed for so long, so that both "
        "nodes can be given a new list one after the other; 0: not at all, as in keepalived.",
    )
    duplicate_wait: Annotated[float | None, DurationOrForever(0, 86400)] = Field(
        default=None,
        description="Before taking an address it is asked for on the network. If another host answers and no master is "
        "heard, that host keeps it for so long; `forever` (the default): as long as it answers; 0: do not ask.",
    )

    @property
    def family(self) -> int:
        """4 or 6: what its addresses are, or, where it has none, what else it says."""
        if self.virtual_ipaddress:
            return self.virtual_ipaddress[0].address.address.version
        peers = (peer.address for peer in self.unicast_peer)
        for each in (self.unicast_src_ip, self.mcast_src_ip, self.mcast_dst_ip, *peers):
            if each is not None:
                return ip_address(each).version
        return 6 if self.native_ipv6 else 4

    @property
    def vrrp_version(self) -> int:
        """The version that it speaks."""
        return self.version or (3 if self.family == 6 else 2)

    @property
    def accepts(self) -> bool:
        """Whether packets to the virtual addresses are accepted (RFC 5798 section 6.1, Accept_Mode)."""
        if self.accept is not None:
            return self.accept
        return self.owner or not self.strict_mode

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
