"""The whole of node.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from pyvrrp.config.model.checks import AnyCheck
from pyvrrp.config.model.instance import Instance
from pyvrrp.config.model.section import Command, Either, Notifying, Section, TrackedChecks
from pyvrrp.config.model.services import VirtualServer
from pyvrrp.config.values import Duration, FileName, Flag, Name, Text, Word
from pyvrrp.config.values_net import Server


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


class NodeFile(Section):
    """One pyvrrpd: its virtual routers and its checks."""

    router_id: Annotated[str | None, Name()] = Field(
        default=None, description="The name of this node in status and logs; the host's name up to its first dot."
    )
    network_namespace: Annotated[str, Text()] = Field(default="", description="The network namespace to work in.")
    startup_delay: Annotated[float, Duration(0, 1000)] = Field(
        default=0.0, description="After the start every instance waits for so long before its own timers begin."
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
    virtual_servers: list[VirtualServer] = Field(default=[], description="Services that are checked.")
