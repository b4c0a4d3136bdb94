"""core/pacing: gratuitous ARPs that leave one by one, at a pace of an interface or of several together."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core.effects import Announce, Effect
from pyvrrp.core.events import AddressesChanged, AdvertFailed, ConfigReplaced, LinkChanged, Stopping
from pyvrrp.core.fsm import State
from pyvrrp.core.neighbor import gratuitous_arp
from pyvrrp.core.node import Node
from pyvrrp.core.pacing import Pacer
from pyvrrp.core.settings import GarpGroup, InstanceSettings, NodeSettings, VirtualAddress
from tests.lone import MAC, OURS, START, Lone, announced, kinds, only
from tests.simulation import VIP, instance, settings

OTHER = replace(VIP, address=IPv4Address("192.168.1.199"))
PLAIN = instance(addresses=(VIP, OTHER), garp_master_delay=0.0, garp_master_repeat=2, vip_lease=None, preempt=False)


def paced(*instances: InstanceSettings, **node: object) -> Lone:
    """A master whose node has these settings."""
    lone = Lone(*(instances or (PLAIN,)))
    lone.node = Node(with_pace(*(instances or (PLAIN,)), **node), lone.now)
    return lone


def with_pace(*instances: InstanceSettings, **node: object) -> NodeSettings:
    return replace(settings(*instances), **node)  # type: ignore[arg-type]


def told_of(effects: list[Effect]) -> list[str]:
    """The addresses announced, in order."""
    return [str(IPv4Address(frame[28:32])) for each in only(Announce, effects) for frame in each.frames]


def later(lone: Lone, seconds: float) -> list[tuple[float, str]]:
    """What is announced in the next seconds, and when, counted from now."""
    start, found = lone.now, []
    while (due := lone.node.next_deadline()) is not None and due <= start + seconds:
        found += [(round(lone.now - start, 3), each) for each in told_of(lone.timer())]
    lone.now = start + seconds
    return found


def test_without_an_interval_a_burst_leaves_at_once() -> None:
    lone = paced()
    assert told_of(lone.become_master()) == ["192.168.1.200", "192.168.1.199"] * 2


def test_one_by_one_and_every_address_before_any_is_repeated() -> None:
    lone = paced(garp_interval=0.05)
    assert told_of(lone.become_master()) == ["192.168.1.200"]
    assert later(lone, 5.0) == [(0.05, "192.168.1.199"), (0.1, "192.168.1.200"), (0.15, "192.168.1.199")]


def test_bursts_that_overlap_do_not_make_the_line_longer() -> None:
    lone = paced(replace(PLAIN, garp_lower_prio_delay=0.0, garp_lower_prio_repeat=2), garp_interval=0.9)
    lone.become_master()
    seen: list[str] = []
    for _ in range(20):
        seen += told_of(lone.hear(50, after=0.5))
        seen += [each for _, each in later(lone, 0.0)]
    assert seen.count("192.168.1.200") == seen.count("192.168.1.199") == 5, "10 s at 0.9 s, both in turn"


def test_what_waits_is_not_sent_after_the_tenure() -> None:
    lone = paced(garp_interval=1.0)
    lone.become_master()
    lone.hear(200, after=0.1)
    assert lone.state is State.BACKUP
    assert later(lone, 3.0) == []


def test_what_waits_is_not_sent_while_adverts_cannot_leave() -> None:
    lone = paced(garp_interval=0.1)
    lone.become_master()
    lone.give(AdvertFailed("VI_1", "no"))
    assert later(lone, 0.9) == []


def test_what_waits_is_not_sent_by_a_daemon_that_is_being_stopped() -> None:
    lone = paced(garp_interval=0.1)
    lone.become_master()
    lone.give(Stopping("now"))
    assert later(lone, 0.9) == []


def test_lost_time_is_not_made_up_for() -> None:
    lone = paced(garp_interval=0.05)
    lone.become_master()
    lone.now += 0.5
    assert announced(lone.timer()) == 1
    assert later(lone, 0.04) == []


INSIDE = VirtualAddress("eth1", IPv4Address("10.0.0.1"), 24)
BOTH = replace(PLAIN, addresses=(VIP, INSIDE), garp_master_repeat=1)


def with_eth1(lone: Lone) -> Lone:
    lone.give(LinkChanged("eth1", present=True, up=True, mac=MAC))
    lone.give(AddressesChanged("eth1", ((IPv4Address("10.0.0.2"), 24),)))
    return lone


def test_every_interface_has_its_own_pace() -> None:
    lone = with_eth1(paced(BOTH, garp_interval=0.1))
    assert told_of(lone.become_master()) == ["192.168.1.200", "10.0.0.1"]


def test_interfaces_of_a_group_share_one() -> None:
    lone = with_eth1(paced(BOTH, garp_groups=(GarpGroup(("eth0", "eth1"), garp_interval=0.25),)))
    assert told_of(lone.become_master()) == ["192.168.1.200"]
    assert later(lone, 5.0) == [(0.25, "10.0.0.1")]


def test_a_group_goes_before_the_interval_of_all_others() -> None:
    lone = with_eth1(paced(BOTH, garp_interval=0.3, garp_groups=(GarpGroup(("eth1",)),)))
    lone.node.handle(ConfigReplaced(lone.node.settings), lone.now)  # a reload that changes nothing does not, either
    lone.become_master()
    assert told_of(lone.hear(50, after=2.0)) == ["192.168.1.200", *["10.0.0.1"] * 5]
    assert later(lone, 0.5) == [(0.3, "192.168.1.200")]


# --- reloads ----------------------------------------------------------------------------------------------------------


def test_a_reload_changes_the_pace_of_what_waits() -> None:
    lone = paced(garp_interval=10.0)
    lone.become_master()
    lone.now += 0.5
    lone.give(ConfigReplaced(with_pace(PLAIN, garp_interval=1.0)))
    assert later(lone, 5.0) == [(0.5, "192.168.1.199"), (1.5, "192.168.1.200"), (2.5, "192.168.1.199")]


def test_a_reload_that_ends_the_pace_lets_go_of_all() -> None:
    lone = paced(garp_interval=10.0)
    lone.become_master()
    assert told_of(lone.give(ConfigReplaced(with_pace(PLAIN)))) == ["192.168.1.199", "192.168.1.200", "192.168.1.199"]


def test_an_address_that_a_reload_takes_away_is_not_announced_any_more() -> None:
    lone = paced(garp_interval=1.0)
    lone.become_master()
    changed = replace(PLAIN, addresses=(VIP,))
    lone.obey(lone.give(ConfigReplaced(with_pace(changed, garp_interval=1.0))))
    assert {address for _, address in later(lone, 10.0)} == {"192.168.1.200"}


def test_what_stays_is_announced_anew_and_once_more_after_its_delay() -> None:
    patient = replace(PLAIN, garp_master_delay=3.0, vip_lease=2)
    lone = paced(patient, garp_interval=1.0)
    lone.become_master()
    changed = replace(patient, addresses=(VIP,), priority=90)
    effects = lone.give(ConfigReplaced(with_pace(changed, garp_interval=1.0)))
    assert kinds(effects) == ["SendAdvert", "RenewLease", "SendAdvert", "ResetConnections", "Reconcile"]
    assert later(lone, 6.0) == [(moment, "192.168.1.200") for moment in (1.0, 2.0, 3.0, 4.0)]


def test_an_instance_that_gets_another_name_goes_on_announcing_and_stops_in_time() -> None:
    lone = paced(garp_interval=1.0)
    lone.become_master()
    lone.give(ConfigReplaced(with_pace(replace(PLAIN, name="VI_A"), garp_interval=1.0)))
    assert len(later(lone, 1.5)) == 1
    lone.hear(200, after=0.1)
    assert later(lone, 5.0) == []


# --- by itself --------------------------------------------------------------------------------------------------------


def test_neighbour_advertisements_have_a_pace_of_their_own() -> None:
    arp = gratuitous_arp(MAC, OURS)
    advertisement = arp[:12] + b"\x86\xdd" + arp[14:]
    pacer = Pacer(with_pace(PLAIN, gna_interval=1.0))
    burst = Announce("eth0", (arp, advertisement) * 2, "VI_1")
    assert pacer.pace([burst], START) == [
        Announce("eth0", (arp, arp), "VI_1"),
        Announce("eth0", (advertisement,)),
    ]
    assert pacer.next_deadline() == START + 1.0
    assert pacer.pace([], START + 1.0) == [Announce("eth0", (advertisement,))]
    assert pacer.next_deadline() is None


def test_a_burst_of_one_does_not_cut_short_the_longer_one_that_waits() -> None:
    arp = gratuitous_arp(MAC, OURS)
    pacer = Pacer(with_pace(PLAIN, garp_interval=1.0))
    assert pacer.pace([Announce("eth0", (arp,) * 3, "VI_1")], START) == [Announce("eth0", (arp,))]
    assert pacer.pace([Announce("eth0", (arp,), "VI_1")], START + 0.5) == []
    for number in (1.0, 2.0):
        assert pacer.next_deadline() == START + number
        assert pacer.pace([], START + number) == [Announce("eth0", (arp,))]
    assert pacer.next_deadline() is None


def test_frames_of_no_instance_are_not_held_back() -> None:
    pacer = Pacer(with_pace(PLAIN, garp_interval=1.0))
    effect = Announce("eth0", (gratuitous_arp(MAC, OURS),) * 3)
    assert pacer.pace([effect], START) == [effect]


# --- vrrp_delay_after_boot --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("startup", "boot", "begins"),
    [(0.0, START + 3.0, 3.0), (5.0, START + 3.0, 5.0), (2.0, START - 1.0, 2.0), (0.0, START - 1.0, 0.0)],
)
def test_a_backup_begins_to_wait_so_long_after_the_boot_of_its_host(startup: float, boot: float, begins: float) -> None:
    lone = paced(startup_delay=startup, delay_after_boot=boot)
    lone.look()
    assert lone.deadline == pytest.approx(begins + lone.router.master_down_interval)
