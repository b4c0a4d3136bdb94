"""Health checks, and what an instance makes of them."""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.core.settings.database import Account
from pyvrrp.core.settings.notify import Command


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


@dataclass(frozen=True, slots=True)
class MysqlProbe:
    """A server that must answer: a question over one login, or its greeting where the account has no user."""

    account: Account

    def __str__(self) -> str:
        return f"mysql {self.account}"


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
    | MysqlProbe
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
