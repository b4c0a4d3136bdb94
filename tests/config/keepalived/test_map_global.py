"""global_defs: what the whole daemon has, and what instances take from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyvrrp.config.keepalived import commands
from tests.config.keepalived.mapped import TRUE, instance, mapped

WHERE = "global_defs"
SECURE = "script_user root\nenable_script_security\n"


def defs(lines: str) -> str:
    """global_defs with these lines, which begin in line 2."""
    return f"global_defs {{\n{lines}\n}}\n"


# lines → keys of node.yaml, the end of the error
VALUES: list[tuple[str, dict[str, Any], str]] = [
    ("router_id db1", {"router_id": "db1"}, ""),
    ("router_id a\nrouter_id b c", {"router_id": "b"}, ""),
    ('router_id "a b"', {"router_id": "a b"}, ""),
    ('router_id ""', {}, ""),
    ("router_id", {}, "router_id: needs a value; it is left out"),
    ("notification_email {\na@b\nc d\n}", {"notification_email": ["a@b", "c", "d"]}, ""),
    ("notification_email {\na\n}\nnotification_email {\nb\n}", {"notification_email": ["a", "b"]}, ""),
    ("notification_email {\n}", {}, "notification_email: is empty"),
    ("notification_email_from a@b", {"notification_email_from": "a@b"}, ""),
    ("smtp_server 192.0.2.1", {"smtp_server": "192.0.2.1 25"}, ""),
    ("smtp_server mail.example 2525", {"smtp_server": "mail.example 2525"}, ""),
    ("smtp_server 2001:db8::1", {"smtp_server": "2001:db8::1 25"}, ""),
    ("smtp_server 192.0.2.300", {}, 'smtp_server: "192.0.2.300" is not an IP address; no mail server is used'),
    ("smtp_server 192.0.2.1 x", {}, 'smtp_server: "x" is not a whole number; it is left out'),
    ("smtp_connect_timeout 9", {"smtp_connect_timeout": "9"}, ""),
    ("smtp_connect_timeout 0", {"smtp_connect_timeout": "1"}, "smtp_connect_timeout: 0 is too little; 1 is used"),
    ("smtp_connect_timeout 1.5", {}, 'smtp_connect_timeout: "1.5" is not a whole number; 30 is used'),
    ("smtp_helo_name x", {"smtp_helo_name": "x"}, ""),
    ("vrrp_startup_delay 2.5", {"startup_delay": "2.5"}, ""),
    ("vrrp_startup_delay 0", {}, "vrrp_startup_delay: 0 is outside 0.001..4294.967295; 0 is used"),
    ("script_user root root", {"script_user": "root root"}, ""),
    (
        "script_user nosuchuser",
        {},
        'script_user: there is no user "nosuchuser"; no script runs that names no other',
    ),
    ("script_user", {}, "script_user: needs a value; it is left out"),
    ("enable_script_security yes", {"enable_script_security": "true"}, ""),
    ("notify_fifo /run/a", {"notify_fifo": "/run/a"}, ""),
    ("vrrp_notify_fifo /a root root", {"vrrp_notify_fifo": {"path": "/a", "user": "root", "group": "root"}}, ""),
    ("lvs_notify_fifo /run/a\nlvs_notify_fifo /run/b", {"lvs_notify_fifo": "/run/a"}, "stands in line 2 already"),
    ("notify_fifo", {}, "notify_fifo: needs a value; it is left out"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "keys", "error"), VALUES)
def test_values(tmp_path: Path, lines: str, keys: dict[str, Any], error: str) -> None:
    found = mapped(tmp_path, defs(lines))
    assert found.tree == keys
    assert len(found.errors) == bool(error)
    assert all(error in each for each in found.errors)


def test_a_pipe_has_a_reader(tmp_path: Path) -> None:
    found = mapped(tmp_path, defs(f"{SECURE}notify_fifo_script '{TRUE} x' root\nnotify_fifo /run/a"))
    assert found.tree["notify_fifo"] == {"path": "/run/a", "script": {"script": f"{TRUE} x", "user": "root"}}
    assert found.status == 0


def test_a_pipe_of_nobody_is_the_daemon_s(tmp_path: Path) -> None:
    found = mapped(tmp_path, defs("notify_fifo /run/a nosuchuser"))
    assert found.tree["notify_fifo"] == "/run/a"
    assert found.advice == [f'2: {WHERE}.notify_fifo: there is no user "nosuchuser"; the pipe is the daemon\'s own']


def test_blocks_count_together_from_anywhere_in_the_file(tmp_path: Path) -> None:
    text = f"{defs('router_id a')}{instance('')}{defs('vrrp_version 3')}net_namespace blue"
    found = mapped(tmp_path, text)
    assert found.tree["router_id"] == "a"
    assert found.tree["network_namespace"] == "blue"
    assert found.instance["version"] == "3"


def test_scripts_are_run_by_keepalived_script_where_there_is_such_a_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "default_user", lambda: "root")
    assert mapped(tmp_path, "").tree == {"script_user": "root"}


# lines → what an instance gets of them that says nothing itself
DEFAULTS: list[tuple[str, dict[str, str]]] = [
    ("vrrp_version 3", {"version": "3"}),
    ("vrrp_down_timer_adverts 5", {"down_timer_adverts": "5"}),
    ("vrrp_garp_master_delay 9", {"garp_master_delay": "9"}),
    ("vrrp_garp_master_repeat 9", {"garp_master_repeat": "9"}),
    ("vrrp_garp_master_refresh 60", {"garp_master_refresh": "60"}),
    ("vrrp_garp_master_refresh_repeat 2", {"garp_master_refresh_repeat": "2"}),
    ("vrrp_garp_lower_prio_delay 1", {"garp_lower_prio_delay": "1"}),
    ("vrrp_garp_lower_prio_repeat 0", {"garp_lower_prio_repeat": "0"}),
    ("vrrp_min_garp", {"garp_master_delay": "0", "garp_master_repeat": "1"}),
    ("vrrp_min_garp\nvrrp_garp_master_delay 3", {"garp_master_delay": "3", "garp_master_repeat": "1"}),
    ("vrrp_min_garp off", {}),
    ("vrrp_lower_prio_no_advert", {"lower_prio_no_advert": "true"}),
    ("vrrp_higher_prio_send_advert on", {"higher_prio_send_advert": "true"}),
    ("vrrp_notify_priority_changes", {"notify_priority_changes": "true"}),
    ("smtp_alert", {"smtp_alert": "true"}),
    ("smtp_alert\nsmtp_alert_vrrp off", {}),
    ("smtp_alert_vrrp", {"smtp_alert": "true"}),
    ("smtp_alert_checker", {}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "keys"), DEFAULTS)
def test_an_instance_takes_its_defaults_from_here(tmp_path: Path, lines: str, keys: dict[str, str]) -> None:
    found = mapped(tmp_path, instance("", before=defs(lines))).instance
    assert {key: found[key] for key in found if key not in mapped(tmp_path, instance("")).instance} == keys


def test_what_it_says_itself_counts(tmp_path: Path) -> None:
    before = defs("vrrp_garp_master_delay 9\nvrrp_lower_prio_no_advert\nsmtp_alert")
    found = mapped(tmp_path, instance("garp_master_delay 1\nlower_prio_no_advert off\nsmtp_alert no", before=before))
    assert found.instance["garp_master_delay"] == "1"
    assert found.instance["lower_prio_no_advert"] == "false"
    assert found.instance["smtp_alert"] == "false"


def test_announcements_against_lower_priorities_follow_global_defs_not_the_instance(tmp_path: Path) -> None:
    """keepalived's default for these is the global one, whatever the instance has for garp_master_*."""
    found = mapped(tmp_path, instance("garp_master_delay 7\ngarp_master_repeat 2")).instance
    assert (found["garp_lower_prio_delay"], found["garp_lower_prio_repeat"]) == ("5", "5")


@pytest.mark.parametrize(
    "lines",
    [
        "vrrp_version 4",
        "vrrp_garp_interval 0",
        "vrrp_mcast_group4 192.0.2.1",
        "vrrp_mcast_group4 x",
        "vrrp_priority 20",
        "vrrp_rt_priority 0",
        "vrrp_rt_priority x",
        "vrrp_rlimit_rttime 0",
        "vrrp_cpu_affinity x",
        "vrrp_netlink_cmd_rcv_bufs x",
        "vrrp_rx_bufs_policy x",
        "max_auto_priority 100",
        "min_auto_priority_delay 0",
        "umask FOO",
        "vrrp_iptables",
        "vrrp_ipsets",
        "nftables_priority x",
        "dynamic_interfaces x",
        "include_check readable",
        "lvs_timeouts",
        "lvs_timeouts foo 3",
        "lvs_flush_on_stop x",
        "startup_script_timeout 0",
        "data_use_instance x",
        "dbus_service_name",
        "vrrp_garp_extra_if all",
        "smtp_alert x",
    ],
)
def test_a_wrong_value_is_an_error_also_where_it_has_no_effect(tmp_path: Path, lines: str) -> None:
    found = mapped(tmp_path, defs(lines))
    assert found.status == 5
    assert found.errors[0].startswith(f"2: {WHERE}.{lines.split()[0]}: ")


@pytest.mark.parametrize(
    "text",
    [
        "static_ipaddress {\n192.0.2.300\n}",
        "static_routes {\n192.0.2.0/24 via 192.0.2.1\n}",
        "static_routes {\n192.0.2.0/24 gw 192.0.2.1 dev eth0\n}",
        "static_rules {\nfrom 192.0.2.0/24 table 9\n}",
        "garp_group {\ngarp_interval x\n}",
        "linkbeat_interfaces {\neth0 FOO\n}",
        "interface_up_down_delays {\neth0 300\n}",
        "bfd_instance b {\nneighbor_ip x\n}",
        "child_wait_time x",
        "net_namespace",
    ],
)
def test_and_in_blocks_that_have_none(tmp_path: Path, text: str) -> None:
    assert mapped(tmp_path, text).status == 5


@pytest.mark.parametrize("keyword", ["startup_script", "shutdown_script"])
def test_a_script_of_the_start_is_not_run_but_counts_for_the_status(tmp_path: Path, keyword: str) -> None:
    found = mapped(tmp_path, defs(f"{keyword} {TRUE}"))
    assert found.tree == {}
    assert found.status == 6
    assert mapped(tmp_path, defs(f"{keyword} /nowhere/x")).status == 0


def test_a_keyword_without_effect_is_said_once_with_the_reason(tmp_path: Path) -> None:
    found = mapped(tmp_path, defs("enable_dbus\nlvs_flush\nenable_dbus") + defs("enable_dbus"))
    assert found.advice == [
        f"2: {WHERE}.enable_dbus: not supported yet: there is no D-Bus; pyvrrpctl talks to the daemon",
        f"3: {WHERE}.lvs_flush: without effect here: IPVS is not programmed yet",
    ]
    assert found.status == 0
