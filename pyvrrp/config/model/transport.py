"""How the adverts of a virtual router travel: multicast or unicast, from where and to whom, and which are believed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from pyvrrp.config.model.section import Either, Section
from pyvrrp.config.values import Flag, Whole, Word
from pyvrrp.config.values_net import HostIp, MulticastGroup
from pyvrrp.core import const


class Peer(Section):
    """Another node of the virtual router, and the TTLs (IPv6: hop limits) at which its adverts are believed."""

    address: Annotated[str, HostIp()] = Field(description="Its IP address.", examples=["192.0.2.2"])
    min_ttl: Annotated[int | None, Whole(0, 255)] = Field(
        default=None, description="Less than this, and the advert came through too many routers; 0."
    )
    max_ttl: Annotated[int | None, Whole(0, 255)] = Field(
        default=None, description="More than this, and the advert came from nearer than the peer is; 255."
    )


def _as_peer(value: object) -> object:
    return {"address": value} if isinstance(value, Word) else value


AnyPeer = Annotated[Peer, BeforeValidator(_as_peer), Either(HostIp())]


class Transport(Section):
    """The keys of a virtual router that are about this."""

    version: Annotated[int | None, Whole(const.VERSIONS[0], const.VERSIONS[-1])] = Field(
        default=None, description="VRRPv2 or VRRPv3, the same on every node. 2, or 3 with IPv6, which VRRPv2 lacks."
    )
    native_ipv6: Annotated[bool, Flag()] = Field(
        default=False, description="It is an IPv6 virtual router; where it has addresses, they say so themselves."
    )
    mcast_src_ip: Annotated[str | None, HostIp()] = Field(
        default=None, description="The sender of multicast adverts: an address that the interface has; its first one."
    )
    mcast_dst_ip: Annotated[str | None, MulticastGroup()] = Field(
        default=None,
        description=f"The multicast group, the same on all nodes: {const.GROUP_IPV4}, or {const.GROUP_IPV6} with IPv6.",
    )
    track_src_ip: Annotated[bool, Flag()] = Field(
        default=False, description="FAULT while this host does not have mcast_src_ip or unicast_src_ip."
    )
    unicast_peer: list[AnyPeer] = Field(
        default=[],
        max_length=255,
        description="The other nodes of the virtual router, where the network carries no multicast, as in most clouds: "
        "adverts go to each of them, and to no group. Each node names all others.",
        examples=[["192.0.2.2"]],
    )
    unicast_src_ip: Annotated[str | None, HostIp()] = Field(
        default=None, description="The sender of unicast adverts: an address that this host has; the interface's first."
    )
    unicast_ttl: Annotated[int, Whole(0, 255)] = Field(
        default=const.TTL, description="The TTL (IPv6: hop limit) of unicast adverts."
    )
    unicast_fault_no_peer: Annotated[bool, Flag()] = Field(
        default=False, description="Without a unicast_peer it is in FAULT, and does not use multicast."
    )
    check_unicast_src: Annotated[bool, Flag()] = Field(
        default=False, description="Believe only adverts that come from a unicast_peer. min_ttl and max_ttl ask for it."
    )
    skip_check_adv_addr: Annotated[bool, Flag()] = Field(
        default=False, description="Do not compare the addresses of an advert from the master that was heard last."
    )
    v3_checksum_as_v2: Annotated[bool, Flag()] = Field(
        default=False,
        description="VRRPv3 over IPv4: send the checksum of RFC 9568, over the advert alone, as some routers do. "
        "Adverts with either checksum are believed.",
    )
    owner_ignore_adverts: Annotated[bool, Flag()] = Field(
        default=False, description="With priority 255: do not listen to other masters at all."
    )
    dont_track_primary: Annotated[bool, Flag()] = Field(
        default=False, description="Stay out of FAULT while the interface is down."
    )
