"""A whole node, in the midst of its work, as JSON, and back: where a recording of a running daemon begins.

The core is pure: below a node there are only its own objects, plain containers and frozen data. So all of it can be
written down, whatever classes there are, and what is rebuilt goes on exactly as the original does. Two steps, because
the daemon must not stand still while a thousand instances are written: taking the picture copies what may change,
`lines` writes it, at leisure.

Reading one makes objects without calling them, of the core's classes only (names.py); their fields must be those that
the class has in this version.
"""

from __future__ import annotations

import enum
import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import FunctionType, MethodType
from typing import Any

from pyvrrp.recording.names import name_of, thing_called
from pyvrrp.recording.plain import Plain, Plainly

_ADDRESSES, _NETWORKS = (IPv4Address, IPv6Address), (IPv4Network, IPv6Network)
_ATOMS = (type(None), bool, int, str, float, bytes, *_ADDRESSES, *_NETWORKS, enum.Enum, type, FunctionType)
_PLAIN_FIXED = (tuple, frozenset)


class Photograph:
    """What everything below `root` is at this moment."""

    def __init__(self, root: object) -> None:
        """Raises TypeError where something below it is no plain data."""
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []  # the numbered objects: while they are kept nobody else gets their id
        self._contents: list[tuple[object, Any]] = []
        self._look(root)
        done = 0
        while done < len(self._kept):
            each = self._kept[done]
            contents = _contents(each)
            self._contents.append((each, contents))
            for part in contents.values() if isinstance(contents, dict) else contents:
                self._look(part)
            done += 1

    def __len__(self) -> int:
        return len(self._contents)

    def lines(self, plainly: Plainly) -> Iterator[dict[str, Plain]]:
        """The objects, one after the other, the root first."""
        for each, contents in self._contents:
            yield self._write(each, contents, plainly)

    def _look(self, value: Any) -> None:
        """Number the objects that may change, and find those inside of others."""
        kind = _kind(type(value))
        if kind is _Kind.OBJECT:
            if id(value) not in self._numbers:
                self._numbers[id(value)] = len(self._kept)
                self._kept.append(value)
        elif kind is _Kind.FIXED:
            for each in value:
                self._look(each)
        elif kind is _Kind.METHOD:
            self._look(value.__self__)

    def _write(self, each: object, contents: Any, plainly: Plainly) -> dict[str, Plain]:
        def many(values: Iterable[object]) -> list[Plain]:
            return [self._value(value, plainly) for value in values]

        if isinstance(each, dict):
            pairs = iter(contents)
            line: dict[str, Plain] = {"dict": [many(pair) for pair in zip(pairs, pairs, strict=True)]}
            if isinstance(each, defaultdict) and isinstance(each.default_factory, type):
                line["missing"] = name_of(each.default_factory)
            return line
        if isinstance(each, deque):
            return {"deque": many(contents), "maxlen": each.maxlen}
        if isinstance(each, set):
            return {"set": sorted(many(contents), key=repr)}
        if isinstance(each, list):
            return {"list": many(contents)}
        return {
            "object": name_of(type(each)),
            "fields": {name: self._value(value, plainly) for name, value in contents.items()},
        }

    def _value(self, value: Any, plainly: Plainly) -> Plain:
        if value is None or isinstance(value, bool | str) or type(value) is int:
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": str(value)}
        if isinstance(value, tuple | frozenset):
            kind = type(value).__name__ if type(value) in _PLAIN_FIXED else name_of(type(value))
            parts = [self._value(each, plainly) for each in value]
            return {"fixed": kind, "of": sorted(parts, key=repr) if kind == "frozenset" else parts}
        if isinstance(value, bytes):
            return {"bytes": value.hex()}
        if isinstance(value, _ADDRESSES):
            return {"ip": str(value)}
        if isinstance(value, _NETWORKS):
            return {"network": str(value)}
        if isinstance(value, enum.Enum):
            return {"enum": name_of(type(value)), "value": value.value}
        if isinstance(value, type | FunctionType):
            return {"named": name_of(value)}
        if type(value) is MethodType:
            return {"method": value.__name__, "of": self._value(value.__self__, plainly)}
        if _kind(type(value)) is _Kind.ATOM:
            return plainly.encode(value)
        return {"ref": self._numbers[id(value)]}


class _Kind(enum.Enum):
    ATOM = "never changes"
    FIXED = "never changes, but what is in it may"
    METHOD = "belongs to something that may change"
    OBJECT = "may change"


_KINDS: dict[type, _Kind] = {}  # of the classes seen so far
_SLOTS: dict[type, tuple[str, ...]] = {}
_ABSENT = object()


def _kind(cls: type) -> _Kind:
    known = _KINDS.get(cls)
    if known is None:
        known = _KINDS[cls] = _kind_of(cls)
    return known


def _kind_of(cls: type) -> _Kind:
    parameters = getattr(cls, "__dataclass_params__", None)  # dataclasses has no public name for it
    if issubclass(cls, _ATOMS) or (parameters is not None and parameters.frozen):
        return _Kind.ATOM
    if issubclass(cls, tuple | frozenset):
        return _Kind.FIXED
    return _Kind.METHOD if cls is MethodType else _Kind.OBJECT


def _contents(value: Any) -> Any:
    """The parts of an object that may change, as they are now: fields by name, members, or keys and values in turn."""
    if type(value) in (dict, defaultdict):
        return tuple(part for pair in value.items() for part in pair)
    if type(value) in (list, set, deque):
        return tuple(value)
    cls = type(value)
    if cls not in _SLOTS:
        _SLOTS[cls] = _slots(cls)
    fields = {name: found for name in _SLOTS[cls] if (found := getattr(value, name, _ABSENT)) is not _ABSENT}
    fields.update(getattr(value, "__dict__", ()))
    return fields


def _slots(cls: type) -> tuple[str, ...]:
    """Raises TypeError for a class that has no form in a recording."""
    name_of(cls)
    declared = (vars(each).get("__slots__", ()) for each in cls.__mro__)
    names = (name for slots in declared for name in ((slots,) if isinstance(slots, str) else slots))
    return tuple(name for name in names if not name.startswith("__"))


# --- back ------------------------------------------------------------------------------------------------------------


class Development:
    """Makes the objects of a photograph's lines."""

    def __init__(self, lines: Iterable[Mapping[str, Plain]]) -> None:
        """Raises ValueError, which says what is wrong."""
        self._plainly = Plainly()
        self._lines = list(lines)
        self._objects = [_empty(line) for line in self._lines]
        for line, each in zip(self._lines, self._objects, strict=True):
            if not isinstance(each, dict | set):
                self._fill(line, each)
        # What is a key or a member needs its fields before it can be found by them.
        for line, each in zip(self._lines, self._objects, strict=True):
            if isinstance(each, dict | set):
                self._fill(line, each)

    @property
    def root(self) -> object:
        """What the photograph was taken of."""
        return self._objects[0]

    def _fill(self, line: Mapping[str, Plain], each: Any) -> None:
        if isinstance(each, dict):
            each.update((self._value(key), self._value(value)) for key, value in line["dict"])
        elif isinstance(each, set):
            each.update(self._value(value) for value in line["set"])
        elif isinstance(each, list | deque):
            each.extend(self._value(value) for value in line[type(each).__name__])
        else:
            for name, value in line["fields"].items():
                try:
                    object.__setattr__(each, name, self._value(value))
                except AttributeError:
                    raise ValueError(f"{line['object']} has no {name} in this version") from None

    def _value(self, plain: Plain) -> Any:
        if not isinstance(plain, dict):
            return plain
        if "is" in plain:
            return self._plainly.decode(plain)
        kind: str = next(iter(plain), "")
        content: Any = plain.get(kind)
        if kind == "ref":
            return self._objects[content]
        if kind == "fixed":
            parts = (self._value(each) for each in plain["of"])
            return frozenset(parts) if content == "frozenset" else tuple.__new__(_tuple(content), parts)
        if kind == "method":
            return _method(self._value(plain["of"]), content)
        if kind == "enum":
            return _class(content)(plain["value"])
        if kind not in _READERS:
            raise ValueError(f'"{kind}" is no kind of value')
        return _READERS[kind](content)


def _empty(line: Mapping[str, Plain]) -> Any:
    kind = next(iter(line), "")
    if kind == "object":
        cls = _class(line["object"])
        return object.__new__(cls)
    if kind == "deque":
        return deque(maxlen=line["maxlen"])
    if "missing" in line:
        return defaultdict(_class(line["missing"]))
    if kind in ("dict", "list", "set"):
        return {"dict": dict, "list": list, "set": set}[kind]()
    raise ValueError(f'"{kind}" is no kind of object')


def _class(name: str) -> type:
    found = thing_called(name)
    if not isinstance(found, type):
        raise ValueError(f"{name} is not a class")  # noqa: TRY004  # the recording's value is wrong
    return found


def _tuple(name: str) -> type[tuple[Any, ...]]:
    cls = tuple if name == "tuple" else _class(name)
    if not issubclass(cls, tuple):
        raise ValueError(f"{name} is no kind of tuple")  # noqa: TRY004
    return cls


def _method(owner: object, name: str) -> object:
    if not isinstance(vars(type(owner)).get(name), FunctionType):
        raise ValueError(f"{type(owner).__name__} has no method {name} in this version")  # noqa: TRY004
    return getattr(owner, name)


_READERS: dict[str, Callable[[Any], object]] = {
    "float": float,
    "bytes": bytes.fromhex,
    "ip": ip_address,
    "network": ip_network,
    "named": thing_called,
}
