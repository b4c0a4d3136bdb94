"""keepalived's dumps: .data, .stats and .json, as its signals write them. Passwords are never in them.

Programs read these files, so the lines are keepalived's, those of what pyvrrp has.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pyvrrp.core.settings import (
    CheckSettings,
    Command,
    FileProbe,
    InstanceSettings,
    NodeSettings,
    Notifications,
    ProcessProbe,
    ScriptProbe,
    SyncGroupSettings,
    VirtualAddress,
)
from pyvrrp.core.snapshot import CheckStatus, InstanceStatus, Snapshot

IPV6: Final = 6
REDACTED: Final = "(not shown)"
_STATES: Final = {"INIT": 0, "BACKUP": 1, "MASTER": 2, "FAULT": 3}

# Name in JSON, name in the text, our counter.
_COUNTERS: Final = (
    ("advert_rcvd", "Advertisements/Received", "adverts_received"),
    ("advert_sent", "Advertisements/Sent", "adverts_sent"),
    ("become_master", "Became master", "became_master"),
    ("release_master", "Released master", "released_master"),
    ("packet_len_err", "Packet Errors/Length", "rejected_length"),
    ("ip_ttl_err", "Packet Errors/TTL", "rejected_ttl"),
    ("invalid_type_rcvd", "Packet Errors/Invalid Type", "rejected_type"),
    ("advert_interval_err", "Packet Errors/Advertisement Interval", "rejected_interval"),
    ("addr_list_err", "Packet Errors/Address List", "rejected_addresses"),
    ("invalid_authtype", "Authentication Errors/Invalid Type", "rejected_auth_type"),
    ("authtype_mismatch", "Authentication Errors/Type Mismatch", "rejected_authentication_type"),
    ("auth_failure", "Authentication Errors/Failure", "rejected_password"),
    ("pri_zero_rcvd", "Priority Zero/Received", "priority_zero_received"),
    ("pri_zero_sent", "Priority Zero/Sent", "priority_zero_sent"),
)

Baseline = dict[str, dict[str, int]]


class Dumps:
    """The texts of one node at one moment. `wall` is the time of day at `snapshot.now`.

    `baseline` holds counters by instance as they were when they were last cleared.
    """

    def __init__(self, settings: NodeSettings, snapshot: Snapshot, wall: float, baseline: Baseline) -> None:
        self._settings = settings
        self._snapshot = snapshot
        self._offset = wall - snapshot.now
        self._baseline = baseline
        self._status = {each.name: each for each in snapshot.instances}

    def data(self) -> str:
        """What is configured, and where everything stands."""
        lines = ["------< Global definitions >------", f" Router ID = {self._settings.router_id}"]
        lines.append(f" Network namespace = {self._settings.network_namespace or '(default)'}")
        lines.append("------< VRRP Topology >------")
        for instance in self._settings.instances:
            lines += self._instance(instance)
        scripts = [each for each in self._settings.checks if isinstance(each.probe, ScriptProbe)]
        if scripts:
            lines.append("------< VRRP Scripts >------")
            lines += [line for each in scripts for line in self._script(each)]
        others = [each for each in self._settings.checks if isinstance(each.probe, FileProbe | ProcessProbe)]
        if others:
            lines.append("------< Track files and processes >------")
            lines += [line for each in others for line in self._other(each)]
        if self._settings.groups:
            lines.append("------< VRRP Sync groups >------")
            lines += [line for each in self._settings.groups for line in self._group(each)]
        return "\n".join(lines) + "\n"

    def stats(self) -> str:
        """The counters."""
        lines: list[str] = []
        for status in self._snapshot.instances:
            lines.append(f"VRRP Instance: {status.name}")
            section = ""
            for _, name, ours in _COUNTERS:
                before, slash, last = name.rpartition("/")
                if slash and before != section:
                    lines.append(f"  {before}:")
                section = before
                indent = "    " if slash else "  "
                lines.append(f"{indent}{last}: {self._count(status, ours)}")
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """Both, as a list of objects."""
        instances = [
            {
                "data": self._json_data(each, self._status[each.name]),
                "stats": {key: self._count(self._status[each.name], ours) for key, _, ours in _COUNTERS},
            }
            for each in self._settings.instances
        ]
        return json.dumps(instances, separators=(",", ":"))

    def _count(self, status: InstanceStatus, ours: str) -> int:
        return status.counters.get(ours, 0) - self._baseline.get(status.name, {}).get(ours, 0)

    def _instance(self, instance: InstanceSettings) -> Iterable[str]:
        status = self._status[instance.name]
        groups = [group.name for group in self._settings.groups if instance.name in group.members]
        yield f" VRRP Instance = {instance.name}"
        yield from (f"   {line}" for line in self._instance_rows(instance, status, groups))

    def _instance_rows(self, instance: InstanceSettings, status: InstanceStatus, groups: list[str]) -> Iterable[str]:
        yield f"VRRP Version = {instance.version}"
        if instance.family == IPV6:
            yield "Using Native IPv6"
        yield from _flags(instance)
        yield from (f"Sync group = {name}" for name in groups)
        yield f"State = {status.state}"
        if status.master is not None and status.state == "BACKUP":
            yield f"Master router = {status.master.address}"
            yield f"Master priority = {status.master.priority}"
        yield f"Last transition = {self._moment(status.since)}"
        yield f"Master down timer = {round(status.master_down_interval * 1e6)} usecs"
        yield f"Interface = {_interface(instance)}"
        if not instance.track_primary:
            yield "VRRP interface tracking disabled"
        if instance.skip_check_adv_addr:
            yield "Skip checking advert IP addresses"
        if instance.source is not None:
            yield f"Using src_ip = {instance.source} (from configuration)"
        if not instance.unicast_peers:
            yield f"Multicast address {instance.multicast_group}"
        yield f"Gratuitous ARP delay = {instance.garp_master_delay:g}"
        yield f"Gratuitous ARP repeat = {instance.garp_master_repeat}"
        yield f"Gratuitous ARP refresh = {instance.garp_master_refresh:g}"
        yield f"Gratuitous ARP refresh repeat = {instance.garp_master_refresh_repeat}"
        yield f"Gratuitous ARP lower priority delay = {instance.garp_lower_prio_delay:g}"
        yield f"Gratuitous ARP lower priority repeat = {instance.garp_lower_prio_repeat}"
        yield f"Down timer adverts = {instance.down_timer_adverts}"
        yield f"Send advert after receive lower priority advert = {_truth(not instance.lower_prio_no_advert)}"
        yield f"Send advert after receive higher priority advert = {_truth(instance.higher_prio_send_advert)}"
        yield f"Virtual Router ID = {instance.virtual_router_id}"
        yield f"Priority = {instance.priority}"
        yield f"Effective priority = {status.priority}"
        yield f"Advert interval = {_interval(instance)}"
        yield f"Accept = {'enabled' if instance.accept else 'disabled'}"
        yield f"Preempt = {'enabled' if instance.preempt else 'disabled'}"
        if instance.preempt_delay:
            yield f"Preempt delay = {instance.preempt_delay:g} secs"
        yield f"Promote_secondaries = {'enabled' if instance.promote_secondaries else 'disabled'}"
        if instance.version == 2:
            yield f"Authentication type = {'none' if instance.auth_pass is None else 'SIMPLE_PASSWORD'}"
        if instance.auth_pass is not None:
            yield f"Password = {REDACTED}"
        held = {each.address for each in status.addresses if each.held}
        for title, addresses in (("Virtual IP", instance.addresses), ("Virtual IP Excluded", instance.excluded)):
            if addresses:
                yield f"{title} ({len(addresses)}):"
                yield from (f"  {_address(each, held)}" for each in addresses)
        yield from _unicast(instance)
        yield from self._tracks(instance)
        yield from _notifications(instance.notifications)

    def _tracks(self, instance: InstanceSettings) -> Iterable[str]:
        scripts = {each.name for each in self._settings.checks if isinstance(each.probe, ScriptProbe)}
        for title, wanted in (("Tracked scripts", True), ("Tracked checks", False)):
            found = [each for each in instance.tracks if (each.check in scripts) is wanted]
            if found:
                yield f"{title} :"
                yield from (
                    f"  {each.check} weight {each.weight}{' reverse' if each.reverse else ''}" for each in found
                )

    def _script(self, check: CheckSettings) -> Iterable[str]:
        probe = check.probe
        command = probe.command if isinstance(probe, ScriptProbe) else Command(())
        yield f" VRRP Script = {check.name}"
        yield f"   Command = {_quoted(command)}"
        yield f"   Interval = {check.interval:g} sec"
        yield f"   Timeout = {check.timeout:g} sec"
        yield f"   Rise = {check.rise}"
        yield f"   Fall = {check.fall}"
        yield f"   Status = {'GOOD' if self._check(check.name).result == 'up' else 'BAD'}"
        yield from self._tracking(check)

    def _other(self, check: CheckSettings) -> Iterable[str]:
        yield f" Check = {check.name}"
        yield f"   Target = {check.probe}"
        yield f"   Status = {'GOOD' if self._check(check.name).result == 'up' else 'BAD'}"
        yield from self._tracking(check)

    def _tracking(self, check: CheckSettings) -> Iterable[str]:
        yield "   Tracking instances :"
        for instance in self._settings.instances:
            for each in instance.tracks:
                if each.check == check.name:
                    yield f"     {instance.name}, weight {each.weight}"

    def _check(self, name: str) -> CheckStatus:
        return next(each for each in self._snapshot.checks if each.name == name)

    def _group(self, group: SyncGroupSettings) -> Iterable[str]:
        states = {self._status[name].state for name in group.members if name in self._status}
        state = next((each for each in ("FAULT", "MASTER", "BACKUP") if each in states), "INIT")
        yield f" VRRP Sync Group = {group.name}, {state}"
        yield "   VRRP member instances :"
        yield from (f"     {name}" for name in group.members)
        yield from (f"   {line}" for line in _notifications(group.notifications))

    def _moment(self, at: float) -> str:
        wall = at + self._offset
        day = time.strftime("%a %b %d %H:%M:%S", time.localtime(wall))
        return f"{wall:.6f} ({day}.{int(wall % 1 * 1e6):06} {time.strftime('%Y', time.localtime(wall))})"

    def _json_data(self, instance: InstanceSettings, status: InstanceStatus) -> dict[str, object]:
        held = {each.address for each in status.addresses if each.held}
        following = status.master if status.state == "BACKUP" else None
        data: dict[str, object] = {
            "iname": instance.name,
            "dont_track_primary": int(not instance.track_primary),
            "skip_check_adv_addr": int(instance.skip_check_adv_addr),
            "strict_mode": 0,
            "vmac_ifname": instance.vmac.interface if instance.vmac else "",
            "ifp_ifname": instance.interface,
            "master_priority": following.priority if following else 0,
            "last_transition": round(status.since + self._offset, 6),
            "garp_delay": _number(instance.garp_master_delay),
            "garp_refresh": _number(instance.garp_master_refresh),
            "garp_rep": instance.garp_master_repeat,
            "garp_refresh_rep": instance.garp_master_refresh_repeat,
            "garp_lower_prio_delay": _number(instance.garp_lower_prio_delay),
            "garp_lower_prio_rep": instance.garp_lower_prio_repeat,
            "lower_prio_no_advert": int(instance.lower_prio_no_advert),
            "higher_prio_send_advert": int(instance.higher_prio_send_advert),
            "vrid": instance.virtual_router_id,
            "base_priority": instance.priority,
            "effective_priority": status.priority,
            "vipset": bool(held),
            "promote_secondaries": instance.promote_secondaries,
            "adver_int": _number(instance.advert_int),
            "master_adver_int": _number(following.advert_int if following else instance.advert_int),
            "accept": int(instance.accept),
            "nopreempt": not instance.preempt,
            "preempt_delay": _number(instance.preempt_delay),
            "state": _STATES[status.state],
            "wantstate": _STATES[status.state],
            "version": instance.version,
            "smtp_alert": instance.notifications.smtp_alert,
            "notify_deleted": instance.notifications.deleted is not None,
        }
        data |= {
            name if name == "script" else f"script_{name}": _quoted(command)
            for name, command in _scripts(instance.notifications)
        }
        data["vips"] = [_address(each, held) for each in instance.addresses]
        if instance.excluded:
            data["evips"] = [_address(each, held) for each in instance.excluded]
        data["auth_type"] = 0 if instance.auth_pass is None else 1
        if instance.auth_pass is not None:
            data["auth_data"] = REDACTED
        return data


def _interface(instance: InstanceSettings) -> str:
    if instance.vmac is None:
        return instance.interface
    base = ", xmit base i/f" if instance.vmac.transmit_base else ""
    return f"{instance.vmac.interface}, vmac on {instance.interface}{base}"


def _flags(instance: InstanceSettings) -> Iterable[str]:
    if instance.unicast_peers or instance.vmac is not None:
        yield "Flags:"
    if instance.unicast_peers:
        yield "  Using unicast"
    if instance.vmac is not None:
        base = _truth(instance.vmac.transmit_base)
        yield f"  Use VMAC, i/f name {instance.vmac.interface}, is_up = true, xmit_base = {base}"


def _unicast(instance: InstanceSettings) -> Iterable[str]:
    if instance.unicast_peers:
        yield f"Unicast TTL = {instance.unicast_ttl}"
        yield f"Check unicast src : {'yes' if instance.check_unicast_src else 'no'}"
        yield "Unicast Peer :"
        yield from (
            f"  {each.address} min_ttl {each.min_ttl} max_ttl {each.max_ttl}" for each in instance.unicast_peers
        )


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner reads; a link that somebody put there is not followed. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def _notifications(notifications: Notifications) -> Iterable[str]:
    titles = {"backup": "Backup", "master": "Master", "fault": "Fault", "stop": "Stop", "deleted": "Deleted"}
    yield f"Using smtp notification = {'yes' if notifications.smtp_alert else 'no'}"
    for name, command in _scripts(notifications):
        if name == "script":
            yield f"Generic state transition script = {_quoted(command)}"
        else:
            yield f"{titles.get(name, 'Master rx lower pri')} state transition script = {_quoted(command)}"
    yield f"Notify priority changes = {_truth(notifications.priority_changes)}"


def _scripts(notifications: Notifications) -> Iterable[tuple[str, Command]]:
    for name, command in (
        ("backup", notifications.backup),
        ("master", notifications.master),
        ("fault", notifications.fault),
        ("stop", notifications.stop),
        ("deleted", notifications.deleted),
        ("script", notifications.notify),
        ("master_rx_lower_pri", notifications.master_rx_lower_pri),
    ):
        if command is not None:
            yield name, command


def _address(address: VirtualAddress, held: set[str]) -> str:
    whole = address.prefixlen == address.address.max_prefixlen
    text = f"{address.address}" if whole else f"{address}"
    if address.broadcast is not None:
        text += f" brd {address.broadcast}"
    text += f" dev {address.interface} scope {address.scope_name}"
    if address.label:
        text += f" label {address.label}"
    return f"{text} set" if f"{address}" in held or f"{address} dev {address.interface}" in held else text


def _interval(instance: InstanceSettings) -> str:
    if instance.version == 2:
        return f"{instance.advert_int:g} sec"
    return f"{round(instance.advert_int * 1000)} milli-sec"


def _quoted(command: Command) -> str:
    return " ".join(f"'{word}'" for word in command.words)


def _number(seconds: float) -> float:
    """keepalived writes whole seconds without a point."""
    return int(seconds) if seconds == int(seconds) else seconds


def _truth(value: bool) -> str:
    return "true" if value else "false"
