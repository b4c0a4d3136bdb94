"""The contracts that set pyvrrpd apart: the lease, reconciliation by level, and handing over (ARCHITECTURE.md)."""

from __future__ import annotations

import errno
import signal
import socket
import time

import pytest

from tests.lab.agents import BACKUP, MASTER, Pyvrrpd
from tests.lab.routers import VIP, Router, version2
from tests.lab.site import Host, Site
from tests.lab.watch import Capture
from tests.waiting import readable, until

pytestmark = pytest.mark.lab

LEASE = 2.0  # seconds: `vip_lease: auto` at advert_int 1
KERNEL_SLACK = 0.5  # seconds that the kernel may take to drop an address whose lease is over
ONE_ADVERT = 1.0
GENEROUS = 2.0  # seconds on top of every bound, for a machine that does other things too
PORT = 4321


def pair(site: Site) -> tuple[Pyvrrpd, Pyvrrpd]:
    """The tutorial's two nodes, without preemption: a is MASTER, b is BACKUP."""
    master = site.pyvrrpd(site.a, version2(250, nopreempt=True))
    assert master.becomes(MASTER)
    assert site.a.takes()
    backup = site.pyvrrpd(site.b, version2(240, nopreempt=True))
    assert backup.becomes(BACKUP)
    return master, backup


# --- the lease -------------------------------------------------------------------------------------------------------


def test_a_killed_master_loses_its_address_before_anybody_else_has_it(site: Site) -> None:
    watch = site.watch()
    master, backup = pair(site)
    master.kill()
    killed_at = time.time()
    assert until(lambda: not watch.holds("a", VIP), LEASE + GENEROUS)
    assert watch.times("a", VIP, present=False)[0] - killed_at < LEASE + KERNEL_SLACK + GENEROUS
    assert backup.becomes(MASTER)
    assert site.b.takes()
    assert watch.overlap(VIP) < KERNEL_SLACK


def test_a_stopped_master_loses_its_address_and_does_not_take_it_back(site: Site) -> None:
    watch = site.watch()
    master, backup = pair(site)
    master.send(signal.SIGSTOP)
    assert until(lambda: not watch.holds("a", VIP), LEASE + GENEROUS)
    assert backup.becomes(MASTER)
    assert site.b.takes()
    master.send(signal.SIGCONT)
    assert master.becomes(BACKUP)
    assert master.history()[-1] == (MASTER, BACKUP)
    assert "this process stood still for" in master.instance()["last"]["reason"]
    assert until(lambda: master.instance()["master"])  # it has heard the new master, and leaves it alone
    assert backup.state() == MASTER
    assert watch.overlap(VIP) < KERNEL_SLACK
    assert len(watch.times("a", VIP, present=True)) == 1


def test_a_master_whose_adverts_cannot_leave_loses_its_address_for_good(site: Site) -> None:
    watch = site.watch()
    master, backup = pair(site)
    site.a.namespace.run("nft", "add table ip mute")
    site.a.namespace.run("nft", "add chain ip mute out { type filter hook output priority 0 ; }")
    site.a.namespace.run("nft", "add rule ip mute out ip protocol 112 drop")
    assert master.says("adverts cannot leave eth0")
    assert backup.becomes(MASTER)
    assert site.b.takes()
    assert master.becomes("FAULT")
    assert "adverts cannot leave eth0" in master.why()
    assert watch.overlap(VIP) < KERNEL_SLACK
    assert len(watch.times("a", VIP, present=True)) == 1  # what the lease took was not put back
    site.a.namespace.run("nft", "delete table ip mute")
    assert master.becomes(BACKUP)
    assert backup.state() == MASTER


def test_a_backup_that_stood_still_listens_before_it_takes_over(site: Site) -> None:
    master = site.pyvrrpd(site.a, Router(240, nopreempt=True))
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.b, Router(250, nopreempt=True))
    assert backup.becomes(BACKUP)
    sent = master.instance()["counters"]["adverts_sent"]
    backup.send(signal.SIGSTOP)
    assert until(lambda: master.instance()["counters"]["adverts_sent"] > sent + 10)  # three are a master-down interval
    backup.send(signal.SIGCONT)
    assert until(lambda: backup.instance()["counters"]["adverts_received"] > 10)
    assert backup.history() == [("INIT", BACKUP)]
    assert master.state() == MASTER


def test_a_lease_of_fast_adverts_is_as_short_as_the_kernel_knows(site: Site) -> None:
    watch = site.watch()
    master = site.pyvrrpd(site.a, Router(250))
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.b, Router(240))
    assert master.instance()["vip_lease"] == 1
    assert backup.becomes(BACKUP)
    master.kill()
    assert backup.becomes(MASTER)
    assert until(lambda: not watch.holds("a", VIP), 1 + GENEROUS)
    assert watch.overlap(VIP) < 1 + KERNEL_SLACK + GENEROUS


def test_without_a_lease_the_address_of_a_killed_daemon_stays_until_the_next_start_clears_it(site: Site) -> None:
    watch = site.watch()
    killed = site.pyvrrpd(site.a, Router(vip_lease="off"))
    assert killed.becomes(MASTER)
    assert site.a.takes()
    assert "forever" in site.a.namespace.ip(f"-o addr show to {VIP}")
    killed.kill()
    killed.ended()
    assert site.a.holds()
    # So slow that it would be master in half a minute only: what clears the address is the start.
    again = site.pyvrrpd(site.a, version2(advert_int=10, vip_lease="off"))
    assert again.becomes(BACKUP)
    assert until(lambda: not watch.holds("a", VIP))
    assert again.state() == BACKUP


# --- reconciliation --------------------------------------------------------------------------------------------------


def announced(capture: Capture, count: int) -> bool:
    """Whether the address is announced so often in time."""
    return until(lambda: len(capture.announcements(VIP)) >= count)


def test_an_address_deleted_by_hand_is_back_without_a_transition(site: Site) -> None:
    watch, capture = site.watch(), site.capture()
    master = site.pyvrrpd(site.a, Router(250))
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.b, Router(240))
    assert backup.becomes(BACKUP)
    assert announced(capture, 5)
    histories = master.history(), backup.history()
    for _ in range(3):
        wanted = len(capture.announcements(VIP)) + 5
        site.a.namespace.ip(f"addr del {VIP}/32 dev eth0")
        assert announced(capture, wanted)
        assert site.a.holds()
    assert len(watch.times("a", VIP, present=False)) == 3
    assert (master.history(), backup.history()) == histories
    assert master.state() == MASTER
    assert not capture.adverts(site.b.address)


def test_an_address_put_on_a_backup_by_hand_goes(site: Site) -> None:
    watch = site.watch()
    master = site.pyvrrpd(site.a, Router(250))
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.b, Router(240))
    assert backup.becomes(BACKUP)
    site.b.namespace.ip(f"addr add {VIP}/32 dev eth0")
    assert until(lambda: len(watch.times("b", VIP, present=False)) == 1)
    assert backup.state() == BACKUP


# --- handing over ----------------------------------------------------------------------------------------------------


def connect(client: Host, server: Host) -> tuple[socket.socket, socket.socket]:
    """A connection from the client to a TCP service on the VIP: the client's end, and the accepted one."""
    with server.namespace.inside():
        listener = socket.create_server(("", PORT))
    client.namespace.ip(f"route replace {VIP}/32 dev eth0")
    with client.namespace.inside(), listener:
        end = socket.create_connection((VIP, PORT), timeout=GENEROUS)
        accepted, _ = listener.accept()
    return end, accepted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_leaving_master_answers_until_its_successor_speaks(site: Site, number: signal.Signals) -> None:
    watch, capture = site.watch(), site.capture()
    # Adverts so rare that nothing but priority 0 moves the address, and a backup whose skew is 0.4 s.
    leaver = site.pyvrrpd(site.a, version2(255, advert_int=10))
    assert leaver.becomes(MASTER)
    assert site.a.takes()
    backup = site.pyvrrpd(site.b, version2(150, advert_int=10))
    assert backup.becomes(BACKUP)
    end, accepted = connect(site.client, site.a)
    with end, accepted:
        leaver.send(number)
        assert until(lambda: leaver_is_handing_over(leaver))
        assert site.a.holds()
        accepted.sendall(b"still here")
        assert end.recv(100) == b"still here"
        assert leaver.ended() == 0
        assert readable(end)
        with pytest.raises(ConnectionResetError) as reset:
            end.recv(100)
    assert reset.value.errno == errno.ECONNRESET
    assert backup.becomes(MASTER)
    assert not site.a.holds()
    released, spoke = capture.adverts(site.a.address)[-1], capture.adverts(site.b.address)[0]
    assert released.priority == 0
    (left_at,) = watch.times("a", VIP, present=False)
    assert released.at < spoke.at < left_at
    assert f"{site.b.address} has taken over" in leaver.log()


def leaver_is_handing_over(daemon: Pyvrrpd) -> bool:
    """Whether the daemon keeps its address for a successor."""
    return bool(daemon.instance()["handing_over"])


def test_a_master_that_leaves_alone_waits_for_the_slowest_successor(site: Site) -> None:
    watch, capture = site.watch(), site.capture()
    alone = site.pyvrrpd(site.a, version2(255))
    assert alone.becomes(MASTER)
    assert site.a.takes()
    alone.terminate()
    assert alone.ended() == 0
    assert not site.a.holds()
    released = capture.adverts(site.a.address)[-1]
    assert released.priority == 0
    (left_at,) = watch.times("a", VIP, present=False)
    slowest_skew = 255 / 256
    assert slowest_skew < left_at - released.at < slowest_skew + GENEROUS
    assert "no successor has spoken" in alone.log()


def test_a_daemon_that_is_leaving_does_not_begin_anything_new(site: Site) -> None:
    daemon = site.pyvrrpd(site.a, version2(255))
    assert daemon.becomes(MASTER)
    daemon.reconfigure([version2(255), Router(255, 61, ("192.168.1.210",))])
    daemon.terminate()
    daemon.send(signal.SIGHUP)
    assert daemon.says("this daemon is being stopped")
    assert daemon.ended() == 0
    assert not site.a.holds()


def test_a_backup_that_stops_says_nothing_and_is_gone_at_once(site: Site) -> None:
    capture = site.capture()
    master = site.pyvrrpd(site.a, Router(250))
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.b, Router(240))
    assert backup.becomes(BACKUP)
    backup.terminate()
    assert backup.ended() == 0
    assert not capture.adverts(site.b.address)
    assert not backup.socket.exists()
