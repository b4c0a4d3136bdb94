"""A client that asks again and again, and tells what was answered. Run as a program of its own.

    prober.py icmp ADDRESS [PERIOD]          an echo request each millisecond (or PERIOD seconds), whatever happens to
                                             the last one
    prober.py tcp ADDRESS PORT [PATIENCE]    connect, ask, read the answer, one after the other, at most one each
                                             millisecond; PATIENCE seconds for each, or the kernel's own time-outs

Writes three native 64-bit integers to standard output for every answer: the number of the question (those not
answered leave a hole), and when it was asked and answered, in nanoseconds of CLOCK_REALTIME.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import socket
import struct
import sys
import time
from array import array

PERIOD = 0.001
FLUSH = 0.02
PR_SET_TIMERSLACK = 29
SO_TIMESTAMPNS = 35
ECHO_REPLY, ECHO_REQUEST = 0, 8
_ECHO = struct.Struct("!BBHHH")
_QUESTION = struct.Struct("=qq")
_IP_HEADER = 20


class Answers:
    """Answers on their way to standard output, in batches, so that the reader is not woken for each."""

    def __init__(self) -> None:
        self._waiting = array("q")
        self._flushed = 0.0

    def add(self, number: int, asked: int, answered: int) -> None:
        self._waiting.extend((number, asked, answered))

    def flush(self, now: float) -> None:
        if self._waiting and now - self._flushed >= FLUSH:
            os.write(1, self._waiting.tobytes())
            del self._waiting[:]
            self._flushed = now


def ask_by_echo(address: str, period: float) -> None:
    """The node's kernel answers by itself and stamps what arrives here, so no scheduler stands in between."""
    client = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    client.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    client.connect((address, 0))
    client.setblocking(False)
    identity = os.getpid() & 0xFFFF
    answers = Answers()
    number = 0
    due = time.monotonic()
    while True:
        number += 1
        # Refused, or no way to the address: that is what this program is here to find out.
        with contextlib.suppress(OSError):
            client.send(echo_request(identity, number))
        due = pause_until(due + period)
        while True:
            try:
                packet, control, _, _ = client.recvmsg(256, 64)
            except BlockingIOError:
                break
            except OSError:
                continue
            kind, _, _, whose, _ = _ECHO.unpack_from(packet, _IP_HEADER)
            if kind == ECHO_REPLY and whose == identity:
                seconds, nanoseconds = struct.unpack_from("@qq", control[0][2])
                question, asked = _QUESTION.unpack_from(packet, _IP_HEADER + _ECHO.size)
                answers.add(question, asked, seconds * 1_000_000_000 + nanoseconds)
        answers.flush(time.monotonic())


def echo_request(identity: int, number: int) -> bytes:
    """An ICMP echo request that carries its number and the time; RFC 792."""
    question = _QUESTION.pack(number, time.time_ns())
    header = _ECHO.pack(ECHO_REQUEST, 0, 0, identity, number & 0xFFFF)
    total = sum(struct.unpack("!12H", header + question))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return _ECHO.pack(ECHO_REQUEST, 0, ~total & 0xFFFF, identity, number & 0xFFFF) + question


def ask_by_connection(address: str, port: int, patience: float | None) -> None:
    """A question is answered when its first bytes have come; a mysqld speaks first and is content with that."""
    answers = Answers()
    number = 0
    due = time.monotonic()
    while True:
        number += 1
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        client.settimeout(patience)
        # Closing resets the connection: ports in TIME_WAIT would run out in half a minute.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
        asked = time.time_ns()
        with contextlib.suppress(OSError):
            client.connect((address, port))
            # Bytes on their way make the kernel notice when the node behind the address is another one by now.
            client.send(b"?")
            if client.recv(256):
                answers.add(number, asked, time.time_ns())
        client.close()
        answers.flush(time.monotonic())
        due = pause_until(due + PERIOD)


def pause_until(due: float) -> float:
    """Sleep until `due` and return it; return now where it has passed, so that no burst makes up for a delay."""
    now = time.monotonic()
    if due <= now:
        return now
    time.sleep(due - now)
    return due


if __name__ == "__main__":
    gc.disable()
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    kind, target, *rest = sys.argv[1:]
    if kind == "icmp":
        ask_by_echo(target, float(rest[0]) if rest else PERIOD)
    else:
        ask_by_connection(target, int(rest[0]), float(rest[1]) if rest[1:] else None)
