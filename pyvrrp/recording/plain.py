"""The JSON form of the core's frozen data: events, effects, settings, and whatever they are made of.

A class needs nothing for it: its form follows from its fields and their types.

    an object           {"is": "CheckResult", "check": "mysql", "ok": true, ...}, every field
    IPv4, IPv6 address  its text; a network's, too
    bytes               hexadecimal
    a member of an enum its name (of flags the number)
    tuple, frozenset    a list; a set's is sorted
    a mapping           an object; where its keys are no strings, a list of pairs
    inf, -inf, nan      "inf", "-inf", "nan"

A field that is missing gets its default, so that an old recording can still be read; one that is not known is refused.
"""

from __future__ import annotations

import enum
import math
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from pyvrrp.recording.names import name_of, thing_called

VERSION = 1
TAG = "is"

Plain = Any  # what json.loads yields
Veil = Callable[[str, bytes], bytes]  # "InstanceSettings.auth_pass" and its value → what stands for it


class _Form(NamedTuple):
    """How the values of one type are written and read; `kind` is the JSON type that they are."""

    kind: str
    write: Callable[[Any], Plain]
    read: Callable[[Plain], Any]


def _as_it_is(value: Any) -> Any:
    return value


class Plainly:
    """Writes and reads. `veil` sees all bytes that are written, with the names of their class and field."""

    def __init__(self, veil: Veil | None = None) -> None:
        self._veil = veil
        self._classes: dict[type, _Form] = {}

    def encode(self, value: object) -> dict[str, Plain]:
        """The form of an object. Raises TypeError for a class whose fields have types without a form."""
        written: dict[str, Plain] = self._class(type(value)).write(value)
        return {TAG: name_of(type(value)), **written}

    def decode(self, plain: Plain) -> Any:
        """The object of a form. Raises ValueError, which says what is wrong."""
        cls = thing_called(str(plain.get(TAG))) if isinstance(plain, dict) else None
        if not isinstance(cls, type) or not is_dataclass(cls):
            raise ValueError(f"{_short(plain)} is not an object of the core")
        return self._class(cls).read(plain)

    # --- forms of types -----------------------------------------------------------------------------------------------

    def _class(self, cls: type) -> _Form:
        form = self._classes.get(cls)
        if form is None:
            # A class may have fields of its own type: it is known before its fields are looked at.
            self._classes[cls] = form = self._delayed(cls)
            self._classes[cls] = form = self._fields(cls)
        return form

    def _delayed(self, cls: type) -> _Form:
        return _Form(
            "object", lambda value: self._classes[cls].write(value), lambda plain: self._classes[cls].read(plain)
        )

    def _fields(self, cls: type) -> _Form:
        hints = get_type_hints(cls)
        forms = {each.name: self._form(hints[each.name], f"{cls.__name__}.{each.name}") for each in fields(cls)}
        needed = [each.name for each in fields(cls) if each.default is MISSING and each.default_factory is MISSING]
        writers = [(name, None if form.write is _as_it_is else form.write) for name, form in forms.items()]

        def write(value: Any) -> Plain:
            return {
                name: getattr(value, name) if writer is None else writer(getattr(value, name))
                for name, writer in writers
            }

        def read(plain: Plain) -> Any:
            values = {}
            for name, each in _demand(dict, plain, cls.__name__).items():
                if name in forms:
                    values[name] = _read_field(forms[name], each, f"{cls.__name__}.{name}")
                elif name != TAG:
                    raise ValueError(f"{cls.__name__}.{name} is not known to this version")
            for name in needed:
                if name not in values:
                    raise ValueError(f"{cls.__name__}.{name} is missing")
            return cls(**values)

        return _Form("object", write, read)

    def _form(self, hint: Any, field: str) -> _Form:
        origin = get_origin(hint)
        if origin in (Union, types.UnionType):
            return self._union(get_args(hint), field)
        if origin is not None and isinstance(origin, type):
            return self._container(origin, get_args(hint), field)
        if isinstance(hint, type):
            return self._simple(hint, field)
        raise TypeError(f"{field}: {hint} has no form in a recording")

    def _simple(self, cls: type, field: str) -> _Form:
        if cls is bytes:
            veil = self._veil
            hide = (lambda value: veil(field, value).hex()) if veil else bytes.hex
            return _Form("text", hide, lambda plain: bytes.fromhex(_demand(str, plain)))
        if cls in _SIMPLE:
            return _SIMPLE[cls]
        if issubclass(cls, enum.Flag):
            return _Form("number", lambda value: value.value, lambda plain: cls(_demand(int, plain)))
        if issubclass(cls, enum.Enum):
            members: Mapping[str, object] = cls.__members__
            return _Form("text", lambda value: value.name, lambda plain: _member(members, plain))
        if is_dataclass(cls):
            return self._class(cls)
        raise TypeError(f"{field}: {cls.__name__} has no form in a recording")

    def _container(self, origin: type, arguments: tuple[Any, ...], field: str) -> _Form:
        if issubclass(origin, Mapping):
            return _mapping(*(self._form(each, field) for each in arguments))
        if origin is tuple and arguments[-1] is not Ellipsis:
            return _record(tuple(self._form(each, field) for each in arguments))
        if origin in (tuple, frozenset, list):
            return _sequence(origin, self._form(arguments[0], field))
        raise TypeError(f"{field}: {origin.__name__} has no form in a recording")

    def _union(self, members: tuple[Any, ...], field: str) -> _Form:
        """None, all numbers, both kinds of address; several classes, told apart by name; else one for a JSON type."""
        classes = [each for each in members if isinstance(each, type) and is_dataclass(each)]
        others = [each for each in members if each not in classes]
        forms: dict[type, _Form] = {each: self._form(each, field) for each in others}
        tagged = _Form("object", self.encode, self.decode) if len(classes) > 1 else None
        for each in classes:
            forms[each] = tagged or self._class(each)
            self._class(each)
        if len(set(forms.values())) == 1:
            return next(iter(forms.values()))
        by_kind = _told_apart(forms, field)
        writers = {get_origin(each) or each: form.write for each, form in forms.items()}

        def write(value: Any) -> Plain:
            writer = writers.get(type(value))
            if writer is None:  # an int where a float belongs, a dict where a mapping does
                kin = (each for cls, each in writers.items() if isinstance(value, cls))
                writer = next(kin, _NUMBER.write)
            return writer(value)

        def read(plain: Plain) -> Any:
            form = by_kind.get(_kind(plain))
            if form is None:
                raise ValueError(f"{_short(plain)} is not what belongs here")
            return form.read(plain)

        return _Form("union", write, read)


def _told_apart(forms: Mapping[type, _Form], field: str) -> dict[str, _Form]:
    """The forms by the JSON type that shows which one it is. Raises TypeError when that is not enough."""
    by_kind: dict[str, _Form] = {}
    for form in forms.values():
        if by_kind.setdefault(form.kind, form).read is not form.read and form.kind != "number":
            raise TypeError(f"{field}: two of its types look the same in a recording")
    if float in forms:
        by_kind["number"] = _NUMBER
        by_kind.setdefault("text", _NUMBER)  # "inf"
    return by_kind


def _read_field(form: _Form, plain: Plain, field: str) -> Any:
    try:
        return form.read(plain)
    except (ValueError, TypeError) as error:
        text = str(error)
        raise ValueError(text if "." in text.partition(":")[0] else f"{field}: {text}") from None


def _mapping(key: _Form, value: _Form) -> _Form:
    if key.kind == "text":
        return _Form(
            "object",
            lambda mapping: {key.write(name): value.write(each) for name, each in mapping.items()},
            lambda plain: {key.read(name): value.read(each) for name, each in _demand(dict, plain).items()},
        )
    pair = _record((key, value))
    return _Form(
        "list",
        lambda mapping: [pair.write(each) for each in mapping.items()],
        lambda plain: dict(pair.read(each) for each in _demand(list, plain)),
    )


def _record(forms: tuple[_Form, ...]) -> _Form:
    def write(value: Iterable[Any]) -> Plain:
        return [form.write(each) for form, each in zip(forms, value, strict=True)]

    def read(plain: Plain) -> Any:
        if len(_demand(list, plain)) != len(forms):
            raise ValueError(f"{_short(plain)} has not {len(forms)} members")
        return tuple(form.read(each) for form, each in zip(forms, plain, strict=True))

    return _Form("list", write, read)


def _sequence(origin: type, form: _Form) -> _Form:
    def write(value: Iterable[Any]) -> Plain:
        written = [form.write(each) for each in value]
        return sorted(written, key=repr) if origin is frozenset else written

    return _Form("list", write, lambda plain: origin(form.read(each) for each in _demand(list, plain)))


@lru_cache(maxsize=4096)
def _address_text(address: IPv4Address | IPv6Address) -> str:
    return str(address)


def _write_float(value: float) -> Plain:
    return value if math.isfinite(value) else str(value)


def _read_number(plain: Plain) -> float:
    if plain in ("inf", "-inf", "nan"):
        return float(plain)
    number: float = _demand(float, plain)
    return number


def _member(members: Mapping[str, object], plain: Plain) -> object:
    if plain not in members:
        raise ValueError(f"{_short(plain)} is none of {', '.join(members)}")
    return members[plain]


def _demand(cls: type, plain: Plain, whose: str = "") -> Any:
    fits = isinstance(plain, int | float) and not isinstance(plain, bool) if cls is float else type(plain) is cls
    if not fits:
        raise ValueError(f"{whose}{': ' if whose else ''}{_short(plain)} is not {_WORDS[cls]}")
    return plain


def _short(plain: Plain) -> str:
    text = repr(plain)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _kind(plain: Plain) -> str:
    if isinstance(plain, bool):
        return "truth"
    return _KINDS.get(type(plain), "none")


_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}
_KINDS = {str: "text", int: "number", float: "number", dict: "object", list: "list"}
_NETWORK = _Form("text", str, lambda plain: ip_network(_demand(str, plain)))
_ADDRESS = _Form("text", _address_text, lambda plain: ip_address(_demand(str, plain)))
_NUMBER = _Form("number", _write_float, _read_number)
_SIMPLE: dict[type, _Form] = {
    str: _Form("text", _as_it_is, lambda plain: _demand(str, plain)),
    bool: _Form("truth", _as_it_is, lambda plain: _demand(bool, plain)),
    int: _Form("number", _as_it_is, lambda plain: _demand(int, plain)),
    float: _NUMBER,
    types.NoneType: _Form("none", _as_it_is, lambda _: None),
    IPv4Address: _ADDRESS,
    IPv6Address: _ADDRESS,
    IPv4Network: _NETWORK,
    IPv6Network: _NETWORK,
}
