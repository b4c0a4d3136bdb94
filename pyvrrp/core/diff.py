"""What a reload changes, in sentences. Secrets are named, never shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from pyvrrp.core.settings import CheckSettings, InstanceSettings, NodeSettings

_SECRET = ("auth_pass",)


def changes(old: NodeSettings, new: NodeSettings) -> tuple[str, ...]:
    """One sentence for each difference; none when the two mean the same."""
    sentences = list(_fields("node", old, new, skip=("instances", "checks")))
    sentences += _named("instance", old.instances, new.instances)
    sentences += _named("check", old.checks, new.checks)
    return tuple(sentences)


def _named(
    kind: str,
    old: tuple[InstanceSettings, ...] | tuple[CheckSettings, ...],
    new: tuple[InstanceSettings, ...] | tuple[CheckSettings, ...],
) -> Iterable[str]:
    before = {each.name: each for each in old}
    after = {each.name: each for each in new}
    for name in before:
        if name not in after:
            yield f"{kind} {name} is removed"
    for name, settings in after.items():
        if name not in before:
            yield f"{kind} {name} is new"
        else:
            yield from _fields(name, before[name], settings)


def _fields(name: str, old: object, new: object, skip: tuple[str, ...] = ()) -> Iterable[str]:
    for field in fields(old):  # type: ignore[arg-type]  # every settings class is a dataclass
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.name in skip or before == after:
            continue
        if field.name in _SECRET:
            yield f"{name}: {field.name} is changed"
        else:
            yield f"{name}: {field.name} {_text(before)} -> {_text(after)}"


def _text(value: object) -> str:
    if value is None:
        return "off"
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value) or "none"
    return str(value)
