"""What all checkers of a real_server have: where they connect, and timers, handed down from the servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.commands import Commands
from pyvrrp.config.keepalived.draft import Draft, scalar
from pyvrrp.config.keepalived.map_tracking import Checks
from pyvrrp.config.keepalived.numbers import FINEST, TIMER_MAX, UINT_MAX, Number, written
from pyvrrp.config.keepalived.reading import Handler, Reader
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.values import Text
from pyvrrp.config.values_net import InterfaceName

_LONGEST: Final = 100_000  # seconds, runs: bounds of node.yaml
_ENDLESS: Final = 18_446_744_073_709  # seconds: 64 bits of microseconds
_DELAY_LOOP: Final = Number(FINEST, _ENDLESS, decimal=True, least=0.05, most=_LONGEST)
_CONNECT_TIMEOUT: Final = Number(FINEST, TIMER_MAX, decimal=True, least=0.001)
_DELAY_BEFORE_RETRY: Final = Number(0, _ENDLESS, decimal=True, least=0.05, most=_LONGEST)
_WARMUP: Final = Number(0, _ENDLESS, decimal=True, most=_LONGEST)
RETRY: Final = Number(0, UINT_MAX, most=_LONGEST - 1)
_RETRY_ABOVE: Final = Number(1, UINT_MAX, most=_LONGEST - 1)  # of servers
_PORT: Final = Number(1, 65535)
_MARK: Final = Number(0, UINT_MAX)


@dataclass(frozen=True, slots=True)
class Server:
    """The real server that is checked; `handed` is what it and its virtual server hand down. `port` is 0 for none."""

    address: str
    port: int
    handed: Draft


class Timed(Reader):
    """A block with timers and other values that are handed down, in `handed` under the names of their keywords."""

    def __init__(self, scope: Scope, statement: Statement) -> None:
        super().__init__(scope, statement.place)
        self.statement = statement
        self.handed = Draft(statement.place)

    def _timer(self, statement: Statement) -> None:
        number, usual = self.TIMERS[statement.keyword]
        value = self.scope.number(statement, number, self.handed.text(statement.keyword, usual))
        if value is not None:
            self.handed.say(statement.keyword, statement, written(value))

    def _alpha(self, statement: Statement) -> None:
        value = self.scope.truth(statement)
        if value is not None:
            self.handed.say("alpha", statement, written(value))

    def _virtualhost(self, statement: Statement) -> None:
        word = self.scope.word(statement)
        if word is not None and reading.fits(self.scope, statement, Text(), word.text):
            self.handed.say("virtualhost", statement, word.text)

    TIMERS: ClassVar[Mapping[str, tuple[Number, str]]] = {
        "delay_loop": (_DELAY_LOOP, "60"),
        "connect_timeout": (_CONNECT_TIMEOUT, "5"),
        "retry": (_RETRY_ABOVE, "1"),
        "delay_before_retry": (_DELAY_BEFORE_RETRY, "1"),
        "warmup": (_WARMUP, "0"),
    }
    TIMED: ClassVar[Mapping[str, Handler]] = {
        **dict.fromkeys(TIMERS, _timer),
        "alpha": _alpha,
        "virtualhost": _virtualhost,
    }


class Checker(Timed):
    """One checker. TYPE is node.yaml's; USUAL_RETRY and USUAL_DELAY are what keepalived has where nothing is said."""

    TYPE: ClassVar[str]
    USUAL_RETRY: ClassVar[int] = 1
    USUAL_DELAY: ClassVar[str] = "1"
    TIMERS: ClassVar[Mapping[str, tuple[Number, str]]] = {**Timed.TIMERS, "retry": (RETRY, "1")}

    def __init__(self, scope: Scope, statement: Statement, server: Server, checks: Checks, commands: Commands) -> None:
        super().__init__(scope, statement)
        self.server = server
        self.checks = checks
        self.commands = commands
        self.bind = Draft(statement.place)

    def drafts(self) -> list[Draft]:
        """The checks that it makes, when all of it is read: one, or none with a remark."""
        self.handed.inherit(self.server.handed)
        draft = Draft(self.statement.place)
        draft.default("type", self.TYPE)
        if not self._complete(draft):
            return []
        self._put_timers(draft)
        return [draft]

    def _complete(self, draft: Draft) -> bool:
        """Put what this kind has. False, with a remark, when it is left out."""
        return self._put_connection(draft)

    def _put_connection(self, draft: Draft, *, port: bool = True) -> bool:
        if not port:
            self.draft.drop("port")
        elif "port" not in self.draft:
            if not self.server.port:
                self.scope.advise_at(self.statement.place, "no port is named; it is left out")
                return False
            self.draft.default("port", str(self.server.port))
        self.draft.default("host", self.server.address)
        if ip_address(self.draft.text("host")).is_link_local and "interface" not in self.bind:
            self.scope.error_at(self.statement.place, "a link-local address needs bind_if; it is left out")
            return False
        if len(self.bind):
            self.draft.put("bind", self.statement.place, self.bind.node())
        draft.inherit(self.draft)
        return True

    def _put_timers(self, draft: Draft) -> None:
        handed = self.handed
        handed.default("delay_loop", "60")
        handed.default("connect_timeout", "5")
        handed.default("retry", str(self.USUAL_RETRY))
        if self.USUAL_DELAY:
            handed.default("delay_before_retry", self.USUAL_DELAY)
        for keyword, key in (("delay_loop", "interval"), ("connect_timeout", "timeout"), ("warmup", "warmup")):
            if (entry := handed.entry(keyword)) is not None and key not in draft:
                draft.put(key, entry.key.place, entry.value)
        retry = handed.entry("retry")
        if retry is not None:
            fall = int(handed.text("retry")) + 1
            draft.put("fall", retry.key.place, scalar(retry.value.place, str(fall)))
            if fall > 1 and (delay := handed.entry("delay_before_retry")) is not None:
                draft.put("retry_interval", delay.key.place, delay.value)
        alpha = handed.entry("alpha")
        if alpha is not None and handed.text("alpha") == written(True):
            draft.put("initial", alpha.key.place, scalar(alpha.value.place, "down"))

    # --- lines -----------------------------------------------------------------------------------------------------

    def _connect_ip(self, statement: Statement) -> None:
        address = self.scope.address(statement, statement.arguments[0])
        if address is not None:
            self.draft.say("host", statement, address)

    def _bindto(self, statement: Statement) -> None:
        address = self.scope.address(statement, statement.arguments[0])
        if address is not None:
            self.bind.say("address", statement, address)

    def _bind_number(self, statement: Statement) -> None:
        key, number = {"bind_port": ("port", _PORT), "fwmark": ("mark", _MARK)}[statement.keyword]
        value = self.scope.number(statement, number, "")
        if value is not None:
            self.bind.say(key, statement, written(value))

    def _bind_if(self, statement: Statement) -> None:
        if reading.fits(self.scope, statement, InterfaceName(loopback=True), statement.arguments[0].text):
            self.bind.say("interface", statement, statement.arguments[0].text)

    CONNECTION: ClassVar[Mapping[str, Handler]] = {
        **Timed.TIMED,
        "connect_ip": _connect_ip,
        "connect_port": reading.number("port", _PORT, "the server's"),
        "bindto": _bindto,
        "bind_port": _bind_number,
        "bind_if": _bind_if,
        "fwmark": _bind_number,
    }
    HANDLERS: ClassVar[Mapping[str, Handler]] = CONNECTION
