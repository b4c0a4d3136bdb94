"""What must hold between a database, its instance, and the channel of the agents."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from pyvrrp.config.findings import Findings, suggestion
from pyvrrp.config.model.checks import MysqlCheck
from pyvrrp.config.model.instance import Instance
from pyvrrp.config.model.mysql import Channel, Mysql, MysqlPeer
from pyvrrp.config.tree import Path
from pyvrrp.config.validate import Checked
from pyvrrp.config.values import quote
from pyvrrp.config.values_net import no_host
from pyvrrp.core.settings import Address

_NO_PREEMPTION: Final = (
    "an instance with a mysql section needs nopreempt: true: preempting would move the database back by itself, one"
    " more interruption after each repair"
)
_NO_OWNER: Final = (
    "255 is for the owner of an address, who takes it without asking; an instance with a mysql section takes it when"
    " its database may be opened: 254 at most"
)
_ONE_WAY: Final = "host or port is given too; a server is reached in one way"
_ONE_FILE: Final = "password_file is given too; one of them is enough"
_NO_GROUP: Final = (
    " has a mysql section: when a database may move is decided for it alone, it cannot be in a sync group"
)


def apply(checked: Checked, findings: Findings) -> None:
    """Report every rule that is broken."""
    node = checked.node
    for name, check in node.checks.items():
        if isinstance(check, MysqlCheck):
            _check(("checks", name), check, findings)
    if ("mysql",) in checked.broken:
        return
    virtual = {
        held.address.address: name
        for name, instance in node.vrrp_instances.items()
        for held in (*instance.virtual_ipaddress, *instance.virtual_ipaddress_excluded)
    }
    known = node.vrrp_instances.keys() | _broken_below("vrrp_instances", checked)
    servers: dict[str, str] = {}
    for name, mysql in node.mysql.items():
        if name not in known:
            findings.key(("mysql", name), f"there is no instance {quote(name)}{suggestion(name, known)}")
        if name in node.vrrp_instances:
            _instance(name, node.vrrp_instances[name], checked, findings)
        _account(name, mysql, checked, findings)
        _server(("mysql", name), mysql, virtual, checked, findings)
        _peer(name, mysql, virtual, checked, findings)
        _one_instance_a_server(name, mysql, servers, checked, findings)
        _lag(name, mysql, checked, findings)
    _groups(checked, findings)
    if node.channel is not None:
        _channel(node.channel, virtual, findings)


def _check(where: Path, check: MysqlCheck, findings: Findings) -> None:
    if check.socket and check.model_fields_set & {"host", "port"}:
        findings.key((*where, "socket"), _ONE_WAY)
    if check.password_file and check.defaults_file:
        findings.key((*where, "defaults_file"), _ONE_FILE)
    elif check.password_file and not check.user:
        findings.key((*where, "password_file"), "user is missing: without one nobody logs in")


def _broken_below(section: str, checked: Checked) -> set[str]:
    return {str(path[1]) for path in checked.broken if path[0] == section and len(path) > 1}


def _sound(where: Path, keys: tuple[str, ...], checked: Checked) -> bool:
    return not any((*where, key) in checked.broken for key in keys)


def _instance(name: str, instance: Instance, checked: Checked, findings: Findings) -> None:
    where: Path = ("vrrp_instances", name)
    if instance.owner:
        if checked.sound(name, "priority", "state"):
            findings.value((*where, "priority"), _NO_OWNER)
    elif not instance.nopreempt and checked.sound(name, "nopreempt"):
        findings.key((*where, "nopreempt"), _NO_PREEMPTION)
    if not instance.accepts and checked.sound(name, "accept", "strict_mode"):
        findings.key((*where, "accept"), "nobody would reach the database: its addresses must accept packets")


def _groups(checked: Checked, findings: Findings) -> None:
    for name, group in checked.node.vrrp_sync_groups.items():
        for index, member in enumerate(group.group):
            if member in checked.node.mysql:
                findings.value(("vrrp_sync_groups", name, "group", index), f"{quote(member)}{_NO_GROUP}")


# --- servers ---------------------------------------------------------------------------------------------------------


def _account(name: str, mysql: Mysql, checked: Checked, findings: Findings) -> None:
    where: Path = ("mysql", name)
    if not mysql.user and not mysql.defaults_file and _sound(where, ("user", "defaults_file"), checked):
        findings.key(where, "user is needed, or a defaults_file that names one")
    if mysql.password_file and mysql.defaults_file:
        findings.key((*where, "defaults_file"), _ONE_FILE)


def _server(
    where: Path, server: Mysql | MysqlPeer, virtual: dict[Address, str], checked: Checked, findings: Findings
) -> None:
    given = server.model_fields_set
    if server.socket and given & {"host", "port"}:
        findings.key((*where, "socket"), _ONE_WAY)
    elif not server.socket and _sound(where, ("host",), checked):
        _host((*where, "host"), server.host, virtual, findings)


def _host(where: Path, host: str, virtual: dict[Address, str], findings: Findings) -> None:
    address = ip_address(host)
    if address in virtual:
        findings.value(where, f"{host} is a virtual address of {virtual[address]}: it leads to whoever is master")
    elif not address.is_loopback and (objection := no_host(address)):
        findings.value(where, f"{host} is {objection}")


def _peer(name: str, mysql: Mysql, virtual: dict[Address, str], checked: Checked, findings: Findings) -> None:
    where: Path = ("mysql", name, "peer")
    if mysql.peer is None or where in checked.broken:
        return
    if not mysql.peer.model_fields_set & {"host", "socket"}:
        if _sound(where, ("host", "socket"), checked):
            findings.key(where, "host or socket is needed")
        return
    _server(where, mysql.peer, virtual, checked, findings)
    if _is_sound(("mysql", name), checked) and _is_sound(where, checked) and reached(mysql) == reached(mysql.peer):
        findings.key(where, f"{reached(mysql)} is this node's own server, not the peer's")


def _one_instance_a_server(
    name: str, mysql: Mysql, servers: dict[str, str], checked: Checked, findings: Findings
) -> None:
    if not _is_sound(("mysql", name), checked):
        return
    other = servers.setdefault(reached(mysql), name)
    if other != name:
        taken = f"{reached(mysql)} belongs to {other} already (line {findings.line(('mysql', other))})"
        findings.key(("mysql", name), f"{taken}: one would open it while the other closes it")


def _is_sound(where: Path, checked: Checked) -> bool:
    return _sound(where, ("socket", "host", "port"), checked)


def reached(server: Mysql | MysqlPeer) -> str:
    """How a server is reached, in one word."""
    return server.socket or f"{server.host}:{server.port}"


def _lag(name: str, mysql: Mysql, checked: Checked, findings: Findings) -> None:
    where: Path = ("mysql", name)
    broken = not _sound((*where, "promote"), ("max_lag",), checked) or not _sound(
        (*where, "probe"), ("interval",), checked
    )
    if not broken and mysql.promote.max_lag <= mysql.probe.interval:
        findings.value(
            (*where, "promote", "max_lag"),
            f"{mysql.promote.max_lag:g} s is not above probe.interval, {mysql.probe.interval:g} s: the lag is read off"
            " what the active server writes so often",
        )


# --- the channel -----------------------------------------------------------------------------------------------------


def _channel(channel: Channel, virtual: dict[Address, str], findings: Findings) -> None:
    for key in ("listen", "peer"):
        _host(("channel", key), getattr(channel, key), virtual, findings)
    if channel.listen == channel.peer:
        findings.value(("channel", "peer"), f"{channel.peer} is listen, too: it is the other node's address")
    elif ip_address(channel.listen).version != ip_address(channel.peer).version:
        findings.value(("channel", "peer"), f"{channel.peer} is not of the family of {channel.listen}")
