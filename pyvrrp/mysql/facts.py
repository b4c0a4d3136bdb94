"""What is known of one server's configuration when a pair is judged or set up: plain data, gathered by `survey`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Final

from pyvrrp.mysql.dialect import Dialect, dialect, modern

Texts = Mapping[str, str]

# An option without a value is on. The last two are MariaDB 12's for read_only.
_ON: Final = frozenset({"ON", "1", "YES", "TRUE", "", "NO_LOCK", "NO_LOCK_NO_ADMIN"})


@dataclass(frozen=True, slots=True)
class Login:
    """How the agent came in: as whom, which of the server's accounts that was taken for, and what that one may."""

    user: str
    matched: str
    grants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """One server. None, or a name that is missing, stands for what could not be looked at.

    `name` is how sentences call it. `variables` and the columns of `replication` (a row for each source) have the
    names that `modern` gives them. `booted` is what its option files say, where that is known, and all of it if they
    are `files_read`; `writers` are the accounts that may write under read_only; `tables` all tables that are not the
    server's own.
    """

    name: str
    version: str
    comment: str = ""
    variables: Texts = field(default_factory=dict)
    replication: tuple[Texts, ...] | None = None
    coordinates: Texts = field(default_factory=dict)
    booted: Texts = field(default_factory=dict)
    files_read: bool = False
    login: Login | None = None
    refused: str = ""
    granted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # account → SHOW GRANTS, of those asked for
    accounts: tuple[str, ...] | None = None
    writers: tuple[str, ...] | None = None
    tables: tuple[str, ...] | None = None
    keyless: tuple[str, ...] | None = None
    not_innodb: tuple[str, ...] | None = None
    heartbeat: bool | None = None

    @property
    def dialect(self) -> Dialect:
        """How it is spoken to. Raises ValueError for a server that is too old."""
        return dialect(self.version, self.comment)

    @property
    def maria(self) -> bool:
        """Whether it is a MariaDB."""
        return self.dialect.maria

    def value(self, name: str) -> str | None:
        """A variable's value; `name` may be the old one or the new one."""
        return self.variables.get(modern(name))

    def on(self, name: str) -> bool | None:
        """Whether a switch is on."""
        value = self.value(name)
        return None if value is None else truth(value)

    def boots_with(self, name: str) -> bool | None:
        """Whether a switch is on in its option files."""
        value = self.booted.get(modern(name))
        return None if value is None else truth(value)

    def boots_well(self, name: str, value: str) -> bool:
        """Whether its option files give a variable this value, or one that does as well."""
        known = self.booted.get(modern(name))
        return known is not None and does_as_well(name, known, value)

    @property
    def server_id(self) -> int:
        """Its number; 0 is none."""
        return int(self.value("server_id") or 0)

    @property
    def gtid(self) -> bool:
        """Whether its transactions have global identifiers."""
        return self.maria or self.value("gtid_mode") == "ON"

    @property
    def position(self) -> str:
        """All transactions that it has, by global identifier."""
        return self.value("gtid_binlog_state" if self.maria else "gtid_executed") or ""

    def admits(self, user: str, host: str) -> bool:
        """Whether one of its accounts is for a user from there, as far as can be seen: names it alone resolves."""
        if self.accounts is None:
            return True
        hosts = (each.rpartition("@")[2] for each in self.accounts if each.rpartition("@")[0] == user)
        return any(_fits(pattern, host) for pattern in hosts)

    def native(self, name: str) -> str:
        """What this server calls a variable; `name` is the old name."""
        renamed = not self.maria and self.dialect.version >= (8, 0, 26)
        return modern(name) if renamed else name


def _fits(pattern: str, host: str) -> bool:
    """Whether an account's host is this address; True also where one of them is a name."""
    try:
        address = ip_address(host)
        if "/" in pattern:
            return address in ip_network(pattern, strict=False)
    except ValueError:
        return True
    named = ":" not in pattern and any(each.isalpha() for each in pattern)
    return named or fnmatchcase(host, (pattern or "%").replace("%", "*").replace("_", "?"))


def same(known: str, value: str) -> bool:
    """Whether an option file and a server say the same."""
    return truth(known) if value.upper() == "ON" else known.upper() == value.upper()


def does_as_well(name: str, known: str, value: str) -> bool:
    """Whether what an option file has serves as what it should have: a log by any name, patience that is shorter."""
    if name == "log_bin":
        return known not in ("OFF", "0")
    if modern(name) == "replica_net_timeout" and known.isdecimal():
        return 0 < int(known) <= float(value)
    if name == "bind_address" and known in ("*", "", "::"):
        return True
    return same(known, value)


def truth(value: str) -> bool:
    """A switch as it is written."""
    return value.upper() in _ON
