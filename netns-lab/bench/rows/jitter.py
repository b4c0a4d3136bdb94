"""How evenly a MASTER advertises while two other processes keep the processors busy."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from itertools import pairwise

from bench.figures import AtMost, Figure, Sample, Statistic
from bench.rows.row import Row
from bench.stage import Stage
from bench.subjects import Router, Subject
from bench.watch import Line
from bench.wire import Advert

BURNERS = 2


def rows() -> list[Row]:
    return [
        Row("jitter-0.1", _figures(0.1, None), partial(_sample, 0.1), most=1),
        Row("jitter-0.01", _figures(0.01, AtMost(15)), partial(_sample, 0.01), most=1),
    ]


def _figures(interval: float, limit: AtMost | None) -> tuple[Figure, ...]:
    title = f"VRRPv3 at {interval:g} s beside two busy processes"
    return (
        Figure("p50", f"{title}: between adverts, p50", "ms", None, Statistic.P50),
        Figure("p99", f"{title}: p99", "ms", limit, Statistic.P99),
        Figure("max", f"{title}: max", "ms", None, Statistic.MAX),
        Figure("transitions", f"{title}: transitions", "", AtMost(0), Statistic.MAX),
    )


def _sample(interval: float, stage: Stage, subject: Subject) -> Sample:
    with stage.pair(subject, Router(advert_int=interval, version=3)):
        for _ in range(BURNERS):
            stage.topology.client.spawn(
                [sys.executable, "-I", "-S", "-c", "while True: pass"], stdout=subprocess.DEVNULL
            )
        time.sleep(0.5)
        mark = stage.watch.mark()
        time.sleep(stage.effort.load)
        times = [seen.at for seen in stage.watch.since(Advert, mark) if seen.node == "a"]
        gaps = [(later - earlier) / 1e6 for earlier, later in pairwise(times)]
        transitions = [line for line in stage.watch.since(Line, mark) if "Entering" in line.text]
        return {"p50": gaps, "p99": gaps, "max": gaps, "transitions": float(len(transitions))}
