"""Runs the checks of the configuration, and hurries a check whose listener the kernel says has died."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from ipaddress import ip_address

from pyvrrp.core.effects import Level
from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings, InterfaceProbe, MysqlProbe, TcpProbe
from pyvrrp.errors import KernelError
from pyvrrp.io.checks import Check, make_check
from pyvrrp.io.sockdiag import ListenerWatch


class Checkup:
    """The running checks. `report` takes results, `write` takes a log line."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        report: Callable[[CheckResult], None],
        write: Callable[[Level, str], None],
    ) -> None:
        self._loop = loop
        self._report = report
        self._write = write
        self._checks: dict[CheckSettings, Check] = {}
        self._watch: ListenerWatch | None = None

    def want(self, checks: tuple[CheckSettings, ...]) -> None:
        """Have exactly these checks running; one whose settings are unchanged goes on as it is.

        Nothing runs for an interface: the kernel tells the node of it.
        """
        wanted = dict.fromkeys(each for each in checks if not isinstance(each.probe, InterfaceProbe))
        for settings in self._checks.keys() - wanted.keys():
            self._checks.pop(settings).stop()
        for settings in wanted:
            if settings not in self._checks and not isinstance(settings.probe, InterfaceProbe):  # the kernel tells
                self._checks[settings] = self._check(settings)
                self._checks[settings].start()
        ports = {listener[1] for settings in wanted if (listener := _listener(settings)) is not None}
        if self._watch is not None:
            with contextlib.suppress(OSError):  # then the old ports are watched; the checks run anyway
                self._watch.watch(ports)
        elif ports:
            self._open_watch(ports)

    def close(self) -> None:
        """Stop everything."""
        for check in self._checks.values():
            check.stop()
        self._checks.clear()
        if self._watch is not None:
            self._loop.remove_reader(self._watch.fileno())
            self._watch.close()
            self._watch = None

    def _check(self, settings: CheckSettings) -> Check:
        match settings.probe:
            case MysqlProbe(account) if account.can_log_in:
                from pyvrrp.app.mysql_check import MysqlProber  # PyMySQL comes with it

                return Check(settings, MysqlProber(account, settings), self._report)
            case _:
                return make_check(settings, self._report)

    def _open_watch(self, ports: set[int]) -> None:
        try:
            self._watch = ListenerWatch(ports)
        except KernelError as error:
            self._write(Level.WARNING, f"{error}: a dead server is noticed by the next check only")
            return
        self._loop.add_reader(self._watch.fileno(), self._listener_died)

    def _listener_died(self) -> None:
        if self._watch is None:
            return
        for address, port in self._watch.destroyed():
            for settings, check in self._checks.items():
                listener = _listener(settings)
                if listener is None or listener[1] != port:
                    continue
                if address == ip_address(listener[0]) or (address.is_unspecified and _is_here(listener[0])):
                    check.confirm()


def _listener(settings: CheckSettings) -> tuple[str, int] | None:
    """Host and port of the listener whose end this check should hear of."""
    match settings.probe:
        case TcpProbe(host, port):
            return host, port
        case MysqlProbe(account) if not account.socket:
            return account.host, account.port
        case _:
            return None


def _is_here(host: str) -> bool:
    """Whether the address is one of this host's: only those can be bound to."""
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((host, 0))
        except OSError:
            return False
    return True
