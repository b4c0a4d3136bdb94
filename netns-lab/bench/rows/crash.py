"""The active node vanishes: its power goes, or its cable. The cut comes half an interval after an advert."""

from __future__ import annotations

import time
from functools import partial

from bench import services
from bench.figures import Figure, RatioAtMost, Sample
from bench.rows.row import Row
from bench.stage import Pair, Stage
from bench.subjects import Router, Subject

SLOW = Router()
TENTH = Router(advert_int=0.1, version=3)
HUNDREDTH = Router(advert_int=0.01, version=3)


def rows() -> list[Row]:
    def figure(title: str, limit: float) -> tuple[Figure]:
        return (Figure("outage", f"{title}: client outage", "ms", RatioAtMost(limit)),)

    return [
        Row(
            "baseline", (Figure("outage", "no event (what the client's measuring adds by itself)", "ms"),), _baseline, 2
        ),
        Row("crash", figure("crash (power off), advert_int 1", 1.01), partial(_crash, SLOW)),
        Row("linkdown", figure("link down, advert_int 1", 1.01), _link_down),
        Row("crash-0.1", figure("crash, VRRPv3 at 0.1 s", 1.05), partial(_crash, TENTH)),
        Row("crash-0.01", figure("crash, VRRPv3 at 0.01 s", 1.05), partial(_crash, HUNDREDTH)),
    ]


def _baseline(stage: Stage, subject: Subject) -> Sample:
    with (
        stage.pair(subject, SLOW) as pair,
        services.echoes(stage.topology.client, stage.watch, pair.vip) as probe,
    ):
        time.sleep(stage.effort.baseline)
        return {"outage": probe.outage(probe.answers[0].answered)}


def _crash(router: Router, stage: Stage, subject: Subject) -> Sample:
    with stage.pair(subject, router) as pair:
        return _outage(stage, pair, power=True)


def _link_down(stage: Stage, subject: Subject) -> Sample:
    with stage.pair(subject, SLOW) as pair:
        return _outage(stage, pair, power=False)


def _outage(stage: Stage, pair: Pair, *, power: bool) -> Sample:
    with services.echoes(stage.topology.client, stage.watch, pair.vip) as probe:
        stage.half_past_advert(pair.active)
        mark, began = stage.watch.mark(), time.time_ns()
        (stage.power_off if power else stage.topology.cut)("a")
        taken = pair.standby.wait_held(mark)
        probe.wait_answered(taken, timeout=5.0)
        time.sleep(0.1)
        return {"outage": probe.outage(began)}
