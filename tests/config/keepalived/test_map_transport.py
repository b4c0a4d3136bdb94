"""vrrp_instance: its family, and how its adverts travel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.keepalived.mapped import instance, mapped

V = "vrrp_instance.V"


def ipv6(lines: str, before: str = "") -> str:
    """An instance with an IPv6 address behind these lines."""
    return instance(lines, before=before).replace("192.0.2.1", "2001:db8::1")


class TestFamily:
    def test_ipv6_is_version_3_whatever_the_rest_has(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, ipv6("", before="global_defs {\nvrrp_version 2\n}\n"))
        assert (found.instance["version"], found.instance["virtual_ipaddress"]) == ("3", ["2001:db8::1"])
        assert found.errors == []

    def test_excluded_addresses_are_of_either(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("virtual_ipaddress_excluded {\n2001:db8::1/64\n192.0.2.9\n}"))
        assert found.instance["virtual_ipaddress_excluded"] == ["2001:db8::1/64", "192.0.2.9"]
        assert "version" not in found.instance

    @pytest.mark.parametrize("first", ["mcast_dst_ip ff02::12", "mcast_src_ip fe80::9", "unicast_peer {\nfe80::9\n}"])
    def test_what_is_named_first_settles_it(self, tmp_path: Path, first: str) -> None:
        found = mapped(tmp_path, instance(first))
        assert found.errors[-1].endswith("192.0.2.1 is not IPv6, as the instance is; it is left out")
        assert found.instance["native_ipv6"] == "true"
        assert mapped(tmp_path, ipv6(first)).errors == []

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("mcast_src_ip fe80::9", "fe80::9 is not IPv4; it is left out"),
            ("mcast_dst_ip ff02::12", "ff02::12 is not IPv4; it is left out"),
            ("unicast_peer {\nfe80::9\n192.0.2.9\n}", "fe80::9 is not IPv4; it is left out"),
            ("native_ipv6", "its addresses are IPv4; this is left out"),
        ],
    )
    def test_another_one_later_is_left_out(self, tmp_path: Path, line: str, said: str) -> None:
        found = mapped(tmp_path, instance(f"virtual_ipaddress {{\n192.0.2.8\n}}\n{line}"))
        assert [each.partition(": ")[2].partition(": ")[2] for each in found.errors] == [said]

    def test_a_version_behind_its_addresses_is_too_late(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, ipv6("").replace("}\n}", "}\nversion 2\n}"))
        assert found.instance["version"] == "3"
        assert found.errors == [f"8: {V}.version: it is 3 already; this is left out"]

    def test_each_family_of_a_vrid_is_a_virtual_router(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("") + ipv6("").replace("vrrp_instance V", "vrrp_instance W"))
        assert list(found.tree["vrrp_instances"]) == ["V", "W"]


class TestUnicast:
    def test_in_full(self, tmp_path: Path) -> None:
        found = mapped(
            tmp_path,
            instance(
                "unicast_src_ip 192.0.2.7\nunicast_peer {\n192.0.2.8\n192.0.2.9 min_ttl 250 max_ttl 254\n}\n"
                "unicast_ttl 64\ncheck_unicast_src\nunicast_fault_no_peer\ntrack_src_ip\nold_unicast_checksum never"
            ),
        )
        assert found.errors == []
        assert {key: value for key, value in found.instance.items() if "unicast" in key or "src" in key} == {
            "unicast_src_ip": "192.0.2.7",
            "unicast_peer": ["192.0.2.8", {"address": "192.0.2.9", "min_ttl": "250", "max_ttl": "254"}],
            "unicast_ttl": "64",
            "check_unicast_src": "true",
            "unicast_fault_no_peer": "true",
            "track_src_ip": "true",
        }

    @pytest.mark.parametrize(
        "lines",
        ["unicast_src_ip 192.0.2.8", "unicast_peer {\n}", "unicast_ttl 9", "check_unicast_src", "old_unicast_checksum"],
    )
    def test_without_peers_it_is_multicast(self, tmp_path: Path, lines: str) -> None:
        found = mapped(tmp_path, instance(lines))
        assert not any(key.startswith(("unicast", "check")) for key in found.instance)
        (said,) = found.errors
        assert said.endswith("there are no unicast peers; multicast is used")

    def test_unless_that_is_a_fault(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("unicast_src_ip 192.0.2.8\nunicast_fault_no_peer"))
        assert (found.instance["unicast_src_ip"], found.instance["unicast_fault_no_peer"]) == ("192.0.2.8", "true")
        assert found.errors == []

    def test_the_last_source_counts_whichever_it_is_called(self, tmp_path: Path) -> None:
        found = mapped(
            tmp_path, instance("unicast_src_ip 192.0.2.8\nmcast_src_ip 192.0.2.7\nunicast_peer {\n192.0.2.9\n}")
        )
        assert found.instance["unicast_src_ip"] == "192.0.2.7"
        assert "mcast_src_ip" not in found.instance

    def test_a_list_of_all_nodes_may_be_the_same_everywhere(self, tmp_path: Path) -> None:
        found = mapped(
            tmp_path, instance("unicast_src_ip 192.0.2.8\nunicast_peer {\n192.0.2.8\n192.0.2.9\n192.0.2.9\n}")
        )
        assert found.instance["unicast_peer"] == ["192.0.2.9"]
        assert [each.partition(V)[2] for each in found.advice] == [
            ": 192.0.2.8 is this node's own; as a peer it is left out",
            ".unicast_peer: 192.0.2.9 stands there already; this is left out",
        ]

    def test_the_global_setting_is_for_those_with_peers(self, tmp_path: Path) -> None:
        before = "global_defs {\nvrrp_check_unicast_src\n}\n"
        assert "check_unicast_src" not in mapped(tmp_path, instance("", before=before)).instance
        found = mapped(tmp_path, instance("unicast_peer {\n192.0.2.9\n}", before=before))
        assert found.instance["check_unicast_src"] == "true"

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ("192.0.2.300", '"192.0.2.300" is not an IP address; it is left out'),
            ("192.0.2.9 min_ttl 300", "300 is outside 0..255; it is left out"),
            ("192.0.2.9 min_ttl", '"min_ttl" needs a value'),
            ("192.0.2.9 ttl 5", '"ttl" is not an option of a peer'),
            ("192.0.2.9 min_ttl 9 max_ttl 8", "min_ttl 9 is more than max_ttl 8: no advert would be believed"),
        ],
    )
    def test_a_peer_with_a_mistake(self, tmp_path: Path, entry: str, said: str) -> None:
        found = mapped(tmp_path, instance(f"unicast_peer {{\n192.0.2.7\n{entry}\n}}"))
        assert found.errors == [f"6: {V}.unicast_peer: {said}"]


class TestMulticast:
    def test_a_group_of_the_instance_or_of_all(self, tmp_path: Path) -> None:
        before = "global_defs {\nvrrp_mcast_group4 224.0.0.19\nvrrp_mcast_group6 ff02::19\n}\n"
        assert mapped(tmp_path, instance("", before=before)).instance["mcast_dst_ip"] == "224.0.0.19"
        assert mapped(tmp_path, ipv6("", before=before)).instance["mcast_dst_ip"] == "ff02::19"
        found = mapped(tmp_path, instance("mcast_dst_ip 224.0.0.20", before=before))
        assert found.instance["mcast_dst_ip"] == "224.0.0.20"

    def test_the_usual_group_need_not_be_said(self, tmp_path: Path) -> None:
        assert "mcast_dst_ip" not in mapped(tmp_path, instance("mcast_dst_ip 224.0.0.18")).instance

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            ("mcast_dst_ip 192.0.2.9", "192.0.2.9 is not multicast; 224.0.0.18 is used"),
            ("mcast_dst_ip foo", '"foo" is not an IPv4 address; 224.0.0.18 is used'),
            ("mcast_src_ip 192.0.2.300", '"192.0.2.300" is not an IP address; it is left out'),
            (
                "unicast_peer {\n192.0.2.9\n}\nmcast_dst_ip 224.0.0.19",
                "has no effect with unicast peers; it is left out",
            ),
        ],
    )
    def test_a_mistake(self, tmp_path: Path, lines: str, said: str) -> None:
        found = mapped(tmp_path, instance(lines))
        (error,) = found.errors
        assert error.endswith(said)
        assert "mcast_dst_ip" not in found.instance

    def test_an_ipv6_group_does_not_leave_the_link(self, tmp_path: Path) -> None:
        (error,) = mapped(tmp_path, ipv6("mcast_dst_ip ff05::12")).errors
        assert error.endswith("ff05::12 is not of this link (ff02:…); ff02::12 is used")


class TestOtherKeywords:
    def test_flags(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("dont_track_primary\nskip_check_adv_addr\nversion 3\nv3_checksum_as_v2"))
        for key in ("dont_track_primary", "skip_check_adv_addr", "v3_checksum_as_v2"):
            assert found.instance[key] == "true"

    def test_an_instance_against_the_global_setting(self, tmp_path: Path) -> None:
        before = "global_defs {\nvrrp_skip_check_adv_addr\n}\n"
        found = mapped(tmp_path, instance("skip_check_adv_addr off", before=before))
        assert found.instance["skip_check_adv_addr"] == "false"

    def test_the_checksum_is_about_version_3_over_ipv4(self, tmp_path: Path) -> None:
        assert "v3_checksum_as_v2" not in mapped(tmp_path, instance("v3_checksum_as_v2")).instance
        assert "v3_checksum_as_v2" not in mapped(tmp_path, ipv6("v3_checksum_as_v2")).instance

    def test_without_a_source_there_is_none_to_track(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("track_src_ip"))
        assert "track_src_ip" not in found.instance
        assert "there is no mcast_src_ip or unicast_src_ip to track; it is left out" in found.advice[0]
