"""Is a pair fit for a failover? Facts of two servers in, findings out, each with its reason and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pyvrrp.mysql.facts import Facts
from pyvrrp.mysql.finding import BOTH, Finding, Severity, Wanted, on, problem, setting
from pyvrrp.mysql.gtid import BinlogState, GtidSet, MariaPosition
from pyvrrp.mysql.lint_server import judged


def findings(here: Facts, there: Facts | None, wanted: Wanted) -> tuple[Finding, ...]:
    """Everything, problems first. `there` is None where nobody may be asked."""
    mine = wanted if there is None else _beside(wanted, there)
    found = list(judged(here, mine, wanted.peer_hosts))
    if there is not None:
        found = _merged(found, tuple(judged(there, _beside(wanted, here), wanted.own_hosts)))
        found += _both(here, there)
    order = list(Severity)
    return tuple(sorted(found, key=lambda each: order.index(each.severity)))


def _beside(wanted: Wanted, other: Facts) -> Wanted:
    return replace(wanted, elsewhere=other.accounts, taken=other.value("auto_increment_offset") or "1")


def _merged(here: Sequence[Finding], there: Sequence[Finding]) -> list[Finding]:
    """What is true of both is said once."""
    same = {each.said: each for each in there}
    merged = [replace(each, server=BOTH) if each.said in same else each for each in here]
    known = {each.said for each in here}
    return merged + [each for each in there if each.said not in known]


def _both(here: Facts, there: Facts) -> Iterator[Finding]:
    yield from _kinds(here, there)
    yield from _one_number(here, there)
    yield from _numbers(here, there)
    if not here.maria and here.gtid != there.gtid:
        text = "one has GTIDs and the other has not: they cannot replicate from each other"
        without = there if here.gtid else here
        yield _pair(Severity.PROBLEM, text, *on(without, "gtid_mode = ON", "enforce_gtid_consistency = ON"))
    if here.maria and here.value("gtid_domain_id") != there.value("gtid_domain_id"):
        text = (
            "their gtid_domain_id differ: that two were written to at once makes no error then, as each counts in a"
            " domain of its own. With one writer at a time one domain is right"
        )
        yield _pair(Severity.ADVICE, text, "gtid_domain_id = 0")
    if here.on("read_only") is False and there.on("read_only") is False:
        text = "take writes: until pyvrrpd runs on both nothing but discipline keeps clients on one of them"
        yield _pair(Severity.PROBLEM, text, "SET GLOBAL read_only = ON;  -- on the standby")
    for name in (
        "time_zone",
        "system_time_zone",
        "lower_case_table_names",
        "sql_mode",
        "character_set_server",
        "max_connections",
    ):
        mine, other = here.value(name), there.value(name)
        if None not in (mine, other) and mine != other:
            text = f"{name} is {mine!r} here and {other!r} there: after a failover the same statement means another"
            yield _pair(Severity.ADVICE, text)
    for standby, active in ((here, there), (there, here)):
        yield from _standby(standby, active)
        yield from _admitted(standby, active)


def _standby(standby: Facts, active: Facts) -> Iterator[Finding]:
    if not (standby.on("read_only") and active.on("read_only") is False):
        return
    if lost := _lost(standby, active):
        text = (
            f"has lost what was written on it, and the other one has: {', '.join(lost)}. No replica gets its own back"
        )
        yield problem(standby, text, "# make it a copy of the other one again: docs/mysql.md")
    for row in standby.replication or ():
        threads = {"IO": row.get("replica_io_running"), "SQL": row.get("replica_sql_running")}
        if set(threads.values()) != {"Yes"}:
            states = ", ".join(f"{thread} {state}" for thread, state in threads.items())
            text = f"is the standby and does not replicate ({states}): it cannot take over"
            yield problem(
                standby,
                text,
                "# `pyvrrpctl status` there says why; docs/mysql.md has what to do about a node that has diverged",
            )


def _admitted(replica: Facts, source: Facts) -> Iterator[Finding]:
    """The account that one replicates with, or would: who is connected is not asked for it again."""
    host = next((row.get("source_host", "") for row in source.replication or ()), "")  # how the source calls it
    for row in replica.replication or ():
        user = row.get("source_user", "")
        if user and not source.admits(user, host):
            at = f"{user}@{host}" if host else user
            text = f"has no account {at}, which {replica.name} replicates with: when it connects again it is refused"
            yield problem(source, text, "# `pyvrrpctl mysql setup` makes it again")


def _lost(standby: Facts, active: Facts) -> tuple[str, ...]:
    """A standby's own transactions that are not on it; of an active one they would only be newer than the look."""
    try:
        if standby.maria and active.maria:
            mine = BinlogState.parse(standby.position).joined(
                MariaPosition.parse(standby.value("gtid_slave_pos") or "")
            )
            return BinlogState.parse(active.position).gone_from(mine, standby.server_id)
        return GtidSet.parse(active.position).gone_from(
            GtidSet.parse(standby.position), standby.value("server_uuid") or ""
        )
    except ValueError:
        return ()


def _kinds(here: Facts, there: Facts) -> Iterator[Finding]:
    mine, other = here.dialect, there.dialect
    if mine.maria != other.maria:
        yield _pair(
            Severity.PROBLEM, f"{mine.name} and {other.name} do not replicate from each other in both directions"
        )
    elif mine.version[:2] != other.version[:2]:
        text = f"{mine.name} here and {other.name} there: replication to the older one is not supported by its makers"
        yield _pair(Severity.ADVICE, text)


def _one_number(here: Facts, there: Facts) -> Iterator[Finding]:
    number = here.server_id
    if number != there.server_id:
        return
    text = f"both have server_id {number}: neither takes the other's transactions"
    for each in (here, there):
        known = each.booted.get("server_id", str(number))
        if known not in (str(number), "0"):
            mend = f"# restart {each.name}: its option file has server_id = {known}"
            yield _pair(Severity.PROBLEM, text, mend)
            return
    closed = [each for each in (here, there) if each.on("read_only")]
    where = f"on {closed[0].name}, which is read only" if len(closed) == 1 else "on one of the two alone"
    yield _pair(Severity.PROBLEM, text, f"server_id = {max(number, 1) + 1}  # {where}")


def _numbers(here: Facts, there: Facts) -> Iterator[Finding]:
    steps = [each.value("auto_increment_increment") or "1" for each in (here, there)]
    offsets = [each.value("auto_increment_offset") or "1" for each in (here, there)]
    if steps[0] != steps[1]:
        text = f"auto_increment_increment is {steps[0]} here and {steps[1]} there: their numbers collide"
        fewer, more = sorted((here, there), key=lambda each: int(each.value("auto_increment_increment") or 1))
        step = more.value("auto_increment_increment") or "2"
        yield _pair(Severity.PROBLEM, text, *on(fewer, *setting(fewer, "auto_increment_increment", step)))
    elif steps[0] != "1" and offsets[0] == offsets[1]:
        text = f"both have auto_increment_offset {offsets[0]}: their numbers collide"
        other = "2" if offsets[0] == "1" else "1"
        both = (there, here) if here.server_id <= there.server_id else (here, there)
        second = next((each for each in both if each.boots_well("auto_increment_offset", other)), both[0])
        yield _pair(Severity.PROBLEM, text, *on(second, *setting(second, "auto_increment_offset", other)))


def _pair(severity: Severity, text: str, *mend: str) -> Finding:
    return Finding(severity, BOTH, text, mend)
