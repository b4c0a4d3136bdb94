"""Addresses, leases and links in a real kernel."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from pyvrrp.core.effects import Action, Operation, RenewLease
from pyvrrp.core.events import AddressesChanged, LinkChanged
from pyvrrp.core.settings import VirtualAddress
from pyvrrp.errors import KernelError
from pyvrrp.io.netlink import Kernel
from tests.io.conftest import Pair
from tests.netns import Namespace
from tests.unprivileged import status_of
from tests.waiting import readable, until

pytestmark = pytest.mark.lab

VIP = VirtualAddress("eth0", IPv4Address("192.168.1.200"), 32)
OWN = (IPv4Address("192.168.1.201"), 24)


@pytest.fixture
def kernel(pair: Pair) -> Iterator[Kernel]:
    with pair.here.inside():
        opened = Kernel()
        opened.observe("eth0")
        opened.changes()
        yield opened
    opened.close()


def addresses(kernel: Kernel) -> list[str]:
    _, changed = kernel.observe("eth0")
    return [f"{address}/{prefixlen}" for address, prefixlen in changed.addresses]


VIP_6 = VirtualAddress("eth0", IPv6Address("2001:db8::200"), 128)
LINK_LOCAL_VIP = VirtualAddress("eth0", IPv6Address("fe80::200"), 128)
IN_A_NETWORK = VirtualAddress("eth0", IPv6Address("2001:db8::201"), 64)


def test_ipv6_is_there_at_once_and_is_not_spoken_from_unless_it_has_a_network(pair: Pair, kernel: Kernel) -> None:
    all_three = (VIP_6, LINK_LOCAL_VIP, IN_A_NETWORK)
    assert kernel.apply([Operation(Action.ADD, each, 30) for each in all_three]) == [None] * 3
    # Without nodad they would be tentative for a second, and not be told of.
    assert set(addresses(kernel)) == {"192.168.1.201/24", *map(str, all_three)}
    for each in all_three:
        text = pair.here.ip(f"-o -6 addr show dev eth0 to {each.address}")
        assert "nodad" in text
        assert ("deprecated" in text) is (each is not IN_A_NETWORK)
        assert ("preferred_lft 0sec" in text) is (each is not IN_A_NETWORK)
    assert kernel.apply([Operation(Action.REMOVE, each) for each in all_three]) == [None] * 3
    assert addresses(kernel) == ["192.168.1.201/24"]


def test_the_lease_of_ipv6_is_renewed_and_ends(kernel: Kernel) -> None:
    started = time.monotonic()
    kernel.apply([Operation(Action.ADD, VIP_6, 2), Operation(Action.ADD, LINK_LOCAL_VIP, 2)])
    while time.monotonic() - started < 3.5:
        assert kernel.renew([RenewLease("VI_1", (VIP_6,), 2)]) == []
        time.sleep(0.1)
    assert str(VIP_6) in addresses(kernel)
    assert until(lambda: str(LINK_LOCAL_VIP) not in addresses(kernel))
    assert until(lambda: str(VIP_6) not in addresses(kernel))


def test_an_address_that_is_being_tried_is_not_told_of_until_it_is_known_to_be_free(pair: Pair, kernel: Kernel) -> None:
    pair.here.ip("addr add fe80::c9/64 dev eth0")
    assert "fe80::c9/64" not in addresses(kernel)
    kernel.changes()
    assert until(lambda: kernel.changes() == {"eth0"})
    assert "fe80::c9/64" in addresses(kernel)


def test_an_address_that_somebody_else_has_is_never_told_of(pair: Pair, kernel: Kernel) -> None:
    pair.there.ip("addr add fe80::c9/64 dev eth0 nodad")
    pair.here.ip("addr add fe80::c9/64 dev eth0")
    assert until(lambda: "dadfailed" in pair.here.ip("-6 addr show dev eth0"))
    assert "fe80::c9/64" not in addresses(kernel)


def test_whether_it_forwards_ipv6(pair: Pair, kernel: Kernel) -> None:
    for forwards in (False, True):
        with pair.here.inside():
            Path("/proc/sys/net/ipv6/conf/eth0/forwarding").write_text(str(int(forwards)))
        link, _ = kernel.observe("eth0")
        assert link.router is forwards


def many(count: int) -> list[VirtualAddress]:
    first = int(IPv4Address("10.1.0.1"))
    return [VirtualAddress("eth0", IPv4Address(first + number), 32) for number in range(count)]


def test_an_address_is_added_and_removed(kernel: Kernel) -> None:
    assert kernel.apply([Operation(Action.ADD, VIP)]) == [None]
    assert addresses(kernel) == ["192.168.1.201/24", "192.168.1.200/32"]
    assert kernel.apply([Operation(Action.REMOVE, VIP)]) == [None]
    assert addresses(kernel) == ["192.168.1.201/24"]


def test_an_address_of_the_kernel_looks_as_configured(pair: Pair, kernel: Kernel) -> None:
    kernel.apply([Operation(Action.ADD, VIP, 30)])
    text = pair.here.ip("-o addr show dev eth0 to 192.168.1.200")
    assert "inet 192.168.1.200/32 scope global dynamic eth0" in text
    assert "deprecated" not in text
    assert "brd" not in text
    kernel.apply([Operation(Action.ADD, VIP)])
    assert "valid_lft forever preferred_lft forever" in pair.here.ip("-o addr show dev eth0 to 192.168.1.200")


LABELLED = VirtualAddress("eth0", IPv4Address("10.5.0.1"), 24, "eth0:vip", 253, IPv4Address("10.5.0.255"))
LOOKS = "inet 10.5.0.1/24 brd 10.5.0.255 scope link dynamic eth0:vip"


def test_label_scope_and_broadcast(pair: Pair, kernel: Kernel) -> None:
    # Removed as plain as it is observed, and under a label that a reload brought.
    for removed in (VirtualAddress("eth0", LABELLED.address, 24), replace(LABELLED, label="eth0:x")):
        assert kernel.apply([Operation(Action.ADD, LABELLED, 30)]) == [None]
        assert LOOKS in pair.here.ip("-o addr show dev eth0 to 10.5.0.1")
        assert kernel.apply([Operation(Action.REMOVE, removed)]) == [None]
        assert addresses(kernel) == ["192.168.1.201/24"]


def test_a_renewal_keeps_the_looks_and_restores_them(pair: Pair, kernel: Kernel) -> None:
    """An address whose lease ended between two renewals is added by the second."""
    effect = RenewLease("VI_1", (LABELLED,), 30)
    kernel.apply([Operation(Action.ADD, LABELLED, 2)])
    for _ in range(2):
        assert kernel.renew([effect]) == []
        assert LOOKS in pair.here.ip("-o addr show dev eth0 to 10.5.0.1")
        pair.here.ip("addr del 10.5.0.1/24 dev eth0")


def test_a_reload_that_only_changes_the_label_is_not_overlooked(pair: Pair, kernel: Kernel) -> None:
    kernel.apply([Operation(Action.ADD, VIP, 30)])
    kernel.renew([RenewLease("VI_1", (VIP,), 30)])
    kernel.apply([Operation(Action.REMOVE, VIP)])
    labelled = replace(VIP, label="eth0:vip")
    kernel.apply([Operation(Action.ADD, labelled, 30)])
    assert "eth0:vip" in pair.here.ip("-o addr show dev eth0 to 192.168.1.200")
    pair.here.ip("addr del 192.168.1.200/32 dev eth0")
    kernel.renew([RenewLease("VI_1", (labelled,), 30)])
    assert "eth0:vip" in pair.here.ip("-o addr show dev eth0 to 192.168.1.200")


def test_what_is_done_already_counts_as_done(kernel: Kernel) -> None:
    again = [Operation(Action.ADD, VIP), Operation(Action.ADD, VIP)]
    gone = [Operation(Action.REMOVE, VIP), Operation(Action.REMOVE, VIP)]
    elsewhere = Operation(Action.REMOVE, VirtualAddress("eth7", VIP.address, 32))
    assert kernel.apply([*again, *gone, elsewhere]) == [None] * 5


def test_each_operation_has_its_own_result(kernel: Kernel) -> None:
    missing = VirtualAddress("eth7", VIP.address, 32)
    first, second, third = kernel.apply([Operation(Action.ADD, address) for address in (VIP, missing, many(1)[0])])
    assert first is None
    assert second is not None
    assert second.errno == errno.ENODEV
    assert str(second) == "add 192.168.1.200/32 to eth7: No such device"
    assert third is None


def test_a_thousand_operations_are_all_answered(kernel: Kernel) -> None:
    assert kernel.apply([Operation(Action.ADD, address, 30) for address in many(1000)]) == [None] * 1000
    assert len(addresses(kernel)) == 1001
    assert kernel.apply([Operation(Action.REMOVE, address) for address in many(1000)]) == [None] * 1000
    assert addresses(kernel) == ["192.168.1.201/24"]


def test_a_lease_that_nobody_renews_ends(kernel: Kernel) -> None:
    began = time.monotonic()
    kernel.apply([Operation(Action.ADD, VIP, 1)])
    assert kernel.changes() == set()
    while kernel.changes() != {"eth0"}:
        assert readable(kernel.monitor_fileno())
    assert addresses(kernel) == ["192.168.1.201/24"]
    assert time.monotonic() - began > 0.9


def test_renewals_hold_a_lease(kernel: Kernel) -> None:
    began = time.monotonic()
    kernel.apply([Operation(Action.ADD, VIP, 1)])
    while time.monotonic() - began < 3:
        assert kernel.renew([RenewLease("VI_1", (VIP,), 1)]) == []
        assert "192.168.1.200/32" in addresses(kernel)
        # Nothing that was done here comes back as news.
        assert not readable(kernel.monitor_fileno(), 0.4)
    assert kernel.apply([Operation(Action.REMOVE, VIP)]) == [None]
    assert kernel.changes() == set()


def test_a_renewal_follows_its_effect(pair: Pair, kernel: Kernel) -> None:
    kernel.renew([RenewLease("VI_1", (VIP,), 30)])
    assert "valid_lft 30sec" in pair.here.ip("-o addr show dev eth0 to 192.168.1.200")
    kernel.renew([RenewLease("VI_1", (VIP,), 50)])
    assert "valid_lft 50sec" in pair.here.ip("-o addr show dev eth0 to 192.168.1.200")
    other = VirtualAddress("eth0", IPv4Address("192.168.1.210"), 32)
    kernel.renew([RenewLease("VI_1", (other,), 50)])
    assert addresses(kernel) == ["192.168.1.201/24", "192.168.1.200/32", "192.168.1.210/32"]


def test_a_refused_renewal_is_told(pair: Pair, kernel: Kernel) -> None:
    effect = RenewLease("VI_1", (VIP,), 30)
    assert kernel.renew([effect]) == []
    pair.here.ip("link delete eth0")
    (error,) = kernel.renew([effect])
    assert error.errno == errno.ENODEV
    assert "192.168.1.200/32" in str(error)
    (error,) = kernel.renew([effect])
    assert error.errno == errno.ENODEV


@pytest.mark.parametrize("name_is_taken", [False, True])
def test_an_address_is_removed_from_a_link_that_has_another_name_now(
    pair: Pair, kernel: Kernel, name_is_taken: bool
) -> None:
    kernel.apply([Operation(Action.ADD, VIP, 30)])
    pair.here.ip("link set eth0 down")
    pair.here.ip("link set eth0 name eth5")
    if name_is_taken:
        pair.here.ip("link add eth0 type veth peer name eth1")
        pair.here.ip("addr add 192.168.1.200/32 dev eth0")
    kernel.changes()
    assert kernel.apply([Operation(Action.REMOVE, VIP)]) == [None]
    assert "192.168.1.200" not in pair.here.ip("-o addr show")


def test_what_others_do_is_heard(pair: Pair, kernel: Kernel) -> None:
    kernel.apply([Operation(Action.ADD, VIP)])
    assert kernel.changes() == set()
    pair.here.ip("addr del 192.168.1.200/32 dev eth0")
    assert kernel.changes() == {"eth0"}
    pair.here.ip("link set eth0 down")
    assert kernel.changes() == {"eth0"}
    assert kernel.changes() == set()


def test_a_flood_of_news_is_said_to_be_one(pair: Pair, kernel: Kernel) -> None:
    with pair.here.inside():
        somebody = Kernel()
    for _ in range(10):
        for action in Action:
            somebody.apply([Operation(action, address) for address in many(1000)])
    somebody.close()
    assert kernel.changes() is None
    assert addresses(kernel) == ["192.168.1.201/24"]
    assert kernel.changes() == set()


def test_a_link_is_seen_as_it_is(pair: Pair, kernel: Kernel) -> None:
    pair.here.ip("link set eth0 address 02:00:00:00:02:01")
    link, changed = kernel.observe("eth0")
    assert link == LinkChanged("eth0", present=True, up=True, mac=bytes.fromhex("020000000201"))
    assert changed == AddressesChanged("eth0", (OWN,))
    assert kernel.observe("eth7") == (LinkChanged("eth7", False, False, b""), AddressesChanged("eth7", ()))
    assert kernel.observe("lo")[0].up


@pytest.mark.parametrize("end", ["here", "there"])
def test_both_ends_of_a_cable_take_the_link_down(pair: Pair, kernel: Kernel, end: str) -> None:
    side: Namespace = getattr(pair, end)
    for state, up in (("down", False), ("up", True)):
        side.ip(f"link set eth0 {state}")
        assert readable(kernel.monitor_fileno())
        assert kernel.changes() == {"eth0"}
        assert until(lambda up=up: kernel.observe("eth0")[0].up == up)  # type: ignore[misc]


def test_only_own_and_global_addresses_are_listed(pair: Pair, kernel: Kernel) -> None:
    pair.here.ip("addr add 2001:db8::1/64 dev eth0 nodad")
    pair.here.ip("addr add 192.168.1.9 peer 192.168.1.10 dev eth0")
    pair.here.ip("addr add 10.5.5.5/8 dev lo")
    _, changed = kernel.observe("eth0")
    assert changed.addresses == (OWN, (IPv4Address("192.168.1.9"), 32), (IPv6Address("2001:db8::1"), 64))


def test_an_interface_that_goes_while_it_is_looked_at(kernel: Kernel) -> None:
    with pytest.raises(KernelError, match="No such device"):
        kernel._addresses(9999)


def test_an_interface_that_comes_back_with_another_index(pair: Pair, kernel: Kernel) -> None:
    effect = RenewLease("VI_1", (VIP,), 30)
    kernel.renew([effect])
    pair.here.ip("link delete eth0")
    assert kernel.changes() == {"eth0"}
    assert not kernel.observe("eth0")[0].present
    pair.here.ip("link add eth0 type veth peer name eth1")
    changed = kernel.changes()
    assert changed is not None
    assert "eth0" in changed
    assert kernel.renew([effect]) == []
    assert addresses(kernel) == ["192.168.1.200/32"]


def test_a_renamed_interface_does_not_get_the_address(pair: Pair, kernel: Kernel) -> None:
    effect = RenewLease("VI_1", (VIP,), 30)
    kernel.renew([effect])
    pair.here.ip("link set eth0 down")
    pair.here.ip("link set eth0 name lan0")
    pair.here.ip("link add eth0 type veth peer name eth1")
    pair.here.ip("addr flush dev lan0")
    changed = kernel.changes()
    assert changed is not None
    assert {"eth0", "lan0"} <= changed
    assert kernel.renew([effect]) == []
    assert addresses(kernel) == ["192.168.1.200/32"]
    assert kernel.observe("lan0")[1].addresses == ()


def test_without_the_capability_each_operation_is_refused(kernel: Kernel) -> None:
    def refused() -> int:
        unprivileged = Kernel()
        (first,) = unprivileged.apply([Operation(Action.ADD, VIP)])
        (second,) = unprivileged.renew([RenewLease("VI_1", (VIP,), 30)])
        return errno.EPERM if first and first.errno == second.errno == errno.EPERM else 0

    assert status_of(refused) == errno.EPERM
    assert addresses(kernel) == ["192.168.1.201/24"]
