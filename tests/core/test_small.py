"""The small rooms of the core: neighbor, diff, settings, errors."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core.diff import changes
from pyvrrp.core.neighbor import gratuitous_arp
from pyvrrp.core.settings import (
    Command,
    NodeSettings,
    Notifications,
    RealServerSettings,
    ServiceSettings,
    TcpProbe,
    Track,
    VirtualAddress,
    automatic_lease,
)
from pyvrrp.errors import ConfigError, KernelError, Problem
from tests.simulation import CHECK, INTERFACE, VIP, instance, settings


def test_gratuitous_arp_is_that_of_keepalived() -> None:
    frame = gratuitous_arp(bytes.fromhex("020000000001"), VIP.address)
    assert frame.hex(" ") == (
        "ff ff ff ff ff ff 02 00 00 00 00 01 08 06 "  # to everybody, from us, ARP
        "00 01 08 00 06 04 00 01 "  # Ethernet, IPv4, request
        "02 00 00 00 00 01 c0 a8 01 c8 "  # sender
        "ff ff ff ff ff ff c0 a8 01 c8"  # target
    )


# --- diff -------------------------------------------------------------------------------------------------------------

OTHER = VirtualAddress(INTERFACE, IPv4Address("192.168.1.199"), 32)
PLAIN = settings(instance(), checks=(CHECK,))


def test_diff_of_the_same_is_nothing() -> None:
    assert changes(PLAIN, PLAIN) == ()


def test_diff_of_fields() -> None:
    new = replace(
        PLAIN,
        router_id="other",
        instances=(instance(priority=90, addresses=(VIP, OTHER), vip_lease=None),),
        checks=(replace(CHECK, fall=5),),
    )
    assert changes(PLAIN, new) == (
        "node: router_id node -> other",
        "VI_1: priority 100 -> 90",
        "VI_1: vip_lease 2 -> off",
        "VI_1: 192.168.1.199/32 comes",
        "mysql: fall 3 -> 5",
    )


def test_diff_of_nothing_to_something() -> None:
    new = settings(instance(addresses=()), checks=(CHECK,))
    assert changes(PLAIN, new) == ("VI_1: 192.168.1.200/32 goes",)


def test_diff_of_what_comes_and_goes_in_the_order_of_the_file() -> None:
    names = ("zeta", "alpha", "mu", "beta", "omega")
    many = settings(
        *(instance(name=name, virtual_router_id=number) for number, name in enumerate(names, 1)), checks=(CHECK,)
    )
    assert changes(many, settings()) == (*(f"instance {name} is removed" for name in names), "check mysql is removed")
    assert changes(settings(), many) == (*(f"instance {name} is new" for name in names), "check mysql is new")


def test_diff_of_a_virtual_router_with_another_name() -> None:
    assert changes(settings(instance()), settings(instance(name="db"))) == ("db: name VI_1 -> db",)


def test_diff_of_an_address_that_moves() -> None:
    old = settings(instance(), instance(name="VI_2", virtual_router_id=2, addresses=()))
    new = settings(instance(addresses=()), instance(name="VI_2", virtual_router_id=2))
    assert changes(old, new) == ("192.168.1.200/32 moves from VI_1 to VI_2",)


def test_diff_of_an_address_that_adverts_do_not_name_any_more() -> None:
    new = settings(instance(addresses=(), excluded=(VIP,)))
    assert changes(settings(instance()), new) == ("VI_1: adverts name none",)


def test_diff_reaches_into_probes_scripts_and_real_servers() -> None:
    def node(port: int, program: str, weight: int) -> NodeSettings:
        server = RealServerSettings("192.0.2.1", 3306, weight)
        return replace(
            settings(
                instance(notifications=Notifications(master=Command((program, "up")))),
                checks=(replace(CHECK, probe=TcpProbe("127.0.0.1", port)),),
            ),
            services=(ServiceSettings("[192.0.2.9]:tcp:3306", (server,)),),
        )

    assert changes(node(3306, "/bin/true", 1), node(3307, "/bin/false", 2)) == (
        "VI_1: notify_master /bin/true up -> /bin/false up",
        "mysql: port 3306 -> 3307",
        "[192.0.2.1]:3306: weight 1 -> 2",
    )


@pytest.mark.parametrize(("old", "new"), [(None, b"hunter2"), (b"hunter2", None), (b"hunter2", b"hunter3")])
def test_diff_never_shows_a_password(old: bytes | None, new: bytes | None) -> None:
    told = changes(settings(instance(auth_pass=old)), settings(instance(auth_pass=new)))
    assert told == ("VI_1: auth_pass is changed",)


# --- settings and errors ----------------------------------------------------------------------------------------------


def test_repr_of_an_instance_has_no_password() -> None:
    assert repr(instance(auth_pass=b"hunter2")) == "InstanceSettings('VI_1', 'eth0', vrid=60)"
    assert "hunter2" not in repr(settings(instance(auth_pass=b"hunter2")))


def test_texts() -> None:
    assert str(VIP) == "192.168.1.200/32"
    assert str(TcpProbe("127.0.0.1", 3306)) == "127.0.0.1:3306"
    assert Track("mysql").weight == 0


def test_owner() -> None:
    assert instance(priority=255).owner
    assert not instance(priority=254).owner


def test_automatic_lease_follows_the_adverts_that_a_backup_waits_for() -> None:
    assert [automatic_lease(1.0, adverts) for adverts in (1, 2, 3, 10)] == [2, 2, 2, 9]
    assert [automatic_lease(0.1, adverts) for adverts in (1, 3, 50)] == [1, 1, 4]
    assert automatic_lease(10.0, 1) == 11, "a healthy master renews before it ends"


@pytest.mark.parametrize(
    ("advert_int", "lease"), [(0.01, 1), (0.1, 1), (0.5, 1), (0.99, 1), (1.0, 2), (2.0, 5), (10.0, 29), (255.0, 764)]
)
def test_automatic_lease(advert_int: float, lease: int) -> None:
    assert automatic_lease(advert_int) == lease


def test_errors_speak() -> None:
    placed = Problem("node.yaml", 3, 7, "vrrp_instances.VI_1", "wrong")
    whole = Problem("node.yaml", 0, 0, "", "empty")
    error = ConfigError((placed, whole))
    assert str(error) == "node.yaml:3:7: vrrp_instances.VI_1: wrong\nnode.yaml: empty"
    assert error.problems == (placed, whole)
    refused = KernelError("add 192.168.1.200/32", 1, "Operation not permitted")
    assert str(refused) == "add 192.168.1.200/32: Operation not permitted"
    assert (refused.errno, refused.operation) == (1, "add 192.168.1.200/32")
