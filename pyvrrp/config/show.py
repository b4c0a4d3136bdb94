"""Core settings → the text of a node.yaml with every value that is in force. Passwords are not in it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from typing import Any, Final

import yaml

from pyvrrp.core import const
from pyvrrp.core.settings import (
    Account,
    CheckSettings,
    Command,
    DatabaseSettings,
    DnsProbe,
    Fifo,
    FileProbe,
    HttpProbe,
    HttpUrl,
    InstanceSettings,
    InterfaceProbe,
    MailSettings,
    MysqlProbe,
    NodeSettings,
    Notifications,
    PingProbe,
    ProcessProbe,
    RealServerSettings,
    ScriptProbe,
    ServiceSettings,
    SmtpProbe,
    Source,
    SyncGroupSettings,
    TcpProbe,
    Track,
    UdpProbe,
    UnicastPeer,
    VirtualAddress,
)

Keys = dict[str, Any]

_FIFO_KEYS: Final = {(True, True): "notify_fifo", (True, False): "vrrp_notify_fifo", (False, True): "lvs_notify_fifo"}
_SAME: Final = (
    "preempt_delay",
    "down_timer_adverts",
    "garp_master_delay",
    "garp_master_repeat",
    "garp_master_refresh",
    "garp_master_refresh_repeat",
    "garp_lower_prio_delay",
    "garp_lower_prio_repeat",
    "lower_prio_no_advert",
    "higher_prio_send_advert",
    "skip_check_adv_addr",
    "owner_ignore_adverts",
    "accept",
    "promote_secondaries",
)


def effective(settings: NodeSettings) -> str:
    """The whole node; what is absent is not named."""
    return yaml.safe_dump(_node(settings), sort_keys=False, allow_unicode=True, width=100)


def _node(node: NodeSettings) -> Keys:
    keys: Keys = {"router_id": node.router_id}
    if node.network_namespace:
        keys["network_namespace"] = node.network_namespace
    keys |= {"startup_delay": node.startup_delay, "delay_after_boot": node.delay_after_boot}
    keys |= _interfaces(node) | {"max_script_seconds": node.script_timeout}
    keys |= {_FIFO_KEYS[each.vrrp, each.lvs]: _fifo(each) for each in node.fifos}
    if node.mail is not None:
        keys |= _mail(node.mail)
    keys |= _unless_empty("static_routes", [str(each) for each in node.static_routes])
    keys |= _unless_empty("static_rules", [str(each) for each in node.static_rules])
    keys["vrrp_instances"] = {each.name: _instance(each) for each in node.instances}
    keys |= _unless_empty("vrrp_sync_groups", {each.name: _group(each) for each in node.groups})
    keys |= _unless_empty("checks", {each.name: _check(each) for each in node.checks})
    databases = {each.name: _database(each.database) for each in node.instances if each.database is not None}
    keys |= _unless_empty("mysql", databases)
    if node.channel is not None:
        keys["channel"] = asdict(node.channel)
    keys["state_directory"] = node.state_directory
    return keys | _unless_empty("virtual_servers", [_service(each) for each in node.services])


def _interfaces(node: NodeSettings) -> Keys:
    keys: Keys = {"garp_interval": node.garp_interval, "gna_interval": node.gna_interval}
    groups = [
        {"interfaces": list(each.interfaces), "garp_interval": each.garp_interval, "gna_interval": each.gna_interval}
        for each in node.garp_groups
    ]
    delays = {each.interface: {"down": each.down, "up": each.up} for each in node.interface_delays}
    keys |= _unless_empty("garp_groups", groups) | {"dynamic_interfaces": node.dynamic_interfaces}
    keys |= _unless_empty("interface_up_down_delays", delays)
    keys |= _unless_empty("static_ipaddress", [_address(each, "") for each in node.static_addresses])
    return keys | {"nftables": node.nftables_table}


def _unless_empty(key: str, value: object) -> Keys:
    return {key: value} if value else {}


def _instance(instance: InstanceSettings) -> Keys:
    keys: Keys = {
        "interface": instance.interface,
        "virtual_router_id": instance.virtual_router_id,
        "priority": instance.priority,
        "version": instance.version,
        "advert_int": instance.advert_int,
        "nopreempt": not instance.preempt,
        "vip_lease": "off" if instance.vip_lease is None else instance.vip_lease,
        "vip_list_tolerance": instance.list_tolerance,
        "duplicate_wait": "forever" if instance.duplicate_wait is None else instance.duplicate_wait,
    }
    keys |= {name: getattr(instance, name) for name in _SAME}
    keys |= _transport(instance)
    if instance.auth_pass is not None:
        keys["authentication"] = {"auth_type": "PASS", "auth_pass": "(not shown)"}
    keys["virtual_ipaddress"] = _addresses(instance, instance.addresses)
    keys |= _unless_empty("virtual_ipaddress_excluded", _addresses(instance, instance.excluded))
    keys |= _unless_empty("virtual_routes", [str(each) for each in instance.routes])
    keys |= _unless_empty("virtual_rules", [str(each) for each in instance.rules])
    keys |= _unless_empty("track_checks", _tracks(instance.tracks))
    return keys | _notifications(instance.notifications)


def _transport(instance: InstanceSettings) -> Keys:
    keys = _unless_empty("native_ipv6", instance.family == 6)
    unicast = bool(instance.unicast_peers) or instance.unicast_fault_no_peer
    if instance.source is not None:
        keys["unicast_src_ip" if unicast else "mcast_src_ip"] = str(instance.source)
    if unicast:
        keys["unicast_peer"] = [_peer(each) for each in instance.unicast_peers]
        keys |= {"unicast_ttl": instance.unicast_ttl, "check_unicast_src": instance.check_unicast_src}
        keys |= _unless_empty("unicast_fault_no_peer", instance.unicast_fault_no_peer)
    else:
        keys["mcast_dst_ip"] = str(instance.multicast_group)
    keys |= _unless_empty("track_src_ip", instance.track_source)
    if instance.vmac is not None:
        keys["use_vmac"] = {"interface": instance.vmac.interface, "mac": instance.vmac.mac.hex(":")}
        keys["vmac_xmit_base"] = instance.vmac.transmit_base
    keys["dont_track_primary"] = not instance.track_primary
    return keys | _unless_empty("v3_checksum_as_v2", instance.v3_checksum_as_v2)


def _peer(peer: UnicastPeer) -> str | Keys:
    if (peer.min_ttl, peer.max_ttl) == (0, const.TTL):
        return str(peer.address)
    return {"address": str(peer.address), "min_ttl": peer.min_ttl, "max_ttl": peer.max_ttl}


def _addresses(instance: InstanceSettings, addresses: Iterable[VirtualAddress]) -> list[Any]:
    return [_address(each, instance.carrier(each.address)) for each in addresses]


def _address(address: VirtualAddress, usual: str) -> str | Keys:
    extra = _unless_empty("label", address.label) | _unless_empty("scope", address.scope)
    if address.interface != usual:
        extra["dev"] = address.interface
    if address.broadcast is not None:
        extra["broadcast"] = str(address.broadcast)
    return {"address": str(address), **extra} if extra else str(address)


def _tracks(tracks: Iterable[Track]) -> list[Any]:
    return [
        {each.check: {"weight": each.weight, "reverse": each.reverse}} if each.weight or each.reverse else each.check
        for each in tracks
    ]


def _notifications(notifications: Notifications) -> Keys:
    commands = {
        "notify": notifications.notify,
        "notify_master": notifications.master,
        "notify_backup": notifications.backup,
        "notify_fault": notifications.fault,
        "notify_stop": notifications.stop,
        "notify_deleted": notifications.deleted,
        "notify_master_rx_lower_pri": notifications.master_rx_lower_pri,
    }
    keys: Keys = {name: _command(each) for name, each in commands.items() if each is not None}
    keys |= _unless_empty("smtp_alert", notifications.smtp_alert)
    return keys | _unless_empty("notify_priority_changes", notifications.priority_changes)


def _command(command: Command) -> Keys:
    text = shlex.join(command.words)
    return {"script": text, **_unless_empty("user", command.user), **_unless_empty("group", command.group)}


def _group(group: SyncGroupSettings) -> Keys:
    keys = {"group": list(group.members), **_unless_empty("track_checks", _tracks(group.tracks))}
    keys |= _unless_empty("sync_group_tracking_weight", group.tracking_weight)
    return keys | _notifications(group.notifications)


def _fifo(fifo: Fifo) -> Keys:
    keys: Keys = {"path": fifo.path, **_unless_empty("user", fifo.user), **_unless_empty("group", fifo.group)}
    return keys | ({"script": _command(fifo.script)} if fifo.script is not None else {})


def _mail(mail: MailSettings) -> Keys:
    return {
        "smtp_server": f"{mail.server} {mail.port}",
        "smtp_connect_timeout": mail.timeout,
        **_unless_empty("smtp_helo_name", mail.helo_name),
        "notification_email_from": mail.sender,
        "notification_email": list(mail.recipients),
    }


# --- checks ----------------------------------------------------------------------------------------------------------


def _check(check: CheckSettings) -> Keys:
    keys = _PROBES[type(check.probe)](check.probe)
    if isinstance(check.probe, FileProbe | InterfaceProbe):
        return keys
    keys |= {"interval": check.interval, "timeout": check.timeout, "fall": check.fall, "rise": check.rise}
    if check.retry_interval is not None:
        keys["retry_interval"] = check.retry_interval
    return keys | {"initial": check.initial, "warmup": check.warmup}


def _server(kind: str, probe: Any) -> Keys:
    port = {"port": probe.port} if hasattr(probe, "port") else {}
    return {"type": kind, "host": probe.host, **port, **_unless_empty("bind", _bind(probe.source))}


def _bind(source: Source) -> Keys:
    return {field.name: value for field in fields(source) if (value := getattr(source, field.name))}


def _http(probe: HttpProbe) -> Keys:
    keys = _server("https" if probe.tls else "http", probe)
    keys |= {"urls": [_url(each) for each in probe.urls], "http_version": probe.http_version}
    return keys | _unless_empty("virtualhost", probe.virtualhost) | {"sni": probe.sni}


def _url(url: HttpUrl) -> Keys:
    keys: Keys = {"path": url.path, **_unless_empty("virtualhost", url.virtualhost)}
    codes: list[int | str] = [low if low == high else f"{low}-{high}" for low, high in url.status_codes]
    keys |= _unless_empty("status_code", codes)
    keys |= _unless_empty("digest", url.digest) | _unless_empty("regex", url.regex)
    return keys | _unless_empty("regex_no_match", url.regex_no_match)


def _udp(probe: UdpProbe) -> Keys:
    keys = _server("udp", probe) | {"payload": probe.payload.hex(), "require_reply": probe.require_reply}
    keys |= _unless_empty("reply", probe.reply.hex()) | _unless_empty("mask", probe.mask.hex())
    return keys | {"min_length": probe.min_length, "max_length": probe.max_length}


def _process(probe: ProcessProbe) -> Keys:
    keys: Keys = {"type": "process", "process": probe.process}
    if probe.arguments is not None:
        keys["arguments"] = shlex.join(probe.arguments)
    return keys | {"full_command": probe.full_command, "quorum": probe.quorum, "quorum_max": probe.quorum_max}


_PROBES: Final[dict[type, Callable[[Any], Keys]]] = {
    TcpProbe: lambda probe: _server("tcp", probe),
    HttpProbe: _http,
    SmtpProbe: lambda probe: _server("smtp", probe) | {"helo_name": probe.helo_name},
    DnsProbe: lambda probe: _server("dns", probe) | {"query_type": probe.query_type, "name": probe.name},
    PingProbe: lambda probe: _server("ping", probe),
    UdpProbe: _udp,
    ScriptProbe: lambda probe: {"type": "script", "script": _command(probe.command), "dynamic": probe.dynamic},
    FileProbe: lambda probe: {"type": "file", "file": probe.path},
    ProcessProbe: _process,
    InterfaceProbe: lambda probe: {"type": "interface", "interface": probe.interface},
    MysqlProbe: lambda probe: {"type": "mysql"} | _account(probe.account),
}


# --- databases -------------------------------------------------------------------------------------------------------


def _database(database: DatabaseSettings) -> Keys:
    keys = _account(database.account)
    if database.peer is not None:
        keys["peer"] = _place(database.peer)
    keys |= {name: asdict(getattr(database, name)) for name in ("probe", "promote", "demote")}
    keys |= {"semi_sync": database.semi_sync, "hold_down": database.hold_down}
    return keys | _unless_empty("keep_users", list(database.keep_users))


def _account(account: Account) -> Keys:
    keys = _place(account) | _unless_empty("user", account.user)
    keys |= _unless_empty("password_file", account.password_file)
    return keys | _unless_empty("defaults_file", account.defaults_file)


def _place(account: Account) -> Keys:
    return {"socket": account.socket} if account.socket else {"host": account.host, "port": account.port}


# --- virtual servers -------------------------------------------------------------------------------------------------


def _service(service: ServiceSettings) -> Keys:
    keys: Keys = {**_which(service), "lb_algo": service.lb_algo, "lb_kind": service.lb_kind}
    keys |= _unless_empty("persistence_timeout", service.persistence_timeout)
    keys |= _unless_empty("sorry_server", service.sorry_server)
    keys |= _unless_empty("sorry_server_inhibit", service.sorry_server_inhibit)
    keys |= {"quorum": service.quorum, "hysteresis": service.hysteresis}
    keys |= _commands({"quorum_up": service.quorum_up, "quorum_down": service.quorum_down})
    keys |= _unless_empty("omega", service.omega) | _unless_empty("smtp_alert", service.smtp_alert)
    return keys | {"real_servers": [_real_server(each) for each in service.real_servers]}


def _which(service: ServiceSettings) -> Keys:
    """What keepalived's name of a virtual server says: `[192.0.2.1]:tcp:80`, `[GROUP]:0` or `FWM 1`."""
    if service.name.startswith("FWM "):
        return {"fwmark": int(service.name[4:])}
    where, _, rest = service.name[1:].rpartition("]:")
    protocol, _, port = rest.rpartition(":")
    return {"address" if protocol else "group": where, "port": int(port), "protocol": service.protocol}


def _real_server(server: RealServerSettings) -> Keys:
    keys: Keys = {"address": server.address, "port": server.port, "weight": server.weight}
    keys |= _unless_empty("checks", list(server.checks))
    keys |= _commands({"notify_up": server.notify_up, "notify_down": server.notify_down})
    keys |= _unless_empty("inhibit_on_failure", server.inhibit_on_failure)
    return keys | _unless_empty("smtp_alert", server.smtp_alert)


def _commands(commands: dict[str, Command | None]) -> Keys:
    return {name: _command(each) for name, each in commands.items() if each is not None}
