"""Routes and rules in iproute2's words: `10.0.0.0/8 via 192.0.2.1 table 100`, `from 192.0.2.7 lookup 100 priority 500`.

Both languages of the configuration have them so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pyvrrp.config.values import Kind, Scope, Word, quote
from pyvrrp.config.values_net import InterfaceName
from pyvrrp.core.settings import MAIN_TABLE, ROUTE_TYPES, Address, Network, NextHop, VirtualRoute, VirtualRule

UINT32: Final = 0xFFFFFFFF
OPTIONS: Final = frozenset(
    (
        "mtu",
        "advmss",
        "window",
        "rtt",
        "rttvar",
        "ssthresh",
        "cwnd",
        "reordering",
        "hoplimit",
        "initcwnd",
        "rto_min",
        "initrwnd",
        "quickack",
    )
)
TABLES: Final = MappingProxyType({"default": 253, "main": MAIN_TABLE, "local": 255})
_TABLE_NAMES: Final = Path("/etc/iproute2/rt_tables")


class _Words:
    """The words of one route or rule, one after the other."""

    def __init__(self, text: str) -> None:
        self._words = iter(text.split())
        self._back: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return self._back.pop() if self._back else next(self._words)

    def give_back(self, word: str) -> None:
        self._back.append(word)

    def value(self, option: str) -> str:
        """The word behind `option`."""
        for word in self:
            return word
        raise ValueError(f"{option} needs a value")


@dataclass
class _Route:
    """A route as far as it is read."""

    fields: dict[str, Any] = field(default_factory=dict)
    options: dict[str, int] = field(default_factory=dict)
    hops: list[NextHop] = field(default_factory=list)

    def put(self, name: str, option: str, value: object) -> None:
        if name in self.fields:
            raise ValueError(f"{option} stands there twice")
        self.fields[name] = value


def parse_route(text: str) -> VirtualRoute:
    """The route. Raises ValueError."""
    words, route = _Words(text), _Route()
    for word in words:
        if word in ROUTE_TYPES:
            route.put("kind", "the type", word)
        elif word in OPTIONS:
            _option(word, words, route)
        elif word == "nexthop":
            route.hops.append(_hop(words))
        elif word in _ROUTE_WORDS:
            _ROUTE_WORDS[word](word, words, route)
        elif "destination" not in route.fields:
            route.put("destination", "the destination", word)
        else:
            raise ValueError(f"{quote(word)} is not known here")
    return _whole(route)


def _whole(route: _Route) -> VirtualRoute:
    values = route.fields
    if "destination" not in values:
        raise ValueError("it names no destination")
    ways = [values.get("via"), values.get("source"), *(hop.via for hop in route.hops)]
    version = next((each.version for each in ways if each is not None), 4)
    values["destination"] = destination = _network(values["destination"], version)
    source = values.get("source")
    if source is not None and source.version != destination.version:
        raise ValueError(f"src {source} is of the other family than {destination}")
    if route.hops and ("via" in values or "interface" in values):
        raise ValueError("via and dev belong to the nexthops where there are any")
    nowhere = values.get("kind", "unicast") != "unicast"
    if nowhere and (route.hops or "via" in values):
        raise ValueError(f"{values['kind']} leads nowhere, it has no via and no nexthop")
    if not nowhere and not route.hops and "via" not in values and "interface" not in values:
        raise ValueError("it needs via, dev or nexthop")
    return VirtualRoute(options=tuple(route.options.items()), hops=tuple(route.hops), **values)


def _option(word: str, words: _Words, route: _Route) -> None:
    value = words.value(word)
    if value == "lock":
        raise ValueError(f"{word} lock is not supported")
    if word in route.options:
        raise ValueError(f"{word} stands there twice")
    route.options[word] = _number(word, value)


def _hop(words: _Words) -> NextHop:
    found: dict[str, Any] = {}
    for word in words:
        if word in ("via", "gw"):
            found["via"] = _gateway(word, words)
        elif word == "dev":
            found["interface"] = _interface(word, words.value(word))
        elif word == "weight":
            found["weight"] = _number(word, words.value(word), 256, least=1)
        elif word == "onlink":
            found["onlink"] = True
        else:
            words.give_back(word)
            break
    if "via" not in found and "interface" not in found:
        raise ValueError("nexthop needs via or dev")
    return NextHop(**found)


def _gateway(option: str, words: _Words) -> Address:
    value = words.value(option)
    return _address(option, words.value(option) if value in ("inet", "inet6") else value)


def _put(name: str, read: Callable[[str, str], object]) -> Callable[[str, _Words, _Route], None]:
    return lambda word, words, route: route.put(name, word, read(word, words.value(word)))


def _address(option: str, text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise ValueError(f"{option}: {quote(text)} is not an IP address") from None


def _interface(option: str, text: str) -> str:
    try:
        return InterfaceName(loopback=True).parse(Word(text))
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None


def _number(option: str, text: str, most: int = UINT32, least: int = 0) -> int:
    try:
        number = int(text, 0) if text.isascii() and len(text) <= 10 else -1
    except ValueError:
        number = -1
    if not least <= number <= most:
        raise ValueError(f"{option}: {quote(text)} is not a number in {least}..{most}")
    return number


def _tos(option: str, text: str) -> int:
    return _number(option, text if text[:2] in ("0x", "0X") else f"0x{text}", 255)  # iproute2 reads it so


def _table(option: str, text: str) -> int:
    if text in TABLES:
        return TABLES[text]
    if not text[:1].isdecimal():
        named = _tables()
        if text not in named:
            raise ValueError(f"{option}: {quote(text)} is not a number, and no table in {_TABLE_NAMES}")
        return named[text]
    return _number(option, text, least=1)


def _tables() -> dict[str, int]:
    """The names that this host has for tables."""
    found: dict[str, int] = {}
    try:
        lines = _TABLE_NAMES.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return found
    for line in lines:
        words = line.partition("#")[0].split()
        if len(words) == 2 and words[0].isdecimal():
            found[words[1]] = int(words[0])
    return found


def _scope(option: str, text: str) -> int:
    try:
        return Scope().parse(Word(text))
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None


def _network(text: str, version: int = 4) -> Network:
    if text in ("default", "any", "all", "default6"):
        return ip_network("::/0" if version == 6 or text.endswith("6") else "0.0.0.0/0")
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{quote(text)} is not a network") from None
    raise ValueError(f"{quote(text)} names an address in a network; the network is {network}")


_ROUTE_WORDS: Final[Mapping[str, Callable[[str, _Words, _Route], None]]] = {
    "to": lambda word, words, route: route.put("destination", "the destination", words.value(word)),
    "via": lambda word, words, route: route.put("via", word, _gateway(word, words)),
    "gw": lambda word, words, route: route.put("via", word, _gateway(word, words)),
    "dev": _put("interface", _interface),
    "oif": _put("interface", _interface),
    "src": _put("source", _address),
    "table": _put("table", _table),
    "scope": _put("scope", _scope),
    **dict.fromkeys(("metric", "priority", "preference"), _put("metric", _number)),
    **dict.fromkeys(("tos", "dsfield"), _put("tos", _tos)),
    "onlink": lambda word, _words, route: route.put("onlink", word, value=True),
}


# --- rules ------------------------------------------------------------------------------------------------------------


def parse_rule(text: str) -> VirtualRule:
    """The rule. Raises ValueError."""
    words, found = _Words(text), _Route()
    for word in words:
        if word in _RULE_WORDS:
            name, read = _RULE_WORDS[word]
            found.put(name, word, read(word, words.value(word)))
        elif word in ("blackhole", "unreachable", "prohibit"):
            found.put("action", "what it does", word)
        elif word in ("not", "inet6"):
            found.put(word, word, value=True)
        else:
            raise ValueError(f"{quote(word)} is not known here")
    return _whole_rule(found.fields)


def _whole_rule(values: dict[str, Any]) -> VirtualRule:
    if "priority" not in values:
        raise ValueError("it needs a priority: rules are asked in its order, from 0 up to main's 32766")
    if ("action" in values) == ("table" in values):
        raise ValueError("it needs a table, or what to do in place of one: blackhole, unreachable or prohibit")
    texts = [values.get("source", "all"), values.get("destination", "all")]
    six = "inet6" in values or any(":" in each for each in texts)
    source, destination = (_network(each, 6 if six else 4) for each in texts)
    if source.version != destination.version:
        raise ValueError(f"from {source} and to {destination} are of two families")
    mark, mask = values.get("mark", (0, 0))
    return VirtualRule(
        family=source.version,
        negate=values.get("not", False),
        source=source if source.prefixlen else None,
        destination=destination if destination.prefixlen else None,
        mark=mark,
        mask=mask,
        **{
            name: values[name]
            for name in ("priority", "action", "table", "iif", "oif", "tos", "suppress_prefixlength")
            if name in values
        },
    )


def _mark(option: str, text: str) -> tuple[int, int]:
    mark, slash, mask = text.partition("/")
    return _number(option, mark), _number(option, mask, least=1) if slash else UINT32


def _as_it_is(_option: str, text: str) -> str:
    return text


_RULE_WORDS: Final[Mapping[str, tuple[str, Callable[[str, str], object]]]] = {
    "from": ("source", _as_it_is),
    "to": ("destination", _as_it_is),
    **dict.fromkeys(("table", "lookup"), ("table", _table)),
    **dict.fromkeys(("priority", "preference", "order", "pref"), ("priority", _number)),
    **dict.fromkeys(("iif", "dev"), ("iif", _interface)),
    "oif": ("oif", _interface),
    **dict.fromkeys(("tos", "dsfield"), ("tos", _tos)),
    "fwmark": ("mark", _mark),
    **dict.fromkeys(
        ("suppress_prefixlength", "suppress_prefixlen", "sup_pl"),
        ("suppress_prefixlength", lambda option, text: _number(option, text, 128)),
    ),
}


# --- as kinds of values -----------------------------------------------------------------------------------------------


class RouteText(Kind):
    """A route in iproute2's words."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string", "minLength": 1}

    def parse(self, word: Word) -> VirtualRoute:
        """The route. Raises ValueError."""
        return parse_route(word)


class RuleText(Kind):
    """A rule in iproute2's words."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string", "minLength": 1}

    def parse(self, word: Word) -> VirtualRule:
        """The rule. Raises ValueError."""
        return parse_rule(word)
