"""vrrp_instance: what its lines mean, by keepalived's rules for values and defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.keepalived.mapped import VIP, instance, mapped

V = "vrrp_instance.V"
AUTHENTICATION = "authentication {\nauth_type PASS\nauth_pass 4321\n}"


def test_an_instance_in_full(tmp_path: Path) -> None:
    found = mapped(
        tmp_path,
        """
        vrrp_instance VI_1 {
            state BACKUP
            interface eth0
            virtual_router_id 60
            priority 100
            advert_int 2
            nopreempt
            down_timer_adverts 5
            garp_master_delay 1
            garp_master_repeat 2
            garp_master_refresh 60
            garp_master_refresh_repeat 3
            garp_lower_prio_delay 4
            garp_lower_prio_repeat 6
            lower_prio_no_advert
            higher_prio_send_advert yes
            notify_priority_changes
            smtp_alert
            authentication {
                auth_type PASS
                auth_pass 4321
            }
            virtual_ipaddress {
                192.168.1.200
                192.168.1.201/24 dev eth1 label eth1:0
            }
            virtual_ipaddress_excluded {
                192.168.1.202
            }
        }
        """,
    )
    assert found.instance == {
        "state": "BACKUP",
        "interface": "eth0",
        "virtual_router_id": "60",
        "priority": "100",
        "advert_int": "2",
        "nopreempt": "true",
        "down_timer_adverts": "5",
        "garp_master_delay": "1",
        "garp_master_repeat": "2",
        "garp_master_refresh": "60",
        "garp_master_refresh_repeat": "3",
        "garp_lower_prio_delay": "4",
        "garp_lower_prio_repeat": "6",
        "lower_prio_no_advert": "true",
        "higher_prio_send_advert": "true",
        "notify_priority_changes": "true",
        "smtp_alert": "true",
        "authentication": {"auth_type": "PASS", "auth_pass": "4321"},
        "virtual_ipaddress": ["192.168.1.200", {"address": "192.168.1.201/24", "dev": "eth1", "label": "eth1:0"}],
        "virtual_ipaddress_excluded": ["192.168.1.202"],
    }
    assert (found.errors, found.advice, found.status) == ([], [], 0)


# lines → keys that differ from an instance without them (None: the key is not there), the error about it
VALUES: list[tuple[str, dict[str, Any], str]] = [
    ("priority 1", {"priority": "1"}, ""),
    ("priority 255", {"priority": "255"}, ""),
    ("priority 0100", {"priority": "100"}, ""),
    ("priority +5", {"priority": "5"}, ""),
    ('priority "7"', {"priority": "7"}, ""),
    ("priority 7 8", {"priority": "7"}, ""),
    ("priority 50\npriority 60", {"priority": "60"}, ""),
    ("priority 300", {"priority": "100"}, "priority: 300 is outside 1..255; 100 is used"),
    ("priority 0", {"priority": "100"}, "priority: 0 is outside 1..255; 100 is used"),
    ("priority -5", {"priority": "100"}, "priority: -5 is outside 1..255; 100 is used"),
    ("priority = 100", {"priority": "100"}, 'priority: "=" is not a whole number; 100 is used'),
    ("priority 100x", {"priority": "100"}, 'priority: "100x" is not a whole number; 100 is used'),
    ('priority ""', {"priority": "100"}, 'priority: "" is outside 1..255; 100 is used'),
    (f"priority {'9' * 50}", {"priority": "100"}, f'priority: "{"9" * 50}" is outside 1..255; 100 is used'),
    ("virtual_router_id 52", {"virtual_router_id": "52"}, ""),
    ("virtual_router_id 256", {}, "virtual_router_id: 256 is outside 1..255; 51 is used"),
    ("state MASTER\npriority 7", {"state": "MASTER", "priority": "7"}, ""),
    ("state master", {"state": "BACKUP"}, 'state: "master" is not MASTER or BACKUP; BACKUP is used'),
    ("state SLAVE", {"state": "BACKUP"}, 'state: "SLAVE" is not MASTER or BACKUP; BACKUP is used'),
    ("advert_int 255", {"advert_int": "255"}, ""),
    ("advert_int 0.5", {"advert_int": "1"}, "advert_int: 0.5: VRRPv2 counts whole seconds; 1 is used"),
    ("advert_int 1.5", {"advert_int": "2"}, "advert_int: 1.5: VRRPv2 counts whole seconds; 2 is used"),
    ("advert_int 2.5", {"advert_int": "3"}, "advert_int: 2.5: VRRPv2 counts whole seconds; 3 is used"),
    ("advert_int 300", {}, "advert_int: 300 is outside 0.01..255; 1 is used"),
    ("advert_int 0", {}, "advert_int: 0 is outside 0.01..255; 1 is used"),
    ("advert_int 1s", {}, 'advert_int: "1s" is not a number; 1 is used'),
    ("advert_int 5\nadvert_int 300", {"advert_int": "5"}, "advert_int: 300 is outside 0.01..255; 5 is used"),
    (
        "advert_int 2.0000001",
        {"advert_int": "2"},
        'advert_int: "2.0000001" has more than six decimal places; 2 is used',
    ),
    ("version 3\nadvert_int 0.5", {"version": "3", "advert_int": "0.5"}, ""),
    (
        "version 3\nadvert_int 0.123",
        {"version": "3", "advert_int": "0.12"},
        "advert_int: 0.123: VRRPv3 counts 0.01 s, up to 40.95 s; 0.12 is used",
    ),
    (
        "version 3\nadvert_int 41",
        {"version": "3", "advert_int": "40.95"},
        "advert_int: 41: VRRPv3 counts 0.01 s, up to 40.95 s; 40.95 is used",
    ),
    ("version 4", {}, "version: 4 is outside 2..3; 2 is used"),
    ("version 2\nversion 3", {"version": "2"}, "version: it is 2 already; this is left out"),
    ("nopreempt\npreempt", {}, ""),
    ("preempt\nnopreempt", {"nopreempt": "true"}, ""),
    ("preempt_delay 1000", {"preempt_delay": "1000"}, ""),
    ("preempt_delay 1001", {}, "preempt_delay: 1001 is outside 0..1000; 0 is used"),
    (
        "nopreempt\npreempt_delay 3",
        {"nopreempt": "true"},
        "preempt_delay: has no effect with nopreempt; it is left out",
    ),
    ("down_timer_adverts 101", {}, "down_timer_adverts: 101 is outside 1..100; 3 is used"),
    ("garp_master_delay 1.5", {}, 'garp_master_delay: "1.5" is not a whole number; 5 is used'),
    ("garp_master_repeat 0", {"garp_master_repeat": "1"}, "garp_master_repeat: 0 is too little; 1 is used"),
    ("garp_lower_prio_repeat 0", {"garp_lower_prio_repeat": "0"}, ""),
    ("lower_prio_no_advert off", {"lower_prio_no_advert": "false"}, ""),
    (
        "lower_prio_no_advert 1",
        {},
        'lower_prio_no_advert: "1" is not on, off, true, false, yes or no; it is left out',
    ),
    (
        "higher_prio_send_advert TRUE",
        {},
        'higher_prio_send_advert: "TRUE" is not on, off, true, false, yes or no; it is left out',
    ),
]


@pytest.mark.parametrize(
    ("lines", "keys", "error"), VALUES, ids=[lines.replace("\n", "; ")[:40] for lines, _, _ in VALUES]
)
def test_values(tmp_path: Path, lines: str, keys: dict[str, Any], error: str) -> None:
    found = mapped(tmp_path, instance(lines))
    usual = {"interface": "eth0", "virtual_router_id": "51", "virtual_ipaddress": ["192.0.2.1"]}
    garp = {key: value for key, value in found.instance.items() if key.startswith("garp_lower") and key not in keys}
    assert {key: value for key, value in found.instance.items() if key not in garp} == usual | keys
    assert [each.partition(": ")[2] for each in found.errors] == ([f"{V}.{error}"] if error else [])
    assert found.status == (5 if error else 0)


class TestPriorityAndState:
    """Without a priority state MASTER means 255, and 255 has rules of its own."""

    def test_master_without_priority_owns_the_address(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("state MASTER\nnopreempt"))
        assert found.instance.keys() & {"state", "priority", "nopreempt"} == {"state"}
        assert found.errors == [f"5: {V}.nopreempt: has no effect with priority 255; it is left out"]

    def test_a_wrong_priority_is_100_with_state_master_too(self, tmp_path: Path) -> None:
        assert mapped(tmp_path, instance("state MASTER\npriority 300")).instance["priority"] == "100"

    def test_master_clears_what_keeps_it_from_preempting(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("state MASTER\npriority 100\nnopreempt\npreempt_delay 3"))
        assert found.instance.keys() & {"nopreempt", "preempt_delay"} == set()
        assert found.errors == [
            f"6: {V}.nopreempt: has no effect with state MASTER; it is left out",
            f"7: {V}.preempt_delay: has no effect with state MASTER, or priority 255 without a state; it is left out",
        ]

    def test_master_stays(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("state MASTER\nstate BACKUP\npriority 9"))
        assert found.instance["state"] == "MASTER"
        assert found.errors == [f"5: {V}.state: it is MASTER already; this is left out"]


class TestWhatIsMissing:
    def test_a_router_without_id_or_interface_is_left_out(self, tmp_path: Path) -> None:
        found = mapped(
            tmp_path, f"vrrp_instance V {{\ninterface eth0\n{VIP}}}\nvrrp_instance W {{\nvirtual_router_id 1\n{VIP}}}"
        )
        assert "vrrp_instances" not in found.tree
        assert found.errors == [
            "1: vrrp_instance.V: has no virtual_router_id; it is left out",
            "7: vrrp_instance.W: has no interface; it is left out",
        ]

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("lo", "the loopback interface reaches no other router; it is left out"),
            ("averyveryverylongname", '"averyveryverylongname" is not an interface name: 1 to 15 bytes'),
        ],
    )
    def test_an_interface_that_cannot_be(self, tmp_path: Path, name: str, message: str) -> None:
        found = mapped(tmp_path, f"vrrp_instance V {{\nvirtual_router_id 1\ninterface {name}\n{VIP}}}")
        assert found.errors[1].startswith(f"3: {V}.interface: {message}")
        assert "vrrp_instances" not in found.tree

    def test_it_runs_without_addresses(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\n}")
        assert found.instance == {"interface": "eth0", "virtual_router_id": "1"}
        assert found.errors == ["1: vrrp_instance.V: has no virtual_ipaddress; it runs without"]

    @pytest.mark.parametrize("name", ["", " V W"])
    def test_it_has_one_name(self, tmp_path: Path, name: str) -> None:
        found = mapped(tmp_path, f"vrrp_instance{name} {{\ninterface eth0\nvirtual_router_id 1\n{VIP}}}")
        assert found.tree == {}
        assert found.errors[0].endswith("must have a name, in one word or in quotes; it is left out")

    def test_the_second_of_a_name_is_left_out(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("priority 7") + instance("priority 8"))
        assert found.instance["priority"] == "7"
        assert found.errors == ['9: vrrp_instance: "V" stands in line 1 already; this one is left out']

    def test_two_routers_of_one_id_would_not_start(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("") + instance("", name="W"))
        assert list(found.tree["vrrp_instances"]) == ["V"]
        assert found.errors == ["9: vrrp_instance.W: VRID 51 on eth0 (IPv4) is taken by V; W is left out"]


class TestNames:
    @pytest.mark.parametrize(
        ("name", "called"), [('"V W"', "V W"), ('""', "_"), ("m\udcfcller", "müller"), ("x" * 200, "x" * 128)]
    )
    def test_any_word_is_one(self, tmp_path: Path, name: str, called: str) -> None:
        found = mapped(tmp_path, instance("", name=name))
        assert list(found.tree["vrrp_instances"]) == [called]
        assert found.status == 0


class TestAuthentication:
    def test_a_password_is_cut_to_eight_bytes(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("authentication {\nauth_type PASS\nauth_pass 123456789\n}"))
        assert found.instance["authentication"] == {"auth_type": "PASS", "auth_pass": "12345678"}
        assert found.errors == [f"6: {V}.authentication.auth_pass: is 9 bytes long; the first 8 are used"]

    @pytest.mark.parametrize(
        ("block", "error"),
        [
            ("auth_type PASS", "there is no auth_pass; it is left out"),
            ('auth_type PASS\nauth_pass ""', "there is no auth_pass; it is left out"),
            ("auth_type pass\nauth_pass 4321", "is neither PASS nor AH; it is left out"),
            ("auth_type PASS auth_pass 4321", "there is no auth_pass; it is left out"),
        ],
    )
    def test_without_both_of_them_there_is_none(self, tmp_path: Path, block: str, error: str) -> None:
        found = mapped(tmp_path, instance(f"authentication {{\n{block}\n}}"))
        assert "authentication" not in found.instance
        assert [each.rpartition(": ")[2] for each in found.errors] == [error]

    def test_without_a_type_keepalived_uses_no_password_and_says_nothing(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("authentication {\nauth_pass 4321\n}"))
        assert "authentication" not in found.instance
        assert found.errors == []
        assert found.advice == [
            f"4: {V}.authentication: there is no auth_type; the password is not used, as in keepalived"
        ]

    def test_blocks_count_together(self, tmp_path: Path) -> None:
        text = "authentication {\nauth_type PASS\n}\nauthentication {\nauth_pass 1\nauth_pass 2\n}"
        assert mapped(tmp_path, instance(text)).instance["authentication"] == {"auth_type": "PASS", "auth_pass": "2"}

    def test_version_3_has_none(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance(f"{AUTHENTICATION}\nversion 3"))
        assert "authentication" not in found.instance
        assert found.errors == [f"4: {V}.authentication: VRRPv3 has no authentication; it is left out"]

    @pytest.mark.parametrize(
        "lines",
        [
            "auth_type SECRET\nauth_pass SECRET2SECRET",
            "auth_pass SECRET SECRET SECRET",
            "SECRET SECRET",
            "auth_type PASS SECRET\nauth_pass {\nSECRET\n}",
            'auth_type "SECRET',
            "auth_type AH\nauth_pass SECRET",
        ],
    )
    def test_a_password_is_in_no_remark(self, tmp_path: Path, lines: str) -> None:
        found = mapped(tmp_path, instance(f"authentication SECRET {{\n{lines}\n}}"))
        assert found.errors or found.advice
        assert "SECRET" not in "".join([*found.errors, *found.advice])
        assert "SECRET" not in repr(found.root)


class TestStrictMode:
    def test_it_resets_what_it_forbids(self, tmp_path: Path) -> None:
        lines = f"""strict_mode
state MASTER
priority 100
preempt_delay 2
lower_prio_no_advert off
higher_prio_send_advert
garp_lower_prio_repeat 3
{AUTHENTICATION}"""
        found = mapped(tmp_path, instance(lines))
        assert found.instance == {
            "state": "BACKUP",
            "interface": "eth0",
            "virtual_router_id": "51",
            "priority": "100",
            "virtual_ipaddress": ["192.0.2.1"],
            "lower_prio_no_advert": "true",
            "garp_lower_prio_delay": "0",
            "garp_lower_prio_repeat": "0",
            "accept": "false",
        }
        assert len(found.errors) == 6

    @pytest.mark.parametrize(
        ("lines", "accepts", "errors"),
        [
            ("", False, 0),
            ("accept", False, 1),
            ("version 3\naccept", True, 0),
            ("priority 255", True, 0),
            ("priority 255\nno_accept", False, 0),
        ],
    )
    def test_only_the_owner_accepts_unless_version_3_says_so(
        self, tmp_path: Path, lines: str, accepts: bool, errors: int
    ) -> None:
        found = mapped(tmp_path, instance(f"strict_mode\n{lines}"))
        assert (found.instance.get("accept") != "false", len(found.errors)) == (accepts, errors)

    def test_ipv6_begins_with_a_link_local_address(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("strict_mode").replace("192.0.2.1", "2001:db8::1"))
        assert found.errors == [f"6: {V}: strict mode wants a link-local address first"]
        assert found.instance["virtual_ipaddress"] == ["2001:db8::1"]

    def test_adverts_come_from_the_virtual_mac(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("strict_mode\nuse_vmac\nvmac_xmit_base"))
        assert found.errors == [f"6: {V}.vmac_xmit_base: strict mode forbids it; it is left out"]

    def test_it_wants_an_address(self, tmp_path: Path) -> None:
        found = mapped(
            tmp_path, "global_defs {\nvrrp_strict\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 1\n}"
        )
        assert found.tree == {}
        assert found.errors == [f"4: {V}: has no virtual_ipaddress; it is left out, as it is strict"]


class TestWhatCannotBeDoneYet:
    """An instance that its peers would not hear or not believe is a second master: it is left out."""

    @pytest.mark.parametrize(
        ("lines", "error"),
        [
            (
                "authentication {\nauth_type AH\nauth_pass 1\n}",
                "auth_type: auth_type AH is not supported (RFC 3768 removed it)",
            ),
            (
                "auth_hmac {\nkey 1 abc\n}",
                "auth_hmac: signed adverts are not supported yet, and its peers would not believe it",
            ),
        ],
    )
    def test_it_is_left_out(self, tmp_path: Path, lines: str, error: str) -> None:
        found = mapped(tmp_path, instance(lines))
        assert "vrrp_instances" not in found.tree
        (said,) = found.errors
        assert said.endswith(f"{error}; V is left out")
        assert found.status == 5

    def test_ipv6_in_version_2(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("version 2").replace("192.0.2.1", "2001:db8::1"))
        assert "vrrp_instances" not in found.tree
        assert found.errors == [
            f"4: {V}.version: VRRPv2 has no IPv6, and its peers would not believe VRRPv3; V is left out"
        ]

    @pytest.mark.parametrize(
        "lines",
        [
            "use_vmac_addr",
            "garp_extra_if 5",
        ],
    )
    def test_what_does_no_harm_runs_without_and_is_said_once(self, tmp_path: Path, lines: str) -> None:
        found = mapped(tmp_path, instance(f"{lines}\n{lines}") + instance(lines, name="W").replace("51", "52"))
        assert list(found.tree["vrrp_instances"]) == ["V", "W"]
        assert found.errors == []
        assert len(found.advice) == 1
        assert ": not supported yet: " in found.advice[0]

    @pytest.mark.parametrize(
        "lines",
        [
            "debug 5",
            "kernel_rx_buf_size x",
            "linkbeat_use_polling",
            "lvs_sync_daemon_interface eth0",
            "garp_extra_if all",
            "vmac_xmit_base",
            "use_ipvlan",
            "use_vmac vrrp1 00:00:5e:00:01:33",
            "vrf red",
            "virtual_routes {\n192.0.2.0/24 via 192.0.2.1\n}",
            "virtual_rules {\nfrom 192.0.2.0/24 table 9\n}",
        ],
    )
    def test_a_wrong_value_is_an_error_all_the_same(self, tmp_path: Path, lines: str) -> None:
        assert mapped(tmp_path, instance(lines)).status == 5
