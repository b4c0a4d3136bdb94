"""The log: lines on standard error, or the journal with its fields when standard error is the journal.

A log that is full, slow or gone never stops the daemon: lines are dropped, counted, and the count is written when it
takes lines again.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from typing import Final

from pyvrrp.core.effects import Level, Record

STDERR: Final = 2
JOURNAL_SOCKET: Final = "/run/systemd/journal/socket"
IDENTIFIER: Final = "pyvrrpd"
LINE_MAX: Final = 4096  # bytes; a pipe that polls as writable takes PIPE_BUF without blocking

# MESSAGE_ID of a transition, by the state entered: `journalctl MESSAGE_ID=...` finds them all. Never change them.
MESSAGE_IDS: Final = {
    "INIT": "e0ba1342bf534ce39135f322ffba3d9b",
    "BACKUP": "00ba7a69f47842f49e0bb8e1bb543901",
    "MASTER": "a14d0eb550184476a74dc9143b373289",
    "FAULT": "628ac77ffebd420cab5f0765d7a47299",
}


class Journal:
    """Writes records of `level` and above (smaller numbers matter more)."""

    def __init__(self, level: Level = Level.INFO, journal_socket: str = JOURNAL_SOCKET) -> None:
        self.level = level
        self.dropped = 0
        self._path = journal_socket
        self._socket: socket.socket | None = None
        if _stderr_is_journal():
            kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_UNIX, kind)

    def write(self, record: Record) -> None:
        """Write one record, or count it as dropped. Never blocks, never raises."""
        if record.level > self.level:
            return
        if self.dropped:
            missed = Record(Level.WARNING, "", f"{self.dropped} lines of this log were lost: nobody took them")
            if not self._emit(missed):
                self.dropped += 1
                return
            self.dropped = 0
        if not self._emit(record):
            self.dropped += 1

    def close(self) -> None:
        """Close the socket to the journal; standard error stays open."""
        if self._socket is not None:
            self._socket.close()

    def _emit(self, record: Record) -> bool:
        try:
            if self._socket is not None:
                self._socket.sendto(datagram(record), self._path)
                return True
            return _write_line(record)
        except OSError:
            return False


def datagram(record: Record) -> bytes:
    """A record in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""
    fields = {
        "MESSAGE": _sentence(record),
        "PRIORITY": str(int(record.level)),
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "VRRP_INSTANCE": record.instance,
        "VRRP_STATE": record.state,
        "MESSAGE_ID": MESSAGE_IDS.get(record.state, ""),
    }
    return b"".join(_field(name, value) for name, value in fields.items() if value)


def _field(name: str, value: str) -> bytes:
    data = value.encode(errors="replace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"


def _sentence(record: Record) -> str:
    return f"({record.instance}) {record.text}" if record.instance else record.text


def _write_line(record: Record) -> bool:
    writable = select.poll()
    writable.register(STDERR, select.POLLOUT)
    if not any(event & select.POLLOUT for _, event in writable.poll(0)):
        return False
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    text = _sentence(record).replace("\n", " ")
    line = f"{stamp}.{int(now % 1 * 1000):03} {text}".encode(errors="replace")[: LINE_MAX - 1] + b"\n"
    os.write(STDERR, line)
    return True


def _stderr_is_journal() -> bool:
    """Whether standard error is the stream that systemd connected to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(STDERR)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
