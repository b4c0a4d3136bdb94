"""What stands beside the instances: garp_group, interface_up_down_delays, static_ipaddress, and their globals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.keepalived.mapped import instance, mapped


def test_the_pace_of_all_and_of_groups(tmp_path: Path) -> None:
    text = """
        global_defs {
            vrrp_garp_interval 0.5
            vrrp_gna_interval 0.25
            vrrp_delay_after_boot 30
            dynamic_interfaces allow_if_changes
            nftables ours
        }
        garp_group {
            garp_interval 0.1
            interfaces {
                eth0
                eth1
            }
        }
        garp_group {
            gna_interval 1
            interface eth2
        }
    """
    found = mapped(tmp_path, text).tree
    assert (found["garp_interval"], found["gna_interval"], found["delay_after_boot"]) == ("0.5", "0.25", "30")
    assert (found["dynamic_interfaces"], found["nftables"]) == ("true", "ours")
    assert found["garp_groups"] == [
        {"garp_interval": "0.1", "interfaces": ["eth0", "eth1"]},
        {"gna_interval": "1", "interfaces": ["eth2"]},
    ]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("interface eth0", "garp_group: has neither garp_interval nor gna_interval; it is left out"),
        ("garp_interval 1\ninterfaces {\neth0\neth0\n}", "garp_group.interfaces: eth0 is in a group already; it is"),
        ("garp_interval 5000\ninterface eth0", "garp_group.garp_interval: 5000 is outside 0..2147.483647; 0 is used"),
    ],
)
def test_a_group_with_a_mistake(tmp_path: Path, block: str, said: str) -> None:
    found = mapped(tmp_path, f"garp_group {{\n{block}\n}}\n")
    assert found.errors[-1].partition(": ")[2].startswith(said)


def test_delays(tmp_path: Path) -> None:
    found = mapped(tmp_path, "interface_up_down_delays {\neth0 1\neth1 0.5 2\neth2 256\n}\n")
    assert found.tree["interface_up_down_delays"] == {"eth0": "1", "eth1": {"down": "0.5", "up": "2"}, "eth2": "0"}
    assert found.errors == ["4: interface_up_down_delays: 256 is outside 0..255; 0 is used"]


def test_a_delay_is_shorter_than_an_instance_s_patience(tmp_path: Path) -> None:
    found = mapped(tmp_path, instance("", before="interface_up_down_delays {\neth0 5 1\n}\n"))
    assert found.tree["interface_up_down_delays"] == {"eth0": {"down": "1.99", "up": "1"}}
    assert found.errors == []
    assert "2: interface_up_down_delays: V would take over before its link's state counts; 1.99 is used" in found.advice


def test_addresses_that_stay(tmp_path: Path) -> None:
    text = """
        global_defs {
            default_interface eth9
        }
        track_group G {
            group {
                V
            }
        }
        static_ipaddress {
            192.0.2.8/24 dev eth1 label eth1:0
            192.0.2.9
            2001:db8::9/64 track_group G
        }
    """
    found = mapped(tmp_path, text)
    assert found.tree["static_ipaddress"] == [
        {"address": "192.0.2.8/24", "dev": "eth1", "label": "eth1:0"},
        {"address": "192.0.2.9", "dev": "eth9"},
        {"address": "2001:db8::9/64", "dev": "eth9"},
    ]
    assert found.errors == []


def test_a_track_group_that_is_not_there(tmp_path: Path) -> None:
    found = mapped(tmp_path, "static_ipaddress {\n192.0.2.9 track_group G\n}\n")
    assert found.errors == ['2: static_ipaddress: there is no track_group "G"']
