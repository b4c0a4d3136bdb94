"""Virtual servers: what a service is made of."""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.core.settings.notify import Command


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
