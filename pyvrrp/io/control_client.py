"""The other end of the control socket, for short-lived programs: blocking, and quick to import."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from typing import Final

from pyvrrp.errors import ControlError, ControlTimeoutError

_MOMENT: Final = 0.2  # seconds
ANSWER_MAX: Final = 64 << 20  # bytes; far above the status of 1000 virtual routers


def ask(path: str | os.PathLike[str], request: dict[str, object], timeout: float = 5.0) -> dict[str, object]:
    """Send one request and return the answer, within `timeout` seconds in all.

    Raises ControlError with a sentence when there is no daemon or no permission, ControlTimeoutError when there is no
    answer in time. An answer that
    says `{"error": ...}` is returned like any other.
    """
    end = time.monotonic() + timeout
    with _connected(path, request, timeout) as sock:
        line = _read_line(sock, end)
    return _decode(line)


def stream(path: str | os.PathLike[str], request: dict[str, object], timeout: float = 5.0) -> Iterator[bytes]:
    """Send one request and yield all that is answered, as it comes; b"" each time that nothing came for a moment.

    Raises as `ask` does, the time limit being for the first bytes.
    """
    end: float | None = time.monotonic() + timeout
    with _connected(path, request, timeout) as sock:
        sock.settimeout(_MOMENT)
        while True:
            try:
                part = sock.recv(1 << 16)
            except TimeoutError:
                if end is not None and time.monotonic() > end:
                    raise
                part = None
            if part == b"":
                return
            end = None if part else end
            yield part or b""


@contextlib.contextmanager
def _connected(path: str | os.PathLike[str], request: dict[str, object], timeout: float) -> Iterator[socket.socket]:
    """A connection on which this was asked; what goes wrong on it becomes a ControlError."""
    place = os.fspath(path)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(timeout)
            sock.connect(place)
            # A daemon that has too many clients closes without reading; what it said still waits.
            with contextlib.suppress(BrokenPipeError):
                sock.sendall(json.dumps(request).encode() + b"\n")
            yield sock
    except FileNotFoundError:
        raise ControlError(f"pyvrrpd is not running (no socket {place})") from None
    except ConnectionRefusedError:
        raise ControlError(f"pyvrrpd is not running (nobody listens on {place})") from None
    except PermissionError:
        raise ControlError(f"permission denied: {place} (root and the socket's group may ask)") from None
    except ConnectionResetError:
        raise ControlError("pyvrrpd closed the connection without an answer") from None
    except (TimeoutError, BlockingIOError):
        raise ControlTimeoutError(f"pyvrrpd did not answer in {timeout:g} s") from None
    except OSError as error:
        raise ControlError(f"{place}: {error.strerror or error}") from error


def _read_line(sock: socket.socket, end: float) -> bytes:
    answer = bytearray()
    while not answer.endswith(b"\n"):
        remaining = end - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        sock.settimeout(remaining)
        part = sock.recv(1 << 16)
        if not part:
            raise ControlError("pyvrrpd closed the connection without an answer")
        answer += part
        if len(answer) > ANSWER_MAX:
            raise ControlError(f"the answer of pyvrrpd is longer than {ANSWER_MAX} bytes")
    return bytes(answer)


def _decode(line: bytes) -> dict[str, object]:
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise ControlError(f"the answer of pyvrrpd is not JSON: {error}") from error
    if not isinstance(answer, dict):
        raise ControlError("the answer of pyvrrpd is not a JSON object")
    return answer
