"""`explain` and `history`, against texts written by hand."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.cli import sentences, transitions
from pyvrrp.core.snapshot import CheckStatus, RivalStatus
from tests.cli.answers import BACKUP, CHECK, GROUP, LOST, MASTER, NOW, SERVICE, answer

VI_1 = """\
VI_1: virtual router 60 on eth0, VRRPv2.
It is BACKUP for 2m11s, since 2025-11-21 06:48:12.
Its priority is 90, configured as 110; it leaves a living master alone (nopreempt).

VI_1 is BACKUP: 192.168.1.201 advertises 150, ours is 110 - 20 (mysql) = 90.
It takes over if no advert arrives for 3.34 s (last one 0.31 s ago).

This node does not hold 192.168.1.200/32.

An advert every 1 s.
The master is down when none arrives for 3.648 s, of which 648 ms are the skew time.
The kernel removes the addresses 2 s after the last advert that this node sent as MASTER.

12 adverts were not accepted. The last one came 1m10s ago from 192.168.1.7: wrong password.

adverts sent       12
adverts received   3400
became MASTER      1
rejected password  12

Its last transitions:
  2025-11-21 06:48:12  MASTER → BACKUP: 192.168.1.201 advertises 150, ours is 90
"""

G = """\
G: a sync group, MASTER together or not at all.

G is BACKUP: VI_1, orders.

INSTANCE  IFACE     VRID  STATE   FOR    PRIO      MASTER               VIP
VI_1      eth0      60    BACKUP  2m11s  90 (110)  192.168.1.201 (150)  192.168.1.200/32
orders    bond0.12  7     MASTER  11s    240       this node            10.0.0.1/24, 10.0.0.2/24, 10.0.0.3/24 and 2 more (held)
"""  # noqa: E501  # the page is as wide as it is

SERVER = """\
[192.168.1.200]:tcp:3306: a virtual server with 2 real servers.

[192.168.1.200]:tcp:3306 has quorum: its living servers weigh 3, and 1 is needed.

VIRTUAL SERVER              STATE   WEIGHT  CHECKS
[192.168.1.200]:tcp:3306    quorum  3
  [192.168.1.201]:tcp:3306  up      3       mysql
  [192.168.1.202]:tcp:3306  up      0       -

CHECK  RESULT  LAST
mysql  up      0.8 ms, 0.4 s ago
"""

MYSQL = """\
mysql: a check of 127.0.0.1:3306.
It is up: passed 17 times in a row.
The last result came 0.4 s ago, after 0.8 ms: connected to 127.0.0.1:3306.
"""

NODE = answer(BACKUP, MASTER, checks=(CHECK, replace(CHECK, name="web")), groups=(GROUP,), services=(SERVICE, LOST))


@pytest.mark.parametrize(("name", "text"), [("G", G), (SERVICE.name, SERVER), ("mysql", MYSQL)])
def test_what_can_be_explained(name: str, text: str) -> None:
    assert sentences.explain(NODE, name) == text


def test_an_instance_explained() -> None:
    assert sentences.explain(answer(BACKUP, MASTER), "VI_1") == VI_1


def test_an_instance_tells_of_its_group_and_not_of_others() -> None:
    assert GROUP.why[0] in sentences.explain(NODE, "VI_1").splitlines()
    others = answer(BACKUP, groups=(replace(GROUP, members=("orders",)),))
    assert sentences.explain(others, "VI_1") == VI_1


def test_a_name_that_two_have() -> None:
    both = sentences.explain(answer(BACKUP, checks=(replace(CHECK, name="VI_1"),)), "VI_1")
    assert both == f"{VI_1}\n{MYSQL.replace('mysql', 'VI_1', 1)}"


def test_names() -> None:
    assert sentences.names(NODE) == ["VI_1", "orders", "G", SERVICE.name, LOST.name, "mysql", "web"]


@pytest.mark.parametrize(
    ("check", "lines"),
    [
        (
            CheckStatus("c", "ping 10.0.0.1", "unknown", "", None, None, 0, 0),
            ["It has not reported yet, and counts as unknown."],
        ),
        (
            CheckStatus("c", "file /run/n", "down", "file /run/n says 3", None, NOW - 90, 0, 1),
            ["It is down: failed 1 time in a row.", "The last result came 1m30s ago: file /run/n says 3."],
        ),
        (
            CheckStatus("c", "t", "up", "fine", 0.002, NOW - 1, 0, 0),
            [
                "It is up: as it was before its configuration changed.",
                "The last result came 1.0 s ago, after 2.0 ms: fine.",
            ],
        ),
    ],
)
def test_a_check_explained(check: CheckStatus, lines: list[str]) -> None:
    heading, *told = sentences.explain(answer(BACKUP, checks=(check,)), "c").splitlines()
    assert heading == f"c: a check of {check.target}."
    assert told == lines


def test_the_history_names_instances_unless_one_was_asked_for() -> None:
    both = answer(BACKUP, MASTER)
    assert transitions.history(both).splitlines() == [
        "2025-11-21 06:48:12  VI_1  MASTER → BACKUP: 192.168.1.201 advertises 150, ours is 90",
        "2025-11-21 06:50:12  orders  BACKUP → MASTER: 192.168.1.202 sent priority 0; VIP live in 1.9 ms",
    ]
    assert transitions.history(both, "orders").startswith("2025-11-21 06:50:12  BACKUP → MASTER")
    assert transitions.history(answer(replace(BACKUP, last=None))) == "no transitions yet\n"
    assert transitions.history_json(both, "orders")[0]["time"] == 1_763_707_812.0


def test_who_is_turned_away() -> None:
    why = "its password is not ours"
    password = RivalStatus(IPv4Address("192.168.1.7"), 150, "password", why, "", 12, NOW - 70, NOW - 1)
    nonsense = RivalStatus(IPv4Address("192.168.1.8"), None, "length", "wrong length: 2 bytes", "", 1, NOW - 9, NOW - 9)
    page = sentences.explain(answer(replace(BACKUP, rivals=(password, nonsense))), "VI_1")
    table = page[page.index("TURNED AWAY") :].split("\n\n")[0].splitlines()
    rows = [" ".join(line.split()) for line in table]
    assert rows == [
        "TURNED AWAY PRIO ADVERTS SINCE LAST BECAUSE",
        "192.168.1.7 150 12 1m10s ago 1.0 s ago its password is not ours",
        "192.168.1.8 - 1 9.0 s ago 9.0 s ago wrong length: 2 bytes",
    ]
