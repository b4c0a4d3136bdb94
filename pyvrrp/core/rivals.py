"""Why somebody's adverts are turned away, in words that lead to the mistake; whether it may hold an address too."""

from __future__ import annotations

from typing import Final

from pyvrrp.core.settings import InstanceSettings
from pyvrrp.core.snapshot import RivalStatus
from pyvrrp.core.wire import Advert

CLASH: Final = "vrid_clash"
# What differs between two nodes that mean to be one virtual router: the other one may hold the address.
MISMATCHES: Final = frozenset(
    ("password", "authentication_type", "addresses", "interval", "version", "unicast", "multicast", "peer", "ttl")
) | {"checksum"}
_CAUSES: Final = {
    "password": "the passwords differ (auth_pass): give both nodes the same one",
    "authentication_type": "one node authenticates otherwise than the other (auth_type): configure both alike",
    "addresses": "the lists of virtual addresses differ: reload the node that is behind",
    "interval": "advert_int differs: version 2 needs the same on every node, and 1 to 255 s",
    "version": "the nodes speak different versions (vrrp_version): set the same one on both",
    "unicast": "that node speaks to peers, this one to the group: give both unicast_peer, or neither",
    "multicast": "that node speaks to another group than this one, or this one to peers: configure both alike",
    "peer": "it is not among the unicast_peer of this node: add it, or take check_unicast_src away",
    "ttl": "a router is between the nodes, or the unicast TTLs differ (unicast_ttl, min_ttl, max_ttl)",
    "checksum": "it was damaged on its way, or sums otherwise than the standard has it (v3_checksum_as_v2)",
    "own_address": "another host has this node's own address, or a loop in the network brings its packets back",
    "owner": "another node is configured as the owner too, or has the address",
    CLASH: "another virtual router with addresses of its own uses this VRID here: give one another virtual_router_id",
}
_NONSENSE: Final = "no VRRP daemon sends this: somebody experiments, or a device on the way is broken"


def kind_of(kind: str, advert: Advert | None, settings: InstanceSettings) -> str:
    """The kind of an objection; a clash of VRIDs where the advert is about other addresses altogether."""
    if advert is None or not advert.addresses:
        return kind
    ours = {each.address for each in settings.addresses}
    return CLASH if ours and ours.isdisjoint(advert.addresses) else kind


def cause(kind: str) -> str:
    """The likely mistake, and what to do."""
    return _CAUSES.get(kind, _NONSENSE)


def contends(rival: RivalStatus) -> bool:
    """Whether it is master by its own account, of the same addresses: more than a stray packet, and not leaving."""
    return rival.kind in MISMATCHES and rival.count > 1 and rival.priority != 0
