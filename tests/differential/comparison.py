"""Effective values of both programs, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Final

from tests.differential.dump_servers import name_of
from tests.differential.readers import Values
from tests.differential.sandbox import NAME

Pair = tuple[object, object]

RUNS: Final = "runs"  # whether it does anything at all with a file
PRESENT, ABSENT = "present", "absent"
# What is found by name, and differs as a whole where only one has it.
_COLLECTIONS: Final = ("vrrp_instance", "vrrp_sync_group", "vrrp_script", "virtual_server")
_NESTED: Final = ".real_server"
_ADDRESS: Final = ("address", "prefixlen", "dev", "scope", "label", "brd")
_SCRIPTS: Final = ("notify", "quorum_up", "quorum_down")
_NO_ROUTER_ID: Final = "[unknown]"


def differing(theirs: Values | None, ours: Values) -> dict[str, Pair]:
    """Path (`vrrp_instance.V.priority`) → (theirs, ours), of everything that both have a word for and differ in.

    Instances, groups, servers and scripts that only one has differ as a whole. `theirs` is None where keepalived does
    not run; then RUNS differs if pyvrrpd has something to do.
    """
    if theirs is None:
        return {RUNS: (False, True)} if ours["vrrp_instance"] or ours["virtual_server"] else {}
    return dict(_walk("", _comparable(theirs), ours))


def _walk(path: str, theirs: Any, ours: Any) -> Iterator[tuple[str, Pair]]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in ours.keys() & theirs.keys():
            yield from _walk(f"{path}.{key}" if path else key, theirs[key], ours[key])
        named = path in _COLLECTIONS or path.endswith(_NESTED)
        for key in ours.keys() ^ theirs.keys():
            if named or key.startswith(_SCRIPTS):
                yield f"{path}.{key}", (_presence(key, theirs), _presence(key, ours))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours) and path.endswith("checkers"):
        for number, (one, other) in enumerate(zip(theirs, ours, strict=True), 1):
            yield from _walk(f"{path}.{number}", one, other)
    elif theirs != ours:
        yield path, (theirs, ours)


def _presence(key: str, values: Values) -> str:
    return PRESENT if key in values else ABSENT


def _comparable(theirs: Values) -> Values:
    """A dump in the shape that ours.values has."""
    found = {name: theirs.get(name, {}) for name in ("global_defs", *_COLLECTIONS[:-1])}
    router_id = found["global_defs"].get("router_id", _NO_ROUTER_ID)
    found["global_defs"] = _without_owners(found["global_defs"]) | {
        "router_id": NAME if router_id == _NO_ROUTER_ID else router_id
    }
    for kind in ("vrrp_instance", "vrrp_sync_group"):
        found[kind] = {name: _instance(each) for name, each in found[kind].items()}
    found["vrrp_script"] = {
        name: each | {"timeout": each["timeout"] or each["interval"]} for name, each in found["vrrp_script"].items()
    }
    found |= {key: theirs.get(key, []) for key in ("static_routes", "static_rules")}
    found["static_ipaddress"] = _addresses(theirs.get("static_ipaddress", ()))
    pace = [found["global_defs"].get(f"vrrp_{what}_interval") for what in ("garp", "gna")]
    groups = (each for each in theirs.get("garp_group", ()) if [each["garp_interval"], each["gna_interval"]] != pace)
    found["garp_group"] = sorted(groups, key=itemgetter("interfaces"))  # those of the global pace it makes by itself
    found["interface_up_down_delays"] = theirs.get("interface_up_down_delays", {})
    found["virtual_server"] = {name_of(each): _server(each) for each in theirs.get("virtual_server", ())}
    return found


def _instance(values: Values) -> Values:
    found = _without_owners(values)
    for keyword in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        if keyword in found:
            found[keyword] = _addresses(found[keyword])
    return found


def _addresses(vips: Iterable[Values]) -> list[Values]:
    return [{key: vip[key] for key in _ADDRESS if key in vip} for vip in vips]


def _server(values: Values) -> Values:
    real_servers = {f"[{each['address']}]:{each['port']}": _without_owners(each) for each in values["real_server"]}
    return _without_owners(values) | {"real_server": real_servers}


def _without_owners(values: Values) -> Values:
    """Scripts as their words alone: with whose rights they run, ours knows by name only."""
    return {
        keyword: value["command"] if isinstance(value, dict) and "command" in value else value
        for keyword, value in values.items()
    }
