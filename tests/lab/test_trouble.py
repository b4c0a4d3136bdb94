"""What makes two masters elsewhere: a forgotten firewall rule, a list of addresses that one node has already, an
address that somebody else has."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.lab.agents import BACKUP, MASTER, Agent, Pyvrrpd
from tests.lab.routers import VIP, Router, node_yaml, version2
from tests.lab.site import Host, Site
from tests.waiting import until

pytestmark = pytest.mark.lab

SECOND_VIP = "192.168.1.199"
RULES = {
    "protocol 112": "ip protocol 112 drop",
    "the group": "ip daddr 224.0.0.18 drop",
}


def firewall(host: Host, rule: str) -> None:
    """A host whose INPUT chain has this rule."""
    host.namespace.run("nft", "add table ip filter")
    host.namespace.run("nft", "add chain ip filter INPUT { type filter hook input priority 0; }")
    host.namespace.run("nft", f"add rule ip filter INPUT {rule}")


def open_up(host: Host) -> None:
    """The rule is mended."""
    host.namespace.run("nft", "flush chain ip filter INPUT")


def quick(priority: int, **changes: object) -> Router:
    """A router that elects in less than a second."""
    return Router(priority, advert_int=0.2, **changes)  # type: ignore[arg-type]


def pair(site: Site, *, peer: bool = False) -> tuple[Agent, Pyvrrpd]:
    """A MASTER on a (keepalived if `peer`), and our BACKUP on b."""
    master: Agent = site.keepalived(site.a, quick(250)) if peer else site.pyvrrpd(site.a, quick(250))
    assert master.becomes(MASTER)
    assert site.a.takes()
    backup = site.pyvrrpd(site.b, quick(240))
    assert backup.becomes(BACKUP)
    assert until(lambda: backup.instance()["master"])
    return master, backup


# --- the firewall ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("peer", [False, True], ids=["pyvrrpd", "keepalived"])
def test_a_rule_that_drops_adverts_is_named_and_makes_no_second_master(site: Site, rule: str, peer: bool) -> None:
    watch = site.watch()
    _, backup = pair(site, peer=peer)
    firewall(site.b, RULES[rule])
    assert until(lambda: "drops VRRP from 192.168.1.201: it is heard below netfilter only" in backup.why())
    time.sleep(3.0)  # four times what it would wait for a master
    instance = backup.instance()
    assert (instance["state"], instance["counters"]["became_master"]) == (BACKUP, 0)
    assert instance["counters"]["overheard"] > 10
    assert watch.overlap(VIP) == 0.0
    open_up(site.b)
    assert backup.says("VRRP from 192.168.1.201 passes this host's firewall again")
    assert until(lambda: "netfilter" not in backup.why())


def test_a_firewall_from_the_start(site: Site) -> None:
    firewall(site.b, RULES["protocol 112"])
    _, backup = pair(site)
    assert backup.says("Let protocol 112 in: iptables -I INPUT -p 112 -j ACCEPT")
    assert backup.instance()["counters"]["became_master"] == 0


def test_keepalived_makes_a_second_master_of_the_same_rule(site: Site) -> None:
    """What the rule does is real: this is what it does to keepalived."""
    master = site.pyvrrpd(site.a, quick(250))
    assert master.becomes(MASTER)
    firewall(site.b, RULES["protocol 112"])
    assert site.keepalived(site.b, quick(240)).becomes(MASTER)


# --- the list of addresses -------------------------------------------------------------------------------------------


def test_an_address_more_on_one_node_after_the_other(site: Site) -> None:
    watch = site.watch()
    master = site.pyvrrpd(site.a, version2(250))
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.b, version2(240))
    assert backup.becomes(BACKUP)
    both = (VIP, SECOND_VIP)
    backup.reconfigure([version2(240, vips=both)])
    assert backup.ask("reload")["ok"]
    assert until(lambda: "192.168.1.201 is followed although it advertises 192.168.1.200" in backup.why())
    time.sleep(4.0)  # longer than it would wait for a master
    assert backup.state() == BACKUP
    master.reconfigure([version2(250, vips=both)])
    assert master.ask("reload")["ok"]
    assert backup.says("192.168.1.201 has the same virtual addresses again")
    assert site.a.takes(SECOND_VIP)
    assert (master.state(), backup.state()) == (MASTER, BACKUP)
    assert (watch.overlap(VIP), watch.overlap(SECOND_VIP)) == (0.0, 0.0)


def test_beside_keepalived_which_makes_two_masters(site: Site) -> None:
    """The same difference, seen by either: keepalived takes over, we follow."""
    ours = quick(240)
    theirs = quick(250, vips=(VIP, SECOND_VIP))
    master = site.keepalived(site.a, theirs)
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.b, ours)
    assert backup.becomes(BACKUP)
    assert until(lambda: "is followed although it advertises 192.168.1.199, 192.168.1.200" in backup.why())
    time.sleep(2.0)
    assert (backup.state(), site.b.holds()) == (BACKUP, False)
    master.terminate()
    master.ended()
    assert backup.becomes(MASTER)
    assert site.keepalived(site.a, replace(theirs, priority=100)).becomes(MASTER), "it discards ours"


# --- somebody else has the address -----------------------------------------------------------------------------------


def test_a_squatter_is_waited_for_and_named(site: Site) -> None:
    site.client.namespace.ip(f"addr add {VIP}/32 dev eth0")
    node = site.pyvrrpd(site.a, quick(250))
    named = f"{site.client.mac} answers for {VIP}"
    assert node.says(f"{named} though no master is heard: not taking over while it does")
    assert node.becomes(BACKUP)
    assert named in node.why()
    time.sleep(3.0)  # it would have taken over four times
    assert (node.state(), site.a.holds()) == (BACKUP, False)
    site.client.namespace.ip(f"addr del {VIP}/32 dev eth0")
    assert node.becomes(MASTER)
    assert site.a.takes()
    assert "answers for" not in node.why()


def test_a_squatter_that_comes_later_is_named_by_the_master(site: Site) -> None:
    node = site.pyvrrpd(site.a, quick(250))
    assert node.becomes(MASTER)
    time.sleep(1.5)  # until its predecessor, if there was one, would be heard no more
    site.client.namespace.ip(f"addr add {VIP}/32 dev eth0")
    capture = site.capture()
    # Nothing tells of the address: it is found by asking, every ten seconds.
    assert until(lambda: f"DUPLICATE: {site.client.mac} also answers for {VIP}" in node.why(), 15.0)
    assert node.state() == MASTER
    assert until(lambda: [each for each in capture.announcements(VIP) if each.data[6:12].hex(":") == site.a.mac])


def test_an_address_that_a_killed_keepalived_left_is_left_alone(site: Site) -> None:
    watch = site.watch()
    master, backup = pair(site, peer=True)
    master.kill()
    assert backup.says(f"{site.a.mac} answers for {VIP} though no master is heard")
    time.sleep(2.0)
    assert (backup.state(), site.b.holds(), site.a.holds()) == (BACKUP, False, True)
    assert watch.overlap(VIP) == 0.0
    site.a.namespace.ip(f"addr del {VIP}/32 dev eth0")
    assert backup.becomes(MASTER)


def test_but_not_for_longer_than_it_was_told(site: Site) -> None:
    text = node_yaml([quick(240)]).replace("priority: 240", "priority: 240\n    duplicate_wait: 1")
    master = site.keepalived(site.a, quick(250))
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.b, quick(240))
    backup.config.write_text(text)
    assert backup.becomes(BACKUP)
    assert backup.ask("reload")["ok"]
    master.kill()
    assert backup.says(f"duplicate_wait is over, and {site.a.mac} still answers for {VIP}: taking over")
    assert backup.becomes(MASTER)
    assert site.b.takes()


def test_a_killed_agent_with_short_intervals_leaves_no_overlap(site: Site) -> None:
    """Its lease is a second at least, three times what the other one waits."""
    watch = site.watch()
    master = site.pyvrrpd(site.a, Router(250, nopreempt=True))
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.b, Router(240, nopreempt=True))
    assert backup.becomes(BACKUP)
    master.kill()
    assert backup.becomes(MASTER)
    assert site.b.takes()
    assert watch.overlap(VIP) == 0.0


def test_different_passwords_make_no_second_master(site: Site) -> None:
    master = site.keepalived(site.a, version2(250, password="1234"))
    assert master.becomes(MASTER)
    assert site.a.takes()
    backup = site.pyvrrpd(site.b, version2(240, password="4321"))
    assert until(lambda: backup.state() and "answers for" in backup.why(), 10.0)
    assert "its password is not ours" in backup.why()
    assert (backup.state(), site.b.holds()) == (BACKUP, False)
