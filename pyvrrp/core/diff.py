"""What a reload changes, in sentences. Secrets are named, never shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from pyvrrp.core.settings import Command, InstanceSettings, NodeSettings, Track, VirtualAddress

_SECRET: Final = ("auth_pass",)
_LEAVES: Final = (Command, Track, VirtualAddress)  # whose text says it all
_ADDRESSES: Final = ("addresses", "excluded")
_COLLECTIONS: Final = ("instances", "checks", "groups", "services", "fifos")
_KEYWORDS: Final = {
    "tracks": "track_checks",
    "members": "group",
    "master": "notify_master",
    "backup": "notify_backup",
    "fault": "notify_fault",
    "stop": "notify_stop",
    "deleted": "notify_deleted",
    "master_rx_lower_pri": "notify_master_rx_lower_pri",
    "priority_changes": "notify_priority_changes",
}


def changes(old: NodeSettings, new: NodeSettings) -> tuple[str, ...]:
    """One sentence for each difference; none when the two mean the same."""
    before, after = _by_identity(old), _by_identity(new)
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


def _by_identity(node: NodeSettings) -> dict[Any, InstanceSettings]:
    """A reload goes on with the virtual router that is the same on the wire, whatever it is called now."""
    return {(each.interface, each.virtual_router_id, each.version): each for each in node.instances}


def _named(kind: str, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterable[str]:
    for key, party in before.items():
        if key not in after:
            yield f"{kind} {getattr(party, 'name', key)} is removed"
    for key, party in after.items():
        name = getattr(party, "name", key)
        if key not in before:
            yield f"{kind} {name} is new"
        else:
            yield from _fields(name, before[key], party, skip=_ADDRESSES)


def _fields(name: str, old: object, new: object, skip: tuple[str, ...] = ()) -> Iterable[str]:
    for field in fields(old):  # type: ignore[arg-type]  # every settings class is a dataclass
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.name in skip or before == after:
            continue
        if field.name in _SECRET:
            yield f"{name}: {field.name} is changed"
        elif field.name == "real_servers":
            yield from _named("real server", {str(each): each for each in before}, {str(each): each for each in after})
        elif type(before) is type(after) and is_dataclass(before) and not isinstance(before, _LEAVES):
            yield from _fields(name, before, after)
        else:
            yield f"{name}: {_KEYWORDS.get(field.name, field.name)} {_text(before)} -> {_text(after)}"


def _addresses(before: Mapping[Any, InstanceSettings], after: Mapping[Any, InstanceSettings]) -> Iterable[str]:
    """What becomes of each address; of the instances that come or go as a whole, only what moves."""
    old = {address: key for key, instance in before.items() for address in instance.held}
    new = {address: key for key, instance in after.items() for address in instance.held}
    for address, key in old.items():
        if address in new and new[address] != key:
            yield f"{address} moves from {before[key].name} to {after[new[address]].name}"
        elif address not in new and key in after:
            yield f"{after[key].name}: {address} goes"
    for address, key in new.items():
        if address not in old and key in before:
            yield f"{after[key].name}: {address} comes"
    for key in before.keys() & after.keys():
        one, other = before[key], after[key]
        if set(one.held) == set(other.held) and one.addresses != other.addresses:
            yield f"{other.name}: adverts name {_text(other.addresses)}"


def _text(value: object) -> str:
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value) or "none"
    return str(value)
