"""What pyvrrp makes of a keepalived.conf, under the same names as in dump.py. The functions here run inside a Sandbox.

Only what pyvrrp's settings have is here; a dump has more.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from pyvrrp.config.load import load
from pyvrrp.core import const
from pyvrrp.core.settings import (
    CheckSettings,
    Command,
    FileProbe,
    InstanceSettings,
    InterfaceProbe,
    NodeSettings,
    Notifications,
    ProcessProbe,
    RealServerSettings,
    ScriptProbe,
    ServiceSettings,
    Track,
    VirtualAddress,
)
from tests.differential.readers import Values
from tests.differential.sandbox import NAME

_SCOPES: Final = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_TRACKING: Final = {
    ScriptProbe: "track_script",
    FileProbe: "track_file",
    ProcessProbe: "track_process",
    InterfaceProbe: "track_interface",
}


def status(file: Path) -> int:
    """The exit status that `-t` has for a file."""
    return load(str(file), config_id=NAME).status


def values(file: Path) -> Values:
    """The effective values of a file; no instance and no server where the daemon would not start."""
    loaded = load(str(file), config_id=NAME)
    node = loaded.settings
    if loaded.refused or node.network_namespace:  # of which there is none in a sandbox
        node = replace(node, instances=(), services=())
    checks = {each.name: each for each in node.checks}
    served = {name for service in node.services for real in service.real_servers for name in real.checks}
    return {
        "global_defs": _globals(node),
        "vrrp_instance": {each.name: _instance(each, checks, served) for each in node.instances},
        "vrrp_sync_group": {
            each.name: {
                "group": list(each.members),
                "sync_group_tracking_weight": each.tracking_weight,
                **_tracks(each.tracks, checks),
                **_notifications(each.notifications),
            }
            for each in node.groups
        },
        "vrrp_script": {
            name: _script(each, each.probe)
            for name, each in checks.items()
            if isinstance(each.probe, ScriptProbe) and name not in served
        },
        "static_ipaddress": [_address(each) for each in node.static_addresses],
        "static_routes": [str(each) for each in node.static_routes],
        "static_rules": [str(each) for each in node.static_rules],
        "garp_group": [
            {
                "garp_interval": each.garp_interval,
                "gna_interval": each.gna_interval,
                "interfaces": sorted(each.interfaces),
            }
            for each in node.garp_groups
        ],
        "interface_up_down_delays": {
            each.interface: {"down": each.down, "up": each.up} for each in node.interface_delays
        },
        "virtual_server": {each.name: _service(each, checks) for each in node.services},
    }


def _globals(node: NodeSettings) -> Values:
    found: Values = {"router_id": node.router_id}
    if node.mail:
        found |= {
            "smtp_server": node.mail.server,
            "smtp_port": node.mail.port,
            "smtp_connect_timeout": node.mail.timeout,
            "notification_email": list(node.mail.recipients),
            "notification_email_from": node.mail.sender,
        }
    found |= {
        "vrrp_garp_interval": node.garp_interval,
        "vrrp_gna_interval": node.gna_interval,
        "dynamic_interfaces": node.dynamic_interfaces,
    }
    if node.startup_delay:
        found["vrrp_startup_delay"] = node.startup_delay
    for fifo in node.fifos:
        prefix = "" if fifo.vrrp and fifo.lvs else "vrrp_" if fifo.vrrp else "lvs_"
        found[f"{prefix}notify_fifo"] = fifo.path
        if fifo.script and fifo.vrrp:
            found[f"{prefix}notify_fifo_script"] = [*_words(fifo.script), fifo.path]
    return found


def _instance(each: InstanceSettings, checks: dict[str, CheckSettings], served: set[str]) -> Values:
    auth_pass = None if each.auth_pass is None else each.auth_pass.rstrip(b"\0").decode(errors="replace")
    return {
        "interface": each.interface,
        "virtual_router_id": each.virtual_router_id,
        "priority": each.priority,
        "version": each.version,
        "advert_int": each.advert_int,
        "preempt": each.preempt,
        "preempt_delay": each.preempt_delay,
        "authentication": auth_pass and {"auth_type": "PASS", "auth_pass": auth_pass},
        "virtual_ipaddress": [_address(vip) for vip in each.addresses],
        "virtual_ipaddress_excluded": [_address(vip) for vip in each.excluded],
        "virtual_routes": [str(route) for route in each.routes],
        "virtual_rules": [str(rule) for rule in each.rules],
        "down_timer_adverts": each.down_timer_adverts,
        "garp_master_delay": each.garp_master_delay,
        "garp_master_repeat": each.garp_master_repeat,
        "garp_master_refresh": each.garp_master_refresh,
        "garp_master_refresh_repeat": each.garp_master_refresh_repeat,
        "garp_lower_prio_delay": each.garp_lower_prio_delay,
        "garp_lower_prio_repeat": each.garp_lower_prio_repeat,
        "lower_prio_no_advert": each.lower_prio_no_advert,
        "higher_prio_send_advert": each.higher_prio_send_advert,
        **_transport(each),
        "notify_priority_changes": each.notifications.priority_changes,
        **_tracks((track for track in each.tracks if track.check not in served), checks),
        **_notifications(each.notifications),
    }


def _transport(each: InstanceSettings) -> Values:
    found: Values = {
        "family": each.family,
        "source": each.source and str(each.source),
        "accept": each.accept,
        "promote_secondaries": each.promote_secondaries,
        "use_vmac": each.vmac
        and {
            "interface": each.vmac.interface,
            "mac": None if each.vmac.mac[:5] in const.VMAC_PREFIX.values() else each.vmac.mac.hex(":"),
            "xmit_base": each.vmac.transmit_base,
        },
        "skip_check_adv_addr": each.skip_check_adv_addr,
        "dont_track_primary": not each.track_primary,
        "mcast_dst_ip": None if each.unicast_peers else str(each.multicast_group),
        "unicast_peer": [
            {"address": str(peer.address), "min_ttl": peer.min_ttl, "max_ttl": peer.max_ttl}
            for peer in each.unicast_peers
        ],
    }
    if each.unicast_peers:
        found |= {"unicast_ttl": each.unicast_ttl, "check_unicast_src": each.check_unicast_src}
    return found


def _address(vip: VirtualAddress) -> Values:
    found: Values = {"address": str(vip.address), "prefixlen": vip.prefixlen, "dev": vip.interface}
    found["scope"] = _SCOPES.get(vip.scope, str(vip.scope))
    if vip.label:
        found["label"] = vip.label
    if vip.broadcast:
        found["brd"] = str(vip.broadcast)
    return found


def _tracks(tracks: Iterable[Track], checks: dict[str, CheckSettings]) -> Values:
    found: Values = {kind: [] for kind in _TRACKING.values()}
    for track in tracks:
        probe = checks[track.check].probe
        name = probe.interface if isinstance(probe, InterfaceProbe) else track.check.rpartition("/")[2]  # `file/load`
        found[_TRACKING.get(type(probe), "track_script")].append(
            {"name": name, "weight": track.weight, "reverse": track.reverse}
        )
    return found


def _notifications(each: Notifications) -> Values:
    commands = {
        "notify": each.notify,
        "notify_master": each.master,
        "notify_backup": each.backup,
        "notify_fault": each.fault,
        "notify_stop": each.stop,
        "notify_deleted": each.deleted,
        "notify_master_rx_lower_pri": each.master_rx_lower_pri,
    }
    return {"smtp_alert": each.smtp_alert, **_commands(commands)}


def _commands(commands: dict[str, Command | None]) -> Values:
    return {keyword: _words(command) for keyword, command in commands.items() if command}


def _words(command: Command) -> list[str]:
    """The words of a command, its program in its real directory, as keepalived shows it."""
    program, *arguments = command.words
    found = Path(shutil.which(program) or program)
    return [str(found.parent.resolve() / found.name), *arguments]


def _script(check: CheckSettings, probe: ScriptProbe) -> Values:
    return {
        "script": _words(probe.command),
        "interval": check.interval,
        "timeout": check.timeout,
        "rise": check.rise,
        "fall": check.fall,
    }


def _service(each: ServiceSettings, checks: dict[str, CheckSettings]) -> Values:
    return {
        "lvs_sched": each.lb_algo,
        "lvs_method": each.lb_kind,
        "protocol": each.protocol,
        "quorum": each.quorum,
        "hysteresis": each.hysteresis,
        "omega": each.omega,
        "smtp_alert": each.smtp_alert,
        **_commands({"quorum_up": each.quorum_up, "quorum_down": each.quorum_down}),
        "real_server": {str(real): _real_server(real, checks) for real in each.real_servers},
    }


def _real_server(each: RealServerSettings, checks: dict[str, CheckSettings]) -> Values:
    return {
        "weight": each.weight,
        "inhibit_on_failure": each.inhibit_on_failure,
        "smtp_alert": each.smtp_alert,
        **_commands({"notify_up": each.notify_up, "notify_down": each.notify_down}),
        "checkers": [_checker(checks[name]) for name in each.checks],
    }


def _checker(check: CheckSettings) -> Values:
    pause = check.interval if check.retry_interval is None else check.retry_interval
    return {
        "alpha": check.initial == "down",
        "delay_loop": check.interval,
        "connect_timeout": check.timeout,
        "retry": check.fall - 1,
        "delay_before_retry": pause,
        "warmup": check.warmup,
    }
