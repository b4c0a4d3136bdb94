"""Version 3 over IPv6, alone and beside IPv4 of the same VRID."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.conformance.bench import Bench, expect
from tests.conformance.case import case, instance, skew, v3
from tests.conformance.packets import (
    GLOBAL_VIP6,
    GROUP6,
    HIGHER6,
    LOWER6,
    SUBJECT6,
    SUBJECT_MAC,
    VIP,
    VIP6,
    VRID,
    Advert,
    Frame,
    solicited_node,
)

VIPS = (VIP6, GLOBAL_VIP6)
V6 = Advert(version=3, interval=100, source=HIGHER6, addresses=VIPS)
PLAIN = instance(version=3, vips=VIPS)
ROUTER, SOLICITED, OVERRIDE = 0x80, 0x40, 0x20
VIRTUAL_MAC = f"00:00:5e:00:02:{VRID:02x}"


def about(address: str) -> Callable[[Frame], bool]:
    """Neighbour advertisements that nobody asked for, about this address."""
    return lambda each: each.is_neighbor_advertisement and each.target == address and each.destination == "ff02::1"


def answers(bench: Bench, address: str) -> None:
    """Expect an answer soon: the kernel first looks whether anybody else has the address."""
    bench.until(lambda: bench.answers_neighbor(address), f"it does not answer for {address}", 3.0)


@case(
    "IPv6: an advert is right in every field",
    v3("5.1.2.1", "5.1.2.2", "5.1.2.3-sent", "5.1.2.4", "5.2.9", "5.2.9-first", "7.2-source", "7.2-protocol"),
    ("9568:5.2.8-v6", "5798:5.2.8-sent"),
    text=PLAIN,
    peer=V6,
)
def advert(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.destination_mac == "33:33:00:00:00:12", f"sent to {frame.destination_mac}")
    expect(frame.destination == GROUP6, f"sent to {frame.destination}")
    expect(frame.source == SUBJECT6, f"its source is {frame.source}, which is not the link-local address")
    expect(frame.ttl == 255, f"its hop limit is {frame.ttl}")
    wanted = replace(V6, priority=100, source=SUBJECT6).payload
    expect(frame.payload == wanted, f"its bytes are {frame.payload.hex()}, not {wanted.hex()}")


@case(
    "IPv6: a silent master is replaced after three intervals and the skew time",
    v3("6.1-down", "6.4.2-timer"),
    text=instance(version=3, vips=VIPS, advert_int=0.5),
    peer=replace(V6, interval=50),
)
def master_down(bench: Bench) -> None:
    bench.begin()
    bench.takes_over_after(bench.send(bench.peer), 1.5 + skew(100, 0.5))


@case("IPv6: BACKUP follows a good master", v3("6.4.2-higher"), text=PLAIN, peer=V6)
def follows(bench: Bench) -> None:
    bench.begin()
    since = bench.send(bench.peer)
    with bench.stream(bench.peer, every=1.0):
        bench.stays_backup_for(4.5, since)


@case(
    "IPv6: the new master advertises every address unasked: Override, not Solicited, its MAC",
    v3("6.4.2-announce6"),
    text=PLAIN,
    peer=V6,
)
def announces(bench: Bench) -> None:
    first = bench.begin_as_master()
    for address in VIPS:
        frame = bench.next_frame(about(address), 3.0, f"{address} is not announced")
        expect(frame.at >= first.at, "it announces before it advertises")
        flags = frame.payload[4]
        expect(flags & OVERRIDE, "Override is not set")
        expect(not flags & SOLICITED, "Solicited is set")
        expect(frame.ttl == 255, f"its hop limit is {frame.ttl}")
        expect(frame.destination_mac == "33:33:00:00:00:01", f"it goes to {frame.destination_mac}")
        named = frame.payload[26:32].hex(":")
        expect(frame.payload[24:26] == b"\2\1" and named == frame.source_mac == SUBJECT_MAC, f"it names {named}")


@case(
    "IPv6: MASTER answers neighbour solicitations and is in the solicited-node group",
    v3("6.4.2-solicited", "6.4.3-neighbor", "6.4.3-solicited", "6.4.3-accept"),
    text=PLAIN,
    peer=V6,
)
def master_answers(bench: Bench) -> None:
    bench.begin_as_master()
    groups = bench.host.ip("-6 maddr show dev eth0")
    for address in VIPS:
        answers(bench, address)
        expect(solicited_node(address) in groups, f"it is not in the group of {address}")


@case(
    "IPv6: BACKUP answers no neighbour solicitations for the addresses",
    v3("6.4.2-neighbor", "6.4.2-accept"),
    text=PLAIN,
    peer=V6,
)
def backup_is_silent(bench: Bench) -> None:
    bench.begin()
    with bench.stream(bench.peer, every=0.5):
        for address in VIPS:
            expect(not bench.answers_neighbor(address), f"it answers for {address}")
        expect(bench.answers_neighbor(SUBJECT6), "it does not answer for its own address either")


@case("IPv6: a master that is stopped says priority 0", v3("6.4.3-shutdown"), text=PLAIN, peer=V6)
def stopped(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.stop()
    last = bench.adverts(first.at - 0.01)[-1]
    expect(last.priority == 0, f"its last advert has priority {last.priority}")
    expect(not bench.holds() and not bench.holds(GLOBAL_VIP6), "it left an address behind")


@case("IPv6: priority 0 lets BACKUP wait for the skew time only", v3("6.4.2-zero"), text=PLAIN, peer=V6)
def zero(bench: Bench) -> None:
    bench.begin()
    bench.send(bench.peer)
    bench.takes_over_after(bench.send(replace(bench.peer, priority=0)), skew(100))


@case("IPv6: of two equal masters the one with the higher address stays", v3("6.4.3-equal"), text=PLAIN, peer=V6)
def equal(bench: Bench) -> None:
    first = bench.begin_as_master()
    with bench.stream(replace(bench.peer, priority=100, source=LOWER6), every=1.0):
        bench.stays_master_for(2.5, first.at, 1.0, 100)
    bench.send(replace(bench.peer, priority=100, source=HIGHER6))
    bench.until(lambda: not bench.holds(), "it keeps the address beside a master with a higher address")


@case("IPv6: MASTER yields to a higher priority", v3("6.4.3-higher"), text=PLAIN, peer=V6)
def yields(bench: Bench) -> None:
    bench.begin_as_master()
    with bench.stream(replace(bench.peer, priority=101, source=LOWER6), every=1.0):
        bench.until(lambda: not bench.holds() and not bench.holds(GLOBAL_VIP6), "it keeps an address")


@case("IPv6: the owner of the address is master at once", v3("6.4.1-owner"), peer=V6, text="-")
def owner(bench: Bench) -> None:
    bench.write(instance(version=3, vips=VIPS, priority=255, advert_int=5))
    bench.start()
    first = bench.next_advert(bench.started)
    expect(first.priority == 255, f"it says {first.priority}")
    expect(first.at - bench.started < 10, f"it came after {first.at - bench.started:.1f} s")


@case(
    "IPv6: with use_vmac adverts and neighbour advertisements have the virtual router's MAC",
    v3("7.3-v6", "8.2.2-vmac", "8.2.2-own"),
    text=instance("use_vmac", version=3, vips=VIPS),
    peer=V6,
)
def virtual_mac(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.source_mac == VIRTUAL_MAC, f"adverts come from {frame.source_mac}")
    for address in VIPS:
        unasked = bench.next_frame(about(address), 3.0, f"{address} is not announced")
        expect(unasked.payload[26:32].hex(":") == VIRTUAL_MAC, f"announced at {unasked.payload[26:32].hex(':')}")


@case(
    "IPv6: with use_vmac the owner announces its addresses at the virtual router's MAC once they are there",
    v3("8.2.2-configure", "8.2.2-delay"),
    text=instance("use_vmac", version=3, vips=VIPS, priority=255),
    peer=V6,
)
def owner_with_virtual_mac(bench: Bench) -> None:
    bench.start()
    for address in VIPS:
        frame = bench.next_frame(about(address), 8.0, f"{address} is not announced")
        expect(bench.holds(address), f"{address} is announced and not there")
        expect(frame.payload[26:32].hex(":") == VIRTUAL_MAC, f"announced at {frame.payload[26:32].hex(':')}")


@case(
    "IPv6: without a link-local address it takes nothing, and elects when one comes",
    v3("7.2-source"),
    text=PLAIN,
    peer=V6,
)
def without_address(bench: Bench) -> None:
    bench.host.ip("-6 addr flush dev eth0")
    bench.start()
    bench.says("(VI_1) entering FAULT state")
    bench.stays_backup_for(4.2, bench.now())
    bench.host.ip(f"addr add {SUBJECT6}/64 dev eth0 nodad")
    frame = bench.takes_over_after(bench.now(), 3 + skew(100))
    expect(frame.source == SUBJECT6, f"its source is {frame.source}")


@case(
    "IPv6: with no_accept MASTER still answers neighbour solicitations",
    v3("6.1-neighbors"),
    text=instance("no_accept", version=3, vips=VIPS),
    peer=V6,
)
def no_accept(bench: Bench) -> None:
    bench.begin_as_master()
    for address in VIPS:
        answers(bench, address)


@case(
    "IPv4 and IPv6 of one VRID are two virtual routers",
    v3("7.1-vrid"),
    text=instance(version=3) + instance(name="VI_6", version=3, vips=VIPS),
    peer=Advert(version=3, interval=100),
)
def side_by_side(bench: Bench) -> None:
    bench.speak_ipv6()
    bench.begin("VI_6")
    bench.next_frame(lambda each: each.is_advert and each.source == SUBJECT6, 8.0, "no advert over IPv6")
    bench.until(lambda: bench.holds(VIP6), "the IPv6 address did not come")
    bench.until(lambda: bench.holds(VIP), "the IPv4 address did not come")
    with bench.stream(bench.peer, every=0.5):
        bench.until(lambda: not bench.holds(VIP), "it keeps the IPv4 address")
        expect(bench.holds(VIP6), "it gave up the IPv6 address as well")


@case("IPv6: an address that somebody deletes on a master is back", (), text=PLAIN, peer=V6)
def deleted(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.until(lambda: bench.holds(GLOBAL_VIP6), "the address did not come")
    bench.host.ip(f"addr del {GLOBAL_VIP6}/128 dev eth0")
    bench.until(lambda: bench.holds(GLOBAL_VIP6), "the address is not back", 0.5)
    bench.stays_master_for(2.2, first.at, 1.0, 100)


@case("IPv6: a reload without a change keeps address and cadence", v3("6.4.3-timer"), text=PLAIN, peer=V6)
def reload(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.reload()
    bench.stays_master_for(3.2, first.at, 1.0, 100)


@case("IPv6: a killed master's addresses are gone before another could take them", (), text=PLAIN, peer=V6)
def killed(bench: Bench) -> None:
    bench.begin_as_master()
    bench.kill()
    bench.until(lambda: not (bench.holds() or bench.holds(GLOBAL_VIP6)), "the addresses are there for ever", 3.0)


@case("IPv6: unicast peers get adverts one by one", (), text="-", peer=replace(V6, destination=SUBJECT6))
def unicast(bench: Bench) -> None:
    peers = ("unicast_peer {", HIGHER6, LOWER6, "}", f"unicast_src_ip {SUBJECT6}")
    bench.write(instance(*peers, version=3, vips=VIPS))
    first = bench.begin_as_master()
    bench.pass_time(first.at + 1.5)
    sent = bench.adverts(first.at - 0.01)
    to = {each.destination for each in sent}
    expect(to == {HIGHER6, LOWER6}, f"it sends to {', '.join(sorted(to))}")
    for each in sent:
        wanted = replace(bench.peer, priority=100, source=SUBJECT6, destination=each.destination).payload
        expect(each.payload == wanted, f"its bytes are {each.payload.hex()}, not {wanted.hex()}")
