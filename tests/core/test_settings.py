"""core/settings: how logs, `config show` and reloads name things, and what follows from a setting."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from pyvrrp.core import settings as everything
from pyvrrp.core.settings import (
    Account,
    Address,
    ChannelSettings,
    Command,
    DatabaseSettings,
    DnsProbe,
    FileProbe,
    GarpGroup,
    HttpProbe,
    HttpUrl,
    InterfaceDelay,
    InterfaceProbe,
    MailSettings,
    MysqlProbe,
    PingProbe,
    ProcessProbe,
    RealServerSettings,
    ScriptProbe,
    SmtpProbe,
    TcpProbe,
    Track,
    UdpProbe,
    UnicastPeer,
    VirtualAddress,
    Vmac,
    automatic_lease,
    shape,
)
from tests.simulation import INSIDE, VIP, instance, settings

PEER = UnicastPeer(IPv4Address("192.168.1.202"))
VMAC = Vmac("vrrp.60", bytes.fromhex("00005e00013c"))
PAGE = HttpUrl("/alive")
HTTP = HttpProbe("192.0.2.1", 80, (PAGE,))


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (VIP, "192.168.1.200/32"),
        (TcpProbe("127.0.0.1", 3306), "127.0.0.1:3306"),
        (HTTP, "http://192.0.2.1:80"),
        (replace(HTTP, tls=True, port=443), "https://192.0.2.1:443"),
        (PAGE, "/alive"),
        (replace(PAGE, virtualhost="www.example.org"), "www.example.org/alive"),
        (SmtpProbe("192.0.2.1", 25), "smtp 192.0.2.1:25"),
        (DnsProbe("192.0.2.1"), "dns 192.0.2.1:53 SOA ."),
        (PingProbe("192.0.2.1"), "ping 192.0.2.1"),
        (UdpProbe("192.0.2.1", 514), "udp 192.0.2.1:514"),
        (ScriptProbe(Command(("/bin/check", "-v"))), "/bin/check -v"),
        (FileProbe("/run/weight"), "file /run/weight"),
        (ProcessProbe("mysqld"), "process mysqld"),
        (InterfaceProbe("eth1"), "interface eth1"),
        (MysqlProbe(Account(socket="/run/s.sock", user="pyvrrp")), "mysql /run/s.sock"),
        (Track("mysql"), "mysql"),
        (Track("mysql", -20), "mysql (weight -20)"),
        (Track("mysql", 20, reverse=True), "mysql (weight 20, reverse)"),
        (Track("mysql", reverse=True), "mysql (weight 0, reverse)"),
        (RealServerSettings("192.0.2.1", 80), "[192.0.2.1]:80"),
        (PEER, "192.168.1.202"),
        (replace(PEER, min_ttl=254), "192.168.1.202 (TTL 254 to 255)"),
        (replace(PEER, max_ttl=254), "192.168.1.202 (TTL 0 to 254)"),
        (VMAC, "vrrp.60 (00:00:5e:00:01:3c)"),
        (replace(VMAC, transmit_base=True), "vrrp.60 (00:00:5e:00:01:3c, adverts from below it)"),
        (GarpGroup(("eth0", "eth1"), 0.25, 1.0), "eth0 eth1 (garp_interval 0.25, gna_interval 1)"),
        (InterfaceDelay("eth0", down=2.0, up=0.5), "eth0 (down 2, up 0.5)"),
        (
            MailSettings("192.0.2.25", 25, "vrrp@example.org", ("a@example.org", "b@example.org")),
            "to a@example.org, b@example.org through 192.0.2.25:25",
        ),
    ],
    ids=str,
)
def test_texts(subject: object, text: str) -> None:
    assert str(subject) == text


@pytest.mark.parametrize(("scope", "name"), [(0, "global"), (253, "link"), (254, "host"), (42, "42")])
def test_a_scope_has_iproute2s_name_or_is_a_number(scope: int, name: str) -> None:
    assert VirtualAddress("eth0", VIP.address, 32, scope=scope).scope_name == name


def test_repr_of_an_instance_has_no_password() -> None:
    assert repr(instance(auth_pass=b"hunter2")) == "InstanceSettings('VI_1', 'eth0', vrid=60)"
    assert "hunter2" not in repr(settings(instance(auth_pass=b"hunter2")))


# --- what follows from a setting --------------------------------------------------------------------------------------


def test_a_track_has_no_weight_unless_told() -> None:
    assert Track("mysql").weight == 0


def test_owner() -> None:
    assert instance(priority=255).owner
    assert not instance(priority=254).owner


@pytest.mark.parametrize(
    ("family", "group", "found"),
    [(4, None, "224.0.0.18"), (6, None, "ff02::12"), (4, IPv4Address("224.0.0.99"), "224.0.0.99")],
)
def test_adverts_go_to_the_rfcs_group_unless_another_is_named(family: int, group: Address | None, found: str) -> None:
    assert str(instance(family=family, group=group).multicast_group) == found


def test_an_instance_uses_the_interfaces_of_its_adverts_and_of_its_addresses() -> None:
    plain = instance(excluded=(INSIDE,))
    assert plain.interfaces == {"eth0", "eth1"}
    assert replace(plain, vmac=VMAC).interfaces == {"eth0", "eth1", "vrrp.60"}
    assert replace(plain, vmac=replace(VMAC, transmit_base=True)).interfaces == {"eth0", "eth1"}
    assert replace(plain, vmac=VMAC, unicast_peers=(PEER,)).interfaces == {"eth0", "eth1"}


def test_an_address_is_put_on_the_vmac_if_it_is_of_the_family() -> None:
    other = IPv6Address("2001:db8::1")
    assert instance().carrier(VIP.address) == "eth0"
    assert instance(vmac=VMAC).carrier(VIP.address) == "vrrp.60"
    assert instance(vmac=VMAC).carrier(other) == "eth0"
    assert instance(vmac=VMAC, family=6).carrier(other) == "vrrp.60"


def test_automatic_lease_follows_the_adverts_that_a_backup_waits_for() -> None:
    assert [automatic_lease(1.0, adverts) for adverts in (1, 2, 3, 10)] == [2, 2, 2, 9]
    assert [automatic_lease(0.1, adverts) for adverts in (1, 3, 50)] == [1, 1, 4]
    assert automatic_lease(10.0, 1) == 11, "a healthy master renews before it ends"


@pytest.mark.parametrize(
    ("advert_int", "lease"), [(0.01, 1), (0.1, 1), (0.5, 1), (0.99, 1), (1.0, 2), (2.0, 5), (10.0, 29), (255.0, 764)]
)
def test_automatic_lease(advert_int: float, lease: int) -> None:
    assert automatic_lease(advert_int) == lease


# --- two processes ----------------------------------------------------------------------------------------------------


def test_the_shape_names_every_class_with_its_fields() -> None:
    found = dict(each.removesuffix(")").split("(") for each in shape().split(" "))
    assert found["Vmac"] == "interface,mac,transmit_base"
    assert found["Source"] == "address,port,interface,mark"
    classes = {name for name in everything.__all__ if isinstance(getattr(everything, name), type)}
    assert set(found) == classes


def test_where_a_database_is_in_words() -> None:
    assert str(Account()) == "127.0.0.1:3306"
    assert str(Account(socket="/run/mysqld/mysqld.sock")) == "/run/mysqld/mysqld.sock"
    assert str(DatabaseSettings(Account(port=3307))) == "127.0.0.1:3307"
    assert str(ChannelSettings("/k", "10.0.0.1", "10.0.0.2")) == "10.0.0.1 with 10.0.0.2, port 3112"


def test_an_account_can_log_in_as_somebody() -> None:
    assert Account(user="pyvrrp").can_log_in
    assert Account(defaults_file="/etc/pyvrrp/my.cnf").can_log_in
    assert not Account(password_file="/etc/pyvrrp/password").can_log_in
