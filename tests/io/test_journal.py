"""The log, on standard error and in the journal."""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyvrrp.core.effects import Level, Record
from pyvrrp.io.journal import (
    MESSAGE_IDS,
    Console,
    File,
    Journal,
    Sender,
    Syslog,
    Systemd,
    datagram,
    keepalived_stamp,
    stderr_is_journal,
)

TRANSITION = Record(Level.NOTICE, "VI_1", "Entering MASTER STATE", "MASTER")


@contextmanager
def stderr_is(descriptor: int) -> Iterator[None]:
    saved = os.dup(2)
    os.dup2(descriptor, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(writing)


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "socket"))
        sock.setblocking(False)
        yield sock


def test_a_line_has_a_time_and_the_instance(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    with stderr_is(writing):
        journal = Journal((Console(Sender()),))
        journal.write(TRANSITION)
        journal.write(Record(Level.INFO, "", "two\nlines"))
        journal.write(Record(Level.DEBUG, "", "not wanted"))
    lines = os.read(reading, 4096).decode().splitlines()
    os.close(reading)
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
    assert re.fullmatch(stamp + r" \(VI_1\) Entering MASTER STATE", lines[0])
    assert re.fullmatch(stamp + " two lines", lines[1])
    assert len(lines) == 2


def test_a_full_pipe_loses_lines_and_counts_them(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    with stderr_is(writing):
        journal = Journal((Console(Sender()),))
        while journal.dropped < 3:
            journal.write(Record(Level.INFO, "", "x" * 1000))
        while True:
            try:
                os.read(reading, 1 << 20)
            except BlockingIOError:
                break
        journal.write(TRANSITION)
    first, second = os.read(reading, 4096).decode().splitlines()
    os.close(reading)
    assert first.endswith(" 3 lines of this log were lost: nobody took them")
    assert second.endswith("Entering MASTER STATE")
    assert journal.dropped == 0


def test_a_closed_pipe_kills_nobody(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.close(reading)
    with stderr_is(writing):
        journal = Journal((Console(Sender()),))
        journal.write(TRANSITION)
        journal.write(TRANSITION)
    assert journal.dropped > 0


def test_the_journal_gets_fields(journald: socket.socket) -> None:
    journal = Journal((Systemd(Sender(), journald.getsockname()),))
    journal.write(TRANSITION)
    journal.close()
    assert journald.recv(4096).decode().splitlines() == [
        "MESSAGE=(VI_1) Entering MASTER STATE",
        "PRIORITY=5",
        "SYSLOG_IDENTIFIER=pyvrrpd",
        "SYSLOG_FACILITY=3",
        "VRRP_INSTANCE=VI_1",
        "VRRP_STATE=MASTER",
        f"MESSAGE_ID={MESSAGE_IDS['MASTER']}",
    ]


def test_a_field_of_several_lines_carries_its_length() -> None:
    text = "one\nVRRP_STATE=forged"
    expected = b"MESSAGE\n" + struct.pack("<Q", len(text)) + text.encode() + b"\nPRIORITY=6\n"
    expected += b"SYSLOG_IDENTIFIER=pyvrrpd\nSYSLOG_FACILITY=3\n"
    assert datagram(Record(Level.INFO, "", text), Sender()) == expected


def test_a_journal_that_is_full_or_gone_is_outlived(journald: socket.socket) -> None:
    journal = Journal((Systemd(Sender(), journald.getsockname()),))
    while not journal.dropped:
        journal.write(TRANSITION)
    while True:
        try:
            journald.recv(4096)
        except BlockingIOError:
            break
    journal.write(TRANSITION)
    assert b"1 lines of this log were lost" in journald.recv(4096)
    assert b"Entering MASTER STATE" in journald.recv(4096)
    Path(journald.getsockname()).unlink()
    journal.write(TRANSITION)
    assert journal.dropped == 1
    journal.close()


def test_systemd_s_stream_is_known_by_its_inode(monkeypatch: pytest.MonkeyPatch) -> None:
    status = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    assert stderr_is_journal()
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino + 1}")
    assert not stderr_is_journal()


def test_syslog_gets_facility_and_severity_in_one_number(journald: socket.socket) -> None:
    journal = Journal((Syslog(Sender("Keepalived_vrrp", facility=16), journald.getsockname()),))
    journal.write(TRANSITION)
    journal.close()
    line = journald.recv(4096).decode()
    assert re.fullmatch(
        rf"<133>\w{{3}} [ \d]\d \d\d:\d\d:\d\d Keepalived_vrrp\[{os.getpid()}\]: \(VI_1\) Entering MASTER STATE", line
    )


def test_a_file_is_appended_to_with_keepalived_s_stamp(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    journal = Journal((File(str(path), Sender(stamp=keepalived_stamp)),))
    journal.write(TRANSITION)
    journal.close()
    before, line = path.read_text().splitlines()
    assert before == "before"
    assert re.fullmatch(r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}: \(VI_1\) Entering MASTER STATE", line)


def test_one_sink_that_is_full_does_not_keep_lines_from_another(journald: socket.socket, tmp_path: Path) -> None:
    path = tmp_path / "log"
    journal = Journal((Systemd(Sender(), journald.getsockname()), File(str(path), Sender())))
    while not journal.dropped:
        journal.write(TRANSITION)
    before = len(path.read_text().splitlines())
    journal.write(TRANSITION)
    journal.close()
    assert len(path.read_text().splitlines()) == before + 1


def test_message_ids_are_proper_and_distinct() -> None:
    assert set(MESSAGE_IDS) == {"INIT", "BACKUP", "MASTER", "FAULT"}
    assert len(set(MESSAGE_IDS.values())) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", value) for value in MESSAGE_IDS.values())
