"""Work that may hang."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from pyvrrp.io.checks.worker import Worker
from tests.waiting import DEADLINE


def test_one_piece_at_a_time() -> None:
    async def main() -> None:
        let = threading.Event()
        worker = Worker()
        assert await worker.do(lambda: 7) == 7
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker.do(let.wait), 0.05)
        with pytest.raises(OSError, match="the run before still hangs"):
            await worker.do(lambda: 8)
        let.set()
        async with asyncio.timeout(DEADLINE):
            while await _refused(worker):
                pass

    asyncio.run(main())


async def _refused(worker: Worker) -> bool:
    try:
        return await worker.do(lambda: False)
    except OSError:
        await asyncio.sleep(0.01)
        return True


def test_what_goes_wrong_is_heard_of() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await Worker().do(lambda: 1 // 0)

    asyncio.run(main())


def test_a_program_ends_while_work_hangs() -> None:
    program = """
import asyncio, time
from pyvrrp.io.checks.worker import Worker

async def main():
    try:
        await asyncio.wait_for(Worker().do(lambda: time.sleep(60)), 0.05)
    except TimeoutError:
        print("given up")

asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert (ended.stdout, ended.stderr) == ("given up\n", "")
