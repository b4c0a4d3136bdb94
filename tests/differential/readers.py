"""How the values of a dump are read. Each raises ValueError, KeyError or StopIteration for what it does not know."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pyvrrp.config.iproute import parse_route, parse_rule
from tests.differential.outline import Record

Values = dict[str, Any]
Table = Mapping[str, tuple[str, Callable[[str], object]]]  # a property's name → keyword, reader

_MICROSECONDS: Final = 1e6
_WITH_A_VALUE: Final = {"brd", "dev", "scope", "label", "peer", "preferred_lft", "track_group"}


def read(record: Record, table: Table) -> Values:
    """The properties of a record that a table knows, by keyword."""
    found: Values = {}
    for each in record.properties:
        if each.name in table:
            keyword, reader = table[each.name]
            found[keyword] = reader(each.value)
    return found


def number(text: str) -> float:
    """`5`, `2.5 secs`, `1e-06`: the number at its beginning; integers stay integers."""
    found = re.match(r"-?[\d.]+(?:e-?\d+)?", text)
    if not found:
        raise ValueError(f"no number: {text!r}")
    value = float(found[0])
    return int(value) if value.is_integer() else value


def seconds(text: str) -> float:
    """A time in microseconds, as seconds."""
    value = number(text) / _MICROSECONDS
    return int(value) if value.is_integer() else value


def interval(text: str) -> float:
    """`1 sec`, `1230 milli-sec`: seconds."""
    value, _, unit = text.partition(" ")
    return number(str(number(value) / 1000)) if unit == "milli-sec" else number(value)


def boolean(text: str) -> bool:
    """How keepalived says yes and no, in one of its ways."""
    return {"true": True, "enabled": True, "yes": True, "false": False, "disabled": False, "no": False}[text.lower()]


def negated(text: str) -> bool:
    """The opposite, where a keyword says what is not done."""
    return not boolean(text)


def setting(text: str) -> bool | None:
    """`on`, `off`, or `unset`."""
    return {"on": True, "off": False, "unset": None}[text]


def first_word(text: str) -> str:
    """The first word, without a comma."""
    return text.split()[0].rstrip(",") if text else ""


def base_interface(text: str) -> str:
    """`eth0`, `vrrp.51, vmac on eth0, xmit base i/f`: the interface below."""
    _, _, base = text.partition(" on ")
    return first_word(base or text)


def script(text: str) -> Values:
    """`'/usr/bin/true' 'x', uid:gid 0:0`."""
    words, _, owner = text.partition(", uid:gid ")
    uid, _, gid = owner.partition(":")
    return {"command": shlex.split(words), "uid": int(uid), "gid": int(gid)}


def address(text: str) -> Values:
    """`10.9.0.100/24 dev eth0 scope global label eth0:1 no_track`; a prefix that is not shown is the whole address."""
    words = text.split()
    host, _, prefix = words[0].partition("/")
    found: Values = {"address": host, "prefixlen": int(prefix) if prefix else 128 if ":" in host else 32}
    rest = iter(words[1:])
    for word in rest:
        if word in _WITH_A_VALUE:
            found[word] = next(rest).partition("@")[0]  # vrrp.51@eth0: a virtual MAC's interface and the one below
        elif word != "set":  # the address is there at this moment
            found[word] = True
    return found


def route(text: str) -> str:
    """`prepend 10.0.0.0/8 via inet 10.9.0.1 proto 18 no_track`: the same in our words."""
    return str(parse_route(" ".join(_plain(text))))


def rule(text: str) -> str:
    """`from 10.9.0.1 priority 16384 tos 0x0 protocol 18 lookup 100`: the same in our words."""
    return str(parse_rule(" ".join(_plain(text))))


def _plain(text: str) -> Iterator[str]:
    words = iter(text.partition("[")[0].split())
    for word in words:
        if word in ("proto", "protocol"):
            next(words)
        elif word not in ("add", "append", "prepend", "replace", "no_track", "inet", "inet6", "type"):
            yield word


def peer(text: str) -> Values:
    """`10.9.0.3 min_ttl 250 max_ttl 255`."""
    host, *options = text.split()
    return {"address": host} | {key: int(value) for key, value in zip(options[::2], options[1::2], strict=True)}


def weight(text: str) -> Values:
    """`-20`, `2 reverse`."""
    words = text.split()
    return {"weight": int(words[0]), "reverse": "reverse" in words[1:]}


def tracked(text: str) -> Values:
    """`chk weight -20 reverse`, `load, weight 2`."""
    name, _, rest = text.partition(" weight ")
    return {"name": name.rstrip(",")} | weight(rest or "0")


def socket(text: str) -> tuple[str, int]:
    """`[10.9.0.1]:3306` or `[10.9.0.1]:tcp:3306`."""
    host, _, rest = text.removeprefix("[").partition("]:")
    return host, int(rest.rpartition(":")[2])
