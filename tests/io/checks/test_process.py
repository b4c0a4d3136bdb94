"""Process checks: real processes come and go."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyvrrp.core.settings import CheckSettings, ProcessProbe
from pyvrrp.io.checks import Check
from tests.io.checks.running import Reports, found, run
from tests.waiting import until

NAME = f"pv{os.getpid()}"  # nobody else's


class Programs:
    """Copies of `sleep` under other names, and their processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str = NAME, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one; it runs when this returns."""
        program = self._directory / name
        if not program.exists():
            shutil.copy("/bin/sleep", program)
        process = subprocess.Popen([str(program), *(arguments or ("60",))])
        self._running.append(process)
        return process

    def end(self) -> None:
        """None is left."""
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    """Programs to start; they have ended at the end."""
    programs = Programs(tmp_path)
    yield programs
    programs.end()


def test_a_process_that_runs_or_not(programs: Programs) -> None:
    result = found(ProcessProbe(NAME))
    assert (result.ok, result.detail) == (False, f"{NAME} does not run")
    programs.start()
    result = found(ProcessProbe(NAME))
    assert (result.ok, result.detail) == (True, f"{NAME} runs")
    assert not found(ProcessProbe(NAME[:-1])).ok  # not a part of a name


def test_a_quorum_and_a_maximum(programs: Programs) -> None:
    for _ in range(3):
        programs.start()
    assert found(ProcessProbe(NAME, quorum=3)).ok
    assert found(ProcessProbe(NAME, quorum=1, quorum_max=3)).ok
    result = found(ProcessProbe(NAME, quorum=4))
    assert (result.ok, result.detail) == (False, f"{NAME} runs 3 times, not 4")
    result = found(ProcessProbe(NAME, quorum_max=2))
    assert (result.ok, result.detail) == (False, f"{NAME} runs 3 times, more than 2")


def test_long_names_are_as_long_as_the_kernel_keeps_them(programs: Programs) -> None:
    long = f"{NAME}-and-a-long-name"
    programs.start(long)
    assert found(ProcessProbe(long)).ok
    assert found(ProcessProbe(long[:15])).ok
    assert not found(ProcessProbe(long[:14])).ok


def test_the_command_line_can_be_compared(programs: Programs, tmp_path: Path) -> None:
    programs.start()
    assert found(ProcessProbe(str(tmp_path / NAME), full_command=True)).ok
    assert not found(ProcessProbe(NAME, full_command=True)).ok


def test_arguments_must_be_the_same(programs: Programs) -> None:
    programs.start(NAME, "60", "61")
    assert found(ProcessProbe(NAME, arguments=("60", "61"))).ok
    assert not found(ProcessProbe(NAME, arguments=("60",))).ok
    assert not found(ProcessProbe(NAME, arguments=())).ok


def test_a_zombie_does_not_run(programs: Programs) -> None:
    process = programs.start()
    process.send_signal(signal.SIGKILL)
    state = Path(f"/proc/{process.pid}/stat")
    assert until(lambda: " Z " in state.read_text())
    assert not found(ProcessProbe(NAME)).ok


def test_a_name_may_look_like_something_else(programs: Programs) -> None:
    name = f"{NAME}) Z ("
    programs.start(name)
    assert found(ProcessProbe(name)).ok


def test_a_death_is_heard_of_at_once(programs: Programs) -> None:
    first, second = programs.start(), programs.start()

    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert result.ok
        first.kill()
        _, result = await reports.next()
        assert (result.ok, result.detail) == (True, f"{NAME} runs")
        second.kill()
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, f"{NAME} does not run")

    run(test, CheckSettings("process", ProcessProbe(NAME), interval=60))


def test_a_birth_is_heard_of_at_the_next_run(programs: Programs) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        await reports.next()
        process = programs.start()
        await reports.until(lambda result: result.ok)
        process.kill()
        await reports.until(lambda result: not result.ok)
        programs.start()
        await reports.until(lambda result: result.ok)
        programs.start()
        await reports.until(lambda result: result.detail == f"{NAME} runs 2 times, more than 1")

    run(test, CheckSettings("process", ProcessProbe(NAME, quorum_max=1), interval=0.05))


def test_who_becomes_another_program_is_gone(programs: Programs, tmp_path: Path) -> None:
    waiting = tmp_path / "go"
    os.mkfifo(waiting)
    script = tmp_path / NAME
    script.write_text(f"#!/bin/sh\nread line < {waiting}\nexec sleep 60\n")
    script.chmod(0o755)
    programs.start()

    async def test(_check: Check, reports: Reports) -> None:
        await reports.until(lambda result: result.ok)
        waiting.write_text("go\n")
        await reports.until(lambda result: not result.ok)

    run(test, CheckSettings("process", ProcessProbe(NAME), interval=0.05))


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_many_processes_cost_a_bounded_number_of_descriptors(programs: Programs) -> None:
    for _ in range(100):
        programs.start()
    before = descriptors()

    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert result.ok
        assert descriptors() < before + 75

    run(test, CheckSettings("process", ProcessProbe(NAME, quorum=100), interval=60))
    assert descriptors() == before
