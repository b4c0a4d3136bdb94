"""A daemon's answer to `status` → text. Pure: all that is shown comes from the answer, nothing from a clock."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

Json = dict[str, Any]

_GAP: Final = "  "
_VIPS_SHOWN: Final = 3
_RECENT: Final = 5  # transitions that `explain` tells
_LABELS: Final = {
    "adverts_sent": "adverts sent",
    "adverts_received": "adverts received",
    "priority_zero_sent": "priority 0 sent",
    "priority_zero_received": "priority 0 received",
    "became_master": "became MASTER",
    "released_master": "left MASTER",
}


def status(answer: Json, only: str | None = None) -> str:
    """The whole status page, or that of the instance `only`. Ends with a line feed."""
    snapshot = answer["snapshot"]
    instances = [each for each in snapshot["instances"] if only in (None, each["name"])]
    first = _first_width(instances, snapshot["checks"])
    blocks = [[_header(answer), *_config_problems(answer)]]
    blocks.append(_instance_table(instances, snapshot["now"], first))
    if snapshot["checks"]:
        blocks.append(_check_table(snapshot["checks"], snapshot["now"], first))
    blocks += [_story(each, answer) for each in instances]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _first_width(instances: list[Json], checks: list[Json]) -> int:
    return max(len(name) for name in ("INSTANCE", *(each["name"] for each in (*instances, *checks))))


def _header(answer: Json) -> str:
    config, snapshot = answer["config"], answer["snapshot"]
    loaded = time.strftime("%Y-%m-%d %H:%M", time.localtime(config["loaded_at"]))
    verdict = f"ok, loaded {loaded}" if config["ok"] else f"NOT ok, in force is what was loaded {loaded}"
    parts = [snapshot["router_id"], f"pyvrrpd {answer['version']}", f"up {age(answer['uptime'])}"]
    if snapshot["stopping"]:
        parts.append("STOPPING")
    return "   ".join([*parts, f"{config['path']} ({verdict})"])


def _config_problems(answer: Json) -> list[str]:
    return [f"{_GAP}{line}" for line in answer["config"].get("problems", [])]


def _instance_table(instances: list[Json], now: float, first: int) -> list[str]:
    rows = [("INSTANCE", "IFACE", "VRID", "STATE", "FOR", "PRIO", "MASTER", "VIP")]
    rows += [
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
    return _table(rows, first)


def _check_table(checks: list[Json], now: float, first: int) -> list[str]:
    rows = [("CHECK", "RESULT", "LAST")]
    rows += [(each["name"], each["result"], _last_result(each, now)) for each in checks]
    return _table(rows, first)


def _table(rows: Sequence[Sequence[str]], first: int = 0) -> list[str]:
    """Columns as wide as their widest cell; the first one at least `first`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[0] = max(widths[0], first)
    return [_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


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
    addresses = [each["address"] for each in instance["addresses"]]
    shown = ", ".join(addresses[:_VIPS_SHOWN])
    if len(addresses) > _VIPS_SHOWN:
        shown += f" and {len(addresses) - _VIPS_SHOWN} more"
    mark = _vip_mark(instance)
    return f"{shown} ({mark})" if mark else shown


def _vip_mark(instance: Json) -> str:
    held = sum(each["held"] for each in instance["addresses"])
    whole = len(instance["addresses"])
    if held and instance["handing_over"]:
        return "handing over"
    if held:
        return "held" if held == whole else f"{held} of {whole} held"
    return "MISSING" if instance["state"] == "MASTER" else ""


def _last_result(check: Json, now: float) -> str:
    if check["at"] is None:
        return "-"
    ago = f"{_short(now - check['at'])} ago"
    if check["result"] == "up" and check["took"] is not None:
        return f"{_milliseconds(check['took'])}, {ago}"
    return f"{check['detail']}, {ago}" if check["detail"] else ago


def _story(instance: Json, answer: Json) -> list[str]:
    """The WHY and LAST lines of an instance."""
    lines = _under("WHY", instance["why"])
    if instance["last"]:
        lines += _under("LAST", [transition(instance["last"], answer, named=False)])
    return lines


def _under(label: str, sentences: Iterable[str]) -> list[str]:
    """Sentences below each other, the label before the first."""
    return [f"{label if index == 0 else '':<4}{_GAP}{text}" for index, text in enumerate(sentences)]


def transition(change: Json, answer: Json, *, named: bool) -> str:
    """One transition with the wall clock's time, its cause, and how long the address took."""
    name = f"{change['instance']}  " if named else ""
    text = f"{_wall(change['at'], answer)}  {name}{change['old']} → {change['new']}: {change['reason']}"
    live = change["vip_live"]
    return text if live is None else f"{text}; VIP live in {_milliseconds(live)}"


def history(answer: Json, only: str | None = None) -> str:
    """All transitions that the daemon remembers, the oldest first."""
    changes = [each for each in answer["snapshot"]["history"] if only in (None, each["instance"])]
    return "".join(f"{transition(each, answer, named=only is None)}\n" for each in changes) or "no transitions yet\n"


def history_json(answer: Json, only: str | None = None) -> list[Json]:
    """The transitions with `time`, seconds since 1970, in place of the daemon's own clock."""
    return [
        {"time": round(_epoch(each["at"], answer), 3), **{key: each[key] for key in each if key != "at"}}
        for each in answer["snapshot"]["history"]
        if only in (None, each["instance"])
    ]


def explain(answer: Json, name: str) -> str:
    """Everything about one instance, in sentences."""
    snapshot = answer["snapshot"]
    instance: Json = next(each for each in snapshot["instances"] if each["name"] == name)
    now = snapshot["now"]
    sections = [
        _what_it_is(instance, answer),
        list(instance["why"]),
        _addresses(instance),
        _timers(instance),
        _rejected(instance, now),
        _counters(instance),
        _recent(name, answer),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _what_it_is(instance: Json, answer: Json) -> list[str]:
    now = answer["snapshot"]["now"]
    router = f"virtual router {instance['virtual_router_id']} on {instance['interface']}, VRRPv{instance['version']}"
    since = f"{instance['state']} for {age(now - instance['since'])}, since {_wall(instance['since'], answer)}"
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
    lease, down = instance["vip_lease"], instance["master_down_interval"]
    skew = f"3 intervals and the skew time of {instance['skew_time'] * 1000:.0f} ms"
    return [
        f"An advert every {instance['advert_int']:g} s.",
        f"The master is down when none arrives for {down:.3f} s ({skew}).",
        "The addresses have no lease (vip_lease off)."
        if lease is None
        else f"The kernel removes the addresses {lease} s after the last advert that this node sent as MASTER.",
    ]


def _rejected(instance: Json, now: float) -> list[str]:
    rejected = instance["rejected"]
    if not rejected:
        return []
    times = "1 advert was" if rejected["count"] == 1 else f"{rejected['count']} adverts were"
    ago, source = age(now - rejected["at"]), rejected["source"]
    return [f"{times} not accepted. The last one came {ago} ago from {source}: {rejected['reason']}."]


def _counters(instance: Json) -> list[str]:
    rows = [(_LABELS.get(key, key.replace("_", " ")), str(value)) for key, value in instance["counters"].items()]
    return _table(rows) if rows else []


def _recent(name: str, answer: Json) -> list[str]:
    changes = [each for each in answer["snapshot"]["history"] if each["instance"] == name][-_RECENT:]
    lines = [f"{_GAP}{transition(each, answer, named=False)}" for each in changes]
    return ["Its last transitions:", *lines] if lines else []


def healthy(answer: Json, only: str | None = None) -> bool:
    """Whether every instance (or `only`) can do its part, and the configuration file is the one in force."""
    instances = [each for each in answer["snapshot"]["instances"] if only in (None, each["name"])]
    return bool(answer["config"]["ok"]) and all(
        each["state"] in ("BACKUP", "MASTER") and _vip_mark(each) != "MISSING" for each in instances
    )


def _epoch(at: float, answer: Json) -> float:
    """Seconds since 1970 of a moment on the daemon's own clock."""
    return float(answer["wall"]) - (float(answer["snapshot"]["now"]) - at)


def _wall(at: float, answer: Json) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(_epoch(at, answer)))


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _short(seconds: float) -> str:
    return f"{max(seconds, 0.0):.1f} s" if seconds < 60 else age(seconds)


def age(seconds: float) -> str:
    """`12s`, `2m11s`, `4h07m` or `3d04h`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"
