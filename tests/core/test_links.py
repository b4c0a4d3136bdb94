"""core/links: how long a link's new state must last before it counts."""

from __future__ import annotations

from dataclasses import replace

from pyvrrp.core.effects import Effect
from pyvrrp.core.events import ConfigReplaced, LinkChanged, TimerDue
from pyvrrp.core.fsm import State
from pyvrrp.core.links import LinkDelays
from pyvrrp.core.node import Node
from pyvrrp.core.settings import InterfaceDelay
from tests.lone import MAC, START, Lone, kinds, texts
from tests.simulation import INTERFACE, instance, settings

UP = LinkChanged("eth0", True, True, MAC)
DOWN = replace(UP, up=False)
GONE = LinkChanged("eth0", False, False, b"")
SLOW = InterfaceDelay("eth0", down=2.0, up=5.0)


def seen_up(*delays: InterfaceDelay) -> LinkDelays:
    links = LinkDelays(delays)
    assert links.take(UP, 0.0) is UP
    return links


def test_without_a_delay_every_state_counts_at_once() -> None:
    links = seen_up(InterfaceDelay("eth1", 2.0, 2.0))
    assert links.take(DOWN, 1.0) is DOWN
    assert links.take(UP, 1.1) is UP
    assert links.next() is None


def test_the_first_sight_counts_at_once() -> None:
    assert LinkDelays([SLOW]).take(DOWN, 0.0) is DOWN


def test_a_state_counts_when_it_has_lasted() -> None:
    links = seen_up(SLOW)
    assert links.take(DOWN, 1.0) == UP
    assert links.next() == 3.0
    assert links.due(2.9) == []
    assert links.due(3.0) == [DOWN]
    assert links.next() is None
    assert links.take(UP, 4.0) == DOWN
    assert links.next() == 9.0
    assert links.due(9.0) == [UP]


def test_a_flap_within_the_delay_changes_nothing() -> None:
    links = seen_up(SLOW)
    links.take(DOWN, 1.0)
    assert links.take(UP, 2.9) is UP
    assert links.next() is None
    links.take(DOWN, 3.0)
    assert links.next() == 5.0, "the second loss waits as long as the first"


def test_the_same_news_twice_does_not_begin_the_wait_anew() -> None:
    links = seen_up(SLOW)
    links.take(DOWN, 1.0)
    assert links.take(replace(DOWN, mac=b"\x02" * 6), 2.0) == replace(UP, mac=b"\x02" * 6)
    assert links.due(3.0) == [replace(DOWN, mac=b"\x02" * 6)]


def test_an_interface_that_goes_or_comes_as_a_whole_is_not_waited_for() -> None:
    links = seen_up(SLOW)
    links.take(DOWN, 1.0)
    assert links.take(GONE, 1.5) is GONE
    assert links.next() is None
    assert links.take(UP, 1.6) is UP


def test_every_interface_waits_by_itself() -> None:
    other = replace(UP, interface="eth1")
    links = seen_up(SLOW, InterfaceDelay("eth1", down=3.0, up=3.0))
    links.take(other, 0.0)
    links.take(DOWN, 1.0)
    assert links.due(3.0) == [DOWN]
    assert links.take(replace(other, up=False), 4.0) == other
    assert links.next() == 7.0


def test_a_reload_brings_other_delays() -> None:
    links = seen_up(SLOW)
    links.take(DOWN, 1.0)
    links.want([])
    assert links.due(3.0) == [DOWN], "what waits goes on waiting"
    assert links.take(UP, 4.0) is UP


def delayed() -> Lone:
    """A MASTER whose link may be down for two seconds."""
    lone = Lone()
    lone.node = Node(replace(settings(instance()), interface_delays=(SLOW,)), START)
    lone.become_master()
    return lone


def test_a_master_outlives_a_short_loss_of_its_link() -> None:
    lone = delayed()
    assert lone.link(up=False) == []
    assert lone.state is State.MASTER
    lone.now += 1.0
    lone.give(TimerDue())
    assert lone.link(up=True) == []
    assert lone.state is State.MASTER


def test_a_master_whose_link_stays_down_is_in_fault_after_the_delay() -> None:
    lone = delayed()
    lone.link(up=False)
    lost = lone.now
    effects: list[Effect] = []
    while lone.state is State.MASTER:
        effects = lone.timer()
    assert lone.state is State.FAULT
    assert lone.now - lost == 2.0
    assert "Netlink reports eth0 down" in texts(effects)
    assert kinds(effects)[0] == "SendAdvert", "what was due as well"


def test_a_reload_of_a_node_brings_other_delays() -> None:
    lone = delayed()
    lone.give(ConfigReplaced(settings(instance())))
    lone.link(up=False)
    assert lone.state is State.FAULT
    assert lone.status.interface == INTERFACE
