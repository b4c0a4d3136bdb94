"""The same whims for nodes with two virtual routers in a sync group, of which the second alone tracks the check."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from pyvrrp.core import const
from pyvrrp.core.settings import NodeSettings, SyncGroupSettings, Track, automatic_lease
from tests.property.profiles import HUNTING
from tests.property.test_cluster import LATENCY, NAMES, Cluster, priorities, which
from tests.simulation import CHECK, SECOND, Lan, Weather, group_of, instance, settings
from tests.simulation.invariants import Witness

GROUP = SyncGroupSettings("G", ("VI_1", "VI_2"))


class Groups(Cluster):
    """A node whose members have different priorities may leave a group without a master for another round."""

    @initialize(
        seed=st.integers(min_value=0, max_value=2**32),
        chosen=st.lists(st.tuples(priorities, priorities, st.booleans()), min_size=2, max_size=3),
        equal=st.booleans(),
        protocol=st.sampled_from(((2, 1.0), (2, 1.0), (3, 0.1))),
        settled=st.booleans(),
    )
    def begin(
        self,
        seed: int,
        chosen: list[tuple[int, int, bool]],
        equal: bool,
        protocol: tuple[int, float],
        settled: bool,
    ) -> None:
        """Switch the nodes on, all at once, and let them elect a master or not."""
        version, advert_int = protocol
        self.lan = Lan(seed, Weather(delay=(0.0001, LATENCY), duplicate=0.1, overtaking=True))
        self.equal = equal
        self.witness = Witness(self.lan, serving=equal)
        self.lan.watch = self.witness.look
        self.files: dict[str, NodeSettings] = {}
        lease = automatic_lease(advert_int)
        plain = instance(version=version, advert_int=advert_int, vip_lease=lease, duplicate_wait=None)
        for number, (name, (priority, second, preempt)) in enumerate(zip(NAMES, chosen, strict=False)):
            first = replace(plain, priority=priority, preempt=preempt, tracks=(Track(CHECK.name),))
            members = group_of(first, priority if equal else second)
            self.files[name] = settings(*members, checks=(CHECK,), groups=(GROUP,))
            self.lan.add(name, f"192.168.1.{201 + number}", self.files[name])
        self.witness.disturbed(CHECK.interval)
        if settled:
            self.lan.run(5.0)

    @rule()
    def they_settle(self) -> None:
        self.lan.run(5.0)

    @rule(number=which, priority=priorities, preempt=st.booleans())
    def reload(self, number: int, priority: int, preempt: bool) -> None:
        name = self.one(number, alive=True)
        if name is None or self.lan.machines[name].node.stopping:
            return
        members = tuple(replace(each, preempt=preempt, priority=priority) for each in self.files[name].instances)
        self.files[name] = replace(self.files[name], instances=members)
        self.witness.disturbed()
        self.lan.reload(name, self.files[name])

    def teardown(self) -> None:
        """When everything is mended, exactly one node has both addresses."""
        if not hasattr(self, "lan"):
            return
        self.mend()
        self.lan.run(const.REFUSED_HOLD + (8.0 if self.equal else 40.0))
        machines = self.lan.machines.values()
        first = [each.name for each in machines if each.holds]
        second = [each.name for each in machines if SECOND in each.kernel]
        assert len(first) == 1, f"{first} hold the first after everything was mended"
        assert first == second, f"{second} hold the second, {first} the first"


TestGroups: Any = Groups.TestCase
TestGroups.settings = profile(
    profile.get_profile("hunt" if HUNTING else "gate"),
    max_examples=2000 if HUNTING else 120,
    stateful_step_count=60 if HUNTING else 25,
)
