"""What may be meant otherwise about a database, and what is given up with it."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath
from typing import Final

from pyvrrp.config.advice import Remark, summed_up
from pyvrrp.config.build_instance import lease
from pyvrrp.config.build_mysql import beside
from pyvrrp.config.findings import Findings
from pyvrrp.config.model.checks import MysqlCheck
from pyvrrp.config.model.instance import Instance
from pyvrrp.config.model.mysql import Demote, Mysql
from pyvrrp.config.model.node import NodeFile

_OTHERS: Final = 0o077
_PAUSE: Final = 0.6  # seconds; servers pause for half a second without being dead

_NO_CHANNEL: Final = (
    "no channel: a switchover cannot be agreed on with the other node, what a failover lost is not known, and it goes"
    " no faster than VRRP's timers"
)


def advise_mysql(node: NodeFile, folder: FilePath, findings: Findings) -> None:
    """Add the advice about the databases of a sound configuration, whose files are named as seen from `folder`."""
    subjects: tuple[Callable[[Mysql], Iterator[Remark]], ...] = (
        _require,
        _write,
        _hasty,
        _fencing,
        _hold_down,
        _without_peer,
        lambda mysql: _files(mysql, folder),
    )
    for subject in subjects:
        found = ((name, remark) for name, each in node.mysql.items() for remark in subject(each))
        summed_up([(("mysql", name, *path), text) for name, (path, text) in found], findings)
    checks = {name: each for name, each in node.checks.items() if isinstance(each, MysqlCheck)}
    files = ((name, remark) for name, each in checks.items() for remark in _files(each, folder))
    summed_up([(("checks", name, *path), text) for name, (path, text) in files], findings)
    bound = {name: each for name, each in node.vrrp_instances.items() if name in node.mysql}
    slow = [(name, text) for name, each in bound.items() for text in _outlived(each, node.mysql[name].demote)]
    summed_up([(("mysql", name, "demote", "timeout"), text) for name, text in slow], findings)
    if node.channel is not None:
        if complaint := not_private(beside(folder, node.channel.key_file)):
            findings.advise(("channel", "key_file"), complaint)
        if not node.mysql:
            findings.advise(("channel",), "nothing uses it: there is no mysql section")
    elif node.mysql:
        findings.advise(("mysql",), _NO_CHANNEL)


def not_private(name: str) -> str:
    """Why the daemon will refuse a file that holds a secret; "" when it will not, or when that cannot be told."""
    try:
        status = FilePath(name).stat()
    except PermissionError:
        return ""
    except (OSError, ValueError):
        return f"{name}: there is no such file"
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        return f"{name} is not a regular file"
    return f"{name} can be read by others (mode {mode:04o}): chmod 600 {name}" if mode & _OTHERS else ""


def _require(mysql: Mysql) -> Iterator[Remark]:
    if mysql.promote.require == "none":
        text = "none: plain keepalived behaviour, a standby takes over without what it has not applied yet"
        yield ("promote", "require"), text


def _write(mysql: Mysql) -> Iterator[Remark]:
    if not mysql.probe.write:
        text = "false: a full disk is not seen, and a standby knows its lag no better than its server does"
        yield ("probe", "write"), text


def _hasty(mysql: Mysql) -> Iterator[Remark]:
    probe = mysql.probe
    soonest = (probe.misses - 1) * probe.interval + probe.timeout
    if soonest < _PAUSE:
        text = f"a server that pauses for {soonest:g} s hangs in the eyes of this node; half a second is not unusual"
        yield ("probe",), text


def _fencing(mysql: Mysql) -> Iterator[Remark]:
    if not mysql.demote.read_only:
        text = "false: clients that reach a server by its own address go on writing to the one that is no longer active"
        yield ("demote", "read_only"), text
    if not mysql.demote.kill_sessions:
        text = "false: a transaction that is open goes on, and may keep the server from becoming read-only in time"
        yield ("demote", "kill_sessions"), text


def _hold_down(mysql: Mysql) -> Iterator[Remark]:
    if not mysql.hold_down:
        yield (
            ("hold_down",),
            "0: two servers that fail in turn pass the database to and fro, each time losing something",
        )


def _without_peer(mysql: Mysql) -> Iterator[Remark]:
    if mysql.peer is None:
        yield ("peer",), "no peer: nobody can be asked there whether a server that comes back has diverged"


def _files(mysql: Mysql | MysqlCheck, folder: FilePath) -> Iterator[Remark]:
    for key in ("password_file", "defaults_file"):
        name = beside(folder, getattr(mysql, key))
        if name and (complaint := not_private(name)):
            yield (key,), complaint


def _outlived(instance: Instance, demote: Demote) -> Iterator[str]:
    """While writes are closed the address is not renewed, and it must last until then."""
    seconds = lease(instance)
    if seconds is not None and demote.timeout > seconds - instance.advert_int:
        yield (
            f"{demote.timeout:g} s: the lease of the address, {seconds} s, may be over before the writes are closed;"
            f" {max(seconds - instance.advert_int, 0):g} s are sure"
        )
