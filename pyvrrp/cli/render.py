"""A daemon's answer to `status` → its page, and whether all is well. Pure: what is shown comes from the answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from pyvrrp.cli.databases import channel_line, database_block, fit
from pyvrrp.cli.layout import GAP, Json, Rows, age, ago, milliseconds, page, some, table, under
from pyvrrp.cli.transitions import transition

_ALIGNED: Final = 20  # names up to this length share the width of the first column


def status(answer: Json, only: str | None = None) -> str:
    """The whole status page, or that of the instance `only`. Ends with a line feed."""
    snapshot = answer["snapshot"]
    instances = [each for each in snapshot["instances"] if only in (None, each["name"])]
    groups = [each for each in snapshot["groups"] if only is None or only in each["members"]]
    services = snapshot["services"] if only is None else []
    databases = [each for each in snapshot["databases"] if only in (None, each["instance"])]
    first = _first_width([*instances, *groups, *snapshot["checks"]])
    return page(
        [
            [_header(answer), *_config_problems(answer)],
            instance_table(instances, snapshot["now"], first),
            _group_table(groups, first),
            check_table(snapshot["checks"], snapshot["now"], first),
            service_table(services),
            *(database_block(each, snapshot["now"]) for each in databases),
            channel_line(answer),
            *(_story(each, answer) for each in instances),
            *(_trouble(each, fine=bool(each["state"])) for each in groups),
            *(_trouble(each, fine=each["quorum"]) for each in services),
        ]
    )


def healthy(answer: Json, only: str | None = None) -> bool:
    """Whether every instance (or `only`), database and virtual server can do its part, and the file is in force."""
    snapshot = answer["snapshot"]
    instances = [each for each in snapshot["instances"] if only in (None, each["name"])]
    services = snapshot["services"] if only is None else []
    databases = {each["instance"]: each for each in snapshot["databases"]}
    channel = answer.get("channel")
    return (
        bool(answer["config"]["ok"])
        and all(each["state"] in ("BACKUP", "MASTER") and _vip_mark(each) != "MISSING" for each in instances)
        and not any(each["contested"] for each in instances)
        and all(each["quorum"] for each in services)
        and all(fit(databases[each["name"]], each) for each in instances if each["name"] in databases)
        and (channel is None or bool(channel["up"]))
    )


def _first_width(parties: list[Json]) -> int:
    names = ("INSTANCE", *(each["name"] for each in parties))
    return max(len(name) for name in names if len(name) <= _ALIGNED)


def _header(answer: Json) -> str:
    config, snapshot = answer["config"], answer["snapshot"]
    loaded = time.strftime("%Y-%m-%d %H:%M", time.localtime(config["loaded_at"]))
    verdict = f"ok, loaded {loaded}" if config["ok"] else f"NOT ok, in force is what was loaded {loaded}"
    parts = [snapshot["router_id"], f"pyvrrpd {answer['version']}", f"up {age(answer['uptime'])}"]
    if snapshot["stopping"]:
        parts.append("STOPPING")
    return "   ".join([*parts, f"{config['path']} ({verdict})"])


def _config_problems(answer: Json) -> list[str]:
    return [f"{GAP}{line}" for line in answer["config"].get("problems", [])]


# --- tables; none without rows ---------------------------------------------------------------------------------------


def instance_table(instances: list[Json], now: float, first: int = 0) -> list[str]:
    """A line for each instance."""
    rows = [
        (
            each["name"],
            each["interface"],
            str(each["virtual_router_id"]),
            each["state"],
            age(now - each["since"]),
            _priority(each),
            _master(each),
            _vips(each),
        )
        for each in instances
    ]
    return _titled(("INSTANCE", "IFACE", "VRID", "STATE", "FOR", "PRIO", "MASTER", "VIP"), rows, first)


def _group_table(groups: list[Json], first: int) -> list[str]:
    rows = [(each["name"], each["state"] or "MIXED", some(each["members"])) for each in groups]
    return _titled(("GROUP", "STATE", "MEMBERS"), rows, first)


def check_table(checks: list[Json], now: float, first: int = 0) -> list[str]:
    """A line for each check."""
    rows = [(each["name"], each["result"], _last_result(each, now)) for each in checks]
    return _titled(("CHECK", "RESULT", "LAST"), rows, first)


def service_table(services: list[Json]) -> list[str]:
    """Each virtual server with its real servers below it."""
    rows = []
    for service in services:
        rows.append((service["name"], "quorum" if service["quorum"] else "NO QUORUM", str(service["weight"]), ""))
        rows += [
            (f"{GAP}{each['name']}", "up" if each["up"] else "down", str(each["weight"]), some(each["checks"]))
            for each in service["servers"]
        ]
    return _titled(("VIRTUAL SERVER", "STATE", "WEIGHT", "CHECKS"), rows)


def _titled(titles: Sequence[str], rows: Rows, first: int = 0) -> list[str]:
    return table([titles, *rows], first) if rows else []


# --- cells -----------------------------------------------------------------------------------------------------------


def _priority(instance: Json) -> str:
    """`90 (110)` when the effective priority is not the configured one."""
    effective, base = instance["priority"], instance["base_priority"]
    return str(effective) if effective == base else f"{effective} ({base})"


def _master(instance: Json) -> str:
    if instance["state"] == "MASTER":
        return "this node"
    master = instance["master"]
    return f"{master['address']} ({master['priority']})" if master else "-"


def _vips(instance: Json) -> str:
    shown, mark = some([each["address"] for each in instance["addresses"]]), _vip_mark(instance)
    return f"{shown} ({mark})" if mark else shown


def _vip_mark(instance: Json) -> str:
    held = sum(each["held"] for each in instance["addresses"])
    whole = len(instance["addresses"])
    if held and instance["handing_over"]:
        return "handing over"
    if held:
        return "held" if held == whole else f"{held} of {whole} held"
    return "MISSING" if whole and instance["state"] == "MASTER" else ""


def _last_result(check: Json, now: float) -> str:
    if check["at"] is None:
        return "-"
    when = ago(now - check["at"])
    if check["result"] == "up" and check["took"] is not None:
        return f"{milliseconds(check['took'])}, {when}"
    return f"{check['detail']}, {when}" if check["detail"] else when


# --- sentences -------------------------------------------------------------------------------------------------------


def _story(instance: Json, answer: Json) -> list[str]:
    """The WHY and LAST lines of an instance."""
    lines = under("WHY", instance["why"])
    if instance["last"]:
        lines += under("LAST", [transition(instance["last"], answer, named=False)])
    return lines


def _trouble(party: Json, *, fine: bool) -> list[str]:
    """The WHY of a group or a virtual server, where it says more than the table."""
    return [] if fine and len(party["why"]) == 1 else under("WHY", party["why"])
