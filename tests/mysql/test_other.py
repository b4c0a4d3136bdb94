"""What is known of the other server, which may become another one while this agent runs."""

from __future__ import annotations

import asyncio

from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.other import Other
from pyvrrp.mysql.session import Row
from tests.mysql.scripted import NOWHERE, Scripted


class Upgraded:
    """A peer of MySQL 8.0 that becomes one of 8.4."""

    def __init__(self) -> None:
        self.version = "8.0.36"
        self.other = Other(NOWHERE)
        self.gate, self.work = Scripted(self._answer), Scripted(self._answer)
        self.gate.greeting = self.work.greeting = self.version
        server = self.other._server
        assert server is not None
        server.gate, server.work = self.gate, self.work

    def upgrade(self) -> None:
        self.version = self.gate.greeting = self.work.greeting = "8.4.3"

    async def trouble(self) -> str:
        await self.other.ask_at_once(0.0, 1.0)
        return self.other.trouble

    def _answer(self, statement: str) -> list[Row]:
        unknown = "SHOW MASTER STATUS" if self.version == "8.4.3" else "SHOW BINARY LOG STATUS"
        if statement == unknown:
            raise DatabaseError(Kind.SQL, 1064, "error 1064: You have an error in your SQL syntax")
        if statement.startswith("SHOW "):
            return (
                [{"File": "bin.000007", "Position": 154}]
                if "STATUS" in statement and "REPLICA" not in statement
                else []
            )
        return [{"version": self.version, "comment": "MySQL Community Server - GPL", "gtid_mode": "OFF"}]


def test_a_peer_that_was_upgraded_is_asked_in_its_new_words_at_once() -> None:
    async def story() -> None:
        peer = Upgraded()
        assert await peer.trouble() == ""
        peer.upgrade()
        peer.gate.parted = peer.work.parted = True
        assert await peer.trouble() == ""
        assert "SHOW BINARY LOG STATUS" in peer.work.asked

    asyncio.run(story())


def test_one_whose_end_was_not_heard_is_known_by_its_greeting() -> None:
    """Its host lost power: the connection on which nothing is asked stays as it is for hours."""

    async def story() -> None:
        peer = Upgraded()
        assert await peer.trouble() == ""
        peer.upgrade()
        peer.gate.greeting = "8.0.36"
        assert "1064" in await peer.trouble(), "the old connection gave way to a new one in the midst of it"
        peer.gate.greeting = "8.4.3"
        assert await peer.trouble() == ""

    asyncio.run(story())


def test_while_nothing_changes_it_is_not_asked_for_its_version_again() -> None:
    async def story() -> None:
        peer = Upgraded()
        for _ in range(3):
            await peer.trouble()
        assert len(peer.gate.asked) == 1

    asyncio.run(story())
