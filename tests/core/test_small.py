"""The small rooms of the core: neighbor, errors."""

from __future__ import annotations

from pyvrrp.core.neighbor import gratuitous_arp
from pyvrrp.errors import ConfigError, KernelError, Problem
from tests.simulation import VIP


def test_gratuitous_arp_is_that_of_keepalived() -> None:
    frame = gratuitous_arp(bytes.fromhex("020000000001"), VIP.address)
    assert frame.hex(" ") == (
        "ff ff ff ff ff ff 02 00 00 00 00 01 08 06 "  # to everybody, from us, ARP
        "00 01 08 00 06 04 00 01 "  # Ethernet, IPv4, request
        "02 00 00 00 00 01 c0 a8 01 c8 "  # sender
        "ff ff ff ff ff ff c0 a8 01 c8"  # target
    )


def test_errors_speak() -> None:
    placed = Problem("node.yaml", 3, 7, "vrrp_instances.VI_1", "wrong")
    whole = Problem("node.yaml", 0, 0, "", "empty")
    error = ConfigError((placed, whole))
    assert str(error) == "node.yaml:3:7: vrrp_instances.VI_1: wrong\nnode.yaml: empty"
    assert error.problems == (placed, whole)
    refused = KernelError("add 192.168.1.200/32", 1, "Operation not permitted")
    assert str(refused) == "add 192.168.1.200/32: Operation not permitted"
    assert (refused.errno, refused.operation) == (1, "add 192.168.1.200/32")
