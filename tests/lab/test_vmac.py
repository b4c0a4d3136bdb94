"""Virtual MACs, routes and rules that follow, and addresses that accept nothing: pyvrrpd beside keepalived, on the same
keepalived.conf."""

from __future__ import annotations

import json
import signal
import socket
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Final

import pytest

from tests.lab.agents import BACKUP, KEEPALIVED, MASTER, PYVRRPD, Program
from tests.lab.routers import VIP
from tests.lab.site import Host, Site
from tests.lab.stage import OPTIONS, OWN_RUN
from tests.lab.watch import Capture
from tests.waiting import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(KEEPALIVED is None, reason="keepalived is not installed (apt-get install keepalived)"),
]

PATIENCE: Final = 20.0
MAC: Final = "00:00:5e:00:01:3c"
MAC6: Final = "00:00:5e:00:02:3c"
both_roles = pytest.mark.parametrize(("first", "second"), list(permutations(("pyvrrpd", "keepalived"))))

CONF: Final = """\
global_defs {
    router_id lab
    vrrp_version 3
}
BESIDE
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 60
    priority PRIORITY
    advert_int 0.1
    virtual_ipaddress {
        ADDRESSES
    }
    MORE
}
"""


class Node:
    """A daemon of either make on a host."""

    def __init__(self, site: Site, host: Host, make: str, directory: Path) -> None:
        self.host = host
        self._site = site
        self._make = make
        self._conf = directory / f"{host.name}.conf"
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """The daemon, once it was started."""
        assert self._program is not None
        return self._program

    def write(self, priority: int, more: str, beside: str = "", addresses: str = VIP) -> None:
        """Its configuration."""
        text = CONF.replace("PRIORITY", str(priority)).replace("MORE", more).replace("BESIDE", beside)
        text = text.replace("ADDRESSES", addresses)
        self._conf.write_text(text)
        self._conf.chmod(0o600)

    def start(self, priority: int, more: str, beside: str = "", addresses: str = VIP) -> None:
        """Start it."""
        self.write(priority, more, beside, addresses)
        program = {"keepalived": KEEPALIVED, "pyvrrpd": PYVRRPD}[self._make]
        command = [*OWN_RUN, str(program), *OPTIONS, f"--use-file={self._conf}"]
        self._program = self._site.program(self.host, self._make, command)

    def reload(self, priority: int, more: str, beside: str = "") -> None:
        """Have it read another configuration."""
        self.write(priority, more, beside)
        self.program.send(signal.SIGHUP)

    def enters(self, state: str, times: int = 1) -> bool:
        """Whether it comes to this state in time, for so many times."""
        line = f"(VI_1) Entering {state} STATE"
        return until(lambda: self.program.log().count(line) >= times, PATIENCE)

    def stop(self) -> None:
        """Ask it to end, and wait for that."""
        self.program.terminate()
        assert self.program.ended(PATIENCE) == 0

    def shows(self, words: str) -> str:
        """What `ip` says on its host, in one line."""
        return " ".join(self.host.namespace.ip(words).split())

    def link(self, name: str) -> dict[str, object]:
        """What `ip` says of a link; nothing of one that is not there."""
        links = json.loads(self.host.namespace.ip("-j -d link show"))
        return next((each for each in links if each.get("ifname") == name), {})


def pair(site: Site, first: str, second: str, directory: Path, more: str) -> tuple[Node, Node]:
    """The master on a, its backup on b."""
    master, backup = Node(site, site.a, first, directory), Node(site, site.b, second, directory)
    master.start(150, more)
    assert master.enters(MASTER)
    assert site.a.takes()
    backup.start(100, more)
    assert backup.enters(BACKUP)
    return master, backup


def answers(site: Site, address: str = VIP) -> bool:
    """Whether the client's attempt to connect to a closed port is answered: with a refusal."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with site.client.namespace.inside(), socket.socket(family) as client:
        client.settimeout(1.0)
        try:
            client.connect((address, 1))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return True


def neighbour(site: Site, address: str = VIP) -> str:
    """The MAC address that the client has of an address."""
    words = site.client.namespace.ip(f"neigh show {address} dev eth0").split()
    return words[words.index("lladdr") + 1] if "lladdr" in words else ""


@both_roles
def test_the_virtual_mac_moves_and_the_clients_cache_stays_right(
    site: Site, tmp_path: Path, first: str, second: str
) -> None:
    master, backup = pair(site, first, second, tmp_path, "use_vmac")
    assert until(lambda: answers(site))
    if first == "pyvrrpd":  # keepalived's host asks for the client in the virtual address's name, by eth0
        assert neighbour(site) == MAC
    site.client.namespace.ip(f"neigh replace {VIP} lladdr {MAC} dev eth0 nud permanent")
    master.program.kill() if first == "pyvrrpd" else master.stop()  # keepalived that is killed keeps its address
    assert backup.enters(MASTER)
    assert site.b.takes()
    assert until(lambda: answers(site)), "under the MAC that the client had before"


def announced(capture: Capture) -> bool:
    """Whether a whole burst was seen."""
    return len([each for each in capture.frames() if each.is_arp and each.source == VIP]) >= 5


def test_its_packets_are_keepaliveds(site: Site, tmp_path: Path) -> None:
    frames = {}
    for make, host in (("keepalived", site.a), ("pyvrrpd", site.a)):
        capture = site.capture()
        node = Node(site, host, make, tmp_path)
        node.start(150, "use_vmac")
        assert node.enters(MASTER)
        assert until(partial(announced, capture))
        node.stop()
        adverts = [each.data for each in capture.frames() if each.is_advert]
        spoken = {each[:18] + each[20:24] + each[26:] for each in adverts}  # without identification and checksum
        frames[make] = spoken, {each.data for each in capture.frames() if each.is_arp and each.source == VIP}
    assert frames["pyvrrpd"] == frames["keepalived"]


def test_one_that_somebody_deletes_comes_back_without_a_transition(site: Site, tmp_path: Path) -> None:
    node = Node(site, site.a, "pyvrrpd", tmp_path)
    node.start(150, "use_vmac")
    assert node.enters(MASTER)
    assert site.a.takes()
    site.a.namespace.ip("link del vrrp.60")
    assert site.a.takes()
    assert node.link("vrrp.60")["address"] == MAC
    assert answers(site)
    node.stop()
    assert "Entering BACKUP STATE (init)" in node.program.log()
    assert "Entering FAULT STATE" not in node.program.log()
    assert node.link("vrrp.60") == {}


def test_a_reload_to_a_virtual_mac_costs_no_transition(site: Site, tmp_path: Path) -> None:
    """Links tell of themselves while the reload waits for nft: they do not take away what it has made."""
    node = Node(site, site.a, "pyvrrpd", tmp_path)
    node.start(150, "")
    assert node.enters(MASTER)
    assert site.a.takes()
    node.reload(150, "use_vmac\n    no_accept")
    assert until(lambda: node.link("vrrp.60") and "192.168.1.200" in node.shows("addr show dev vrrp.60"), PATIENCE)
    assert until(lambda: "192.168.1.200" not in node.shows("addr show dev eth0"))
    assert "FAULT" not in node.program.log()


def test_a_reload_takes_the_virtual_mac_away(site: Site, tmp_path: Path) -> None:
    node = Node(site, site.a, "pyvrrpd", tmp_path)
    node.start(150, "use_vmac")
    assert node.enters(MASTER)
    assert site.a.takes()
    node.reload(150, "")
    assert until(lambda: "192.168.1.200" in node.shows("addr show dev eth0"))
    assert until(lambda: not node.link("vrrp.60"), PATIENCE)
    assert answers(site)


VIP6: Final = "2001:db8::200"


@both_roles
def test_ipv6(site: Site, tmp_path: Path, first: str, second: str) -> None:
    for host in (site.a, site.b, site.client):
        host.speak_ipv6()
    nodes = Node(site, site.a, first, tmp_path), Node(site, site.b, second, tmp_path)
    for node, priority in zip(nodes, (150, 100), strict=True):
        node.start(priority, "use_vmac", addresses=f"fe80::200\n{VIP6}")
        assert node.enters(MASTER if priority == 150 else BACKUP)
    master, backup = nodes
    assert site.a.takes(VIP6)
    assert until(lambda: answers(site, VIP6))
    assert neighbour(site, VIP6) == MAC6
    master.stop()
    assert backup.enters(MASTER)
    assert site.b.takes(VIP6)
    assert until(lambda: answers(site, VIP6))
    assert neighbour(site, VIP6) == MAC6


# --- accept -----------------------------------------------------------------------------------------------------------


def test_an_address_that_accepts_nothing(site: Site, tmp_path: Path) -> None:
    master, _ = pair(site, "pyvrrpd", "keepalived", tmp_path, "no_accept")
    assert not answers(site)
    assert answers(site, site.a.address)
    master.reload(150, "")
    assert until(lambda: answers(site), PATIENCE)


def test_a_killed_daemon_s_rules_do_not_outlive_its_configuration(site: Site, tmp_path: Path) -> None:
    node = Node(site, site.a, "pyvrrpd", tmp_path)
    node.start(150, "no_accept")
    assert node.enters(MASTER)
    assert site.a.takes()
    assert not answers(site)
    node.program.kill()
    node.start(150, "")
    assert node.enters(MASTER)
    assert site.a.takes()
    assert answers(site)


def test_an_owner_answers(site: Site, tmp_path: Path) -> None:
    node = Node(site, site.a, "pyvrrpd", tmp_path)
    node.start(255, "no_accept")
    assert node.enters(MASTER)
    assert site.a.takes()
    assert until(lambda: answers(site))


# --- routes and rules -------------------------------------------------------------------------------------------------

ROUTES: Final = """
    virtual_routes {
        10.5.0.0/16 via 192.168.1.10 table 100
        src 192.168.1.200 to 10.6.0.0/16 via 192.168.1.10 dev eth0
        blackhole 10.7.0.0/16
    }
    virtual_rules {
        from 192.168.1.200 table 100 priority 500
        to 10.8.0.0/16 lookup 100 priority 501
    }
"""
STATIC: Final = """
static_ipaddress {
    192.168.1.77/24 dev eth0
}
static_routes {
    10.9.0.0/16 via 192.168.1.10 dev eth0
}
static_rules {
    from 192.168.1.77 table 30 priority 77
}
"""


def kept(node: Node) -> tuple[str, str]:
    """Routes and rules with keepalived's protocol number."""
    rules = [line for line in node.host.namespace.ip("-d rule show").splitlines() if "proto keepalived" in line]
    return node.shows("-d route show table all proto keepalived"), " ".join(" ".join(rules).split())


NOTHING: Final = ("", "")


@both_roles
def test_routes_and_rules_follow_the_master(site: Site, tmp_path: Path, first: str, second: str) -> None:
    master, backup = pair(site, first, second, tmp_path, ROUTES)
    assert until(lambda: "priority 501" in kept(master)[1] or "501:" in kept(master)[1])
    held = kept(master)
    assert "10.6.0.0/16 via 192.168.1.10 dev eth0" in held[0]
    assert kept(backup) == NOTHING
    master.stop()
    assert kept(master) == NOTHING
    assert backup.enters(MASTER)
    assert until(lambda: kept(backup) == held), kept(backup)


def test_what_somebody_deletes_comes_back(site: Site, tmp_path: Path) -> None:
    node = Node(site, site.a, "pyvrrpd", tmp_path)
    node.start(150, ROUTES, STATIC)
    assert node.enters(MASTER)
    assert until(lambda: "10.6.0.0/16" in kept(node)[0] and "501:" in kept(node)[1])
    held = kept(node)
    for words in (
        "route del 10.5.0.0/16 table 100",
        "route del 10.9.0.0/16",
        "rule del priority 500",
        "rule del priority 77",
        f"addr del {VIP}/32 dev eth0",
        "addr del 192.168.1.77/24 dev eth0",
    ):
        site.a.namespace.ip(words)
    assert until(lambda: kept(node) == held and site.a.holds() and site.a.holds("192.168.1.77")), kept(node)
    node.stop()
    assert kept(node) == NOTHING
    assert not site.a.holds("192.168.1.77")


def test_static_ones_are_there_while_it_is_backup_and_a_killed_ones_are_cleared(site: Site, tmp_path: Path) -> None:
    node = Node(site, site.a, "pyvrrpd", tmp_path)
    node.start(150, ROUTES, STATIC)
    assert node.enters(MASTER)
    assert until(lambda: "501:" in kept(node)[1])
    node.program.kill()
    node.program.ended()
    assert "501:" in kept(node)[1], "what a killed daemon leaves"
    other = Node(site, site.b, "keepalived", tmp_path)
    other.start(200, "")
    assert other.enters(MASTER)
    node.start(150, ROUTES, STATIC)
    assert node.enters(BACKUP)
    assert until(lambda: "501:" not in kept(node)[1])
    assert until(lambda: "77:" in kept(node)[1] and "10.9.0.0/16" in kept(node)[0])
    assert "10.5.0.0/16" not in kept(node)[0]


def test_a_reload_changes_what_differs(site: Site, tmp_path: Path) -> None:
    node = Node(site, site.a, "pyvrrpd", tmp_path)
    node.start(150, ROUTES, STATIC)
    assert node.enters(MASTER)
    assert until(lambda: "501:" in kept(node)[1])
    changed = ROUTES.replace("via 192.168.1.10 table 100", "via 192.168.1.11 table 100").replace(
        "priority 501", "priority 502"
    )
    node.reload(150, changed, STATIC.replace("10.9", "10.10"))
    assert until(lambda: "502:" in kept(node)[1] and "501:" not in kept(node)[1])
    assert until(lambda: "10.5.0.0/16 via 192.168.1.11" in kept(node)[0])
    assert "10.10.0.0/16" in kept(node)[0]
    assert "10.9.0.0/16" not in kept(node)[0]
    assert site.a.holds()
