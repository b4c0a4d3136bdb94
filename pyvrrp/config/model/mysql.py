"""mysql: the database behind an instance; channel: how the two agents of a database talk."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pyvrrp.config.model.section import Section
from pyvrrp.config.values import Choice, Duration, FileName, Flag, Name, Whole
from pyvrrp.config.values_net import Host, HostIp

_PORT = Whole(1, 65535)


class MysqlPeer(Section):
    """The other node's server. It is asked with the same user and password."""

    host: Annotated[str, Host()] = Field(default="127.0.0.1", description="Its IP address: the node's, not a VIP.")
    port: Annotated[int, _PORT] = Field(default=3306, description="Its TCP port.")
    socket: Annotated[str, FileName()] = Field(default="", description="Its socket, in place of host and port.")


class Probe(Section):
    """How the server is judged, and how fast."""

    interval: Annotated[float, Duration(0.05, 60)] = Field(default=0.3, description="Between two pings.")
    timeout: Annotated[float, Duration(0.05, 60)] = Field(default=0.3, description="A ping without an answer is lost.")
    misses: Annotated[int, Whole(1, 1000)] = Field(
        default=3, description="So many lost pings in a row: the server hangs."
    )
    write: Annotated[bool, Flag()] = Field(
        default=True,
        description="The active server is asked to write, too, into pyvrrp.heartbeat: a full disk shows in nothing "
        "else, and the standby reads its lag off it.",
    )


class Promote(Section):
    """What a standby must be before its writes are opened."""

    require: Annotated[str, Choice(("applied", "healthy-replica", "none"))] = Field(
        default="applied",
        description="applied: it has applied all that it received. healthy-replica: it was a healthy replica when its "
        "source was last seen. none: nothing, as with keepalived.",
    )
    apply_timeout: Annotated[float, Duration(0.1, 3600)] = Field(
        default=10.0, description="How long applying may make no progress."
    )
    max_lag: Annotated[float, Duration(0.1, 86400)] = Field(
        default=5.0, description="A standby that was further behind does not take over."
    )
    otherwise: Annotated[str, Choice(("hold", "promote"))] = Field(
        default="hold",
        description="When apply_timeout is over: hold gives the claim up and says so, promote takes over without "
        "what is missing, and records it.",
    )

    on_silence: Annotated[str, Choice(("promote", "hold"))] = Field(
        default="promote",
        description="When no master is heard and none said that it has left. promote: take over, as VRRP does; two "
        "nodes that live and cannot hear each other then both take writes. hold: leave that to the operator "
        "(`pyvrrpctl promote --force`); whatever a living agent hands over is taken by itself.",
    )


class Demote(Section):
    """How writes are closed."""

    read_only: Annotated[bool, Flag()] = Field(default=True, description="Make the server read-only.")
    kill_sessions: Annotated[bool, Flag()] = Field(default=True, description="Kill the sessions of clients.")
    timeout: Annotated[float, Duration(0.05, 10)] = Field(
        default=0.3, description="For all of that in SQL; then the address goes without it."
    )
    on_failure: Annotated[str, Choice(("remove-vip", "kill-server"))] = Field(
        default="remove-vip",
        description="When SQL could not do it: leave it at taking the address away, or kill the server's process.",
    )


class Mysql(Section):
    """The local server that an instance is bound to: its writes are open on the MASTER alone."""

    socket: Annotated[str, FileName()] = Field(
        default="", description="The server's socket, in place of host and port.", examples=["/run/mysqld/mysqld.sock"]
    )
    host: Annotated[str, Host()] = Field(default="127.0.0.1", description="The server's IP address.")
    port: Annotated[int, _PORT] = Field(default=3306, description="The server's TCP port.")
    user: Annotated[str, Name()] = Field(
        default="", description="The agent's account on both servers.", examples=["pyvrrp"]
    )
    password_file: Annotated[str, FileName()] = Field(
        default="",
        description="A file that holds the account's password, readable by its owner only (mode 0600).",
    )
    defaults_file: Annotated[str, FileName()] = Field(
        default="", description="In its place a my.cnf whose [client] section has user and password (mode 0600)."
    )
    peer: MysqlPeer | None = Field(default=None, description="The other node's server.")
    probe: Probe = Field(default=Probe(), description="How the server is judged.")
    promote: Promote = Field(default=Promote(), description="What a standby must be to take over.")
    demote: Demote = Field(default=Demote(), description="How writes are closed.")
    semi_sync: Annotated[str, Choice(("auto", "off"))] = Field(
        default="auto",
        description="auto: semi-synchronous replication follows the roles of the nodes where the server has it; off: "
        "it is left alone.",
    )
    hold_down: Annotated[float, Duration(0, 86400)] = Field(
        default=600.0,
        description="After a failover there is no other one by itself for so long, or until `pyvrrpctl acknowledge`.",
    )
    keep_users: list[Annotated[str, Name()]] = Field(
        default=[], max_length=100, description="Users whose sessions are not killed."
    )


class Channel(Section):
    """The agents' own connection. Without it everything works that VRRP alone can tell."""

    key_file: Annotated[str, FileName()] = Field(
        description="Key and certificate of both nodes, made by `pyvrrpctl keys` (mode 0600).",
        examples=["/etc/pyvrrp/channel.pem"],
    )
    listen: Annotated[str, HostIp()] = Field(description="This node's address.", examples=["192.0.2.1"])
    peer: Annotated[str, HostIp()] = Field(description="The other node's address.", examples=["192.0.2.2"])
    port: Annotated[int, _PORT] = Field(default=3112, description="The TCP port on both.")
