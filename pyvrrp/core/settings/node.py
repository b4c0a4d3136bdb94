"""A whole node, and what reading a configuration yields."""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.core.settings.addresses import VirtualAddress
from pyvrrp.core.settings.checks import CheckSettings
from pyvrrp.core.settings.database import ChannelSettings
from pyvrrp.core.settings.instance import InstanceSettings, SyncGroupSettings
from pyvrrp.core.settings.notify import Fifo, MailSettings
from pyvrrp.core.settings.routes import VirtualRoute, VirtualRule
from pyvrrp.core.settings.services import ServiceSettings
from pyvrrp.errors import Problem


@dataclass(frozen=True, slots=True)
class GarpGroup:
    """Interfaces that share a pace: seconds between two gratuitous ARPs, and between two neighbour advertisements."""

    interfaces: tuple[str, ...]
    garp_interval: float = 0.0
    gna_interval: float = 0.0

    def __str__(self) -> str:
        return f"{' '.join(self.interfaces)} (garp_interval {self.garp_interval:g}, gna_interval {self.gna_interval:g})"


@dataclass(frozen=True, slots=True)
class InterfaceDelay:
    """How long an interface's new state must last before it counts (interface_up_down_delays), in seconds."""

    interface: str
    down: float = 0.0
    up: float = 0.0

    def __str__(self) -> str:
        return f"{self.interface} (down {self.down:g}, up {self.up:g})"


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """A whole node: what one pyvrrpd runs."""

    router_id: str
    instances: tuple[InstanceSettings, ...]
    checks: tuple[CheckSettings, ...] = ()
    groups: tuple[SyncGroupSettings, ...] = ()
    services: tuple[ServiceSettings, ...] = ()
    fifos: tuple[Fifo, ...] = ()
    mail: MailSettings | None = None
    startup_delay: float = 0.0  # seconds from the start of the daemon until a BACKUP begins to wait
    script_timeout: float = 60.0  # a notify script that runs longer is killed
    network_namespace: str = ""
    delay_after_boot: float = 0.0  # seconds from the boot of the host until a BACKUP begins to wait
    garp_interval: float = 0.0  # seconds between two gratuitous ARPs of an interface that no group names
    gna_interval: float = 0.0
    garp_groups: tuple[GarpGroup, ...] = ()
    interface_delays: tuple[InterfaceDelay, ...] = ()
    dynamic_interfaces: bool = False
    static_addresses: tuple[VirtualAddress, ...] = ()  # set at start, never moved
    static_routes: tuple[VirtualRoute, ...] = ()
    static_rules: tuple[VirtualRule, ...] = ()
    nftables_table: str = "pyvrrp"
    channel: ChannelSettings | None = None
    state_directory: str = "/var/lib/pyvrrp"  # what must outlive the daemon: hold-down, pause, drain


@dataclass(frozen=True, slots=True)
class LoadedNode:
    """What reading a configuration file yields.

    `problems` are what is wrong and was left out (keepalived.conf only; node.yaml has none or does not load), `advice`
    keeps nothing from starting, `status` is the exit status of `-t`. `places` maps an instance's name to (file, line,
    column) of its interface, for problems that only a host can find.
    """

    settings: NodeSettings
    advice: tuple[Problem, ...]
    places: dict[str, tuple[str, int, int]]
    problems: tuple[Problem, ...] = ()
    status: int = 0
    keepalived: bool = False  # whether the file was a keepalived.conf
    refused: bool = False  # a file that it must not go without is missing: nothing is to start with it
