"""The small rooms of the core: neighbor, settings, errors."""

from __future__ import annotations

import pytest

from pyvrrp.core.neighbor import gratuitous_arp
from pyvrrp.core.settings import (
    TcpProbe,
    Track,
    automatic_lease,
)
from pyvrrp.errors import ConfigError, KernelError, Problem
from tests.simulation import VIP, instance, settings


def test_gratuitous_arp_is_that_of_keepalived() -> None:
    frame = gratuitous_arp(bytes.fromhex("020000000001"), VIP.address)
    assert frame.hex(" ") == (
        "ff ff ff ff ff ff 02 00 00 00 00 01 08 06 "  # to everybody, from us, ARP
        "00 01 08 00 06 04 00 01 "  # Ethernet, IPv4, request
        "02 00 00 00 00 01 c0 a8 01 c8 "  # sender
        "ff ff ff ff ff ff c0 a8 01 c8"  # target
    )


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
