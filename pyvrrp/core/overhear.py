"""Adverts that this host's own firewall keeps from us: each is also heard below netfilter, and the copies are counted.

What the raw socket delivers is a credit, its copy from below uses it up: while all is well that is all that happens.
A copy without a credit never reached the raw socket. It counts like one that did, so that a forgotten rule does not
make a second master, and the second in a row names the firewall. The first may only have come before its twin, which
then has been looked at already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.events import AdvertOverheard, AdvertReceived
from pyvrrp.core.settings import Address, InstanceSettings

_SENDERS: Final = 16  # that are told apart: more nodes than a virtual router has, and an end for invented ones
_CREDIT: Final = 1024  # adverts that a loop which stood still may find at once: ten seconds of the fastest sender's
_NAMED_AT: Final = 2  # undelivered in a row
_REPEAT: Final = 60.0  # seconds between two log lines about the same sender
_NEVER = float("-inf")


@dataclass(slots=True)
class Sender:
    """One neighbour's adverts at either socket."""

    address: Address
    credit: int = 0
    delivered_at: float = _NEVER
    ahead: AdvertOverheard | None = None  # the last copy that counted for itself, while its twin may still come
    missed: int = 0  # in a row
    missed_at: float = _NEVER
    logged_at: float = _NEVER
    named: bool = False  # in the log, and not heard the usual way since

    @property
    def blocked(self) -> bool:
        """Whether the firewall is to blame."""
        return self.missed >= _NAMED_AT

    @property
    def sentence(self) -> str:
        """What is wrong, and what to do."""
        tool = "iptables" if self.address.version == 4 else "ip6tables"
        return (
            f"This host's firewall (or rp_filter) drops VRRP from {self.address}: it is heard below netfilter only. "
            f"Let protocol 112 in: {tool} -I INPUT -p 112 -j ACCEPT"
        )


class Overhearing:
    """The senders of one virtual router's adverts. `count`: adverts that were heard below netfilter only."""

    __slots__ = ("_senders", "count")

    def __init__(self) -> None:
        self._senders: dict[Address, Sender] = {}
        self.count = 0

    def blocked(self, now: float, fresh: float) -> Iterator[Sender]:
        """The neighbours that the firewall silences, heard within the last `fresh` seconds."""
        return (each for each in self._senders.values() if each.blocked and now - each.missed_at < fresh)

    def delivered(
        self, advert: AdvertReceived, settings: InstanceSettings, interval: float, now: float
    ) -> tuple[bool, list[Effect]]:
        """The raw socket had an advert: whether it was looked at when its copy came a moment ago, and what is said.

        `interval` is the sender's: in version 3 it may be another than ours.
        """
        source, sender = advert.source, self._sender(advert.source)
        known = _twins(advert, sender.ahead) and now - sender.missed_at < interval / 2
        sender.ahead = None
        if not known:
            sender.credit = min(sender.credit + 1, _CREDIT) if _fresh(sender, interval, now) else 1
        was_named, sender.named = sender.named, False
        sender.delivered_at, sender.missed = now, 0
        if not was_named:
            return known, []
        return known, [Record(Level.NOTICE, settings.name, f"VRRP from {source} passes this host's firewall again")]

    def overheard(
        self, copy: AdvertOverheard, settings: InstanceSettings, interval: float, ours: bool, now: float
    ) -> list[Effect] | None:
        """A copy from below netfilter: what is to be said when it counts for itself, None when it was delivered.

        What comes under an address of this host (`ours`) the kernel refuses by itself, and no firewall is to blame.
        """
        sender = self._sender(copy.source)
        if sender.credit and _fresh(sender, interval, now):
            sender.credit -= 1
            return None
        sender.credit = 0
        if ours:
            return []
        sender.missed += 1
        sender.missed_at, sender.ahead = now, copy
        self.count += sender.blocked
        if not sender.blocked or now - sender.logged_at < _REPEAT:
            return []
        sender.logged_at, sender.named = now, True
        return [Record(Level.WARNING, settings.name, sender.sentence)]

    def _sender(self, source: Address) -> Sender:
        known = self._senders.get(source)
        if known is None:
            if len(self._senders) >= _SENDERS:
                oldest = min(self._senders.values(), key=_last_heard)
                del self._senders[oldest.address]
            known = self._senders[source] = Sender(source)
        return known


def _twins(advert: AdvertReceived, copy: AdvertOverheard | None) -> bool:
    """Whether they are one packet; nothing less will do, or a forged one would hide the right one after it."""
    return copy is not None and (advert.payload, advert.destination, advert.ttl) == (
        copy.payload,
        copy.destination,
        copy.ttl,
    )


def _fresh(sender: Sender, interval: float, now: float) -> bool:
    """Twins arrive together: a credit that is half an interval old has lost its copy."""
    return now - sender.delivered_at < interval / 2


def _last_heard(sender: Sender) -> float:
    return max(sender.delivered_at, sender.missed_at)
