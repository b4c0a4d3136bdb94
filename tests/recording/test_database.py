"""What is said between core and a database is recorded, from whatever moment on, and replays; no account is in it."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pyvrrp.core.effects import CloseWrites, Effect, Invite, OpenWrites, RefuseConnections
from pyvrrp.core.events import (
    AddressesChanged,
    DatabaseReport,
    DatabaseView,
    Event,
    Invited,
    LinkChanged,
    Relinquish,
    Seize,
    TimerDue,
    Vacant,
    WritesClosed,
    WritesOpened,
    WritesRefused,
)
from pyvrrp.core.node import Node
from pyvrrp.core.settings import Account, DatabaseSettings
from pyvrrp.recording.reel import Reel, ending
from pyvrrp.recording.replay import replay
from pyvrrp.recording.tap import Tap
from pyvrrp.recording.tape import Tape
from tests.simulation import instance, settings

DATABASE = DatabaseSettings(Account(user="pyvrrp", password_file="/etc/pyvrrp/mysql.password"))
FIT = DatabaseReport("VI_1", (), (), DatabaseView("10.0.0.1:3306", "UP", errant=("0-1-7",)))
STORY: tuple[tuple[float, Event], ...] = (
    (0.0, LinkChanged("eth0", present=True, up=True, mac=b"\2\0\0\0\0\1")),
    (0.0, AddressesChanged("eth0", ((ip_address("192.168.1.1"), 24),))),
    (0.1, FIT),
    (4.0, TimerDue()),
    (4.2, WritesOpened("VI_1", 2, "in 12 ms")),
    (5.0, TimerDue()),
    (5.2, Relinquish("VI_1", "switchover to node-b")),
    (5.3, WritesClosed("VI_1", 3, "2 sessions killed")),
    (9.0, TimerDue()),
    (9.1, DatabaseReport("VI_1", (), ("lag is 12 s",), DatabaseView("10.0.0.1:3306", "UP"))),
    (9.2, Invited("VI_1", "node-b")),
    (9.3, Vacant("VI_1", "node-b")),
    (13.0, TimerDue()),
    (13.1, Seize("VI_1", "promoted by order")),
    (13.2, WritesRefused("VI_1", 4, "disk full")),
    (20.0, TimerDue()),
)


@pytest.mark.parametrize("begin", range(0, len(STORY), 2))
def test_it_replays(begin: int) -> None:
    node = Node(settings(instance(database=DATABASE)), -1.0)
    tap = Tap(node)
    effects: list[Effect] = []
    reel: Reel | None = None
    for number, (at, event) in enumerate(STORY):
        if number == begin:
            reel = Reel(node, at, 0.0, b"key", born=-1.0 if begin == 0 else None)
            tap.reels = (reel,)
        effects += tap.handle(event, at)
        tap.next_deadline()
    assert {OpenWrites, CloseWrites, RefuseConnections, Invite} <= {type(each) for each in effects}
    assert reel is not None
    text = reel.lines(1000) + ending("the test is over")
    assert replay(Tape("it.jsonl", text.encode().splitlines(keepends=True))) is None
