"""Who is master: preemption, equals, the owner."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.bench import ANSWER, Bench, expect
from tests.conformance.case import case, instance, skew, v2, v3
from tests.conformance.packets import HIGHER, LOWER, Advert

V2, V3 = Advert(), Advert(version=3, interval=100)
BOTH = ((V2, v2), (V3, v3))

for plain, rfc in BOTH:
    text = instance(version=plain.version)

    @case(
        f"version {plain.version}: BACKUP discards a worse master and takes its place",
        rfc("6.1-preempt", "6.4.2-lower"),
        peer=plain,
    )
    def preempts(bench: Bench) -> None:
        bench.begin()
        since = bench.send(bench.peer)
        bench.pass_time(since + 0.1)
        with bench.stream(replace(bench.peer, priority=99), every=0.5):
            bench.takes_over_after(since, 3 + skew(100))

    @case(
        f"version {plain.version}: without preemption BACKUP follows a worse master",
        rfc("6.1-preempt", "6.4.2-nopreempt"),
        text=instance("nopreempt", version=plain.version),
        peer=plain,
    )
    def does_not_preempt(bench: Bench) -> None:
        bench.begin()
        with bench.stream(replace(bench.peer, priority=50), every=1.0):
            bench.stays_backup_for(5.0, bench.now())

    @case(
        f"version {plain.version}: without preemption BACKUP still replaces a worse master that is silent",
        rfc("6.4.2-nopreempt", "6.4.2-timer"),
        text=instance("nopreempt", version=plain.version),
        peer=plain,
    )
    def replaces(bench: Bench) -> None:
        bench.begin()
        bench.takes_over_after(bench.send(replace(bench.peer, priority=50)), 3 + skew(100))

    @case(f"version {plain.version}: BACKUP follows a master of equal priority", rfc("6.4.2-higher"), peer=plain)
    def equal(bench: Bench) -> None:
        bench.begin()
        with bench.stream(replace(bench.peer, priority=100, source=LOWER), every=1.0):
            bench.stays_backup_for(5.0, bench.now())

    @case(
        f"version {plain.version}: of two equal masters the one with the higher address stays",
        rfc("6.4.3-equal"),
        peer=plain,
    )
    def higher_address(bench: Bench) -> None:
        bench.begin_as_master()
        since = bench.send(replace(bench.peer, priority=100, source=HIGHER))
        bench.until(lambda: not bench.holds(), "it keeps the address beside a master with a higher address")
        bench.takes_over_after(since, 3 + skew(100))

    @case(
        f"version {plain.version}: MASTER stays beside an equal one with a lower address",
        rfc("6.4.3-lower"),
        peer=plain,
    )
    def lower_address(bench: Bench) -> None:
        first = bench.begin_as_master()
        with bench.stream(replace(bench.peer, priority=100, source=LOWER), every=1.0):
            bench.stays_master_for(3.2, first.at, 1.0, 100)

    @case(
        f"version {plain.version}: MASTER yields at once to a higher priority, without another advert",
        rfc("6.4.3-higher"),
        peer=plain,
    )
    def higher_priority(bench: Bench) -> None:
        bench.begin_as_master()
        since = bench.send(replace(bench.peer, priority=101, source=LOWER))
        bench.until(lambda: not bench.holds(), "it keeps the address", 1.5)
        with bench.stream(replace(bench.peer, priority=101, source=LOWER), every=1.0):
            bench.stays_backup_for(2.5, since)

    @case(
        f"version {plain.version}: MASTER stays when it hears a lower priority",
        rfc("6.4.3-lower"),
        peer=plain,
    )
    def lower_priority(bench: Bench) -> None:
        first = bench.begin_as_master()
        with bench.stream(replace(bench.peer, priority=99), every=0.7):
            bench.stays_master_for(3.2, first.at, 1.0, 100)

    @case(
        f"version {plain.version}: the owner of the address is master at once and says 255",
        rfc("6.4.1-owner", "5.2.4-owner" if plain.version == 3 else "5.3.4-owner"),
        text=instance(version=plain.version, priority=255, advert_int=5),
        peer=plain,
    )
    def owner(bench: Bench) -> None:
        bench.start()
        bench.says("(VI_1) Entering MASTER STATE")
        first = bench.next_advert(bench.started)
        expect(first.priority == 255, f"it says {first.priority}")
        expect(first.at - bench.started < 10, f"it came after {first.at - bench.started:.1f} s")
        bench.until(bench.holds, "the address did not come")

    @case(
        f"version {plain.version}: the owner takes its address from a worse master even with nopreempt",
        rfc("6.1-owner"),
        text=instance("nopreempt", version=plain.version, priority=255, advert_int=5),
        peer=replace(plain, interval=5 if plain.version == 2 else 500),
    )
    def owner_preempts(bench: Bench) -> None:
        with bench.stream(bench.peer, every=0.5):
            bench.start()
            first = bench.next_advert(0.0)
            expect(first.at - bench.started < 10, f"it took over after {first.at - bench.started:.1f} s")
            bench.until(bench.holds, "the address did not come")

    @case(
        f"version {plain.version}: the owner stays master whatever others say, and tells of them",
        rfc("7.1-owner"),
        text=instance(version=plain.version, priority=255),
        peer=plain,
    )
    def owner_stays(bench: Bench) -> None:
        bench.start()
        first = bench.next_advert(bench.started)
        bench.until(bench.holds, "the address did not come")
        with bench.stream(replace(bench.peer, priority=254), every=0.5):
            bench.stays_master_for(3.2, first.at, 1.0, 255)
        expect(HIGHER in bench.log(), "it does not tell who else speaks")


@case("two owners of one address are told of", ("9568:8.3.2-log",), text=instance(version=3, priority=255), peer=V3)
def two_owners(bench: Bench) -> None:
    bench.start()
    bench.next_advert(bench.started)
    bench.send(replace(bench.peer, priority=255))
    bench.until(lambda: HIGHER in bench.log() or "CONFIGURATION ERROR" in bench.log(), "it says nothing", 3.0)


@case("version 3: MASTER answers a lower priority at once", ("9568:6.4.3-assert",), peer=V3)
def asserts(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.pass_time(first.at + 0.4)
    asked = bench.send(replace(bench.peer, priority=50))
    answer = bench.next_advert(asked)
    expect(answer.at - asked < 0.3, f"the next advert came after {answer.at - asked:.1f} s")


@case(
    "with lower_prio_no_advert MASTER discards a lower priority in silence",
    v2("6.4.3-lower-silent"),
    ("5798:6.4.3-lower-silent",),
    text=instance("lower_prio_no_advert"),
)
def silent(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.pass_time(first.at + 0.3)
    asked = bench.send(replace(bench.peer, priority=50))
    answer = bench.next_advert(asked)
    expect(answer.at - first.at > 0.9, f"it answered after {answer.at - asked:.2f} s")


@case(
    "with higher_prio_send_advert MASTER says a last word to a better one",
    (),
    text=instance("higher_prio_send_advert"),
)
def last_word(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.pass_time(first.at + 0.3)
    asked = bench.send(bench.peer)
    answer = bench.next_advert(asked)
    expect(answer.at - asked < ANSWER, f"its last advert came after {answer.at - asked:.1f} s")
    bench.until(lambda: not bench.holds(), "it keeps the address")


@case("preempt_delay 2 lets a worse master be for so long", (), text=instance("preempt_delay 2", priority=200))
def preempt_delay(bench: Bench) -> None:
    bench.begin()
    worse = replace(bench.peer, priority=100)
    since = bench.send(worse)
    with bench.stream(worse, every=1.0):
        first = bench.next_advert(since)
        took = first.at - since
        expect(1.9 < took < 2 + 3 + skew(200) + 0.5, f"it took over after {took:.1f} s")


@case("a lower priority from a reload is advertised, and the address stays", ())
def lower_by_reload(bench: Bench) -> None:
    bench.begin_as_master()
    bench.write(instance(priority=90))
    bench.reload()
    frame = bench.next_advert(0.0, priority=90)
    bench.stays_master_for(2.2, frame.at, 1.0, 90)
