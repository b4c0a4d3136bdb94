"""Links, interfaces and addresses that come and go."""

from __future__ import annotations

import pytest

from tests.lab.agents import BACKUP, FAULT, MASTER, Pyvrrpd
from tests.lab.routers import Router
from tests.lab.site import Site
from tests.waiting import until

pytestmark = pytest.mark.lab


def pair(site: Site) -> tuple[Pyvrrpd, Pyvrrpd]:
    """Two nodes without preemption: a is MASTER, b is BACKUP."""
    first = site.pyvrrpd(site.a, Router(250, nopreempt=True))
    assert first.becomes(MASTER)
    second = site.pyvrrpd(site.b, Router(240, nopreempt=True))
    assert second.becomes(BACKUP)
    return first, second


def test_a_master_whose_cable_is_pulled_is_in_fault_and_returns_as_backup(site: Site) -> None:
    first, second = pair(site)
    site.a.port("down")
    assert first.becomes(FAULT)
    assert "interface eth0 is down" in first.why()
    assert site.a.loses()
    assert second.becomes(MASTER)
    assert site.b.takes()
    site.a.port("up")
    assert first.becomes(BACKUP)
    assert second.state() == MASTER


def test_a_node_that_starts_without_link_and_address_waits_for_both(site: Site) -> None:
    site.a.port("down")
    site.a.namespace.ip("addr flush dev eth0")
    node = site.pyvrrpd(site.a, Router())
    assert node.becomes(FAULT)
    assert "interface eth0 is down" in node.why()
    site.a.port("up")
    assert until(lambda: "interface eth0 has no IPv4 address" in node.why())
    site.a.namespace.ip(f"addr add {site.a.address}/24 dev eth0")
    assert node.becomes(MASTER)
    assert site.a.takes()


def test_a_cable_with_a_bad_contact(site: Site) -> None:
    node = site.pyvrrpd(site.a, Router())
    assert node.becomes(MASTER)
    for _ in range(10):
        site.a.port("down")
        site.a.port("up")
    assert node.becomes(MASTER)
    assert site.a.takes()


def test_an_interface_that_is_renamed_is_gone_until_it_has_its_name_again(site: Site) -> None:
    node = site.pyvrrpd(site.a, Router())
    assert node.becomes(MASTER)
    site.a.namespace.ip("link set eth0 down")
    site.a.namespace.ip("link set eth0 name eth5")
    site.a.namespace.ip("link set eth5 up")
    assert until(lambda: "interface eth0 does not exist" in node.why())
    assert not site.a.holds()
    site.a.namespace.ip("link set eth5 down")
    site.a.namespace.ip("link set eth5 name eth0")
    site.a.namespace.ip("link set eth0 up")
    assert node.becomes(MASTER)
    assert site.a.takes()


def test_an_interface_that_is_taken_down_and_up_by_hand(site: Site) -> None:
    first, second = pair(site)
    site.a.namespace.ip("link set eth0 down")
    assert first.becomes(FAULT)
    assert second.becomes(MASTER)
    site.a.namespace.ip("link set eth0 up")
    assert first.becomes(BACKUP)
    assert not site.a.holds()


def test_an_interface_that_is_made_anew_works_again(site: Site) -> None:
    first, second = pair(site)
    site.a.namespace.ip("link del eth0")
    assert first.becomes(FAULT)
    assert "interface eth0 does not exist" in first.why()
    assert second.becomes(MASTER)
    site.a.cable()
    assert first.becomes(BACKUP)
    # It hears on the new interface, and sends there.
    second.terminate()
    assert second.ended() == 0
    assert first.becomes(MASTER)
    assert first.instance()["last"]["reason"] == f"{site.b.address} sent priority 0"
    assert site.a.takes()
    third = site.pyvrrpd(site.b, Router(240, nopreempt=True))
    assert third.becomes(BACKUP)
    assert third.says(f"master is {site.a.address} with priority 250")


def test_an_interface_without_an_address_is_in_fault(site: Site) -> None:
    first, second = pair(site)
    site.a.namespace.ip(f"addr del {site.a.address}/24 dev eth0")
    assert first.becomes(FAULT)
    assert "interface eth0 has no IPv4 address" in first.why()
    assert site.a.loses()
    assert second.becomes(MASTER)
    site.a.namespace.ip(f"addr add {site.a.address}/24 dev eth0")
    assert first.becomes(BACKUP)
    assert second.state() == MASTER


def test_a_new_primary_address_is_used_for_adverts(site: Site) -> None:
    capture = site.capture()
    first, second = pair(site)
    site.a.namespace.ip("addr add 192.168.1.211/24 dev eth0")
    site.a.namespace.run("sysctl", "-qw", "net.ipv4.conf.eth0.promote_secondaries=1")
    site.a.namespace.ip(f"addr del {site.a.address}/24 dev eth0")
    assert second.says("master is 192.168.1.211 with priority 250")
    assert first.state() == MASTER
    assert site.a.holds()
    assert capture.adverts("192.168.1.211")
