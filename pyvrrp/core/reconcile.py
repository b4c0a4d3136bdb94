"""The way from the addresses that are there to those that ought to be: removals first, each in a stable order."""

from __future__ import annotations

from collections.abc import Iterable, Set

from pyvrrp.core.effects import Action, Operation
from pyvrrp.core.settings import VirtualAddress


def plan(
    managed: Iterable[VirtualAddress],
    wanted: Set[VirtualAddress],
    observed: Set[VirtualAddress],
    lease: int | None,
) -> tuple[Operation, ...]:
    """Operations that make `observed` agree with `wanted` on the `managed` addresses; addresses of others are left."""
    managed = tuple(managed)
    remove = [Operation(Action.REMOVE, each) for each in managed if each in observed and each not in wanted]
    add = [Operation(Action.ADD, each, lease) for each in managed if each in wanted and each not in observed]
    return (*remove, *add)
