"""pyvrrpctl sniff on capture files: each packet in words, and what the node of node.yaml makes of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, CookedLinux, Ether
from scapy.utils import rdpcap, wrpcap

from pyvrrp.cli.capture import CaptureFile, Frame
from pyvrrp.cli.main import run
from pyvrrp.core import const
from pyvrrp.core.neighbor import announcement
from pyvrrp.core.wire import Advert, decode, encode

PASSWORD = "s3cret77"
CONFIG = f"""\
vrrp_instances:
  VI_1:
    interface: eth0
    virtual_router_id: 60
    authentication: {{auth_type: PASS, auth_pass: {PASSWORD}}}
    virtual_ipaddress: [192.0.2.1]
"""
PEER, MAC, VIP = "192.0.2.20", "02:00:00:00:00:20", ip_address("192.0.2.1")
ADVERT = Advert(2, 60, 240, 100, (VIP,), const.AUTH_PASS, PASSWORD.encode())


def frame(payload: bytes, ttl: int = 255) -> Any:
    """An advert on the wire."""
    return Ether(src=MAC) / IP(src=PEER, dst=str(const.GROUP_IPV4), ttl=ttl, proto=const.PROTOCOL) / payload


def sent(**changes: object) -> bytes:
    """The bytes of an advert that is right but for the changes."""
    return encode(replace(ADVERT, **changes), IPv4Address(PEER), const.GROUP_IPV4)  # type: ignore[arg-type]


def sniffed(
    directory: Path, packets: Iterable[Any], capsys: pytest.CaptureFixture[str], *options: str, config: str = CONFIG
) -> list[str]:
    """The lines about these packets, without their times."""
    file, node = directory / "it.pcap", directory / "node.yaml"
    wrpcap(str(file), list(packets))
    node.write_text(config)
    assert run(["sniff", "--read", str(file), "--config", str(node), *options]) == 0
    return [line.partition(" - ")[2] for line in capsys.readouterr().out.splitlines()]


VERDICTS = {
    "right": (frame(sent()), "VI_1: accepted"),
    "leaving": (frame(sent(priority=0)), "VI_1: accepted, its sender leaves"),
    "wrong password": (frame(sent(auth_data=b"wr0ngpwd")), "VI_1: discarded: its password is not ours"),
    "no password": (
        frame(sent(auth_type=0, auth_data=bytes(8))),
        "VI_1: discarded: it uses no authentication, we use PASS",
    ),
    "interval": (frame(sent(advert_int=300)), "VI_1: discarded: its advert_int is 3 s, ours 1 s"),
    "TTL": (frame(sent(), ttl=64), "VI_1: discarded: TTL is not 255: 64"),
    "another router": (frame(sent(vrid=61)), "VRID 61: no instance here"),
    "cut off": (frame(sent()[:-3]), "VI_1: discarded: wrong length: 17 bytes, 1 addresses in version 2 make 20"),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_an_advert_is_judged_as_the_daemon_does(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packet, verdict = VERDICTS[case]
    (line,) = sniffed(tmp_path, [packet], capsys)
    assert line.startswith(f"{PEER} > 224.0.0.18 VRRP")
    assert line.endswith(f" | {verdict}")


def test_an_advert_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = sniffed(tmp_path, [frame(sent())], capsys)
    said = "VRRPv2 VRID 60 priority 240 every 1 s PASS: 192.0.2.1"
    assert line == f"{PEER} > 224.0.0.18 {said} | VI_1: accepted"


def test_version_3_over_ipv6(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, group, vip = ip_address("fe80::20"), ip_address("ff02::12"), ip_address("fe80::1")
    payload = encode(Advert(3, 60, 100, 10, (vip,), auth_data=b""), source, group)
    packet = Ether(src=MAC) / IPv6(src=str(source), dst=str(group), hlim=255, nh=const.PROTOCOL) / payload
    (line,) = sniffed(tmp_path, [packet], capsys)
    assert line == "fe80::20 > ff02::12 VRRPv3 VRID 60 priority 100 every 0.1 s: fe80::1 | VRID 60: no instance here"


NEIGHBORS = {
    "announcement": (
        Ether(announcement(bytes.fromhex("020000000020"), VIP)),
        f"ARP announcement: 192.0.2.1 is at {MAC} | VI_1: its address is held there",
    ),
    "reply": (
        Ether(src=MAC) / ARP(op=2, hwsrc=MAC, psrc="192.0.2.1", pdst=PEER),
        f"ARP reply: 192.0.2.1 is at {MAC} | VI_1: its address is held there",
    ),
    "request": (
        Ether(src=MAC) / ARP(op=1, hwsrc=MAC, psrc=PEER, pdst="192.0.2.1"),
        f"ARP request: who has 192.0.2.1? tell {PEER} | VI_1: its address is asked for",
    ),
    "probe": (
        Ether(src=MAC) / ARP(op=1, hwsrc=MAC, psrc="0.0.0.0", pdst="192.0.2.1"),
        "ARP probe: has anybody 192.0.2.1? | VI_1: its address is asked for",
    ),
    "of others": (
        Ether(src=MAC) / ARP(op=1, hwsrc=MAC, psrc=PEER, pdst="192.0.2.77"),
        f"ARP request: who has 192.0.2.77? tell {PEER}",
    ),
    "advertisement": (
        Ether(src=MAC)
        / IPv6(src="fe80::1", dst="ff02::1")
        / ICMPv6ND_NA(tgt="fe80::1", R=0, S=0, O=1)
        / ICMPv6NDOptDstLLAddr(lladdr=MAC),
        f"unsolicited neighbour advertisement: fe80::1 is at {MAC}, overrides",
    ),
    "solicitation": (
        Ether(src=MAC) / IPv6(src="fe80::20", dst="ff02::1:ff00:1") / ICMPv6ND_NS(tgt="fe80::1"),
        "neighbour solicitation: who has fe80::1? tell fe80::20",
    ),
    "duplicate address detection": (
        Ether(src=MAC) / IPv6(src="::", dst="ff02::1:ff00:1") / ICMPv6ND_NS(tgt="fe80::1"),
        "duplicate address detection: has anybody fe80::1?",
    ),
}


@pytest.mark.parametrize("case", NEIGHBORS)
def test_whose_address_arp_and_neighbour_discovery_are_about(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packet, line = NEIGHBORS[case]
    assert sniffed(tmp_path, [packet], capsys) == [line]


def test_everything_else_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = [Ether(src=MAC) / IP(src=PEER, dst=PEER) / b"text", Ether(src=MAC, type=0x88B5) / b"\0\1"]
    assert sniffed(tmp_path, [*others, frame(sent()), *others], capsys) != []
    assert sniffed(tmp_path, others, capsys) == []


def test_a_capture_of_all_interfaces_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packet = CookedLinux(proto=0x0800) / frame(sent()).payload
    (line,) = sniffed(tmp_path, [packet], capsys)
    assert line.endswith(" | VI_1: accepted")


def test_another_list_of_addresses_is_borne_for_a_while(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = sniffed(tmp_path, [frame(sent(addresses=(ip_address("192.0.2.9"),)))], capsys)
    why = "it advertises 192.0.2.9, we have 192.0.2.1"
    assert line.endswith(f" | VI_1: accepted from the master that it follows, for 300 s, else discarded: {why}")


def test_count_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(sniffed(tmp_path, [frame(sent())] * 5, capsys, "--count", "2")) == 2


def test_an_interface_that_is_named_has_only_its_own_instances(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, node = tmp_path / "it.pcap", tmp_path / "node.yaml"
    wrpcap(str(file), [frame(sent())])
    node.write_text(CONFIG)
    assert run(["sniff", "--read", str(file), "-c", str(node), "-i", "eth1"]) == 0
    assert capsys.readouterr().out.endswith(" | VRID 60: no instance here\n")


def test_without_a_configuration_only_the_form_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "it.pcap"
    wrpcap(str(file), [frame(sent()), frame(sent(), ttl=1)])
    assert run(["sniff", "--read", str(file)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("PASS: 192.0.2.1")
    assert second.endswith(" | discarded: TTL is not 255: 1")


def test_what_is_written_and_shown_has_no_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = b"0therpwd"
    packets = [frame(sent()), frame(sent(auth_data=wrong)), frame(sent()), frame(sent()[:-1]), frame(sent() + b"!")]
    target = tmp_path / "out.pcap"
    lines = sniffed(tmp_path, packets, capsys, "--pcap", str(target))
    data = target.read_bytes()
    for secret in (PASSWORD.encode(), wrong, PASSWORD.encode()[:-1]):
        assert secret not in data
        assert secret.decode() not in "".join(lines)
    again = [bytes(each[IP].payload) for each in rdpcap(str(target))]
    right, other, same = (decode(each, IPv4Address(PEER), const.GROUP_IPV4, 255) for each in again[:3])
    assert right == same != other
    assert right.addresses == (VIP,)


@pytest.mark.parametrize("length", [5, 24, 36])
def test_nor_when_its_own_header_hides_where_the_password_is(length: int, tmp_path: Path) -> None:
    packet = frame(sent())
    packet[IP].len = length
    packet.time = 1 << 33  # nor does a moment that the format has no number for end it
    target = tmp_path / "out.pcap"
    with CaptureFile(str(target)) as file:
        file.write(Frame(float(packet.time), "eth0", packet), bytes(packet[IP])[20:length])
    assert PASSWORD.encode() not in target.read_bytes()
    assert len(rdpcap(str(target))) == (length > 20)


def test_a_file_is_read_by_the_program_itself(tmp_path: Path) -> None:
    """Which has loaded only what it needs: this test's own process knows all of scapy's layers."""
    file = tmp_path / "it.pcap"
    wrpcap(str(file), [frame(sent())])
    command = [sys.executable, "-c", "from pyvrrp.cli.main import main; main()", "sniff", "--read", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.endswith("PASS: 192.0.2.1\n")
    assert done.stderr == "1 packet\n"


def test_what_is_no_capture_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "it.pcap"
    file.write_text("certainly not")
    assert run(["sniff", "--read", str(file)]) == 2
    assert f"pyvrrpctl: {file}: not a capture file" in capsys.readouterr().err
    assert run(["sniff", "--read", str(tmp_path / "absent")]) == 1


def test_it_wants_to_know_where_to_listen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--socket", str(tmp_path / "none"), "sniff"]) == 1
    err = capsys.readouterr().err
    assert "no point of view: pyvrrpd is not running" in err
    assert "which interface?" in err
