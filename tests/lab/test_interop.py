"""pyvrrpd and a real keepalived with each other, in both roles."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import pytest

from tests.lab.agents import BACKUP, FAULT, KEEPALIVED, MASTER, Agent, Keepalived, Pyvrrpd
from tests.lab.routers import Router, tcp_check, version2
from tests.lab.site import Host, Site
from tests.lab.watch import Capture, Frame
from tests.waiting import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(KEEPALIVED is None, reason="keepalived is not installed (apt-get install keepalived)"),
]

both_roles = pytest.mark.parametrize(("first", "second"), list(permutations(("pyvrrpd", "keepalived"))))


def start(site: Site, make: str, host: Host, *routers: Router) -> Agent:
    """Start a daemon of this make on a host."""
    return site.pyvrrpd(host, *routers) if make == "pyvrrpd" else site.keepalived(host, *routers)


# --- election: one pair of daemons, one virtual router for each case -------------------------------------------------


def case(vrid: int, priority: int, version: int, password: str = "") -> Router:
    """A router of the election below, with an address of its own."""
    advert_int = 1 if version == 2 else 0.1
    return Router(priority, vrid, (f"10.0.0.{vrid}",), version, advert_int, password=password)


ELECTION = {  # VRID → what both sides agree on: version and password
    1: (2, ""),
    2: (2, "4321"),
    3: (2, "eight888"),
    4: (3, ""),
}
HIGH, LOW = 150, 100


@dataclass(frozen=True)
class Election:
    """Two daemons after they have settled. Of VRIDs 1.. pyvrrpd has the higher priority, of 101.. keepalived has."""

    pyvrrpd: Pyvrrpd
    keepalived: Keepalived
    site: Site


@dataclass(frozen=True)
class Mismatch:
    """Settings that differ, and how either daemon says so."""

    ours: Router
    theirs: Router
    we_say: str
    they_say: str


MISMATCHES = {
    90: Mismatch(
        case(90, HIGH, 2, "4321"),
        case(90, LOW, 2, "1234"),
        "its password is not ours",
        "received an invalid passwd!",
    ),
    91: Mismatch(
        case(91, HIGH, 2),
        replace(case(91, LOW, 2), advert_int=2),
        "its advert_int is 2 s, ours 1 s",
        "advertisement interval mismatch mine=2 sec rcv'd=1 sec",
    ),
    92: Mismatch(
        case(92, HIGH, 3),
        replace(case(92, LOW, 3), vips=("10.0.0.93",)),
        "it advertises 10.0.0.93, we have 10.0.0.92",
        "ip address associated with VRID 92 not present in MASTER advert: 10.0.0.93",
    ),
    93: Mismatch(
        case(93, HIGH, 2),
        case(93, LOW, 2, "1234"),
        "it uses PASS, we use no authentication",
        "received a 0 auth, expecting 1!",
    ),
}


@pytest.fixture(scope="module")
def election(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Election]:
    with Site(tmp_path_factory.mktemp("election")) as site:
        ours = [case(vrid, HIGH, *terms) for vrid, terms in ELECTION.items()]
        ours += [case(vrid + 100, LOW, *terms) for vrid, terms in ELECTION.items()]
        theirs = [case(vrid, LOW, *terms) for vrid, terms in ELECTION.items()]
        theirs += [case(vrid + 100, HIGH, *terms) for vrid, terms in ELECTION.items()]
        ours += [each.ours for each in MISMATCHES.values()]
        theirs += [each.theirs for each in MISMATCHES.values()]
        pyvrrpd, keepalived = site.pyvrrpd(site.a, *ours), site.keepalived(site.b, *theirs)
        yield Election(pyvrrpd, keepalived, site)


@pytest.mark.parametrize("vrid", ELECTION)
def test_pyvrrpd_with_the_higher_priority_is_elected(election: Election, vrid: int) -> None:
    assert election.pyvrrpd.becomes(MASTER, vrid)
    assert election.site.a.takes(f"10.0.0.{vrid}")
    assert election.keepalived.state(vrid) == BACKUP
    assert not election.site.b.holds(f"10.0.0.{vrid}")


@pytest.mark.parametrize("vrid", [vrid + 100 for vrid in ELECTION])
def test_keepalived_with_the_higher_priority_is_elected(election: Election, vrid: int) -> None:
    assert election.keepalived.becomes(MASTER, vrid)
    assert election.site.b.takes(f"10.0.0.{vrid}")
    assert election.pyvrrpd.state(vrid) == BACKUP
    assert f"{election.site.b.address} advertises {HIGH}, ours is {LOW}" in election.pyvrrpd.why(vrid)
    assert not election.site.a.holds(f"10.0.0.{vrid}")


@pytest.mark.parametrize("vrid", MISMATCHES)
def test_where_settings_differ_status_says_why_and_only_keepalived_takes_what_another_has(
    election: Election, vrid: int
) -> None:
    mismatch = MISMATCHES[vrid]
    assert election.keepalived.becomes(MASTER, vrid)
    left_alone = f"{election.site.b.mac} answers for {mismatch.ours.vips[0]}"
    assert until(lambda: election.pyvrrpd.state(vrid) == MASTER or left_alone in election.pyvrrpd.why(vrid))
    assert until(lambda: election.pyvrrpd.instance(vrid)["rejected"])
    rejected = election.pyvrrpd.instance(vrid)["rejected"]
    assert rejected["source"] == election.site.b.address
    assert rejected["reason"] == mismatch.we_say
    assert mismatch.we_say in election.pyvrrpd.why(vrid)
    if election.pyvrrpd.state(vrid) == MASTER:  # else it says nothing that keepalived could complain of
        assert election.keepalived.says(f"({mismatch.theirs.name}) {mismatch.they_say}")


# --- preemption: the second daemon joins a master of lower priority --------------------------------------------------


@both_roles
def test_preempt_takes_over_and_nopreempt_leaves_a_living_master_alone(site: Site, first: str, second: str) -> None:
    preempt, patient = Router(LOW, 1, ("10.0.0.1",)), Router(LOW, 2, ("10.0.0.2",), nopreempt=True)
    master = start(site, first, site.a, preempt, patient)
    assert master.becomes(MASTER, 1)
    assert master.becomes(MASTER, 2)
    late = start(site, second, site.b, Router(HIGH, 1, ("10.0.0.1",)), Router(HIGH, 2, ("10.0.0.2",), nopreempt=True))
    assert late.becomes(MASTER, 1)
    assert master.becomes(BACKUP, 1)
    assert site.b.takes("10.0.0.1")
    assert site.a.loses("10.0.0.1")
    # The two routers have the same timers: what preempted did so while the other one could have.
    assert late.state(2) == BACKUP
    assert master.state(2) == MASTER
    assert site.a.holds("10.0.0.2")
    assert not site.b.holds("10.0.0.2")


# --- every way to travel: multicast and unicast, IPv4 and IPv6 --------------------------------------------------------


@dataclass(frozen=True)
class Journey:
    """How the adverts of a virtual router travel between a and b."""

    vips: tuple[str, ...]
    version: int = 3
    ends: tuple[str, str] | None = None  # unicast: the addresses of a and b

    def router(self, host: str, priority: int) -> Router:
        """The virtual router as that host has it."""
        plain = version2(priority, vips=self.vips) if self.version == 2 else Router(priority, vips=self.vips)
        if self.ends is None:
            return plain
        own, peer = self.ends if host == "a" else self.ends[::-1]
        return replace(plain, source=own, peers=(peer,))


JOURNEYS = {
    "v3 over IPv4": Journey(("10.0.0.1",)),
    "v3 over IPv6": Journey(("fe80::1:1", "2001:db8::1:1")),
    "v2 unicast": Journey(("10.0.0.1",), version=2, ends=("192.168.1.201", "192.168.1.202")),
    "v3 unicast": Journey(("10.0.0.1",), ends=("192.168.1.201", "192.168.1.202")),
    "v3 unicast over IPv6": Journey(("2001:db8::1:1",), ends=("2001:db8::201", "2001:db8::202")),
}


@both_roles
@pytest.mark.parametrize("journey", JOURNEYS.values(), ids=JOURNEYS)
def test_preempting_handing_over_and_dying(site: Site, journey: Journey, first: str, second: str) -> None:
    """`first` has the lower priority and stays; `second` comes, leaves, comes again, and is killed."""
    site.a.speak_ipv6()
    site.b.speak_ipv6()
    low = start(site, first, site.a, journey.router("a", LOW))
    assert low.becomes(MASTER)

    high = start(site, second, site.b, journey.router("b", HIGH))
    assert high.becomes(MASTER)
    assert low.becomes(BACKUP)
    assert_held_by_one(site.b, site.a, journey.vips)

    high.terminate()
    assert low.becomes(MASTER)
    assert high.ended() == 0
    assert_held_by_one(site.a, site.b, journey.vips)

    high = start(site, second, site.b, journey.router("b", HIGH))
    assert high.becomes(MASTER)
    assert low.becomes(BACKUP)
    assert_held_by_one(site.b, site.a, journey.vips)

    high.kill()
    if second == "keepalived":  # whose addresses stay for ever, and are left alone for as long
        assert low.says("though no master is heard: not taking over while it does")
        assert low.state() == BACKUP
        for vip in journey.vips:
            site.b.namespace.ip(f"addr flush dev eth0 to {vip}")
    assert low.becomes(MASTER)
    assert_held_by_one(site.a, site.b, journey.vips)


def assert_held_by_one(holder: Host, other: Host, vips: Sequence[str]) -> None:
    """Once they have settled, one host has the addresses, and nothing moves any more."""
    assert all(holder.takes(vip) for vip in vips)
    assert all(other.loses(vip) for vip in vips)
    for _ in range(20):
        for vip in vips:
            assert holder.holds(vip)
            assert not other.holds(vip)


@pytest.mark.parametrize("speaks", [4, 6])
def test_ipv4_and_ipv6_of_one_vrid_are_two_virtual_routers(site: Site, speaks: int) -> None:
    """Each with a master of its own: a is better in one family, b in the other."""
    site.a.speak_ipv6()
    site.b.speak_ipv6()
    four, six = Journey(("10.0.0.1",)), Journey(("fe80::1:1",))
    better, worse = four.router("a", HIGH), six.router("a", LOW)
    if speaks == 6:
        better, worse = replace(better, priority=LOW), replace(worse, priority=HIGH)
    ours = site.pyvrrpd(site.a, better, replace(worse, called="six"))
    theirs = site.keepalived(
        site.b,
        replace(better, priority=HIGH + LOW - better.priority),
        replace(worse, priority=HIGH + LOW - worse.priority, called="six"),
    )
    on_a, on_b = (four.vips, six.vips) if speaks == 4 else (six.vips, four.vips)
    assert theirs.says("Entering MASTER STATE")
    assert ours.says("Entering MASTER STATE")
    assert_held_by_one(site.a, site.b, on_a)
    assert_held_by_one(site.b, site.a, on_b)


def test_one_peer_that_cannot_be_reached_does_not_silence_the_others(site: Site) -> None:
    """Our own firewall drops what is for the second one; keepalived, the first, goes on hearing us."""
    site.a.namespace.run("nft", "add table ip mute")
    site.a.namespace.run("nft", "add chain ip mute out { type filter hook output priority 0 ; }")
    site.a.namespace.run("nft", "add rule ip mute out ip daddr 192.168.1.10 drop")
    master = replace(Router(HIGH), peers=(site.b.address, site.client.address), source=site.a.address)
    ours = site.pyvrrpd(site.a, master)
    assert ours.becomes(MASTER)
    assert ours.says(f"adverts cannot leave eth0 to {site.client.address}: Operation not permitted")
    theirs = site.keepalived(site.b, replace(Router(LOW), peers=(site.a.address,), source=site.b.address))
    assert theirs.becomes(BACKUP)
    assert site.a.holds()
    site.a.namespace.run("nft", "delete table ip mute")
    assert ours.says(f"adverts leave eth0 to {site.client.address} again")
    assert ours.history()[-1] == (BACKUP, MASTER), "it has been MASTER all the while"
    assert theirs.state() == BACKUP


@both_roles
def test_clients_follow_an_address_of_ipv6(site: Site, first: str, second: str) -> None:
    """A client that knows where the address was believes the neighbour advertisement of the new master."""
    for host in (site.a, site.b, site.client):
        host.speak_ipv6()
    vip = "2001:db8::1:1"
    high = start(site, first, site.a, Router(HIGH, vips=("fe80::1:1", vip)))
    assert high.becomes(MASTER)
    low = start(site, second, site.b, Router(LOW, vips=("fe80::1:1", vip)))
    assert low.becomes(BACKUP)
    assert site.a.takes(vip)
    assert until(lambda: is_answered_by(site, site.a, vip))
    if first == "keepalived":
        site.a.port("down")  # killed, it would leave the address behind, and both would answer
    else:
        high.kill()
    assert low.becomes(MASTER)
    assert until(lambda: is_answered_by(site, site.b, vip))


def is_answered_by(site: Site, host: Host, vip: str) -> bool:
    """Whether the client's neighbour cache leads to this host, once it has asked for the address."""
    with site.client.namespace.inside(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asker:
        asker.sendto(b"", (vip, 9))
    return host.mac in site.client.namespace.ip(f"-6 neigh show {vip} dev eth0")


def test_unicast_against_multicast_is_named(site: Site) -> None:
    """keepalived would be a second master here, and says nothing; we leave the address where it is, and say why."""
    theirs = site.keepalived(site.b, Router(LOW))
    assert theirs.becomes(MASTER)
    ours = site.pyvrrpd(site.a, replace(Router(HIGH), peers=(site.b.address,), source=site.a.address))
    assert ours.becomes(BACKUP)
    assert until(lambda: ours.instance()["rejected"])
    assert ours.instance()["rejected"]["reason"] == "it came to all of 224.0.0.18, we speak to peers"
    assert until(lambda: f"{site.b.mac} answers for" in ours.why())
    assert ours.state() == BACKUP
    assert not site.a.holds()


# --- leaving ---------------------------------------------------------------------------------------------------------


@both_roles
def test_the_successor_takes_over_on_priority_0(site: Site, first: str, second: str) -> None:
    capture = site.capture()
    # With advert_int 10 nobody notices a missing master within this test: only priority 0 moves the address.
    slow = {"version": 2, "advert_int": 10}
    leaver = start(site, first, site.a, version2(255, **slow))
    assert leaver.becomes(MASTER)
    backup = start(site, second, site.b, version2(250, **slow))
    assert backup.becomes(BACKUP)
    leaver.terminate()
    assert backup.becomes(MASTER)
    assert site.b.takes()
    assert leaver.ended() == 0
    assert site.a.loses()
    released, taken = capture.adverts(site.a.address)[-1], capture.adverts(site.b.address)[0]
    assert released.priority == 0
    assert taken.priority == 250
    if isinstance(backup, Pyvrrpd):
        assert backup.instance()["last"]["reason"] == f"{site.a.address} sent priority 0"
        assert backup.instance()["counters"]["priority_zero_received"] == 1
    else:
        assert "(VI_60) Backup received priority 0 advertisement" in backup.log()


@both_roles
def test_the_successor_takes_over_when_the_master_is_killed(site: Site, first: str, second: str) -> None:
    master = start(site, first, site.a, Router(HIGH))
    assert master.becomes(MASTER)
    backup = start(site, second, site.b, Router(LOW))
    assert backup.becomes(BACKUP)
    master.kill()
    if first == "pyvrrpd":
        assert backup.becomes(MASTER)
        assert site.b.takes()
        assert site.a.loses()
    else:
        # keepalived's addresses have no lease: they stay on a host that lives, and are left to it.
        assert isinstance(backup, Pyvrrpd)
        assert until(lambda: f"{site.a.mac} answers for" in backup.why())
        assert site.a.holds()
        assert not site.b.holds()


# --- a tie -----------------------------------------------------------------------------------------------------------


@both_roles
def test_of_two_masters_with_equal_priority_the_higher_address_stays(site: Site, first: str, second: str) -> None:
    site.partition("on")
    lower, higher = start(site, first, site.a, Router()), start(site, second, site.b, Router())
    assert lower.becomes(MASTER)
    assert higher.becomes(MASTER)
    site.partition("off")
    assert lower.becomes(BACKUP)
    assert site.a.loses()
    assert higher.state() == MASTER
    assert site.b.holds()


# --- faults and weights ----------------------------------------------------------------------------------------------


def test_a_failing_check_with_a_weight_lowers_the_priority_and_keepalived_takes_over(site: Site) -> None:
    listener = site.listener(site.a)
    weighted = Router(110, tracks={"mysql": -20})
    pyvrrpd = site.pyvrrpd(site.a, weighted, checks={"mysql": tcp_check()})
    assert pyvrrpd.becomes(MASTER)
    keepalived = site.keepalived(site.b, Router(LOW))
    assert keepalived.becomes(BACKUP)
    listener.kill()
    assert keepalived.becomes(MASTER)
    assert pyvrrpd.becomes(BACKUP)
    assert site.a.loses()
    assert pyvrrpd.instance()["priority"] == 90
    assert "ours is 110 - 20 (mysql) = 90" in pyvrrpd.why()
    site.listener(site.a)
    assert pyvrrpd.becomes(MASTER)
    assert keepalived.becomes(BACKUP)
    assert site.b.loses()


@both_roles
def test_a_node_without_a_link_is_in_fault_and_comes_back_by_preemption(site: Site, first: str, second: str) -> None:
    broken = start(site, first, site.a, Router(HIGH))
    assert broken.becomes(MASTER)
    whole = start(site, second, site.b, Router(LOW))
    assert whole.becomes(BACKUP)
    site.a.port("down")
    assert broken.becomes(FAULT)
    assert whole.becomes(MASTER)
    assert site.a.loses()
    site.a.port("up")
    assert broken.becomes(MASTER)
    assert whole.becomes(BACKUP)
    assert site.b.loses()


@both_roles
def test_a_daemon_that_stood_still_yields_to_its_successor(site: Site, first: str, second: str) -> None:
    stalled = start(site, first, site.a, Router(LOW))
    assert stalled.becomes(MASTER)
    other = start(site, second, site.b, Router(LOW, nopreempt=True))
    assert other.becomes(BACKUP)
    stalled.send_all(signal.SIGSTOP)
    if first == "keepalived":  # it keeps the address, as its host does: nobody takes over
        assert isinstance(other, Pyvrrpd)
        assert until(lambda: f"{site.a.mac} answers for" in other.why())
        stalled.send_all(signal.SIGCONT)
        assert until(lambda: "answers for" not in other.why())
        assert other.state() == BACKUP
        assert site.a.holds()
        assert not site.b.holds()
        return
    assert other.becomes(MASTER)
    stalled.send_all(signal.SIGCONT)
    assert stalled.becomes(BACKUP)
    assert other.state() == MASTER
    assert site.b.holds()
    assert site.a.loses()


# --- bytes -----------------------------------------------------------------------------------------------------------

SAME = [
    version2(255, vrid=1, vips=("10.0.0.1", "10.0.1.1"), password=""),
    version2(255, vrid=2, vips=("10.0.0.2",), password="4321"),
    version2(255, vrid=3, vips=("10.0.0.3",), password="eight888"),
    Router(255, 4, ("10.0.0.4",)),
    Router(255, 5, tuple(f"10.0.5.{number}" for number in range(1, 21)), advert_int=40.95),
    Router(255, 6, ("fe80::6",)),
    Router(255, 7, ("fe80::7", "2001:db8::7", "2001:db8:0:7::1"), advert_int=0.29),
    version2(255, vrid=8, vips=("10.0.0.8",), peers=("192.168.1.202",), source="192.168.1.201"),
    Router(255, 9, ("10.0.0.9", "10.0.1.9"), peers=("192.168.1.202",), source="192.168.1.201"),
    Router(255, 10, ("fe80::10", "2001:db8::10"), peers=("2001:db8::202",), source="2001:db8::201"),
    Router(255, 11, ("fe80::11",), peers=("fe80::202",), source="fe80::201", unicast_ttl=7),
]


@dataclass(frozen=True)
class Recording:
    """What each make puts on the wire, alone on a link of its own, with the same settings and MAC address."""

    pyvrrpd: Capture
    keepalived: Capture


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    with Site(tmp_path_factory.mktemp("ours")) as ours, Site(tmp_path_factory.mktemp("theirs")) as theirs:
        for site in (ours, theirs):
            site.a.speak_ipv6()
            site.b.speak_ipv6()
        captures = ours.capture(ours.b), theirs.capture(theirs.b)
        agents = ours.pyvrrpd(ours.a, *SAME), theirs.keepalived(theirs.a, *SAME)
        for router in SAME:
            assert all(agent.becomes(MASTER, router.vrid) for agent in agents)
        assert until(lambda: all(len(each.announcements(vip)) >= 5 for each in captures for vip in every_vip()))
        yield Recording(*captures)


def every_vip() -> list[str]:
    """The addresses of all routers in SAME."""
    return [vip for router in SAME for vip in router.vips]


@pytest.mark.parametrize("router", SAME, ids=lambda router: router.name)
def test_adverts_have_the_same_bytes(recording: Recording, router: Router) -> None:
    ours, theirs = (first_advert(each, router.vrid) for each in (recording.pyvrrpd, recording.keepalived))
    assert ours.without_choices == theirs.without_choices


def first_advert(capture: Capture, vrid: int) -> Frame:
    """The first one about this virtual router."""
    return next(each for each in capture.frames() if each.is_advert and each.vrid == vrid)


def test_announcements_have_the_same_bytes_and_number(recording: Recording) -> None:
    ours, theirs = (
        {vip: [each.data for each in capture.announcements(vip)] for vip in every_vip()}
        for capture in (recording.pyvrrpd, recording.keepalived)
    )
    assert ours == theirs
