"""Scripts that are told of changes, with real processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import pytest

from pyvrrp.core.effects import Level
from pyvrrp.core.settings import Command
from pyvrrp.io import scripts
from pyvrrp.io.scripts import ScriptQueue
from pyvrrp.program import Program
from tests.io.checks.hung import hung
from tests.users import in_groups, may_switch_users
from tests.waiting import until


class Place:
    """A directory with scripts in it that write to one file, `said`, and what the queue reports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reports: list[tuple[Level, str]] = []

    def report(self, level: Level, text: str) -> None:
        self.reports.append((level, text))

    def script(self, name: str, text: str, user: str = "", group: str = "") -> Command:
        """A shell script that can say things with `say`, and wait for a file with `await`."""
        path = self.path / name
        path.write_text(
            f"#!/bin/sh\ncd {self.path}\n"
            'say() { echo "$*" >>said; }\n'
            "await() { until [ -e $1 ]; do sleep 0.01; done; }\n"
            f"{text}\n"
        )
        path.chmod(0o755)
        return Command((str(path),), user, group)

    @property
    def said(self) -> list[str]:
        path = self.path / "said"
        return path.read_text().splitlines() if path.exists() else []

    def reported(self, level: Level) -> list[str]:
        return [text.replace(f"{self.path}/", "") for each, text in self.reports if each is level]

    def run(self, test: Callable[[ScriptQueue], Coroutine[None, None, None]], limit: float = 60.0) -> None:
        """Run `test` with a queue, to the end of everything that it put in."""

        async def main() -> None:
            queue = ScriptQueue(limit, self.report)
            await test(queue)
            async with asyncio.timeout(20):
                await queue.drain(5)

        asyncio.run(main())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def happened(condition: Callable[[], object]) -> None:
    """Wait in the loop until `condition` is true."""
    assert await asyncio.to_thread(until, condition)


def words(command: Command, *more: str) -> Command:
    return Command((*command.words, *more), command.user, command.group)


# --- in which order --------------------------------------------------------------------------------------------------


def test_one_subject_hears_everything_in_order(place: Place) -> None:
    slow, quick = place.script("slow", "sleep 0.1; say $1"), place.script("quick", "say $1")

    async def test(queue: ScriptQueue) -> None:
        for number, command in enumerate((slow, quick, slow, quick, quick)):
            queue.put("INSTANCE VI_1", words(command, str(number)))

    place.run(test)
    assert place.said == ["0", "1", "2", "3", "4"]


def test_subjects_do_not_wait_for_each_other(place: Place) -> None:
    first, second = place.script("first", "await flag; say first"), place.script("second", "say second; touch flag")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", first)
        queue.put("INSTANCE VI_2", second)

    place.run(test)
    assert place.said == ["second", "first"]


def test_so_many_run_at_once_and_no_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "AT_ONCE", 2)
    command = place.script("count", "touch run.$$; ls run.* | wc -l >>said; sleep 0.05; rm run.$$")

    async def test(queue: ScriptQueue) -> None:
        for number in range(6):
            queue.put(f"INSTANCE VI_{number}", command)

    place.run(test)
    assert len(place.said) == 6
    assert {int(each) for each in place.said} <= {1, 2}


def test_a_queue_behind_a_hanging_script_keeps_the_newest(place: Place) -> None:
    hanging, quick = place.script("hanging", "await flag; say hanging"), place.script("quick", "say $1")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", hanging)
        await happened(lambda: queue._clocks)
        for number in range(scripts.WAITING + 2):
            queue.put("INSTANCE VI_1", words(quick, str(number)))
        (place.path / "flag").touch()

    place.run(test)
    assert place.said == ["hanging", *(str(number) for number in range(2, scripts.WAITING + 2))]
    assert place.reported(Level.WARNING) == [
        f"quick {number} was left out: 16 scripts of INSTANCE VI_1 wait for one that runs" for number in range(2)
    ]


# --- what it gets ----------------------------------------------------------------------------------------------------


def test_there_is_no_shell(place: Place) -> None:
    command = words(place.script("echo", 'for each; do say "$each"; done'), "$(touch gone)", "a  b", "*", "")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", command)

    place.run(test)
    assert place.said == ["$(touch gone)", "a  b", "*", ""]
    assert not (place.path / "gone").exists()


def test_the_environment_comes_on_top(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "kept")
    monkeypatch.setenv("STATE", "replaced")
    command = place.script("env", "say $OURS $STATE")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", command, (("STATE", "MASTER"),))

    place.run(test)
    assert place.said == ["kept MASTER"]


@pytest.fixture
def blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.mark.usefixtures("blocked")
def test_it_hears_signals_that_the_daemon_does_not(place: Place) -> None:
    # A shell would hide it: it starts with no signal blocked whatever it was given.
    copy = Command(("/bin/cp", "/proc/self/status", str(place.path / "status")))

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", copy)

    place.run(test)
    status = (place.path / "status").read_text()
    assert re.findall(r"Sig(?:Blk|Ign):\t(\w+)", status) == ["0" * 16] * 2
    assert signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_it_starts_with_clean_hands(place: Place) -> None:
    command = place.script(
        "show",
        "say session $(cut -d' ' -f5,6 /proc/$$/stat | sed s/$$/own/g)\n"
        "for each in 0 1 2; do say $each $(readlink /proc/$$/fd/$each); done\n"
        "ls -l /proc/$$/fd >descriptors\n"
        "until [ $(ulimit -Sn) = 1024 ]; do sleep 0.01; done\n"
        "say limited",
    )

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", command)

    descriptor = os.open(place.path, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    place.run(test)
    os.close(descriptor)
    assert place.said == [
        "session own own",
        "0 /dev/null",
        "1 /dev/null",
        "2 /dev/null",
        "limited",
    ]
    assert not re.search(f"-> {place.path}$", (place.path / "descriptors").read_text(), re.MULTILINE)


@pytest.mark.skipif(not may_switch_users(), reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("user", "group", "expected"),
    [
        ("nobody", "", "65534 65534 65534"),
        ("nobody", "daemon", "65534 1 1"),
        ("65534", "1", "65534 1 1"),
        ("", "daemon", "0 1 1"),
    ],
)
def test_it_runs_as_somebody_else(user: str, group: str, expected: str, public: Path) -> None:
    place = Place(public)
    command = place.script("id", "say $(id -u) $(id -g) $(id -G)", user, group)

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", command)

    with in_groups(0, 4):
        place.run(test)
    assert place.said == [expected]


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_failure_is_said_once_until_it_succeeds_again(place: Place) -> None:
    command = place.script("fail", "exit $1")

    async def test(queue: ScriptQueue) -> None:
        for status in (3, 4, 0, 5):
            queue.put("INSTANCE VI_1", words(command, str(status)))

    place.run(test)
    assert place.reported(Level.NOTICE) == [
        "fail 3 for INSTANCE VI_1 ended with status 3",
        "fail 5 for INSTANCE VI_1 ended with status 5",
    ]
    assert place.reported(Level.DEBUG) == [
        "fail 4 for INSTANCE VI_1 ended with status 4",
        "fail 0 for INSTANCE VI_1 succeeded",
    ]


def test_a_signal_has_its_name(place: Place) -> None:
    command = place.script("killed", "kill -USR1 $$")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", command)

    place.run(test)
    assert place.reported(Level.NOTICE) == ["killed for INSTANCE VI_1 was ended by SIGUSR1"]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (Command(("/nowhere/x", "1")), "cannot run /nowhere/x 1: No such file or directory (for INSTANCE VI_1)"),
        (Command(("/etc/passwd",)), "cannot run /etc/passwd: Permission denied (for INSTANCE VI_1)"),
        (
            Command(("/bin/true",), "no-such-user"),
            'cannot run /bin/true as user no-such-user: there is no user "no-such-user" (for INSTANCE VI_1)',
        ),
        (
            Command(("/bin/true",), "", "no-such-group"),
            'cannot run /bin/true: there is no group "no-such-group" (for INSTANCE VI_1)',
        ),
        (
            Command(("/bin/true",), "4242424"),
            "cannot run /bin/true as user 4242424: user 4242424 has no group of its own, name one (for INSTANCE VI_1)",
        ),
        (Command(("/bin/true", "\0")), "cannot run /bin/true \0: embedded null byte (for INSTANCE VI_1)"),
    ],
)
def test_what_cannot_start_is_said_and_the_next_runs(place: Place, command: Command, reason: str) -> None:
    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", command)
        queue.put("INSTANCE VI_1", place.script("next", "say next"))

    place.run(test)
    assert place.reported(Level.ERROR) == [reason]
    assert place.said == ["next"]


def group_of(place: Place) -> int:
    """The process group whose number a script has said first."""
    return int(place.said[0])


def is_gone(group: int) -> bool:
    """Whether no process of the group runs; one that waits for init to take notice of its end does not."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group, *_ = path.read_text().rpartition(") ")[2].split()
            if int(its_group) == group and state != "Z":
                return False
    return True


def test_one_that_runs_too_long_is_ended_with_its_children(place: Place) -> None:
    hanging = place.script("hanging", "say $$; sleep 60 & sleep 60")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", hanging)
        queue.put("INSTANCE VI_1", place.script("next", "say next"))
        await happened(lambda: "next" in place.said)

    place.run(test, limit=0.2)
    assert until(lambda: is_gone(group_of(place)))
    (line,) = place.reported(Level.WARNING)
    assert line.startswith("hanging for INSTANCE VI_1 still runs after 0.")


def test_one_that_does_not_listen_is_killed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "PATIENCE", 0.2)
    deaf = place.script("deaf", "trap 'say asked' TERM; say $$; while true; do sleep 60 & wait; done")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", deaf)
        await happened(lambda: place.said and is_gone(group_of(place)))

    place.run(test, limit=0.3)
    assert place.said[1:] == ["asked"]


def test_a_child_left_behind_on_purpose_stays(place: Place) -> None:
    command = place.script("leave", "say $$; sleep 60 &")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", command)

    place.run(test)
    assert not is_gone(group_of(place))
    os.killpg(group_of(place), signal.SIGKILL)


def test_a_disk_that_hangs_holds_up_nobody_but_scripts(place: Place) -> None:
    disk = place.path / "disk"
    disk.mkdir()

    async def test(queue: ScriptQueue) -> None:
        with hung(disk):
            queue.put("INSTANCE VI_1", Command((str(disk / "script"),)))
            queue.put("INSTANCE VI_1", place.script("next", "say next"))
            await happened(lambda: place.reports)
        await happened(lambda: place.said)

    place.run(test, limit=0.1)
    assert place.reported(Level.WARNING) == ["disk/script for INSTANCE VI_1 is not started yet: is its disk well?"]
    assert len(place.reported(Level.ERROR)) == 1
    assert place.said == ["next"]


# --- when the daemon ends --------------------------------------------------------------------------------------------


def test_at_the_end_what_waits_is_run(place: Place) -> None:
    slow, stop = place.script("slow", "sleep 0.1; say slow"), place.script("stop", "say stop")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", slow)
        queue.put("INSTANCE VI_1", stop)

    place.run(test)
    assert place.said == ["slow", "stop"]


def test_at_the_end_one_that_hangs_does_not_silence_the_last(place: Place) -> None:
    hanging, stop = place.script("hanging", "say $$; sleep 60"), place.script("stop", "say stop")

    async def test(queue: ScriptQueue) -> None:
        queue.put("INSTANCE VI_1", hanging)
        await happened(lambda: place.said)
        queue.put("INSTANCE VI_1", stop)
        await queue.drain(0.3)

    place.run(test)
    assert until(lambda: is_gone(group_of(place)))
    assert place.said[1:] == ["stop"]


def test_the_end_is_bounded(place: Place) -> None:
    deaf = place.script("deaf", "trap '' TERM; say $$; sleep 60")

    async def test(queue: ScriptQueue) -> None:
        for _ in range(10):
            queue.put("INSTANCE VI_1", deaf)
        await happened(lambda: place.said)
        began = time.monotonic()
        await queue.drain(0.2)
        assert time.monotonic() - began < 3

    place.run(test)
    assert len(place.said) < 10
    assert until(lambda: all(is_gone(int(each)) for each in place.said))


# --- a program by itself ---------------------------------------------------------------------------------------------


def test_a_program_tells_everybody_how_it_ended() -> None:
    async def main() -> None:
        program = await Program.start(Command(("/bin/sh", "-c", "exit 7")))
        assert list(await asyncio.gather(program.ended(), program.ended())) == [7, 7]
        assert not program.runs
        await program.end(0)  # comes too late, and hurts nobody

    asyncio.run(main())
