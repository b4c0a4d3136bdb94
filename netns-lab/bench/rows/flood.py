"""How evenly a MASTER advertises while somebody on the link sends it 50,000 bad packets a second."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from functools import partial
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path
from random import Random

from bench.figures import AtMost, Figure, Sample, Statistic
from bench.rows.row import Row
from bench.stage import Stage
from bench.subjects import Router, Subject
from bench.topology import Place
from bench.watch import Line
from bench.wire import Advert
from pyvrrp.core import const
from pyvrrp.core.wire import Advert as Packet
from pyvrrp.core.wire import encode

RATE = 50_000  # packets a second
LOUD = 10.0  # seconds
KINDS = 64  # packets that are sent in turn
_FLOOD = Path(__file__).parents[1] / "flood.py"
_SOURCE = "10.77.0.66"
_VARIETY = Random(112)


def rows() -> list[Row]:
    return [
        Row("flood-1", _figures("VRRPv2 at 1 s", AtMost(10)), partial(_sample, Router(advert_int=1)), most=1),
        Row("flood-0.1", _figures("VRRPv3 at 0.1 s", AtMost(10)), partial(_sample, _fast(0.1)), most=1),
        Row("flood-0.01", _figures("VRRPv3 at 0.01 s", None), partial(_sample, _fast(0.01)), most=1),
    ]


def _fast(advert_int: float) -> Router:
    return Router(advert_int=advert_int, version=3)


def _figures(what: str, limit: AtMost | None) -> tuple[Figure, ...]:
    title = f"{what} under {RATE} bad packets a second"
    return (
        Figure("quiet", f"{what} without: between adverts, max", "ms", None, Statistic.MAX),
        Figure("p50", f"{title}: between adverts, p50", "ms", None, Statistic.P50),
        Figure("p99", f"{title}: p99", "ms", None, Statistic.P99),
        Figure("max", f"{title}: max", "ms", None, Statistic.MAX),
        Figure("moved", f"{title}: intervals off by, p99", "%", limit, Statistic.P99),
        Figure("transitions", f"{title}: transitions", "", AtMost(0), Statistic.MAX),
        Figure("rate", f"{title}: sent", "packets/s", None, Statistic.MEDIAN),
    )


def _sample(router: Router, stage: Stage, subject: Subject) -> Sample:
    with stage.clean() as stack:
        agent = stage.agent(stack, subject, "a", [router])
        agent.wait_held(agent.mark)
        time.sleep(0.5)
        mark = stage.watch.mark()
        time.sleep(stage.effort.load)
        quiet = _gaps(stage, mark)
        mark = stage.watch.mark()
        began = time.time_ns()
        rate = _flood(stage.topology.client, router)
        loud = _gaps(stage, mark)
        times = [seen.at for seen in stage.watch.since(Advert, mark) if seen.node == "a"]
        silent = (time.time_ns() - max(times, default=began)) / 1e6
        if silent > 2 * router.advert_int * 1e3:
            loud.append(silent)  # it has fallen silent
        transitions = [line for line in stage.watch.since(Line, mark) if "Entering" in line.text]
        interval = router.advert_int * 1e3
        moved = [abs(each - interval) / interval * 100 for each in loud]
        return {
            "quiet": quiet,
            "p50": loud,
            "p99": loud,
            "max": loud,
            "moved": moved,
            "transitions": float(len(transitions)),
            "rate": rate,
        }


def _gaps(stage: Stage, mark: int) -> list[float]:
    """Milliseconds between the adverts of node a since the mark."""
    times = [seen.at for seen in stage.watch.since(Advert, mark) if seen.node == "a"]
    return [(later - earlier) / 1e6 for earlier, later in pairwise(times)]


def _flood(client: Place, router: Router) -> float:
    """Send for LOUD seconds; how many packets a second left."""
    command = [sys.executable, "-I", "-S", str(_FLOOD), "eth0", str(RATE), str(LOUD)]
    frames = "\n".join(frame.hex() for frame in _garbage(router))
    with client.inside():
        done = subprocess.run(command, input=frames, capture_output=True, text=True, check=True, timeout=LOUD + 60)
    sent, seconds = done.stdout.split()
    return int(sent) / float(seconds)


def _garbage(router: Router) -> list[bytes]:
    """Frames that a MASTER must refuse: wrong sums, guessed passwords, what is too short, noise with its number."""
    source, vip = IPv4Address(_SOURCE), IPv4Address(router.vip)
    frames = []
    for number in range(KINDS):
        auth = (const.AUTH_PASS, _VARIETY.randbytes(8)) if router.version == 2 else (const.AUTH_NONE, b"")
        interval = round(router.advert_int * const.CENTISECONDS)
        good = encode(Packet(router.version, router.number, 254, interval, (vip,), *auth), source, const.GROUP_IPV4)
        payload = (
            good[:6] + _VARIETY.randbytes(2) + good[8:],
            good if router.version == 2 else bytes([0x21]) + good[1:],
            good[: _VARIETY.randrange(2, len(good))],
            good[:2] + _VARIETY.randbytes(_VARIETY.randrange(40)),
        )[number % 4]
        frames.append(_frame(source.packed, payload))
    return frames


def _frame(source: bytes, payload: bytes) -> bytes:
    """An Ethernet frame with this payload for the group of VRRP."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, const.TTL, const.PROTOCOL, 0, source,
                       const.GROUP_IPV4.packed)  # fmt: skip
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack("!H", (total + (total >> 16)) & 0xFFFF ^ 0xFFFF) + head[12:]
    return bytes.fromhex("01005e000012 020000000066 0800") + (head + payload).ljust(46, b"\0")
