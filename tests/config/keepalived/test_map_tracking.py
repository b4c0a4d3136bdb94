"""What is tracked: vrrp_script, track_file, vrrp_track_process, interfaces, and the lines that name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.keepalived.mapped import TRUE, Mapped, instance, mapped

SECURE = "global_defs {\nscript_user root\nenable_script_security\n}\n"
SCRIPT = f"vrrp_script s {{\nscript {TRUE}\nweight 5\n}}\n"
FILE = "track_file f {\nfile /run/drain\n}\n"
PROCESS = "vrrp_track_process p {\nprocess mysqld\n}\n"


def script(lines: str, program: str = TRUE) -> str:
    """A script that is tracked."""
    return instance("track_script {\ns\n}", f"{SECURE}vrrp_script s {{\nscript {program}\n{lines}\n}}\n")


def tracking(block: str, line: str, more: str = "") -> str:
    """An instance that tracks something with this line."""
    return instance(f"{more}\n{block} {{\n{line}\n}}", SECURE + SCRIPT + FILE + PROCESS)


class TestScript:
    def test_defaults(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, script(""))
        assert found.check == {
            "type": "script",
            "script": TRUE,
            "interval": "1",
            "timeout": "1",
            "fall": "1",
            "rise": "1",
        }
        assert found.instance["track_checks"] == ["s"]
        assert found.status == 0

    def test_in_full(self, tmp_path: Path) -> None:
        lines = "interval 3\ntimeout 2\nrise 4\nfall 5\nweight -20 reverse\nuser root root\ninit_fail"
        found = mapped(tmp_path, script(lines, f"\"{TRUE} a 'b c'\""))
        assert found.check == {
            "type": "script",
            "script": {"script": f"{TRUE} a 'b c'", "user": "root", "group": "root"},
            "interval": "3",
            "timeout": "2",
            "rise": "4",
            "fall": "5",
            "initial": "down",
        }
        assert found.instance["track_checks"] == [{"s": {"weight": "-20", "reverse": "true"}}]

    @pytest.mark.parametrize(
        ("lines", "keys", "error"),
        [
            ("interval 0", {"interval": "1"}, "interval: 0 is too little; 1 is used"),
            ("interval 1.5", {}, 'interval: "1.5" is not a whole number; 1 is used'),
            ("interval 4295", {}, "interval: 4295 is outside 0..4294; 1 is used"),
            ("interval 7", {"interval": "7", "timeout": "7"}, ""),
            ("timeout 0", {}, "timeout: 0 is too little; 1 is used"),
            ("rise 0", {}, "rise: 0 is outside 1..2147483647; 1 is used"),
            ("fall x", {}, 'fall: "x" is not a whole number; 1 is used'),
            ("weight 254", {}, "weight: 254 is outside -253..253; 0 is used"),
            ("weight 0 foo", {}, 'weight: "foo" is not reverse; it is left out'),
        ],
    )
    def test_numbers(self, tmp_path: Path, lines: str, keys: dict[str, str], error: str) -> None:
        found = mapped(tmp_path, script(lines))
        usual = {"type": "script", "script": TRUE, "interval": "1", "timeout": "1", "fall": "1", "rise": "1"}
        assert found.check == usual | keys
        assert [each.partition(".s.")[2] for each in found.errors] == ([error] if error else [])

    def test_a_program_is_found_in_path_as_keepalived_does(self, tmp_path: Path) -> None:
        assert mapped(tmp_path, script("", '"true x"')).check["script"].endswith("/true x")

    def test_words_behind_an_unquoted_program_count_for_nothing(self, tmp_path: Path) -> None:
        assert mapped(tmp_path, script("", f"{TRUE} a b")).check["script"] == TRUE

    def test_a_program_that_is_not_there_is_not_tracked(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, script("", "/nowhere/check.sh"))
        assert "track_checks" not in found.instance
        assert "checks" not in found.tree
        assert found.errors == [
            "6: vrrp_script.s.script: /nowhere/check.sh: No such file or directory; the script is left out"
        ]
        assert found.advice == ['13: vrrp_instance.V.track_script: "s" is left out, so it is not tracked']

    def test_nor_is_one_whose_user_is_not_there(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, script("user nosuchuser"))
        assert "track_checks" not in found.instance
        assert found.errors == ['6: vrrp_script.s.script: there is no user "nosuchuser"; the script is left out']

    def test_a_connection_in_the_words_of_bash_is_a_tcp_check(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, script("fall 3", '"</dev/tcp/127.0.0.1/3306"'))
        assert found.check == {
            "type": "tcp",
            "host": "127.0.0.1",
            "port": "3306",
            "interval": "1",
            "timeout": "1",
            "fall": "3",
            "rise": "1",
        }
        assert found.advice == [
            "6: vrrp_script.s.script: a TCP connection to port 3306 is tried, as bash would; no shell runs"
        ]

    @pytest.mark.parametrize("text", ["</dev/tcp/db.example/3306", "</dev/udp/192.0.2.1/53"])
    def test_other_redirections_are_left_to_a_shell(self, tmp_path: Path, text: str) -> None:
        assert mapped(tmp_path, script("", f'"{text}"')).check["script"].endswith(f"/bin/sh -c '{text}'")

    def test_without_script_security_the_status_is_6_and_it_is_said_once(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("priority 300\ntrack_script {\ns\n}\n" + f"notify {TRUE}", SCRIPT))
        assert found.status == 6
        assert found.errors == [
            "2: vrrp_script.s: scripts are run, and enable_script_security is not set in global_defs",
            "8: vrrp_instance.V.priority: 300 is outside 1..255; 100 is used",
        ]

    def test_script_security_wants_somebody_who_runs_them(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance(f"notify {TRUE}", "global_defs {\nenable_script_security\n}\n"))
        assert "notify" not in found.instance
        assert found.errors[0].startswith("7: vrrp_instance.V.notify: there is no user keepalived_script")


class TestFile:
    def test_a_file(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("track_file {\nf\n}", FILE))
        assert found.tree["checks"] == {"file/f": {"type": "file", "file": "/run/drain"}}
        assert found.instance["track_checks"] == [{"file/f": {"weight": "1"}}]

    @pytest.mark.parametrize(
        ("lines", "error"),
        [
            ("file /b", "file: there is a file already; this is left out"),
            ("weight 255", "weight: 255 is outside -254..254; 1 is used"),
            ("init_file x", 'init_file: "x" is neither a number nor overwrite'),
        ],
    )
    def test_what_is_wrong_with_one(self, tmp_path: Path, lines: str, error: str) -> None:
        text = instance("track_file {\nf\n}", f"vrrp_track_file f {{\nfile /a\n{lines}\n}}\n")
        found = mapped(tmp_path, text)
        assert found.check["file"] == "/a"
        assert [each.partition(".f.")[2] for each in found.errors] == [error]

    def test_one_without_a_file_cannot_be_tracked(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance("track_file {\nf\n}", "track_file f {\n}\n"))
        assert "track_checks" not in found.instance
        assert found.errors == ["1: track_file.f: names no file; it is left out"]


class TestProcess:
    def check(self, tmp_path: Path, lines: str) -> tuple[Any, Mapped]:
        """What differs from a check with defaults."""
        text = f'vrrp_track_process p {{\nprocess mysqld a "b c"\n{lines}\n}}\n'
        found = mapped(tmp_path, instance("track_process {\np\n}", text))
        usual = {"type": "process", "process": "mysqld", "arguments": "a 'b c'", "interval": "1", "fall": "1"}
        return {key: value for key, value in found.check.items() if value != usual.get(key)}, found

    @pytest.mark.parametrize(
        ("lines", "keys"),
        [
            ("", {}),
            ("quorum 2\nquorum_max 3", {"quorum": "2", "quorum_max": "3"}),
            ("full_command", {"full_command": "true"}),
            ("delay 2.5", {"rise": "4", "fall": "4"}),
            ("fork_delay 1", {"rise": "2"}),
            ("terminate_delay 3", {"fall": "4"}),
            ("weight 5", {}),
        ],
    )
    def test_values(self, tmp_path: Path, lines: str, keys: dict[str, str]) -> None:
        differing, found = self.check(tmp_path, lines)
        assert differing == keys
        assert found.errors == []

    @pytest.mark.parametrize(
        ("lines", "error"),
        [
            ("process x", "process: there is a process already; this is left out"),
            ("quorum 0", "quorum: 0 is outside 1..65535; 1 is used"),
            ("quorum_max x", 'quorum_max: "x" is not a whole number; any number is used'),
            ("delay 0", "delay: 0 is outside 0.000001..3600; 0 is used"),
            ("param_match foo", 'param_match: "foo" is not initial or partial; it is left out'),
            ("weight 255", "weight: 255 is outside -254..254; 0 is used"),
        ],
    )
    def test_what_is_wrong(self, tmp_path: Path, lines: str, error: str) -> None:
        differing, found = self.check(tmp_path, lines)
        assert differing == {}
        assert [each.partition(".p.")[2] for each in found.errors] == [error]

    def test_a_quorum_max_below_the_quorum_is_left_out(self, tmp_path: Path) -> None:
        differing, found = self.check(tmp_path, "quorum 3\nquorum_max 2")
        assert differing == {"quorum": "3"}
        assert found.errors == ["1: vrrp_track_process.p: quorum_max is less than quorum; it is left out"]

    def test_none_may_run(self, tmp_path: Path) -> None:
        """keepalived's quorum_max 0: our check passes where its fails, so it is tracked the other way round."""
        _, found = self.check(tmp_path, "quorum_max 0")
        assert found.instance["track_checks"] == [{"process/p": {"reverse": "true"}}]

    def test_arguments_of_which_a_part_would_do_are_not_compared(self, tmp_path: Path) -> None:
        _, found = self.check(tmp_path, "param_match partial")
        assert "arguments" not in found.check

    def test_it_must_name_one(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, "vrrp_track_process p {\nquorum 2\n}\n")
        assert found.errors == ["1: vrrp_track_process.p: names no process; it is left out"]


# block, line → what is tracked (None: nothing), the end of the error
LINES: list[tuple[str, str, Any, str]] = [
    ("track_script", "s", {"s": {"weight": "5"}}, ""),
    ("track_script", "s weight 0", "s", ""),
    ("track_script", "s weight 10 reverse", {"s": {"weight": "10", "reverse": "true"}}, ""),
    ("track_script", "s weight 10 noreverse", {"s": {"weight": "10"}}, ""),
    ("track_script", "s weight 254", {"s": {"weight": "253"}}, "254 is outside -253..253; 253 is used"),
    ("track_script", "s weight 300", {"s": {"weight": "5"}}, "300 is outside -254..254; 5 is used"),
    ("track_script", "s weight 10 foo", {"s": {"weight": "10"}}, '"foo" is not an option; it is left out'),
    ("track_script", "s weight", None, "weight needs a value; s is not tracked"),
    ("track_script", "s foo", None, '"foo" is not an option; s is not tracked'),
    ("track_script", "x", None, 'there is no "x" above this line; it is not tracked'),
    ("track_script", "s\ns weight 9", {"s": {"weight": "5"}}, "s stands there already; this is left out"),
    ("track_file", "f weight 254", {"file/f": {"weight": "254"}}, ""),
    ("track_file", "f weight 255", {"file/f": {"weight": "1"}}, "255 is outside -254..254; 1 is used"),
    ("track_file", "f weight 5 foo", None, '"foo" is not an option; it is left out'),
    ("track_process", "p", "process/p", ""),
    ("track_process", "p weight 5", {"process/p": {"weight": "5"}}, ""),
    ("track_interface", "eth1", "interface/eth1", ""),
    ("track_interface", "eth1 weight 5 reverse", {"interface/eth1": {"weight": "5", "reverse": "true"}}, ""),
    (
        "track_interface",
        "eth1 weight 5 noreverse",
        {"interface/eth1": {"weight": "5"}},
        '"noreverse" is not an option; it is left out',
    ),
    ("track_interface", "eth1 weight 300", "interface/eth1", "300 is outside -254..254; 0 is used"),
    ("track_interface", "eth0", None, "the instance's own interface is tracked anyway; this is left out"),
    ("track_bfd", "x", None, 'there is no "x" above this line; it is not tracked'),
]


@pytest.mark.parametrize(("block", "line", "item", "error"), LINES)
def test_a_line(tmp_path: Path, block: str, line: str, item: Any, error: str) -> None:
    found = mapped(tmp_path, tracking(block, line))
    assert found.instance.get("track_checks", []) == ([] if item is None else [item])
    assert [each.partition(": ")[2] for each in found.errors] == (
        [f"vrrp_instance.V.{block}: {error}"] if error else []
    )


def test_an_interface_becomes_a_check(tmp_path: Path) -> None:
    found = mapped(tmp_path, tracking("track_interface", "eth1\neth2 weight 5"))
    assert found.tree["checks"] == {
        "interface/eth1": {"type": "interface", "interface": "eth1"},
        "interface/eth2": {"type": "interface", "interface": "eth2"},
    }


def test_the_loopback_interface_is_always_up(tmp_path: Path) -> None:
    found = mapped(tmp_path, tracking("track_interface", "lo"))
    assert "track_checks" not in found.instance
    assert found.status == 0


def test_what_stands_below_is_not_known(tmp_path: Path) -> None:
    found = mapped(tmp_path, SECURE + instance("track_script {\ns\n}") + SCRIPT)
    assert found.errors == ['9: vrrp_instance.V.track_script: there is no "s" above this line; it is not tracked']


def test_the_first_of_a_name_counts(tmp_path: Path) -> None:
    second = f"vrrp_script s {{\nscript {TRUE}\ninterval 9\n}}\n"
    found = mapped(tmp_path, instance("track_script {\ns\n}", SECURE + SCRIPT + second))
    assert found.check["interval"] == "1"
    assert found.status == 0


def test_what_nobody_tracks_does_not_run(tmp_path: Path) -> None:
    found = mapped(tmp_path, instance("", SECURE + SCRIPT))
    assert "checks" not in found.tree
    assert found.advice == ["5: checks.s: nothing tracks it, so it does not run"]


def test_an_owner_of_its_addresses_has_no_weights(tmp_path: Path) -> None:
    entries = {"script": "s", "file": "f", "process": "p weight 3", "interface": "eth1 weight 9"}
    blocks = "\n".join(f"track_{kind} {{\n{entry}\n}}" for kind, entry in entries.items())
    found = mapped(tmp_path, instance(f"priority 255\n{blocks}", SECURE + SCRIPT + FILE + PROCESS))
    assert found.instance["track_checks"] == ["file/f", {"process/p": {"weight": "3"}}]
    assert [each.rpartition(": ")[2] for each in found.errors] == [
        "priority 255 has no weights; s is not tracked",
        "priority 255 has no weights; 0 is used",
        "priority 255 has no weights; eth1 is not tracked",
    ]


class TestGroup:
    """vrrp_sync_group, and what it does to its members."""

    MEMBERS = "group {\nV\nW\n}\n"

    def text(self, lines: str, first: str = "", second: str = "") -> str:
        members = instance(first) + instance(second, name="W").replace("eth0", "eth1")
        return f"{SECURE}{SCRIPT}{FILE}{PROCESS}vrrp_sync_group G {{\n{lines}\n}}\n{members}"

    def test_in_full(self, tmp_path: Path) -> None:
        lines = (
            f"{self.MEMBERS}track_script {{\ns weight -10\n}}\nnotify '{TRUE} x'\nnotify_master {TRUE} root\nsmtp_alert"
        )
        found = mapped(tmp_path, self.text(lines))
        assert found.tree["vrrp_sync_groups"] == {
            "G": {
                "group": ["V", "W"],
                "notify": f"{TRUE} x",
                "notify_master": {"script": TRUE, "user": "root"},
                "smtp_alert": "true",
                "track_checks": [{"s": {"weight": "-10"}}],
            }
        }
        assert found.status == 0

    @pytest.mark.parametrize(
        ("lines", "members", "errors"),
        [
            ("group {\nV W\n}", ["V", "W"], []),
            ("group {\nV\nX\nW\n}", ["V", "W"], ["there is no vrrp_instance X; it is left out"]),
            ("group {\nV\nV\nW\n}", ["V", "W"], ["V is in group G already; it is left out"]),
            ("group {\nV\n}", ["V"], ["has a single instance, that is of no use"]),
            ("group {\n}", None, ["has no instances; it is left out", "is empty"]),
            ("", None, ["has no instances; it is left out"]),
            ("group {\nV\nW\n}\ngroup {\nV\n}", ["V", "W"], ["stands in line 16 already; this is left out"]),
        ],
    )
    def test_members(self, tmp_path: Path, lines: str, members: list[str] | None, errors: list[str]) -> None:
        found = mapped(tmp_path, self.text(lines))
        group = found.tree.get("vrrp_sync_groups", {}).get("G")
        assert (group and group["group"]) == members
        assert [each.rpartition(": ")[2] for each in found.errors] == errors

    def test_an_instance_is_in_one_group(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, f"vrrp_sync_group F {{\ngroup {{\nV\nW\n}}\n}}\n{self.text(self.MEMBERS)}")
        assert list(found.tree["vrrp_sync_groups"]) == ["F"]
        assert len(found.errors) == 3

    @pytest.mark.parametrize("name", ["", " G H"])
    def test_it_has_one_name(self, tmp_path: Path, name: str) -> None:
        assert mapped(tmp_path, f"vrrp_sync_group{name} {{\n{self.MEMBERS}}}").status == 5

    TRACKING = (
        "track_script {\ns\n}\ntrack_file {\nf\n}\ntrack_process {\np weight 3\n}\ntrack_interface {\neth2 weight 9\n}"
    )

    def test_members_have_no_weights(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, self.text(self.MEMBERS, self.TRACKING))
        tracked = found.tree["vrrp_instances"]["V"]["track_checks"]
        assert tracked == ["file/f", {"process/p": {"weight": "3"}}, "interface/eth2"]
        assert [each.rpartition(": ")[2] for each in found.errors] == [
            "members of a group have no weights; s is not tracked",
            "members of a group have no weights; 0 is used",
            "members of a group have no weights; 0 is used",
        ]

    def test_but_where_the_group_wants_them(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, self.text(f"{self.MEMBERS}sync_group_tracking_weight", self.TRACKING))
        assert {"s": {"weight": "5"}} in found.tree["vrrp_instances"]["V"]["track_checks"]
        assert found.errors == []

    def test_an_owner_among_them_takes_the_group_s_weights(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, self.text(f"{self.MEMBERS}track_script {{\ns\n}}", "priority 255"))
        assert found.tree["vrrp_sync_groups"]["G"]["track_checks"] == ["s"]
        assert found.status == 5

    def test_one_of_two_places_is_enough_for_an_interface(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, self.text(f"{self.MEMBERS}track_interface {{\neth0\neth2\n}}", self.TRACKING))
        said = [each.rpartition(": ")[2] for each in found.errors]
        assert "group G tracks eth2, too; one of the two is enough" in said
        assert "group G tracks eth0, as it does" in said


class TestNotify:
    @pytest.mark.parametrize(
        ("line", "command"),
        [
            (f"notify {TRUE}", TRUE),
            (f"notify_master \"{TRUE} a 'b c'\"", f"{TRUE} a 'b c'"),
            (f"notify_backup {TRUE} root", {"script": TRUE, "user": "root"}),
            (f"notify_fault {TRUE} root root", {"script": TRUE, "user": "root", "group": "root"}),
            (f"notify_stop '{TRUE} x'", f"{TRUE} x"),
            (f"notify_deleted {TRUE}", TRUE),
            (f"notify_master_rx_lower_pri {TRUE}", TRUE),
        ],
    )
    def test_a_script(self, tmp_path: Path, line: str, command: Any) -> None:
        found = mapped(tmp_path, instance(line, SECURE))
        assert found.instance[line.partition(" ")[0]] == command
        assert (found.errors, found.advice) == ([], [])

    @pytest.mark.parametrize(
        ("line", "advice"),
        [
            (f"notify {TRUE} nosuchuser", 'there is no user "nosuchuser"; the script is left out'),
            (f"notify {TRUE} root nosuchgroup", 'there is no group "nosuchgroup"; the script is left out'),
            ("notify /nowhere/x", "/nowhere/x: No such file or directory; the script is left out"),
            ("notify /", "/ is not a file; the script is left out"),
            ('notify ""', "names no program; it is left out"),
        ],
    )
    def test_one_that_is_left_out_in_silence_there_is_named_here(self, tmp_path: Path, line: str, advice: str) -> None:
        found = mapped(tmp_path, instance(line, SECURE))
        assert "notify" not in found.instance
        assert found.advice == [f"8: vrrp_instance.V.notify: {advice}"]
        assert found.status == 0

    def test_the_first_one_counts_whether_it_can_run_or_not(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, instance(f"notify /nowhere/x\nnotify {TRUE}", SECURE))
        assert "notify" not in found.instance
        assert found.errors == ["9: vrrp_instance.V.notify: stands in line 8 already; this is left out"]

    def test_notify_deleted_may_stand_alone(self, tmp_path: Path) -> None:
        assert mapped(tmp_path, instance("notify_deleted", SECURE)).status == 0
