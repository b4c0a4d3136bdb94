"""The whole of node.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from pyvrrp.config.model.checks import AnyCheck
from pyvrrp.config.model.instance import Instance, Route, Rule
from pyvrrp.config.model.interfaces import AnyDelays, GarpGroup, StaticAddress
from pyvrrp.config.model.mysql import Channel, Mysql
from pyvrrp.config.model.section import Command, Either, Notifying, Section, TrackedChecks
from pyvrrp.config.model.services import VirtualServer
from pyvrrp.config.values import Duration, FileName, Flag, Name, Text, Word
from pyvrrp.config.values_net import InterfaceName, Server, TableName


class Fifo(Section):
    """A named pipe that is told of changes, one a line."""

    path: Annotated[str, FileName()] = Field(description="Where it is.", examples=["/run/pyvrrp.fifo"])
    user: Annotated[str, Name()] = Field(default="", description="Who owns it.")
    group: Annotated[str, Name()] = Field(default="", description="Its group.")
    script: Command | None = Field(default=None, description="A program that reads it; it gets the path.")


def _as_fifo(value: object) -> object:
    return {"path": value} if isinstance(value, Word) else value


AnyFifo = Annotated[Fifo, BeforeValidator(_as_fifo), Either(FileName())]


class SyncGroup(Notifying):
    """Instances that are MASTER together and in FAULT together."""

    group: list[Annotated[str, Name()]] = Field(description="The instances.", examples=[["VI_1"]])
    track_checks: TrackedChecks = Field(default=[], description="Checks that all of them follow.")
    sync_group_tracking_weight: Annotated[bool, Flag()] = Field(
        default=False, description="Weights of what its members track change their priorities, each by itself."
    )


class NodeFile(Section):
    """One pyvrrpd: its virtual routers and its checks."""

    router_id: Annotated[str | None, Name()] = Field(
        default=None, description="The name of this node in status and logs; the host's name up to its first dot."
    )
    network_namespace: Annotated[str, Text()] = Field(default="", description="The network namespace to work in.")
    startup_delay: Annotated[float, Duration(0, 1000)] = Field(
        default=0.0, description="After the start every instance waits for so long before its own timers begin."
    )
    delay_after_boot: Annotated[float, Duration(0, 3600)] = Field(
        default=0.0, description="The same, counted from when this host was booted."
    )
    garp_interval: Annotated[float, Duration(0, 1000)] = Field(
        default=0.0, description="The least time between two gratuitous ARPs on an interface; 0: none."
    )
    gna_interval: Annotated[float, Duration(0, 1000)] = Field(
        default=0.0, description="The least time between two neighbour advertisements on an interface; 0: none."
    )
    garp_groups: list[GarpGroup] = Field(
        default=[], description="Interfaces that share a pace of their own for these, as they lead to one switch."
    )
    dynamic_interfaces: Annotated[bool, Flag()] = Field(
        default=False, description="Interfaces that are missing at the start are expected later: that is no problem."
    )
    interface_up_down_delays: dict[Annotated[str, InterfaceName()], AnyDelays] = Field(
        default={},
        description="By interface: how long its new state must last before it counts. Seconds, or {down: 1, up: 2}.",
    )
    static_ipaddress: list[StaticAddress] = Field(
        default=[], max_length=1000, description="Addresses that are set when the daemon starts, and stay."
    )
    static_routes: list[Route] = Field(default=[], max_length=1000, description="The same with routes.")
    static_rules: list[Rule] = Field(default=[], max_length=1000, description="The same with rules.")
    nftables: Annotated[str, TableName()] = Field(
        default="pyvrrp",
        description="The nftables table that is made for `accept: false`, and belongs to pyvrrpd alone.",
    )
    script_user: Annotated[str, Text()] = Field(default="", description="Who runs scripts: user, or user and group.")
    enable_script_security: Annotated[bool, Flag()] = Field(
        default=False, description="Do not run scripts as root that others than root can change."
    )
    max_script_seconds: Annotated[float, Duration(0.1, 3600)] = Field(
        default=60.0, description="A notify script that runs longer is killed."
    )
    notify_fifo: AnyFifo | None = Field(default=None, description="A pipe that is told of everything.")
    vrrp_notify_fifo: AnyFifo | None = Field(default=None, description="A pipe that is told of instances and groups.")
    lvs_notify_fifo: AnyFifo | None = Field(default=None, description="A pipe that is told of virtual servers.")
    notification_email: list[Annotated[str, Text()]] = Field(default=[], description="Who gets mail.")
    notification_email_from: Annotated[str, Text()] = Field(default="", description="Who sends it.")
    smtp_server: Annotated[str, Server()] = Field(default="", description="The mail server: address, perhaps port.")
    smtp_helo_name: Annotated[str, Text()] = Field(default="", description="What HELO says; the host's name.")
    smtp_connect_timeout: Annotated[float, Duration(0.1, 3600)] = Field(default=30.0, description="Seconds for it.")
    vrrp_instances: dict[Annotated[str, Name()], Instance] = Field(default={}, description="Virtual routers by name.")
    vrrp_sync_groups: dict[Annotated[str, Name()], SyncGroup] = Field(default={}, description="Groups by name.")
    checks: dict[Annotated[str, Name()], AnyCheck] = Field(default={}, description="Health checks by name.")
    mysql: dict[Annotated[str, Name()], Mysql] = Field(
        default={}, description="The database behind an instance, by the instance's name."
    )
    channel: Channel | None = Field(default=None, description="How the two agents of a database talk.")
    state_directory: Annotated[str, FileName()] = Field(
        default="/var/lib/pyvrrp", description="Where the daemon keeps what must outlive it; of use with mysql only."
    )
    virtual_servers: list[VirtualServer] = Field(default=[], description="Services that are checked.")
