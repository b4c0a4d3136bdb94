"""pyvrrpctl sniff beside a running daemon: what passes its interface, from its point of view."""

from __future__ import annotations

import pytest

from tests.lab.agents import MASTER, PYVRRPCTL, Program, Pyvrrpd
from tests.lab.routers import VIP, version2
from tests.lab.site import Host, Site

OURS, THEIRS = "s3cretpw", "an0therp"


def sniffer(site: Site, host: Host, daemon: Pyvrrpd, *options: str) -> Program:
    """`pyvrrpctl sniff` on a host."""
    return site.program(host, "sniff", [PYVRRPCTL, "--socket", str(daemon.socket), "sniff", *options])


@pytest.fixture
def holder(site: Site) -> Pyvrrpd:
    """A master on node a."""
    daemon = site.pyvrrpd(site.a, version2(255, password=OURS))
    assert daemon.becomes(MASTER)
    return daemon


def test_a_master_with_another_password_is_seen_and_named(site: Site, holder: Pyvrrpd) -> None:
    seen = sniffer(site, site.a, holder, "--seconds", "20")
    stranger = site.keepalived(site.b, version2(100, password=THEIRS))
    assert stranger.becomes(MASTER)
    said = f"{site.b.address} > 224.0.0.18 VRRPv2 VRID 60 priority 100 every 1 s PASS: {VIP}"
    assert seen.says(f"{said} | VI_60: discarded: its password is not ours")
    assert seen.says(f"{site.a.address} > 224.0.0.18 VRRPv2 VRID 60 priority 255 every 1 s PASS: {VIP} | ours")
    announced = f"ARP announcement: {VIP} is at {site.b.mac}"
    assert seen.says(f"{announced} | VI_60: ANOTHER HOLDER of its address, this node is MASTER")
    assert OURS not in seen.log()
    assert THEIRS not in seen.log()


def test_it_ends_after_as_many_packets_as_it_was_asked_for(site: Site, holder: Pyvrrpd) -> None:
    seen = sniffer(site, site.a, holder, "--interface", "eth0", "--count", "2")
    assert seen.ended() == 0
    *lines, last = seen.log().splitlines()
    assert len(lines) == 2
    assert last == "2 packets"


def test_an_interface_that_is_not_there_is_said(site: Site, holder: Pyvrrpd) -> None:
    seen = sniffer(site, site.a, holder, "--interface", "eth7")
    assert seen.ended() == 1
    assert "pyvrrpctl: eth7: No such device" in seen.log()
