"""virtual_servers: what keepalived's checkers and IPVS know. The checkers run; IPVS is not programmed yet."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pyvrrp.config.model.section import Command, Section
from pyvrrp.config.values import Choice, Flag, Name, Text, Whole
from pyvrrp.config.values_net import Host, Server


class RealServer(Section):
    """A server behind a virtual one."""

    address: Annotated[str, Host()] = Field(description="Its IP address.", examples=["192.0.2.1"])
    port: Annotated[int, Whole(0, 65535)] = Field(default=0, description="Its port.")
    weight: Annotated[int, Whole(0, 65535)] = Field(default=1, description="Its share of the quorum, and of IPVS's.")
    checks: list[Annotated[str, Name()]] = Field(default=[], description="All of these must pass.")
    notify_up: Command | None = Field(default=None, description="Run when it comes up.")
    notify_down: Command | None = Field(default=None, description="Run when it goes down.")
    inhibit_on_failure: Annotated[bool, Flag()] = Field(
        default=False, description="IPVS: weight 0 in place of leaving it out."
    )
    smtp_alert: Annotated[bool, Flag()] = Field(default=False, description="Send a mail at each change.")


class VirtualServer(Section):
    """A service; one of `address`, `fwmark` and `group` says which."""

    address: Annotated[str | None, Host()] = Field(default=None, description="The IP address that clients use.")
    fwmark: Annotated[int | None, Whole(1, 2**32 - 1)] = Field(default=None, description="The firewall's mark.")
    group: Annotated[str | None, Name()] = Field(default=None, description="A virtual_server_group.")
    port: Annotated[int, Whole(0, 65535)] = Field(default=0, description="The port that clients use.")
    protocol: Annotated[str, Choice(("TCP", "UDP", "SCTP"))] = Field(default="TCP", description="The protocol.")
    lb_algo: Annotated[str, Text()] = Field(default="wlc", description="IPVS: the scheduler.")
    lb_kind: Annotated[str, Choice(("NAT", "DR", "TUN"))] = Field(default="NAT", description="IPVS: forwarding.")
    persistence_timeout: Annotated[int, Whole(0, 2**32 - 1)] = Field(default=0, description="IPVS: seconds.")
    sorry_server: Annotated[str, Server()] = Field(default="", description="IPVS: the last resort, address and port.")
    sorry_server_inhibit: Annotated[bool, Flag()] = Field(default=False, description="IPVS: weight 0 for it.")
    quorum: Annotated[int, Whole(1, 2**32 - 1)] = Field(
        default=1, description="Weight of living servers that it needs."
    )
    hysteresis: Annotated[int, Whole(0, 2**32 - 1)] = Field(
        default=0, description="Gained at quorum + hysteresis, lost below quorum - hysteresis."
    )
    quorum_up: Command | None = Field(default=None, description="Run when the quorum is reached again.")
    quorum_down: Command | None = Field(default=None, description="Run when the quorum is lost.")
    omega: Annotated[bool, Flag()] = Field(default=False, description="The down scripts run at the end, too.")
    smtp_alert: Annotated[bool, Flag()] = Field(default=False, description="Send a mail at each change.")
    real_servers: list[RealServer] = Field(default=[], description="The servers behind it.")
