"""Snapshot → text, against texts written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.cli import render
from pyvrrp.core.snapshot import AddressStatus, CheckStatus
from tests.cli.answers import BACKUP, CHECK, MASTER, NOW, answer

BACKUP_PAGE = """\
db1   pyvrrpd 0.1.0   up 3d04h   /etc/pyvrrp/node.yaml (ok, loaded 2025-11-20 08:03)

INSTANCE  IFACE  VRID  STATE   FOR    PRIO      MASTER               VIP
VI_1      eth0   60    BACKUP  2m11s  90 (110)  192.168.1.201 (150)  192.168.1.200/32

CHECK     RESULT  LAST
mysql     up      0.8 ms, 0.4 s ago

WHY   VI_1 is BACKUP: 192.168.1.201 advertises 150, ours is 110 - 20 (mysql) = 90.
      It takes over if no advert arrives for 3.34 s (last one 0.31 s ago).
LAST  2025-11-21 06:48:12  MASTER → BACKUP: 192.168.1.201 advertises 150, ours is 90
"""

PAIR_PAGE = """\
db1   pyvrrpd 0.1.0   up 3d04h   /etc/pyvrrp/node.yaml (ok, loaded 2025-11-20 08:03)

INSTANCE  IFACE     VRID  STATE   FOR    PRIO      MASTER               VIP
VI_1      eth0      60    BACKUP  2m11s  90 (110)  192.168.1.201 (150)  192.168.1.200/32
orders    bond0.12  7     MASTER  11s    240       this node            10.0.0.1/24, 10.0.0.2/24, 10.0.0.3/24 and 2 more (held)

CHECK     RESULT  LAST
mysql     up      0.8 ms, 0.4 s ago

WHY   VI_1 is BACKUP: 192.168.1.201 advertises 150, ours is 110 - 20 (mysql) = 90.
      It takes over if no advert arrives for 3.34 s (last one 0.31 s ago).
LAST  2025-11-21 06:48:12  MASTER → BACKUP: 192.168.1.201 advertises 150, ours is 90

WHY   orders is MASTER: 192.168.1.202 sent priority 0.
LAST  2025-11-21 06:50:12  BACKUP → MASTER: 192.168.1.202 sent priority 0; VIP live in 1.9 ms
"""  # noqa: E501  # the page is as wide as it is

EXPLAINED = """\
VI_1: virtual router 60 on eth0, VRRPv2.
It is BACKUP for 2m11s, since 2025-11-21 06:48:12.
Its priority is 90, configured as 110; it leaves a living master alone (nopreempt).

VI_1 is BACKUP: 192.168.1.201 advertises 150, ours is 110 - 20 (mysql) = 90.
It takes over if no advert arrives for 3.34 s (last one 0.31 s ago).

This node does not hold 192.168.1.200/32.

An advert every 1 s.
The master is down when none arrives for 3.648 s (3 intervals and the skew time of 648 ms).
The kernel removes the addresses 2 s after the last advert that this node sent as MASTER.

12 adverts were not accepted. The last one came 1m10s ago from 192.168.1.7: wrong password.

adverts sent       12
adverts received   3400
became MASTER      1
rejected password  12

Its last transitions:
  2025-11-21 06:48:12  MASTER → BACKUP: 192.168.1.201 advertises 150, ours is 90
"""


def test_the_page_of_a_backup() -> None:
    assert render.status(answer(BACKUP)) == BACKUP_PAGE


def test_the_page_of_two_instances() -> None:
    assert render.status(answer(BACKUP, MASTER)) == PAIR_PAGE


def test_one_instance_of_two() -> None:
    page = render.status(answer(BACKUP, MASTER), "VI_1")
    assert page == BACKUP_PAGE


def test_one_instance_explained() -> None:
    assert render.explain(answer(BACKUP, MASTER), "VI_1") == EXPLAINED


def test_the_history_names_instances_unless_one_was_asked_for() -> None:
    both = answer(BACKUP, MASTER)
    assert render.history(both).splitlines() == [
        "2025-11-21 06:48:12  VI_1  MASTER → BACKUP: 192.168.1.201 advertises 150, ours is 90",
        "2025-11-21 06:50:12  orders  BACKUP → MASTER: 192.168.1.202 sent priority 0; VIP live in 1.9 ms",
    ]
    assert render.history(both, "orders").startswith("2025-11-21 06:50:12  BACKUP → MASTER")
    assert render.history(answer(replace(BACKUP, last=None))) == "no transitions yet\n"
    assert render.history_json(both, "orders")[0]["time"] == 1_763_707_812.0


def vip_column(**changes: object) -> str:
    instance = replace(BACKUP, **changes)  # type: ignore[arg-type]  # any field may change
    page = render.status(answer(instance))
    return page.splitlines()[3].split("192.168.1.200/32", 1)[1].strip()


def test_the_marks_of_addresses() -> None:
    held = (AddressStatus("192.168.1.200/32", held=True),)
    half = (*held, AddressStatus("10.0.0.1/32", held=False))
    assert vip_column() == ""
    assert vip_column(addresses=held, state="MASTER") == "(held)"
    assert vip_column(addresses=held, handing_over=True) == "(handing over)"
    assert vip_column(addresses=half, state="MASTER") == ", 10.0.0.1/32 (1 of 2 held)"
    assert vip_column(state="MASTER") == "(MISSING)"


@pytest.mark.parametrize(
    ("check", "last"),
    [
        (CheckStatus("c", "t", "unknown", "", None, None, 0, 0), "c         unknown  -"),
        (CheckStatus("c", "t", "down", "refused", 0.001, NOW - 2, 0, 3), "c         down    refused, 2.0 s ago"),
        (CheckStatus("c", "t", "up", "", 0.0123, NOW - 90, 3, 0), "c         up      12.3 ms, 1m30s ago"),
    ],
)
def test_the_line_of_a_check(check: CheckStatus, last: str) -> None:
    assert render.status(answer(BACKUP, checks=(check,))).splitlines()[6] == last


def test_a_file_that_was_refused_is_said_at_the_top() -> None:
    page = render.status(answer(BACKUP, problems=("node.yaml:1:1: a", "node.yaml:2:1: b")))
    assert page.splitlines()[:3] == [
        "db1   pyvrrpd 0.1.0   up 3d04h   /etc/pyvrrp/node.yaml (NOT ok, in force is what was loaded 2025-11-20 08:03)",
        "  node.yaml:1:1: a",
        "  node.yaml:2:1: b",
    ]


def test_health() -> None:
    assert render.healthy(answer(BACKUP, MASTER))
    assert not render.healthy(answer(BACKUP, problems=("x",)))
    faulty = answer(replace(BACKUP, state="FAULT"), MASTER)
    assert not render.healthy(faulty)
    assert render.healthy(faulty, "orders")
    assert not render.healthy(answer(replace(MASTER, addresses=(AddressStatus("10.0.0.1/24", held=False),))))
    assert not render.healthy(answer(replace(BACKUP, state="INIT")))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0.9, "0s"), (59.9, "59s"), (60, "1m00s"), (131, "2m11s"), (3661, "1h01m"), (273_600, "3d04h")],
)
def test_ages(seconds: float, text: str) -> None:
    assert render.age(seconds) == text


def test_columns_fit_the_longest_name_of_both_tables() -> None:
    check = replace(CHECK, name="a-check-with-a-long-name")
    lines = render.status(answer(BACKUP, checks=(check,))).splitlines()
    assert lines[2].index("IFACE") == lines[5].index("RESULT") == len(check.name) + 2
