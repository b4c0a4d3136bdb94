"""The node with the higher priority comes back and preempts."""

from __future__ import annotations

import time
from dataclasses import replace

from bench import services
from bench.figures import AtMost, Figure, Sample
from bench.rows.row import Row
from bench.stage import Stage
from bench.subjects import Router, Subject

FIGURES = (
    Figure("outage", "preempt hand-back: client outage", "ms", AtMost(2)),
    Figure("overlap", "preempt hand-back: both nodes hold the VIP", "ms"),
)
PREEMPTING = Router(preempt=True)
AFTERWARDS = 0.5


def rows() -> list[Row]:
    return [Row("handback", FIGURES, _sample)]


def _sample(stage: Stage, subject: Subject) -> Sample:
    vip = PREEMPTING.vip
    with stage.clean() as stack:
        standby = stage.agent(stack, subject, "b", [replace(PREEMPTING, priority=90)])
        standby.wait_held(standby.mark)
        probe = stack.enter_context(services.echoes(stage.topology.client, stage.watch, vip))
        returning = stage.agent(stack, subject, "a", [PREEMPTING])
        taken = returning.wait_held(returning.mark)
        stage.watch.until(lambda: stage.watch.holders[vip] == {"a"}, "the VIP leaves the standby", 5.0)
        left = time.time_ns()
        time.sleep(AFTERWARDS)
        return {"outage": probe.outage(taken - 500_000_000), "overlap": (left - taken) / 1e6}
