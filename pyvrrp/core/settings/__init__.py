"""What the core needs to know of a configuration: plain frozen data, already checked, no file positions.

`config/` makes these from node.yaml or keepalived.conf. Durations are seconds. The names are keepalived's keywords.
"""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass

from pyvrrp.core.settings.addresses import SCOPES, Address, VirtualAddress
from pyvrrp.core.settings.checks import (
    CheckSettings,
    DnsProbe,
    FileProbe,
    HttpProbe,
    HttpUrl,
    InterfaceProbe,
    MysqlProbe,
    PingProbe,
    Probe,
    ProcessProbe,
    ScriptProbe,
    SmtpProbe,
    Source,
    TcpProbe,
    Track,
    UdpProbe,
)
from pyvrrp.core.settings.database import (
    Account,
    ChannelSettings,
    DatabaseSettings,
    DemoteSettings,
    ProbeSettings,
    PromoteSettings,
)
from pyvrrp.core.settings.instance import InstanceSettings, SyncGroupSettings, UnicastPeer, Vmac, automatic_lease
from pyvrrp.core.settings.node import GarpGroup, InterfaceDelay, LoadedNode, NodeSettings
from pyvrrp.core.settings.notify import Command, Fifo, MailSettings, Notifications
from pyvrrp.core.settings.routes import (
    IPV6_METRIC,
    MAIN_TABLE,
    ROUTE_TYPES,
    Network,
    NextHop,
    RouteKey,
    VirtualRoute,
    VirtualRule,
)
from pyvrrp.core.settings.services import RealServerSettings, ServiceSettings

__all__ = [
    "IPV6_METRIC",
    "MAIN_TABLE",
    "ROUTE_TYPES",
    "SCOPES",
    "Account",
    "Address",
    "ChannelSettings",
    "CheckSettings",
    "Command",
    "DatabaseSettings",
    "DemoteSettings",
    "DnsProbe",
    "Fifo",
    "FileProbe",
    "GarpGroup",
    "HttpProbe",
    "HttpUrl",
    "InstanceSettings",
    "InterfaceDelay",
    "InterfaceProbe",
    "LoadedNode",
    "MailSettings",
    "MysqlProbe",
    "Network",
    "NextHop",
    "NodeSettings",
    "Notifications",
    "PingProbe",
    "Probe",
    "ProbeSettings",
    "ProcessProbe",
    "PromoteSettings",
    "RealServerSettings",
    "RouteKey",
    "ScriptProbe",
    "ServiceSettings",
    "SmtpProbe",
    "Source",
    "SyncGroupSettings",
    "TcpProbe",
    "Track",
    "UdpProbe",
    "UnicastPeer",
    "VirtualAddress",
    "VirtualRoute",
    "VirtualRule",
    "Vmac",
    "automatic_lease",
    "shape",
]


def shape() -> str:
    """The classes above in one line: two processes that agree on it can hand settings to each other."""
    here = vars(sys.modules[__name__]).values()
    classes = [each for each in here if isinstance(each, type) and is_dataclass(each)]
    return " ".join(f"{each.__name__}({','.join(field.name for field in fields(each))})" for each in classes)
