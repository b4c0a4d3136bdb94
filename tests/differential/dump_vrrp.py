"""The sections of a dump about global settings and VRRP → effective values, under the names of keywords."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.differential.outline import Property, Record
from tests.differential.readers import (
    Table,
    Values,
    address,
    base_interface,
    boolean,
    first_word,
    interval,
    negated,
    number,
    peer,
    read,
    route,
    rule,
    script,
    seconds,
    setting,
    tracked,
    weight,
)

_GLOBAL: Final[Table] = {
    "Router ID": ("router_id", str),
    "Smtp server": ("smtp_server", str),
    "Smtp server port": ("smtp_port", number),
    "Smtp server connection timeout": ("smtp_connect_timeout", number),
    "Smtp HELO name": ("smtp_helo_name", str),
    "Email notification from": ("notification_email_from", str),
    "Default smtp_alert": ("smtp_alert", setting),
    "Default smtp_alert_vrrp": ("smtp_alert_vrrp", setting),
    "Default smtp_alert_checker": ("smtp_alert_checker", setting),
    "Checkers log all failures": ("checker_log_all_failures", boolean),
    "Dynamic interfaces": ("dynamic_interfaces", boolean),
    "Default interface": ("default_interface", str),
    "VRRP notify priority changes": ("vrrp_notify_priority_changes", boolean),
    "FIFO write vrrp states on reload": ("fifo_write_vrrp_states_on_reload", boolean),
    "VRRP IPv4 mcast group": ("vrrp_mcast_group4", str),
    "VRRP IPv6 mcast group": ("vrrp_mcast_group6", str),
    "Gratuitous ARP delay": ("vrrp_garp_master_delay", number),
    "Gratuitous ARP repeat": ("vrrp_garp_master_repeat", number),
    "Gratuitous ARP refresh timer": ("vrrp_garp_master_refresh", number),
    "Gratuitous ARP refresh repeat": ("vrrp_garp_master_refresh_repeat", number),
    "Gratuitous ARP lower priority delay": ("vrrp_garp_lower_prio_delay", number),
    "Gratuitous ARP lower priority repeat": ("vrrp_garp_lower_prio_repeat", number),
    "Gratuitous ARP interval": ("vrrp_garp_interval", number),
    "Gratuitous NA interval": ("vrrp_gna_interval", number),
    "Num adverts before down": ("vrrp_down_timer_adverts", number),
    "Send advert after receive lower priority advert": ("vrrp_lower_prio_no_advert", negated),
    "Send advert after receive higher priority advert": ("vrrp_higher_prio_send_advert", boolean),
    "VRRP default protocol version": ("vrrp_version", number),
    "VRRP check unicast_src": ("vrrp_check_unicast_src", boolean),
    "VRRP skip check advert addresses": ("vrrp_skip_check_adv_addr", boolean),
    "VRRP strict mode": ("vrrp_strict", boolean),
    "vrrp_startup_delay": ("vrrp_startup_delay", number),
    "Instance name": ("instance", str),
    "Global notify fifo": ("notify_fifo", first_word),
    "VRRP notify fifo": ("vrrp_notify_fifo", first_word),
    "LVS notify fifo": ("lvs_notify_fifo", first_word),
    "Global notify fifo script": ("notify_fifo_script", script),
    "VRRP notify fifo script": ("vrrp_notify_fifo_script", script),
    "LVS notify fifo script": ("lvs_notify_fifo_script", script),
}

_INSTANCE: Final[Table] = {
    "Wantstate": ("state", str),
    "Interface": ("interface", base_interface),
    "Virtual Router ID": ("virtual_router_id", number),
    "Priority": ("priority", number),
    "VRRP Version": ("version", number),
    "Advert interval": ("advert_int", interval),
    "Preempt": ("preempt", boolean),
    "Preempt delay": ("preempt_delay", number),
    "Accept": ("accept", boolean),
    "Promote_secondaries": ("promote_secondaries", boolean),
    "Down timer adverts": ("down_timer_adverts", number),
    "Gratuitous ARP delay": ("garp_master_delay", number),
    "Gratuitous ARP repeat": ("garp_master_repeat", number),
    "Gratuitous ARP refresh": ("garp_master_refresh", number),
    "Gratuitous ARP refresh repeat": ("garp_master_refresh_repeat", number),
    "Gratuitous ARP lower priority delay": ("garp_lower_prio_delay", number),
    "Gratuitous ARP lower priority repeat": ("garp_lower_prio_repeat", number),
    "Send advert after receive lower priority advert": ("lower_prio_no_advert", negated),
    "Send advert after receive higher priority advert": ("higher_prio_send_advert", boolean),
    "Sync group": ("sync_group", str),
    "Unicast TTL": ("unicast_ttl", number),
    "Using smtp notification": ("smtp_alert", boolean),
    "Notify priority changes": ("notify_priority_changes", boolean),
    "Backup state transition script": ("notify_backup", script),
    "Master state transition script": ("notify_master", script),
    "Fault state transition script": ("notify_fault", script),
    "Stop state transition script": ("notify_stop", script),
    "Deleted state transition script": ("notify_deleted", script),
    "Generic state transition script": ("notify", script),
    "Master rx lower pri state transition script": ("notify_master_rx_lower_pri", script),
}

_GROUP: Final[Table] = {
    keyword: reader for keyword, reader in _INSTANCE.items() if "script" in keyword or "smtp" in keyword
}

# Properties with a list below; every line of it is read.
_TRACKS: Final[Table] = {
    "Tracked interfaces": ("track_interface", tracked),
    "Tracked scripts": ("track_script", tracked),
    "Tracked files": ("track_file", tracked),
    "Tracked processes": ("track_process", tracked),
}
_INSTANCE_LISTS: Final[Table] = {
    "Virtual IP": ("virtual_ipaddress", address),
    "Virtual IP Excluded": ("virtual_ipaddress_excluded", address),
    "Unicast Peer": ("unicast_peer", peer),
    "Virtual Routes": ("virtual_routes", route),
    "Virtual Rules": ("virtual_rules", rule),
    **_TRACKS,
}
_GROUP_LISTS: Final[Table] = {"VRRP member instances": ("group", str), **_TRACKS}

_SCRIPT: Final[Table] = {
    "Command": ("script", shlex.split),
    "Interval": ("interval", number),
    "Timeout": ("timeout", number),  # 0 when it is not said
    "Weight": ("weight", weight),
    "Rise": ("rise", number),
    "Fall": ("fall", number),
    "Insecure": ("insecure", boolean),
    "Script uid:gid": ("user", str),
}
_FILE: Final[Table] = {"File": ("file", str), "Weight": ("weight", weight)}
_PROCESS: Final[Table] = {
    "Process": ("process", str),
    "Parameters": ("parameters", str),
    "Param match": ("param_match", str),
    "Min processes": ("quorum", number),
    "Max processes": ("quorum_max", number),
    "Weight": ("weight", weight),
    "Terminate delay": ("terminate_delay", number),
    "Fork delay": ("fork_delay", number),
    "Full command": ("full_command", boolean),
}

_DELAYS: Final[Table] = {"Up debounce timer": ("up", seconds), "Down debounce timer": ("down", seconds)}

_AUTHENTICATION: Final = {"SIMPLE_PASSWORD": "PASS", "IPSEC_AH": "AH"}
_VMAC: Final = re.compile(r"Use VMAC, i/f name (\S+), is_up = \w+, xmit_base = (\w+)")
_COUNT: Final = re.compile(r" \(\d+\):$")  # `Virtual IP (2):`


def _globals(records: Sequence[Record]) -> Values:
    # Here the properties stand where the records of other sections begin.
    everything = Record("", [Property.of(record.head) for record in records])
    found = read(everything, _GLOBAL)
    for record in records:
        if record.head == "Email notification to:":
            found["notification_email"] = [each.name for each in record.properties]
    return found | {
        "enable_script_security": everything.says("Script security enabled"),
        "log_unknown_vrids": everything.says("log_unknown_vrids"),
        "no_email_faults": everything.value("Send emails for fault transitions") == "off",
    }


def _named(records: Sequence[Record], table: Table, lists: Table | None = None) -> Values:
    """Records whose heads are `KIND = NAME`, by name."""
    return {record.head.partition(" = ")[2]: read(record, table) | _lists(record, lists or {}) for record in records}


def _lists(record: Record, lists: Table) -> Values:
    return {keyword: [reader(line) for line in record.below(name)] for name, (keyword, reader) in lists.items()}


def _instances(records: Sequence[Record]) -> Values:
    for each in (each for record in records for each in record.properties):
        each.name = _COUNT.sub("", each.name)
    found = _named(records, _INSTANCE, _INSTANCE_LISTS)
    for record, instance in zip(records, found.values(), strict=True):
        kind = _AUTHENTICATION.get(record.value("Authentication type"))
        groups = [each.name.split()[2] for each in record.properties if each.name.startswith("Multicast address ")]
        instance |= {
            "authentication": {"auth_type": kind, "auth_pass": record.value("Password")} if kind else None,
            "mcast_dst_ip": groups[0].rstrip(",") if groups else None,
            "preempt_delay": instance.get("preempt_delay", 0),
            "check_unicast_src": record.says("Check unicast src : yes"),
            "use_vmac": _virtual_mac(record),
            "family": 6 if record.says("Using Native IPv6") else 4,
            "source": _configured(record.value("Using src_ip")),
            "strict_mode": record.says("Enforcing strict VRRP compliance"),
            "skip_check_adv_addr": record.says("Skip checking advert IP addresses"),
            "dont_track_primary": record.says("VRRP interface tracking disabled"),
        }
    return found


def _virtual_mac(record: Record) -> Values | None:
    """`Use VMAC, i/f name v1, is_up = true, xmit_base = false`, below it `MAC = 02:00:00:00:00:01` if it is said."""
    for each in record.properties:
        line = f"{each.name} = {each.value}"
        if found := _VMAC.match(line):
            mac = next((text.split()[2] for text in each.below if text.startswith("MAC = ")), None)
            return {"interface": found[1], "mac": mac, "xmit_base": found[2] == "true"}
    return None


def _configured(source: str) -> str | None:
    """The sender of adverts, `10.9.0.1 (from configuration)`; None where the interface's own is used."""
    address, _, origin = source.partition(" (")
    return address if origin else None


def _groups(records: Sequence[Record]) -> Values:
    named = _named(records, _GROUP, _GROUP_LISTS)
    for record, group in zip(records, named.values(), strict=True):
        group["sync_group_tracking_weight"] = record.says("sync group tracking weight set")
    return {name.partition(",")[0]: group for name, group in named.items()}  # `G, BACKUP`


def garp_group(records: Sequence[Record]) -> Values:
    """`GARP interval = 0.1`, `GNA interval = 0.2`, and the interfaces below `Interfaces`."""
    said = {(each := Property.of(record.head)).name: each.value for record in records}
    interfaces = [each.name for record in records for each in record.properties if record.head == "Interfaces"]
    return {
        "garp_interval": number(said.get("GARP interval", "0")),
        "gna_interval": number(said.get("GNA interval", "0")),
        "interfaces": sorted(interfaces),
    }


def _delays(records: Sequence[Record]) -> Values:
    """The interfaces that have any, by name."""
    found = {record.head.partition(" = ")[2]: read(record, _DELAYS) for record in records}
    return {name: delays for name, delays in found.items() if any(delays.values())}


def _lines(records: Sequence[Record], reader: Callable[[str], str]) -> list[str]:
    return [reader(line) for record in records for each in record.properties for line in (each.name, *each.below)]


def _static_addresses(records: Sequence[Record]) -> list[Values]:
    return [address(line) for record in records for each in record.properties for line in (each.name, *each.below)]


SECTIONS: Final[Mapping[str, tuple[str, Callable[[Sequence[Record]], object]]]] = {
    "Global definitions": ("global_defs", _globals),
    "VRRP Topology": ("vrrp_instance", _instances),
    "VRRP Sync groups": ("vrrp_sync_group", _groups),
    "VRRP Scripts": ("vrrp_script", lambda records: _named(records, _SCRIPT)),
    "VRRP Track files": ("track_file", lambda records: _named(records, _FILE)),
    "VRRP Track processes": ("vrrp_track_process", lambda records: _named(records, _PROCESS)),
    "Interfaces": ("interface_up_down_delays", _delays),
    "Static Addresses": ("static_ipaddress", _static_addresses),
    "Static Routes": ("static_routes", lambda records: _lines(records, route)),
    "Static Rules": ("static_rules", lambda records: _lines(records, rule)),
}
