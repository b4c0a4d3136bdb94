"""Everything that the cores of a story asked for, as text: one line an effect, with its time in the story.

Adverts that only repeat the one before are counted, not listed; so are their lease renewals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pyvrrp.core.effects import (
    Announce,
    CloseWrites,
    Effect,
    Invite,
    Notify,
    OpenWrites,
    Reconcile,
    Record,
    RefuseConnections,
    RenewLease,
    ResetConnections,
    SendAdvert,
)
from pyvrrp.core.snapshot import Snapshot

Told = tuple[float, str, Effect]  # when, by whom, what


def transcript(told: Iterable[Told]) -> str:
    """The lines, in order."""
    return "".join(f"{line}\n" for line in _folded(told))


def status(name: str, snapshot: Snapshot) -> str:
    """What a node says of itself."""
    lines = [f"{name}: {sentence}" for each in snapshot.instances for sentence in each.why]
    lines += [f"{name}: {sentence}" for group in snapshot.groups for sentence in group.why]
    for each in snapshot.instances:
        counters = ", ".join(f"{key} {value}" for key, value in each.counters.items() if value)
        lines.append(f"{name}: {each.name} counts {counters or 'nothing'}")
    lines += [f"{name}: {each.name} is {each.result}: {each.detail}" for each in snapshot.checks]
    return "".join(f"{line}\n" for line in lines)


def _folded(told: Iterable[Told]) -> Iterator[str]:
    latest: dict[tuple[str, str], tuple[Effect, int]] = {}
    for at, name, effect in told:
        if isinstance(effect, SendAdvert | RenewLease):
            key = (name, f"{type(effect).__name__} {effect.instance} {getattr(effect, 'destination', '')}")
            before, repeats = latest.get(key, (None, 0))
            if effect == before:
                latest[key] = (effect, repeats + 1)
                continue
            latest[key] = (effect, 0)
            if repeats:
                yield f"{at:10.4f} {name} ... the one before {repeats} times more: {key[1]}"
        yield from (f"{at:10.4f} {name} {line}" for line in _LINES[type(effect)](effect))


def _advert(effect: SendAdvert) -> Iterator[str]:
    yield f"{effect.instance}: advert {effect.source} > {effect.destination} {effect.interface} {effect.payload.hex()}"


def _renewal(effect: RenewLease) -> Iterator[str]:
    yield f"{effect.instance}: lease of {', '.join(map(str, effect.addresses))}: {effect.lease} s"


def _reconcile(effect: Reconcile) -> Iterator[str]:
    for each in effect.operations:
        lease = "" if each.lease is None else f" for {each.lease} s"
        yield f"{effect.instance}: {each.action.value} {each.address} dev {each.address.interface}{lease}"


def _announce(effect: Announce) -> Iterator[str]:
    for frame in dict.fromkeys(effect.frames):
        yield f"{effect.interface}: {effect.frames.count(frame)} x {frame.hex()}"


def _reset(effect: ResetConnections) -> Iterator[str]:
    yield f"reset connections on {', '.join(map(str, effect.addresses))}"


def _open(effect: OpenWrites) -> Iterator[str]:
    yield f"{effect.instance}: open writes, term {effect.term}{', by force' if effect.forced else ''}"


def _close(effect: CloseWrites) -> Iterator[str]:
    yield f"{effect.instance}: close writes, term {effect.term}: {effect.reason}"


def _refuse(effect: RefuseConnections) -> Iterator[str]:
    yield f"{effect.instance}: refuse connections to {', '.join(map(str, effect.addresses)) or 'nothing any more'}"


def _invite(effect: Invite) -> Iterator[str]:
    yield f"{effect.instance}: invite the other node"


def _record(effect: Record) -> Iterator[str]:
    state = f" [{effect.state}]" if effect.state else ""
    yield f"{effect.level.name} ({effect.instance}) {effect.text}{state}"


def _notify(effect: Notify) -> Iterator[str]:
    environment = " ".join(f"{key}={value!r}" for key, value in effect.environment)
    yield f"tell {effect.family} {effect.subject!r}: {effect.line!r} {environment}"
    yield from (f"    run {command} as {command.user!r} {command.group!r}" for command in effect.commands)
    if effect.mail is not None:
        yield f"    mail {effect.mail.subject!r} {effect.mail.body!r}"


_LINES: dict[type, Callable[..., Iterator[str]]] = {
    SendAdvert: _advert,
    RenewLease: _renewal,
    Reconcile: _reconcile,
    Announce: _announce,
    ResetConnections: _reset,
    OpenWrites: _open,
    CloseWrites: _close,
    RefuseConnections: _refuse,
    Invite: _invite,
    Record: _record,
    Notify: _notify,
}
