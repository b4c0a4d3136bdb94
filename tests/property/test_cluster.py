"""Two to four nodes on a network that loses, delays, reorders and duplicates, under everything that befalls servers."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pyvrrp.core import const
from pyvrrp.core.effects import Action
from pyvrrp.core.settings import InstanceSettings, NodeSettings, Track, automatic_lease
from tests.property.profiles import HUNTING
from tests.simulation import CHECK, DATABASE, INTERFACE, VIP, Lan, Weather, settings
from tests.simulation.invariants import Witness

LATENCY = 0.05
NAMES = "abcd"
which = st.integers(min_value=0, max_value=3)
priorities = st.sampled_from((1, 90, 100, 101, 240, 250, 254, 255))
moments = st.one_of(
    st.sampled_from((0.001, 0.5, 1.0, 2.0, 3.0)), st.floats(min_value=0.001, max_value=6.0, allow_nan=False)
)
pauses = st.sampled_from((0.0, 0.02, 0.4, 3.0))  # seconds that a database takes
# What all nodes have in common beside version, interval and lease.
MANNERS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"down_timer_adverts": 2},
    {"preempt_delay": 2.0},
    {"lower_prio_no_advert": True, "higher_prio_send_advert": True},
    {"garp_master_refresh": 1.0, "garp_lower_prio_delay": 0.5},
)


class Cluster(RuleBasedStateMachine):
    """The world's whims. The promises are in witness.py."""

    bound = False  # whether databases stand behind the nodes

    @initialize(
        seed=st.integers(min_value=0, max_value=2**32),
        chosen=st.lists(st.tuples(priorities, st.booleans(), st.sampled_from((0, -20, 20))), min_size=2, max_size=4),
        protocol=st.sampled_from(((2, 1.0), (2, 1.0), (2, 2.0), (3, 1.0), (3, 0.1))),
        lease=st.sampled_from(("auto", "auto", 1, None)),
        manners=st.sampled_from(MANNERS),
        bound=st.sampled_from((False, False, True)),
    )
    def begin(
        self,
        seed: int,
        chosen: list[tuple[int, bool, int]],
        protocol: tuple[int, float],
        lease: str | int | None,
        manners: dict[str, Any],
        bound: bool,
    ) -> None:
        """Switch the nodes on, all at once."""
        version, advert_int = protocol
        self.bound = bound
        adverts = manners.get("down_timer_adverts", const.DOWN_TIMER_ADVERTS)
        seconds = automatic_lease(advert_int, adverts) if isinstance(lease, str) else lease
        if seconds is not None:
            seconds = max(seconds, ceil(advert_int))  # a shorter one ends between two adverts
        self.lan = Lan(seed, Weather(delay=(0.0001, LATENCY), duplicate=0.1, overtaking=True))
        self.witness = Witness(self.lan)
        self.lan.watch = self.witness.look
        self.files: dict[str, NodeSettings] = {}
        for number, (name, (priority, preempt, weight)) in enumerate(zip(NAMES, chosen, strict=False)):
            instance = InstanceSettings(
                "VI_1",
                INTERFACE,
                60,
                (VIP,),
                priority=min(priority, 254) if bound else priority,
                version=version,
                advert_int=advert_int,
                preempt=preempt and not bound,
                database=DATABASE if bound else None,
                tracks=(Track(CHECK.name, weight),),
                vip_lease=seconds,
                **manners,
            )
            self.files[name] = settings(instance, checks=(CHECK,))
            self.lan.add(name, f"192.168.1.{201 + number}", self.files[name])
        self.witness.disturbed(CHECK.interval)

    def one(self, number: int, **wanted: object) -> str | None:
        """The node of this number, counted around, among those whose attributes are as wanted."""
        fitting = [
            each.name
            for each in self.lan.machines.values()
            if all(getattr(each, key) == value for key, value in wanted.items())
        ]
        return fitting[number % len(fitting)] if fitting else None

    # --- time and weather ---------------------------------------------------------------------------------------------

    @rule(seconds=moments)
    def time_passes(self, seconds: float) -> None:
        self.lan.run(seconds)

    @rule(seconds=moments)
    def more_time_passes(self, seconds: float) -> None:
        self.lan.run(seconds)

    @rule(loss=st.sampled_from((0.0, 0.0, 0.2, 0.9)))
    def weather_changes(self, loss: float) -> None:
        self.lan.weather.loss = loss
        self.witness.disturbed()
        self.lan.watch()

    # --- processes ----------------------------------------------------------------------------------------------------

    @rule(number=which)
    def stall(self, number: int) -> None:
        if name := self.one(number, alive=True):
            self.witness.disturbed()
            self.lan.pause(name)

    @rule(number=which)
    def run_again(self, number: int) -> None:
        if name := self.one(number, powered=True, running=True, paused=True):
            self.witness.disturbed(CHECK.interval)
            self.lan.resume(name)

    @rule(number=which)
    def kill(self, number: int) -> None:
        if name := self.one(number, powered=True, running=True):
            self.witness.disturbed()
            self.lan.kill(name)

    @rule(number=which)
    def stop(self, number: int) -> None:
        if name := self.one(number, alive=True):
            self.witness.disturbed(2.0)  # the handover may end without a successor
            self.lan.stop(name)

    @rule(number=which)
    def start(self, number: int) -> None:
        if name := self.one(number, powered=True, running=False):
            self.witness.disturbed(CHECK.interval)
            self.lan.start(name, self.files[name])

    @rule(number=which, priority=priorities, preempt=st.booleans())
    def reload(self, number: int, priority: int, preempt: bool) -> None:
        name = self.one(number, alive=True)
        if name is None or self.lan.machines[name].node.stopping:
            return
        before = self.files[name]
        if self.bound:
            priority, preempt = min(priority, 254), False
        instance = replace(before.instances[0], priority=priority, preempt=preempt)
        self.files[name] = replace(before, instances=(instance,))
        self.witness.disturbed()
        self.lan.reload(name, self.files[name])

    # --- machines and cables ------------------------------------------------------------------------------------------

    @rule(number=which)
    def power_off(self, number: int) -> None:
        if name := self.one(number, powered=True):
            self.witness.disturbed()
            self.lan.power_off(name)

    @rule(number=which)
    def power_on(self, number: int) -> None:
        if name := self.one(number, powered=False):
            self.witness.disturbed(CHECK.interval)
            self.lan.power_on(name, self.files[name])

    @rule(number=which)
    def cut(self, number: int) -> None:
        if name := self.one(number, powered=True, link=True):
            self.witness.disturbed()
            self.lan.cut(name)

    @rule(number=which)
    def plug(self, number: int) -> None:
        if name := self.one(number, powered=True, link=False):
            self.witness.disturbed()
            self.lan.plug(name)

    @rule(number=which, group=st.integers(min_value=0, max_value=1))
    def partition(self, number: int, group: int) -> None:
        if name := self.one(number, group=1 - group):
            self.witness.disturbed()
            self.lan.partition(name, group)

    # --- what a node depends on ---------------------------------------------------------------------------------------

    @rule(number=which, ok=st.booleans(), conclusive=st.booleans())
    def check(self, number: int, ok: bool, conclusive: bool) -> None:
        if name := self.one(number, powered=True, healthy=not ok):
            self.witness.disturbed((CHECK.fall + 1) * CHECK.interval)
            self.lan.check(name, ok, conclusive)

    @rule(number=which)
    def kernel_refuses(self, number: int) -> None:
        if name := self.one(number, refuse=frozenset()):
            self.witness.disturbed()
            self.lan.machines[name].refuse = frozenset({Action.ADD})

    @rule(number=which)
    def kernel_obeys(self, number: int) -> None:
        if name := self.one(number, refuse=frozenset({Action.ADD})):
            self.witness.disturbed(const.REFUSED_HOLD)
            self.lan.machines[name].refuse = frozenset()

    @rule(number=which)
    def firewall_drops(self, number: int) -> None:
        if name := self.one(number, muzzled=False):
            self.witness.disturbed()
            self.lan.machines[name].muzzled = True

    @rule(number=which)
    def firewall_passes(self, number: int) -> None:
        if name := self.one(number, muzzled=True):
            self.witness.disturbed(const.REFUSED_HOLD)
            self.lan.machines[name].muzzled = False

    @rule(number=which, lost=st.booleans())
    def adverts_do_not_get_through(self, number: int, lost: bool) -> None:
        """To nobody, though all else does."""
        if name := self.one(number, powered=True):
            self.witness.disturbed()
            for other in self.lan.machines:
                (self.lan.muffle if lost else self.lan.unmuffle)(name, other)

    @rule(number=which, deaf=st.booleans())
    def firewall_keeps_adverts_out(self, number: int, deaf: bool) -> None:
        """They are heard below it: nothing may come of that."""
        if name := self.one(number, unhearing=not deaf):
            self.lan.machines[name].unhearing = deaf

    # --- databases ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.bound)
    @rule(number=which, change=st.sampled_from(({"alive": False}, {"lags": True}, {"refuses": True}, {"clings": True})))
    def database_ails(self, number: int, change: dict[str, bool]) -> None:
        if name := self.one(number, powered=True):
            self.witness.disturbed(const.REFUSED_HOLD)
            self.lan.database(name, **change)

    @precondition(lambda self: self.bound)
    @rule(number=which)
    def database_recovers(self, number: int) -> None:
        if name := self.one(number, powered=True):
            self.witness.disturbed(const.REFUSED_HOLD)
            self.lan.mend_database(name)

    @precondition(lambda self: self.bound)
    @rule(number=which, opens=pauses, closes=pauses)
    def database_takes_its_time(self, number: int, opens: float, closes: float) -> None:
        if name := self.one(number, powered=True):
            self.witness.disturbed()
            self.lan.database(name, opens=opens, closes=closes)

    @precondition(lambda self: self.bound)
    @rule(number=which, order=st.sampled_from(("relinquish", "seize")))
    def operator(self, number: int, order: str) -> None:
        if name := self.one(number, alive=True):
            self.witness.disturbed(2.0)
            getattr(self.lan, order)(name)

    # --- what else comes ----------------------------------------------------------------------------------------------

    @rule(number=which)
    def vip_is_deleted(self, number: int) -> None:
        if name := self.one(number, powered=True, holds=True):
            self.witness.disturbed()
            self.lan.delete_vip(name)

    @rule(number=which, payload=st.binary(max_size=40))
    def garbage_arrives(self, number: int, payload: bytes) -> None:
        if name := self.one(number, powered=True):
            self.lan.packet(name, "192.168.1.66", payload)

    # --- the end ------------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """When everything is mended, exactly one node serves."""
        if not hasattr(self, "lan"):
            return
        self.mend()
        self.lan.run(const.REFUSED_HOLD + 2 * (3 * 2.0 + 1.0))
        serving = [each.name for each in self.lan.machines.values() if each.serving]
        assert len(serving) == 1, f"{serving} serve after everything was mended"
        writers = [each.name for each in self.lan.machines.values() if each.writes]
        assert writers == serving or not self.bound, f"{serving} serves, and {writers} write"

    def mend(self) -> None:
        """Undo every harm that was done."""
        self.witness.disturbed(const.REFUSED_HOLD + CHECK.interval)
        self.lan.weather.loss = 0.0
        for name, machine in self.lan.machines.items():
            machine.refuse = frozenset()
            machine.muzzled = False
            machine.group = 0
            machine.unheard.clear()
            if not machine.powered:
                self.lan.power_on(name, self.files[name])
            if machine.paused and machine.running:
                self.lan.resume(name)
            if not machine.running or machine.node.stopping:
                self.lan.kill(name)
                self.lan.start(name, self.files[name])
            if not machine.link:
                self.lan.plug(name)
            self.lan.check(name, ok=True)
            self.lan.mend_database(name)


TestCluster: Any = Cluster.TestCase
TestCluster.settings = profile(
    profile.get_profile("hunt" if HUNTING else "gate"),
    max_examples=3000 if HUNTING else 500,
    stateful_step_count=60 if HUNTING else 40,
)
