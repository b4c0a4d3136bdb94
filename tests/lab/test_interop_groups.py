"""Sync groups with pyvrrpd on one node and keepalived on the other, both reading the same keepalived.conf."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Final

import pytest

from tests.lab.agents import BACKUP, FAULT, KEEPALIVED, MASTER, PYVRRPD
from tests.lab.site import Host, Site
from tests.lab.stage import OPTIONS, OWN_RUN
from tests.netns import veth
from tests.waiting import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(KEEPALIVED is None, reason="keepalived is not installed (apt-get install keepalived)"),
]

VIPS: Final = {1: "192.168.1.200", 2: "10.0.1.200"}  # of VI_1 on eth0, of VI_2 on eth1
HIGH, LOW = 150, 100
PATIENCE: Final = 20.0

CONF: Final = """\
global_defs {{
    router_id lab
    vrrp_version {version}
}}

vrrp_sync_group G {{
    group {{
        VI_1
        VI_2
    }}
}}

vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 1
    priority {priority}
    advert_int {advert_int}
    virtual_ipaddress {{
        192.168.1.200
    }}
}}

vrrp_instance VI_2 {{
    interface eth1
    virtual_router_id 2
    priority {priority}
    advert_int {advert_int}
    virtual_ipaddress {{
        10.0.1.200
    }}
}}
"""


class Node:
    """A host with a second interface, eth1 on a switch of its own, and a daemon of either make on it."""

    def __init__(self, site: Site, host: Host, make: str, priority: int, version: int, directory: Path) -> None:
        self.host = host
        self._site = site
        veth(site.switch, f"to-{host.name}-1", host.namespace, "eth1")
        site.switch.ip(f"link set to-{host.name}-1 master second")
        host.namespace.ip(f"addr add 10.0.1.{host.address.rpartition('.')[2]}/24 dev eth1")
        conf = directory / f"{host.name}.conf"
        conf.write_text(CONF.format(priority=priority, version=version, advert_int=1 if version == 2 else 0.1))
        conf.chmod(0o600)
        program = {"keepalived": KEEPALIVED, "pyvrrpd": PYVRRPD}[make]
        self.daemon = site.program(host, make, [*OWN_RUN, str(program), *OPTIONS, f"--use-file={conf}"])

    def eth1(self, state: str) -> None:
        """Set the switch's end of eth1 `up` or `down`."""
        self._site.switch.ip(f"link set to-{self.host.name}-1 {state}")

    def isolate(self, state: str) -> None:
        """`on`: eth1 hears nothing of other isolated hosts, and its carrier stays."""
        self._site.switch.run("bridge", "link", "set", "dev", f"to-{self.host.name}-1", "isolated", state)

    def becomes(self, state: str, times: int = 1) -> bool:
        """Whether both instances come to this state in time, for so many times."""
        lines = [f"({name}) Entering {state} STATE" for name in ("VI_1", "VI_2")]
        return until(lambda: all(self.daemon.log().count(line) >= times for line in lines), PATIENCE)

    def takes(self) -> bool:
        """Whether both addresses come in time."""
        return until(lambda: all(self.host.holds(vip) for vip in VIPS.values()), PATIENCE)

    def loses(self) -> bool:
        """Whether both addresses go in time."""
        return until(lambda: not any(self.host.holds(vip) for vip in VIPS.values()), PATIENCE)

    @property
    def master(self) -> bool:
        """Whether it has both addresses now."""
        return all(self.host.holds(vip) for vip in VIPS.values())


Pair = tuple[Node, Node]
CASES = [(*makes, version) for makes in permutations(("pyvrrpd", "keepalived")) for version in (2, 3)]


@pytest.fixture(params=CASES, ids=lambda case: "{}-{}-v{}".format(*case))
def pair(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Pair:
    """The master of both instances on a, its backup on b."""
    first, second, version = request.param
    site.switch.ip("link add second type bridge")
    site.switch.ip("link set second up")
    master = Node(site, site.a, first, HIGH, version, tmp_path)
    assert master.becomes(MASTER)
    backup = Node(site, site.b, second, LOW, version, tmp_path)
    assert backup.becomes(BACKUP)
    assert master.takes()
    return master, backup


def test_a_member_without_a_link_takes_the_whole_group_to_the_peer_and_back(pair: Pair) -> None:
    master, backup = pair
    master.eth1("down")
    assert master.becomes(FAULT)
    assert backup.becomes(MASTER)
    assert backup.takes()
    assert master.loses()
    master.eth1("up")
    assert master.becomes(MASTER, times=2)
    assert master.takes()
    assert backup.becomes(BACKUP, times=2)
    assert backup.loses()


def test_a_group_that_leaves_on_purpose_is_followed_as_a_whole(pair: Pair) -> None:
    master, backup = pair
    master.daemon.terminate()
    assert backup.becomes(MASTER)
    assert backup.takes()
    assert master.loses()
    assert master.daemon.ended(PATIENCE) == 0


def test_one_member_that_hears_nothing_does_not_make_a_second_master(pair: Pair, site: Site) -> None:
    master, backup = pair
    capture = site.capture()
    for node in pair:
        node.isolate("on")
    # Ten adverts of the living member: far more than a backup waits for.
    assert until(lambda: len(capture.adverts(site.a.address, 1)) > 10, 2 * PATIENCE)
    assert master.master
    assert not any(site.b.holds(vip) for vip in VIPS.values())
    for node in pair:
        node.isolate("off")
    assert f"Entering {MASTER} STATE" not in backup.daemon.log()
