"""The sections of a dump about virtual servers and their checkers → effective values, under the names of keywords."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any, Final

from tests.differential.outline import Property, Record, Section
from tests.differential.readers import Table, Values, boolean, first_word, number, read, script, seconds, socket

_EITHER: Final[Table] = {
    "VirtualHost": ("virtualhost", str),
    "connection timeout": ("connect_timeout", number),
    "Retry count": ("retry", number),
    "Retry delay": ("delay_before_retry", number),
    "Warmup": ("warmup", number),
    "Using smtp notification": ("smtp_alert", boolean),
}
_VIRTUAL: Final[Table] = {
    **_EITHER,
    "delay_loop": ("delay_loop", number),
    "lvs_sched": ("lvs_sched", str),
    "protocol": ("protocol", str),
    "persistence timeout": ("persistence_timeout", number),
    "default forwarding method": ("lvs_method", first_word),
    "sorry server": ("sorry_server", socket),
    "Quorum up notify script": ("quorum_up", script),
    "Quorum down notify script": ("quorum_down", script),
}
_REAL: Final[Table] = {
    **_EITHER,
    "Delay loop": ("delay_loop", number),
    "forwarding method": ("lvs_method", first_word),
    "initial weight": ("weight", number),
}
_REAL_NOTIFY: Final[Table] = {
    "RS up notify script": ("notify_up", script),
    "RS down notify script": ("notify_down", script),
}
_CHECKER: Final[Table] = {
    "Keepalive method": ("kind", first_word),
    "Alpha": ("alpha", boolean),
    "Delay loop": ("delay_loop", seconds),
    "Warmup": ("warmup", seconds),
    "Retries": ("retry", number),
    "Delay before retry": ("delay_before_retry", seconds),
    "Log all failures": ("log_all_failures", boolean),
    "script": ("misc_path", shlex.split),
    "timeout": ("misc_timeout", number),
    "dynamic": ("misc_dynamic", boolean),
    "uid:gid": ("user", str),
    "Type": ("type", str),
    "Name": ("name", str),
    "helo": ("helo_name", str),
    "Require reply": ("require_reply", boolean),
}
_BELOW_CHECKER: Final[Table] = {
    "Dest": ("connect", socket),
    "Bind to": ("bind", socket),
    "Bind i/f": ("bind_if", str),
    "Mark": ("fwmark", number),
    "Timeout": ("connect_timeout", number),
    "Min reply length": ("min_reply_length", number),
    "Max reply length": ("max_reply_length", number),
    "Tracked file": ("track_file", str),
}
_URL: Final[Table] = {
    "digest": ("digest", str),
    "Virtual host": ("virtualhost", str),
    "Regex": ("regex", str),
}
_STATUS_CODE: Final = re.compile(r"\d{3}(?:-\d{3})?")
_NO_TIMERS: Final = {"BFD_CHECK", "FILE_CHECK"}  # what is shown for them was never set
_TIMERS: Final = {"alpha", "delay_loop", "warmup", "retry", "delay_before_retry"}


def virtual_server(section: Section) -> Values:
    """`VS VIP = 10.9.0.100, VPORT = 3306`, `VS FWMARK = 7` or `VS GROUP = [G]:0`, and what is said of it."""
    (record,) = section.records
    quorum, _, hysteresis = record.value("quorum").partition(", hysteresis = ")
    return read(record, _VIRTUAL) | {
        "which": record.head,
        "alpha": record.says("alpha is ON"),
        "omega": record.says("omega is ON"),
        "ha_suspend": record.says("Using HA suspend"),
        "inhibit_on_failure": record.says("Inhibit on failure is ON"),
        "quorum": number(quorum),
        "hysteresis": number(hysteresis),
        "real_server": [],
    }


def real_server(section: Section) -> Values:
    """Its first line is `RIP = 10.9.0.1, RPORT = 3306, WEIGHT = 1 EFF WEIGHT = 1`."""
    (record,) = section.records
    host, port, _ = record.value("RIP").split(", ")
    return (
        read(record, _REAL)
        | read(record.nested(), _REAL_NOTIFY)
        | {
            "address": host,
            "port": number(port.removeprefix("RPORT = ")),
            "alpha": record.says("Alpha is ON"),
            "inhibit_on_failure": record.says("Inhibit on failure is ON"),
            "checkers": [],
        }
    )


def attach_checkers(section: Section, servers: Sequence[Values]) -> None:
    """Give every checker to the server that its first line names: `[10.9.0.100]:tcp:3306 -> [10.9.0.1]:tcp:3306`."""
    for record in section.records:
        virtual, _, real = record.head.partition(" -> ")
        # Of servers with one name none is preferred: keepalived does not show which is meant.
        owner = next(
            each
            for server in servers
            if name_of(server) == virtual
            for each in server["real_server"]
            if (each["address"], each["port"]) == socket(real)
        )
        owner["checkers"].append(_checker(record))


def name_of(server: Values) -> str:
    """How the log and the checkers name a virtual server."""
    kind, _, name = server["which"].partition(" = ")
    if kind == "VS VIP":
        host, _, port = name.partition(", VPORT = ")
        return f"[{host}]:{server['protocol'].lower()}:{port}"
    return f"FWM {name}" if kind == "VS FWMARK" else str(name)


def _checker(record: Record) -> Values:
    found = read(record, _CHECKER) | read(record.nested(), _BELOW_CHECKER)
    urls = [_url(each) for each in record.properties if each.name == "Checked url"]
    if urls:
        found["url"] = urls
    unset = _TIMERS if found["kind"] in _NO_TIMERS else set()
    return {keyword: value for keyword, value in found.items() if keyword not in unset}


def _url(line: Property) -> dict[str, Any]:
    record = Record("", [Property.of(each) for each in line.below])
    codes = [each for each in line.below if _STATUS_CODE.fullmatch(each)]
    return {"path": line.value, "status_code": codes} | read(record, _URL)
