"""core/announce: when gratuitous ARP goes out, how often, and what the log says of it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core.announce import Announcer
from pyvrrp.core.effects import Announce, RenewLease
from pyvrrp.core.events import AdvertFailed, ConfigReplaced
from pyvrrp.core.guard import Standing
from tests.lone import MAC, OURS, Lone, announced, backup, details, master, only, sent
from tests.simulation import VIP, instance, settings

EXCLUDED = replace(VIP, address=IPv4Address("192.168.1.199"))


STANDING = Standing((), (), (), 100, (), OURS, {"eth0": MAC})


def bursts(lone: Lone, seconds: float) -> list[tuple[float, int]]:
    """How many frames went out in the next seconds, and when, counted from now."""
    start, found = lone.now, []
    while (due := lone.node.next_deadline()) is not None and due <= start + seconds:
        if count := announced(lone.timer()):
            found.append((lone.now - start, count))
    lone.now = start + seconds
    return found


def test_refreshes_go_on_as_long_as_the_tenure() -> None:
    lone = master(garp_master_delay=2.0, garp_master_repeat=2, garp_master_refresh=3.0, garp_master_refresh_repeat=4)
    assert bursts(lone, 10.0) == [(2.0, 2), (3.0, 4), (6.0, 4), (9.0, 4)]
    lone.hear(200)
    assert lone.router.garp_due is None


def test_a_refresh_and_the_later_burst_may_fall_together() -> None:
    lone = master(garp_master_delay=3.0, garp_master_repeat=2, garp_master_refresh=3.0, garp_master_refresh_repeat=4)
    assert bursts(lone, 4.0) == [(3.0, 6)]


@pytest.mark.parametrize(("delay", "refresh"), [(3.0, 0.0), (0.0, 3.0)])
def test_a_rival_just_after_a_burst_is_not_answered_by_another(delay: float, refresh: float) -> None:
    lone = master(garp_master_delay=delay, garp_master_refresh=refresh)
    assert [at for at, _ in bursts(lone, 3.5)] == [3.0]
    assert announced(lone.hear(50)) == 0
    assert announced(lone.hear(50, after=0.5)) == 5


def test_before_its_first_burst_nothing_is_due_and_a_rival_is_answered_at_once() -> None:
    announcer = Announcer()
    assert announcer.due is None
    assert announcer.timer(instance(), STANDING, 5.0) == []
    assert announced(announcer.contested(instance(), STANDING, 5.0)) == 5


def test_a_reload_begins_and_ends_the_refreshes() -> None:
    lone = master(garp_master_delay=0.0)
    lone.give(ConfigReplaced(settings(instance(garp_master_delay=0.0, garp_master_refresh=2.0))))
    assert bursts(lone, 5.0) == [(2.0, 1), (4.0, 1)]
    lone.give(ConfigReplaced(settings(instance(garp_master_delay=0.0))))
    assert bursts(lone, 5.0) == []


def test_a_rival_has_counts_of_its_own() -> None:
    lone = master(garp_master_delay=0.0, garp_lower_prio_delay=1.5, garp_lower_prio_repeat=3)
    assert announced(lone.hear(50, after=2.0)) == 3
    assert bursts(lone, 10.0) == [(1.5, 3)]


def test_the_later_burst_follows_the_last_advert_of_a_rival() -> None:
    lone = master(garp_master_delay=0.0, garp_lower_prio_delay=1.5, garp_lower_prio_repeat=3)
    assert [announced(lone.hear(50, after=0.5)) for _ in range(6)] == [0, 3, 0, 3, 0, 3]
    assert bursts(lone, 10.0) == [(1.5, 3)]


def test_a_rival_without_a_delay_or_a_count() -> None:
    lone = master(garp_master_delay=0.0, garp_lower_prio_delay=0.0)
    assert announced(lone.hear(50, after=2.0)) == 5
    assert lone.router.garp_due is None
    silent = master(garp_lower_prio_repeat=0)
    assert only(Announce, silent.hear(50, after=2.0)) == []


def test_a_rival_is_not_answered_for_addresses_that_the_kernel_does_not_hold_yet() -> None:
    lone = backup()
    lone.timer()
    assert announced(lone.hear(50)) == 0


def test_excluded_addresses_are_held_renewed_and_announced_but_not_advertised() -> None:
    lone = Lone(excluded=(EXCLUDED,), garp_master_repeat=2)
    effects = lone.become_master()
    assert set(lone.node.held()) == {VIP, EXCLUDED}
    assert sent(effects)[0].addresses == (VIP.address,)
    assert announced(effects) == 4
    (renewal,) = only(RenewLease, lone.timer())
    assert renewal.addresses == (VIP, EXCLUDED)


def test_nothing_is_announced_while_adverts_cannot_leave() -> None:
    lone = master(garp_master_delay=0.25, garp_master_refresh=0.25)
    lone.give(AdvertFailed("VI_1", "no"))
    assert bursts(lone, 0.9) == []


def test_what_keepalived_says_with_d() -> None:
    lone = Lone(excluded=(EXCLUDED,))
    assert details(lone.look())[-2:] == ["removing VIPs.", "removing E-VIPs."]
    effects = lone.timer()
    assert details(effects) == ["Receive advertisement timeout", "setting VIPs.", "setting E-VIPs."]
    assert details(lone.obey(effects)) == [
        "Sending/queueing gratuitous ARPs on eth0 for 192.168.1.200",
        "Sending gratuitous ARP on eth0 for 192.168.1.200",
        "Sending/queueing gratuitous ARPs on eth0 for 192.168.1.199",
        "Sending gratuitous ARP on eth0 for 192.168.1.199",
    ]
    assert details(lone.hear(0)) == ["Master received priority 0 message"]
    assert details(lone.hear(200)) == ["removing VIPs.", "removing E-VIPs."]
    assert details(lone.hear(0)) == ["Backup received priority 0 advertisement"]
    assert details(backup().link(up=False)) == []
