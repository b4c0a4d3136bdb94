"""Reload: SIGHUP and the control socket, good files and bad ones."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

import pytest
import yaml

from tests.lab.agents import BACKUP, MASTER, PATIENCE, PYVRRPCTL, Pyvrrpd
from tests.lab.routers import VIP, Router, node_yaml, tcp_check, version2
from tests.lab.site import Site
from tests.waiting import until

pytestmark = pytest.mark.lab

OTHER_VIP = "192.168.1.210"
REFUSED = 6


def test_a_changed_priority_counts_at_once(site: Site) -> None:
    first = site.pyvrrpd(site.a, Router(150))
    assert first.becomes(MASTER)
    second = site.pyvrrpd(site.b, Router(140))
    assert second.becomes(BACKUP)
    first.reconfigure([Router(130)])
    first.send(signal.SIGHUP)
    assert second.becomes(MASTER)
    assert first.becomes(BACKUP)
    assert first.instance()["priority"] == 130
    assert first.says("reload: VI_60: priority 150 -> 130")


def test_an_added_address_comes_a_removed_one_goes_and_an_unchanged_one_stays(site: Site) -> None:
    watch, capture = site.watch(), site.capture()
    daemon = site.pyvrrpd(site.a, Router())
    assert daemon.becomes(MASTER)
    assert site.a.takes()
    before = daemon.history()
    daemon.reconfigure([Router(vips=(VIP, OTHER_VIP))])
    assert daemon.ask("reload")["ok"] is True
    assert until(lambda: watch.holds("a", OTHER_VIP))
    assert until(lambda: len(capture.announcements(OTHER_VIP)) >= 5)
    daemon.reconfigure([Router()])
    answer = daemon.ask("reload")
    assert answer["ok"] is True
    assert answer["changes"] == [f"VI_60: {OTHER_VIP}/32 goes"]
    assert until(lambda: not watch.holds("a", OTHER_VIP))
    assert daemon.history() == before
    assert watch.times("a", VIP, present=False) == []
    assert len(watch.times("a", VIP, present=True)) == 1


def test_an_address_that_moves_to_another_instance_stays(site: Site) -> None:
    watch = site.watch()
    daemon = site.pyvrrpd(site.a, Router(vips=(VIP, "10.0.0.60")), Router(vrid=61, vips=("10.0.0.61",)))
    assert daemon.becomes(MASTER, 60)
    assert daemon.becomes(MASTER, 61)
    assert site.a.takes("10.0.0.61")
    daemon.reconfigure([Router(vips=("10.0.0.60",)), Router(vrid=61, vips=("10.0.0.61", VIP))])
    assert daemon.ask("reload")["changes"] == [f"{VIP}/32 moves from VI_60 to VI_61"]
    assert {"address": f"{VIP}/32", "held": True} in daemon.instance(61)["addresses"]
    capture = site.capture()
    assert until(lambda: capture.adverts(site.a.address, 61))  # a renewal later it is still there
    assert [each for each in watch.changes if not each.present] == []


def test_an_address_of_an_instance_that_goes_stays_with_the_one_that_has_it_now(site: Site) -> None:
    watch = site.watch()
    daemon = site.pyvrrpd(site.a, Router(vips=(VIP,)), Router(vrid=61, vips=(OTHER_VIP,)))
    assert daemon.becomes(MASTER, 60)
    assert daemon.becomes(MASTER, 61)
    assert site.a.takes(OTHER_VIP)
    daemon.reconfigure([Router(vrid=61, vips=(OTHER_VIP, VIP))])
    assert daemon.ask("reload")["changes"] == ["instance VI_60 is removed", f"{VIP}/32 moves from VI_60 to VI_61"]
    assert daemon.says("(VI_60) no successor has spoken")
    assert daemon.state(61) == MASTER
    assert [each for each in watch.changes if not each.present] == []


@pytest.mark.parametrize(
    ("router", "old", "new", "advert"),
    [
        (Router(advert_int=1), "version: 3", "version: 2", bytes([0x21, 60])),
        (Router(), "virtual_router_id: 60", "virtual_router_id: 70", bytes([0x31, 70])),
    ],
    ids=["version", "VRID"],
)
def test_a_master_goes_on_with_another_version_or_vrid(
    site: Site, router: Router, old: str, new: str, advert: bytes
) -> None:
    watch, capture = site.watch(), site.capture()
    daemon = site.pyvrrpd(site.a, router)
    assert daemon.becomes(MASTER)
    assert site.a.takes()
    before = daemon.history()
    daemon.config.write_text(daemon.config.read_text().replace(old, new))
    assert daemon.ask("reload")["changes"] == [f"VI_60: {old.replace(':', '')} -> {new.split()[-1]}"]
    assert until(lambda: len([each for each in capture.adverts(site.a.address) if each.payload[:2] == advert]) >= 3)
    assert daemon.history() == before
    assert watch.times("a", VIP, present=False) == []


def test_a_label_is_the_new_one_when_the_address_is_taken_again(site: Site) -> None:
    """Linux keeps the label of an address that it has, and an address that is there is not taken away."""
    watch = site.watch()
    plain = node_yaml([Router(255)])
    daemon = site.pyvrrpd(site.a, Router(255))
    assert daemon.becomes(MASTER)
    assert site.a.takes()
    daemon.config.write_text(plain.replace(f"- {VIP}", f"- {{address: {VIP}, label: 'eth0:db'}}"))
    sentence = f"VI_60: label of {VIP}/32 none -> eth0:db, from when it is next taken"
    assert daemon.ask("reload")["changes"] == [sentence]
    assert watch.times("a", VIP, present=False) == []
    assert "eth0:db" not in site.a.namespace.ip("addr show eth0")
    site.a.namespace.ip(f"addr del {VIP}/32 dev eth0")
    assert until(lambda: f"{VIP}/32 scope global dynamic eth0:db" in site.a.namespace.ip("-4 -o addr show eth0"))


def test_a_file_with_problems_is_refused_and_the_old_configuration_stays(site: Site) -> None:
    watch = site.watch()
    slow = Router(advert_int=1)  # a busy machine may let the daemon stand still for longer than 0.3 s
    daemon = site.pyvrrpd(site.a, slow)
    assert daemon.becomes(MASTER)
    assert site.a.takes()
    daemon.reconfigure([Router(vips=("192.168.1.300",), vrid=300)])
    answer = daemon.ask("reload")
    assert answer["ok"] is False
    problems = answer["problems"]
    assert len(problems) == 2
    assert all(each.startswith(f"{daemon.config}:") for each in problems)
    assert "300 is outside 1..255" in problems[0]
    assert '"192.168.1.300" is not an IP address' in problems[1]
    assert daemon.ask("status")["config"] | {"loaded_at": 0} == {
        "path": str(daemon.config),
        "ok": False,
        "loaded_at": 0,
        "problems": problems,
    }
    daemon.send(signal.SIGHUP)
    assert until(lambda: daemon.log().count("reload refused, the configuration in force stays") == 2)
    assert daemon.state() == MASTER
    assert watch.times("a", VIP, present=False) == []
    daemon.reconfigure([slow])
    assert daemon.ask("reload") | {"advice": []} == {"ok": True, "changes": [], "left_out": [], "advice": []}
    assert daemon.ask("status")["config"]["ok"] is True


def test_pyvrrpctl_reload_says_what_changes_or_what_is_wrong(site: Site) -> None:
    daemon = site.pyvrrpd(site.a, Router(255))
    assert daemon.becomes(MASTER)
    daemon.reconfigure([Router(255, vips=(VIP, OTHER_VIP))])
    done = pyvrrpctl(daemon, "reload")
    assert done.returncode == 0
    assert done.stdout == f"VI_60: {OTHER_VIP}/32 comes\n"
    daemon.config.write_text("vrrp_instances: [\n")
    done = pyvrrpctl(daemon, "reload")
    assert done.returncode == REFUSED
    problem, verdict = done.stderr.splitlines()
    assert problem.startswith(f"{daemon.config}:")
    assert verdict == "pyvrrpctl: refused, the configuration in force stays"


def test_a_dry_run_says_what_the_reload_will_and_changes_nothing(site: Site) -> None:
    watch = site.watch()
    daemon = site.pyvrrpd(site.a, Router(255))
    assert daemon.becomes(MASTER)
    assert site.a.takes()
    before = {**daemon.ask("status")["config"], "interval": daemon.instance()["advert_int"]}
    daemon.reconfigure([Router(255, vips=(OTHER_VIP,), advert_int=0.2), Router(vrid=61, vips=("10.0.0.61",))])
    tried = pyvrrpctl(daemon, "reload", "--dry-run")
    assert tried.returncode == 0
    assert tried.stdout.splitlines() == [
        "VI_60: advert_int 0.1 -> 0.2",
        "instance VI_61 is new",
        f"VI_60: {VIP}/32 goes",
        f"VI_60: {OTHER_VIP}/32 comes",
    ]
    assert {**daemon.ask("status")["config"], "interval": daemon.instance()["advert_int"]} == before
    assert "Reloading" not in daemon.log()
    assert watch.times("a", VIP, present=False) == []
    done = pyvrrpctl(daemon, "reload")
    assert (done.stdout, done.stderr) == (tried.stdout, tried.stderr)
    assert daemon.becomes(MASTER, 61)
    assert until(lambda: watch.holds("a", OTHER_VIP) and not watch.holds("a", VIP))


def test_a_dry_run_of_a_file_with_problems(site: Site) -> None:
    daemon = site.pyvrrpd(site.a, Router(255))
    assert daemon.becomes(MASTER)
    daemon.reconfigure([Router(vrid=300)])
    tried = pyvrrpctl(daemon, "reload", "--dry-run")
    assert tried.returncode == REFUSED
    problem, verdict = tried.stderr.splitlines()
    assert "300 is outside 1..255" in problem
    assert verdict == "pyvrrpctl: would be refused"
    assert daemon.ask("status")["config"]["ok"] is True


def test_virtual_servers_that_come_and_go_are_told_in_the_log(site: Site) -> None:
    daemon = site.pyvrrpd(site.a, Router(255))
    assert daemon.becomes(MASTER)
    server = {"address": site.b.address, "port": 3306}
    service = {"address": VIP, "port": 3306, "real_servers": [server]}
    daemon.config.write_text(node_yaml([Router(255)]) + yaml.safe_dump({"virtual_servers": [service]}))
    assert daemon.ask("reload")["ok"] is True
    assert daemon.says(f"reload: virtual server [{VIP}]:tcp:3306 is new")
    assert until(lambda: [each["quorum"] for each in daemon.snapshot()["services"]] == [True])
    service["real_servers"] = [server, {**server, "port": 3307}]
    daemon.config.write_text(node_yaml([Router(255)]) + yaml.safe_dump({"virtual_servers": [service]}))
    assert daemon.ask("reload")["ok"] is True
    assert daemon.says(f"reload: [{VIP}]:tcp:3306: real server [{site.b.address}]:3307 is new")
    daemon.reconfigure([Router(255)])
    assert daemon.ask("reload")["ok"] is True
    assert daemon.says(f"reload: virtual server [{VIP}]:tcp:3306 is removed")
    assert daemon.snapshot()["services"] == []


def pyvrrpctl(daemon: Pyvrrpd, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the operator's command to its end."""
    command = [PYVRRPCTL, "--socket", str(daemon.socket), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_an_interface_that_does_not_exist_is_refused(site: Site) -> None:
    daemon = site.pyvrrpd(site.a, Router())
    assert daemon.becomes(MASTER)
    daemon.config.write_text(daemon.config.read_text().replace("eth0", "eth9"))
    answer = daemon.ask("reload")
    assert answer["ok"] is False
    (problem,) = answer["problems"]
    assert 'vrrp_instances.VI_60.interface: there is no interface "eth9"' in problem
    assert daemon.state() == MASTER
    assert site.a.holds()


def test_an_instance_that_another_daemon_runs_is_refused(site: Site) -> None:
    daemon, other = site.pyvrrpd(site.a, Router()), site.pyvrrpd(site.a, Router(vrid=61, vips=(OTHER_VIP,)))
    assert daemon.becomes(MASTER)
    assert other.becomes(MASTER, 61)
    daemon.reconfigure([Router(), Router(vrid=61, vips=(OTHER_VIP,))])
    answer = daemon.ask("reload")
    assert answer["ok"] is False
    assert answer["problems"] == [f"another pyvrrpd (pid {other.process.pid}) runs VRID 61 on eth0 already"]
    assert daemon.state() == MASTER
    assert other.state(61) == MASTER


def test_a_new_instance_runs_and_a_removed_one_hands_over(site: Site) -> None:
    watch = site.watch()
    stays, comes = Router(150), Router(150, 61, (OTHER_VIP,))
    daemon = site.pyvrrpd(site.a, stays)
    assert daemon.becomes(MASTER)
    daemon.reconfigure([stays, comes])
    assert daemon.ask("reload")["changes"] == ["instance VI_61 is new"]
    assert daemon.becomes(MASTER, 61)
    assert site.a.takes(OTHER_VIP)
    successor = site.pyvrrpd(site.b, Router(140), Router(140, 61, (OTHER_VIP,)))
    assert successor.becomes(BACKUP, 61)
    daemon.reconfigure([stays])
    assert daemon.ask("reload")["changes"] == ["instance VI_61 is removed"]
    assert successor.becomes(MASTER, 61)
    assert successor.instance(61)["last"]["reason"] == f"{site.a.address} sent priority 0"
    assert site.b.takes(OTHER_VIP)
    assert until(lambda: not watch.holds("a", OTHER_VIP))
    assert daemon.state() == MASTER
    assert watch.times("a", VIP, present=False) == []


def test_another_interval_or_port_of_a_check_does_not_cost_the_master_its_mastership(site: Site) -> None:
    watch = site.watch()
    for port in (3306, 3307):
        site.listener(site.a, port)
    tracking = Router(tracks={"mysql": 0})
    daemon = site.pyvrrpd(site.a, tracking, checks={"mysql": tcp_check()})
    assert daemon.becomes(MASTER)
    assert site.a.takes()
    before = daemon.history()
    daemon.reconfigure([tracking], {"mysql": tcp_check(interval=0.2, fall=3)})
    assert daemon.ask("reload")["changes"] == ["mysql: interval 0.1 -> 0.2", "mysql: fall 2 -> 3"]
    assert until(lambda: only_check(daemon)["successes"] >= 2)
    daemon.reconfigure([tracking], {"mysql": tcp_check(3307)})
    assert daemon.ask("reload")["changes"][0] == "mysql: port 3306 -> 3307"
    assert only_check(daemon)["target"] == "127.0.0.1:3307"
    assert until(lambda: only_check(daemon)["successes"] >= 2)
    assert daemon.history() == before
    assert watch.times("a", VIP, present=False) == []


def only_check(daemon: Pyvrrpd) -> dict[str, Any]:
    """The status of the one check."""
    (check,) = daemon.snapshot()["checks"]
    return dict(check)


def test_a_check_that_is_added_and_removed(site: Site) -> None:
    daemon = site.pyvrrpd(site.a, Router())
    assert daemon.becomes(MASTER)
    daemon.reconfigure([Router(tracks={"mysql": 0})], {"mysql": tcp_check()})
    assert daemon.ask("reload")["ok"] is True
    assert daemon.becomes("FAULT")
    daemon.reconfigure([Router()])
    assert daemon.ask("reload")["ok"] is True
    assert daemon.becomes(MASTER)


def test_a_password_is_changed_and_never_shown(site: Site) -> None:
    daemon = site.pyvrrpd(site.a, version2(255, password="old-one1"))
    assert daemon.becomes(MASTER)
    daemon.reconfigure([version2(255, password="new-one2")])
    assert daemon.ask("reload")["changes"] == ["VI_60: auth_pass is changed"]
    capture = site.capture(site.a)  # the sender's own, as elsewhere an advert from before may be on its way still
    assert until(lambda: capture.adverts(site.a.address))
    assert capture.adverts(site.a.address)[0].payload.endswith(b"new-one2")
    assert_no_secret(daemon, "old-one1", "new-one2")


def assert_no_secret(daemon: Pyvrrpd, *secrets: str) -> None:
    """No password in the log, the status or the command line."""
    shown = daemon.log() + str(daemon.ask("status")) + str(daemon.process.args)
    assert not [each for each in secrets if each in shown]
