"""Routes, rules and what stays, from keepalived.conf."""

from __future__ import annotations

from pathlib import Path

from tests.config.keepalived.mapped import instance, mapped

ROUTES = """virtual_routes {
 192.0.2.0/24 dev eth0
 src 192.0.2.1 to 198.51.100.0/24 gw 192.0.2.9 dev eth0 table 7 no_track
}
virtual_rules {
 from 192.0.2.1 table 7 priority 500
 to 198.51.100.0/24 blackhole preference 501
}"""


def test_they_are_taken_over_as_they_are(tmp_path: Path) -> None:
    found = mapped(tmp_path, instance(ROUTES))
    router = found.tree["vrrp_instances"]["V"]
    assert router["virtual_routes"] == [
        "192.0.2.0/24 dev eth0",
        "src 192.0.2.1 to 198.51.100.0/24 gw 192.0.2.9 dev eth0 table 7",
    ]
    assert router["virtual_rules"] == [
        "from 192.0.2.1 table 7 priority 500",
        "to 198.51.100.0/24 blackhole preference 501",
    ]
    assert [each.partition(": ")[2] for each in found.advice] == [
        "vrrp_instance.V.virtual_routes: no_track has no effect here: what somebody removes is put back"
    ]


def test_the_old_way_to_name_two_gateways(tmp_path: Path) -> None:
    found = mapped(tmp_path, instance("virtual_routes {\n192.0.2.0/24 via 10.0.0.1 or 10.0.0.2 dev eth0 metric 5\n}"))
    assert found.tree["vrrp_instances"]["V"]["virtual_routes"] == [
        "192.0.2.0/24 metric 5 nexthop via 10.0.0.1 dev eth0 nexthop via 10.0.0.2 dev eth0"
    ]
    (error,) = found.errors
    assert '"or" is outdated' in error


def test_rules_without_a_priority_get_keepaliveds(tmp_path: Path) -> None:
    rules = "virtual_rules {\nfrom 192.0.2.1 table 7\nfrom 192.0.2. table 7\nfrom 192.0.2.2 table 7\n}"
    found = mapped(tmp_path, "static_rules {\nfrom 192.0.2.3 table 7\n}\n" + instance(rules))
    assert found.tree["static_rules"] == ["from 192.0.2.3 table 7 priority 16384"]
    assert found.tree["vrrp_instances"]["V"]["virtual_rules"] == [
        "from 192.0.2.1 table 7 priority 16383",
        "from 192.0.2.2 table 7 priority 16382",
    ]
    assert found.status == 5, "as keepalived has it"


def test_what_cannot_be_understood_is_left_out(tmp_path: Path) -> None:
    found = mapped(tmp_path, instance("virtual_routes {\n192.0.2.7/24 dev eth0\n192.0.3.0/24 dev eth0\n}"))
    assert found.tree["vrrp_instances"]["V"]["virtual_routes"] == ["192.0.3.0/24 dev eth0"]
    (error,) = found.errors
    assert error.endswith('"192.0.2.7/24" names an address in a network; the network is 192.0.2.0/24; it is left out')


def test_what_stays(tmp_path: Path) -> None:
    text = """global_defs {
default_interface eth7
}
static_ipaddress {
192.0.2.7/24 dev eth0
192.0.2.8
192.0.2.300
}
static_routes {
198.51.100.0/24 via 192.0.2.9 dev eth0 track_group G
}
"""
    found = mapped(tmp_path, text + instance(""))
    assert found.tree["static_ipaddress"] == [
        {"address": "192.0.2.7/24", "dev": "eth0"},
        {"address": "192.0.2.8", "dev": "eth7"},
    ]
    assert found.tree["static_routes"] == ["198.51.100.0/24 via 192.0.2.9 dev eth0"]
    (error,) = found.errors
    assert error.endswith('static_ipaddress: "192.0.2.300" is not an IP address; it is left out')
