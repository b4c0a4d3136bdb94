"""Which virtual router of one configuration is which of the next: what a reload goes on with."""

from __future__ import annotations

from collections.abc import Iterable

from pyvrrp.core.settings import InstanceSettings


def predecessors(old: Iterable[InstanceSettings], new: Iterable[InstanceSettings]) -> dict[str, InstanceSettings]:
    """By the name of a new instance, the old one that it is.

    That is the one of the same interface and VRID, whatever it is called now; else the one of that name on that
    interface, when its VRID is not in use any more.
    """
    old, new = tuple(old), tuple(new)
    in_use = {each.identity for each in new}
    known = {each.identity: each for each in old}
    renumbered = {(each.name, each.interface): each for each in old if each.identity not in in_use}
    found = {each.name: known.get(each.identity) or renumbered.get((each.name, each.interface)) for each in new}
    return {name: before for name, before in found.items() if before is not None}
