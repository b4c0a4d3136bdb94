"""checks: one model for each type, told apart by the key `type`."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Discriminator, Field, Tag

from pyvrrp.config.model.section import Command, Section
from pyvrrp.config.values import Choice, CommandLine, Duration, FileName, Flag, HexBytes, Name, StatusCode, Text, Whole
from pyvrrp.config.values_net import Host, InterfaceName, IpAddress


class Bind(Section):
    """What a check's connection comes from."""

    address: Annotated[str, IpAddress()] = Field(default="", description="Source address.")
    port: Annotated[int, Whole(0, 65535)] = Field(default=0, description="Source port.")
    interface: Annotated[str, InterfaceName(loopback=True)] = Field(default="", description="Interface.")
    mark: Annotated[int, Whole(0, 2**32 - 1)] = Field(default=0, description="Firewall mark.")


TYPES: Final = ("tcp", "http", "https", "smtp", "dns", "ping", "udp", "script", "file", "process", "interface", "mysql")


class Check(Section):
    """What every check has."""

    type: Annotated[str, Choice(TYPES)] = Field(description="How it is checked.", examples=["tcp"])


class TimedCheck(Check):
    """A check that runs again and again."""

    interval: Annotated[float, Duration(0.05, 100_000)] = Field(default=2.0, description="Between two runs.")
    timeout: Annotated[float, Duration(0.001, 100_000)] = Field(
        default=3.0, description="A run that takes longer has failed."
    )
    fall: Annotated[int, Whole(1, 100_000)] = Field(default=3, description="Failures in a row that count as down.")
    rise: Annotated[int, Whole(1, 100_000)] = Field(default=1, description="Successes in a row that count as up.")
    retry_interval: Annotated[float | None, Duration(0.05, 100_000)] = Field(
        default=None, description="Until the next run after a failure, while the check is not down; `interval`."
    )
    initial: Annotated[str, Choice(("unknown", "up", "down"))] = Field(
        default="unknown", description="What it counts as before its first result."
    )
    warmup: Annotated[float, Duration(0, 100_000)] = Field(
        default=0.0, description="The first run comes after a random part of this time."
    )


class NetworkCheck(TimedCheck):
    """A check of a server."""

    host: Annotated[str, Host()] = Field(default="127.0.0.1", description="An IP address.")
    bind: Bind = Field(default=Bind(), description="What it connects from.")


class TcpCheck(NetworkCheck):
    """Connect and close."""

    port: Annotated[int, Whole(1, 65535)] = Field(default=3306, description="TCP port.")


class Url(Section):
    """A page that must answer."""

    path: Annotated[str, Text()] = Field(default="/", description="The path.")
    virtualhost: Annotated[str, Text()] = Field(default="", description="The Host header.")
    status_code: list[Annotated[tuple[int, int], StatusCode()]] = Field(
        default=[], description='Codes, or ranges as "300-399"; 200 to 299 where none are named.'
    )
    digest: Annotated[str, Text()] = Field(default="", description="MD5 of the body, in hex.")
    regex: Annotated[str, Text()] = Field(default="", description="What must be found in the body.")
    regex_no_match: Annotated[bool, Flag()] = Field(default=False, description="What must not be found there.")


class HttpCheck(NetworkCheck):
    """GET pages."""

    port: Annotated[int | None, Whole(1, 65535)] = Field(default=None, description="TCP port; 80, or 443 for https.")
    urls: list[Url] = Field(default=[Url()], min_length=1, description="The pages.")
    http_version: Annotated[str, Choice(("1.0", "1.1"))] = Field(default="1.0", description="HTTP's version.")
    virtualhost: Annotated[str, Text()] = Field(default="", description="The Host header where a page names none.")
    sni: Annotated[bool, Flag()] = Field(default=False, description="https: send the name of the host.")


class SmtpCheck(NetworkCheck):
    """Greet a mail server."""

    port: Annotated[int, Whole(1, 65535)] = Field(default=25, description="TCP port.")
    helo_name: Annotated[str, Text()] = Field(default="smtpchecker.keepalived.org", description="What HELO says.")


class DnsCheck(NetworkCheck):
    """Ask a name server."""

    port: Annotated[int, Whole(1, 65535)] = Field(default=53, description="UDP port.")
    query_type: Annotated[str, Text()] = Field(default="SOA", description="The type of record.")
    name: Annotated[str, Text()] = Field(default=".", description="The name that is asked for.")


class PingCheck(NetworkCheck):
    """An ICMP echo."""


class UdpCheck(NetworkCheck):
    """A datagram that must not be refused."""

    port: Annotated[int, Whole(1, 65535)] = Field(description="UDP port.", examples=[53])
    payload: Annotated[bytes, HexBytes()] = Field(default=b"", description="What is sent, in hex.")
    require_reply: Annotated[bool, Flag()] = Field(default=False, description="It must be answered.")
    reply: Annotated[bytes, HexBytes()] = Field(default=b"", description="The answer, in hex.")
    mask: Annotated[bytes, HexBytes()] = Field(default=b"", description="The bits of it that count, in hex.")
    min_length: Annotated[int, Whole(0, 65535)] = Field(default=0, description="The least bytes of an answer.")
    max_length: Annotated[int, Whole(0, 65535)] = Field(default=255, description="The most bytes of an answer.")


class ScriptCheck(TimedCheck):
    """A program whose exit status 0 passes."""

    script: Command = Field(description="The program.", examples=["/usr/local/bin/check.sh"])
    dynamic: Annotated[bool, Flag()] = Field(default=False, description="Exit status 2 to 255 passes, too.")


class FileCheck(Check):
    """A file with a number in it."""

    file: Annotated[str, FileName()] = Field(description="The file.", examples=["/run/drain"])
    initial: Annotated[str, Choice(("unknown", "up", "down"))] = Field(
        default="unknown", description="What it counts as before its first result."
    )


class ProcessCheck(TimedCheck):
    """Processes that must run."""

    process: Annotated[str, Text()] = Field(description="Their name.", examples=["mysqld"])
    arguments: Annotated[tuple[str, ...] | None, CommandLine()] = Field(default=None, description="Their arguments.")
    full_command: Annotated[bool, Flag()] = Field(default=False, description="Compare the whole name of the program.")
    quorum: Annotated[int, Whole(0, 65535)] = Field(default=1, description="The least number of them.")
    quorum_max: Annotated[int, Whole(0, 65535)] = Field(default=0, description="The most of them; 0: any number.")


class InterfaceCheck(Check):
    """An interface that must be up."""

    interface: Annotated[str, InterfaceName()] = Field(description="Its name.", examples=["eth1"])


class MysqlCheck(TimedCheck):
    """A MySQL or MariaDB server that must answer. One that has too many connections does."""

    host: Annotated[str, Host()] = Field(default="127.0.0.1", description="An IP address.")
    port: Annotated[int, Whole(1, 65535)] = Field(default=3306, description="TCP port.")
    socket: Annotated[str, FileName()] = Field(
        default="", description="The server's socket, in place of host and port.", examples=["/run/mysqld/mysqld.sock"]
    )
    user: Annotated[str, Name()] = Field(
        default="",
        description="An account, which needs no privileges; without one the server is only greeted.",
        examples=["pyvrrp"],
    )
    password_file: Annotated[str, FileName()] = Field(
        default="", description="A file that holds the account's password, readable by its owner only (mode 0600)."
    )
    defaults_file: Annotated[str, FileName()] = Field(
        default="", description="In its place a my.cnf whose [client] section has user and password (mode 0600)."
    )


MODELS: Final[dict[str, type[Check]]] = {
    "tcp": TcpCheck,
    "http": HttpCheck,
    "https": HttpCheck,
    "smtp": SmtpCheck,
    "dns": DnsCheck,
    "ping": PingCheck,
    "udp": UdpCheck,
    "script": ScriptCheck,
    "file": FileCheck,
    "process": ProcessCheck,
    "interface": InterfaceCheck,
    "mysql": MysqlCheck,
}


def tag(value: Any) -> str:
    """The model that a check is looked at with; the most usual one where its type is missing or unknown."""
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "http" if kind == "https" else str(kind) if isinstance(kind, str) and kind in MODELS else "tcp"


AnyCheck = Annotated[
    Annotated[TcpCheck, Tag("tcp")]
    | Annotated[HttpCheck, Tag("http")]
    | Annotated[SmtpCheck, Tag("smtp")]
    | Annotated[DnsCheck, Tag("dns")]
    | Annotated[PingCheck, Tag("ping")]
    | Annotated[UdpCheck, Tag("udp")]
    | Annotated[ScriptCheck, Tag("script")]
    | Annotated[FileCheck, Tag("file")]
    | Annotated[ProcessCheck, Tag("process")]
    | Annotated[InterfaceCheck, Tag("interface")]
    | Annotated[MysqlCheck, Tag("mysql")],
    Discriminator(tag),
]
