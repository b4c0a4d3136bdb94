"""`pyvrrpctl mysql setup`: shows each change, asks, and has it done."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pyvrrp.cli.asking import agreed
from pyvrrp.cli.failure import REFUSED, UNHEALTHY, UNREACHABLE, Failure
from pyvrrp.cli.servers import HERE, SERVICE, THERE, administrators_of, agent_of, local_hosts, own_ip_towards

if TYPE_CHECKING:  # PyMySQL costs a tenth of a second
    from pyvrrp.core.settings import Account, DatabaseSettings
    from pyvrrp.mysql.failure import DatabaseError
    from pyvrrp.mysql.pairing import Plan, Step, Wish
    from pyvrrp.mysql.perform import Pair

FOREIGN: Final = 1130  # ER_HOST_NOT_PRIVILEGED: nobody at all may come from this host


async def set_up(database: DatabaseSettings, options: dict[str, Any]) -> int:
    """Survey, plan, ask, carry out; the exit status. Raises Failure."""
    from pyvrrp.mysql.failure import DatabaseError
    from pyvrrp.mysql.pairing import End
    from pyvrrp.mysql.perform import Pair, new_password
    from pyvrrp.mysql.session import Session
    from pyvrrp.mysql.setup import active_first, plan
    from pyvrrp.mysql.survey import survey

    administrators = administrators_of(options, database, wanted=True)
    peer = database.peer
    if peer is None or administrators.here is None or administrators.there is None:
        raise Failure("node.yaml names no peer: there is nothing to pair with", UNREACHABLE)
    user, password = agent_of(database)
    local = ("localhost",) if database.account.socket else local_hosts(database.account.host)
    try:
        mine = await survey(HERE, administrators.here, user=user, files=True)
    except DatabaseError as error:
        raise Failure(_no_way_in(HERE, administrators.here, error), UNREACHABLE) from None
    try:
        other = await survey(THERE, administrators.there, user=user)
    except DatabaseError as error:
        raise Failure(_no_way_in(THERE, administrators.there, error), UNREACHABLE) from None
    ours = options["address"] or own_ip_towards(peer.host, peer.port)
    here = End(mine, ours, options["port"] or int(mine.value("port") or 3306), local)
    active, standby = active_first(here, End(other, peer.host, peer.port, local))
    wish = _wish(user, password, options)
    proposed = plan(active, standby, wish)
    seen = {each.facts.name for each in (active, standby) if each.facts.files_read}
    if proposed.refusals:
        _show_lines(proposed, seen)
        for each in proposed.refusals:
            click.echo(f"pyvrrpctl: not yet: {each}", err=True)
        return REFUSED
    fresh = password is None or wish.anew
    secret = password if password is not None and not wish.anew else new_password()
    sessions = {HERE: Session(administrators.here), THERE: Session(administrators.there)}
    try:
        pair = Pair(active, standby, sessions, secret)
        click.echo(f"-- active: {active.facts.name} ({active.host}:{active.port}), standby: {standby.facts.name}")
        if options["only_print"]:
            kept = _password_file(database.account) if fresh and _uses_password(proposed) else ""
            if kept:
                shown = f": {secret}" if options["show_passwords"] else ""
                click.echo(
                    f"-- {HERE}: the agent's password{shown}, in {kept} (mode 0600), to be copied to the other node"
                )
            _print(pair, proposed, secret=options["show_passwords"])
            _show_lines(proposed, seen)
            return 0
        ask = not options["yes"]
        if fresh and _uses_password(proposed):
            _keep(database.account, user, secret, ask=ask)
        status = await _do(pair, proposed, ask=ask)
        _show_lines(proposed, seen)
        return status
    finally:
        for session in sessions.values():
            session.close()


def _no_way_in(name: str, account: Account, error: DatabaseError) -> str:
    """What an administrator reads who gets no further than this; each with what is most often behind it."""
    from pyvrrp.mysql.failure import Kind

    match error.kind:
        case Kind.REFUSED if name == THERE:
            hint = " (does it run, and is its bind_address another than 127.0.0.1?)"
        case _ if not error.number:  # the file with the password, or the network
            hint = ""
        case _ if name == THERE and (error.kind is Kind.DENIED or error.number == FOREIGN):
            hint = " (it wants an administrator who may come from this host: --peer-user, --peer-defaults-file)"
        case Kind.DENIED:
            hint = " (--user and --defaults-file say who the administrator is)"
        case _:
            hint = ""
    return f"{name}, {account.user} at {account}: {error}{hint}"


async def _do(pair: Pair, proposed: Plan, *, ask: bool) -> int:
    from pyvrrp.mysql.perform import SetupError

    if not proposed.steps:
        click.echo("-- nothing to do")
        return 0
    for step in proposed.steps:
        _show(pair, step, secret=False)
        if ask and not agreed("Do this?", default=True):
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


def _show(pair: Pair, step: Step, *, secret: bool) -> None:
    click.echo(f"-- {step.on}: {step.purpose}")
    for each in pair.shown(step, secret=secret):
        click.echo(f"{each};")


def _print(pair: Pair, proposed: Plan, *, secret: bool) -> None:
    for step in proposed.steps:
        _show(pair, step, secret=secret)
    if not proposed.steps:
        click.echo("-- nothing to do")


def _show_lines(proposed: Plan, seen: Collection[str]) -> None:
    """`seen`: the servers whose option files were read; of others no more is known than what is in force."""
    for name, lines in proposed.lines.items():
        if lines:
            unsure = " cannot be read from here; these lines, where they are not there yet" if name not in seen else ""
            click.echo(f"-- my.cnf of {name}{unsure} (they count from its next start):")
            for line in lines:
                click.echo(f"--     {line}")


def _uses_password(proposed: Plan) -> bool:
    from pyvrrp.mysql.pairing import AGENT
    from pyvrrp.mysql.passwords import hash_of

    names = (f":{AGENT}:", f":{hash_of(AGENT)}:")
    return any(name in each for name in names for step in proposed.steps for each in step.statements)


def _keep(account: Account, user: str, password: str, *, ask: bool) -> None:
    """Write the agent's password where the configuration says that it is. Raises Failure."""
    name = _password_file(account)
    text = f"{password}\n" if account.password_file else f"[client]\nuser = {user}\npassword = {password}\n"
    click.echo(f"-- {HERE}: the agent's password, in {name} (mode 0600)")
    if ask and not agreed("Do this?", default=True):
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


def _password_file(account: Account) -> str:
    """Raises Failure."""
    name = account.password_file or account.defaults_file
    if not name:
        raise Failure("node.yaml names no password_file: the agent's password would be lost", UNREACHABLE)
    return name


def _give(descriptor: int) -> None:
    """To the user whom the service runs as, where there is one and we may."""
    if os.geteuid() == 0:
        with contextlib.suppress(KeyError):
            service = pwd.getpwnam(SERVICE)
            os.fchown(descriptor, service.pw_uid, service.pw_gid)


def _wish(user: str, password: str | None, options: dict[str, Any]) -> Wish:
    from pyvrrp.mysql.pairing import Wish

    return Wish(
        agent=user,
        known=password is not None,
        anew=options["new_password"],
        semi_sync=options["semi_sync"],
        same_data=options["same_data"],
        without_gtid=options["without_gtid"],
    )
