"""What must be discarded, heard as BACKUP and as MASTER: it changes nothing, no timer either.

Each flaw is heard in two roles. A BACKUP hears one good advert, then only flawed ones: it takes over as if there had
been silence. A MASTER hears flawed adverts of a better master four times a second: it goes on. With the flaw put right
the same adverts would keep the one waiting and silence the other, as the two cases at the end show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tests.conformance.bench import LATE, Bench, expect
from tests.conformance.case import Case, Play, add, case, instance, skew, v2, v3
from tests.conformance.packets import (
    GLOBAL_VIP6,
    GROUP4,
    HIGHER,
    HIGHER6,
    LOWER,
    SUBJECT,
    SUBJECT6,
    VIP6,
    Advert,
)

PACE: Final = 0.25  # seconds between two flawed adverts
V2, V3 = Advert(), Advert(version=3, interval=100)
PASS = Advert(auth_type=1, auth_data=b"4321\0\0\0\0")
V6 = Advert(version=3, interval=100, source=HIGHER6, addresses=(VIP6, GLOBAL_VIP6))
STRANGE: Final = "192.168.1.99"

PLAIN2, PLAIN3, PLAIN6 = instance(), instance(version=3), instance(version=3, vips=(VIP6, GLOBAL_VIP6))
AUTHENTICATED = instance("authentication {", "auth_type PASS", "auth_pass 4321", "}")


@dataclass(frozen=True)
class Flaw:
    """What is wrong with an advert that would be good otherwise, and the clauses that want it discarded."""

    name: str
    clauses: tuple[str, ...]
    flawed: Advert
    text: str = PLAIN2
    peer: Advert = V2


FLAWS: Final = (
    Flaw("a TTL of 254", v2("5.2.3-received", "7.1-ttl"), replace(V2, ttl=254)),
    Flaw("version 1", v2("7.1-version"), replace(V2, version=1)),
    Flaw("version 4", v2("7.1-version"), replace(V2, version=4)),
    Flaw("version 3 where 2 is spoken", v2("7.1-version"), V3),
    Flaw("an unknown type", v2("5.3.2-unknown"), replace(V2, kind=2)),
    Flaw("a wrong checksum", v2("7.1-checksum", "7.1-discard"), replace(V2, checksum=0xDEAD)),
    Flaw("eight bytes too few", v2("7.1-length"), replace(V2, cut=8)),
    Flaw("only the header", v2("7.1-length"), replace(V2, cut=12)),
    Flaw("a count above the addresses it has", v2("7.1-length"), replace(V2, count=2)),
    Flaw("another virtual router's VRID", v2("7.1-vrid"), replace(V2, vrid=52)),
    Flaw("an unknown authentication type", v2("5.3.6-unknown"), replace(V2, auth_type=7)),
    Flaw("an authentication header's type", v2("5.3.6-other"), replace(V2, auth_type=2)),
    Flaw("a VRID of zero", v2("7.1-vrid"), replace(V2, vrid=0)),
    Flaw("a password where none is configured", v2("7.1-auth"), PASS),
    Flaw("no password where one is configured", v2("7.1-auth"), V2, AUTHENTICATED, PASS),
    Flaw(
        "another password",
        v2("7.1-auth"),
        replace(PASS, auth_data=b"1234\0\0\0\0"),
        AUTHENTICATED,
        PASS,
    ),
    Flaw("another interval", v2("5.3.7-mismatch", "7.1-interval"), replace(V2, interval=2)),
    Flaw("a list without our address", v2("7.1-addresses"), replace(V2, addresses=(STRANGE,), source=LOWER)),
    Flaw("our own address as its source", (), replace(V2, source=SUBJECT)),
    Flaw("unicast where multicast is configured", v2("5.2.2-received"), replace(V2, destination=SUBJECT)),
    Flaw("version 3 with a TTL of 254", v3("5.1.1.3-received", "7.1-ttl"), replace(V3, ttl=254), PLAIN3, V3),
    Flaw("version 2 where 3 is spoken", v3("7.1-version"), V2, PLAIN3, V3),
    Flaw("version 3 with an unknown type", v3("5.2.2-unknown", "7.1-type"), replace(V3, kind=2), PLAIN3, V3),
    Flaw(
        "version 3 with a wrong checksum", v3("7.1-checksum", "7.1-discard"), replace(V3, checksum=0xDEAD), PLAIN3, V3
    ),
    Flaw("version 3 with three bytes too few", v3("7.1-length"), replace(V3, cut=3), PLAIN3, V3),
    Flaw("version 3 with a count above the addresses", v3("7.1-length"), replace(V3, count=3), PLAIN3, V3),
    Flaw("version 3 without an address", ("9568:5.2.5-zero",), replace(V3, addresses=()), PLAIN3, V3),
    Flaw("version 3 with another VRID", v3("7.1-vrid"), replace(V3, vrid=52), PLAIN3, V3),
    Flaw("version 3 with an interval of zero", ("9568:7.1-interval",), replace(V3, interval=0), PLAIN3, V3),
    Flaw("version 3 with a list without our address", (), replace(V3, addresses=(STRANGE,), source=LOWER), PLAIN3, V3),
    Flaw("IPv6 with a hop limit of 254", v3("5.1.2.3-received", "7.1-ttl"), replace(V6, ttl=254), PLAIN6, V6),
    Flaw("IPv6 with a wrong checksum", v3("7.1-checksum"), replace(V6, checksum=0xDEAD), PLAIN6, V6),
    Flaw("IPv6 without the pseudo header", ("9568:5.2.8-v6",), replace(V6, pseudo_header=False), PLAIN6, V6),
    Flaw("IPv6 with an unknown type", v3("5.2.2-unknown"), replace(V6, kind=2), PLAIN6, V6),
    Flaw("IPv6 with an address too few", v3("7.1-length"), replace(V6, count=3), PLAIN6, V6),
    Flaw("IPv6 with another VRID", v3("7.1-vrid"), replace(V6, vrid=52), PLAIN6, V6),
    Flaw("IPv6 with an interval of zero", ("9568:7.1-interval",), replace(V6, interval=0), PLAIN6, V6),
    Flaw("IPv6 by unicast where multicast is configured", (), replace(V6, destination=SUBJECT6), PLAIN6, V6),
)


def as_backup(flawed: Advert) -> Play:
    """The play of a flaw heard by a BACKUP."""

    def play(bench: Bench) -> None:
        bench.begin()
        since = bench.send(bench.peer)
        bench.pass_time(since + PACE)
        with bench.stream(flawed, every=PACE):
            bench.takes_over_after(since, 3 + skew(100))

    return play


def as_master(flawed: Advert) -> Play:
    """The play of a flaw heard by a MASTER."""

    def play(bench: Bench) -> None:
        first = bench.begin_as_master()
        with bench.stream(replace(flawed, priority=254), every=PACE):
            bench.stays_master_for(3.2, first.at, 1.0, 100)

    return play


for flaw in FLAWS:
    add(Case(f"BACKUP discards {flaw.name}", flaw.clauses, flaw.text, as_backup(flaw.flawed), flaw.peer))
    add(Case(f"MASTER discards {flaw.name}", flaw.clauses, flaw.text, as_master(flaw.flawed), flaw.peer))


for plain, text in ((V2, PLAIN2), (PASS, AUTHENTICATED), (V3, PLAIN3)):
    kind = "with a password" if plain.auth_type else f"of version {plain.version}"
    sections = v3("6.4.2-higher") if plain.version == 3 else v2("6.4.2-higher")

    @case(f"BACKUP follows a good master {kind}", sections, text=text, peer=plain)
    def follows(bench: Bench) -> None:
        bench.begin()
        since = bench.send(bench.peer)
        with bench.stream(bench.peer, every=1.0):
            bench.stays_backup_for(5.0, since)

    sections = v3("6.4.3-higher") if plain.version == 3 else v2("6.4.3-higher")

    @case(f"MASTER yields to a better master {kind}", sections, text=text, peer=plain)
    def yields(bench: Bench) -> None:
        bench.begin_as_master()
        since = bench.send(replace(bench.peer, priority=254))
        bench.until(lambda: not bench.holds(), "it keeps the address")
        bench.takes_over_after(since, 3 + skew(100))


for kind, pseudo in (("with", True), ("without", False)):
    sections = (f"{'5798' if pseudo else '9568'}:5.2.8-received",)

    @case(
        f"a checksum of version 3 {kind} pseudo header is understood",
        sections,
        text=PLAIN3,
        peer=replace(V3, pseudo_header=pseudo),
    )
    def both_forms(bench: Bench) -> None:
        bench.begin()
        since = bench.send(bench.peer)
        with bench.stream(bench.peer, every=1.0):
            bench.stays_backup_for(4.5, since)


@case("bits that version 3 reserves are ignored", v3("5.2.6-received"), text=PLAIN3, peer=replace(V3, reserved=15))
def reserved(bench: Bench) -> None:
    bench.begin()
    since = bench.send(bench.peer)
    with bench.stream(bench.peer, every=1.0):
        bench.stays_backup_for(4.5, since)


@case(
    "authentication data is ignored without authentication", v2("5.3.6-none"), peer=replace(V2, auth_data=b"whatever")
)
def authentication_data(bench: Bench) -> None:
    bench.begin()
    since = bench.send(bench.peer)
    with bench.stream(bench.peer, every=1.0):
        bench.stays_backup_for(4.5, since)


@case("BACKUP does not learn an interval from an advert that it discards", v3("6.4.2-lower"), text=PLAIN3, peer=V3)
def learns_nothing(bench: Bench) -> None:
    bench.begin()
    since = bench.send(bench.peer)
    with bench.stream(replace(bench.peer, priority=50, interval=4000), every=PACE):
        bench.takes_over_after(since, 3 + skew(100))


@case("a hundred flawed adverts a second do not change a master's cadence", v2("7.1-checksum", "6.4.3-timer"))
def flood(bench: Bench) -> None:
    first = bench.begin_as_master()
    flawed = [replace(V2, priority=254, checksum=number, destination=GROUP4, source=HIGHER) for number in range(1, 50)]
    with bench.stream(*flawed, every=0.01):
        bench.stays_master_for(4.2, first.at, 1.0, 100)
    count = len(bench.adverts(first.at - 0.01))
    expect(count == 5, f"{count} adverts in four seconds, {1 + LATE:.2f} s apart at most")


@case("a flawed priority 0 does not shorten a backup's wait", v2("7.1-checksum", "7.1-discard"))
def flawed_zero(bench: Bench) -> None:
    bench.begin()
    since = bench.send(bench.peer)
    with bench.stream(replace(V2, priority=0, checksum=0xDEAD), replace(V2, priority=0, ttl=1), every=PACE):
        bench.takes_over_after(since, 3 + skew(100))


for name, changes in {
    "behind an IP header with options": {"options": b"\x94\x04\0\0"},
    "padded to Ethernet's 60 bytes": {"padding": 6},
}.items():

    @case(f"BACKUP follows an advert {name}", v2("6.4.2-higher"), peer=replace(V2, **changes))  # type: ignore[arg-type]
    def dressed(bench: Bench) -> None:
        bench.begin()
        since = bench.send(bench.peer)
        with bench.stream(bench.peer, every=1.0):
            bench.stays_backup_for(4.5, since)


LOGGED: Final = {
    "TTL": (replace(V2, ttl=254), "invalid TTL/HL"),
    "checksum": (replace(V2, checksum=0xDEAD), "Invalid VRRPv2 checksum"),
    "version": (V3, "wrong version"),
    "interval": (replace(V2, interval=2), "advertisement interval mismatch"),
    "list of addresses": (replace(V2, addresses=(STRANGE,)), "not present in MASTER advert"),
    "authentication type": (PASS, "received a 1 auth, expecting 0"),
}

for kind, (flawed, line) in LOGGED.items():

    @case(f"an advert that is discarded for its {kind} is logged", v2("7.1-log"))
    def logged(bench: Bench, flawed: Advert = flawed, line: str = line) -> None:
        bench.begin()
        bench.send(flawed)
        bench.says(line)


@case("an advert of version 3 that is discarded is logged", v3("7.1-log"), text=PLAIN3, peer=V3)
def logged3(bench: Bench) -> None:
    bench.begin()
    bench.send(replace(V3, checksum=0xDEAD))
    bench.says("Invalid VRRPv3 checksum")


@case("a list of version 3 that differs is logged", v3("7.1-addresses"), text=PLAIN3, peer=V3)
def list_logged(bench: Bench) -> None:
    bench.begin()
    bench.send(replace(V3, addresses=(STRANGE,)))
    bench.says("not present in MASTER advert")
