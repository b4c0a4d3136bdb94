"""Which servers `pyvrrpctl mysql` is about, and as whom they are asked."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pyvrrp.cli.failure import UNREACHABLE, Failure
from pyvrrp.errors import ConfigError

if TYPE_CHECKING:
    from pyvrrp.core.settings import Account, DatabaseSettings, InstanceSettings

HERE, THERE = "this server", "the other server"
SOCKETS: Final = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")  # noqa: S108
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
SERVICE: Final = "pyvrrp"  # the user that conf/pyvrrpd.service runs as, and the agent's where none is named


@dataclass(frozen=True, slots=True)
class Administrators:
    """Who may look at everything: on this server and on the other one; None where that is the agent alone."""

    here: Account | None
    there: Account | None


def database_of(file: str, name: str | None) -> tuple[InstanceSettings, DatabaseSettings]:
    """The instance that is meant, and its database. Raises Failure."""
    from pyvrrp.config.load import load

    try:
        settings = load(file).settings
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise click.exceptions.Exit(UNREACHABLE) from None
    bound = {each.name: (each, each.database) for each in settings.instances if each.database is not None}
    if name is not None and name not in bound:
        raise Failure(f"{file}: no instance {name} with a database", UNREACHABLE)
    if not bound or (name is None and len(bound) > 1):
        known = f"say which with --instance: {', '.join(bound)}" if bound else "no instance has a database (mysql:)"
        raise Failure(f"{file}: {known}", UNREACHABLE)
    return bound[name] if name is not None else next(iter(bound.values()))


def administrators_of(options: dict[str, Any], database: DatabaseSettings, *, wanted: bool) -> Administrators:
    """`wanted`: they were not only asked for, nothing goes without them."""
    from pyvrrp.core.settings import Account

    account, peer = database.account, database.peer
    named = options["path"] or options["defaults_file"] or _given("user")
    here = None
    if wanted or named or os.geteuid() == 0:
        path = options["path"] or account.socket or next(filter(os.path.exists, SOCKETS), "")
        here = Account(
            socket=path,
            host=account.host,
            port=account.port,
            user=options["user"],
            defaults_file=options["defaults_file"] or "",
        )
        if not (wanted or named or _answers(here)):
            here = None
    there = None
    if peer is not None and (wanted or options["peer_user"] or options["peer_defaults_file"]):
        there = replace(
            peer,
            user=options["peer_user"] or options["user"],
            password_file="",
            defaults_file=options["peer_defaults_file"] or "",
        )
    return Administrators(here, there)


def _given(parameter: str) -> bool:
    source = click.get_current_context().get_parameter_source(parameter)
    return source is not click.core.ParameterSource.DEFAULT


def _answers(account: Account) -> bool:
    """Whether an administrator that nobody named gets in."""
    import asyncio

    from pyvrrp.mysql.failure import DatabaseError
    from pyvrrp.mysql.session import Session

    async def ask() -> bool:
        session = Session(account)
        try:
            await session.ask("SELECT 1", within=2.0)
        except DatabaseError:
            return False
        finally:
            session.close()
        return True

    return asyncio.run(ask())


def peer_of(database: DatabaseSettings) -> Account | None:
    """The other server under the agent's account."""
    if database.peer is None:
        return None
    own = database.account
    user = database.peer.user or own.user
    if database.peer.password_file or database.peer.defaults_file:
        return replace(database.peer, user=user)
    return replace(database.peer, user=user, password_file=own.password_file, defaults_file=own.defaults_file)


def agent_of(database: DatabaseSettings) -> tuple[str, str | None]:
    """The agent's user, and its password where it is known. Raises Failure: the files cannot be used."""
    from pyvrrp.mysql.failure import DatabaseError
    from pyvrrp.mysql.session import credentials

    account = database.account
    file = account.password_file or account.defaults_file
    if file and not Path(file).exists():
        return account.user or SERVICE, None
    try:
        user, password = credentials(account)
    except DatabaseError as error:
        raise Failure(str(error), UNREACHABLE) from None
    return user or SERVICE, password if file else None


def own_ip_towards(host: str, port: int) -> str:
    """This host's address on the way to another; nothing is sent."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((host, port))
            return str(sock.getsockname()[0])
    except OSError as error:
        raise Failure(f"no way to {host}: {error.strerror}; --address says this node's", UNREACHABLE) from None


def local_hosts(host: str) -> tuple[str, ...]:
    """The hosts that a connection from this one comes from, as accounts know them."""
    return ("127.0.0.1", "localhost") if host in LOOPBACK else (host,)
