"""Telling the link where the address lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.conformance.bench import Bench, expect
from tests.conformance.case import case, instance, v2, v3
from tests.conformance.packets import BROADCAST, SUBJECT_MAC, VIP, Advert, Frame

V2, V3 = Advert(), Advert(version=3, interval=100)
SECOND = "192.168.1.101"


def announcement_of(address: str) -> Callable[[Frame], bool]:
    """Frames that announce this address."""
    return lambda each: each.is_announcement and each.source == address


for plain, rfc in ((V2, v2), (V3, v3)):

    @case(
        f"version {plain.version}: who becomes master broadcasts gratuitous ARP for the address, after its advert",
        rfc("6.4.2-announce"),
        peer=plain,
    )
    def announces(bench: Bench) -> None:
        advert = bench.begin_as_master()
        frame = bench.next_frame(announcement_of(VIP), 3.0, "no gratuitous ARP within 3 s")
        expect(frame.at >= advert.at, "it announces before it advertises")
        expect(frame.at - advert.at < 0.5, f"the announcement came after {frame.at - advert.at:.1f} s")
        expect(frame.destination_mac == BROADCAST, f"it goes to {frame.destination_mac}")
        body = frame.data[14:42]
        expect(body[:8].hex() == "0001080006040001", f"it begins with {body[:8].hex()}")
        expect(body[8:14].hex(":") == frame.source_mac, f"it names {body[8:14].hex(':')}, from {frame.source_mac}")


@case("announcements have the interface's MAC as sender and ones as target hardware", ())
def bytes_of_announcement(bench: Bench) -> None:
    bench.begin_as_master()
    frame = bench.next_frame(announcement_of(VIP), 3.0, "no gratuitous ARP within 3 s")
    expect(frame.source_mac == SUBJECT_MAC, f"it comes from {frame.source_mac}")
    expect(frame.data[32:38] == b"\xff" * 6, f"its target hardware is {frame.data[32:38].hex(':')}")


@case(
    "every address is announced",
    v2("6.4.2-announce"),
    text=instance(vips=(VIP, SECOND)),
    peer=replace(V2, addresses=(VIP, SECOND)),
)
def all_addresses(bench: Bench) -> None:
    bench.begin_as_master()
    for address in (VIP, SECOND):
        bench.next_frame(announcement_of(address), 3.0, f"{address} is not announced")


@case(
    "five announcements follow the takeover, and five more after garp_master_delay",
    (),
    text=instance("garp_master_delay 1"),
)
def bursts(bench: Bench) -> None:
    first = bench.begin_as_master()
    frames = bench.frames(announcement_of(VIP), first.at, 2.5)
    early = [each for each in frames if each.at - first.at < 0.8]
    expect(len(early) == 5, f"{len(early)} announcements at once")
    expect(len(frames) == 10, f"{len(frames)} announcements in all")


@case("the winner announces again when it has heard a rival", (), text=instance("garp_lower_prio_repeat 3"))
def again(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.pass_time(first.at + 1.5)
    heard = bench.send(replace(bench.peer, priority=50))
    frames = bench.frames(announcement_of(VIP), heard, 1.5)
    expect(len(frames) >= 3, f"{len(frames)} announcements after the rival")


@case(
    "garp_master_refresh announces again and again", (), text=instance("garp_master_refresh 1", "garp_master_delay 0")
)
def refresh(bench: Bench) -> None:
    first = bench.begin_as_master()
    frames = bench.frames(announcement_of(VIP), first.at + 0.8, 3.0)
    expect(2 <= len(frames) <= 4, f"{len(frames)} announcements in three seconds")


@case("a backup announces nothing", v2("6.4.2-arp"))
def backup(bench: Bench) -> None:
    bench.begin()
    with bench.stream(bench.peer, every=1.0):
        frames = bench.frames(announcement_of(VIP), bench.started, 2.5)
    expect(not frames, f"{len(frames)} announcements")
