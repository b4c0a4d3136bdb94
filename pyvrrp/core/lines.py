"""keepalived's own log lines about a virtual router, at DEBUG where keepalived wants -D."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.guard import NO_PEERS
from pyvrrp.core.settings import InstanceSettings, VirtualAddress

TIMEOUT: Final = "Receive advertisement timeout"
RELEASED: Final = "sent 0 priority"
MASTER_HEARD_RELEASE: Final = "Master received priority 0 message"
BACKUP_HEARD_RELEASE: Final = "Backup received priority 0 advertisement"

_DOWN: Final = re.compile(r"(?:check \S+ fails: )?interface (\S+) is down")  # its own, or one that it tracks


def setting(settings: InstanceSettings) -> list[Effect]:
    """The addresses are asked for."""
    return _addresses(settings, "setting")


def removing(settings: InstanceSettings) -> list[Effect]:
    """The addresses go."""
    return _addresses(settings, "removing")


def no_longer(settings: InstanceSettings, removed: Iterable[VirtualAddress]) -> list[Effect]:
    """A reload has taken these away."""
    return [
        Record(Level.INFO, settings.name, f"ip address {each} dev {each.interface}, no longer exist")
        for each in removed
    ]


def _addresses(settings: InstanceSettings, doing: str) -> list[Effect]:
    """keepalived calls the excluded ones E-VIPs."""
    kinds = (("VIPs", settings.addresses), ("E-VIPs", settings.excluded))
    return [Record(Level.DEBUG, settings.name, f"{doing} {kind}.") for kind, addresses in kinds if addresses]


def entering(settings: InstanceSettings, state: str, init: bool) -> Record:
    """A transition; `init`: to BACKUP at the start, no check having kept it waiting."""
    text = f"Entering {state} STATE{' (init)' if init else ''}"
    return Record(Level.NOTICE, settings.name, text, state)


def beginning_in_fault(settings: InstanceSettings, against: tuple[str, ...]) -> list[Effect]:
    """FAULT from the start is told in other words, with the reason when an interface is to blame."""
    name = settings.name
    reasons: list[Effect] = []
    for each in against:
        if down := _DOWN.fullmatch(each):
            reasons.append(Record(Level.INFO, "", f"({name}): entering FAULT state (interface {down[1]} down)"))
        elif each.startswith(f"interface {settings.interface} has no IPv"):
            text = f"entering FAULT state (no IPv{settings.family} address for interface)"
            reasons.append(Record(Level.INFO, name, text))
        elif each == NO_PEERS:
            text = "Cannot use unicast without any peers - going to fault state"
            reasons.append(Record(Level.INFO, name, text))
    return [*reasons, Record(Level.NOTICE, name, "entering FAULT state", "FAULT")]


def updated_interval(settings: InstanceSettings, before: float, now: float) -> Record:
    """VRRPv3 takes over the master's interval (seconds)."""
    text = f"advertisement interval updated from {before * 1e3:.0f}ms to {now * 1e3:.0f}ms by master"
    return Record(Level.DEBUG, settings.name, text)


def delaying(settings: InstanceSettings) -> Record:
    """preempt_delay begins."""
    return Record(Level.DEBUG, settings.name, f"start preempt delay ({settings.preempt_delay:.6f})")


def not_delaying(settings: InstanceSettings) -> Record:
    """preempt_delay ends because a better master spoke."""
    return Record(Level.DEBUG, settings.name, "stop preempt delay")
