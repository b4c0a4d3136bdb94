"""The log: lines on standard error, the journal with its fields, syslog, a file.

A log that is full, slow or gone never stops the daemon: lines are dropped, counted, and the count is written when it
takes lines again.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from pyvrrp.core.effects import Level, Record

STDERR: Final = 2
JOURNAL_SOCKET: Final = "/run/systemd/journal/socket"
SYSLOG_SOCKET: Final = "/dev/log"
LINE_MAX: Final = 4096  # bytes; a pipe that polls as writable takes PIPE_BUF without blocking

# MESSAGE_ID of a transition, by the state entered: `journalctl MESSAGE_ID=...` finds them all. Never change them.
MESSAGE_IDS: Final = {
    "INIT": "e0ba1342bf534ce39135f322ffba3d9b",
    "BACKUP": "00ba7a69f47842f49e0bb8e1bb543901",
    "MASTER": "a14d0eb550184476a74dc9143b373289",
    "FAULT": "628ac77ffebd420cab5f0765d7a47299",
}


def iso_stamp(now: float) -> str:
    """`2026-11-23 00:27:07.123`."""
    return f"{_local('%Y-%m-%d %H:%M:%S', now)}.{int(now % 1 * 1000):03}"


def keepalived_stamp(now: float) -> str:
    """`Mon Nov 23 00:27:07 2026:`, as keepalived's -l and -g write it."""
    return f"{_local('%a %b %d %H:%M:%S %Y', now)}:"


def _local(form: str, now: float) -> str:
    return time.strftime(form, time.localtime(now))


@dataclass(frozen=True, slots=True)
class Sender:
    """What the daemon calls itself in a log, its syslog facility (a number), and how it writes the time."""

    name: str = "pyvrrpd"
    facility: int = 3  # LOG_DAEMON
    stamp: Callable[[float], str] = iso_stamp


class Sink(Protocol):
    """A place that lines go to."""

    def emit(self, record: Record) -> bool:
        """Write one record without ever blocking; False, or OSError, when it was not taken."""

    def close(self) -> None:
        """Let go of it."""


class Journal:
    """Writes records of `level` and above (smaller numbers matter more) to every sink."""

    def __init__(self, sinks: tuple[Sink, ...], level: Level = Level.INFO) -> None:
        self.level = level
        self._sinks = sinks
        self._dropped = [0] * len(sinks)

    def write(self, record: Record) -> None:
        """Write one record, or count it as dropped. Never blocks, never raises."""
        if record.level > self.level:
            return
        for number, sink in enumerate(self._sinks):
            self._write(number, sink, record)

    @property
    def dropped(self) -> int:
        """Lines that some sink did not take since it last took one."""
        return sum(self._dropped)

    @property
    def on_stderr(self) -> bool:
        """Whether what is written to standard error gets where the log is."""
        return any(isinstance(each, Console | Systemd) for each in self._sinks)

    def _write(self, number: int, sink: Sink, record: Record) -> None:
        dropped = self._dropped[number]
        if dropped:
            missed = Record(Level.WARNING, "", f"{dropped} lines of this log were lost: nobody took them")
            if not _emit(sink, missed):
                self._dropped[number] += 1
                return
            self._dropped[number] = 0
        if not _emit(sink, record):
            self._dropped[number] += 1

    def close(self) -> None:
        """Close all sinks; standard error stays open."""
        for sink in self._sinks:
            sink.close()


def _emit(sink: Sink, record: Record) -> bool:
    try:
        return sink.emit(record)
    except OSError:
        return False


class Console:
    """Lines on standard error."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def emit(self, record: Record) -> bool:
        """Write a line, if standard error takes one now."""
        writable = select.poll()
        writable.register(STDERR, select.POLLOUT)
        if not any(event & select.POLLOUT for _, event in writable.poll(0)):
            return False
        os.write(STDERR, _line(self._sender, record))
        return True

    def close(self) -> None:
        """Standard error stays open."""


class File:
    """Lines at the end of a file; regular files never make a writer wait for a reader. Raises OSError."""

    def __init__(self, path: str, sender: Sender) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        self._file = os.open(path, flags, 0o644)
        self._sender = sender

    def emit(self, record: Record) -> bool:
        """Append a line."""
        os.write(self._file, _line(self._sender, record))
        return True

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Syslog:
    """RFC 3164 datagrams to the local syslog daemon."""

    def __init__(self, sender: Sender, path: str = SYSLOG_SOCKET) -> None:
        self._sender = sender
        self._path = path
        self._socket = _datagram_socket()

    def emit(self, record: Record) -> bool:
        """Send a datagram."""
        priority = self._sender.facility << 3 | int(record.level)
        stamp = _local("%b %e %H:%M:%S", time.time())
        text = f"<{priority}>{stamp} {self._sender.name}[{os.getpid()}]: {_one_line(record)}"
        self._socket.sendto(text.encode(errors="replace")[:LINE_MAX], self._path)
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Systemd:
    """The journal in its native protocol, with fields."""

    def __init__(self, sender: Sender, path: str = JOURNAL_SOCKET) -> None:
        self._sender = sender
        self._path = path
        self._socket = _datagram_socket()

    def emit(self, record: Record) -> bool:
        """Send a datagram."""
        self._socket.sendto(datagram(record, self._sender), self._path)
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def datagram(record: Record, sender: Sender) -> bytes:
    """A record in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""
    fields = {
        "MESSAGE": _sentence(record),
        "PRIORITY": str(int(record.level)),
        "SYSLOG_IDENTIFIER": sender.name,
        "SYSLOG_FACILITY": str(sender.facility),
        "VRRP_INSTANCE": record.instance,
        "VRRP_STATE": record.state,
        "MESSAGE_ID": MESSAGE_IDS.get(record.state, ""),
    }
    return b"".join(_field(name, value) for name, value in fields.items() if value)


def stderr_is_journal() -> bool:
    """Whether standard error is the stream that systemd connected to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(STDERR)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _field(name: str, value: str) -> bytes:
    data = value.encode(errors="replace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"


def _sentence(record: Record) -> str:
    return f"({record.instance}) {record.text}" if record.instance else record.text


def _one_line(record: Record) -> str:
    return _sentence(record).replace("\n", " ")


def _line(sender: Sender, record: Record) -> bytes:
    text = f"{sender.stamp(time.time())} {_one_line(record)}"
    return text.encode(errors="replace")[: LINE_MAX - 1] + b"\n"


def _datagram_socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
