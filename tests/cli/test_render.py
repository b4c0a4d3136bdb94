"""The page of `status`, against pages written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.cli import render
from pyvrrp.cli.layout import age, folded, some
from pyvrrp.core.snapshot import AddressStatus, CheckStatus
from tests.cli.answers import BACKUP, CHECK, GROUP, LOST, MASTER, NOW, SERVICE, SPLIT, answer

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

WHOLE_PAGE = """\
db1   pyvrrpd 0.1.0   up 3d04h   /etc/pyvrrp/node.yaml (ok, loaded 2025-11-20 08:03)

INSTANCE  IFACE  VRID  STATE   FOR    PRIO      MASTER               VIP
VI_1      eth0   60    BACKUP  2m11s  90 (110)  192.168.1.201 (150)  192.168.1.200/32

GROUP     STATE  MEMBERS
G         MIXED  VI_1, orders

CHECK     RESULT  LAST
mysql     up      0.8 ms, 0.4 s ago

VIRTUAL SERVER              STATE      WEIGHT  CHECKS
[192.168.1.200]:tcp:3306    quorum     3
  [192.168.1.201]:tcp:3306  up         3       mysql
  [192.168.1.202]:tcp:3306  up         0       -
FWM 7                       NO QUORUM  0
  [192.168.1.202]:tcp:80    down       10      a, b, c and 1 more

WHY   VI_1 is BACKUP: 192.168.1.201 advertises 150, ours is 110 - 20 (mysql) = 90.
      It takes over if no advert arrives for 3.34 s (last one 0.31 s ago).
LAST  2025-11-21 06:48:12  MASTER → BACKUP: 192.168.1.201 advertises 150, ours is 90

WHY   G is not in one state: VI_1 is BACKUP, orders is MASTER.
      VI_1 holds it back: 192.168.1.201 advertises 150.

WHY   FWM 7 has no quorum: its living servers weigh 0, and 2 is needed.
      [192.168.1.202]:tcp:80 is down: check a fails: 192.168.1.202:80 refused the connection.
"""


def test_the_page_of_a_backup() -> None:
    assert render.status(answer(BACKUP)) == BACKUP_PAGE


def test_the_page_of_two_instances() -> None:
    assert render.status(answer(BACKUP, MASTER)) == PAIR_PAGE


def test_one_instance_of_two() -> None:
    page = render.status(answer(BACKUP, MASTER), "VI_1")
    assert page == BACKUP_PAGE


def test_groups_and_virtual_servers_and_what_is_wrong_with_them() -> None:
    assert render.status(answer(BACKUP, groups=(SPLIT,), services=(SERVICE, LOST))) == WHOLE_PAGE


def test_of_groups_and_virtual_servers_that_are_well_the_tables_say_enough() -> None:
    page = render.status(answer(BACKUP, groups=(GROUP,), services=(SERVICE,)))
    assert page.count("WHY") == 1
    assert max(map(len, page.splitlines())) <= 100


def test_with_one_instance_come_its_groups_and_no_virtual_servers() -> None:
    alone = replace(GROUP, name="H", members=("orders",))
    assert render.status(answer(BACKUP, MASTER, groups=(alone,), services=(LOST,)), "VI_1") == BACKUP_PAGE
    assert "\nH " in render.status(answer(BACKUP, MASTER, groups=(alone,), services=(LOST,)), "orders")


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
        (CheckStatus("c", "t", "up", "t is up", None, NOW - 90, 1, 0), "c         up      t is up, 1m30s ago"),
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


def test_an_address_that_two_nodes_may_hold_is_not_healthy() -> None:
    assert not render.healthy(answer(replace(MASTER, contested=True)))
    assert render.healthy(answer(replace(MASTER, contested=True), BACKUP), "VI_1")


def test_a_lost_quorum_is_not_healthy() -> None:
    assert render.healthy(answer(BACKUP, groups=(SPLIT,), services=(SERVICE,)))
    lost = answer(BACKUP, services=(SERVICE, LOST))
    assert not render.healthy(lost)
    assert render.healthy(lost, "VI_1"), "the instance can do its part"


def test_an_instance_without_addresses_misses_none() -> None:
    bare = answer(replace(MASTER, addresses=()))
    assert render.healthy(bare)
    assert render.status(bare).splitlines()[3].endswith("this node  -")


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "-"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
        (["[192.168.1.201]:80/HTTP_GET", "[192.168.1.201]:80/TCP_CHECK"], "[192.168.1.201]:80/HTTP_GET and 1 more"),
        (["x" * 50], "x" * 50),
    ],
)
def test_some_names(names: list[str], text: str) -> None:
    assert some(names) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0.9, "0s"), (59.9, "59s"), (60, "1m00s"), (131, "2m11s"), (3661, "1h01m"), (273_600, "3d04h")],
)
def test_ages(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_columns_fit_the_longest_name_of_both_tables() -> None:
    check = replace(CHECK, name="a-check-with-a-name")
    lines = render.status(answer(BACKUP, checks=(check,))).splitlines()
    assert lines[2].index("IFACE") == lines[5].index("RESULT") == len(check.name) + 2


def test_a_very_long_name_widens_its_own_table_only() -> None:
    check = replace(CHECK, name="TCP_CHECK of [192.168.1.201]:3306 in VS [192.168.1.200]:3306")
    lines = render.status(answer(BACKUP, checks=(check,))).splitlines()
    assert lines[2].index("IFACE") == len("INSTANCE") + 2
    assert lines[5].index("RESULT") == len(check.name) + 2


def test_on_a_narrow_terminal_sentences_go_on_below_where_they_begin() -> None:
    page = BACKUP_PAGE.splitlines()
    narrow = folded(BACKUP_PAGE, 60).splitlines()
    assert narrow[:6] == page[:6]  # tables stay
    assert narrow[8:12] == [
        "WHY   VI_1 is BACKUP: 192.168.1.201 advertises 150, ours is",
        "      110 - 20 (mysql) = 90.",
        "      It takes over if no advert arrives for 3.34 s (last",
        "      one 0.31 s ago).",
    ]
    assert folded(BACKUP_PAGE, 200) == BACKUP_PAGE
