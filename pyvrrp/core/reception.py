"""What one virtual router makes of an advert before it counts: is it one, is it ours, has it been heard already?"""

from __future__ import annotations

from typing import Final

from pyvrrp.core.complaints import Complaints
from pyvrrp.core.effects import Effect
from pyvrrp.core.events import AdvertOverheard, AdvertReceived
from pyvrrp.core.fsm import VirtualRouter
from pyvrrp.core.overhear import Overhearing
from pyvrrp.core.receive import Objection, Packet, besides_its_list, malformed, objection
from pyvrrp.core.tolerance import Tolerance
from pyvrrp.core.wire import Advert, decode
from pyvrrp.errors import WireError

_OWN_ADDRESS: Final = Objection("own_address", "it carries our own address", "")
_OWNER: Final = Objection("owner", "this node owns the address, and has owner_ignore_adverts", "")

Verdict = tuple[Advert | None, list[Effect]]  # the advert, when it counts, and what is to be said


class Reception:
    """The memory of one virtual router about those who send to it. It lives as long as the router."""

    __slots__ = ("complaints", "overhearing", "tolerance")

    def __init__(self) -> None:
        self.complaints = Complaints()
        self.overhearing = Overhearing()
        self.tolerance = Tolerance()

    def received(self, event: AdvertReceived, router: VirtualRouter, now: float) -> Verdict:
        """An advert came the usual way."""
        known, said = self.overhearing.delivered(event, router.settings, _interval(event, router), now)
        if known:
            return None, said
        advert, more = self._judge(event, router, now)
        return advert, [*said, *more]

    def overheard(self, event: AdvertOverheard, router: VirtualRouter, ours: bool, now: float) -> Verdict:
        """A copy came from below netfilter; it is looked at when the firewall has kept the advert itself.

        `ours`: its sender is an address of this host.
        """
        if not _deliverable(event, router):
            return None, []
        said = self.overhearing.overheard(event, router.settings, _interval(event, router), ours, now)
        if said is None:
            return None, []
        advert, more = self._judge(event, router, now)
        return advert, [*said, *more]

    def counts(self) -> dict[str, int]:
        """The numbers that status shows; those that never came up are left out."""
        counts = {f"rejected_{kind}": count for kind, count in sorted(self.complaints.counts.items())}
        counts |= {"overheard": self.overhearing.count, "tolerated": self.tolerance.count}
        return {name: count for name, count in counts.items() if count}

    def _judge(self, packet: Packet, router: VirtualRouter, now: float) -> Verdict:
        settings, source = router.settings, packet.source
        if source == router.standing.source:
            return None, self.complaints.take(settings, source, _OWN_ADDRESS, now)
        try:
            advert = decode(packet.payload, source, packet.destination, packet.ttl)
        except WireError as error:
            return None, self.complaints.take(settings, source, malformed(error, packet), now)
        followed = router.master.address if router.master is not None else None
        against = objection(advert, packet, settings, followed)
        if router.deaf:
            against = against or _OWNER
        elif against is None:
            return advert, self.tolerance.agrees(source, settings.name)
        elif against.kind == "addresses" and besides_its_list(packet, settings) is None:
            said = self.tolerance.bears(advert, source, against.reason, settings, source == followed, now)
            if said is not None:
                return advert, said
        return None, self.complaints.take(settings, source, against, now, advert)


def _interval(packet: Packet, router: VirtualRouter) -> float:
    """The seconds between two adverts of its sender, as far as they are known: ours, but for the master's."""
    master = router.master
    return master.advert_int if master is not None and master.address == packet.source else router.settings.advert_int


def _deliverable(packet: AdvertOverheard, router: VirtualRouter) -> bool:
    """Whether the raw socket would have it without a firewall: a bridge's or router's copy of others' is none."""
    settings = router.settings
    return packet.destination == (router.standing.source if settings.unicast_peers else settings.multicast_group)
