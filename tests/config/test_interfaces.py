"""What node.yaml says of interfaces beside its instances: paces, delays, addresses that stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyvrrp.core.settings import GarpGroup, InterfaceDelay
from tests.config.samples import GOOD, loaded, problems

TEXT = """\
delay_after_boot: 30
garp_interval: 10ms
gna_interval: 20ms
garp_groups:
  - {interfaces: [eth0, eth1], garp_interval: 0.5}
dynamic_interfaces: true
interface_up_down_delays: {eth0: 1, eth1: {down: 0.5, up: 2}}
static_ipaddress:
  - {address: 192.168.1.9/24, dev: eth1}
  - {address: "2001:db8::9/64", dev: lo}
nftables: ours
"""


def test_it_goes_through(tmp_path: Path) -> None:
    found = loaded(tmp_path, TEXT + GOOD).settings
    assert (found.delay_after_boot, found.garp_interval, found.gna_interval) == (30.0, 0.01, 0.02)
    assert found.garp_groups == (GarpGroup(("eth0", "eth1"), 0.5, 0.0),)
    assert found.interface_delays == (InterfaceDelay("eth0", 1.0, 1.0), InterfaceDelay("eth1", 0.5, 2.0))
    assert [(str(each), each.interface) for each in found.static_addresses] == [
        ("192.168.1.9/24", "eth1"),
        ("2001:db8::9/64", "lo"),
    ]
    assert (found.dynamic_interfaces, found.nftables_table) == (True, "ours")


def test_nothing_need_be_said(tmp_path: Path) -> None:
    found = loaded(tmp_path, GOOD).settings
    assert (found.garp_groups, found.interface_delays, found.static_addresses) == ((), (), ())
    assert (found.garp_interval, found.dynamic_interfaces, found.nftables_table) == (0.0, False, "pyvrrp")


def test_the_weights_of_a_group_s_members(tmp_path: Path) -> None:
    text = f"{GOOD}vrrp_sync_groups:\n  G: {{group: [VI_1], sync_group_tracking_weight: true}}\n"
    (group,) = loaded(tmp_path, text).settings.groups
    assert group.tracking_weight


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("delay_after_boot: soon", '1:19: delay_after_boot: "soon" is not a duration'),
        ("garp_groups: [{interfaces: [eth0]}]", "1:15: garp_groups: garp_interval or gna_interval is needed"),
        ("garp_groups: [{garp_interval: 1}]", '1:15: garp_groups: required key "interfaces" is missing'),
        ("garp_groups: [{interfaces: [], garp_interval: 1}]", "1:28: garp_groups.interfaces: at least one is needed"),
        (
            "garp_groups: [{interfaces: [eth0, eth0], garp_interval: 1}]",
            "1:35: garp_groups.interfaces: eth0 is in a group already (line 1)",
        ),
        (
            "garp_groups: [{interfaces: [eth0], garp_intervall: 1, garp_interval: 1}]",
            '1:36: garp_groups: unknown key "garp_intervall" (did you mean "garp_interval"?)',
        ),
        (
            "interface_up_down_delays: {eth0: 2}",
            "1:34: interface_up_down_delays.eth0: 2 s is not below 2 s: VI_1 would take over before the state of its",
        ),
        (
            "interface_up_down_delays: {eth1: {dwn: 2}}",
            '1:35: interface_up_down_delays.eth1: unknown key "dwn" (did you mean "down"?)',
        ),
        ("interface_up_down_delays: {eth1: 256}", "1:34: interface_up_down_delays.eth1: 256 is outside 0..255"),
        ("interface_up_down_delays: {a/b: 1}", '1:28: interface_up_down_delays.a/b: "a/b" is not an interface name'),
        ("static_ipaddress: [192.168.1.9]", "1:20: static_ipaddress: keys and values are expected here, not a single"),
        (
            "static_ipaddress: [{address: 192.168.1.9}]",
            '1:20: static_ipaddress: required key "dev" is missing',
        ),
        (
            "static_ipaddress: [{address: 192.168.1.200, dev: eth1}]",
            "1:20: static_ipaddress: 192.168.1.200 is a virtual address of VI_1: it moves, it does not stay",
        ),
        ("nftables: a b", '1:11: nftables: "a b" is not the name of a table: a letter, then letters, digits and _'),
        ("dynamic_interfaces: allow_if_changes", '1:21: dynamic_interfaces: "allow_if_changes" is not true or false'),
    ],
)
def test_a_mistake(tmp_path: Path, lines: str, expected: str) -> None:
    (found,) = problems(tmp_path, f"{lines}\n{GOOD}")
    assert found.startswith(f"node.yaml:{expected}")
