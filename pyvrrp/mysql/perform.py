"""Carries out the steps of a setup. Passwords go to the server and nowhere else."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Final

from pyvrrp.errors import PyvrrpError
from pyvrrp.mysql.dialect import modern, quoted
from pyvrrp.mysql.failure import DatabaseError
from pyvrrp.mysql.pairing import AGENT, COORDINATES, End, Step
from pyvrrp.mysql.passwords import hash_of, hashed
from pyvrrp.mysql.session import Row, Session

SECONDS: Final = 60.0  # for one step
CATCH_UP: Final = 60.0
POLL: Final = 0.2


class SetupError(PyvrrpError):
    """A step did not succeed. What stands in it is safe to show."""


def new_password() -> str:
    """One that policies accept, and MySQL's replication: it takes 32 characters."""
    return f"{secrets.token_urlsafe(18)}-aZ9"


class Pair:
    """The two servers under an administrator's accounts, and the secrets of one run."""

    def __init__(self, active: End, standby: End, sessions: Mapping[str, Session], agent_password: str) -> None:
        self._active, self._standby = active, standby
        self._sessions = sessions
        replicas = (f"repl_{end.facts.server_id}" for end in (active, standby))
        clear = {AGENT: agent_password, **{user: new_password() for user in replicas}}
        self._secrets = clear | {hash_of(name): hashed(value) for name, value in clear.items()}

    def shown(self, step: Step, *, secret: bool) -> tuple[str, ...]:
        """The statements of a step for people, its passwords as "..." unless they asked for them."""
        values = {name: quoted(value) if secret else "'...'" for name, value in self._secrets.items()}
        file, position = COORDINATES
        at = {file: f"<File of {step.coordinates}>", position: f"<Position of {step.coordinates}>"}
        return tuple(_filled(_named(each, values), at) for each in step.statements)

    async def perform(self, step: Step) -> None:
        """Raises SetupError, without the passwords that a server's complaint may repeat."""
        try:
            await self._perform(step)
        except DatabaseError as error:
            text = str(error)
            for value in self._secrets.values():
                text = text.replace(value, "...")
            raise SetupError(f"{step.on}: {text}") from None

    async def _perform(self, step: Step) -> None:
        values = _named_all(self._secrets)
        if step.coordinates:
            values |= await self._end_of_log(step.coordinates)
        statements = [_filled(each, values) for each in step.statements]
        await self._sessions[step.on].ask(*statements, within=SECONDS)
        if step.catch_up:
            await self._caught_up()

    async def _end_of_log(self, name: str) -> dict[str, str]:
        (row,) = await self._sessions[name].ask(self._active.facts.dialect.binlog_status, within=SECONDS)
        file, position = COORDINATES
        return {file: quoted(str(row["File"])), position: str(row["Position"])}

    async def _caught_up(self) -> None:
        """Wait until the standby has what the active server has now; DatabaseError or SetupError when it does not."""
        session = self._sessions[self._standby.facts.name]
        wait = await self._wait_statement()
        deadline = asyncio.get_running_loop().time() + CATCH_UP
        while asyncio.get_running_loop().time() < deadline:
            (status,) = await session.ask(self._standby.facts.dialect.replica_status, within=SECONDS)
            row = {modern(name): value for name, value in status.items()}
            self._complain(row)
            if row["replica_io_running"] == row["replica_sql_running"] == "Yes":
                (answer,) = await session.ask(wait, within=SECONDS)
                if answer["reached"]:
                    return
            await asyncio.sleep(POLL)
        raise SetupError(f"{self._standby.facts.name} does not catch up with {self._active.facts.name}")

    async def _wait_statement(self) -> str:
        facts, session = self._active.facts, self._sessions[self._active.facts.name]
        spoken = self._standby.facts.dialect
        if facts.gtid:
            variable = "gtid_binlog_pos" if facts.maria else "gtid_executed"
            (row,) = await session.ask(f"SELECT @@global.{variable} AS position", within=SECONDS)
            return spoken.wait_gtid(str(row["position"]).replace("\n", ""), 1.0)
        (row,) = await session.ask(facts.dialect.binlog_status, within=SECONDS)
        return spoken.wait_position(str(row["File"]), int(row["Position"]), 1.0)

    def _complain(self, row: Row) -> None:
        for thread in ("sql", "io"):
            if int(row[f"last_{thread}_errno"] or 0):
                text = f"error {row[f'last_{thread}_errno']}: {row[f'last_{thread}_error']}"
                raise SetupError(f"{self._standby.facts.name} does not replicate, {text}")


def _named_all(secret: Mapping[str, str]) -> dict[str, str]:
    return {f":{name}:": quoted(value) for name, value in secret.items()}


def _named(statement: str, values: Mapping[str, str]) -> str:
    return _filled(statement, {f":{name}:": value for name, value in values.items()})


def _filled(statement: str, values: Mapping[str, str]) -> str:
    for token, value in values.items():
        statement = statement.replace(token, value)
    return statement
