"""`pyvrrpctl mysql check | setup`: is the pair of servers fit for a failover, and what makes it so."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import pwd
import socket
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pyvrrp.cli.failure import REFUSED, UNHEALTHY, UNREACHABLE, Failure
from pyvrrp.errors import ConfigError

if TYPE_CHECKING:  # PyMySQL and pydantic cost a tenth of a second each
    from pyvrrp.core.settings import Account, DatabaseSettings, InstanceSettings
    from pyvrrp.mysql.facts import Facts
    from pyvrrp.mysql.lint import Finding, Wanted
    from pyvrrp.mysql.perform import Pair
    from pyvrrp.mysql.setup import Plan, Step, Wish

Command = TypeVar("Command", bound=Callable[..., Any])

HERE, THERE = "this server", "the other server"
SOCKETS: Final = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")  # noqa: S108
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
WIDTH: Final = 110
SERVICE: Final = "pyvrrp"  # the user that conf/pyvrrpd.service runs as


@dataclass(frozen=True, slots=True)
class Administrators:
    """Who may look at everything: on this server and on the other one; None where that is the agent alone."""

    here: Account | None
    there: Account | None


def _options(command: Command) -> Command:
    """What check and setup have in common."""
    for option in reversed(
        (
            click.option("-c", "--config", "file", default="/etc/pyvrrp/node.yaml", show_default=True, metavar="FILE"),
            click.option("--instance", metavar="NAME", help="Which instance's database, where there are several."),
            click.option("--socket", "path", metavar="PATH", help="This server's socket, for the administrator."),
            click.option("--user", default="root", show_default=True, help="The administrator on this server."),
            click.option(
                "--defaults-file",
                metavar="FILE",
                help="A my.cnf (mode 0600) with the administrator's"
                " password in [client]. Without it: no password, as for root over the socket.",
            ),
            click.option("--peer-user", help="The administrator on the other server; the same by default."),
            click.option("--peer-defaults-file", metavar="FILE", help="A my.cnf with that one's password."),
        )
    ):
        command = option(command)
    return command


@click.group()
def mysql() -> None:
    """The two database servers of a pair."""


@mysql.command()
@_options
def check(**options: Any) -> int:  # as click hands them over
    """Judge the two servers: what costs a failover, or data in one, and what mends it.

    Exit status 3 when there is a problem. Where an administrator gets in (root over the socket) it sees more.
    """
    instance, database = _database(options["file"], options["instance"])
    administrators = _administrators(options, database, wanted=False)
    found = asyncio.run(_judge(instance, database, administrators))
    for each in found:
        click.echo(_shown(each))
    counts = {kind: sum(each.severity.value == kind for each in found) for kind in ("problem", "advice", "note")}
    click.echo(_summary(counts))
    return UNHEALTHY if counts["problem"] else 0


async def _judge(
    instance: InstanceSettings, database: DatabaseSettings, administrators: Administrators
) -> tuple[Finding, ...]:
    from pyvrrp.mysql.failure import DatabaseError
    from pyvrrp.mysql.lint import Finding, Severity, findings
    from pyvrrp.mysql.survey import survey

    async def look(name: str, own: Account, administrator: Account | None, *, files: bool) -> Facts | Finding:
        try:
            return await survey(name, administrator or own, own, files=files)
        except DatabaseError as error:
            return Finding(Severity.PROBLEM, name, f"cannot be looked at: {error}")

    peer = _peer(database)
    results = [await look(HERE, database.account, administrators.here, files=True)]
    if peer is not None:
        results.append(await look(THERE, peer, administrators.there, files=False))
    failed = tuple(each for each in results if isinstance(each, Finding))
    facts = [each for each in results if not isinstance(each, Finding)]
    if not facts:
        return failed
    wanted = _wanted(instance, database)
    return *failed, *findings(facts[0], facts[1] if len(facts) > 1 else None, wanted)


def _shown(finding: Finding) -> str:
    margin = " " * 10
    first = f"{finding.severity.value:<8}  "
    lines = textwrap.wrap(f"{finding.server}: {finding.text}", WIDTH, initial_indent=first, subsequent_indent=margin)
    for each in finding.mend:
        if each.startswith("#"):
            lines.append(f"{margin}→ {each[2:]}")
        else:
            lines.append(
                f"{margin}→ {each}" if each.rstrip().endswith(";") or ";" in each else f"{margin}→ my.cnf: {each}"
            )
    return "\n".join(lines)


def _summary(counts: dict[str, int]) -> str:
    problems, advice, notes = counts["problem"], counts["advice"], counts["note"]
    said = [f"{problems} problem{'' if problems == 1 else 's'}" if problems else "no problem"]
    said += [f"{advice} piece{'' if advice == 1 else 's'} of advice"] if advice else []
    said += [f"{notes} not seen"] if notes else []
    return ", ".join(said)


@mysql.command()
@_options
@click.option("--print", "only_print", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--show-passwords", is_flag=True, help="With --print: new passwords too.")
@click.option("--yes", is_flag=True, help="Do not ask before each change.")
@click.option("--semi-sync", is_flag=True, help="Install the plugins of semi-synchronous replication (MySQL).")
@click.option("--same-data", is_flag=True, help="The two servers have the same data now, and nothing writes.")
@click.option("--without-gtid", is_flag=True, help="MySQL: by file and position, where gtid_mode is OFF.")
@click.option("--new-password", is_flag=True, help="Give the agent's accounts a new password.")
@click.option("--address", metavar="IP", help="This node's address, as the other server sees it.")
@click.option("--port", type=int, help="This server's port, for the other one. By default as it says itself.")
def setup(**options: Any) -> int:
    """Make the two servers a pair: accounts, replication in both directions, the heartbeat's table.

    Each change is shown and asked for, and a second run finds nothing to do. The server that takes writes stays open;
    the other one is closed. What only my.cnf can say is printed.
    """
    _, database = _database(options["file"], options["instance"])
    return asyncio.run(_set_up(database, options))


async def _set_up(database: DatabaseSettings, options: dict[str, Any]) -> int:
    from pyvrrp.mysql.failure import DatabaseError
    from pyvrrp.mysql.perform import Pair, new_password
    from pyvrrp.mysql.session import Session
    from pyvrrp.mysql.setup import End, active_first, plan
    from pyvrrp.mysql.survey import survey

    administrators = _administrators(options, database, wanted=True)
    peer = database.peer
    if peer is None or administrators.here is None or administrators.there is None:
        raise Failure("node.yaml names no peer: there is nothing to pair with", UNREACHABLE)
    user, password = _agent(database)
    local = ("localhost",) if database.account.socket else _local_hosts(database.account.host)
    try:
        mine = await survey(HERE, administrators.here, user=user, files=True)
        other = await survey(THERE, administrators.there, user=user)
    except DatabaseError as error:
        raise Failure(str(error), UNREACHABLE) from None
    theirs = _address(peer.host)
    ours = options["address"] or _address_towards(theirs, peer.port)
    here = End(mine, ours, options["port"] or int(mine.value("port") or 3306), local)
    active, standby = active_first(here, End(other, theirs, peer.port, local))
    wish = _wish(user, password, options)
    proposed = plan(active, standby, wish)
    if proposed.refusals:
        _show_lines(proposed)
        for each in proposed.refusals:
            click.echo(f"pyvrrpctl: not yet: {each}", err=True)
        return REFUSED
    fresh = password is None or wish.anew
    secret = new_password() if password is None or wish.anew else password
    sessions = {HERE: Session(administrators.here), THERE: Session(administrators.there)}
    try:
        pair = Pair(active, standby, sessions, secret)
        click.echo(f"-- active: {active.facts.name} ({active.host}:{active.port}), standby: {standby.facts.name}")
        if options["only_print"]:
            _print(pair, proposed, secret=options["show_passwords"])
            return 0
        ask = not options["yes"]
        if fresh and _uses_password(proposed):
            _keep(database.account, user, secret, ask=ask)
        status = await _do(pair, proposed, ask=ask)
        _show_lines(proposed)
        return status
    finally:
        for session in sessions.values():
            session.close()


async def _do(pair: Pair, proposed: Plan, *, ask: bool) -> int:
    from pyvrrp.mysql.perform import SetupError

    if not proposed.steps:
        click.echo("-- nothing to do")
        return 0
    for step in proposed.steps:
        _show(pair, step, secret=False)
        if ask and not click.confirm("Do this?", default=True):
            click.echo("left as it is; what was done before stays, and a second run goes on here")
            return REFUSED
        try:
            await pair.perform(step)
        except SetupError as error:
            if not step.optional:
                raise Failure(str(error), UNHEALTHY) from None
            click.echo(f"-- not done, nothing depends on it: {error}")
    click.echo("-- done; `pyvrrpctl mysql check` judges it")
    return 0


# --- what is shown ----------------------------------------------------------------------------------------------------


def _show(pair: Pair, step: Step, *, secret: bool) -> None:
    click.echo(f"-- {step.on}: {step.purpose}")
    for each in pair.shown(step, secret=secret):
        click.echo(f"{each};")


def _print(pair: Pair, proposed: Plan, *, secret: bool) -> None:
    for step in proposed.steps:
        _show(pair, step, secret=secret)
    if not proposed.steps:
        click.echo("-- nothing to do")
    _show_lines(proposed)


def _show_lines(proposed: Plan) -> None:
    for name, lines in proposed.lines.items():
        if lines:
            known = "" if name == HERE else ", where they are not there yet"
            click.echo(f"-- my.cnf of {name}{known} (they count from its next start):")
            for line in lines:
                click.echo(f"--     {line}")


# --- the agent's password ---------------------------------------------------------------------------------------------


def _agent(database: DatabaseSettings) -> tuple[str, str | None]:
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


def _uses_password(proposed: Plan) -> bool:
    from pyvrrp.mysql.setup import AGENT

    return any(f":{AGENT}:" in each for step in proposed.steps for each in step.statements)


def _keep(account: Account, user: str, password: str, *, ask: bool) -> None:
    """Write the agent's password where the configuration says that it is. Raises Failure."""
    name = account.password_file or account.defaults_file
    if not name:
        raise Failure("node.yaml names no password_file: the agent's password would be lost", UNREACHABLE)
    text = f"{password}\n" if account.password_file else f"[client]\nuser = {user}\npassword = {password}\n"
    click.echo(f"-- {HERE}: the agent's password, in {name} (mode 0600)")
    if ask and not click.confirm("Do this?", default=True):
        raise Failure("without it the agent does not get in", REFUSED)
    path = Path(name)
    new = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            _give(file.fileno())
            file.write(text)
        new.replace(path)
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}", UNREACHABLE) from None
    click.echo(f"-- copy {name} to the other node, with its mode and owner")


def _give(descriptor: int) -> None:
    """To the user whom the service runs as, where there is one and we may."""
    if os.geteuid() == 0:
        with contextlib.suppress(KeyError):
            service = pwd.getpwnam(SERVICE)
            os.fchown(descriptor, service.pw_uid, service.pw_gid)


# --- who and where ----------------------------------------------------------------------------------------------------


def _database(file: str, name: str | None) -> tuple[InstanceSettings, DatabaseSettings]:
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


def _administrators(options: dict[str, Any], database: DatabaseSettings, *, wanted: bool) -> Administrators:
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


def _peer(database: DatabaseSettings) -> Account | None:
    """The other server under the agent's account."""
    if database.peer is None:
        return None
    own = database.account
    user = database.peer.user or own.user
    if database.peer.password_file or database.peer.defaults_file:
        return replace(database.peer, user=user)
    return replace(database.peer, user=user, password_file=own.password_file, defaults_file=own.defaults_file)


def _wanted(instance: InstanceSettings, database: DatabaseSettings) -> Wanted:
    from pyvrrp.mysql.lint import Wanted

    addresses = tuple(str(each.address) for each in (*instance.addresses, *instance.excluded))
    peers: list[str] = []
    if database.peer is not None and not database.peer.socket:
        peers = [database.peer.host]
        with contextlib.suppress(Failure):
            peers.append(_address(database.peer.host))
    return Wanted(
        addresses=addresses,
        peer_hosts=tuple(dict.fromkeys(peers)),
        keep_users=database.keep_users,
        semi_sync=database.semi_sync == "auto",
        agent=_agent(database)[0],
    )


def _wish(user: str, password: str | None, options: dict[str, Any]) -> Wish:
    from pyvrrp.mysql.setup import Wish

    return Wish(
        agent=user,
        known=password is not None,
        anew=options["new_password"],
        semi_sync=options["semi_sync"],
        same_data=options["same_data"],
        without_gtid=options["without_gtid"],
    )


def _local_hosts(host: str) -> tuple[str, ...]:
    return ("127.0.0.1", "localhost") if host in LOOPBACK else (host,)


def _address(host: str) -> str:
    """The IP address of a host. Raises Failure."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host))
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise Failure(f"{host}: {error.strerror}", UNREACHABLE) from None


def _address_towards(host: str, port: int) -> str:
    """This host's address on the way to another; nothing is sent."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((host, port))
            return str(sock.getsockname()[0])
    except OSError as error:
        raise Failure(f"no way to {host}: {error.strerror}; --address says this node's", UNREACHABLE) from None
