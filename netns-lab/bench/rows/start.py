"""From exec to BACKUP, from exec to the VIP, and the memory of a daemon with one instance."""

from __future__ import annotations

import time

from bench.figures import AtMost, Figure, Sample
from bench.process import memory
from bench.rows.row import Row
from bench.stage import Stage
from bench.subjects import Router, Subject

FIGURES = (
    Figure("backup", "start: exec → BACKUP", "ms", AtMost(300)),
    Figure("vip", "start: exec → VIP present (priority 100: 3609 ms are the protocol's)", "ms"),
    Figure("rss", "RSS with one instance, all processes", "MB", AtMost(45)),
    Figure("pss", "PSS with one instance, all processes", "MB"),
)


def rows() -> list[Row]:
    return [Row("start", FIGURES, _sample)]


def _sample(stage: Stage, subject: Subject) -> Sample:
    with stage.clean() as stack:
        agent = stage.agent(stack, subject, "a", [Router()])
        backup = agent.wait_backup()
        held = agent.wait_held(agent.mark)
        time.sleep(0.5)
        used = memory(agent.pids())
        return {
            "backup": (backup - agent.started) / 1e6,
            "vip": (held - agent.started) / 1e6,
            "rss": used.rss,
            "pss": used.pss,
        }
