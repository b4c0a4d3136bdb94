"""Sentences of status about trouble on the link: adverts that are lost, turned away, or taken with a warning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyvrrp.core.fsm import VirtualRouter
from pyvrrp.core.reception import Reception

FRESH: Final = 15.0  # seconds for which what was seen last is worth a sentence


def sentences(router: VirtualRouter, reception: Reception, now: float) -> Iterator[str]:
    """What is wrong on the link of one virtual router, the gravest first."""
    yield from _discarded(reception, now)
    for sender in reception.overhearing.blocked(now, FRESH):
        yield f"{sender.sentence}."
    for each in reception.tolerance.current(now):
        if now - each.heard < max(FRESH, router.master_down_interval):
            yield f"{each.sentence(now)}; after that its adverts are discarded."


def _discarded(reception: Reception, now: float) -> Iterator[str]:
    rejected = reception.complaints.latest
    if rejected is not None and now - rejected.at < FRESH:
        ago = now - rejected.at
        yield f"It discards adverts from {rejected.source}: {rejected.reason} (last one {ago:.2f} s ago)."
