"""no_accept in a real kernel: who is answered, and who is not."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from pyvrrp.core.settings import InstanceSettings, VirtualAddress
from pyvrrp.errors import KernelError
from pyvrrp.io.firewall import Firewall, ruleset
from pyvrrp.io.nftables import table_is_there
from tests.io.conftest import Pair
from tests.netns import Namespace

VIP = VirtualAddress("eth0", IPv4Address("192.168.1.200"), 32)
VIP6 = VirtualAddress("eth0", IPv6Address("2001:db8::200"), 128)
LINK_LOCAL = VirtualAddress("eth0", IPv6Address("fe80::200"), 128)
ROUTER = InstanceSettings("VI_1", "eth0", 60, (VIP,), accept=False)
ROUTER6 = replace(ROUTER, name="VI_6", family=6, addresses=(LINK_LOCAL,), excluded=(VIP6,))


def test_nothing_is_needed_where_every_address_accepts() -> None:
    assert ruleset("pyvrrp", [replace(ROUTER, accept=True)]) == ""


def test_an_owner_always_accepts() -> None:
    assert ruleset("pyvrrp", [replace(ROUTER, priority=255)]) == ""


def test_the_rules() -> None:
    other = replace(ROUTER, name="VI_2", accept=True, addresses=(replace(VIP, address=IPv4Address("192.168.1.7")),))
    assert ruleset("mine", [ROUTER, other, ROUTER6]) == (
        "table inet mine\n"
        "delete table inet mine\n"
        "table inet mine {\n"
        "\tchain input {\n"
        "\t\ttype filter hook input priority -1; policy accept;\n"
        "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
        "\t\tip daddr { 192.168.1.200 } drop\n"
        "\t\tip6 daddr { 2001:db8::200 } drop\n"
        '\t\tiifname "eth0" ip6 daddr fe80::200 drop\n'
        "\t}\n"
        "\tchain output {\n"
        "\t\ttype filter hook output priority -1; policy accept;\n"
        "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
        "\t\tip saddr { 192.168.1.200 } drop\n"
        "\t\tip6 saddr { 2001:db8::200 } drop\n"
        '\t\toifname "eth0" ip6 saddr fe80::200 drop\n'
        "\t}\n"
        "}\n"
    )


def test_without_nft_the_reason_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyvrrp.nft.PATH", "")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(KernelError, match="there is no program nft on this host; install nftables"):
        Firewall("pyvrrp").want([ROUTER])


@pytest.fixture
def firewall(pair: Pair) -> Iterator[Firewall]:
    with pair.here.inside():
        opened = Firewall("pyvrrp")
        yield opened
        opened.close()


def tables(host: Namespace) -> str:
    with host.inside():
        return subprocess.run(["/usr/sbin/nft", "list", "tables"], capture_output=True, text=True, check=True).stdout


def answers(pair: Pair, address: str) -> bool:
    """Whether the neighbour's attempt to connect to a closed port is answered: with a refusal."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pair.there.inside(), socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(0.5)
        try:
            client.connect((address, 1))
        except ConnectionRefusedError:
            return True
        except TimeoutError:
            return False
    raise AssertionError("somebody listens there")


@pytest.mark.lab
def test_packets_to_the_address_are_dropped_and_others_are_not(pair: Pair, firewall: Firewall) -> None:
    pair.here.ip("addr add 192.168.1.200/32 dev eth0")
    assert answers(pair, "192.168.1.200")
    firewall.want([ROUTER])
    assert not answers(pair, "192.168.1.200")
    assert answers(pair, "192.168.1.201")
    firewall.want([replace(ROUTER, accept=True)])
    assert answers(pair, "192.168.1.200")
    assert tables(pair.here) == ""


@pytest.mark.lab
def test_neighbours_still_find_an_ipv6_address_that_accepts_nothing(pair: Pair, firewall: Firewall) -> None:
    for host, number in ((pair.here, 201), (pair.there, 202)):
        host.ip(f"addr add 2001:db8::{number}/64 dev eth0 nodad")
    pair.here.ip("addr add 2001:db8::200/128 dev eth0 nodad")
    firewall.want([ROUTER6])
    assert not answers(pair, "2001:db8::200")
    found = pair.there.ip("neigh show 2001:db8::200")
    assert "lladdr" in found, found
    assert answers(pair, "2001:db8::201")


@pytest.mark.lab
def test_the_table_of_a_killed_daemon_is_replaced(pair: Pair, firewall: Firewall) -> None:
    Firewall("pyvrrp").want([replace(ROUTER, addresses=(replace(VIP, address=IPv4Address("192.168.1.201")),))])
    assert not answers(pair, "192.168.1.201")
    firewall.want([ROUTER])
    assert answers(pair, "192.168.1.201")


@pytest.mark.lab
def test_whether_one_was_left(pair: Pair) -> None:
    with pair.here.inside():
        assert not table_is_there("pyvrrp")
        Firewall("pyvrrp").want([ROUTER])
        assert table_is_there("pyvrrp")
        assert not table_is_there("pyvrr")
        Firewall("pyvrrp", there=True).want([])
        assert not table_is_there("pyvrrp")


@pytest.mark.lab
def test_a_table_that_somebody_flushed_is_set_again_and_not_missed_at_the_end(pair: Pair, firewall: Firewall) -> None:
    firewall.want([ROUTER])
    flush = ["/usr/sbin/nft", "flush", "ruleset"]
    subprocess.run(flush, check=True)
    firewall.want([ROUTER])
    assert "table inet pyvrrp" in tables(pair.here)
    subprocess.run(flush, check=True)
    firewall.close()
    assert tables(pair.here) == ""


@pytest.mark.lab
def test_what_nft_says_is_handed_on(pair: Pair) -> None:
    with pair.here.inside(), pytest.raises(KernelError, match=r"nftables table 7 .*: "):
        Firewall("7").want([ROUTER])
