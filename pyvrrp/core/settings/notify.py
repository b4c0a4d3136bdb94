"""What is run and told when something changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments, run without a shell as `user` and `group`; "" is the daemon's own."""

    words: tuple[str, ...]
    user: str = ""
    group: str = ""

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Notifications:
    """Whom an instance or a group tells of its transitions. `notify` gets INSTANCE|GROUP, name, state, priority.

    What a reload takes away is told to be in FAULT, or DELETED when `deleted` is set; one without words runs nothing.
    """

    notify: Command | None = None
    master: Command | None = None
    backup: Command | None = None
    fault: Command | None = None
    stop: Command | None = None
    deleted: Command | None = None
    master_rx_lower_pri: Command | None = None
    smtp_alert: bool = False
    priority_changes: bool = False  # notify_priority_changes


NOBODY: Final = Notifications()


@dataclass(frozen=True, slots=True)
class Fifo:
    """A named pipe that is told of every change: `vrrp` of instances and groups, `lvs` of services.

    `script` reads it: it is started with the pipe's path as its last argument.
    """

    path: str
    user: str = ""
    group: str = ""
    vrrp: bool = True
    lvs: bool = True
    script: Command | None = None


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where SMTP alerts go."""

    server: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    helo_name: str = ""
    timeout: float = 30.0

    def __str__(self) -> str:
        return f"to {', '.join(self.recipients)} through {self.server}:{self.port}"
