"""A database as `status` and `explain` show it, and whether all is well with it. Pure."""

from __future__ import annotations

from pyvrrp.cli.layout import GAP, Json, ago, table

_BAD = ("DOWN", "HUNG", "STALLED")
_STALE = 5.0  # seconds without a word of a database, after which that is said


def database_block(database: Json, now: float) -> list[str]:
    """`DATABASE VI_1` and, below, each thing that is known of it, the trouble last."""
    view = database["view"]
    verdict = ": ".join(each for each in (view["verdict"], view["evidence"]) if each) or "not known yet"
    rows = [
        (f"DATABASE {database['instance']}", f"{view['server'] or '-'} is {verdict}{_since(database, now)}"),
        *_known("writes", view["writes"]),
        *_known("replication", view["replication"]),
        *_known("position", view["position"]),
        *_known("semi-sync", view["semi_sync"]),
        *_known("other node", view["peer"]),
        *_known("mode", view["mode"]),
        *(("NOT FIT", each) for each in database["faults"]),
        *((_label(each, view), each) for each in database["against"] if each not in database["faults"]),
        *(("ONLY HERE", each) for each in view["errant"]),
        *(("LOST", each if each.startswith("all ") else f"at least {each}") for each in view["lost"]),
    ]
    first, *others = rows
    return table([first, *((f"{GAP}{label}", text) for label, text in others)])


def channel_line(answer: Json) -> list[str]:
    """`CHANNEL up, to node-b (192.168.1.202)`; none when none is configured."""
    channel = answer.get("channel")
    if channel is None:
        return []
    name = f"{channel['node']} ({channel['address']})" if channel["node"] else channel["address"]
    trouble = channel.get("trouble")
    why = f": {trouble}" if trouble else ""
    return [f"CHANNEL{GAP}{'up' if channel['up'] else 'DOWN'}, to {name} port {channel['port']}{why}"]


def _label(against: str, view: Json) -> str:
    """A dead server is no fault while it is paused, and not fit all the same."""
    return "NOT FIT" if view["verdict"] in _BAD and view["evidence"] in against else "against it"


def fit(database: Json, instance: Json) -> bool:
    """Whether it serves, or could when it were asked to."""
    view = database["view"]
    bad = database["faults"] or view["errant"] or view["verdict"] in _BAD or database["reported"] is None
    return not bad and (instance["state"] == "MASTER" or not database["against"])


def _known(label: str, text: str) -> list[tuple[str, str]]:
    return [(label, text)] if text else []


def _since(database: Json, now: float) -> str:
    reported = database["reported"]
    return f" ({ago(now - reported)})" if reported is not None and now - reported > _STALE else ""
