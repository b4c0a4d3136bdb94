"""How late this machine runs a process that wants to run. A program of its own, for a processor of its own.

pulse.py PROCESSOR    writes two native 64-bit integers, when (CLOCK_REALTIME) and how late in nanoseconds, for every
                      time that it was run more than five milliseconds late
"""

from __future__ import annotations

import gc
import os
import struct
import sys
import time

PERIOD = 0.004
NOTED = 5_000_000  # nanoseconds


def beat(processor: int) -> None:
    """Sleep and look at the clock, for ever."""
    os.sched_setaffinity(0, {processor})
    due = time.monotonic_ns()
    while True:
        due += int(PERIOD * 1e9)
        time.sleep(max(0.0, (due - time.monotonic_ns()) / 1e9))
        late = time.monotonic_ns() - due
        if late > NOTED:
            os.write(1, struct.pack("=qq", time.time_ns(), late))
            due += late


if __name__ == "__main__":
    gc.disable()
    beat(int(sys.argv[1]))
