"""Keywords that have no effect here, and whose values keepalived looks at all the same: what it would object to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_interface
from typing import Final

from pyvrrp.config.keepalived.numbers import INT_MAX, UINT_MAX, Number, truth
from pyvrrp.config.values import quote

Objection = Callable[[Sequence[str]], str]  # the words behind the keyword → what is wrong with them, "" for nothing

_UMASK: Final = tuple(f"I{right}{who}" for right in "RWX" for who in ("USR", "GRP", "OTH"))


def _number(low: float, high: float, *, decimal: bool = False, bare: bool = False) -> Objection:
    """One number; with `bare` it may be left away."""
    number = Number(low, high, decimal)

    def objection(words: Sequence[str]) -> str:
        if not words:
            return "" if bare else "needs a number"
        try:
            number.parse(words[0])
        except ValueError as error:
            return str(error)
        return ""

    return objection


def _truth(words: Sequence[str]) -> str:
    try:
        truth(words[0] if words else "true")
    except ValueError as error:
        return str(error)
    return ""


def _one_of(*known: str, bare: bool = True) -> Objection:
    def objection(words: Sequence[str]) -> str:
        if not words and not bare:
            return f"needs one of {', '.join(known)}"
        unknown = [word for word in words if word not in known]
        return f"{quote(unknown[0])} is not {' or '.join(known)}" if unknown else ""

    return objection


def _named(words: Sequence[str]) -> str:
    return "" if words else "needs a name"


def _outdated(what: str) -> Objection:
    return lambda _words: f"is outdated: {what}"


def _buffer_policy(words: Sequence[str]) -> str:
    return "" if words[:1] in (["MTU"], ["ADVERT"]) else _number(0, UINT_MAX)(words)


def _extra_interfaces(words: Sequence[str]) -> str:
    times = words[1:] if words[:1] == ["all"] else words
    return _number(0, 86400)(times) if times else "names no time"


def _umask(words: Sequence[str]) -> str:
    text = "".join(words)
    if text[:1].isdigit():
        return ""
    return _one_of(*_UMASK, bare=False)([bit.strip() for bit in text.split("|") if bit.strip()])


def _timeouts(words: Sequence[str]) -> str:
    if not words:
        return "needs one of tcp, tcpfin, udp"
    return _one_of("tcp", "tcpfin", "udp")(words[::2])


def _include_check(words: Sequence[str]) -> str:
    return _one_of("match", "wildcard_match", "brace_match")([word.lstrip("+-") for word in words])


def _address(words: Sequence[str]) -> str:
    """An address that would be set at the start, for good."""
    try:
        ip_interface(words[0])
    except ValueError:
        return f"{quote(words[0])} is not an IP address"
    return ""


def _route(words: Sequence[str]) -> str:
    outdated = {"or": "nexthop", "gw": "via"}
    for word in words:
        if word in outdated:
            return f'"{word}" is outdated: say "{outdated[word]}" in place of it'
    return "" if {"dev", "no_track"} & {*words} else "names no interface, so it cannot be tracked"


def _rule(words: Sequence[str]) -> str:
    return "" if {"preference", "priority", "order"} & {*words} else "names no preference"


def _link(words: Sequence[str]) -> str:
    return _one_of("MII", "ETHTOOL", "IOCTL")(words[1:])


_SIZE: Final = _number(0, UINT_MAX)
_FORCE: Final = _truth
_NICE: Final = _number(-20, 19, bare=True)
_RUNTIME: Final = _number(1, UINT_MAX)
_SECONDS: Final = _number(1, 1000)
_FIREWALL: Final = _number(-INT_MAX - 1, INT_MAX)
_IPTABLES: Final = _outdated('say "nftables" in place of it')

_GLOBAL: Final[Mapping[str, Objection]] = {
    **{f"{who}_priority": _NICE for who in ("vrrp", "checker", "bfd")},
    **{f"{who}_rt_priority": _number(1, 99) for who in ("vrrp", "checker", "bfd")},
    **{f"{who}_{word}": _RUNTIME for who in ("vrrp", "checker", "bfd") for word in ("rlimit_rttime", "rlimit_rtime")},
    **{f"{who}_cpu_affinity": _number(0, 4095) for who in ("vrrp", "checker", "bfd")},
    **{f"{who}_netlink_{what}_rcv_bufs": _SIZE for who in ("vrrp", "lvs") for what in ("cmd", "monitor")},
    **{f"{who}_netlink_{what}_rcv_bufs_force": _FORCE for who in ("vrrp", "lvs") for what in ("cmd", "monitor")},
    "process_monitor_rcv_bufs": _SIZE,
    "process_monitor_rcv_bufs_force": _FORCE,
    "max_auto_priority": _number(-1, 99, bare=True),
    "min_auto_priority_delay": _number(1, 10_000_000),
    "vrrp_rx_bufs_policy": _buffer_policy,
    "vrrp_rx_bufs_multiplier": _number(1, UINT_MAX),
    "umask": _umask,
    "random_seed": _SIZE,
    "vrrp_iptables": _IPTABLES,
    "nftables_priority": _FIREWALL,
    "nftables_ipvs_priority": _FIREWALL,
    "nftables_ipvs_start_fwmark": _number(1, UINT_MAX),
    "vrrp_garp_extra_if": _extra_interfaces,
    "include_check": _include_check,
    "dynamic_interfaces": _one_of("allow_if_changes"),
    "checker_log_all_failures": _truth,
    "data_use_instance": _truth,
    "dbus_service_name": _named,
    "startup_script_timeout": _SECONDS,
    "shutdown_script_timeout": _SECONDS,
    "lvs_timeouts": _timeouts,
    "lvs_flush_on_stop": _one_of("VS"),
}
_INSTANCE: Final[Mapping[str, Objection]] = {
    "debug": _number(0, 4),
    "kernel_rx_buf_size": _SIZE,
    "garp_extra_if": _extra_interfaces,
    "old_unicast_checksum": _one_of("never"),
    "linkbeat_use_polling": _outdated("say linkbeat_interfaces { … } in place of it"),
    "lvs_sync_daemon_interface": _outdated("say lvs_sync_daemon in global_defs in place of it"),
}
_SERVICE: Final[Mapping[str, Objection]] = {
    "ip_family": _one_of("inet", "inet6"),
    "uthreshold": _SIZE,
    "lthreshold": _SIZE,
    "log_all_failures": _truth,
}

# Of each entry of a list.
ENTRIES: Final[Mapping[str, Objection]] = {
    "static_routes": _route,
    "virtual_routes": _route,
    "static_rules": _rule,
    "virtual_rules": _rule,
    "linkbeat_interfaces": _link,
}

_PEER: Final[Mapping[str, Objection]] = {
    **dict.fromkeys(("neighbor_ip", "neighbour_ip", "source_ip"), _address),
    **dict.fromkeys(("min_rx", "min_tx", "idle_tx"), _number(0, UINT_MAX, decimal=True)),
    "weight": _number(-253, 253),
    "ttl": _number(1, 255),
    "hoplimit": _number(1, 255),
    "max_hops": _number(0, 255),
    "multiplier": _number(1, 255),
}

VALUES: Final[Mapping[str, Mapping[str, Objection]]] = {
    "root": {"child_wait_time": _SIZE},
    "global_defs": _GLOBAL,
    "vrrp_instance": _INSTANCE,
    "bfd_instance": _PEER,
    "vrrp_sync_group": {"global_tracking": _outdated("a group tracks for itself")},
    **dict.fromkeys(
        (
            "virtual_server",
            "real_server",
            "TCP_CHECK",
            "HTTP_GET",
            "SSL_GET",
            "SMTP_CHECK",
            "host",
            "DNS_CHECK",
            "MISC_CHECK",
            "PING_CHECK",
            "UDP_CHECK",
        ),
        _SERVICE,
    ),
}
