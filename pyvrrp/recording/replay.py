"""A recording played again: the same events at the same times through the core, and where it decides otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from pyvrrp.core.effects import Effect
from pyvrrp.core.node import Node
from pyvrrp.recording.disguise import unsaid
from pyvrrp.recording.plain import TAG, Plain, Plainly
from pyvrrp.recording.tape import OPEN, Tape, Turn

_NOTHING = "nothing"
_PLAINLY = Plainly()

Watch = Callable[[Turn, Sequence[Effect]], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first turn in which the core decides otherwise than the recorded one. `what` are sentences."""

    turn: Turn
    what: tuple[str, ...]


def replay(tape: Tape, until: float = float("inf"), watch: Watch = lambda *_: None) -> Difference | None:
    """Play it up to the time `until` of its node's clock, each turn shown to `watch`; None where all is as recorded.

    Raises RecordingError.
    """
    node = tape.node
    for turn in tape.turns():
        if turn.now > until:
            break
        effects, due, raised = _played(node, turn)
        watch(turn, effects)
        what = _differences(turn, effects, raised)
        if due != turn.deadline and not raised:
            what += (f"recorded: it wants to be called at {turn.deadline}", f"replayed: at {due}")
        if what:
            return Difference(turn, what)
    return None


def _played(node: Node, turn: Turn) -> tuple[list[Effect], object, str]:
    """What the node decides, when it wants to be called, and how it failed."""
    try:
        effects = node.handle(turn.event, turn.now)
        return effects, OPEN if turn.deadline is OPEN else node.next_deadline(), ""
    except Exception as error:  # noqa: BLE001  # a fault of the core is what somebody may be looking for
        return [], OPEN, f"{type(error).__name__}: {error}"


def _differences(turn: Turn, effects: Sequence[Effect], raised: str) -> tuple[str, ...]:
    if raised != turn.raised:
        return (f"recorded: {turn.raised or 'no failure'}", f"replayed: {raised or 'no failure'}")
    replayed = [_PLAINLY.encode(each) for each in effects]
    if replayed == turn.effects:
        return ()
    for number, (old, new) in enumerate(zip_longest(turn.effects, replayed), 1):
        if _alike(old) != _alike(new):
            return _told(number, old, new)
    return ()


def _alike(effect: Plain) -> str:
    """An effect so that one of an older version, with fewer fields, equals the same one of today."""
    try:
        now = effect and _PLAINLY.encode(_PLAINLY.decode(effect))
    except ValueError:  # what this version does not know it cannot do
        now = effect
    return unsaid(json.dumps(now))


def _told(number: int, old: Plain, new: Plain) -> tuple[str, ...]:
    """Which effect is not the same, and in what."""
    if old is None or new is None or old[TAG] != new[TAG]:
        return (f"effect {number}, recorded: {line(old)}", f"effect {number}, replayed: {line(new)}")
    names = [name for name in new if old.get(name, new[name]) != new[name]]
    return tuple(
        f"effect {number}, {new[TAG]}.{name}, {side}: {json.dumps(effect.get(name), ensure_ascii=False)}"
        for name in names
        for side, effect in (("recorded", old), ("replayed", new))
    )


def line(form: Plain) -> str:
    """An event or effect in one line."""
    if form is None:
        return _NOTHING
    return " ".join([form[TAG], *(f"{name}={_word(each)}" for name, each in form.items() if name != TAG)])


def _word(value: Plain) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, str) and (" " in value or not value) else str(value)
    )
