"""Garbage for a virtual router: `flood.py INTERFACE RATE SECONDS`, frames as lines of hex on standard input.

A process of its own. All frames go out again and again, a batch with one system call; at the end it prints how many
frames left in how many seconds.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time

BATCHES = 500  # a second


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Message(ctypes.Structure):
    """struct mmsghdr with its msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),
        ("sent", ctypes.c_uint64),
    )


def main() -> None:
    """Send for as long as asked."""
    interface, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    frames = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((interface, 0))
    count = max(int(rate / BATCHES), 1)
    memory = [ctypes.create_string_buffer(frames[number % len(frames)]) for number in range(count * len(frames))]
    # create_string_buffer adds a zero, which stays here.
    vectors = (Vector * len(memory))(*(Vector(ctypes.addressof(each), len(each) - 1) for each in memory))
    messages = (Message * len(memory))()
    for number, message in enumerate(messages):
        message.vectors, message.vector_count = ctypes.pointer(vectors[number]), 1
    libc = ctypes.CDLL(None, use_errno=True)
    sent = turn = 0
    began = time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        due = began + turn / BATCHES
        if due > now:
            time.sleep(due - now)
        first = ctypes.byref(messages, (turn * count) % len(memory) * ctypes.sizeof(Message))
        done = libc.sendmmsg(sock.fileno(), first, count, 0)
        if done < 0 and ctypes.get_errno():
            sys.exit(os.strerror(ctypes.get_errno()))
        sent, turn = sent + done, turn + 1
    print(sent, time.monotonic() - began)


if __name__ == "__main__":
    main()
