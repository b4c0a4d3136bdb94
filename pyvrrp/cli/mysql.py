"""`pyvrrpctl mysql check | setup`: is the pair of servers fit for a failover, and what makes it so."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pyvrrp.cli.failure import UNHEALTHY
from pyvrrp.cli.mysql_setup import set_up
from pyvrrp.cli.servers import HERE, THERE, Administrators, administrators_of, agent_of, database_of, peer_of

if TYPE_CHECKING:  # PyMySQL and pydantic cost a tenth of a second each
    from pyvrrp.core.settings import Account, DatabaseSettings, InstanceSettings
    from pyvrrp.mysql.facts import Facts
    from pyvrrp.mysql.finding import Finding, Wanted

Command = TypeVar("Command", bound=Callable[..., Any])

WIDTH: Final = 110


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
    import asyncio

    instance, database = database_of(options["file"], options["instance"])
    administrators = administrators_of(options, database, wanted=False)
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
    from pyvrrp.mysql.finding import Finding, Severity
    from pyvrrp.mysql.lint import findings
    from pyvrrp.mysql.survey import survey

    async def look(name: str, own: Account, administrator: Account | None, *, files: bool) -> Facts | Finding:
        try:
            return await survey(name, administrator or own, own, files=files)
        except DatabaseError as error:
            return Finding(Severity.PROBLEM, name, f"cannot be looked at: {error}")

    here = await look(HERE, database.account, administrators.here, files=True)
    peer = peer_of(database)
    there = await look(THERE, peer, administrators.there, files=False) if peer is not None else None
    failed = tuple(each for each in (here, there) if isinstance(each, Finding))
    if isinstance(here, Finding):
        return failed
    return *failed, *findings(here, None if isinstance(there, Finding) else there, _wanted(instance, database))


def _shown(finding: Finding) -> str:
    margin = " " * 10
    first = f"{finding.severity.value:<8}  "
    lines = textwrap.wrap(f"{finding.server}: {finding.text}", WIDTH, initial_indent=first, subsequent_indent=margin)
    lines += [f"{margin}→ {_mending(each)}" for each in finding.mend]
    return "\n".join(lines)


def _mending(text: str) -> str:
    """Advice, SQL, or a line of my.cnf, which is said to be one."""
    return text[2:] if text.startswith("#") else text if ";" in text else f"my.cnf: {text}"


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
    import asyncio

    _, database = database_of(options["file"], options["instance"])
    return asyncio.run(set_up(database, options))


def _wanted(instance: InstanceSettings, database: DatabaseSettings) -> Wanted:
    from pyvrrp.mysql.finding import Wanted

    addresses = tuple(str(each.address) for each in (*instance.addresses, *instance.excluded))
    peer = database.peer
    return Wanted(
        addresses=addresses,
        peer_hosts=(peer.host,) if peer is not None and not peer.socket else (),
        keep_users=database.keep_users,
        semi_sync=database.semi_sync == "auto",
        agent=agent_of(database)[0],
    )
