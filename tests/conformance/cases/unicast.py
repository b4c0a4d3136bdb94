"""Adverts to peers one by one, which no RFC has and networks without multicast need."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.bench import Bench, expect
from tests.conformance.case import case, instance, skew
from tests.conformance.packets import GROUP4, HIGHER, LOWER, SUBJECT, TESTER_MAC, Advert

PEERS = ("unicast_peer {", HIGHER, LOWER, "}", f"unicast_src_ip {SUBJECT}")
V2 = Advert(destination=SUBJECT)
V3 = replace(V2, version=3, interval=100)

for plain in (V2, V3):
    text = instance(*PEERS, version=plain.version)

    @case(f"version {plain.version}: every unicast peer gets its advert, and nobody else", (), text=text, peer=plain)
    def sends(bench: Bench) -> None:
        first = bench.begin_as_master()
        bench.pass_time(first.at + 1.5)
        sent = bench.adverts(first.at - 0.01)
        to = {each.destination for each in sent}
        expect(to == {HIGHER, LOWER}, f"it sends to {', '.join(sorted(to))}")
        expect({each.destination_mac for each in sent} == {TESTER_MAC}, "it sends to another MAC")
        expect({each.ttl for each in sent} == {255}, "its TTL is not 255")
        for each in sent:
            wanted = replace(bench.peer, priority=100, source=SUBJECT, destination=each.destination).payload
            expect(each.payload == wanted, f"its bytes are {each.payload.hex()}, not {wanted.hex()}")

    @case(f"version {plain.version}: BACKUP follows a unicast master", (), text=text, peer=plain)
    def follows(bench: Bench) -> None:
        bench.begin()
        since = bench.send(bench.peer)
        with bench.stream(bench.peer, every=1.0):
            bench.stays_backup_for(4.5, since)

    @case(f"version {plain.version}: BACKUP replaces a silent unicast master in time", (), text=text, peer=plain)
    def replaces(bench: Bench) -> None:
        bench.begin()
        bench.takes_over_after(bench.send(bench.peer), 3 + skew(100))

    @case(f"version {plain.version}: multicast is discarded where unicast is configured", (), text=text, peer=plain)
    def multicast(bench: Bench) -> None:
        bench.begin()
        since = bench.send(bench.peer)
        with bench.stream(replace(bench.peer, destination=GROUP4), every=0.3):
            bench.takes_over_after(since, 3 + skew(100))


@case(
    "with check_unicast_src a stranger by unicast is discarded",
    (),
    text=instance("unicast_peer {", HIGHER, "}", f"unicast_src_ip {SUBJECT}", "check_unicast_src"),
    peer=V2,
)
def stranger(bench: Bench) -> None:
    bench.begin()
    since = bench.send(bench.peer)
    with bench.stream(replace(bench.peer, source=LOWER), every=0.3):
        bench.takes_over_after(since, 3 + skew(100))


@case(
    "unicast_ttl is the TTL of what is sent",
    (),
    text=instance(*PEERS, "unicast_ttl 77"),
    peer=V2,
)
def ttl(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.ttl == 77, f"its TTL is {frame.ttl}")


@case(
    "a unicast peer's min_ttl bounds what is heard",
    (),
    text=instance("unicast_peer {", f"{HIGHER} min_ttl 250 max_ttl 254", "}", f"unicast_src_ip {SUBJECT}"),
    peer=replace(V2, ttl=252),
)
def bounds(bench: Bench) -> None:
    bench.begin()
    since = bench.send(bench.peer)
    with bench.stream(replace(bench.peer, ttl=249), replace(bench.peer, ttl=255), every=0.3):
        bench.takes_over_after(since, 3 + skew(100))


@case("MASTER stopped says priority 0 to every unicast peer", (), text=instance(*PEERS), peer=V2)
def stopped(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.stop()
    to = {each.destination for each in bench.adverts(first.at) if each.priority == 0}
    expect(to == {HIGHER, LOWER}, f"priority 0 went to {', '.join(sorted(to)) or 'nobody'}")
