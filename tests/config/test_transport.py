"""How adverts travel, in node.yaml: what instances become, and what of it cannot be."""

from __future__ import annotations

import textwrap
from ipaddress import ip_address
from pathlib import Path

import pytest

from pyvrrp.config.show import effective
from pyvrrp.core.diff import changes
from pyvrrp.core.settings import InstanceSettings, UnicastPeer
from tests.config import samples
from tests.config.samples import GOOD, advice, loaded, problems, replaced

VI = "vrrp_instances.VI_1"


def only(folder: Path, text: str) -> InstanceSettings:
    """The one instance of a file with this text."""
    (found,) = loaded(folder, text).settings.instances
    return found


def with_instance_lines(lines: str) -> str:
    """GOOD with more lines in its instance; they begin in line 9."""
    return samples.with_instance_lines(f"{lines}\n")


def ipv6(lines: str = "") -> str:
    """An IPv6 virtual router with more lines; they begin in line 9."""
    return with_instance_lines(lines).replace("[192.168.1.200]", '["fe80::60", "2001:db8::60/64"]')


def test_an_instance_says_nothing_about_it(tmp_path: Path) -> None:
    found = only(tmp_path, GOOD)
    assert (found.family, found.version, found.unicast_peers, found.source) == (4, 2, (), None)
    assert str(found.multicast_group) == "224.0.0.18"


def test_ipv6_addresses_make_an_ipv6_virtual_router_of_version_3(tmp_path: Path) -> None:
    found = only(tmp_path, ipv6("advert_int: 0.5"))
    assert (found.family, found.version, found.advert_int) == (6, 3, 0.5)
    assert [str(each) for each in found.addresses] == ["fe80::60/128", "2001:db8::60/64"]
    assert str(found.multicast_group) == "ff02::12"


def test_addresses_of_the_other_family_are_excluded_ones(tmp_path: Path) -> None:
    found = only(tmp_path, with_instance_lines('virtual_ipaddress_excluded: ["2001:db8::60"]'))
    assert (found.family, found.version) == (4, 2)
    assert [str(each) for each in found.excluded] == ["2001:db8::60/128"]


def test_one_vrid_serves_each_family_once(tmp_path: Path) -> None:
    other = '  VI_2: {interface: eth0, virtual_router_id: 60, virtual_ipaddress: ["fe80::1"]}\nchecks:\n'
    text = GOOD.replace("checks:\n", other, 1)
    assert {each.identity for each in loaded(tmp_path, text).settings.instances} == {("eth0", 4, 60), ("eth0", 6, 60)}
    assert problems(tmp_path, text.replace("fe80::1", "10.0.0.1")) == [
        "node.yaml:9:46: vrrp_instances.VI_2.virtual_router_id: 60 on eth0 is taken by VI_1 (line 5)"
    ]


def test_unicast(tmp_path: Path) -> None:
    lines = """\
        unicast_src_ip: 192.168.1.1
        unicast_peer: [192.168.1.2, {address: 192.168.1.3, min_ttl: 254}]
        unicast_ttl: 64
        track_src_ip: true"""
    found = only(tmp_path, with_instance_lines(lines))
    assert found.unicast_peers == (
        UnicastPeer(ip_address("192.168.1.2")),
        UnicastPeer(ip_address("192.168.1.3"), min_ttl=254),
    )
    assert (str(found.source), found.unicast_ttl, found.track_source) == ("192.168.1.1", 64, True)
    assert found.check_unicast_src, "a TTL can only be asked of an advert whose sender is known"


def test_unicast_without_a_peer_may_wait_for_one(tmp_path: Path) -> None:
    found = only(tmp_path, with_instance_lines("unicast_fault_no_peer: true\nunicast_src_ip: 192.168.1.1"))
    assert found.unicast_fault_no_peer
    assert found.unicast_peers == ()


def test_multicast_of_another_group_from_another_source(tmp_path: Path) -> None:
    found = only(tmp_path, with_instance_lines("mcast_src_ip: 192.168.1.9\nmcast_dst_ip: 224.0.0.99"))
    assert (str(found.source), str(found.multicast_group)) == ("192.168.1.9", "224.0.0.99")


def test_the_rest_goes_through(tmp_path: Path) -> None:
    lines = "version: 3\nv3_checksum_as_v2: true\nskip_check_adv_addr: true\nowner_ignore_adverts: true"
    found = only(tmp_path, with_instance_lines(f"{lines}\ndont_track_primary: true"))
    assert (found.v3_checksum_as_v2, found.skip_check_adv_addr, found.owner_ignore_adverts) == (True, True, True)
    assert not found.track_primary


def test_one_vrid_on_two_interfaces_is_remarked(tmp_path: Path) -> None:
    other = "  VI_2: {interface: eth1, virtual_router_id: 60, virtual_ipaddress: [10.0.0.1], track_checks: [mysql]}\n"
    found = advice(tmp_path, GOOD.replace("checks:\n  mysql", f"{other}checks:\n  mysql", 1))
    assert found[-1].endswith("VI_2.virtual_router_id: VI_1 on eth0 has VRID 60, too: their networks must stay apart")


def test_an_ipv6_sender_that_is_not_link_local_is_remarked(tmp_path: Path) -> None:
    (found,) = advice(tmp_path, ipv6('mcast_src_ip: "2001:db8::1"'))
    assert found.startswith(f"node.yaml:9:19: {VI}.mcast_src_ip: 2001:db8::1 is not link-local: others may turn such")
    assert advice(tmp_path, ipv6('mcast_src_ip: "fe80::1"')) == []


def test_an_advert_has_room_for_89_addresses_of_ipv6(tmp_path: Path) -> None:
    def several(number: int) -> str:
        return replaced("192.168.1.200", ", ".join(f'"2001:db8::{each + 1:x}"' for each in range(number)))

    assert problems(tmp_path, several(89)) == []
    assert problems(tmp_path, several(90)) == [
        f"node.yaml:7:24: {VI}.virtual_ipaddress: 90 are too many, 89 IPv6 addresses fit into an advert"
    ]


PEERS = "unicast_peer: [192.168.1.2]"

IPV4_LINES = [
    ("unicast_peer: 192.168.1.2", f"9:19: {VI}.unicast_peer: a list is expected here"),
    ("unicast_peer: [db2]", f'9:20: {VI}.unicast_peer: "db2" is not an IP address'),
    ("unicast_peer: [224.0.0.18]", f"9:20: {VI}.unicast_peer: 224.0.0.18 is a multicast address, no other router has"),
    ('unicast_peer: ["fe80::2"]', f"9:20: {VI}.unicast_peer: fe80::2 is not IPv4, as its virtual addresses are"),
    ("unicast_peer: [192.168.1.2, 192.168.1.2]", f"9:33: {VI}.unicast_peer: 192.168.1.2 is named twice"),
    ("unicast_peer: [192.168.1.200]", f"9:20: {VI}.unicast_peer: 192.168.1.200 is a virtual address, no node's own"),
    (
        "unicast_peer: [192.168.1.1]\nunicast_src_ip: 192.168.1.1",
        f"9:20: {VI}.unicast_peer: 192.168.1.1 is this node itself, unicast_src_ip",
    ),
    (
        "unicast_peer: [{address: 192.168.1.2, min_ttl: 256}]",
        f"9:52: {VI}.unicast_peer.min_ttl: 256 is outside 0..255",
    ),
    (
        "unicast_peer: [{address: 192.168.1.2, min_tll: 255}]",
        f'9:43: {VI}.unicast_peer: unknown key "min_tll" (did you mean "min_ttl"?)',
    ),
    (
        "unicast_peer: [{address: 192.168.1.2, min_ttl: 255, max_ttl: 64}]",
        f"9:20: {VI}.unicast_peer: min_ttl 255 is more than max_ttl 64: no advert would be believed",
    ),
    ("unicast_peer: [{min_ttl: 255}]", f'9:20: {VI}.unicast_peer: required key "address" is missing'),
    (f"{PEERS}\nmcast_dst_ip: 224.0.0.99", f"10:5: {VI}.mcast_dst_ip: has no effect with unicast_peer"),
    (f"{PEERS}\nmcast_src_ip: 192.168.1.1", f"10:5: {VI}.mcast_src_ip: has no effect with unicast_peer"),
    (f"{PEERS}\nunicast_ttl: 256", f"10:18: {VI}.unicast_ttl: 256 is outside 0..255"),
    (f'{PEERS}\nunicast_src_ip: "fe80::1"', f"10:21: {VI}.unicast_src_ip: fe80::1 is not IPv4, as its virtual"),
    ("unicast_src_ip: 192.168.1.1", f"9:5: {VI}.unicast_src_ip: has no effect without unicast_peer"),
    ("unicast_ttl: 64", f"9:5: {VI}.unicast_ttl: has no effect without unicast_peer"),
    ("check_unicast_src: true", f"9:5: {VI}.check_unicast_src: has no effect without unicast_peer"),
    ("mcast_dst_ip: 192.168.1.1", f"9:19: {VI}.mcast_dst_ip: 192.168.1.1 is not a multicast address"),
    ('mcast_dst_ip: "ff02::12"', f"9:19: {VI}.mcast_dst_ip: ff02::12 is not IPv4, as its virtual addresses are"),
    ("mcast_src_ip: eth1", f'9:19: {VI}.mcast_src_ip: "eth1" is not an IP address'),
    ("track_src_ip: true", f"9:5: {VI}.track_src_ip: there is no mcast_src_ip or unicast_src_ip to track"),
    ("v3_checksum_as_v2: true", f"9:5: {VI}.v3_checksum_as_v2: has a meaning with VRRPv3 over IPv4 only"),
    ("native_ipv6: true", f"9:18: {VI}.native_ipv6: its addresses are IPv4"),
]
IPV6_LINES = [
    ("version: 2", f"9:14: {VI}.version: VRRPv2 has no IPv6; leave the version away, or write 3"),
    (
        "authentication: {auth_type: PASS, auth_pass: x}",
        f"9:5: {VI}.authentication: VRRPv3 has no authentication; leave it away",
    ),
    ("mcast_dst_ip: 224.0.0.18", f"9:19: {VI}.mcast_dst_ip: 224.0.0.18 is not IPv6, as its virtual addresses are"),
    ("v3_checksum_as_v2: true", f"9:5: {VI}.v3_checksum_as_v2: has a meaning with VRRPv3 over IPv4 only"),
    (
        'virtual_ipaddress_excluded: [{address: "fe80::9", label: x}]',
        f"9:62: {VI}.virtual_ipaddress_excluded.label: an IPv6 address has no label",
    ),
    (
        'virtual_ipaddress_excluded: [{address: "fe80::9", broadcast: 10.0.0.1}]',
        f"9:66: {VI}.virtual_ipaddress_excluded.broadcast: 10.0.0.1 is no IPv6 address",
    ),
]


@pytest.mark.parametrize(("lines", "expected"), IPV4_LINES)
def test_a_mistake_in_an_ipv4_instance(tmp_path: Path, lines: str, expected: str) -> None:
    (found,) = problems(tmp_path, with_instance_lines(lines))
    assert found.startswith(f"node.yaml:{expected}")


@pytest.mark.parametrize(("lines", "expected"), IPV6_LINES)
def test_a_mistake_in_an_ipv6_instance(tmp_path: Path, lines: str, expected: str) -> None:
    (found,) = problems(tmp_path, ipv6(lines))
    assert found.startswith(f"node.yaml:{expected}")


def test_two_families_in_one_list(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, replaced("[192.168.1.200]", '[192.168.1.200, "fe80::1"]'))
    assert found == (
        f"node.yaml:7:40: {VI}.virtual_ipaddress: fe80::1 is IPv6, but 192.168.1.200 makes this an IPv4 virtual router:"
        " put it into virtual_ipaddress_excluded, or into an instance of its own"
    )


def test_a_wrong_first_address_makes_no_second_problem(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, ipv6("advert_int: 0.5\nmcast_src_ip: fe80::1").replace("fe80::60", "fe80::60::1"))
    assert found.startswith(f'node.yaml:7:25: {VI}.virtual_ipaddress: "fe80::60::1" is not an IP address')


def test_what_config_show_prints_means_the_same(tmp_path: Path) -> None:
    lines = """\
        use_vmac: true
        unicast_src_ip: 192.168.1.1
        unicast_peer: [192.168.1.2, {address: 192.168.1.3, min_ttl: 254}]
        virtual_ipaddress_excluded: ["fe80::5", {address: 10.1.1.2, dev: eth1}]
    """
    multicast = """\
      VI_6:
        interface: eth0
        virtual_router_id: 60
        strict_mode: true
        mcast_dst_ip: "ff02::99"
        duplicate_wait: 30
        virtual_ipaddress: ["fe80::60", "2001:db8::60"]
    """
    beside = """\
        garp_groups: [{interfaces: [eth0], garp_interval: 0.1}]
        interface_up_down_delays: {eth0: 0.5}
        static_ipaddress: [{address: 10.1.1.1/24, dev: eth0}]
    """
    head, tail = with_instance_lines(lines).split("\nchecks:\n")
    both = f"{head}\n{textwrap.indent(textwrap.dedent(multicast), '  ')}checks:\n{tail}"
    before = loaded(tmp_path, textwrap.dedent(beside) + both).settings
    after = loaded(tmp_path, effective(before)).settings
    assert [each.name for each in after.instances] == ["VI_1", "VI_6"]
    assert changes(before, after) == ()
