"""Where a recording hears what it records. This loads nothing: the daemon has it while nobody records, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyvrrp.core.effects import Effect
from pyvrrp.core.events import Event
from pyvrrp.core.node import Node

if TYPE_CHECKING:  # it brings OpenSSL with it, 1.5 MiB
    from pyvrrp.recording.reel import Reel


class Core(Protocol):
    """What the heart wants of a node."""

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""

    @property
    def done(self) -> bool:
        """Whether it has handed over."""

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take one event."""

    def next_deadline(self) -> float | None:
        """When `TimerDue` is wanted."""


class Tap:
    """Stands between heart and node while somebody records, and hears all that passes. It changes nothing."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.reels: tuple[Reel, ...] = ()

    @property
    def stopping(self) -> bool:
        """The node's."""
        return self._node.stopping

    @property
    def done(self) -> bool:
        """The node's."""
        return self._node.done

    def handle(self, event: Event, now: float) -> list[Effect]:
        """The node's."""
        try:
            effects = self._node.handle(event, now)
        except Exception as error:
            for reel in self.reels:
                reel.turn(now, event, (), f"{type(error).__name__}: {error}")
            raise
        for reel in self.reels:
            reel.turn(now, event, effects)
        return effects

    def next_deadline(self) -> float | None:
        """The node's."""
        due = self._node.next_deadline()
        for reel in self.reels:
            reel.deadline(due)
        return due
