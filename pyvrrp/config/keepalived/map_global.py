"""global_defs, and what the file itself says of the whole daemon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.commands import Commands, Owner, owner_of, usual_owner
from pyvrrp.config.keepalived.draft import Draft
from pyvrrp.config.keepalived.map_routes import RouteLists
from pyvrrp.config.keepalived.map_vmac import sound_prefix
from pyvrrp.config.keepalived.names import sound_name
from pyvrrp.config.keepalived.numbers import TIMER_MAX, UINT_MAX, Number, written
from pyvrrp.config.keepalived.reading import Handler, Reader
from pyvrrp.config.keepalived.scope import Scope, is_address
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Place, Scalar, TreeNode
from pyvrrp.config.values import Text, quote
from pyvrrp.config.values_net import InterfaceName, Server, TableName
from pyvrrp.core import const
from pyvrrp.core.settings import Address
from pyvrrp.identity import exists

# Numbers that an instance may have, too.
GARP_DELAY: Final = Number(0, 4294, most=1000)
GARP_REPEAT: Final = Number(0, UINT_MAX, most=100, lifts=True)
GARP_LOWER_REPEAT: Final = Number(0, UINT_MAX, most=100)
GARP_REFRESH: Final = Number(0, UINT_MAX, most=86400)
DOWN_TIMER: Final = Number(1, 100)
VERSION: Final = Number(2, 3)

_GROUPS: Final[Mapping[str, Address]] = {"vrrp_mcast_group4": const.GROUP_IPV4, "vrrp_mcast_group6": const.GROUP_IPV6}
_PAUSE: Final = Number(0.000001, TIMER_MAX, decimal=True, most=1000)
_FIFOS: Final = ("notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo")


class _InstanceDefaults(Reader):
    """What instances take where they say nothing themselves, by their keys in node.yaml."""

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        "vrrp_version": reading.number("version", VERSION, "2"),
        "vrrp_down_timer_adverts": reading.number("down_timer_adverts", DOWN_TIMER, "3"),
        "vrrp_garp_master_delay": reading.number("garp_master_delay", GARP_DELAY, "5"),
        "vrrp_garp_master_repeat": reading.number("garp_master_repeat", GARP_REPEAT, "5"),
        "vrrp_garp_master_refresh": reading.number("garp_master_refresh", GARP_REFRESH, "0"),
        "vrrp_garp_master_refresh_repeat": reading.number("garp_master_refresh_repeat", GARP_REPEAT, "1"),
        "vrrp_garp_lower_prio_delay": reading.number("garp_lower_prio_delay", GARP_DELAY, "vrrp_garp_master_delay"),
        "vrrp_garp_lower_prio_repeat": reading.number(
            "garp_lower_prio_repeat", GARP_LOWER_REPEAT, "vrrp_garp_master_repeat"
        ),
        "vrrp_lower_prio_no_advert": reading.truth("lower_prio_no_advert"),
        "vrrp_higher_prio_send_advert": reading.truth("higher_prio_send_advert"),
        "vrrp_check_unicast_src": reading.flag("check_unicast_src"),
        "vrrp_skip_check_adv_addr": reading.flag("skip_check_adv_addr"),
        "vrrp_owner_ignore_adverts": reading.truth("owner_ignore_adverts"),
        "v3_checksum_as_v2": reading.truth("v3_checksum_as_v2"),
        "vrrp_notify_priority_changes": reading.truth("notify_priority_changes"),
    }

    def complete(self, sparing: Statement | None) -> None:
        """vrrp_min_garp counts where no number is given, and what the master does with lower priorities, too."""
        if sparing is not None:
            for key, value in (("garp_master_delay", "0"), ("garp_master_repeat", "1")):
                self.draft.default(key, value, sparing.place)
        for what in ("delay", "repeat"):
            if f"garp_lower_prio_{what}" not in self.draft:
                entry = self.draft.entry(f"garp_master_{what}")
                place = entry.key.place if entry else self.draft.place
                self.draft.default(f"garp_lower_prio_{what}", self.draft.text(f"garp_master_{what}", "5"), place)


class Globals(Reader):
    """What the whole daemon has (`draft`), and what instances (`instance`) and servers take from it."""

    def __init__(self, scope: Scope, start: Place) -> None:
        super().__init__(scope, start)
        self._file_scope = scope
        self._defaults = _InstanceDefaults(scope, start)
        self._owner = Owner()
        self._secure = False
        self._sparing: Statement | None = None
        self._alerts: dict[str, bool] = {}
        self._fifos: dict[str, Statement] = {}
        self._once_scripts: list[Statement] = []
        self.commands = Commands(self._owner, self._secure)
        self.routes = RouteLists()
        self.strict = False
        self._prefix: Statement | None = None
        self.vmac_prefix = "vrrp"
        self.default_interface = "eth0"
        self.groups: dict[int, Statement] = {}  # of multicast, by family

    @property
    def instance(self) -> Draft:
        """Defaults of instances."""
        return self._defaults.draft

    @property
    def vrrp_alert(self) -> bool:
        """Whether instances and groups send mail where they say nothing."""
        return self._alerts.get("smtp_alert_vrrp", self._alerts.get("smtp_alert", False))

    @property
    def checker_alert(self) -> bool | None:
        """The same for servers; None where nothing is said."""
        return self._alerts.get("smtp_alert_checker", self._alerts.get("smtp_alert"))

    def read_file(self, statements: Iterable[Statement]) -> None:
        """Read all of it that a file has, wherever it stands."""
        for statement in statements:
            if statement.keyword == "global_defs":
                self.scope = self._file_scope.within(Statement(statement.words[:1], statement.context))
                self._defaults.scope = self.scope
                self.read(statement.block)
            elif statement.keyword == "net_namespace":
                reading.text("network_namespace", Text())(self, statement)
        self._defaults.complete(self._sparing)
        owner = usual_owner(*self._owner)
        if owner.user and exists(owner.user):
            self.draft.default("script_user", owner.user)
        self.commands = Commands(owner, self._secure)
        for name in _FIFOS:
            self._put_fifo(name)
        for script in self._once_scripts:
            self.commands.of_notify(self.scope, script)

    # --- handlers --------------------------------------------------------------------------------------------------

    def _default(self, statement: Statement) -> None:
        self._defaults.HANDLERS[statement.keyword](self._defaults, statement)

    def _router_id(self, statement: Statement) -> None:
        word = self.scope.word(statement)
        if word is not None and word.text:  # an empty one leaves the host's name
            self.draft.say("router_id", statement, sound_name(word.text))

    def _recipients(self, statement: Statement) -> None:
        found: list[TreeNode] = [word for each in statement.block or () for word in each.words]
        if not found:
            self.scope.error(statement, "is empty")
            return
        self.draft.extend("notification_email", statement.place, found)

    def _smtp_server(self, statement: Statement) -> None:
        host, *port = (word.text for word in statement.arguments[:2])
        if port:
            value = self.scope.number_of(statement, statement.arguments[1], Number(1, 65535), "")
            if value is None:
                return
            port = [written(value)]
        if host.replace(".", "").isdecimal() and not is_address(host):
            self.scope.error(statement, f"{quote(host)} is not an IP address; no mail server is used")
            return
        server = " ".join([host, *(port or ["25"])])
        if reading.fits(self.scope, statement, Server(), server):
            self.draft.say("smtp_server", statement, server)

    def _alert(self, statement: Statement) -> None:
        value = self.scope.truth(statement)
        if value is not None:
            self._alerts[statement.keyword] = value

    def _script_user(self, statement: Statement) -> None:
        word = self.scope.word(statement)
        if word is None:
            return
        self._owner = owner_of(statement.arguments)
        if not exists(word.text):
            self.scope.error(statement, f"there is no user {quote(word.text)}; no script runs that names no other")
            return
        self.draft.say("script_user", statement, " ".join(self._owner).strip())

    def _security(self, statement: Statement) -> None:
        self._secure = True
        reading.flag(statement.keyword)(self, statement)

    def _fifo(self, statement: Statement) -> None:
        if self.scope.word(statement) is None:
            return
        first = self._fifos.setdefault(statement.keyword, statement)
        if first is not statement:
            self.scope.error(statement, f"stands in line {first.place.line} already; this is left out")

    def _put_fifo(self, name: str) -> None:
        script = self._fifos.get(f"{name}_script")
        command = self.commands.of_notify(self.scope, script) if script is not None else None
        fifo = self._fifos.get(name)
        if fifo is None:
            return
        draft = Draft(fifo.place)
        draft.put("path", fifo.place, fifo.arguments[0])
        for key, word in zip(("user", "group"), self._fifo_owner(fifo), strict=False):
            draft.put(key, fifo.place, word)
        if script is not None and command is not None:
            draft.put("script", script.place, command)
        self.draft.put(name, fifo.place, draft.node() if len(draft) > 1 else fifo.arguments[0])

    def _fifo_owner(self, fifo: Statement) -> tuple[Scalar, ...]:
        owner = fifo.arguments[1:3]
        if owner and not exists(owner[0].text):
            self.scope.advise(fifo, f"there is no user {quote(owner[0].text)}; the pipe is the daemon's own")
            return ()
        return owner

    def _once(self, statement: Statement) -> None:
        """A script that is not run here, but looked at."""
        if self.scope.word(statement) is not None:
            self._once_scripts.append(statement)

    def _min_garp(self, statement: Statement) -> None:
        value = self.scope.truth(statement)
        if value is not None:
            self._sparing = statement if value else None

    def _strictness(self, _statement: Statement) -> None:
        self.strict = True

    def _vmac_prefix(self, statement: Statement) -> None:
        first = self._prefix = self._prefix or statement
        if first is statement:
            self.vmac_prefix = sound_prefix(statement.arguments[0].text)
        else:
            self.scope.error(statement, f"stands in line {first.place.line} already; this is left out")

    def _default_interface(self, statement: Statement) -> None:
        word = self.scope.word(statement)
        if word is not None and reading.fits(self.scope, statement, InterfaceName(loopback=True), word.text):
            self.default_interface = word.text

    def _dynamic(self, statement: Statement) -> None:
        self.scope.look_at_value(statement)
        reading.flag("dynamic_interfaces")(self, statement)

    def _table(self, statement: Statement) -> None:
        if statement.arguments and reading.fits(self.scope, statement, TableName(), statement.arguments[0].text):
            self.draft.say("nftables", statement, statement.arguments[0].text)

    def _multicast_group(self, statement: Statement) -> None:
        usual = _GROUPS[statement.keyword]
        if multicast_group(self.scope, statement, usual) is not None:
            self.groups[usual.version] = statement

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **dict.fromkeys(_InstanceDefaults.HANDLERS, _default),
        **dict.fromkeys((*_FIFOS, *(f"{name}_script" for name in _FIFOS)), _fifo),
        **dict.fromkeys(("smtp_alert", "smtp_alert_vrrp", "smtp_alert_checker"), _alert),
        "router_id": _router_id,
        "notification_email": _recipients,
        "notification_email_from": reading.text("notification_email_from", Text()),
        "smtp_server": _smtp_server,
        "smtp_helo_name": reading.text("smtp_helo_name", Text()),
        "smtp_connect_timeout": reading.number("smtp_connect_timeout", Number(0, 4294, most=3600, lifts=True), "30"),
        "vrrp_startup_delay": reading.number("startup_delay", Number(0.001, TIMER_MAX, decimal=True, most=1000), "0"),
        "script_user": _script_user,
        "enable_script_security": _security,
        "startup_script": _once,
        "shutdown_script": _once,
        "vrrp_min_garp": _min_garp,
        "vrrp_strict": _strictness,
        **dict.fromkeys(_GROUPS, _multicast_group),
        "vmac_prefix": _vmac_prefix,
        "default_interface": _default_interface,
        "dynamic_interfaces": _dynamic,
        "nftables": _table,
        "vrrp_delay_after_boot": reading.number("delay_after_boot", Number(0, TIMER_MAX, decimal=True, most=3600), "0"),
        "vrrp_garp_interval": reading.number("garp_interval", _PAUSE, "0"),
        "vrrp_gna_interval": reading.number("gna_interval", _PAUSE, "0"),
    }


def multicast_group(scope: Scope, statement: Statement, usual: Address) -> str | None:
    """The multicast group, of the family of `usual`, that stands there; an error says what is wrong with it."""
    word, version = statement.arguments[0].text, usual.version
    if not is_address(word) or ip_address(word).version != version:
        scope.error(statement, f"{quote(word)} is not an IPv{version} address; {usual} is used")
        return None
    group = ip_address(word)
    if not group.is_multicast:
        scope.error(statement, f"{group} is not multicast; {usual} is used")
        return None
    return str(group)
