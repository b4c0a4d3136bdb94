"""The place of a database's keeper, and what is wanted of whoever holds it (pyvrrp.mysql, which is not loaded here)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pyvrrp.core.effects import CloseWrites, OpenWrites
from pyvrrp.core.settings import Account, DatabaseSettings

if TYPE_CHECKING:
    from pyvrrp.mysql.published import Published


class SteppedDown(Protocol):
    """A server that takes no more writes: up to where everything is in it, how many sessions were killed."""

    @property
    def position(self) -> str:
        """All that it has."""

    @property
    def killed(self) -> int:
        """Sessions."""

    @property
    def seconds(self) -> float:
        """How long it took."""


class Survey(Protocol):
    """A server as it is now."""

    @property
    def has(self) -> str:
        """All that it has, as a position."""


class Handover(Protocol):
    """A server's part in a planned switchover."""

    async def survey(self) -> Survey:
        """Look at it. Raises PyvrrpError."""

    async def objections(self) -> tuple[str, ...]:
        """What of this active server speaks against a switchover. Raises PyvrrpError."""

    def as_target(self) -> tuple[str, ...]:
        """What keeps this one from being a switchover's target."""

    async def step_down(self, within: float) -> SteppedDown:
        """Close writes for a switchover. Raises PyvrrpError; then they are open."""

    async def step_back(self) -> None:
        """Open them again, unless something else was asked for meanwhile. Raises PyvrrpError."""

    def called_off(self) -> None:
        """This one was a target, and is not to take over."""

    async def reach(self, position: str, within: float) -> None:
        """Wait until all that is applied. Raises PyvrrpError."""


class Keeper(Protocol):
    """What is wanted of pyvrrp.mysql.keeper.Keeper."""

    @property
    def account(self) -> Account:
        """Of its server."""

    @property
    def handover(self) -> Handover:
        """Its part in a planned switchover."""

    def start(self) -> None:
        """Begin to look after the server."""

    async def close(self) -> None:
        """Let go of it, as it is."""

    async def leave(self) -> None:
        """Let go of a server that is this instance's no more: its writes are closed, as far as that can be done."""

    def open_writes(self, effect: OpenWrites) -> None:
        """Answered by an event."""

    def adopt(self, effect: OpenWrites) -> None:
        """The keeper before this one has opened writes."""

    def refuse(self, effect: OpenWrites, reason: str) -> None:
        """Do not open writes beside the other node's; answered by an event."""

    def close_writes(self, effect: CloseWrites) -> None:
        """Answered by an event."""

    async def shut(self, within: float) -> None:
        """The daemon ends: close what could not be closed in time."""

    def told(self, published: Published) -> None:
        """What the other node's keeper publishes."""

    def heard(self) -> None:
        """The active node gave a sign of life."""

    def lacking(self) -> tuple[str, ...]:
        """What the active server is last known to have had, and this one has not, as ranges."""

    def pause(self) -> None:
        """No takeover until `resume`."""

    def resume(self) -> bool:
        """Neither paused nor drained; whether it was."""

    def drain(self) -> None:
        """This node is not to be active until `resume`."""

    def copied(self) -> bool:
        """Its server was made a copy of the active one again. Whether it had something of its own before."""

    def acknowledge(self) -> bool:
        """The last failover has been seen: no hold-down, and what was lost is known. Whether there was one."""


@dataclass(eq=False, slots=True)
class Post:
    """The place of a keeper: it is empty while one is replaced."""

    instance: str
    settings: DatabaseSettings
    directory: str
    keeper: Keeper | None = None
    manned_for: tuple[DatabaseSettings, str] | None = None
    elder: Post | None = None  # whose router goes on as this one's, until a keeper is here
    lent: asyncio.Lock = field(default_factory=asyncio.Lock)  # held while a switchover has its writes closed
    leaving: bool = False  # its instance is in no configuration any more
    heard: float | None = None
    heard_of: float = 0.0  # when the other agent last spoke of its server
    opened: float | None = None  # when its writes were opened, while they are
    opened_on: Account | None = None  # which server's they were
    opened_for: int = 0  # as which term's answer
    own: Published | None = None  # what its keeper published last
    other: Published | None = None  # and the other node's

    @property
    def wanted(self) -> tuple[DatabaseSettings, str]:
        """What the keeper is to be made for."""
        return self.settings, self.directory
