"""A timer runs out: how long until the kernel holds the VIP and the first gratuitous ARP is on the wire.

The switch goes deaf for the master, right after one of its adverts. The standby's timer is due a Master_Down_Interval
after that advert, by the kernel's clock at the switch. Then the switch listens again, and the standby steps back.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass

from bench.figures import AtMost, Figure, Sample, Statistic
from bench.rows.row import Row
from bench.stage import Pair, Stage
from bench.subjects import ROOT, Pyvrrpd, Router, Subject
from bench.watch import Holding
from bench.wire import Advert, Arp

ROUTER = Router(advert_int=0.05, version=3, preempt=True)
ROUNDS = 3  # the takeovers of a subject are spread over so many turns at most

FIGURES = (
    Figure("advert.p50", "takeover: timer due → first advert on the wire, p50", "ms", None, Statistic.P50),
    Figure("vip.p50", "takeover: timer due → VIP in the kernel, p50", "ms", None, Statistic.P50),
    Figure("vip", "takeover: timer due → VIP in the kernel, p99", "ms", AtMost(3), Statistic.P99),
    Figure("arp.p50", "takeover: timer due → first ARP on the wire, p50", "ms", None, Statistic.P50),
    Figure("arp", "takeover: timer due → first ARP on the wire, p99", "ms", AtMost(3), Statistic.P99),
    Figure("span", "takeover: first advert → first ARP, p99", "ms", None, Statistic.P99),
    Figure("own", "takeover: timer due → VIP as the daemon itself counts, p99", "ms", AtMost(3), Statistic.P99),
)


@dataclass(frozen=True, slots=True)
class _Takeover:
    """Milliseconds after the timer was due."""

    advert: float
    vip: float
    arp: float


def rows() -> list[Row]:
    return [Row("takeover", FIGURES, _sample, most=ROUNDS)]


def _sample(stage: Stage, subject: Subject) -> Sample:
    with stage.pair(subject, ROUTER) as pair:
        count = -(-stage.effort.takeovers // min(ROUNDS, stage.effort.repeat))
        takeovers, own = [], []
        for _ in range(count):
            takeovers.append(_take_over(stage, pair))
            if isinstance(subject, Pyvrrpd):
                own.append(_own_figure(pair))
            _step_back(stage, pair)
        adverts, vips, arps = ([getattr(t, name) for t in takeovers] for name in ("advert", "vip", "arp"))
        return {
            "advert.p50": adverts,
            "vip.p50": vips,
            "vip": vips,
            "arp.p50": arps,
            "arp": arps,
            "span": [takeover.arp - takeover.advert for takeover in takeovers],
            "own": own or "has no such figure",
        }


def _take_over(stage: Stage, pair: Pair) -> _Takeover:
    watch = stage.watch
    mark = watch.mark()
    watch.wait(Advert, lambda seen: seen.node == "a", "an advert of the master", since=mark, timeout=2.0)
    stage.topology.part("a")
    parted = time.time_ns()
    taken = pair.standby.wait_held(mark, timeout=5.0)
    first = watch.wait(Advert, lambda seen: seen.node == "b", "the new master's advert", since=mark, timeout=2.0)
    arp = watch.wait(
        Arp, lambda seen: seen.node == "b" and seen.address == pair.vip, "a gratuitous ARP", since=mark, timeout=2.0
    )
    last = max(seen.at for seen in watch.since(Advert, mark) if seen.node == "a" and seen.at < parted)
    due = last + round(pair.standby.routers[0].master_down * 1e9)
    return _Takeover((first.at - due) / 1e6, (taken - due) / 1e6, (arp.at - due) / 1e6)


def _step_back(stage: Stage, pair: Pair) -> None:
    mark = stage.watch.mark()
    stage.topology.mend("a")
    stage.watch.wait(
        Holding, lambda seen: seen.node == "b" and not seen.held, "the standby steps back", since=mark, timeout=5.0
    )
    time.sleep(3 * pair.active.routers[0].advert_int)


def _own_figure(pair: Pair) -> float:
    """Milliseconds of the last takeover, as `pyvrrpctl status` has them."""
    done = subprocess.run(
        [ROOT / ".venv/bin/pyvrrpctl", "--socket", pair.standby.work / "socket", "status", "--json"],
        capture_output=True,
        check=True,
    )
    return float(json.loads(done.stdout)["snapshot"]["instances"][0]["last"]["vip_live"]) * 1000
