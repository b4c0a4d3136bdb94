"""Somebody else answers for an address: asked before it is taken (RFC 5227 section 2.1), and now and then while held.

A BACKUP that hears no advert knows that no daemon speaks, not that no host has the address: a daemon that was killed
leaves it behind, for the rest of its lease or for ever, and a stranger may have taken it. So it asks a moment before
its wait is over, and while somebody answers it leaves the address alone, at most for `duplicate_wait` seconds.

The second question goes to the one MAC that answered: switches that answer ARP for hosts they remember do not know
that this one is dead, but they do pass on what is for it alone.

It is not asked after priority 0, whose sender answers until its successor speaks, nor before taking over from a worse
master that lives, nor by the configured owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pyvrrp.core import neighbor
from pyvrrp.core.budget import Budget
from pyvrrp.core.effects import Announce, Effect, Level, Record
from pyvrrp.core.settings import Address, InstanceSettings

_SOONEST, _LATEST = 0.02, 0.3  # seconds before the end of the wait: time for an answer
_AGAIN_SOON, _AGAIN = 0.2, 1.0  # seconds between two questions while somebody answers, at first and later
_SOON: Final = 5.0  # seconds of "at first": a lease that is running out
_PACE: Final = 10.0  # seconds between two questions of a MASTER
_DEFENCE: Final = 10.0  # seconds between two announcements against a duplicate; RFC 5227 section 1.1, DEFEND_INTERVAL
_GRACE: Final = 1.0  # seconds after a takeover in which the predecessor may still be heard
_HOLDERS: Final = 16  # that are remembered, and an end for invented ones
_REPEAT: Final = 60.0  # seconds between two log lines about the same holder
_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Holder:
    """Another host that said it has `address`: since when, when last, and whether while this node was MASTER."""

    address: Address
    mac: bytes
    since: float
    heard: float = _NEVER
    contested: bool = False
    explained: float = _NEVER  # when the log was told that the address is left to it
    exposed: float = _NEVER  # ... that both have the address

    @property
    def named(self) -> str:
        """Its MAC as people write it."""
        return self.mac.hex(":")


def places(settings: InstanceSettings) -> Iterator[tuple[str, Address]]:
    """Where to ask and to listen for each address: for those under a virtual MAC that is the interface below."""
    above = settings.vmac.interface if settings.vmac is not None else None
    return ((settings.interface if each.interface == above else each.interface, each.address) for each in settings.held)


def lead(settings: InstanceSettings, interval: float, skew: float) -> float:
    """Seconds from the question to the end of the wait, so that one advert at least is missed when it is asked."""
    wanted = max(_SOONEST, min(_LATEST, skew / 2))
    return min(wanted, skew / 2 + (interval / 2 if settings.down_timer_adverts > 1 else 0.0))


class Duplicates:
    """What one virtual router knows of other holders of its addresses."""

    __slots__ = (
        "_answered",
        "_asked_at",
        "_budget",
        "_defended_at",
        "_known",
        "_waits_since",
        "_waits_until",
        "claims",
        "waits",
    )

    def __init__(self) -> None:
        self._known: dict[tuple[Address, bytes], Holder] = {}
        self._asked_at = self._defended_at = _NEVER
        self._answered: dict[Address, bytes] = {}  # since it was asked
        self._waits_since = self._waits_until = _NEVER
        self._budget = Budget()
        self.claims = 0  # of others, while this node was MASTER
        self.waits = 0  # how often the addresses were left alone for another while

    def counts(self) -> dict[str, int]:
        """The numbers that status shows; those that never came up are left out."""
        counts = {"duplicate_claims": self.claims, "left_to_another_holder": self.waits}
        return {name: count for name, count in counts.items() if count}

    def heard_since(self, moment: float) -> tuple[Holder, ...]:
        """Who has claimed an address since then."""
        return tuple(each for each in self._known.values() if each.heard >= moment)

    def waits_for(self, now: float) -> tuple[Holder, ...]:
        """For whom the addresses are being left alone."""
        if now > self._waits_until:
            return ()
        return tuple(self._known[each] for each in self._answered.items() if each in self._known)

    # --- asking -------------------------------------------------------------------------------------------------------

    def asks_at(self, deadline: float, before: float) -> float | None:
        """When to ask, `before` seconds ahead of the end of the wait; None when that was done."""
        at = deadline - before
        return at if self._asked_at < at else None

    def ask(self, settings: InstanceSettings, macs: Mapping[str, bytes], now: float) -> list[Effect]:
        """Ask for every address: all of the link, or who answered the last time."""
        waiting = now <= self._waits_until
        known, self._answered, self._asked_at = self._answered if waiting else {}, {}, now
        frames: dict[str, list[bytes]] = {}
        for interface, address in places(settings):
            if mac := macs.get(interface):
                frames.setdefault(interface, []).append(neighbor.question(mac, address, known.get(address)))
        return [Announce(interface, tuple(each)) for interface, each in frames.items()]

    def ask_in_passing(self, settings: InstanceSettings, macs: Mapping[str, bytes], now: float) -> list[Effect]:
        """A MASTER's slow question, beside an advert: a silent holder is found too."""
        if settings.duplicate_wait == 0 or now - self._asked_at < _PACE:
            return []
        return self.ask(settings, macs, now)

    def suspect(self, now: float) -> None:
        """A rival was heard: ask with the next advert rather than in its time."""
        if now - self._asked_at > _GRACE:
            self._asked_at = _NEVER

    # --- hearing ------------------------------------------------------------------------------------------------------

    def heard(self, address: Address, mac: bytes, now: float) -> None:
        """A BACKUP hears a claim; only answers to its question matter."""
        self._note(address, mac, now)
        self._answered[address] = mac

    def contested(self, settings: InstanceSettings, address: Address, mac: bytes, since: float, now: float) -> bool:
        """A MASTER since `since` hears a claim. Whether the link is to be told again."""
        own = settings.vmac is not None and mac == settings.vmac.mac
        if own or now - since < max(_GRACE, settings.advert_int):
            return False
        holder = self._note(address, mac, now)
        self._known[address, mac] = replace(holder, contested=True)
        self.claims += 1
        if now - self._defended_at < _DEFENCE:
            return False
        self._defended_at = now
        return True

    def complaint(self, settings: InstanceSettings, address: Address, mac: bytes, now: float) -> list[Effect]:
        """What the log is told of a claim that a MASTER heard, at a bounded rate."""
        holder = self._known.get((address, mac))
        if holder is None or not holder.contested or now - holder.exposed < _REPEAT:
            return []
        if not self._budget.allows(now):
            return []
        self._known[address, mac] = replace(holder, exposed=now)
        text = f"DUPLICATE: {holder.named} also answers for {address}: two hosts have it. Take it off the other one"
        return [Record(Level.ERROR, settings.name, text)]

    # --- waiting ------------------------------------------------------------------------------------------------------

    def hold_back(self, settings: InstanceSettings, now: float) -> tuple[float | None, list[Effect]]:
        """The wait is over: until when to wait on because somebody answered, None to take over; and what is said."""
        answers = [self._known[each] for each in self._answered.items() if each in self._known]
        if not answers:
            return None, []
        if now > self._waits_until + _AGAIN_SOON:
            self._waits_since = now
        bound = settings.duplicate_wait
        if bound is not None and now >= self._waits_since + bound:
            self._waits_until = _NEVER
            names = ", ".join(f"{each.named} still answers for {each.address}" for each in answers)
            return None, [Record(Level.ERROR, settings.name, f"duplicate_wait is over, and {names}: taking over")]
        until = now + (_AGAIN_SOON if now - self._waits_since < _SOON else _AGAIN)
        self._waits_until = until if bound is None else min(until, self._waits_since + bound)
        self.waits += 1
        return self._waits_until, [record for each in answers for record in self._explained(settings, each, now)]

    def _explained(self, settings: InstanceSettings, holder: Holder, now: float) -> list[Effect]:
        if now - holder.explained < _REPEAT or not self._budget.allows(now):
            return []
        self._known[holder.address, holder.mac] = replace(holder, explained=now)
        text = (
            f"{holder.named} answers for {holder.address} though no master is heard: not taking over while it does. "
            f"Is a VRRP daemon dead there? Take the address off that host"
        )
        return [Record(Level.ERROR, settings.name, text)]

    def _note(self, address: Address, mac: bytes, now: float) -> Holder:
        known = self._known.get((address, mac))
        if known is None:
            if len(self._known) >= _HOLDERS:
                oldest = min(self._known.values(), key=lambda each: each.heard)
                del self._known[oldest.address, oldest.mac]
            known = Holder(address, mac, now)
        self._known[address, mac] = replace(known, heard=now)
        return self._known[address, mac]
