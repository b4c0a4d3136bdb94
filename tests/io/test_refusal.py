"""New connections to an address whose server is being closed, in a real kernel: refused at once, and not for ever."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from pyvrrp.app.premises import Premises
from pyvrrp.core.settings import Account, Address, DatabaseSettings, InstanceSettings, NodeSettings, VirtualAddress
from pyvrrp.errors import KernelError
from pyvrrp.io.nftables import table_is_there
from pyvrrp.io.refusal import Refusals, ruleset
from tests.io.conftest import Pair
from tests.netns import Namespace

TABLE = "pyvrrp_refusal"
VIP, VIP6, OTHER = IPv4Address("192.168.1.200"), IPv6Address("2001:db8::200"), IPv4Address("192.168.1.199")
BOUND = InstanceSettings(
    "VI_1",
    "eth0",
    60,
    (VirtualAddress("eth0", VIP, 32),),
    database=DatabaseSettings(Account(user="pyvrrp")),
)
PORT = 3306


def test_the_rules() -> None:
    assert ruleset("mine", [VIP6, VIP]) == (
        "table inet mine\n"
        "delete table inet mine\n"
        "table inet mine {\n"
        "\tset refused {\n"
        "\t\ttype ipv4_addr\n"
        "\t\telements = { 192.168.1.200 }\n"
        "\t}\n"
        "\tset refused6 {\n"
        "\t\ttype ipv6_addr\n"
        "\t\telements = { 2001:db8::200 }\n"
        "\t}\n"
        "\tchain input {\n"
        "\t\ttype filter hook input priority -2; policy accept;\n"
        "\t\tip daddr @refused tcp flags & (syn | ack) == syn reject with tcp reset\n"
        "\t\tip6 daddr @refused6 tcp flags & (syn | ack) == syn reject with tcp reset\n"
        "\t}\n"
        "}\n"
    )
    assert "elements" not in ruleset("mine")


def test_without_nft_the_reason_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyvrrp.nft.PATH", "")
    monkeypatch.setenv("PATH", "")
    refusals = Refusals(TABLE)
    reason = r"refuse new connections \(nftables table pyvrrp_refusal\): there is no program nft on this host"
    with pytest.raises(KernelError, match=reason):
        refusals.prepare([BOUND])
    with pytest.raises(KernelError, match=reason):
        refusals.refuse("VI_1", [VIP])
    refusals.refuse("VI_1", [])  # nothing is refused, nothing is to be lifted
    refusals.close()


@pytest.fixture
def refusals(pair: Pair) -> Iterator[Refusals]:
    """Ready, on a host with three addresses more and a server on all of them."""
    for host, number in ((pair.here, 201), (pair.there, 202)):
        host.ip(f"addr add 2001:db8::{number}/64 dev eth0 nodad")
    pair.here.ip(f"addr add {VIP}/32 dev eth0")
    pair.here.ip(f"addr add {OTHER}/32 dev eth0")
    pair.here.ip(f"addr add {VIP6}/128 dev eth0 nodad")
    with pair.here.inside(), socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True):
        opened = Refusals(TABLE)
        opened.prepare([BOUND])
        yield opened
        opened.close()


@contextmanager
def connected(host: Namespace, address: Address) -> Iterator[socket.socket]:
    with host.inside():
        client = socket.create_connection((str(address), PORT), timeout=2)
    with client:
        yield client


def refused(host: Namespace, address: Address) -> bool:
    """Whether a connection is refused rather than made; that it is at once is part of it."""
    began = time.monotonic()
    try:
        with connected(host, address):
            return False
    except ConnectionRefusedError:
        assert time.monotonic() - began < 0.5, "a SYN that is not answered is sent again after a second"
        return True


@pytest.mark.lab
def test_nothing_is_refused_before_somebody_asks(pair: Pair, refusals: Refusals) -> None:
    assert not refused(pair.there, VIP)
    refusals.refuse("VI_1", [])
    assert not refused(pair.there, VIP)


@pytest.mark.lab
def test_connections_are_refused_and_then_made_again(pair: Pair, refusals: Refusals) -> None:
    refusals.refuse("VI_1", [VIP, VIP6])
    assert refused(pair.there, VIP)
    assert refused(pair.there, VIP6)
    assert not refused(pair.there, OTHER)
    refusals.refuse("VI_1", [OTHER])
    assert [refused(pair.there, each) for each in (VIP, VIP6, OTHER)] == [False, False, True]
    refusals.refuse("VI_1", [])
    assert not refused(pair.there, OTHER)


@pytest.mark.lab
def test_clients_on_the_host_itself_are_refused_too(pair: Pair, refusals: Refusals) -> None:
    refusals.refuse("VI_1", [VIP, VIP6])
    assert refused(pair.here, VIP)
    assert refused(pair.here, VIP6)
    assert not refused(pair.here, OTHER)


@pytest.mark.lab
def test_what_is_connected_goes_on(pair: Pair, refusals: Refusals) -> None:
    with connected(pair.there, VIP) as client:
        refusals.refuse("VI_1", [VIP])
        client.sendall(b"still here")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):  # neither an answer, as nobody reads, nor a reset
            client.recv(1)


@pytest.mark.lab
def test_each_instance_has_its_own(pair: Pair, refusals: Refusals) -> None:
    refusals.refuse("VI_1", [VIP])
    refusals.refuse("VI_2", [OTHER])
    refusals.refuse("VI_1", [])
    assert [refused(pair.there, each) for each in (VIP, OTHER)] == [False, True]


@pytest.mark.lab
def test_a_reload_lifts_what_nobody_will_lift_any_more(pair: Pair, refusals: Refusals) -> None:
    refusals.refuse("VI_1", [VIP])
    refusals.refuse("VI_2", [OTHER])
    refusals.prepare([BOUND])
    assert [refused(pair.there, each) for each in (VIP, OTHER)] == [True, False]
    refusals.prepare([replace(BOUND, database=None)])
    assert not refused(pair.there, VIP)
    assert not table_is_there(TABLE)


@pytest.mark.lab
def test_what_a_killed_daemon_refused_is_answered_again(pair: Pair, refusals: Refusals) -> None:
    refusals.refuse("VI_1", [VIP])
    after = Refusals(TABLE, there=True)
    after.prepare([BOUND])
    assert not refused(pair.there, VIP)
    Refusals(TABLE, there=True).prepare([])
    assert not table_is_there(TABLE)


@pytest.mark.lab
def test_rules_that_somebody_flushed_are_made_anew(pair: Pair, refusals: Refusals) -> None:
    flush = ["/usr/sbin/nft", "flush", "ruleset"]
    refusals.refuse("VI_1", [OTHER])
    subprocess.run(flush, check=True)
    refusals.refuse("VI_2", [VIP])
    assert [refused(pair.there, each) for each in (VIP, OTHER)] == [True, True]
    subprocess.run(flush, check=True)
    refusals.refuse("VI_1", [])
    assert [refused(pair.there, each) for each in (VIP, OTHER)] == [True, False]
    subprocess.run(flush, check=True)
    refusals.close()
    assert not table_is_there(TABLE)


@pytest.mark.lab
def test_it_is_done_before_a_program_would_have_started(pair: Pair, refusals: Refusals) -> None:
    taken = []
    for _ in range(5):
        began = time.monotonic()
        refusals.refuse("VI_1", [VIP, VIP6])
        taken.append(time.monotonic() - began)
        refusals.refuse("VI_1", [])
    assert min(taken) < 0.002
    assert not refused(pair.there, VIP)


# --- in the daemon ----------------------------------------------------------------------------------------------------

WITH = NodeSettings("node", (BOUND,))
WITHOUT = NodeSettings("node", (replace(BOUND, database=None),))


@pytest.fixture
def said() -> list[str]:
    """What went to the log."""
    return []


@pytest.fixture
def premises(said: list[str]) -> Premises:
    return Premises(lambda _level, line: said.append(line), lambda _: None, lambda *_: None, lambda _: None)


@pytest.mark.lab
def test_the_table_is_there_while_a_database_is_configured(host: Namespace, premises: Premises) -> None:
    with host.inside():
        premises.drop(WITHOUT)
        assert not table_is_there(TABLE)
        premises.drop(WITH)
        assert table_is_there(TABLE)
        premises.drop(replace(WITH, nftables_table="ours"))
        assert (table_is_there(TABLE), table_is_there("ours_refusal")) == (False, True)
        premises.refuse("VI_1", [VIP])
        assert str(VIP) in host.run("/usr/sbin/nft", "list", "set", "inet", "ours_refusal", "refused")
        premises.close()
        assert not table_is_there("ours_refusal")


@pytest.mark.lab
def test_the_table_of_a_killed_daemon_goes_when_the_next_one_has_no_database(
    host: Namespace, premises: Premises
) -> None:
    with host.inside():
        Refusals(TABLE).prepare([BOUND])
        premises.drop(WITHOUT)
        assert not table_is_there(TABLE)


@pytest.mark.lab
def test_without_nft_one_line_says_so_and_all_else_goes_on(
    host: Namespace, premises: Premises, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyvrrp.nft.PATH", "")
    monkeypatch.setenv("PATH", "")
    with host.inside():
        premises.drop(WITH)
        premises.close()
    (line,) = said
    assert "there is no program nft on this host; install nftables; clients of a database that is being closed" in line
