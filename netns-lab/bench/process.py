"""What processes cost, from /proc."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes of 10^6 bytes. `pss` counts a page that n processes share as 1/n of a page for each."""

    rss: float
    pss: float


def memory(pids: Sequence[int]) -> Memory:
    """Memory of processes, added up."""
    return Memory(_sum(pids, "Rss"), _sum(pids, "Pss"))


def cpu_seconds(pids: Sequence[int]) -> float:
    """Seconds that all threads of these processes have run, in user and kernel mode."""
    total = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            # Nanoseconds on a processor; utime and stime count the same in steps of 10 ms.
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def _sum(pids: Sequence[int], key: str) -> float:
    kilobytes = 0
    for pid in pids:
        found = re.search(rf"^{key}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        kilobytes += int(found.group(1)) if found else 0
    return kilobytes * 1024 / 1e6
