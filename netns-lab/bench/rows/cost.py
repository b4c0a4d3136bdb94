"""What many virtual routers cost a MASTER and a BACKUP, and whether every advert goes out."""

from __future__ import annotations

import time
from functools import partial
from itertools import pairwise

from bench.figures import AtMost, Figure, Sample
from bench.process import cpu_seconds, memory
from bench.rows.row import Row
from bench.stage import Effort, Stage
from bench.subjects import Router, Subject
from bench.watch import Line
from bench.wire import Advert

PER_LINK = 250  # of the 255 that a virtual router id of 8 bits leaves
GREATEST = 1000


def rows(effort: Effort) -> list[Row]:
    return [Row(f"cost-{count}", _figures(count), partial(_sample, count), most=1) for count in effort.instances]


def _figures(count: int) -> tuple[Figure, ...]:
    title = f"{count} instance{'s' if count > 1 else ''}, advert_int 1"
    goals = (AtMost(6), AtMost(70)) if count == GREATEST else (None, None)
    return (
        Figure("master", f"{title}: CPU of the MASTER", "% of a core", goals[0]),
        Figure("backup", f"{title}: CPU of the BACKUP", "% of a core"),
        Figure("rss", f"{title}: RSS of the MASTER", "MB", goals[1]),
        Figure("lost", f"{title}: adverts lost", "", AtMost(0)),
        Figure("transitions", f"{title}: transitions", "", AtMost(0)),
    )


def _sample(count: int, stage: Stage, subject: Subject) -> Sample:
    routers = [Router(number=1 + i % PER_LINK, link=i // PER_LINK) for i in range(count)]
    with stage.clean() as stack:
        active, standby = stage.elect(stack, subject, routers)
        time.sleep(6.0)  # the second round of gratuitous ARPs comes five seconds after a takeover
        master, backup = active.pids(), standby.pids()
        mark = stage.watch.mark()
        before, began = (cpu_seconds(master), cpu_seconds(backup)), time.monotonic()
        time.sleep(stage.effort.cost)
        after, took = (cpu_seconds(master), cpu_seconds(backup)), time.monotonic() - began
        transitions = [line for line in stage.watch.since(Line, mark) if "Entering" in line.text]
        return {
            "master": 100 * (after[0] - before[0]) / took,
            "backup": 100 * (after[1] - before[1]) / took,
            "rss": memory(master).rss,
            "lost": float(_lost(stage.watch.since(Advert, mark), count, stage.effort.cost)),
            "transitions": float(len(transitions)),
        }


def _lost(adverts: list[Advert], count: int, seconds: float) -> int:
    """Adverts of node a that should have been there: holes between two of one router, and routers never heard."""
    times: dict[tuple[int, int], list[int]] = {}
    for advert in adverts:
        if advert.node == "a":
            times.setdefault((advert.link, advert.vrid), []).append(advert.at)
    holes = sum(round((later - earlier) / 1e9) - 1 for heard in times.values() for earlier, later in pairwise(heard))
    return holes + (count - len(times)) * int(seconds)
