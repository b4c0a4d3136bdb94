"""The database behind a virtual router: how it is asked, when it may be opened for writes, how it is closed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """Where a server is and how it is logged in to. The password itself never stands here: only the file that has it.

    A socket, or host and port. `defaults_file` is a my.cnf whose [client] section names what is "" here.
    """

    socket: str = ""
    host: str = "127.0.0.1"
    port: int = 3306
    user: str = ""
    password_file: str = ""
    defaults_file: str = ""

    def __str__(self) -> str:
        return self.socket or f"{self.host}:{self.port}"

    @property
    def can_log_in(self) -> bool:
        """Whether there is anybody to log in as."""
        return bool(self.user or self.defaults_file)


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """The cadence of verdicts: a ping every `interval`, unanswered after `timeout`; `misses` in a row mean HUNG.

    `write`: while its writes are open the server is also asked to write, into pyvrrp.heartbeat.
    """

    interval: float = 0.3
    timeout: float = 0.3
    misses: int = 3
    write: bool = True


@dataclass(frozen=True, slots=True)
class PromoteSettings:
    """What a standby must be before its writes are opened.

    `require`: "applied" (all that was received is applied), "healthy-replica" (it was one when its source was last
    seen), "none". `otherwise`, when `apply_timeout` passes without progress: "hold" or "promote".
    `on_silence`, when nobody is heard and nobody said that it has left: "promote" as VRRP does, or "hold", so that
    nodes that cannot hear each other never both take writes.
    """

    require: str = "applied"
    apply_timeout: float = 10.0
    max_lag: float = 5.0
    otherwise: str = "hold"
    on_silence: str = "promote"


@dataclass(frozen=True, slots=True)
class DemoteSettings:
    """How writes are closed. `timeout` bounds the SQL half; `on_failure`: "remove-vip" or "kill-server"."""

    read_only: bool = True
    kill_sessions: bool = True
    timeout: float = 0.3
    on_failure: str = "remove-vip"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """The local server that an instance is bound to, and its peer, None where nobody may be asked.

    `semi_sync`: "auto" or "off". `hold_down`: seconds after a failover without a second automatic one. Sessions of
    `keep_users` are not killed.
    """

    account: Account
    peer: Account | None = None
    probe: ProbeSettings = ProbeSettings()
    promote: PromoteSettings = PromoteSettings()
    demote: DemoteSettings = DemoteSettings()
    semi_sync: str = "auto"
    hold_down: float = 600.0
    keep_users: tuple[str, ...] = ()

    def __str__(self) -> str:
        return str(self.account)


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The agents' own channel: TLS between the two nodes' addresses, certified by the one `key_file` that both have."""

    key_file: str
    listen: str
    peer: str
    port: int = 3112

    def __str__(self) -> str:
        return f"{self.listen} with {self.peer}, port {self.port}"
