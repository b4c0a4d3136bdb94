"""Transitions → text: what the instances did, when and why."""

from __future__ import annotations

from pyvrrp.cli.layout import Json, epoch, milliseconds, wall


def transition(change: Json, answer: Json, *, named: bool) -> str:
    """One transition with the wall clock's time, its cause, and how long the address took."""
    name = f"{change['instance']}  " if named else ""
    text = f"{wall(change['at'], answer)}  {name}{change['old']} → {change['new']}: {change['reason']}"
    live = change["vip_live"]
    return text if live is None else f"{text}; VIP live in {milliseconds(live)}"


def history(answer: Json, only: str | None = None) -> str:
    """All transitions that the daemon remembers, the oldest first."""
    changes = [each for each in answer["snapshot"]["history"] if only in (None, each["instance"])]
    return "".join(f"{transition(each, answer, named=only is None)}\n" for each in changes) or "no transitions yet\n"


def history_json(answer: Json, only: str | None = None) -> list[Json]:
    """The transitions with `time`, seconds since 1970, in place of the daemon's own clock."""
    return [
        {"time": round(epoch(each["at"], answer), 3), **{key: each[key] for key in each if key != "at"}}
        for each in answer["snapshot"]["history"]
        if only in (None, each["instance"])
    ]
