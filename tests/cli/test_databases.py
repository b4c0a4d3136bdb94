"""A database on the page of status, and what of it is unhealthy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyvrrp.cli import render, sentences
from pyvrrp.core.snapshot import DatabaseStatus
from tests.cli.answers import BACKUP, CHANNEL, DATABASE, MASTER, NOW, answer

PAGE = """\
db1   pyvrrpd 0.1.0   up 3d04h   /etc/pyvrrp/node.yaml (ok, loaded 2025-11-20 08:03)

INSTANCE  IFACE  VRID  STATE   FOR    PRIO      MASTER               VIP
VI_1      eth0   60    BACKUP  2m11s  90 (110)  192.168.1.201 (150)  192.168.1.200/32

DATABASE VI_1  /run/mysqld/mysqld.sock is UP: ping answered in 0.4 ms
  writes       closed
  replication  running from 192.168.1.201:3306, 0.2 s behind
  position     0-1-1930
  semi-sync    replica, in force
  other node   node-a: UP, writes open

CHANNEL  up, to node-a (192.168.1.201) port 3112

WHY   VI_1 is BACKUP: 192.168.1.201 advertises 150, ours is 110 - 20 (mysql) = 90.
      It takes over if no advert arrives for 3.34 s (last one 0.31 s ago).
LAST  2025-11-21 06:48:12  MASTER → BACKUP: 192.168.1.201 advertises 150, ours is 90
"""
TROUBLED = """\
DATABASE VI_1  - is not known yet (12.0 s ago)
  mode         diverged
  NOT FIT      mysqld is down
  against it   it is in hold-down for 9m50s
  ONLY HERE    0-1-1926..1930
  LOST         at least 0-2-7
"""


def with_view(database: DatabaseStatus, **changes: Any) -> DatabaseStatus:
    return replace(database, view=replace(database.view, **changes))


def test_the_page() -> None:
    assert render.status(answer(BACKUP, checks=(), databases=(DATABASE,), channel=CHANNEL)) == PAGE


def test_what_is_wrong_is_said_last() -> None:
    blank = replace(DATABASE, view=type(DATABASE.view)(), reported=NOW - 12)
    blank = replace(blank, faults=("mysqld is down",), against=("it is in hold-down for 9m50s",))
    blank = with_view(blank, mode="diverged", errant=("0-1-1926..1930",), lost=("0-2-7",))
    assert TROUBLED in render.status(answer(BACKUP, databases=(blank,)))
    assert TROUBLED in sentences.explain(answer(BACKUP, databases=(blank,)), "VI_1")


def test_a_channel_that_is_down_is_said() -> None:
    down = CHANNEL | {"up": False, "node": ""}
    assert "CHANNEL  DOWN, to 192.168.1.201 port 3112\n" in render.status(answer(BACKUP, channel=down))


def test_a_dead_server_that_is_paused_is_not_fit() -> None:
    reason = "its server refuses connections, and nothing is done about it: paused (`pyvrrpctl resume` ends that)"
    dead = with_view(replace(DATABASE, instance="orders"), verdict="DOWN", evidence="refuses connections")
    dead = replace(dead, against=(reason, "its account lacks PROCESS"))
    page = render.status(answer(BACKUP, MASTER, databases=(dead,)))
    lines = [" ".join(line.split()) for line in page.splitlines()]
    assert f"NOT FIT {reason}" in lines
    assert "against it its account lacks PROCESS" in lines


@pytest.mark.parametrize(
    ("database", "channel", "healthy"),
    [
        (DATABASE, CHANNEL, True),
        (DATABASE, None, True),
        (DATABASE, CHANNEL | {"up": False}, False),
        (replace(DATABASE, faults=("mysqld is down",)), CHANNEL, False),
        (replace(DATABASE, against=("lag is 12 s",)), CHANNEL, False),
        (replace(DATABASE, reported=None), CHANNEL, False),
        (with_view(DATABASE, errant=("0-1-7",)), CHANNEL, False),
        (with_view(DATABASE, verdict="OVERLOADED"), CHANNEL, True),
        *((with_view(DATABASE, verdict=each), CHANNEL, False) for each in ("DOWN", "HUNG", "STALLED")),  # paused
        (with_view(replace(DATABASE, instance="orders"), verdict="DOWN"), CHANNEL, False),
        (replace(DATABASE, instance="orders", against=("its log_bin is off",)), CHANNEL, True),  # active already
    ],
)
def test_what_is_healthy(database: DatabaseStatus, channel: dict[str, Any] | None, healthy: bool) -> None:
    assert render.healthy(answer(BACKUP, MASTER, databases=(database,), channel=channel)) is healthy
