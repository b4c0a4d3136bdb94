"""A check of type mysql with an account: one login, and a question over it each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from pyvrrp.core.settings import Account, CheckSettings
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.probe import Ears
from pyvrrp.mysql.session import Row, Session

QUESTION: Final = "SELECT 1"
# Seconds. A connection that the server ended (KILL, wait_timeout) is made anew at once; what dies closes its listener
# last.
PAUSES: Final = (0.0, 0.002, 0.01)
PATIENCE: Final = 10.0  # seconds, or twice the timeout; then another connection is tried


class MysqlProber(Prober):
    """Passes while the server says anything: too many connections, or a login that it denies, are no death.

    A question that has no answer yet is not asked anew by the next run, so a hung server is not buried under logins.
    """

    def __init__(self, account: Account, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._session = Session(account)
        self._within = max(PATIENCE, 2 * settings.timeout)
        self._asking: asyncio.Task[list[Row]] | None = None
        self._ears: Ears | None = None
        self._answered = False  # over a connection that is held since

    def watch(self, hurry: Callable[[], None]) -> None:
        """See Prober."""

        def heard(*, process: bool) -> None:
            del process
            self._session.drop()
            hurry()

        self._ears = Ears(heard)
        self._ears.open(asyncio.get_running_loop())

    async def look(self) -> Outcome:
        """See Prober."""
        error = await self._ask()
        for pause in PAUSES:
            if error is None or error.kind is not Kind.CLOSED:
                break
            await asyncio.sleep(pause)
            error = await self._ask()
        return self._outcome(error)

    def close(self) -> None:
        """See Prober."""
        if self._ears is not None:
            self._ears.close()
        self._session.sever()
        self._session.close()

    async def _ask(self) -> DatabaseError | None:
        if self._asking is None:
            self._asking = asyncio.create_task(self._session.ask(QUESTION, within=self._within))
            self._asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        asking = self._asking
        await asyncio.wait({asking})  # a run that is given up leaves it under way
        self._asking = None
        try:
            asking.result()
        except DatabaseError as error:
            return error
        if self._ears is not None:
            self._ears.listen(self._session.fileno(), self._session.connections)
        return None

    def _outcome(self, error: DatabaseError | None) -> Outcome:
        if error is None:
            self._answered = True
            return Outcome(True, f"{self._target} answers")
        if error.kind is Kind.OVERLOADED:
            return Outcome(True, f"{self._target} is alive and takes no more connections ({error})")
        if error.number or error.kind is Kind.UNABLE:
            return Outcome(True, f"{self._target} is alive, but cannot be asked: {error}")
        if error.kind is not Kind.REFUSED:
            return Outcome(False, f"{self._target}: {error}")
        # It was there until its connection ended: that is one look, the refusal is the second.
        died, self._answered = self._answered, False
        return Outcome(False, f"{self._target} refused the connection", refused=True, conclusive=died)
