"""core/lines: keepalived's own log lines, each with its level and the instance that it is about."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core import lines
from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.guard import NO_PEERS
from tests.simulation import VIP, instance

EXCLUDED = replace(VIP, address=IPv4Address("192.168.1.199"))
INSTANCE = instance(excluded=(EXCLUDED,), preempt_delay=2.5)


def debug(*texts: str) -> list[Effect]:
    return [Record(Level.DEBUG, "VI_1", text) for text in texts]


def test_what_is_said_with_d_is_about_the_instance() -> None:
    assert lines.setting(INSTANCE) == debug("setting VIPs.", "setting E-VIPs.")
    assert lines.removing(INSTANCE) == debug("removing VIPs.", "removing E-VIPs.")
    updated = lines.updated_interval(INSTANCE, 1.0, 0.25)
    assert [updated] == debug("advertisement interval updated from 1000ms to 250ms by master")
    assert [lines.delaying(INSTANCE)] == debug("start preempt delay (2.500000)")
    assert [lines.not_delaying(INSTANCE)] == debug("stop preempt delay")


@pytest.mark.parametrize(
    ("against", "reason"),
    [
        ("interface eth0 is down", Record(Level.INFO, "", "(VI_1): entering FAULT state (interface eth0 down)")),
        (
            "check uplink fails: interface eth1 is down",
            Record(Level.INFO, "", "(VI_1): entering FAULT state (interface eth1 down)"),
        ),
        (
            "interface eth0 has no IPv4 address besides the virtual ones",
            Record(Level.INFO, "VI_1", "entering FAULT state (no IPv4 address for interface)"),
        ),
        (NO_PEERS, Record(Level.INFO, "VI_1", "Cannot use unicast without any peers - going to fault state")),
    ],
)
def test_a_start_in_fault_is_told_with_its_reason(against: str, reason: Record) -> None:
    fault = Record(Level.NOTICE, "VI_1", "entering FAULT state", "FAULT")
    assert lines.beginning_in_fault(INSTANCE, (against, "check mysql fails")) == [reason, fault]
