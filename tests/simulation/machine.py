"""One node on the imaginary link: its core, its clock, its kernel's addresses, and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from pyvrrp.core.effects import Action, Effect, SendAdvert
from pyvrrp.core.events import Event
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.node import Node
from pyvrrp.core.settings import Address, VirtualAddress
from pyvrrp.core.snapshot import InstanceStatus
from tests.simulation.samples import VIP
from tests.simulation.server import Server


@dataclass(slots=True)
class Machine:
    """One node: its core, its kernel's addresses with the end of their lease, and what happened.

    `running` is False when there is no daemon, `paused` when there is one that stands still (SIGSTOP). `group` is the
    part of the network that it can reach; clients live in group 0. `rate` is how fast its clock runs: one of 1.01 is
    ahead of the world's.
    """

    name: str
    address: IPv4Address
    node: Node
    mac: bytes
    powered: bool = True
    running: bool = True
    paused: bool = False
    link: bool = True
    inner_link: bool = True  # the second interface's
    mute: bool = False  # whether its checks take their time and report nothing
    group: int = 0
    healthy: bool = True  # what its checks find
    refuse: frozenset[Action] = frozenset()  # what its kernel refuses
    muzzled: bool = False  # whether its own firewall drops what it sends
    unhearing: bool = False  # whether its own firewall drops the adverts that it should hear
    dull: bool = False  # whether it loses the copies of them from below its firewall
    unsent: set[str] = field(default_factory=set)  # instances whose last advert did not leave
    kernel: dict[VirtualAddress, float | None] = field(default_factory=dict)
    waiting: list[Event] = field(default_factory=list)
    lapsed: list[tuple[float, VirtualAddress]] = field(default_factory=list)  # leases that ended, for a witness to take
    log: list[tuple[float, str]] = field(default_factory=list)
    effects: list[tuple[float, Effect]] = field(default_factory=list)
    armed: float = float("inf")
    rate: float = 1.0
    born: float = 0.0  # when its clock began, by the world's and its own
    opens: float = float("-inf")  # when its daemon's startup_delay is over
    deaf: set[str] = field(default_factory=set)  # whose packets do not get here
    unheard: set[str] = field(default_factory=set)  # whose adverts do not, though everything else does
    server: Server = field(default_factory=Server)  # VI_1's, where it has one
    refusing: dict[str, tuple[Address, ...]] = field(default_factory=dict)  # connections to these, for an instance
    _clock: float = float("-inf")  # what its daemon was told last

    @property
    def status(self) -> InstanceStatus:
        """The only instance's status, without its sentences' clock mattering."""
        return self.node.snapshot(0.0).instances[0]

    @property
    def router(self) -> VirtualRouter:
        """The only instance's state machine, for looking into."""
        return self.node._routers[self.node.settings.instances[0].name]

    @property
    def state(self) -> State:
        """The only instance's state."""
        return self.router.state

    @property
    def second(self) -> VirtualRouter:
        """VI_2's state machine."""
        return self.node._routers["VI_2"]

    @property
    def alive(self) -> bool:
        """Whether its daemon gets the processor."""
        return self.powered and self.running and not self.paused

    @property
    def holds(self) -> bool:
        """Whether its kernel has the VIP."""
        return self.powered and VIP in self.kernel

    @property
    def serving(self) -> bool:
        """Whether it holds the VIP where clients can reach it, and lets them in."""
        refusing = VIP.address in self.refusing.get("VI_1", ())
        return self.holds and self.link and self.group == 0 and not refusing

    @property
    def sulks(self) -> bool:
        """Whether its daemon has not forgotten yet that something was refused."""
        return any(self.node._addresses.ledger.refusal(name) for name in self.node._routers)

    @property
    def fit(self) -> bool:
        """Whether nothing keeps it from serving."""
        well = self.healthy and not self.mute and self.inner_link and (not self.bound or self.server.fit)
        return self.alive and self.link and well and not self.hindered

    @property
    def bound(self) -> bool:
        """Whether a database stands behind VI_1."""
        return self.node.settings.instances[0].database is not None

    @property
    def thwarted(self) -> bool:
        """Whether its database would not be opened though nothing speaks against it: it tries, and hands over."""
        return self.bound and self.server.refuses

    @property
    def writes(self) -> bool:
        """Whether its database takes writes."""
        return self.powered and self.server.open

    def local(self, now: float) -> float:
        """Its own clock at this time of the world."""
        return now if self.rate == 1.0 else self.born + (now - self.born) * self.rate

    def world(self, local: float) -> float:
        """The world's time when its own clock says `local`."""
        return local if self.rate == 1.0 else self.born + (local - self.born) / self.rate

    def tick(self, now: float, at_least: float = float("-inf")) -> float:
        """Its own clock, for its daemon: never falling, and `at_least` a deadline whose timer has fired."""
        self._clock = max(self._clock, self.local(now), at_least)
        return self._clock

    def reaches(self, other: Machine) -> bool:
        """Whether packets go from it to the other."""
        powered = self.powered and other.powered and self.link and other.link
        return powered and self.group == other.group and self.name not in other.deaf

    def hears(self, other: Machine) -> bool:
        """Whether packets go from one to the other, both ways."""
        return self.reaches(other) and other.reaches(self)

    def speaks_to(self, other: Machine) -> bool:
        """Whether its adverts are heard by the other."""
        kept = other.unhearing and other.dull
        return self.reaches(other) and self.name not in other.unheard and not kept

    @property
    def hindered(self) -> bool:
        """Whether its kernel refuses what it asks for."""
        return self.muzzled or bool(self.refuse)

    def sent(self) -> list[tuple[float, SendAdvert]]:
        """Adverts in the order they were sent."""
        return [(at, effect) for at, effect in self.effects if isinstance(effect, SendAdvert)]

    def said(self, text: str) -> list[float]:
        """When its log had a line with this text."""
        return [at for at, line in self.log if text in line]
