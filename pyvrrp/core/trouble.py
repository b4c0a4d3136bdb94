"""Sentences of status about trouble on the link: adverts that are lost, turned away, or taken with a warning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pyvrrp.core.duplicate import Holder
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.reception import Reception
from pyvrrp.core.rivals import contends
from pyvrrp.core.snapshot import RivalStatus

FRESH: Final = 15.0  # seconds for which what was seen last is worth a sentence


def sentences(router: VirtualRouter, reception: Reception, now: float) -> Iterator[str]:
    """What is wrong on the link of one virtual router, the gravest first."""
    for holder in holders(router, now) if router.state is State.MASTER else ():
        yield f"DUPLICATE: {holder.named} also answers for {holder.address} (heard {now - holder.heard:.1f} s ago)."
    yield from _discarded(router, reception, now)
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
    yield "If it is the master, its adverts are lost on the way: does a firewall there let protocol 112 out?"
    yield "If it is a router that answers for everybody (proxy ARP), it must not for these, or set duplicate_wait."


def contested(router: VirtualRouter, reception: Reception, now: float) -> bool:
    """Whether two nodes may hold an address of this virtual router, or another host keeps it from this one."""
    return bool(holders(router, now) or list(_contenders(router, reception, now)))


def holders(router: VirtualRouter, now: float) -> tuple[Holder, ...]:
    """The other hosts that have an address beside this MASTER, or instead of any."""
    if router.state is State.BACKUP:
        return router.duplicates.waits_for(now)
    known = router.duplicates.heard_since(max(now - FRESH, router.since)) if router.state is State.MASTER else ()
    return tuple(each for each in known if each.contested)


def _contenders(router: VirtualRouter, reception: Reception, now: float) -> Iterator[RivalStatus]:
    """Whose adverts are turned away while this node is MASTER or hears of none that it follows."""
    alone = router.state is State.BACKUP and not router.following and router.handover_until is None
    if router.state is State.MASTER or alone:
        yield from (each for each in reception.complaints.recent(now, FRESH) if contends(each))


def _discarded(router: VirtualRouter, reception: Reception, now: float) -> Iterator[str]:
    contenders = tuple(_contenders(router, reception, now))
    too = " too" if router.state is State.MASTER else ""
    for rival in contenders:
        yield (
            f"{rival.source} is master{too} by its own account; its adverts are discarded because {rival.reason}: "
            f"two nodes may hold the address. Likely {rival.cause}."
        )
    latest = next(iter(reception.complaints.recent(now, FRESH)), None)
    if latest is not None and latest not in contenders:
        ago = now - latest.last
        yield (
            f"It discards adverts from {latest.source}: {latest.reason} (last one {ago:.2f} s ago). "
            f"Likely {latest.cause}."
        )
