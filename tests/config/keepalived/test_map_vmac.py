"""vrrp_instance: a virtual MAC, and the name of the interface that carries it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.keepalived.mapped import instance, mapped

V = "vrrp_instance.V"


def several(*blocks: tuple[str, str]) -> str:
    """Instances V0, V1, … with VRID 51: (interface and lines, address)."""
    return "".join(
        instance(lines, name=f"V{number}").replace("192.0.2.1", address).replace("interface eth0\n", "", 1)
        for number, (lines, address) in enumerate(blocks)
    )


class TestName:
    def test_it_need_have_none(self, tmp_path: Path) -> None:
        assert mapped(tmp_path, instance("use_vmac")).instance["use_vmac"] == "true"

    def test_it_may_have_one(self, tmp_path: Path) -> None:
        assert mapped(tmp_path, instance("use_vmac vr1")).instance["use_vmac"] == "vr1"

    def test_it_may_be_a_word_that_node_yaml_takes_for_another(self, tmp_path: Path) -> None:
        assert mapped(tmp_path, instance("use_vmac yes")).instance["use_vmac"] == {"interface": "yes"}

    def test_one_of_ipv6_alone_is_called_as_keepalived_calls_it(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("use_vmac").replace("192.0.2.1", "fe80::1"))
        assert found.instance["use_vmac"] == "vrrp.51"

    def test_each_is_another(self, tmp_path: Path) -> None:
        ipv4 = ("interface eth0\nuse_vmac", "192.0.2.1")
        ipv6 = ("interface eth0\nuse_vmac", "fe80::1")
        elsewhere = ("interface eth1\nuse_vmac", "192.0.2.2")
        found = mapped(tmp_path, several(ipv4, ipv6, elsewhere)).tree["vrrp_instances"].values()
        assert [each["use_vmac"] for each in found] == ["true", "true", "vrrp1.51"]

    def test_who_names_it_has_it(self, tmp_path: Path) -> None:
        unnamed = ("interface eth0\nuse_vmac", "192.0.2.1")
        named = ("interface eth1\nuse_vmac vrrp.51", "192.0.2.2")
        found = mapped(tmp_path, several(unnamed, named)).tree["vrrp_instances"].values()
        assert [each["use_vmac"] for each in found] == ["vrrp1.51", "true"]

    def test_a_second_instance_of_a_name_gets_another(self, tmp_path: Path) -> None:
        one = ("interface eth0\nuse_vmac vr1", "192.0.2.1")
        two = ("interface eth1\nuse_vmac vr1", "192.0.2.2")
        found = mapped(tmp_path, several(one, two))
        assert [each["use_vmac"] for each in found.tree["vrrp_instances"].values()] == ["vr1", "true"]
        assert found.errors[0].endswith("use_vmac: vr1 is V0's already; a name is made for it")

    @pytest.mark.parametrize(("prefix", "name"), [("foo", "foo.51"), ("abcdefghijklmno", "abcdefghijkl.51")])
    def test_a_prefix_for_all(self, tmp_path: Path, prefix: str, name: str) -> None:
        found = mapped(tmp_path, instance("use_vmac", before=f"global_defs {{\nvmac_prefix {prefix}\n}}\n"))
        assert found.instance["use_vmac"] == name

    def test_the_first_prefix_counts(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("use_vmac", before="global_defs {\nvmac_prefix a\nvmac_prefix b\n}\n"))
        assert found.instance["use_vmac"] == "a.51"
        assert found.errors[0].endswith("vmac_prefix: stands in line 2 already; this is left out")


class TestAddress:
    @pytest.mark.parametrize("words", ["vr1 02:00:00:00:00:01", "02:00:00:00:00:01 vr1"])
    def test_it_may_be_said(self, tmp_path: Path, words: str) -> None:
        found = mapped(tmp_path, instance(f"use_vmac {words}"))
        assert found.instance["use_vmac"] == {"interface": "vr1", "mac": "02:00:00:00:00:01"}

    def test_five_bytes_end_with_the_vrid(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("use_vmac 02:00:00:00:00"))
        assert found.instance["use_vmac"] == {"interface": "vrrp.51", "mac": "02:00:00:00:00:33"}

    @pytest.mark.parametrize(
        ("address", "said"),
        [
            ("02:00:00", '"02:00:00" is not a MAC address'),
            ("02:00:00:00:00:gg", '"02:00:00:00:00:gg" is not a MAC address'),
            ("00:00:5e:00:02:07", "00:00:5e:00:02:07 is a virtual router's MAC address"),
            ("01:00:5e:00:00:01", "01:00:5e:00:00:01 is a multicast address"),
        ],
    )
    def test_a_wrong_one_leaves_the_rfc_s(self, tmp_path: Path, address: str, said: str) -> None:
        found = mapped(tmp_path, instance(f"use_vmac vr1 {address}"))
        assert found.errors == [f"4: {V}.use_vmac: {said}; it is left out"]
        assert found.instance["use_vmac"] == "vr1"


class TestMistakes:
    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            ("vmac_xmit_base", "vmac_xmit_base: has no meaning without use_vmac; it is left out"),
            ("use_vmac a\nuse_vmac b", 'use_vmac: it is called a already; "b" is left out'),
            (
                "use_vmac\nunicast_peer {\n192.0.2.9\n}",
                "unicast adverts leave by the interface itself; vmac_xmit_base is used",
            ),
            (f"use_vmac {'x' * 16}", "1 to 15 bytes without space, / and :; a name is made for it"),
            (
                "use_vmac\nvirtual_ipaddress {\n192.0.2.9 use_vmac\n}",
                "use_vmac is the instance's, 192.0.2.9 need not say it",
            ),
        ],
    )
    def test_they_are_named(self, tmp_path: Path, lines: str, said: str) -> None:
        (error,) = mapped(tmp_path, instance(lines)).errors
        assert error.endswith(said)
