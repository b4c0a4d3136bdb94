"""What is known of the client's rows: which were acknowledged and when, and which hang in the air."""

from __future__ import annotations

import bisect
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from labkit import processes
from labkit.topology import Host


@dataclass(frozen=True, slots=True)
class Span:
    """The client's view of a stretch of time. `gap` is the longest time without an acknowledged write, in seconds."""

    acknowledged: tuple[int, ...]
    unknown: int
    gap: float


class Ledger:
    """Runs the writer on a host and keeps its books."""

    def __init__(self, client: Host) -> None:
        self._lock = threading.Lock()
        self._numbers: list[int] = []
        self._times: list[float] = []
        self._unknown: list[float] = []
        self._writer = subprocess.Popen(
            client.inside([sys.executable, "-P", "-m", "labkit.writer"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        )
        self.process = processes.identify(self._writer.pid)
        lines: Iterable[str] = self._writer.stdout or ()
        self._thread = threading.Thread(target=self._read, args=(lines,), name="ledger", daemon=True)
        self._thread.start()

    @property
    def count(self) -> int:
        """How many rows were acknowledged so far."""
        return len(self._times)

    @property
    def last(self) -> float | None:
        """When the last row was acknowledged."""
        return self._times[-1] if self._times else None

    def acknowledged(self) -> tuple[int, ...]:
        """The numbers of all rows acknowledged so far."""
        with self._lock:
            return tuple(self._numbers)

    def span(self, begin: float, end: float) -> Span:
        """What the client saw between two moments.

        A gap counts whole when it ends after `begin`, and as far as `end` while it lasts.
        """
        with self._lock:
            first = bisect.bisect_right(self._times, begin)
            last = bisect.bisect_right(self._times, end)
            times = [self._times[first - 1] if first else begin, *self._times[first:last], end]
            return Span(
                acknowledged=tuple(self._numbers[first:last]),
                unknown=sum(begin < at <= end for at in self._unknown),
                gap=max(after - before for before, after in itertools.pairwise(times)),
            )

    def close(self) -> None:
        """Stop the writer and hear it out."""
        with self._writer:
            self._writer.terminate()
            self._thread.join()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            if not line.endswith("\n"):
                return  # the writer was stopped in the middle of a line
            outcome, number, at = line.split()
            with self._lock:
                if outcome == "ack":
                    self._numbers.append(int(number))
                    self._times.append(float(at))
                else:
                    self._unknown.append(float(at))
