"""Which scripts run, by keepalived's rules, and keepalived itself asked for the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyvrrp.config.script_security import Finding, Verdict, default_user, examine
from pyvrrp.identity import exists
from tests.netns import Namespace, available
from tests.users import in_groups, may_switch_users

ROOT, NOBODY = (0, 0), (65534, 65534)
OTHERS = 1  # the group daemon and the user daemon, with neither of which anybody runs something here

pytestmark = pytest.mark.skipif(not may_switch_users(), reason="only root can give files away")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that only root can change and everybody can enter."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        path.chmod(0o755)
        yield path


def put(path: Path, mode: int = 0o755, uid: int = 0, gid: int = 0) -> str:
    """A script there."""
    path.write_text("#!/bin/sh\n")
    return own(path, mode, uid, gid)


def own(path: Path, mode: int = 0o755, uid: int = 0, gid: int = 0) -> str:
    """Set owner and mode."""
    os.chown(path, uid, gid)
    path.chmod(mode)
    return str(path)


def in_directory(path: Path, mode: int = 0o755, uid: int = 0, gid: int = 0) -> str:
    """A script in a directory of its own, two levels below one that is as described."""
    (path / "below").mkdir(parents=True)
    own(path, mode, uid, gid)
    return put(path / "below/script")


def say(verdict: Verdict, place: Path) -> str:
    return verdict.sentence.replace(str(place), "…")


# --- the rules -------------------------------------------------------------------------------------------------------


def test_a_safe_script_runs_as_anybody(place: Path) -> None:
    program = put(place / "script")
    for who in (ROOT, NOBODY):
        for enabled in (True, False):
            assert examine(program, *who, enabled) == Verdict(program, Finding.NOTHING, enabled)


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "sentence"),
    [
        (0o775, 0, OTHERS, "… is writable by group daemon (root:daemon, mode 0775)"),
        (0o757, 0, 0, "… is writable by everybody (root:root, mode 0757)"),
        (0o755, OTHERS, 0, "… belongs to user daemon (daemon:root, mode 0755)"),
        (0o555, OTHERS, OTHERS, "… belongs to user daemon (daemon:daemon, mode 0555)"),
        (0o755, 4242424, 0, "… belongs to user 4242424 (4242424:root, mode 0755)"),
        (0o775, 0, 0, ""),
    ],
)
def test_what_others_could_change_is_named(place: Path, mode: int, uid: int, gid: int, sentence: str) -> None:
    file = put(place / "script", mode, uid, gid)
    inside = in_directory(place / "directory", mode, uid, gid)
    for program, culprit in ((file, file), (inside, str(place / "directory"))):
        verdict = examine(program, *ROOT, enabled=True)
        assert verdict.sentence == sentence.replace("…", culprit)
        assert verdict.runs is (not sentence)
        assert examine(program, *ROOT, enabled=False).runs
        assert examine(program, *NOBODY, enabled=True) == Verdict(program, Finding.NOTHING, True)


def test_a_directory_with_the_sticky_bit_can_be_written_to(place: Path) -> None:
    assert examine(in_directory(place / "sticky", 0o1777), *ROOT, enabled=True).runs
    assert examine(in_directory(place / "group", 0o1775, 0, OTHERS), *ROOT, enabled=True).runs
    assert not examine(in_directory(place / "owned", 0o1755, OTHERS, 0), *ROOT, enabled=True).runs
    assert not examine(put(place / "file", 0o1777), *ROOT, enabled=True).runs


@pytest.mark.parametrize("who", [(0, OTHERS), (65534, 0)])
def test_root_s_group_counts_as_root(place: Path, who: tuple[int, int]) -> None:
    assert not examine(put(place / "script", 0o775, 0, OTHERS), *who, enabled=True).runs


@pytest.mark.parametrize("mode", [0o4775, 0o2775])
def test_a_program_that_becomes_its_owner_counts_as_root(place: Path, mode: int) -> None:
    assert not examine(put(place / "script", mode, 0, OTHERS), *NOBODY, enabled=True).runs
    assert examine(put(place / "safe", mode & 0o7755), *NOBODY, enabled=True).runs


# --- what is not there, or cannot be run -----------------------------------------------------------------------------


@pytest.mark.parametrize("enabled", [True, False])
def test_what_cannot_be_run(place: Path, enabled: bool) -> None:
    closed = in_directory(place / "closed", 0o700)
    (place / "loop").symlink_to("loop")
    for program, who, finding, sentence in (
        (place / "none", ROOT, Finding.NOT_FOUND, "…/none: No such file or directory"),
        (place / "loop", ROOT, Finding.NOT_FOUND, "…/loop: Too many levels of symbolic links"),
        ("no-such-program", ROOT, Finding.NOT_FOUND, "no-such-program: not found in PATH"),
        ("", ROOT, Finding.NOT_FOUND, ": not found in PATH"),
        ("/x\0", ROOT, Finding.NOT_FOUND, "/x\0: embedded null byte"),
        (closed, NOBODY, Finding.NOT_FOUND, "…/closed/below/script: Permission denied"),
        (place, ROOT, Finding.NOT_A_FILE, "… is not a file"),
        (
            put(place / "plain", 0o644),
            ROOT,
            Finding.NOT_EXECUTABLE,
            "…/plain is not executable for user root, group root",
        ),
        (
            put(place / "mine", 0o744),
            NOBODY,
            Finding.NOT_EXECUTABLE,
            "…/mine is not executable for user nobody, group nogroup",
        ),
    ):
        verdict = examine(str(program), *who, enabled)
        assert (verdict.finding, say(verdict, place)) == (finding, sentence)
        assert not verdict.runs


def test_only_the_named_group_counts(place: Path) -> None:
    program = put(place / "script", 0o754, 0, OTHERS)
    assert examine(program, 65534, OTHERS, enabled=True).runs
    assert not examine(program, *NOBODY, enabled=True).runs


def test_looking_leaves_this_process_as_it_was(place: Path) -> None:
    with in_groups(0, 4):
        examine(put(place / "script"), *NOBODY, enabled=True)
        assert (os.geteuid(), os.getegid(), os.getgroups()) == (0, 0, [0, 4])


# --- where it is -----------------------------------------------------------------------------------------------------


def test_links_are_resolved_and_what_they_lead_to_is_judged(place: Path) -> None:
    unsafe = in_directory(place / "unsafe", 0o777)
    (place / "link").symlink_to(unsafe)
    verdict = examine(f"{place}/link", *ROOT, enabled=True)
    assert (verdict.program, verdict.runs) == (unsafe, False)
    assert say(verdict, place) == "…/unsafe is writable by everybody (root:root, mode 0777)"
    safe = put(place / "safe")
    (place / "unsafe/link").symlink_to(safe)
    verdict = examine(f"{place}/unsafe/link", *ROOT, enabled=True)
    assert (verdict.program, verdict.runs) == (safe, True)


def test_another_name_in_the_same_directory_stays(place: Path) -> None:
    put(place / "script")
    (place / "notify-master").symlink_to("script")
    (place / "directory").symlink_to(".")
    assert examine(f"{place}/directory/notify-master", *ROOT, enabled=True).program == f"{place}/notify-master"


def test_a_bare_name_is_looked_up_in_path() -> None:
    assert examine("true", *ROOT, enabled=True).program == "/usr/bin/true"


def test_the_default_user() -> None:
    assert default_user() == ("keepalived_script" if exists("keepalived_script") else "")


# --- keepalived itself -----------------------------------------------------------------------------------------------

CONFIGURATION = """
global_defs {{
    script_user root
    {enable}
}}
{check}
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {{
        192.0.2.1
    }}
    {notify}
}}
"""


@dataclass(frozen=True)
class Keepalived:
    """The real one's `-t`, in a host of its own, as process 1: else 2.2.7 ends itself when it looks as another user."""

    host: Namespace
    place: Path

    def exit_status(self, program: str, who: tuple[int, int], *, enabled: bool, tracked: bool) -> int:
        user = "root root" if who == ROOT else "nobody nogroup"
        text = CONFIGURATION.format(
            enable="enable_script_security" if enabled else "",
            check=f"vrrp_script checked {{\n script {program}\n user {user}\n}}" if tracked else "",
            notify="" if tracked else f"notify_master {program} {user}",
        )
        file = self.place / "keepalived.conf"
        file.write_text(text)
        command = "mount -t tmpfs none /run; exec keepalived -t -f"
        with self.host.inside():
            return subprocess.run(
                ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", f"{command} {file}"],
                capture_output=True,
                check=False,
                timeout=20,
            ).returncode


@pytest.fixture
def keepalived() -> Iterator[Keepalived]:
    if not shutil.which("keepalived") or not available():
        pytest.skip("needs keepalived and network namespaces")
    with Namespace() as host, tempfile.TemporaryDirectory() as directory:
        host.ip("link add eth0 type veth peer name far")
        yield Keepalived(host, Path(directory))


@pytest.mark.lab
def test_keepalived_has_the_same_exit_status(place: Path, keepalived: Keepalived) -> None:
    programs = {
        "safe": put(place / "safe"),
        "writable": put(place / "writable", 0o775, 0, OTHERS),
        "in a writable directory": in_directory(place / "open", 0o777),
        "missing": f"{place}/missing",
        "unreachable": in_directory(place / "closed", 0o700),
        "not executable": put(place / "plain", 0o644),
    }
    cases = [
        (name, who, enabled, tracked)
        for name in programs
        for who in (ROOT, NOBODY)
        for enabled in (True, False)
        for tracked in (True, False)
    ]
    # What an ordinary user's script is keepalived only finds out when it runs it.
    programs["a directory"] = str(place)
    cases += [("a directory", ROOT, enabled, tracked) for enabled in (True, False) for tracked in (True, False)]
    for name, who, enabled, tracked in cases:
        ours = examine(programs[name], *who, enabled).exit_status(tracked=tracked)
        theirs = keepalived.exit_status(programs[name], who, enabled=enabled, tracked=tracked)
        assert (name, who, enabled, tracked, ours) == (name, who, enabled, tracked, theirs)
