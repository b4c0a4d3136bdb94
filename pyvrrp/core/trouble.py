"""Sentences of status about trouble on the link: adverts that are lost, turned away, or taken with a warning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pyvrrp.core.duplicate import Holder
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.reception import Reception

FRESH: Final = 15.0  # seconds for which what was seen last is worth a sentence


def sentences(router: VirtualRouter, reception: Reception, now: float) -> Iterator[str]:
    """What is wrong on the link of one virtual router, the gravest first."""
    if router.state is State.MASTER:
        for holder in router.duplicates.heard_since(max(now - FRESH, router.since)):
            if holder.count:
                ago = now - holder.heard
                yield f"DUPLICATE: {holder.named} also answers for {holder.address} (heard {ago:.1f} s ago)."
    yield from _discarded(reception, now)
    for sender in reception.overhearing.blocked(now, FRESH):
        yield f"{sender.sentence}."
    for each in reception.tolerance.current(now):
        if now - each.heard < max(FRESH, router.master_down_interval):
            yield f"{each.sentence(now)}; after that its adverts are discarded."


def left_alone(name: str, holders: Iterable[Holder], bound: float | None) -> Iterator[str]:
    """Why a BACKUP that hears no master does not take over."""
    names = ", ".join(f"{each.named} answers for {each.address}" for each in holders)
    yield f"{name} is BACKUP: no master is heard, but {names}."
    until = "while that is so" if bound is None else f"for {bound:g} s at most (duplicate_wait)"
    yield f"It leaves the address alone {until}. Is a VRRP daemon dead there? Take the address off that host."


def _discarded(reception: Reception, now: float) -> Iterator[str]:
    rejected = reception.complaints.latest
    if rejected is not None and now - rejected.at < FRESH:
        ago = now - rejected.at
        yield f"It discards adverts from {rejected.source}: {rejected.reason} (last one {ago:.2f} s ago)."
