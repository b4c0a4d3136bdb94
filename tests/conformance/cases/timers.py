"""How long a backup waits and how often a master speaks, by the kernel's time stamps."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.bench import LATE, Bench, expect
from tests.conformance.case import case, instance, skew, v2, v3
from tests.conformance.packets import Advert

V2, V3 = Advert(), Advert(version=3, interval=100)

for priority in (1, 100, 200, 254):

    @case(
        f"version 2: at priority {priority} a silent master is replaced after {3 + skew(priority):.2f} s",
        v2("6.1-skew", "6.1-down", "6.2-down", "6.4.2-timer"),
        text=instance(priority=priority),
        peer=replace(V2, priority=254),
    )
    def master_down(bench: Bench, wait: float = 3 + skew(priority)) -> None:
        bench.begin()
        bench.takes_over_after(bench.send(bench.peer), wait)


@case(
    "version 2: the skew time does not grow with the interval",
    v2("6.1-skew", "6.1-down"),
    text=instance(advert_int=2),
    peer=replace(V2, interval=2),
)
def skew_of_version2(bench: Bench) -> None:
    bench.begin()
    bench.takes_over_after(bench.send(bench.peer), 6 + skew(100))


@case(
    "version 3: the skew time is a part of the interval",
    v3("6.1-skew", "6.1-down", "6.2-down", "6.4.2-timer"),
    text=instance(version=3, advert_int=0.4),
    peer=replace(V3, interval=40),
)
def skew_of_version3(bench: Bench) -> None:
    bench.begin()
    bench.takes_over_after(bench.send(bench.peer), 1.2 + skew(100, 0.4))


@case(
    "version 3: a backup waits by the interval that the master has",
    v3("5.2.7-learned", "6.1-learned", "6.4.2-learned"),
    text=instance(version=3, advert_int=0.2),
    peer=V3,
)
def learned(bench: Bench) -> None:
    bench.begin()
    bench.takes_over_after(bench.send(bench.peer), 3 + skew(100))


@case(
    "version 3: once master it uses its own interval again",
    v3("6.4.2-own-interval"),
    text=instance(version=3, advert_int=0.3),
    peer=V3,
)
def own_interval(bench: Bench) -> None:
    bench.begin()
    first = bench.take_over()
    second = bench.next_advert(first.at)
    expect(second.interval == 30, f"the field says {second.interval}")
    expect(second.at - first.at < 0.3 + LATE, f"the next advert came after {second.at - first.at:.1f} s")


@case("version 2: at its start a backup waits for the whole time", v2("6.4.1-backup"))
def start(bench: Bench) -> None:
    bench.begin()
    bench.stays_backup_for(3.0, bench.started)
    bench.next_advert(bench.started)


@case(
    "version 3: at its start a backup waits for the whole time of its own interval",
    v3("6.4.1-backup"),
    text=instance(version=3, advert_int=0.5),
    peer=replace(V3, interval=50),
)
def start_of_version3(bench: Bench) -> None:
    bench.begin()
    bench.stays_backup_for(1.5, bench.started)
    bench.next_advert(bench.started)


@case("version 2: a master advertises once a second", v2("6.2-adver", "6.4.3-timer"))
def cadence(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.stays_master_for(4.2, first.at, 1.0, 100)
    count = len(bench.adverts(first.at - 0.01))
    expect(count == 5, f"{count} adverts in four seconds")


@case(
    "version 3: a master advertises ten times a second",
    v3("6.2-adver", "6.4.3-timer"),
    text=instance(version=3, advert_int=0.1),
    peer=replace(V3, interval=10),
)
def fast_cadence(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.stays_master_for(3.0, first.at, 0.1, 100)
    count = len(bench.adverts(first.at - 0.01))
    expect(27 <= count <= 31, f"{count} adverts in three seconds")


for plain, sections in ((V2, v2("6.4.2-zero")), (V3, v3("6.4.2-zero"))):

    @case(
        f"version {plain.version}: when the master leaves with priority 0 a backup waits for the skew time only",
        sections,
        peer=plain,
    )
    def zero(bench: Bench) -> None:
        bench.begin()
        bench.send(bench.peer)
        bench.takes_over_after(bench.send(replace(bench.peer, priority=0)), skew(100))


@case(
    "version 3: the skew time after priority 0 is of the leaving master's interval",
    v3("6.4.2-zero", "6.1-skew"),
    text=instance(version=3, advert_int=0.1),
    peer=replace(V3, interval=150),
)
def zero_learned(bench: Bench) -> None:
    bench.begin()
    bench.send(bench.peer)
    bench.takes_over_after(bench.send(replace(bench.peer, priority=0)), skew(100, 1.5))


for plain, sections in ((V2, v2("6.4.3-zero")), (V3, v3("6.4.3-zero"))):

    @case(
        f"version {plain.version}: a master answers priority 0 at once and starts its interval anew",
        sections,
        peer=plain,
    )
    def zero_to_a_master(bench: Bench) -> None:
        first = bench.begin_as_master()
        bench.pass_time(first.at + 0.4)
        asked = bench.send(replace(bench.peer, priority=0))
        answer = bench.next_advert(asked, 3.0)
        expect(answer.at - asked < 0.3, f"the answer came after {answer.at - asked:.1f} s")
        following = bench.next_advert(answer.at, 3.0)
        gap = following.at - answer.at
        expect(0.95 <= gap <= 1 + LATE, f"the advert after the answer came after {gap:.1f} s")


@case(
    "down_timer_adverts 5 waits for five intervals",
    (),
    text=instance("down_timer_adverts 5", version=3, advert_int=0.3),
    peer=replace(V3, interval=30),
)
def down_timer_adverts(bench: Bench) -> None:
    bench.begin()
    bench.takes_over_after(bench.send(bench.peer), 1.5 + skew(100, 0.3))


@case(
    "version 3: an interval that is not the configured one is told of, and followed",
    ("9568:7.1-interval-log",),
    peer=replace(V3, interval=150),
)
def interval_logged(bench: Bench) -> None:
    bench.begin()
    since = bench.send(bench.peer)
    bench.says("advertisement interval updated")
    bench.takes_over_after(since, 4.5 + skew(100, 1.5))
