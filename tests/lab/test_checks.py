"""The address follows a TCP service."""

from __future__ import annotations

import pytest

from tests.lab.agents import BACKUP, FAULT, MASTER
from tests.lab.routers import Router, tcp_check
from tests.lab.site import Site
from tests.waiting import until

pytestmark = pytest.mark.lab

TRACKED = {"mysql": 0}


def test_a_dead_server_hands_the_address_over_and_a_living_one_is_a_backup_again(site: Site) -> None:
    server = site.listener(site.a)
    # Checks this rare would take a minute to notice: the kernel tells of the listener's end.
    first = site.pyvrrpd(site.a, Router(250, nopreempt=True, tracks=TRACKED), checks={"mysql": tcp_check(interval=30)})
    assert first.becomes(MASTER)
    site.listener(site.b)
    second = site.pyvrrpd(site.b, Router(240, nopreempt=True, tracks=TRACKED), checks={"mysql": tcp_check()})
    assert second.becomes(BACKUP)
    server.kill()
    assert first.becomes(FAULT)
    assert "check mysql fails: 127.0.0.1:3306 refused the connection" in first.why()
    assert second.becomes(MASTER)
    assert second.instance()["last"]["reason"] == f"{site.a.address} sent priority 0"
    assert site.b.takes()
    assert site.a.loses()


def test_a_server_that_comes_back_makes_its_node_a_backup(site: Site) -> None:
    checks = {"mysql": tcp_check()}
    server = site.listener(site.a)
    first = site.pyvrrpd(site.a, Router(250, nopreempt=True, tracks=TRACKED), checks=checks)
    assert first.becomes(MASTER)
    site.listener(site.b)
    second = site.pyvrrpd(site.b, Router(240, nopreempt=True, tracks=TRACKED), checks=checks)
    assert second.becomes(BACKUP)
    server.kill()
    assert second.becomes(MASTER)
    site.listener(site.a)
    assert first.becomes(BACKUP)
    assert until(lambda: first.instance()["master"])
    assert f"{site.b.address} advertises 240, ours is 250. Ours is higher, but nopreempt" in first.why()
    assert first.history()[-2:] == [(MASTER, FAULT), (FAULT, BACKUP)]
    assert second.state() == MASTER
    assert not site.a.holds()


def test_a_node_whose_service_never_ran_is_never_master(site: Site) -> None:
    node = site.pyvrrpd(site.a, Router(250, tracks=TRACKED), checks={"mysql": tcp_check()})
    assert node.becomes(FAULT)
    assert "check mysql fails: 127.0.0.1:3306 refused the connection" in node.why()
    assert until(lambda: node.snapshot()["checks"][0]["failures"] > 5)
    assert node.history() == [("INIT", FAULT)]
    site.listener(site.a)
    assert node.becomes(MASTER)
    assert node.history() == [("INIT", FAULT), (FAULT, BACKUP), (BACKUP, MASTER)]
