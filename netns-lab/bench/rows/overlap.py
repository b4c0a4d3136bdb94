"""The active daemon is killed or stopped, its node is not: for how long do two nodes hold one address?"""

from __future__ import annotations

import signal
import time
from functools import partial

from bench.figures import AtMost, Figure, Noted, Sample
from bench.rows.row import Row
from bench.stage import Stage
from bench.subjects import Router, Subject
from bench.watch import Holding


def rows() -> list[Row]:
    def row(key: str, what: str, number: signal.Signals) -> Row:
        figure = Figure("overlap", f"agent {what} while MASTER: VIP on two nodes", "ms", AtMost(0))
        return Row(key, (figure,), partial(_sample, number), most=2)

    return [
        row("overlap-kill", "SIGKILLed", signal.SIGKILL),
        row("overlap-stop", "SIGSTOPped", signal.SIGSTOP),
    ]


def _sample(number: signal.Signals, stage: Stage, subject: Subject) -> Sample:
    with stage.pair(subject, Router()) as pair:
        stage.half_past_advert(pair.active)
        mark = stage.watch.mark()
        pair.active.hit(number)
        pair.standby.wait_held(mark)
        time.sleep(stage.effort.patience)
        end = time.time_ns()
        changes = [change for change in stage.watch.since(Holding, mark) if change.address == pair.vip]
        overlap = both_held(changes, {"a"}, end) / 1e6
        if stage.watch.holders[pair.vip] == {"a", "b"}:
            return {"overlap": Noted(overlap, f"for ever: not over after {stage.effort.patience:g} s")}
        return {"overlap": overlap}


def both_held(changes: list[Holding], holders: set[str], end: int) -> int:
    """Nanoseconds during which more than one node held the address, of those that hold it at the beginning."""
    total = 0
    holding = set(holders)
    since = None
    for change in changes:
        (holding.add if change.held else holding.discard)(change.node)
        if len(holding) > 1 and since is None:
            since = change.at
        elif len(holding) < 2 and since is not None:
            total += change.at - since
            since = None
    return total + (end - since if since is not None else 0)
