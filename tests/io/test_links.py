"""Virtual MACs and flags of interfaces in a real kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from pyvrrp.core.settings import InstanceSettings, VirtualAddress, Vmac
from pyvrrp.io.links import Links
from tests.io.conftest import Pair
from tests.netns import Namespace

pytestmark = pytest.mark.lab

MAC = bytes.fromhex("00005e00013c")
ROUTER = InstanceSettings(
    "VI_1",
    "eth0",
    60,
    (VirtualAddress("vrrp.60", IPv4Address("192.168.1.200"), 32),),
    vmac=Vmac("vrrp.60", MAC),
)
ROUTER6 = replace(
    ROUTER,
    family=6,
    addresses=(VirtualAddress("vrrp6.60", IPv6Address("fe80::1"), 128),),
    vmac=Vmac("vrrp6.60", bytes.fromhex("00005e00023c")),
)


@pytest.fixture
def links(pair: Pair) -> Iterator[Links]:
    with pair.here.inside():
        opened = Links()
        yield opened
        opened.close()


def link(host: Namespace, name: str = "vrrp.60") -> dict:  # type: ignore[type-arg]
    """What `ip` says of a link; nothing of one that is not there."""
    found = [each for each in json.loads(host.ip("-j -d link show")) if each.get("ifname") == name]
    return found[0] if found else {}


def flag(name: str, interface: str, family: int = 4) -> str:
    """A flag as it is in the namespace that the test is in."""
    return Path(f"/proc/sys/net/ipv{family}/conf/{interface}/{name}").read_text().strip()


def flags(interface: str) -> dict[str, str]:
    names = ("arp_ignore", "arp_filter", "arp_announce", "rp_filter", "accept_local", "promote_secondaries")
    return {name: flag(name, interface) for name in names}


def leave_behind(*instances: InstanceSettings) -> None:
    """What a daemon made that is killed now."""
    killed = Links()
    killed.want(instances)
    killed._channel.close()


def test_a_virtual_mac_is_as_keepalived_makes_it(pair: Pair, links: Links) -> None:
    assert links.want([ROUTER]) == []
    made = link(pair.here)
    assert made["link"] == "eth0"
    assert made["address"] == "00:00:5e:00:01:3c"
    assert made["linkinfo"] == {
        "info_kind": "macvlan",
        "info_data": {"mode": "private"} | made["linkinfo"]["info_data"],
    }
    assert made["inet6_addr_gen_mode"] == "none"
    assert {"UP", "LOWER_UP"} <= set(made["flags"])
    assert flags("vrrp.60") == {
        "arp_ignore": "1",
        "arp_filter": "0",
        "arp_announce": "0",
        "rp_filter": "0",
        "accept_local": "1",
        "promote_secondaries": "1",
    }
    assert flag("disable_ipv6", "vrrp.60", 6) == "1"
    below = flags("eth0")
    assert (below["arp_ignore"], below["arp_filter"]) == ("1", "1")
    assert below["arp_announce"] == "2", "which keepalived leaves"


def test_it_goes_and_the_flags_are_what_they_were(pair: Pair, links: Links) -> None:
    before = flags("eth0")
    links.want([ROUTER])
    assert flags("eth0") != before
    assert links.want([]) == []
    assert link(pair.here) == {}
    assert flags("eth0") == before


def test_it_comes_back_when_somebody_deletes_it_or_takes_it_down(pair: Pair, links: Links) -> None:
    links.want([ROUTER])
    pair.here.ip("link del vrrp.60")
    assert links.want([ROUTER]) == []
    assert link(pair.here)["address"] == "00:00:5e:00:01:3c"
    pair.here.ip("link set vrrp.60 down")
    links.want([ROUTER])
    assert "UP" in link(pair.here)["flags"]
    assert flag("arp_ignore", "vrrp.60") == "1"


def test_one_that_somebody_made_is_used_and_left(pair: Pair, links: Links) -> None:
    pair.here.ip("link add vrrp.60 link eth0 address 00:00:5e:00:01:3c type macvlan mode private")
    assert links.want([ROUTER]) == []
    assert "UP" in link(pair.here)["flags"]
    links.want([])
    assert link(pair.here)["address"] == "00:00:5e:00:01:3c"


def test_one_that_a_killed_daemon_left_is_taken_over(pair: Pair, links: Links) -> None:
    before = flags("eth0")
    leave_behind(ROUTER)
    leave_behind(ROUTER)  # nor does a second one forget how it was
    assert flags("eth0") != before
    assert links.want([ROUTER]) == []
    links.want([])
    assert link(pair.here) == {}
    assert flags("eth0") == before


def test_one_of_ours_that_was_for_another_vrid_makes_room(pair: Pair, links: Links) -> None:
    """As when a reload changes the VRID of an instance whose use_vmac has a name."""
    before = flags("eth0")
    leave_behind(ROUTER)
    other = replace(ROUTER, virtual_router_id=61, vmac=Vmac("vrrp.60", bytes.fromhex("00005e00013d")))
    assert links.want([other]) == []
    assert link(pair.here)["address"] == "00:00:5e:00:01:3d"
    assert links.want([]) == []
    assert link(pair.here) == {}
    assert flags("eth0") == before


def test_another_interface_of_that_name_is_named_and_left(pair: Pair, links: Links) -> None:
    pair.here.ip("link add vrrp.60 link eth0 address 02:00:00:00:00:01 type macvlan mode private")
    assert links.want([ROUTER]) == [
        "have the virtual MAC 00:00:5e:00:01:3c over eth0 on vrrp.60: another interface has that name"
    ]
    links.want([])
    assert link(pair.here)["address"] == "02:00:00:00:00:01"


def test_it_waits_for_its_interface(pair: Pair, links: Links) -> None:
    router = replace(ROUTER, interface="eth1")
    assert links.want([router]) == []
    assert link(pair.here) == {}
    pair.here.ip("link add eth1 type veth peer name eth2")
    assert links.want([router]) == []
    assert link(pair.here)["link"] == "eth1"


def test_one_for_ipv6_listens_to_no_router(pair: Pair, links: Links) -> None:
    assert links.want([ROUTER, ROUTER6]) == []
    assert link(pair.here, "vrrp6.60")["address"] == "00:00:5e:00:02:3c"
    assert flag("accept_ra", "vrrp6.60", 6) == "0"
    assert flag("disable_ipv6", "vrrp6.60", 6) == "0"
    assert "inet6" not in pair.here.ip("addr show dev vrrp6.60"), "no address of its own"


def test_a_strict_path_filter_for_all_does_not_keep_clients_from_it(links: Links) -> None:
    Path("/proc/sys/net/ipv4/conf/all/rp_filter").write_text("1")
    links.want([ROUTER])
    assert flag("rp_filter", "vrrp.60") == "2"


def test_promote_secondaries(links: Links) -> None:
    router = replace(
        ROUTER, vmac=None, promote_secondaries=True, addresses=(replace(ROUTER.addresses[0], interface="eth0"),)
    )
    assert links.want([router]) == []
    assert flag("promote_secondaries", "eth0") == "1"
    links.want([])
    assert flag("promote_secondaries", "eth0") == "0"
