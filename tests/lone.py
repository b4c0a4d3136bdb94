"""One node by itself, event by event, in a test's own time: what goes in, and exactly what comes out."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

from pyvrrp.core import const
from pyvrrp.core.effects import Announce, Effect, Level, Notify, Operation, Reconcile, Record, SendAdvert
from pyvrrp.core.events import (
    AddressesChanged,
    AdvertReceived,
    CheckResult,
    EffectDone,
    EffectFailed,
    Event,
    LinkChanged,
    TimerDue,
)
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.node import Node
from pyvrrp.core.settings import Address, CheckSettings, InstanceSettings, SyncGroupSettings
from pyvrrp.core.snapshot import InstanceStatus
from pyvrrp.core.wire import Advert, decode, encode
from tests.simulation import INTERFACE, instance, settings

OURS = IPv4Address("192.168.1.201")
PEER = IPv4Address("192.168.1.202")
LOWER_PEER = IPv4Address("192.168.1.101")
OURS_6, PEER_6 = IPv6Address("fe80::c9"), IPv6Address("fe80::ca")
MAC = bytes.fromhex("020000000001")
START = 1000.0

E = TypeVar("E", bound=Effect)


class Lone:
    """A node of one instance (unless given others) on eth0, and its obedient kernel when `obey` is called."""

    def __init__(
        self,
        *instances: InstanceSettings,
        checks: tuple[CheckSettings, ...] = (),
        groups: tuple[SyncGroupSettings, ...] = (),
        startup_delay: float = 0.0,
        **changes: object,
    ) -> None:
        self.now = START
        whole = settings(*(instances or (instance(**changes),)), checks=checks, groups=groups)
        self.node = Node(replace(whole, startup_delay=startup_delay), self.now)

    @property
    def router(self) -> VirtualRouter:
        """The first instance's state machine."""
        return next(iter(self.node._routers.values()))

    @property
    def vrids(self) -> dict[str, set[int]]:
        """What it listens for, by interface."""
        return {interface: {each.vrid for each in found} for interface, found in self.node.vrids().items()}

    @property
    def state(self) -> State:
        return self.router.state

    @property
    def status(self) -> InstanceStatus:
        """The first instance's status now."""
        return self.node.snapshot(self.now).instances[0]

    @property
    def deadline(self) -> float | None:
        """Seconds from now to the first instance's own deadline."""
        return None if self.router.deadline is None else self.router.deadline - self.now

    def give(self, event: Event, after: float = 0.0) -> list[Effect]:
        """An event, so many seconds later."""
        self.now += after
        return self.node.handle(event, self.now)

    def look(self, *virtual: Address, up: bool = True, present: bool = True) -> list[Effect]:
        """The first sight of the interface: up, with our address and these /32."""
        effects = self.give(LinkChanged(INTERFACE, present, up, MAC))
        return effects + self.addresses(*virtual)

    def addresses(self, *virtual: Address, primary: Address | None = OURS) -> list[Effect]:
        """The interface's addresses are these, and a link-local one of ours for IPv6."""
        own = () if primary is None else ((primary, 24), (OURS_6, 64))
        return self.give(AddressesChanged(INTERFACE, (*own, *((each, each.max_prefixlen) for each in virtual))))

    def link(self, up: bool, present: bool = True) -> list[Effect]:
        return self.give(LinkChanged(INTERFACE, present, up, MAC))

    def timer(self) -> list[Effect]:
        """The next deadline comes, exactly."""
        due = self.node.next_deadline()
        assert due is not None, "nothing is due"
        self.now = max(self.now, due)
        return self.give(TimerDue())

    def hear(self, priority: int, source: Address | None = None, after: float = 0.0, **fields: object) -> list[Effect]:
        """A right advert from a neighbour, as it would come if the configuration there is as here."""
        ours = self.router.settings
        source = source or (PEER_6 if ours.family == 6 else PEER)
        plain: dict[str, object] = {
            "version": ours.version,
            "vrid": ours.virtual_router_id,
            "priority": priority,
            "advert_int": round(ours.advert_int * const.CENTISECONDS),
            "addresses": tuple(each.address for each in ours.addresses),
            "auth_data": bytes(8) if ours.version == 2 else b"",
        }
        advert = Advert(**(plain | fields))  # type: ignore[arg-type]
        return self.packet(encode(advert, source, self._destination), source, after)

    def packet(self, payload: bytes, source: Address = PEER, after: float = 0.0, ttl: int = 255) -> list[Effect]:
        """Any bytes from a neighbour."""
        return self.give(AdvertReceived(INTERFACE, source, self._destination, ttl, payload), after)

    @property
    def _destination(self) -> Address:
        """Where a neighbour sends to."""
        ours = self.router.settings
        own = OURS_6 if ours.family == 6 else OURS
        return own if ours.unicast_peers else ours.multicast_group

    def check(self, ok: bool, name: str = "mysql", conclusive: bool = False, after: float = 0.0) -> list[Effect]:
        detail = "connected" if ok else "refused the connection"
        return self.give(CheckResult(name, ok, detail, 0.001, conclusive), after)

    def obey(self, effects: list[Effect]) -> list[Effect]:
        """The kernel carries out every Reconcile among the effects; what the node answers, all together."""
        answers: list[Effect] = []
        for each in only(Reconcile, effects):
            answers += self.give(EffectDone(each.instance, each.operations))
        return answers + (self.obey(answers) if only(Reconcile, answers) else [])

    def refuse(self, effects: list[Effect], reason: str = "Permission denied") -> list[Effect]:
        """The kernel refuses every operation of every Reconcile among the effects."""
        answers: list[Effect] = []
        for each in only(Reconcile, effects):
            for operation in each.operations:
                answers += self.give(EffectFailed(each.instance, operation, reason))
        return answers

    def become_master(self) -> list[Effect]:
        """From switched on to MASTER with its addresses in the kernel; the effects of that and of what followed."""
        if self.state is State.INIT:
            self.look()
        effects = self.timer() if self.state is State.BACKUP else []
        assert self.state is State.MASTER, self.state
        return effects + self.obey(effects)


def backup(*instances: InstanceSettings, checks: tuple[CheckSettings, ...] = (), **changes: object) -> Lone:
    """A node in BACKUP."""
    lone = Lone(*instances, checks=checks, **changes)  # type: ignore[arg-type]  # fields of an instance
    lone.obey(lone.look())
    assert lone.state is State.BACKUP
    return lone


def master(*instances: InstanceSettings, checks: tuple[CheckSettings, ...] = (), **changes: object) -> Lone:
    """A node in MASTER that holds its addresses."""
    lone = Lone(*instances, checks=checks, **changes)  # type: ignore[arg-type]  # fields of an instance
    lone.become_master()
    return lone


def only(kind: type[E], effects: list[Effect]) -> list[E]:
    """The effects of one kind."""
    return [each for each in effects if isinstance(each, kind)]


def kinds(effects: list[Effect]) -> list[str]:
    """The names of the effects in order, without what is only said."""
    return [type(each).__name__ for each in effects if not isinstance(each, Record | Notify)]


def texts(effects: list[Effect]) -> list[str]:
    """The log lines that are written without -D."""
    return [each.text for each in only(Record, effects) if each.level < Level.DEBUG]


def details(effects: list[Effect]) -> list[str]:
    """The log lines that are written with -D only."""
    return [each.text for each in only(Record, effects) if each.level is Level.DEBUG]


def told(effects: list[Effect]) -> list[str]:
    """What FIFOs get."""
    return [each.line for each in only(Notify, effects)]


def sent(effects: list[Effect]) -> list[Advert]:
    """The adverts, read back."""
    return [
        decode(each.payload, ip_address(each.source), ip_address(each.destination), const.TTL)
        for each in only(SendAdvert, effects)
    ]


def operations(effects: list[Effect]) -> list[Operation]:
    """What the kernel is asked for."""
    return [operation for each in only(Reconcile, effects) for operation in each.operations]


def announced(effects: list[Effect]) -> int:
    """How many frames are announced."""
    return sum(len(each.frames) for each in only(Announce, effects))


def vip(last: int) -> Address:
    """192.168.1.LAST"""
    return IPv4Address(f"192.168.1.{last}")
