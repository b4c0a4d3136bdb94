"""A server that only a script plays: for versions that do not run here, and answers that none gives at will."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pyvrrp.core.settings import Account
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.session import NO_TIME, Row, Session

NOWHERE = Account(socket="/nonexistent/socket", user="pyvrrp")
Answer = Callable[[str], Sequence[Row]]  # raises DatabaseError


class Scripted(Session):
    """Each statement is answered after `takes` seconds; `asked` are all of them. `greeting` is what the next connection
    begins with, which is made when the server has `parted`."""

    def __init__(self, answer: Answer, takes: float = 0.0) -> None:
        super().__init__(NOWHERE)
        self.takes = takes
        self.asked: list[str] = []
        self.greeting = ""
        self.parted = False
        self._greeted = ""
        self._answer = answer

    @property
    def version(self) -> str:
        return self._greeted

    @property
    def ended(self) -> bool:
        return self.parted

    async def ask(self, *statements: str, within: float) -> list[Row]:
        rows: Sequence[Row] = ()
        self._greeted, self.parted = self.greeting, False
        deadline = asyncio.get_running_loop().time() + within
        for statement in statements:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise DatabaseError(Kind.TIMED_OUT, 0, NO_TIME)
            self.asked.append(statement)
            await asyncio.sleep(min(self.takes, left))
            if self.takes > left:
                raise DatabaseError(Kind.TIMED_OUT, 0, f"no answer in {within:.3g} s")
            rows = self._answer(statement)
        return list(rows)


def scripted(answer: Answer, takes: float = 0.0) -> tuple[Server, Scripted]:
    """A server, and the session that it asks everything over."""
    server, session = Server(NOWHERE), Scripted(answer, takes)
    server.gate = server.work = session
    return server, session
