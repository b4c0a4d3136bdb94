"""What a reload changes, in sentences. Secrets are named, never shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from pyvrrp.core.settings import (
    ChannelSettings,
    Command,
    DatabaseSettings,
    DemoteSettings,
    InstanceSettings,
    MailSettings,
    NodeSettings,
    ProbeSettings,
    PromoteSettings,
    Track,
    VirtualAddress,
    Vmac,
)
from pyvrrp.core.succession import predecessors

_SECRET: Final = ("auth_pass",)
_AT_START: Final = ("startup_delay", "delay_after_boot", "network_namespace")
_LEAVES: Final = (Command, MailSettings, Track, VirtualAddress, Vmac)  # whose text says it all
_FOR_EVER: Final = ("duplicate_wait",)  # where None is no end
_FOREVER: Final = "forever"
_ADDRESSES: Final = ("addresses", "excluded")
_COLLECTIONS: Final = ("instances", "checks", "groups", "services", "fifos")
_KEYWORDS: Final = {
    "tracks": "track_checks",
    "members": "group",
    "tracking_weight": "sync_group_tracking_weight",
    "master": "notify_master",
    "backup": "notify_backup",
    "fault": "notify_fault",
    "stop": "notify_stop",
    "deleted": "notify_deleted",
    "master_rx_lower_pri": "notify_master_rx_lower_pri",
    "priority_changes": "notify_priority_changes",
    "unicast_peers": "unicast_peer",
    "track_source": "track_src_ip",
    "vmac": "use_vmac",
    "list_tolerance": "vip_list_tolerance",
    "interface_delays": "interface_up_down_delays",
    "static_addresses": "static_ipaddress",
    "routes": "virtual_routes",
    "rules": "virtual_rules",
    "nftables_table": "nftables",
    "database": "mysql",
}
# Sections whose keys mean little without their own: `mysql: probe: timeout`.
_SECTIONS: Final = (DatabaseSettings, ProbeSettings, PromoteSettings, DemoteSettings, ChannelSettings)
_LOGIN: Final = ("user", "password_file", "defaults_file")  # a peer's is the local account's
_OF_ADVERTS: Final = {"group": "multicast group", "source": "source of adverts"}
# By identity; what goes on under another one is found by that of its predecessor.
Instances = Mapping[tuple[str, int, int], InstanceSettings]


def changes(old: NodeSettings, new: NodeSettings) -> tuple[str, ...]:
    """One sentence for each difference; none when the two mean the same."""
    known = predecessors(old.instances, new.instances)
    before = {each.identity: each for each in old.instances}
    after = {known.get(each.name, each).identity: each for each in new.instances}
    return (
        *_fields("node", old, new, skip=_COLLECTIONS),
        *_named("instance", before, after),
        *_addresses(before, after),
        *_named("group", _by_name(old.groups), _by_name(new.groups)),
        *_named("check", _by_name(old.checks), _by_name(new.checks)),
        *_named("virtual server", _by_name(old.services), _by_name(new.services)),
        *_named("FIFO", {each.path: each for each in old.fifos}, {each.path: each for each in new.fifos}),
    )


def _by_name(parties: Iterable[Any]) -> dict[Any, Any]:
    return {each.name: each for each in parties}


def _by_text(parties: Iterable[Any]) -> dict[Any, Any]:
    return {str(each): each for each in parties}


def _named(kind: str, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterable[str]:
    for key, party in before.items():
        if key not in after:
            yield f"{kind} {getattr(party, 'name', key)} is removed"
    for key, party in after.items():
        if key not in before:
            yield f"{kind} {getattr(party, 'name', key)} is new"
        else:
            yield from _fields(getattr(party, "name", f"{kind} {key}"), before[key], party, skip=_ADDRESSES)


def _fields(name: str, old: object, new: object, skip: tuple[str, ...] = ()) -> Iterable[str]:
    for field in fields(old):  # type: ignore[arg-type]  # every settings class is a dataclass
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.name in skip or before == after:
            continue
        if field.name == "real_servers":
            yield from _named(f"{name}: real server", _by_text(before), _by_text(after))
        elif type(before) is type(after) and is_dataclass(before) and not isinstance(before, _LEAVES):
            login = _LOGIN if field.name == "peer" else ()
            yield from _fields(_within(name, field.name, before), before, after, skip=login)
        else:
            keyword, one, other = _keyword(old, field.name), _text(before), _text(after)
            if field.name in _FOR_EVER:
                one, other = (_FOREVER if value is None else text for value, text in ((before, one), (after, other)))
            hidden = field.name in _SECRET or one == other
            later = ", from when the daemon starts next" if field.name in _AT_START else ""
            yield f"{name}: {keyword} is changed" if hidden else f"{name}: {keyword} {one} -> {other}{later}"


def _within(name: str, field: str, value: object) -> str:
    """How a sentence about a part of `name` begins."""
    return f"{name}: {_KEYWORDS.get(field, field)}" if isinstance(value, _SECTIONS) or field == "peer" else name


def _keyword(party: object, field: str) -> str:
    """What a field is called in a configuration, or in words."""
    words = _OF_ADVERTS if isinstance(party, InstanceSettings) else {}
    return words.get(field) or _KEYWORDS.get(field, field)


# --- addresses -------------------------------------------------------------------------------------------------------


def _addresses(before: Instances, after: Instances) -> Iterable[str]:
    """What becomes of each address; of the instances that come or go as a whole, only what moves."""
    old = {address: key for key, instance in before.items() for address in instance.held}
    new = {address: key for key, instance in after.items() for address in instance.held}
    for address, key in old.items():
        if address in new and new[address] != key:
            yield f"{address} moves from {before[key].name} to {after[new[address]].name}"
        elif address not in new and key in after:
            yield f"{after[key].name}: {_placed(address, before[key], after[key])} goes"
    for address, key in new.items():
        if address not in old and key in before:
            yield f"{after[key].name}: {_placed(address, before[key], after[key])} comes"
    known = {address: address for address in old}
    for address, key in new.items():
        if address in known:
            yield from _attributes(after[key].name, known[address], address)
    for one, other in ((before[key], after[key]) for key in before if key in after):
        if set(one.held) == set(other.held) and one.addresses != other.addresses:
            yield f"{other.name}: adverts name {_text(other.addresses)}"


def _attributes(name: str, old: VirtualAddress, new: VirtualAddress) -> Iterable[str]:
    """What makes it no other address, so that the kernel would have to take it away and give it back."""
    for what, before, after in (
        ("label", old.label, new.label),
        ("scope", old.scope_name, new.scope_name),
        ("broadcast", old.broadcast, new.broadcast),
    ):
        if before != after:
            yield f"{name}: {what} of {new} {before or 'none'} -> {after or 'none'}, from when it is next taken"


def _placed(address: VirtualAddress, old: InstanceSettings, new: InstanceSettings) -> str:
    """The address, and its interface when that is not where the adverts are and were."""
    usual = old.interface == address.interface == new.interface
    return str(address) if usual else f"{address} dev {address.interface}"


def _text(value: object) -> str:
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value) or "none"
    return str(value) or "none"
