"""virtual_server_group and virtual_server."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.draft import Draft, scalar, sequence
from pyvrrp.config.keepalived.map_checkers import Timed
from pyvrrp.config.keepalived.map_global import Globals
from pyvrrp.config.keepalived.map_real_servers import PORT, WEIGHT_MOST, RealServer, ServerBlock
from pyvrrp.config.keepalived.map_tracking import Checks
from pyvrrp.config.keepalived.names import sound_name
from pyvrrp.config.keepalived.numbers import INT_MAX, UINT_MAX, Number, written
from pyvrrp.config.keepalived.reading import Handler
from pyvrrp.config.keepalived.scope import Scope, is_address
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import TreeNode
from pyvrrp.config.values import quote

_MARK: Final = Number(0, UINT_MAX, least=1)
_PERSISTENCE: Final = Number(1, 2678400)
_PERSISTENCE_USUAL: Final = "360"
_SCHEDULERS: Final = frozenset(
    ("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")
)
_SCHEDULER_OF: Final = {"sh-port": "sh", "sh-fallback": "sh", "hashed": "sh", "mh-port": "mh", "mh-fallback": "mh"}


class Services:
    """All virtual servers of a file."""

    def __init__(self, scope: Scope, everywhere: Globals, checks: Checks) -> None:
        self._scope = scope
        self._everywhere = everywhere
        self._checks = checks
        self._marked: dict[str, bool] = {}  # groups, and whether they have firewall marks
        self._servers: list[_VirtualServer] = []

    def read_group(self, statement: Statement) -> None:
        """virtual_server_group."""
        scope = self._scope.within(statement)
        marked = [found for entry in statement.block or () if (found := _group_entry(scope, entry)) is not None]
        if marked:
            self._marked[statement.arguments[0].text] = any(marked)
        else:
            scope.error_at(statement.place, "has no entries; it is left out")

    def read(self, statement: Statement) -> None:
        """virtual_server."""
        server = _VirtualServer(self._scope.within(statement), statement, self._everywhere, self._checks)
        if server.identify():
            server.read(statement.block)
            self._servers.append(server)

    def put(self, root: Draft) -> None:
        """The file is read: put what there is, and has servers."""
        found = [each for each in self._servers if each.complete(self._marked)]
        if found:
            root.put("virtual_servers", root.place, sequence(root.place, (each.draft.node() for each in found)))


def _group_entry(scope: Scope, entry: Statement) -> bool | None:
    """Whether it is a firewall mark; None, with an error, when it is nothing."""
    words = [word.text for word in entry.words]
    if words[0] == "fwmark":
        if len(words) < 2:
            scope.error(entry, "fwmark needs a number; it is left out")
            return None
        return None if scope.number_of(entry, entry.words[1], _MARK, "") is None else True
    first, separator, last = words[0].replace("/", "-").partition("-")
    if not is_address(first) or (separator and not (is_address(last) or last.isalnum())):
        scope.error(entry, f"{quote(words[0])} is not an IP address, nor a range; it is left out")
        return None
    if len(words) > 1 and scope.number_of(entry, entry.words[1], PORT, "") is None:
        return None
    return False


class _VirtualServer(ServerBlock):
    def __init__(self, scope: Scope, statement: Statement, everywhere: Globals, checks: Checks) -> None:
        super().__init__(scope, statement, everywhere, checks)
        self._address, self._port = "", 0
        self._group = ""
        self._servers: list[RealServer] = []
        self._flags: list[Statement] = []

    def identify(self) -> bool:
        """Read what stands before the block. False, with an error, when that is nothing."""
        arguments = self.statement.arguments
        kind = arguments[0].text if len(arguments) > 1 else ""
        if kind == "fwmark":
            mark = self.scope.number_of(self.statement, arguments[1], _MARK, "")
            if mark is not None:
                self.draft.put("fwmark", self.statement.place, scalar(arguments[1].place, written(mark)))
            return mark is not None
        if kind == "group":
            self._group = arguments[1].text
            self.draft.put("group", self.statement.place, scalar(arguments[1].place, sound_name(self._group)))
            return True
        found = self.socket(1)
        if found is None:
            return False
        self._address, self._port = found
        self.draft.say("address", self.statement, self._address)
        if self._port:
            self.draft.put("port", self.statement.place, scalar(arguments[1].place, str(self._port)))
        return True

    @property
    def _is_mark(self) -> bool:
        return "fwmark" in self.draft

    # --- lines -----------------------------------------------------------------------------------------------------

    def _real_server(self, statement: Statement) -> None:
        server = RealServer(self.scope.within(statement), statement, self.everywhere, self.checks)
        found = server.socket(1)
        if found is None:
            return
        server.address, server.port = found
        if self._address and ip_address(server.address).version != ip_address(self._address).version:
            self.scope.error(statement, f"{server.address} is of another family than {self._address}; it is left out")
            return
        if any((each.address, each.port) == found for each in self._servers):
            self.scope.error(statement, f"{server.address} stands there already; this is left out")
            return
        server.read(statement.block)
        self._servers.append(server)

    def _scheduler(self, statement: Statement) -> None:
        name = statement.arguments[0].text
        if name in _SCHEDULERS:
            self.draft.say("lb_algo", statement, name)
        else:
            self.scope.error(statement, f"{quote(name)} is not a scheduler; it is left out")

    def _method(self, statement: Statement) -> None:
        method = self.method_of(statement)
        if method is not None:
            self.draft.say("lb_kind", statement, method)

    def _protocol(self, statement: Statement) -> None:
        name = statement.arguments[0].text.upper()
        if name in ("TCP", "UDP", "SCTP"):
            self.draft.say("protocol", statement, name)
        else:
            self.scope.error(statement, f"{quote(name)} is not TCP, UDP or SCTP; it is left out")

    def _persistence(self, statement: Statement) -> None:
        if not statement.arguments:
            self.draft.say("persistence_timeout", statement, _PERSISTENCE_USUAL)
            return
        value = self.scope.number(statement, _PERSISTENCE, "")
        if value is not None:
            self.draft.say("persistence_timeout", statement, written(value))

    def _granularity(self, statement: Statement) -> None:
        word = statement.arguments[0].text
        if not is_address(word) and not word.isdecimal():
            self.scope.error(statement, f"{quote(word)} is not a netmask; it is left out")

    def _sorry_server(self, statement: Statement) -> None:
        address, *port = statement.arguments[:2]
        found = self.scope.address(statement, address)
        if found is None:
            return
        if port:
            number = self.scope.number_of(statement, port[0], PORT, "")
            if number is None:
                return
            found = f"{found} {written(number)}" if number else found
        self.draft.say("sorry_server", statement, found)

    def _needs_sorry_server(self, statement: Statement) -> None:
        if "sorry_server" not in self.draft:
            self.scope.error(statement, "stands before or without a sorry_server; it is left out")
        elif statement.keyword == "sorry_server_inhibit":
            reading.flag("sorry_server_inhibit")(self, statement)

    def _usual_weight(self, statement: Statement) -> None:
        value = self.scope.number(statement, Number(1, INT_MAX, most=WEIGHT_MOST), self.handed.text("weight", "1"))
        if value is not None:
            self.handed.say("weight", statement, written(value))

    def _inhibit(self, statement: Statement) -> None:
        self.handed.say("inhibit_on_failure", Statement(statement.words[:1], statement.context), written(True))

    def _alpha_alone(self, statement: Statement) -> None:
        self.handed.say("alpha", Statement(statement.words[:1], statement.context), written(True))

    def _family(self, statement: Statement) -> None:
        self.scope.look_at_value(statement)
        version = {"inet": 4, "inet6": 6}.get(statement.arguments[0].text)
        if self._address and version and ip_address(self._address).version != version:
            self.scope.error(statement, f"{self._address} is of another family; it is left out")

    def _flag(self, statement: Statement) -> None:
        self._flags.append(statement)

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **Timed.TIMED,
        **dict.fromkeys(("lb_algo", "lvs_sched"), _scheduler),
        **dict.fromkeys(("lb_kind", "lvs_method"), _method),
        **dict.fromkeys(("quorum_up", "quorum_down"), ServerBlock.take_script),
        **dict.fromkeys(("sorry_server_inhibit", "sorry_server_lvs_method"), _needs_sorry_server),
        **dict.fromkeys((*_SCHEDULER_OF, "ops"), _flag),
        "real_server": _real_server,
        "protocol": _protocol,
        "alpha": _alpha_alone,
        "persistence_timeout": _persistence,
        "persistence_granularity": _granularity,
        "quorum": reading.number("quorum", Number(1, UINT_MAX), "1"),
        "hysteresis": reading.number("hysteresis", Number(0, UINT_MAX), "0"),
        "omega": reading.flag("omega"),
        "smtp_alert": reading.truth("smtp_alert"),
        "sorry_server": _sorry_server,
        "inhibit_on_failure": _inhibit,
        "weight": _usual_weight,
        "ip_family": _family,
    }

    # --- all of it -------------------------------------------------------------------------------------------------

    def complete(self, groups: Mapping[str, bool]) -> bool:
        """All of the file is read; `groups` says which of them have firewall marks. False when it is left out."""
        if self._group and self._group not in groups:
            self.scope.advise_at(
                self.statement.place, f"there is no virtual_server_group {self._group}; it is left out"
            )
            return False
        if not self._servers:
            self.scope.error_at(self.statement.place, "has no real_server; it is left out")
            return False
        self._complete_defaults()
        self._complete_ports(groups.get(self._group, False))
        self._complete_quorum()
        self._complete_flags()
        self.put_alert(usual=False)
        servers = sequence(self.draft.place, (self._server_node(each) for each in self._servers))
        self.draft.put("real_servers", self.draft.place, servers)
        return True

    def _complete_defaults(self) -> None:
        """What keepalived has where nothing is said, which it objects to."""
        if self._is_mark and "protocol" in self.draft:
            self.scope.error_at(self.statement.place, "a firewall mark has no protocol; it is left out")
            self.draft.drop("protocol")
        for key, usual in (("lb_algo", "wlc"), ("lb_kind", "NAT"), ("protocol", "UDP")):
            if key not in self.draft and not (self._is_mark and key == "protocol"):
                self.scope.error_at(self.statement.place, f"has no {key}; {usual} is used")
                self.draft.default(key, usual)

    def _complete_ports(self, marked: bool) -> None:
        if not (self._port or self._group or self._is_mark or "persistence_timeout" in self.draft):
            text = f"has no port, and no persistence_timeout; {_PERSISTENCE_USUAL} is used for that"
            self.scope.error_at(self.statement.place, text)
            self.draft.default("persistence_timeout", _PERSISTENCE_USUAL)
        for server in self._servers:
            if (self._is_mark or marked) and server.port and self._forwards(server.method):
                text = "a service of a firewall mark has no port; only checks use it"
                server.scope.error_at(server.statement.place, text)
            elif self._address and server.port not in (0, self._port) and self._forwards(server.method):
                text = f"port {server.port} is not the virtual server's, which is used; checks use {server.port}"
                server.scope.error_at(server.statement.place, text)
        sorry = self.draft.text("sorry_server").split()
        if self._address and len(sorry) > 1 and sorry[1] != str(self._port) and self._forwards(None):
            text = f"port {sorry[1]} is not the virtual server's {self._port}, which is used"
            self._replace(
                "sorry_server",
                f"{text}: {self.draft.text('lb_kind')} does not change ports",
                f"{sorry[0]} {self._port}",
            )

    def _forwards(self, method: str | None) -> bool:
        """Whether packets keep their port on the way to a server."""
        return (method or self.draft.text("lb_kind")) in ("DR", "TUN")

    def _complete_quorum(self) -> None:
        usual = self.handed.text("weight", "1")
        total = sum(int(server.draft.text("weight", usual)) for server in self._servers)
        quorum = int(self.draft.text("quorum", "1"))
        if quorum > total:
            result = f"{total} is used" if total else "it is never reached"
            self._replace("quorum", f"{quorum} is more than all weights together; {result}", str(max(total, 1)))
            quorum = max(total, 1)
        if int(self.draft.text("hysteresis", "0")) >= quorum:
            text = f"it is not less than the quorum {quorum}; {quorum - 1} is used"
            self._replace("hysteresis", text, str(quorum - 1))

    def _replace(self, key: str, message: str, text: str) -> None:
        """An error about a value, and another one."""
        entry = self.draft.entry(key)
        place = entry.key.place if entry else self.statement.place
        self.scope.remarks.error(place, f"{self.scope.path}.{key}", message)
        self.draft.put(key, place, scalar(place, text))

    def _complete_flags(self) -> None:
        for statement in self._flags:
            wanted = _SCHEDULER_OF.get(statement.keyword)
            if wanted is not None and self.draft.text("lb_algo") != wanted:
                self.scope.error(statement, f"is for the scheduler {wanted} only; it is left out")
            elif wanted is None and self.draft.text("protocol") != "UDP":
                self.scope.error(statement, "is for UDP only; it is left out")

    def _port_of(self, server: RealServer) -> int:
        """The port that packets to a server have, 0 where they keep theirs."""
        if self._address and (not server.port or self._forwards(server.method)):
            return self._port
        return 0 if self._is_mark and self._forwards(server.method) else server.port

    def _server_node(self, server: RealServer) -> TreeNode:
        draft = Draft(server.statement.place)
        place = server.statement.words[1].place
        draft.put("address", server.statement.place, scalar(place, server.address))
        if port := self._port_of(server):
            draft.put("port", server.statement.place, scalar(place, str(port)))
        server.draft.inherit(self.handed, "weight", "inhibit_on_failure")
        server.put_alert(usual=True)
        server.read_checkers(self.handed, self._port)
        draft.inherit(server.draft)
        return draft.node()
