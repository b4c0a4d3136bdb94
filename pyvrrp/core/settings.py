"""What the core needs to know of a configuration: plain frozen data, already checked, no file positions.

`config/` makes these from node.yaml or keepalived.conf. Durations are seconds. The names are keepalived's keywords.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields, is_dataclass
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final

from pyvrrp.core import const
from pyvrrp.errors import Problem

Address = IPv4Address | IPv6Address


# rtnetlink's numbers for the scope of an address, under iproute2's names.
SCOPES: Final = MappingProxyType({"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255})


@dataclass(frozen=True, slots=True, order=True)
class VirtualAddress:
    """An address that follows mastership, and the interface that it is put on.

    Label, scope (rtnetlink's number) and broadcast do not make it another address: the kernel tells them apart neither.
    """

    interface: str
    address: Address
    prefixlen: int
    label: str = field(default="", compare=False)
    scope: int = field(default=0, compare=False)
    broadcast: Address | None = field(default=None, compare=False)

    @property
    def scope_name(self) -> str:
        """iproute2's name of its scope, or the number."""
        return next((name for name, number in SCOPES.items() if number == self.scope), str(self.scope))

    def __str__(self) -> str:
        return f"{self.address}/{self.prefixlen}"


@dataclass(frozen=True, slots=True)
class Track:
    """An instance's or group's interest in a check: weight 0 means FAULT while it fails, else it moves the priority.

    A positive weight is added while the check passes, a negative one while it fails (keepalived's `weight`). `reverse`
    turns the sign, and with weight 0 the meaning: FAULT while the check passes. For a check that yields a number
    (FileProbe) the weight is multiplied with it.
    """

    check: str
    weight: int = 0
    reverse: bool = False

    def __str__(self) -> str:
        reverse = ", reverse" if self.reverse else ""
        return f"{self.check} (weight {self.weight}{reverse})" if self.weight or self.reverse else self.check


# --- what is run and told when something changes ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments, run without a shell as `user` and `group`; "" is the daemon's own."""

    words: tuple[str, ...]
    user: str = ""
    group: str = ""

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Notifications:
    """Whom an instance or a group tells of its transitions. `notify` gets INSTANCE|GROUP, name, state, priority.

    What a reload takes away is told to be in FAULT, or DELETED when `deleted` is set; one without words runs nothing.
    """

    notify: Command | None = None
    master: Command | None = None
    backup: Command | None = None
    fault: Command | None = None
    stop: Command | None = None
    deleted: Command | None = None
    master_rx_lower_pri: Command | None = None
    smtp_alert: bool = False
    priority_changes: bool = False  # notify_priority_changes


@dataclass(frozen=True, slots=True)
class Fifo:
    """A named pipe that is told of every change: `vrrp` of instances and groups, `lvs` of services.

    `script` reads it: it is started with the pipe's path as its last argument.
    """

    path: str
    user: str = ""
    group: str = ""
    vrrp: bool = True
    lvs: bool = True
    script: Command | None = None


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where SMTP alerts go."""

    server: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    helo_name: str = ""
    timeout: float = 30.0

    def __str__(self) -> str:
        return f"to {', '.join(self.recipients)} through {self.server}:{self.port}"


# --- checks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """What a checker's connection is bound to; empty values leave the choice to the kernel. `mark` is SO_MARK."""

    address: str = ""
    port: int = 0
    interface: str = ""
    mark: int = 0


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """Connect to host:port and close; nothing is sent."""

    host: str
    port: int
    source: Source = Source()

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HttpUrl:
    """One page that must answer. `status_codes` are ranges, both ends included; none means 200 to 299.

    `digest` is the MD5 of the body in hex, `regex` must be found in it (must not, with
    `regex_no_match`); "" asks nothing.
    """

    path: str
    virtualhost: str = ""
    status_codes: tuple[tuple[int, int], ...] = ()
    digest: str = ""
    regex: str = ""
    regex_no_match: bool = False

    def __str__(self) -> str:
        return f"{self.virtualhost}{self.path}"


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """GET every URL in turn. `tls` makes it keepalived's SSL_GET; certificates are not verified, as there."""

    host: str
    port: int
    urls: tuple[HttpUrl, ...]
    tls: bool = False
    http_version: str = "1.0"
    virtualhost: str = ""
    sni: bool = False
    source: Source = Source()

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SmtpProbe:
    """Greeting, HELO, QUIT, each answered as RFC 5321 wants."""

    host: str
    port: int
    helo_name: str = "smtpchecker.keepalived.org"
    source: Source = Source()

    def __str__(self) -> str:
        return f"smtp {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DnsProbe:
    """A query over UDP that must be answered without an error code."""

    host: str
    port: int = 53
    query_type: str = "SOA"
    name: str = "."
    source: Source = Source()

    def __str__(self) -> str:
        return f"dns {self.host}:{self.port} {self.query_type} {self.name}"


@dataclass(frozen=True, slots=True)
class PingProbe:
    """An ICMP echo that must come back."""

    host: str
    source: Source = Source()

    def __str__(self) -> str:
        return f"ping {self.host}"


@dataclass(frozen=True, slots=True)
class UdpProbe:
    """A datagram that must not be refused; with `require_reply` it must be answered, within the lengths.

    `reply` is a pattern of bytes, `mask` says which bits of it count (as many bytes; none: all).
    """

    host: str
    port: int
    payload: bytes = b""
    require_reply: bool = False
    reply: bytes = b""
    mask: bytes = b""
    min_length: int = 0
    max_length: int = 255
    source: Source = Source()

    def __str__(self) -> str:
        return f"udp {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ScriptProbe:
    """A program: exit status 0 passes. `dynamic`: 2..255 pass too (keepalived's misc_dynamic)."""

    command: Command
    dynamic: bool = False

    def __str__(self) -> str:
        return str(self.command)


@dataclass(frozen=True, slots=True)
class FileProbe:
    """A file whose number is the check's value; it passes while the number is 0. It is watched, not polled."""

    path: str

    def __str__(self) -> str:
        return f"file {self.path}"


@dataclass(frozen=True, slots=True)
class ProcessProbe:
    """Processes of that name, at least `quorum` and at most `quorum_max` (0: any number) of them.

    `arguments` must be theirs exactly, None asks nothing. `full_command` compares the whole command line's first word
    in place of the kernel's 15 characters of a name.
    """

    process: str
    arguments: tuple[str, ...] | None = None
    full_command: bool = False
    quorum: int = 1
    quorum_max: int = 0

    def __str__(self) -> str:
        return f"process {self.process}"


@dataclass(frozen=True, slots=True)
class InterfaceProbe:
    """An interface that must be up. Nothing runs for it: the kernel tells."""

    interface: str

    def __str__(self) -> str:
        return f"interface {self.interface}"


Probe = (
    TcpProbe
    | HttpProbe
    | SmtpProbe
    | DnsProbe
    | PingProbe
    | UdpProbe
    | ScriptProbe
    | FileProbe
    | ProcessProbe
    | InterfaceProbe
)


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """A health check: how often it runs, how long it may take, how many results in a row count.

    `retry_interval` is the pause after a failure of a check that is not down yet (delay_before_retry), None is
    `interval`. `initial` is what it counts as before its first result: "unknown", "up" or "down". `warmup`: the first
    run comes after a random part of this time.
    """

    name: str
    probe: Probe
    interval: float = 2.0
    timeout: float = 3.0
    fall: int = 3
    rise: int = 1
    retry_interval: float | None = None
    initial: str = "unknown"
    warmup: float = 0.0


# --- virtual routers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """One virtual router, in keepalived's words.

    `excluded` addresses are held and announced, but not named in adverts.
    """

    name: str
    interface: str
    virtual_router_id: int
    addresses: tuple[VirtualAddress, ...]
    priority: int = const.PRIORITY_DEFAULT
    version: int = 2
    advert_int: float = 1.0
    preempt: bool = True
    auth_pass: bytes | None = None
    tracks: tuple[Track, ...] = ()
    vip_lease: int | None = 2
    garp_master_delay: float = const.GARP_DELAY
    garp_master_repeat: int = const.GARP_REPEAT
    excluded: tuple[VirtualAddress, ...] = ()
    preempt_delay: float = 0.0
    down_timer_adverts: int = const.DOWN_TIMER_ADVERTS
    garp_master_refresh: float = 0.0
    garp_master_refresh_repeat: int = 1
    garp_lower_prio_delay: float = const.GARP_DELAY
    garp_lower_prio_repeat: int = const.GARP_REPEAT
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    notifications: Notifications = Notifications()

    @property
    def identity(self) -> tuple[str, int]:
        """What makes it a virtual router on the link, whatever it is called."""
        return self.interface, self.virtual_router_id

    @property
    def owner(self) -> bool:
        """Whether this router owns the addresses (RFC 3768 section 5.3.4)."""
        return self.priority == const.PRIORITY_OWNER

    @property
    def held(self) -> tuple[VirtualAddress, ...]:
        """Every address that follows mastership."""
        return self.addresses + self.excluded

    def __repr__(self) -> str:
        # A dataclass's own repr would print auth_pass.
        return f"InstanceSettings({self.name!r}, {self.interface!r}, vrid={self.virtual_router_id})"


@dataclass(frozen=True, slots=True)
class SyncGroupSettings:
    """Instances that are MASTER together, and in FAULT together."""

    name: str
    members: tuple[str, ...]
    tracks: tuple[Track, ...] = ()
    notifications: Notifications = Notifications()


# --- virtual servers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RealServerSettings:
    """A server behind a virtual one: it is up while all its checks pass."""

    address: str
    port: int
    weight: int = 1
    checks: tuple[str, ...] = ()
    notify_up: Command | None = None
    notify_down: Command | None = None
    inhibit_on_failure: bool = False
    smtp_alert: bool = False

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}"


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """A virtual server. lb_algo to sorry_server are IPVS's, which is not programmed yet.

    It gets quorum when the weights of its living servers reach `quorum` + `hysteresis`, and loses it when they fall
    below `quorum` - `hysteresis`. `omega`: notify_down and quorum_down run at the end, too.
    """

    name: str  # as keepalived's log has it: [192.0.2.1]:tcp:3306
    real_servers: tuple[RealServerSettings, ...]
    lb_algo: str = "wlc"
    lb_kind: str = "NAT"
    protocol: str = "TCP"  # "none" for a firewall's mark
    persistence_timeout: int = 0
    sorry_server: str = ""
    sorry_server_inhibit: bool = False
    quorum: int = 1
    hysteresis: int = 0
    quorum_up: Command | None = None
    quorum_down: Command | None = None
    omega: bool = False
    smtp_alert: bool = False


# --- the whole -------------------------------------------------------------------------------------------------------


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


def shape() -> str:
    """The classes above in one line: two processes that agree on it can hand settings to each other."""
    here = vars(sys.modules[__name__]).values()
    classes = [each for each in here if isinstance(each, type) and is_dataclass(each)]
    return " ".join(f"{each.__name__}({','.join(field.name for field in fields(each))})" for each in classes)


def automatic_lease(advert_int: float, down_timer_adverts: int = const.DOWN_TIMER_ADVERTS) -> int:
    """Seconds of `vip_lease: auto`: over before the earliest successor, outliving one lost turn where possible.

    The kernel counts whole seconds and takes up to half a second more to act, so the lease ends one second before the
    intervals that a backup waits have passed (none takes over earlier). It is longer than the pause between two
    adverts, which renew it.
    """
    return max(int(advert_int) + 1, int(down_timer_adverts * advert_int) - 1)
