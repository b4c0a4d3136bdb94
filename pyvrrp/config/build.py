"""Model → core settings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pyvrrp.config import build_instance, build_mysql, probes
from pyvrrp.config.build_instance import tracks
from pyvrrp.config.model.node import Fifo as FifoModel
from pyvrrp.config.model.node import NodeFile
from pyvrrp.config.model.section import Notifying, Script
from pyvrrp.config.model.services import RealServer, VirtualServer
from pyvrrp.core.settings import (
    Command,
    DatabaseSettings,
    Fifo,
    GarpGroup,
    InterfaceDelay,
    MailSettings,
    NodeSettings,
    Notifications,
    RealServerSettings,
    ServiceSettings,
    SyncGroupSettings,
    Track,
)

_SMTP_PORT = 25
_NO_PROTOCOL = "none"  # as keepalived's log has it; a firewall's mark may have several


class Builder:
    """Makes settings of one node's model, which stood in a file of `folder`.

    `passwords` are those of its instances, `ties` what relation.py found.
    """

    def __init__(
        self, node: NodeFile, folder: Path, passwords: dict[str, bytes], ties: dict[str, tuple[Track, ...]]
    ) -> None:
        self._node = node
        self._folder = folder
        self._passwords = passwords
        self._ties = ties
        self._user, _, self._group = node.script_user.partition(" ")

    def settings(self) -> NodeSettings:
        """All of it."""
        node = self._node
        return NodeSettings(
            router_id=node.router_id or os.uname().nodename.partition(".")[0],
            instances=tuple(
                build_instance.instance(
                    name,
                    each,
                    self._passwords.get(name),
                    self._ties.get(name, ()),
                    self._notifications(each),
                    self._database(name),
                )
                for name, each in node.vrrp_instances.items()
            ),
            checks=tuple(probes.check(name, each, self._command, self._folder) for name, each in node.checks.items()),
            groups=tuple(
                SyncGroupSettings(
                    name,
                    tuple(each.group),
                    tracks(each.track_checks),
                    self._notifications(each),
                    each.sync_group_tracking_weight,
                )
                for name, each in node.vrrp_sync_groups.items()
            ),
            services=tuple(self._service(each) for each in node.virtual_servers),
            fifos=tuple(self._fifos()),
            mail=self._mail(),
            startup_delay=node.startup_delay,
            script_timeout=node.max_script_seconds,
            network_namespace=node.network_namespace,
            delay_after_boot=node.delay_after_boot,
            garp_interval=node.garp_interval,
            gna_interval=node.gna_interval,
            garp_groups=tuple(
                GarpGroup(tuple(each.interfaces), each.garp_interval, each.gna_interval) for each in node.garp_groups
            ),
            interface_delays=tuple(
                InterfaceDelay(name, each.down, each.up) for name, each in node.interface_up_down_delays.items()
            ),
            dynamic_interfaces=node.dynamic_interfaces,
            static_addresses=tuple(build_instance.held(each, each.dev) for each in node.static_ipaddress),
            static_routes=tuple(node.static_routes),
            static_rules=tuple(node.static_rules),
            nftables_table=node.nftables,
            channel=build_mysql.channel(node.channel, self._folder) if node.channel is not None else None,
            state_directory=build_mysql.beside(self._folder, node.state_directory),
        )

    def _database(self, instance: str) -> DatabaseSettings | None:
        model = self._node.mysql.get(instance)
        return None if model is None else build_mysql.database(model, self._folder)

    def _notifications(self, model: Notifying) -> Notifications:
        return Notifications(
            notify=self._maybe(model.notify),
            master=self._maybe(model.notify_master),
            backup=self._maybe(model.notify_backup),
            fault=self._maybe(model.notify_fault),
            stop=self._maybe(model.notify_stop),
            deleted=self._maybe(model.notify_deleted),
            master_rx_lower_pri=self._maybe(model.notify_master_rx_lower_pri),
            smtp_alert=model.smtp_alert,
            priority_changes=model.notify_priority_changes,
        )

    def _service(self, model: VirtualServer) -> ServiceSettings:
        return ServiceSettings(
            name=service_name(model),
            real_servers=tuple(self._real_server(each) for each in model.real_servers),
            lb_algo=model.lb_algo,
            lb_kind=model.lb_kind,
            protocol=model.protocol if model.fwmark is None else _NO_PROTOCOL,
            persistence_timeout=model.persistence_timeout,
            sorry_server=model.sorry_server,
            sorry_server_inhibit=model.sorry_server_inhibit,
            quorum=model.quorum,
            hysteresis=model.hysteresis,
            quorum_up=self._maybe(model.quorum_up),
            quorum_down=self._maybe(model.quorum_down),
            omega=model.omega,
            smtp_alert=model.smtp_alert,
        )

    def _real_server(self, model: RealServer) -> RealServerSettings:
        return RealServerSettings(
            address=model.address,
            port=model.port,
            weight=model.weight,
            checks=tuple(model.checks),
            notify_up=self._maybe(model.notify_up),
            notify_down=self._maybe(model.notify_down),
            inhibit_on_failure=model.inhibit_on_failure,
            smtp_alert=model.smtp_alert,
        )

    def _fifos(self) -> Iterable[Fifo]:
        node = self._node
        for model, vrrp, lvs in (
            (node.notify_fifo, True, True),
            (node.vrrp_notify_fifo, True, False),
            (node.lvs_notify_fifo, False, True),
        ):
            if model is not None:
                yield self._fifo(model, vrrp, lvs)

    def _fifo(self, model: FifoModel, vrrp: bool, lvs: bool) -> Fifo:
        return Fifo(model.path, model.user, model.group, vrrp, lvs, self._maybe(model.script))

    def _mail(self) -> MailSettings | None:
        node = self._node
        if not node.smtp_server or not node.notification_email:
            return None
        host, _, port = node.smtp_server.partition(" ")
        return MailSettings(
            server=host,
            port=int(port or _SMTP_PORT),
            sender=node.notification_email_from or f"root@{os.uname().nodename}",
            recipients=tuple(node.notification_email),
            helo_name=node.smtp_helo_name,
            timeout=node.smtp_connect_timeout,
        )

    def _maybe(self, script: Script | None) -> Command | None:
        return self._command(script) if script is not None else None

    def _command(self, script: Script) -> Command:
        if script.user is not None:
            return Command(script.script, script.user, script.group or "")
        return Command(script.script, self._user, script.group or self._group)


def service_name(model: VirtualServer) -> str:
    """What keepalived's log calls a virtual server."""
    if model.fwmark is not None:
        return f"FWM {model.fwmark}"
    if model.group is not None:
        return f"[{model.group}]:{model.port}"
    return f"[{model.address}]:{model.protocol.lower()}:{model.port}"
