"""keepalived's dumps, compared with what keepalived 2.2.7 wrote for the same configuration."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from pyvrrp.app.dump import Baseline, Dumps, write_private
from pyvrrp.core.node import Node
from pyvrrp.core.settings import (
    Command,
    InstanceSettings,
    NodeSettings,
    Notifications,
    UnicastPeer,
    VirtualAddress,
    Vmac,
)
from pyvrrp.core.snapshot import Snapshot

INSTANCE = InstanceSettings(
    name="V",
    interface="eth0",
    virtual_router_id=51,
    addresses=(VirtualAddress("eth0", IPv4Address("10.9.0.100"), 24, label="eth0:vip"),),
    priority=150,
    auth_pass=b"secret",
    notifications=Notifications(master=Command(("/usr/bin/true", "m"))),
)
NODE = NodeSettings("R1", (INSTANCE,))

# Every key of keepalived's JSON, in its order.
DATA_KEYS = (
    "iname dont_track_primary skip_check_adv_addr strict_mode vmac_ifname ifp_ifname master_priority last_transition "
    "garp_delay garp_refresh garp_rep garp_refresh_rep garp_lower_prio_delay garp_lower_prio_rep lower_prio_no_advert "
    "higher_prio_send_advert vrid base_priority effective_priority vipset promote_secondaries adver_int "
    "master_adver_int accept nopreempt preempt_delay state wantstate version smtp_alert notify_deleted script_master "
    "vips auth_type auth_data"
)
STATS = """\
VRRP Instance: V
  Advertisements:
    Received: 7
    Sent: 3
  Became master: 1
  Released master: 0
  Packet Errors:
    Length: 0
    TTL: 2
    Invalid Type: 0
    Advertisement Interval: 0
    Address List: 0
  Authentication Errors:
    Invalid Type: 0
    Type Mismatch: 0
    Failure: 0
  Priority Zero:
    Received: 0
    Sent: 0
"""


def snapshot() -> Snapshot:
    """A MASTER since second 96, with some counters."""
    taken = Node(NODE, 90.0).snapshot(100.0)
    (status,) = taken.instances
    counters = {"adverts_received": 7, "adverts_sent": 3, "became_master": 1, "rejected_ttl": 2}
    held = tuple(replace(each, held=True) for each in status.addresses)
    return replace(taken, instances=(replace(status, state="MASTER", since=96.0, counters=counters, addresses=held),))


def dumps(baseline: Baseline | None = None) -> Dumps:
    return Dumps(NODE, snapshot(), 1_795_461_620.5, baseline or {})


def test_stats_are_keepalived_s_line_by_line() -> None:
    assert dumps().stats() == STATS


def test_cleared_counters_count_from_nothing() -> None:
    cleared = dumps({"V": {"adverts_sent": 3, "rejected_ttl": 1}}).stats()
    assert cleared == STATS.replace("Sent: 3", "Sent: 0").replace("TTL: 2", "TTL: 1")


def test_json_has_keepalived_s_keys_and_values() -> None:
    (instance,) = json.loads(dumps().json())
    data = instance["data"]
    assert " ".join(data) == DATA_KEYS
    assert (data["state"], data["vrid"], data["base_priority"], data["adver_int"]) == (2, 51, 150, 1)
    assert data["last_transition"] == 1_795_461_616.5
    assert data["vips"] == ["10.9.0.100/24 dev eth0 scope global label eth0:vip set"]
    assert data["script_master"] == "'/usr/bin/true' 'm'"
    assert instance["stats"]["advert_rcvd"] == 7
    assert instance["stats"]["ip_ttl_err"] == 2


@pytest.mark.parametrize(
    "line",
    [
        " VRRP Instance = V",
        "   VRRP Version = 2",
        "   State = MASTER",
        "   Interface = eth0",
        "   Gratuitous ARP lower priority repeat = 5",
        "   Send advert after receive lower priority advert = true",
        "   Virtual Router ID = 51",
        "   Effective priority = 150",
        "   Advert interval = 1 sec",
        "   Preempt = enabled",
        "   Authentication type = SIMPLE_PASSWORD",
        "   Virtual IP (1):",
        "     10.9.0.100/24 dev eth0 scope global label eth0:vip set",
        "   Master state transition script = '/usr/bin/true' 'm'",
        "   Notify priority changes = false",
    ],
)
def test_data_has_keepalived_s_lines(line: str) -> None:
    assert line in dumps().data().splitlines()


def test_data_tells_how_adverts_travel() -> None:
    travelling = replace(
        INSTANCE,
        source=IPv4Address("10.9.0.1"),
        unicast_peers=(UnicastPeer(IPv4Address("10.9.0.2"), min_ttl=250),),
        check_unicast_src=True,
        accept=False,
        vmac=Vmac("vrrp.51", bytes(6), transmit_base=True),
    )
    node = replace(NODE, instances=(travelling,))
    found = Dumps(node, Node(node, 90.0).snapshot(100.0), 0.0, {}).data().splitlines()
    for line in (
        "   Flags:",
        "     Using unicast",
        "     Use VMAC, i/f name vrrp.51, is_up = true, xmit_base = true",
        "   Interface = vrrp.51, vmac on eth0, xmit base i/f",
        "   Using src_ip = 10.9.0.1 (from configuration)",
        "   Accept = disabled",
        "   Unicast TTL = 255",
        "   Check unicast src : yes",
        "     10.9.0.2 min_ttl 250 max_ttl 255",
    ):
        assert line in found


def test_no_dump_shows_a_password() -> None:
    for text in (dumps().data(), dumps().stats(), dumps().json()):
        assert "secret" not in text


def test_a_dump_is_for_its_owner_and_follows_no_link(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep")
    link = tmp_path / "keepalived.data"
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        write_private(link, "gone")
    assert target.read_text() == "keep"
    link.unlink()
    link.touch(0o644)
    write_private(link, "text")
    assert (link.read_text(), link.stat().st_mode & 0o777) == ("text", 0o600)
