"""The service dies or hangs while its node and its daemon live."""

from __future__ import annotations

import signal
import time
from functools import partial

from bench import services
from bench.figures import AtMost, Figure, Sample
from bench.rows.row import Row
from bench.sandbox import is_real_root
from bench.services import Probe
from bench.stage import Pair, Stage
from bench.subjects import Check, Keepalived, Router, Subject
from bench.watch import NotSeenError

TUTORIAL = Check(interval=2, timeout=3, fall=3)
EACH_SECOND = Check(interval=1, timeout=3, fall=1)
# Only news that come by themselves can be quick here: the check runs once a minute.
EVENT_ONLY = Check(interval=60, timeout=3, fall=3)
PATIENCE = 0.02  # seconds that the client gives each connection
SEDATE = 1.0  # the same while nobody accepts: each attempt stays in the listener's queue, and a full queue is refused
SCRIPTLESS = "skipped: it runs no scripts as root of a user namespace"
SLOWEST = 20.0  # seconds: the tutorial's check needs up to nine, and the skew time comes on top


def rows() -> list[Row]:
    def figure(title: str) -> tuple[Figure]:
        return (Figure("outage", title, "ms", AtMost(700)),)

    killed = "mysqld SIGKILLed"
    return [
        Row("mysql-tutorial", figure(f"{killed}, tutorial's check (2 s, fall 3)"), partial(_kill, TUTORIAL)),
        Row("mysql-second", figure(f"{killed}, check each second, fall 1"), partial(_kill, EACH_SECOND)),
        Row("mysql-event", figure(f"{killed}, noticed as an event (check once a minute)"), _kill_by_event),
        Row("mysql-mariadb", figure(f"{killed}, tutorial's check, real MariaDB"), _kill_mariadb),
        Row(
            "mysql-hang",
            (Figure("outage", "mysqld SIGSTOPped, check of type TCP, tutorial's", "ms"),),
            _hang,
            most=1,
        ),
    ]


def _kill(check: Check, stage: Stage, subject: Subject, *, database: bool = False) -> Sample:
    if _scriptless(subject):
        return {"outage": SCRIPTLESS}
    with (
        stage.pair(subject, Router(), check, database=database) as pair,
        services.connections(stage.topology.client, stage.watch, pair.vip, PATIENCE) as probe,
    ):
        return {"outage": _outage(stage, pair, probe, signal.SIGKILL, SLOWEST)}


def _kill_by_event(stage: Stage, subject: Subject) -> Sample:
    if isinstance(subject, Keepalived):
        return {"outage": "skipped: its track_process sees no process from inside a network namespace"}
    return _kill(EVENT_ONLY, stage, subject)


def _kill_mariadb(stage: Stage, subject: Subject) -> Sample:
    if not services.mariadb_available():
        return {"outage": "skipped: no MariaDB here"}
    return _kill(TUTORIAL, stage, subject, database=True)


def _hang(stage: Stage, subject: Subject) -> Sample:
    if _scriptless(subject):
        return {"outage": SCRIPTLESS}
    limit = stage.effort.patience + TUTORIAL.interval * TUTORIAL.fall
    with (
        stage.pair(subject, Router(), TUTORIAL) as pair,
        services.connections(stage.topology.client, stage.watch, pair.vip, SEDATE) as probe,
    ):
        try:
            return {"outage": _outage(stage, pair, probe, signal.SIGSTOP, limit)}
        except NotSeenError:
            return {"outage": f"no failover in {limit:g} s: the kernel goes on accepting for a stopped process"}


def _scriptless(subject: Subject) -> bool:
    return isinstance(subject, Keepalived) and not is_real_root()


def _outage(stage: Stage, pair: Pair, probe: Probe, number: signal.Signals, limit: float) -> float:
    """Milliseconds until the other node serves. Raises NotSeenError when it does not within `limit` seconds."""
    stage.half_past_advert(pair.active)
    mark, began = stage.watch.mark(), time.time_ns()
    pair.service["a"].signal(number)
    taken = pair.standby.wait_held(mark, timeout=limit)
    probe.wait_answered(taken, timeout=5.0)
    time.sleep(0.1)
    return probe.outage(began)
