"""Everything about one instance, sync group, virtual server or check, in sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyvrrp.cli.databases import database_block
from pyvrrp.cli.layout import Json, age, ago, milliseconds, page, table, wall
from pyvrrp.cli.render import check_table, instance_table, service_table
from pyvrrp.cli.transitions import transition

_RECENT: Final = 5  # transitions that are told
_LABELS: Final = {
    "adverts_sent": "adverts sent",
    "adverts_received": "adverts received",
    "priority_zero_sent": "priority 0 sent",
    "priority_zero_received": "priority 0 received",
    "became_master": "became MASTER",
    "released_master": "left MASTER",
    "overheard": "overheard below the firewall",
    "tolerated": "followed with another list",
    "duplicate_claims": "claims of duplicate holders",
    "left_to_another_holder": "left to another holder",
}
Sections = list[list[str]]


def names(answer: Json) -> list[str]:
    """Everything that can be explained."""
    return [each["name"] for kind in _SECTIONS for each in answer["snapshot"][kind]]


def explain(answer: Json, name: str) -> str:
    """Everything about what has this name; when several have it, one after the other."""
    return page(
        section
        for kind, sections in _SECTIONS.items()
        for each in answer["snapshot"][kind]
        if each["name"] == name
        for section in sections(each, answer)
    )


# --- an instance -----------------------------------------------------------------------------------------------------


def _instance(instance: Json, answer: Json) -> Sections:
    snapshot = answer["snapshot"]
    groups = [
        sentence for each in snapshot["groups"] if instance["name"] in each["members"] for sentence in each["why"]
    ]
    databases = [
        database_block(each, snapshot["now"]) for each in snapshot["databases"] if each["instance"] == instance["name"]
    ]
    return [
        _what_it_is(instance, answer),
        list(instance["why"]),
        groups,
        *databases,
        _addresses(instance),
        _timers(instance),
        _rejected(instance, snapshot["now"]),
        _rivals(instance, snapshot["now"]),
        _counters(instance),
        _recent(instance["name"], answer),
    ]


def _what_it_is(instance: Json, answer: Json) -> list[str]:
    now = answer["snapshot"]["now"]
    router = f"virtual router {instance['virtual_router_id']} on {instance['interface']}, VRRPv{instance['version']}"
    since = f"{instance['state']} for {age(now - instance['since'])}, since {wall(instance['since'], answer)}"
    base, effective = instance["base_priority"], instance["priority"]
    priority = f"Its priority is {effective}" + ("" if base == effective else f", configured as {base}")
    preempts = (
        "it takes over from a lower one" if instance["preempt"] else "it leaves a living master alone (nopreempt)"
    )
    return [f"{instance['name']}: {router}.", f"It is {since}.", f"{priority}; {preempts}."]


def _addresses(instance: Json) -> list[str]:
    held = [each["address"] for each in instance["addresses"] if each["held"]]
    absent = [each["address"] for each in instance["addresses"] if not each["held"]]
    lines = [f"This node holds {', '.join(held)}."] if held else []
    return [*lines, f"This node does not hold {', '.join(absent)}."] if absent else lines


def _timers(instance: Json) -> list[str]:
    lease, down, skew = instance["vip_lease"], instance["master_down_interval"], instance["skew_time"] * 1000
    return [
        f"An advert every {instance['advert_int']:g} s.",
        f"The master is down when none arrives for {down:.3f} s, of which {skew:.0f} ms are the skew time.",
        "The addresses have no lease (vip_lease off)."
        if lease is None
        else f"The kernel removes the addresses {lease} s after the last advert that this node sent as MASTER.",
    ]


def _rejected(instance: Json, now: float) -> list[str]:
    rejected = instance["rejected"]
    if not rejected:
        return []
    times = "1 advert was" if rejected["count"] == 1 else f"{rejected['count']} adverts were"
    when, source = f"{age(now - rejected['at'])} ago", rejected["source"]
    return [f"{times} not accepted. The last one came {when} from {source}: {rejected['reason']}."]


def _rivals(instance: Json, now: float) -> list[str]:
    """Each sender whose adverts were turned away within the last minutes."""
    rows = [
        (
            each["source"],
            "-" if each["priority"] is None else str(each["priority"]),
            str(each["count"]),
            ago(now - each["since"]),
            ago(now - each["last"]),
            each["reason"],
        )
        for each in instance["rivals"]
    ]
    return table([("TURNED AWAY", "PRIO", "ADVERTS", "SINCE", "LAST", "BECAUSE"), *rows]) if rows else []


def _counters(instance: Json) -> list[str]:
    rows = [(_LABELS.get(key, key.replace("_", " ")), str(value)) for key, value in instance["counters"].items()]
    return table(rows) if rows else []


def _recent(name: str, answer: Json) -> list[str]:
    changes = [each for each in answer["snapshot"]["history"] if each["instance"] == name][-_RECENT:]
    lines = [f"  {transition(each, answer, named=False)}" for each in changes]
    return ["Its last transitions:", *lines] if lines else []


# --- the others ------------------------------------------------------------------------------------------------------


def _group(group: Json, answer: Json) -> Sections:
    snapshot = answer["snapshot"]
    members = [each for each in snapshot["instances"] if each["name"] in group["members"]]
    return [
        [f"{group['name']}: a sync group, MASTER together or not at all."],
        list(group["why"]),
        instance_table(members, snapshot["now"]),
    ]


def _service(service: Json, answer: Json) -> Sections:
    snapshot = answer["snapshot"]
    used = {name for server in service["servers"] for name in server["checks"]}
    checks = [each for each in snapshot["checks"] if each["name"] in used]
    return [
        [f"{service['name']}: a virtual server with {_count(len(service['servers']), 'real server')}."],
        list(service["why"]),
        service_table([service]),
        check_table(checks, snapshot["now"]),
    ]


def _check(check: Json, answer: Json) -> Sections:
    heading = f"{check['name']}: a check of {check['target']}."
    if check["at"] is None:
        return [[heading, f"It has not reported yet, and counts as {check['result']}."]]
    took = f", after {milliseconds(check['took'])}" if check["took"] is not None else ""
    when = ago(answer["snapshot"]["now"] - check["at"])
    return [
        [
            heading,
            f"It is {check['result']}: {_run(check)}.",
            f"The last result came {when}{took}: {check['detail']}.",
        ]
    ]


def _run(check: Json) -> str:
    if check["successes"]:
        return f"passed {_count(check['successes'], 'time')} in a row"
    if check["failures"]:
        return f"failed {_count(check['failures'], 'time')} in a row"
    return "as it was before its configuration changed"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_SECTIONS: Final[dict[str, Callable[[Json, Json], Sections]]] = {
    "instances": _instance,
    "groups": _group,
    "services": _service,
    "checks": _check,
}
