"""Answers of a daemon, as its control socket gives them."""

from __future__ import annotations

import json
from dataclasses import asdict
from ipaddress import IPv4Address
from typing import Any

from pyvrrp.core.events import DatabaseView
from pyvrrp.core.snapshot import (
    AddressStatus,
    CheckStatus,
    DatabaseStatus,
    GroupStatus,
    InstanceStatus,
    MasterStatus,
    RealServerStatus,
    RejectedStatus,
    ServiceStatus,
    Snapshot,
    Transition,
)

NOW = 10_000.0
WALL = 1_763_707_823.0  # 2025-11-21 06:50:23 UTC

TOOK_OVER = Transition(NOW - 131, "VI_1", "MASTER", "BACKUP", "192.168.1.201 advertises 150, ours is 90", vip_live=None)
BACKUP = InstanceStatus(
    name="VI_1",
    interface="eth0",
    virtual_router_id=60,
    version=2,
    state="BACKUP",
    since=NOW - 131,
    base_priority=110,
    priority=90,
    advert_int=1.0,
    preempt=False,
    vip_lease=2,
    addresses=(AddressStatus("192.168.1.200/32", held=False),),
    handing_over=False,
    master=MasterStatus(IPv4Address("192.168.1.201"), 150, 1.0, NOW - 0.31),
    rejected=RejectedStatus(IPv4Address("192.168.1.7"), "wrong password", NOW - 70, 12),
    skew_time=0.648,
    master_down_interval=3.648,
    why=(
        "VI_1 is BACKUP: 192.168.1.201 advertises 150, ours is 110 - 20 (mysql) = 90.",
        "It takes over if no advert arrives for 3.34 s (last one 0.31 s ago).",
    ),
    last=TOOK_OVER,
    counters={"adverts_sent": 12, "adverts_received": 3400, "became_master": 1, "rejected_password": 12},
)
LEFT = Transition(NOW - 11, "orders", "BACKUP", "MASTER", "192.168.1.202 sent priority 0", vip_live=0.0019)
MASTER = InstanceStatus(
    name="orders",
    interface="bond0.12",
    virtual_router_id=7,
    version=3,
    state="MASTER",
    since=NOW - 11,
    base_priority=240,
    priority=240,
    advert_int=0.1,
    preempt=True,
    vip_lease=None,
    addresses=tuple(AddressStatus(f"10.0.0.{n}/24", held=True) for n in range(1, 6)),
    handing_over=False,
    master=None,
    rejected=None,
    skew_time=0.00625,
    master_down_interval=0.30625,
    why=("orders is MASTER: 192.168.1.202 sent priority 0.",),
    last=LEFT,
    counters={},
)
CHECK = CheckStatus("mysql", "127.0.0.1:3306", "up", "connected to 127.0.0.1:3306", 0.0008, NOW - 0.4, 17, 0)
GROUP = GroupStatus("G", "BACKUP", ("VI_1", "orders"), ("G is BACKUP: VI_1, orders.",))
SPLIT = GroupStatus(
    "G",
    "",
    ("VI_1", "orders"),
    ("G is not in one state: VI_1 is BACKUP, orders is MASTER.", "VI_1 holds it back: 192.168.1.201 advertises 150."),
)
SERVICE = ServiceStatus(
    "[192.168.1.200]:tcp:3306",
    quorum=True,
    weight=3,
    servers=(
        RealServerStatus("[192.168.1.201]:tcp:3306", up=True, weight=3, checks=("mysql",)),
        RealServerStatus("[192.168.1.202]:tcp:3306", up=True, weight=0, checks=()),
    ),
    why=("[192.168.1.200]:tcp:3306 has quorum: its living servers weigh 3, and 1 is needed.",),
)
LOST = ServiceStatus(
    "FWM 7",
    quorum=False,
    weight=0,
    servers=(RealServerStatus("[192.168.1.202]:tcp:80", up=False, weight=10, checks=("a", "b", "c", "d")),),
    why=(
        "FWM 7 has no quorum: its living servers weigh 0, and 2 is needed.",
        "[192.168.1.202]:tcp:80 is down: check a fails: 192.168.1.202:80 refused the connection.",
    ),
)

DATABASE = DatabaseStatus(
    "VI_1",
    DatabaseView(
        server="/run/mysqld/mysqld.sock",
        verdict="UP",
        evidence="ping answered in 0.4 ms",
        writes="closed",
        replication="running from 192.168.1.201:3306, 0.2 s behind",
        position="0-1-1930",
        semi_sync="replica, in force",
        peer="node-a: UP, writes open",
    ),
    faults=(),
    against=(),
    reported=NOW - 0.2,
)
CHANNEL = {"address": "192.168.1.201", "port": 3112, "up": True, "node": "node-a", "counters": {"ignored": 0}}


def answer(
    *instances: InstanceStatus,
    checks: tuple[CheckStatus, ...] = (CHECK,),
    groups: tuple[GroupStatus, ...] = (),
    services: tuple[ServiceStatus, ...] = (),
    problems: tuple[str, ...] = (),
    databases: tuple[DatabaseStatus, ...] = (),
    channel: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What `status` answers for these instances, after its way through JSON."""
    history = tuple(each.last for each in instances if each.last is not None)
    snapshot = Snapshot(NOW, "db1", False, instances, checks, history, services, groups, databases)
    content = {
        "version": "0.1.0",
        "pid": 4711,
        "uptime": 3 * 86400.0 + 4 * 3600 + 59,
        "wall": WALL,
        "config": {
            "path": "/etc/pyvrrp/node.yaml",
            "ok": not problems,
            "loaded_at": WALL - 82_000,
            "problems": list(problems),
        },
        "channel": channel,
        "snapshot": asdict(snapshot),
    }
    through_json: dict[str, Any] = json.loads(json.dumps(content, default=str))
    return through_json
