"""`pyvrrpctl record`: what the running daemon is told and what it decides, from now on, as a file for `replay`."""

from __future__ import annotations

import json
import os
import socket as sockets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

import click

from pyvrrp.cli.failure import REFUSED, TIMED_OUT, UNREACHABLE, Failure
from pyvrrp.errors import ControlError, ControlTimeoutError
from pyvrrp.io.control_client import stream

_STDOUT: Final = "-"
_TOLD: Final = (
    "passwords are replaced by pseudonyms; names, addresses, and commands with their arguments are in it as configured"
)


@click.command()
@click.option("--output", "-o", metavar="FILE", help="Default: pyvrrp-HOST-TIME.jsonl here; - is standard output.")
@click.option("--seconds", "-s", type=click.FloatRange(min=0, min_open=True), help="Default: until Ctrl-C.")
@click.pass_obj
def record(socket: str, output: str | None, seconds: float | None) -> int:
    """Record all that happens to the daemon and all that it decides, from now on; `replay` plays it again.

    Only root may. The file holds no passwords, but names, addresses and the commands of the configuration. A file that
    is there is not overwritten. pyvrrpd --record FILE records from the daemon's start.
    """
    parts = _parts(socket, seconds)
    first = next(parts, b"")
    _demand_recording(first)
    name = output or f"pyvrrp-{sockets.gethostname()}-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    last = first
    with _opened(name) as file:
        file.write(first)
        try:
            for part in parts:
                file.write(part)
                file.flush()
                last = (last + part)[-200:]
        except KeyboardInterrupt:
            pass
    end = _end(last)
    click.echo(f"{name}: {_TOLD}" if output != _STDOUT else _TOLD, err=True)
    if end:
        click.echo(f"pyvrrpctl: the recording ended by itself: {end}", err=True)
    return REFUSED if end.startswith("lost") else 0


def _parts(socket: str, seconds: float | None) -> Iterator[bytes]:
    """What the daemon sends; the first part is at least a line. Whole lines only, when it is ended here."""
    end = None
    rest = b""
    try:
        for part in stream(socket, {"command": "record"}):
            rest += part
            whole, feed, rest = rest.rpartition(b"\n")
            if feed:
                end = end or time.monotonic() + (seconds or float("inf"))
                yield whole + feed
            if end and time.monotonic() >= end:
                return
    except ControlTimeoutError as error:
        raise Failure(str(error), TIMED_OUT) from None
    except ControlError as error:
        raise Failure(str(error), UNREACHABLE) from None


def _demand_recording(first: bytes) -> None:
    """Raises Failure when the daemon does not record."""
    if not first:
        raise Failure("pyvrrpd closed the connection without an answer", UNREACHABLE)
    answer = json.loads(first.partition(b"\n")[0])
    if "error" in answer:
        raise Failure(str(answer["error"]), REFUSED)


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    """A new file for the owner only, or standard output."""
    if name == _STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}", REFUSED) from None
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _end(last: bytes) -> str:
    line = last.rstrip(b"\n").rpartition(b"\n")[2]
    return str(json.loads(line)["end"]) if line.startswith(b'{"end"') else ""
