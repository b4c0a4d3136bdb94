"""What stands against making two servers a pair: what no statement can change, and data that would be lost."""

from __future__ import annotations

from collections.abc import Iterator

from pyvrrp.mysql.finding import some
from pyvrrp.mysql.pairing import End, Wish, beyond


def obstacles(active: End, standby: End, wish: Wish) -> tuple[str, ...]:
    """Every reason why nothing is done yet."""
    ends = (active, standby)
    return (*_not_at_run_time(ends, wish), *_differences(active, standby, wish), *_password(ends, wish))


def _not_at_run_time(ends: tuple[End, End], wish: Wish) -> Iterator[str]:
    first, second = (each.facts for each in ends)
    if first.maria != second.maria:
        yield f"{first.dialect.name} and {second.dialect.name} do not replicate from each other in both directions"
    elif first.gtid != second.gtid:
        yield "one of the two has GTIDs, the other has not"
    elif not first.gtid and not wish.without_gtid and not ends[1].sources:
        yield "neither server has GTIDs (gtid_mode): put the lines into my.cnf, or say --without-gtid"
    if first.server_id == second.server_id:
        yield f"both servers have server_id {first.server_id}"
    for facts in (first, second):
        if facts.server_id == 0:
            yield f"{facts.name} has server_id 0"
        if facts.on("log_bin") is False:
            yield f"{facts.name} has no log_bin"
        elif facts.on("log_slave_updates") is False:
            yield f"{facts.name} has no log_slave_updates"
        for row in facts.replication or ():
            number = row.get("last_sql_errno", "0")
            if number not in ("", "0"):
                yield f"replication on {facts.name} has stopped, error {number}: {row.get('last_sql_error')}"


def _differences(active: End, standby: End, wish: Wish) -> Iterator[str]:
    """Whether the standby may begin to replicate from the active one; asked only where it does not yet."""
    for end, other in ((standby, active), (active, standby)):
        for row in end.facts.replication or ():
            host = row.get("source_host", "")
            if host and host != other.host:
                yield f"{end.facts.name} replicates from {host} and not from {other.host}: point it there, or RESET it"
    if standby.sources:
        return
    errant = beyond(standby.facts, active.facts)
    if errant:
        yield (
            f"{standby.facts.name} has transactions that {active.facts.name} has not: {some(errant)}. If nothing in"
            f" them is worth keeping, {standby.forgets} there"
        )
        return
    lacking = sorted(set(active.tables) - set(standby.tables))
    if lacking and not standby.position and not wish.same_data:
        yield (f"{standby.facts.name} has not got {some(lacking)}: setting up copies no data. {_copy(standby)}")
    elif active.tables and not standby.position and not wish.same_data:
        yield (
            f"{standby.facts.name} has tables and does not say up to which transaction. If the two have the same data"
            " now, and nothing writes, say --same-data"
        )


def _copy(standby: End) -> str:
    facts = standby.facts
    if facts.maria:
        # Into its own log it would write the copy as transactions of its own, and then refuse the position.
        return (
            "Copy them first, with mariadb-backup, or with mariadb-dump --all-databases --single-transaction"
            f" --master-data=1 --gtid here; and there, where nothing is worth keeping: {standby.forgets}; and mariadb"
            " --init-command='SET sql_log_bin = 0' < the dump, and FLUSH LOCAL PRIVILEGES: it brings the accounts too,"
            " which count from then on. The administrator whom setup uses there must be known here first"
        )
    if facts.gtid:
        return "Copy them first: mysqldump --all-databases --single-transaction --triggers --routines --events"
    return "Copy them first, while nothing writes (mysqldump --all-databases --lock-all-tables), then say --same-data"


def _password(ends: tuple[End, End], wish: Wish) -> Iterator[str]:
    held = [each for end in ends for each in end.facts.accounts or () if each.rpartition("@")[0] == wish.agent]
    if held and not wish.known and not wish.anew:
        yield (
            f"the account {held[0]} is there, and its password is not known here: copy the password's file from the"
            " other node (mode 0600), or say --new-password"
        )
