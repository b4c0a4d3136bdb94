"""SIGTERM for the active daemon: what two kinds of client notice."""

from __future__ import annotations

import signal
import time

from bench import services
from bench.figures import AtMost, Figure, Sample
from bench.rows.row import Row
from bench.stage import Stage
from bench.subjects import Router, Subject
from bench.watch import NotSeenError

AFTERWARDS = 2.5  # seconds: a SYN that was lost is sent again after one, and a daemon's second ARPs should be seen too
# As far as it can be explained: the question was acknowledged, the address left before the answer, so the client's
# kernel has nothing to send again and nobody tells it that the connection is gone.
HUNG = "and a run in which the client still waited after 12 s"

FIGURES = (
    Figure("echoes", "graceful stop: client probing each ms", "ms", AtMost(5)),
    Figure("connections", "graceful stop: TCP client with the kernel's own time-outs", "ms", AtMost(10)),
)


def rows() -> list[Row]:
    return [Row("stop", FIGURES, _sample)]


def _sample(stage: Stage, subject: Subject) -> Sample:
    client, watch = stage.topology.client, stage.watch
    with (
        stage.pair(subject, Router()) as pair,
        services.echoes(client, watch, pair.vip) as echoes,
        services.connections(client, watch, pair.vip) as connections,
    ):
        stage.half_past_advert(pair.active)
        mark, began = watch.mark(), time.time_ns()
        pair.active.ask(signal.SIGTERM)
        taken = pair.standby.wait_held(mark)
        time.sleep(AFTERWARDS)
        echoes.wait_answered(taken, timeout=5.0)
        try:
            connections.wait_answered(taken, timeout=10.0)
        except NotSeenError:
            return {"echoes": echoes.outage(began), "connections": HUNG}
        return {"echoes": echoes.outage(began), "connections": connections.outage(began)}
