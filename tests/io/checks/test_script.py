"""Script checks: real programs, and what they leave behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shlex
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings, Command, ScriptProbe
from pyvrrp.identity import Identity, identity
from pyvrrp.io.checks import Check, make_check
from tests.io.checks.hung import hung
from tests.io.checks.running import Reports, found, run
from tests.waiting import until


def many_users() -> bool:
    """Whether this process is root, and not in a user namespace of its own, which has but one user."""
    return (
        os.geteuid() == 0
        and len(Path("/proc/self/uid_map").read_text().split()) == 3
        and "4294967295" in Path("/proc/self/uid_map").read_text()
    )


def sh(line: str) -> ScriptProbe:
    """A check that lets a shell do this."""
    return ScriptProbe(Command(("/bin/sh", "-c", line)))


def children() -> list[str]:
    """The command lines of our own children; a zombie's is empty."""
    mine = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread may end, and a child
            pids = (task / "children").read_text().split()
            mine += [Path("/proc", pid, "cmdline").read_text() for pid in pids]
    return mine


@pytest.fixture(autouse=True)
def _nothing_is_left() -> None:
    """No test begins with what another has left behind."""
    assert children() == []


@pytest.mark.parametrize(
    ("line", "ok", "detail"),
    [
        ("exit 0", True, "exited with status 0"),
        ("exit 1", False, "exited with status 1"),
        ("exit 2", False, "exited with status 2"),
        ("exit 255", False, "exited with status 255"),
        ("kill -9 $$", False, "due to signal 9"),
        ("kill -TERM $$", False, "due to signal 15"),
    ],
)
def test_the_status_decides(line: str, ok: bool, detail: str) -> None:
    result = found(sh(line))
    assert (result.ok, result.detail) == (ok, detail)
    assert children() == []


@pytest.mark.parametrize(("status", "ok"), [(0, True), (1, False), (2, True), (255, True)])
def test_only_one_fails_a_dynamic_check(status: int, ok: bool) -> None:
    assert found(ScriptProbe(Command(("/bin/sh", "-c", f"exit {status}")), dynamic=True)).ok is ok


def test_words_are_not_for_a_shell(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("/bin/sh", "-c", f'printf "%s|" "$@" > {shlex.quote(str(out))}', "sh", "a b", "$HOME", "*", ";", "")
    assert found(ScriptProbe(Command(words))).ok
    assert out.read_text() == "a b|$HOME|*|;||"


def told(public: Path, line: str, user: str = "", group: str = "") -> str:
    """What a script says of itself."""
    out = public / "out"
    result = found(ScriptProbe(Command(("/bin/sh", "-c", f"({line}) > {shlex.quote(str(out))}"), user, group)))
    assert result.ok, result.detail
    return out.read_text()


def test_it_has_no_terminal_no_descriptors_and_its_own_session(public: Path) -> None:
    with socket.socket() as ours:
        ours.set_inheritable(True)
        descriptors = told(public, "ls -l /proc/$$/fd | sed -n 's/.* \\([0-9]*\\) -> /\\1 /p'").splitlines()
    assert "0 /dev/null" in descriptors
    assert "1 /dev/null" in descriptors
    assert "2 /dev/null" in descriptors
    assert len(descriptors) == 3
    pid, group, session = told(public, "ps -o pid=,pgid=,sid= -p $$").split()
    assert pid == group == session
    assert int(session) != os.getsid(0)


def test_it_hears_signals_that_the_daemon_blocks(public: Path) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    try:
        assert told(public, "grep SigBlk /proc/self/status").split() == ["SigBlk:", "0" * 16]
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


def test_it_may_open_as_many_files_as_programs_expect() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    try:
        assert found(sh("until [ $(ulimit -n) -eq 1024 ]; do sleep 0.01; done")).ok
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.skipif(not many_users(), reason="only root may become another user")
@pytest.mark.parametrize(
    ("user", "group", "identity"),
    [
        ("", "", "0 0 0"),
        ("nobody", "", "65534 65534 65534"),
        ("65534", "daemon", "65534 1 1"),
        ("daemon", "65534", "1 65534 65534"),
    ],
)
def test_it_runs_as_a_user_and_a_group(public: Path, user: str, group: str, identity: str) -> None:
    assert told(public, "echo $(id -u) $(id -g) $(id -G)", user, group).split() == identity.split()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (Command(("/nonexistent/script",)), ": No such file or directory"),
        (Command(("/",)), ": Permission denied"),
        (Command(("/bin/true",), user="nobody-at-all"), ' as user nobody-at-all: there is no user "nobody-at-all"'),
        (Command(("/bin/true",), group="nobody-at-all"), ': there is no group "nobody-at-all"'),
        (Command(("/bin/true", "a\0b")), ": embedded null byte"),
    ],
)
def test_what_cannot_be_run(command: Command, reason: str) -> None:
    result = found(ScriptProbe(command))
    assert (result.ok, result.detail) == (False, f"cannot run {command}{reason}")
    assert children() == []


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("exit 0\n")
    assert found(ScriptProbe(Command((str(script),)))).detail == f"cannot run {script}: Permission denied"
    script.chmod(0o755)
    assert found(ScriptProbe(Command((str(script),)))).detail == f"cannot run {script}: Exec format error"


# --- what takes too long ----------------------------------------------------------------------------------------------


def timed_out(line: str, timeout: float = 0.3) -> CheckResult:
    """Run a script that does not end in time; when this returns all of it has ended."""
    began = time.monotonic()
    result = found(sh(line), timeout=timeout)
    assert (result.ok, result.detail) == (False, "timed_out")
    assert timeout <= result.took < 1
    assert children() == []
    assert time.monotonic() - began < 4
    return result


def test_a_script_that_hangs_is_asked_to_end(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    began = time.monotonic()
    timed_out(f"trap 'touch {heard}; exit 0' TERM; while :; do sleep 0.05; done")
    assert heard.exists()
    assert time.monotonic() - began < 1.5


def test_a_script_that_ignores_this_is_killed(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    began = time.monotonic()
    timed_out(f"trap 'touch {heard}' TERM; while :; do sleep 0.05; done")
    assert heard.exists()
    assert time.monotonic() - began >= 2


def pids_in(file: Path) -> list[int]:
    """The process numbers that a script has written down."""
    return [int(word) for word in file.read_text().split()]


def alive(pid: int) -> bool:
    """Whether this process runs; a zombie does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    out = tmp_path / "pids"
    timed_out(f"(trap '' TERM; sleep 60) & echo $! > {out}; sleep 60 & echo $! >> {out}; wait", timeout=0.5)
    pids = pids_in(out)
    assert len(pids) == 2
    assert until(lambda: not any(alive(pid) for pid in pids))


def test_what_it_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    out = tmp_path / "pids"
    result = found(sh(f"sleep 60 & echo $! > {out}; exit 0"))
    (pid,) = pids_in(out)
    try:
        assert result.ok
        assert result.took < 2
        assert alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def watch(test: Callable[[Check, Reports], Coroutine[None, None, None]], probe: ScriptProbe, **cadence: float) -> None:
    """`run` with these seconds."""
    run(test, CheckSettings("script", probe, **cadence))  # type: ignore[arg-type]


def test_runs_do_not_overlap(tmp_path: Path) -> None:
    out = tmp_path / "runs"

    async def test(_check: Check, reports: Reports) -> None:
        first, _ = await reports.next()
        second, _ = await reports.next()
        assert second - first >= 0.28

    watch(test, sh(f"echo begin >> {out}; sleep 0.3; echo end >> {out}"), interval=0.1, timeout=2)
    assert out.read_text().startswith("begin\nend\nbegin\n")


def test_none_begins_before_the_last_is_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "runs"

    async def test(_check: Check, reports: Reports) -> None:
        first, _ = await reports.next()
        second, _ = await reports.next()
        assert second - first >= 0.5

    monkeypatch.setattr("pyvrrp.io.checks.script.PATIENCE", 0.5)
    watch(test, sh(f"echo x >> {out}; trap '' TERM; while :; do sleep 0.05; done"), interval=0.1, timeout=0.1)
    assert out.read_text() == "x\nx\n"


async def there(file: Path) -> None:
    """Wait until a script has written something."""
    assert await asyncio.to_thread(until, lambda: file.exists() and file.read_text())


def test_a_check_that_is_stopped_ends_its_script(tmp_path: Path) -> None:
    heard = tmp_path / "heard"

    async def test(check: Check, reports: Reports) -> None:
        await there(heard)
        check.stop()
        assert reports.queue.empty()

    watch(
        test, sh(f"trap 'echo TERM >> {heard}; exit' TERM; echo > {heard}; while :; do sleep 0.05; done"), interval=60
    )
    assert heard.read_text() == "\nTERM\n"
    assert children() == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it is not waited for
def test_the_daemon_ends_without_waiting_for_a_script(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    probe = sh(f"trap '' TERM; echo $$ > {ready}; while :; do sleep 0.05; done")

    async def main() -> None:
        check = make_check(CheckSettings("script", probe, interval=60), lambda _: None)
        check.start()
        await there(ready)
        check.stop()
        await asyncio.sleep(0.1)

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < 2
    (pid,) = pids_in(ready)
    assert until(lambda: not alive(pid))
    os.waitpid(pid, 0)


# --- what hangs -------------------------------------------------------------------------------------------------------


@pytest.mark.lab
def test_a_script_on_a_file_system_that_hangs(tmp_path: Path) -> None:
    """Neither the loop nor another check waits for it."""

    async def test(_check: Check, reports: Reports) -> None:
        others = Reports()
        other = make_check(CheckSettings("other", sh("exit 0"), interval=0.05), others)
        other.start()
        latest = await slowest_turn(reports)
        other.stop()
        mount.close()
        assert latest < 0.2
        assert others.queue.qsize() > 3

    async def slowest_turn(reports: Reports) -> float:
        latest = 0.0
        while reports.queue.empty():
            before = time.monotonic()
            await asyncio.sleep(0.001)
            latest = max(latest, time.monotonic() - before)
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, "timed_out")
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, f"cannot run {script}: the run before still hangs")
        return latest

    place = tmp_path / "mnt"
    place.mkdir()
    script = place / "script"
    with contextlib.ExitStack() as mount:
        mount.enter_context(hung(place))
        watch(test, ScriptProbe(Command((str(script),))), interval=0.5, timeout=0.5)
    assert until(lambda: children() == [])


def test_a_script_that_comes_to_life_too_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it is the name service that hangs."""
    answer = threading.Event()

    def slow(user: str, group: str) -> Identity:
        answer.wait(10)
        return identity(user, group)

    async def test(_check: Check, reports: Reports) -> None:
        await reports.until(lambda result: result.detail == "timed_out")
        await reports.until(lambda result: result.detail.endswith(": the run before still hangs"))
        answer.set()
        await reports.until(lambda result: result.detail == "timed_out")

    monkeypatch.setattr("pyvrrp.program.identity", slow)
    monkeypatch.setattr("pyvrrp.io.checks.script.PATIENCE", 0.1)
    watch(test, sh("exec sleep 60"), interval=0.2, timeout=0.1)
    assert until(lambda: children() == [])
