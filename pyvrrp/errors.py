"""Every exception that pyvrrp raises on purpose.

PyvrrpError
├── WireError            a packet that is not a VRRP advertisement (core/wire.py)
├── ConfigError          a configuration that cannot be used, with all its problems
├── KernelError          the kernel refused an operation on an address, link or socket
├── InstanceTakenError   another pyvrrpd already runs this virtual router here
├── ScriptError          a program of the configuration could not be started
├── RecordingError       a recording that cannot be read, with its line
├── ChannelError         the other node's agent could not be asked, or has not answered (io/channel.py)
│   └── ChannelRefusedError   it has answered: no
└── ControlError         the daemon could not be asked, or refused
    └── ControlTimeoutError   it was asked, and did not answer in time
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class PyvrrpError(Exception):
    """Base of all errors of this package."""


class WireFault(enum.Enum):
    """Why bytes are not a usable advertisement; the value is what status and log say."""

    LENGTH = "wrong length"
    VERSION = "unknown VRRP version"
    TYPE = "not an advertisement"
    TTL = "TTL is not 255"
    CHECKSUM = "wrong checksum"
    VRID = "VRID 0"
    INTERVAL = "advertisement interval 0"
    AUTH_TYPE = "unknown authentication type"


class WireError(PyvrrpError):
    """Malformed input from the network. Carries the fault and the numbers behind it."""

    def __init__(self, fault: WireFault, detail: str) -> None:
        super().__init__(f"{fault.value}: {detail}")
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a configuration file; line and column count from 1, 0 means the whole file."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ConfigError(PyvrrpError):
    """A configuration that cannot be used. `problems` holds every one that was found, in file order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class KernelError(PyvrrpError):
    """The kernel refused an operation. `errno` is the kernel's number, `operation` says what was asked."""

    def __init__(self, operation: str, errno: int, message: str) -> None:
        super().__init__(f"{operation}: {message}")
        self.operation = operation
        self.errno = errno


class InstanceTakenError(PyvrrpError):
    """Another process on this host already runs this VRID on this interface."""


class ScriptError(PyvrrpError):
    """A program could not be started; a sentence that names it, its user and the reason."""


class RecordingError(PyvrrpError):
    """A recording is damaged, or of another version; the message begins with file and line."""


class ChannelError(PyvrrpError):
    """The other node's agent is not there, or did not answer in time; or the channel's key is no use."""


class ChannelRefusedError(ChannelError):
    """The other node's agent refused, with this sentence."""


class ControlError(PyvrrpError):
    """The daemon behind the control socket is not reachable, or refused a command."""


class ControlTimeoutError(ControlError):
    """The daemon took the question, or has a full queue of them, and did not answer in time."""
