"""vrrp_instance: its lines, and what keepalived makes of them together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.draft import scalar, sequence
from pyvrrp.config.keepalived.map_addresses import AddressList, Held
from pyvrrp.config.keepalived.map_authentication import Authentication
from pyvrrp.config.keepalived.map_global import (
    DOWN_TIMER,
    GARP_DELAY,
    GARP_LOWER_REPEAT,
    GARP_REFRESH,
    GARP_REPEAT,
    VERSION,
    Globals,
)
from pyvrrp.config.keepalived.map_notify import Notifying
from pyvrrp.config.keepalived.map_tracking import (
    FILE,
    INTERFACE,
    KINDS,
    SCRIPT,
    Checks,
    Tracked,
    read_tracking,
    tracks,
)
from pyvrrp.config.keepalived.map_transport import GLOBAL, Transport
from pyvrrp.config.keepalived.map_vmac import VirtualMac
from pyvrrp.config.keepalived.names import sound_name
from pyvrrp.config.keepalived.numbers import Number, written
from pyvrrp.config.keepalived.reading import Handler
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Place
from pyvrrp.config.values import Word, quote
from pyvrrp.config.values_net import InterfaceName
from pyvrrp.core import const

MASTER, BACKUP = "MASTER", "BACKUP"

_OWNER: Final = "255"
_EXCLUDED_MAX: Final = 1000
_VERSION_3_MOST: Final = 40.95  # seconds that VRRPv3's packet can say
_PRIORITY: Final = Number(1, 255)
_ADVERT_INT: Final = Number(0.01, 255, decimal=True)
_PREEMPT_DELAY: Final = Number(0, 1000, decimal=True)


class Instance(Notifying):
    """One vrrp_instance. `complete` says whether it can run; `tracked` may still be changed by its group."""

    def __init__(self, scope: Scope, statement: Statement, everywhere: Globals, checks: Checks) -> None:
        super().__init__(scope, statement, everywhere)
        self._checks = checks
        self._begins: dict[str, Place] = {}  # lists, by their keys
        self._lists = AddressList()
        self._addresses: list[Held] = []
        self._excluded: list[Held] = []
        self._authentication = Authentication()
        self._transport = Transport(scope, statement.place)
        self._said_version: Statement | None = None
        self.vmac = VirtualMac(scope, statement.place)
        self._strict = everywhere.strict
        self._accept: Statement | None = None  # accept or no_accept
        self.tracked: list[Tracked] = []

    @property
    def name(self) -> str:
        """What it is called."""
        return sound_name(self.statement.arguments[0].text)

    @property
    def owner(self) -> bool:
        """Whether it owns its addresses: without a priority state MASTER is enough."""
        return self.draft.text("priority", _OWNER if self._master else "100") == _OWNER

    @property
    def _master(self) -> bool:
        return self.draft.text("state") == MASTER

    @property
    def router(self) -> tuple[str, int, str]:
        """What makes it a virtual router: where it runs, its family, its VRID."""
        return self.interface, self._transport.family or 4, self.draft.text("virtual_router_id")

    def put_virtual_mac(self, name: str) -> None:
        """Its virtual MAC's interface is called so: it goes into the draft."""
        self.vmac.name = name
        self.vmac.put(self.draft, int(self.draft.text("virtual_router_id")), self._transport.family or 4)

    @property
    def interface(self) -> str:
        """Where it runs."""
        return self.draft.text("interface")

    # --- lines -----------------------------------------------------------------------------------------------------

    def _state(self, statement: Statement) -> None:
        state = statement.arguments[0].text
        if state not in (MASTER, BACKUP):
            self.scope.error(statement, f"{quote(state)} is not MASTER or BACKUP; BACKUP is used")
            state = BACKUP
        elif state == BACKUP and self._master:
            self.scope.error(statement, "it is MASTER already; this is left out")
            return
        self.draft.put("state", statement.place, scalar(statement.arguments[0].place, state))

    def _interface(self, statement: Statement) -> None:
        name = statement.arguments[0].text
        try:
            InterfaceName().parse(Word(name))
        except ValueError as error:
            self.scope.error(statement, f"{error}; it is left out")
            if name == "lo":
                self.draft.drop("interface")
            return
        self.draft.say("interface", statement, name)

    def _priority(self, statement: Statement) -> None:
        value = self.scope.number(statement, _PRIORITY, "100")
        self.draft.say("priority", statement, written(value or 100))

    def _version(self, statement: Statement) -> None:
        first = self.draft.text("version")
        if self._transport.family == 6:
            first = "3"
        self._said_version = self._said_version or statement
        if first and first != statement.arguments[0].text:
            self.scope.error(statement, f"it is {first} already; this is left out")
            return
        reading.number("version", VERSION, "2")(self, statement)

    def _preempt(self, _statement: Statement) -> None:
        self.draft.drop("nopreempt")

    def _authenticate(self, statement: Statement) -> None:
        self._authentication.read(self.scope, statement)

    def _address_list(self, statement: Statement) -> None:
        self._begins.setdefault(statement.keyword, statement.place)
        found = self._lists.read(self.scope, statement)
        if statement.keyword == "virtual_ipaddress":
            for held in found:
                self._add_address(held)
        else:
            self._excluded += found

    def _add_address(self, held: Held) -> None:
        if self._transport.settles(str(held.address)):
            self._addresses.append(held)
        else:
            self.scope.error(
                held.statement, f"{held.address} is not IPv{self._transport.family}, as the instance is; it is left out"
            )

    def _route_list(self, statement: Statement) -> None:
        nodes = tuple(self.everywhere.routes.read(self.scope, statement))
        if nodes:
            self.draft.extend(statement.keyword, statement.place, nodes)

    def _track(self, statement: Statement) -> None:
        self._begins.setdefault("track_checks", statement.place)
        read_tracking(self.scope, statement, self._checks, self.tracked)

    def _strict_mode(self, statement: Statement) -> None:
        value = self.scope.truth(statement)
        if value is not None:
            self._strict = value

    def _travel(self, statement: Statement) -> None:
        self._transport.hear(statement)

    def _virtual_mac(self, statement: Statement) -> None:
        self.vmac.hear(statement)

    def _accepting(self, statement: Statement) -> None:
        self._accept = statement

    def _vrf(self, statement: Statement) -> None:
        if self.interface:
            self.scope.error(statement, "cannot be used with an interface; it is left out")

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **Notifying.NOTIFYING,
        **dict.fromkeys(KINDS, _track),
        **dict.fromkeys(Transport.HANDLERS, _travel),
        **dict.fromkeys(VirtualMac.HANDLERS, _virtual_mac),
        **dict.fromkeys(("accept", "no_accept"), _accepting),
        "promote_secondaries": reading.flag("promote_secondaries"),
        "state": _state,
        "interface": _interface,
        "virtual_router_id": reading.number("virtual_router_id", Number(1, 255), ""),
        "priority": _priority,
        "version": _version,
        "advert_int": reading.number("advert_int", _ADVERT_INT, "1"),
        "down_timer_adverts": reading.number("down_timer_adverts", DOWN_TIMER, "3"),
        "nopreempt": reading.flag("nopreempt"),
        "preempt": _preempt,
        "preempt_delay": reading.number("preempt_delay", _PREEMPT_DELAY, "0"),
        "authentication": _authenticate,
        "virtual_ipaddress": _address_list,
        "virtual_ipaddress_excluded": _address_list,
        "strict_mode": _strict_mode,
        "virtual_routes": _route_list,
        "virtual_rules": _route_list,
        "garp_master_delay": reading.number("garp_master_delay", GARP_DELAY, "5"),
        "garp_master_repeat": reading.number("garp_master_repeat", GARP_REPEAT, "5"),
        "garp_master_refresh": reading.number("garp_master_refresh", GARP_REFRESH, "0"),
        "garp_master_refresh_repeat": reading.number("garp_master_refresh_repeat", GARP_REPEAT, "1"),
        "garp_lower_prio_delay": reading.number("garp_lower_prio_delay", GARP_DELAY, "garp_master_delay"),
        "garp_lower_prio_repeat": reading.number("garp_lower_prio_repeat", GARP_LOWER_REPEAT, "garp_master_repeat"),
        "lower_prio_no_advert": reading.truth("lower_prio_no_advert"),
        "higher_prio_send_advert": reading.truth("higher_prio_send_advert"),
        "vrf": _vrf,
    }

    # --- all of it -------------------------------------------------------------------------------------------------

    def patience(self) -> float:
        """Seconds without adverts, all but one interval of those after which it takes over."""
        return (int(self.draft.text("down_timer_adverts", "3")) - 1) * float(self.draft.text("advert_int", "1"))

    def complete(self) -> bool:
        """All lines are read. False, with remarks, when it is left out."""
        self._complete_version()
        self._transport.draft.inherit(self.everywhere.instance, *GLOBAL)
        self.draft.inherit(self.everywhere.instance)
        self.inherit()
        if not (self._supported() and self._identified() and self._has_addresses()):
            return False
        self._complete_transport()
        self._complete_authentication()
        self._complete_interval()
        self.vmac.complete(self._strict, self._transport.unicast)
        self._complain_of_virtual_macs()
        if self._strict:
            self._complete_strictness()
        self._complete_acceptance()
        self._complete_preemption()
        self._complete_garp()
        self._complete_tracking()
        return True

    def _complain(self, key: str, message: str) -> None:
        """An error about what stands under a key of the draft."""
        entry = self.draft.entry(key)
        place = entry.key.place if entry is not None else self.statement.place
        self.scope.remarks.error(place, f"{self.scope.path}.{key}", message)

    def complain_of(self, tracked: Tracked, message: str) -> None:
        """An error about something that it tracks."""
        self.scope.remarks.error(tracked.entry.place, f"{self.scope.path}.{tracked.kind}", message)

    def _supported(self) -> bool:
        """Whether nothing keeps it from running."""
        obstacles = [*self._transport.obstacles()]
        if self._transport.family == 6 and self._said_version is not None and self.draft.text("version") == "2":
            obstacles.append((self._said_version, "VRRPv2 has no IPv6, and its peers would not believe VRRPv3"))
        if not self._unauthenticated:
            obstacles += self._authentication.obstacles()
        for statement, why in obstacles:
            self.scope.error(statement, f"{why}; {self.name} is left out")
        return not obstacles

    def _identified(self) -> bool:
        if "virtual_router_id" not in self.draft:
            self.scope.error_at(self.statement.place, "has no virtual_router_id; it is left out")
            return False
        if "interface" not in self.draft:
            self.scope.error_at(self.statement.place, "has no interface; it is left out")
            return False
        return True

    def _has_addresses(self) -> bool:
        if not self._addresses:
            result = "it is left out, as it is strict" if self._strict else "it runs without"
            self.scope.error_at(self.statement.place, f"has no virtual_ipaddress; {result}")
            if self._strict:
                return False
        most = const.ADDRESSES_MAX[self._transport.family or 4]
        if len(self._addresses) > most:
            text = f"{len(self._addresses)} are too many, {most} fit; the rest is held without being named in adverts"
            self.scope.error(self._addresses[most].statement, text)
            self._excluded = self._addresses[most:] + self._excluded
            del self._addresses[most:]
        if len(self._excluded) > _EXCLUDED_MAX:
            text = f"{len(self._excluded)} are too many, pyvrrp holds {_EXCLUDED_MAX}; the rest is left out"
            self.scope.error(self._excluded[_EXCLUDED_MAX].statement, text)
            del self._excluded[_EXCLUDED_MAX:]
        for key, held in (("virtual_ipaddress", self._addresses), ("virtual_ipaddress_excluded", self._excluded)):
            if held:
                place = self._begins.get(key, self.draft.place)
                self.draft.put(key, place, sequence(place, (each.node for each in held)))
        return True

    @property
    def _unauthenticated(self) -> str:
        """Why it has no authentication, whatever it says; "" when it may have one."""
        if self.draft.text("version") == "3":
            return "VRRPv3 has no authentication"
        return "strict mode has none" if self._strict else ""

    def _complete_authentication(self) -> None:
        self._authentication.complete(self.scope, self.draft, self._unauthenticated)

    def _complete_version(self) -> None:
        """IPv6 is VRRPv3's; keepalived also does it in VRRPv2, which no RFC knows, unless it is told to be strict."""
        if self._transport.family != 6 or self.draft.text("version") == "3":
            return
        if self._said_version is not None and "version" in self.draft:
            if not (self._strict or self._transport.native):
                return
            if self._strict:
                self._complain("version", "VRRPv2 has no IPv6; 3 is used")
        self.draft.put("version", self.statement.place, scalar(self.statement.place, "3"))

    def _complete_transport(self) -> None:
        version, addresses = self.draft.text("version", "2"), bool(self._addresses)
        for key in GLOBAL:
            self.draft.drop(key)
        self.draft.inherit(self._transport.complete(self.everywhere, version, addresses))

    def _complete_interval(self) -> None:
        entry = self.draft.entry("advert_int")
        if entry is None:
            return
        said = float(self.draft.text("advert_int"))
        if self.draft.text("version") == "3":
            used = min(math.floor(said * 100 + 0.5) / 100, _VERSION_3_MOST)
            rule = "VRRPv3 counts 0.01 s, up to 40.95 s"
        else:
            used = max(math.floor(said + 0.5), 1)
            rule = "VRRPv2 counts whole seconds"
        if used != said:
            self._complain("advert_int", f"{written(said)}: {rule}; {written(used)} is used")
            self.draft.put("advert_int", entry.key.place, scalar(entry.value.place, written(used)))

    def _complete_preemption(self) -> None:
        if "nopreempt" in self.draft:
            if self.owner:
                self._reset("nopreempt", "has no effect with priority 255")
            elif self._master:
                self._reset("nopreempt", "has no effect with state MASTER")
        if self.draft.text("preempt_delay", "0") != "0":
            if self._master or (self.owner and "state" not in self.draft):
                self._reset("preempt_delay", "has no effect with state MASTER, or priority 255 without a state")
            elif "nopreempt" in self.draft:
                self._reset("preempt_delay", "has no effect with nopreempt")

    def _reset(self, key: str, message: str) -> None:
        self._complain(key, f"{message}; it is left out")
        self.draft.drop(key)

    def _complete_strictness(self) -> None:
        """What strict mode forbids."""
        if "state" in self.draft and self._master != self.owner:
            self._complain("state", "strict mode wants MASTER where priority is 255, and only there; that is used")
            place = self.draft.place
            self.draft.put("state", place, scalar(place, MASTER if self.owner else BACKUP))
        if self.draft.text("preempt_delay", "0") != "0":
            self._reset("preempt_delay", "strict mode has none")
        if self.draft.text("lower_prio_no_advert") == "false":
            self._complain("lower_prio_no_advert", "strict mode wants it; true is used")
        if self.draft.text("higher_prio_send_advert") == "true":
            self._reset("higher_prio_send_advert", "strict mode forbids it")
        for key in ("garp_lower_prio_delay", "garp_lower_prio_repeat"):
            if self.draft.text(key) != self.everywhere.instance.text(key):
                self._complain(key, "strict mode has no such repetition; 0 is used")
            self.draft.put(key, self.statement.place, scalar(self.statement.place, "0"))
        self.draft.put("lower_prio_no_advert", self.statement.place, scalar(self.statement.place, written(True)))

        if self._transport.unicast:
            self.scope.advise_at(self.statement.place, "strict mode has no unicast peers; it goes on with them")
        first = self._addresses[0]
        if first.address.version == 6 and not first.address.is_link_local:
            self.scope.error(first.statement, "strict mode wants a link-local address first")

    def _complain_of_virtual_macs(self) -> None:
        """Either the instance has one, or an address."""
        for held in (*self._addresses, *self._excluded):
            if self.vmac.wanted and any(word.text == "use_vmac" for word in held.statement.arguments):
                self.scope.error(held.statement, f"use_vmac is the instance's, {held.address} need not say it")

    def _complete_acceptance(self) -> None:
        """RFC 3768 has only an owner accept packets to the addresses, keepalived wants that where it is strict."""
        accepts = self._accept is not None and self._accept.keyword == "accept"
        refuses = self._accept is not None and not accepts
        if self._strict and not self.owner:
            if accepts and self._accept is not None and self.draft.text("version") != "3":
                self.scope.error(self._accept, "strict mode has no such thing in VRRPv2; no_accept is used")
                accepts = False
            refuses = not accepts
        if refuses:
            place = (self._accept or self.statement).place
            self.draft.put("accept", place, scalar(place, written(False)))

    def _complete_garp(self) -> None:
        """Leave out what node.yaml means anyway."""
        for what in ("delay", "repeat"):
            if self.draft.text(f"garp_lower_prio_{what}") == self.draft.text(f"garp_master_{what}", "5"):
                self.draft.drop(f"garp_lower_prio_{what}")

    def _complete_tracking(self) -> None:
        found: list[Tracked] = []
        for each in self.tracked:
            if each.kind == INTERFACE and each.name == self.interface:
                self.complain_of(each, "the instance's own interface is tracked anyway; this is left out")
            elif self.owner and each.weight:
                found += self._owned(each)
            else:
                found.append(each)
        self.tracked = found

    def _owned(self, tracked: Tracked) -> list[Tracked]:
        """What an owner of its addresses, whose priority never changes, tracks of something with a weight."""
        if tracked.kind in (SCRIPT, INTERFACE):
            self.complain_of(tracked, f"priority 255 has no weights; {tracked.name} is not tracked")
            return []
        if tracked.kind == FILE:
            self.complain_of(tracked, "priority 255 has no weights; 0 is used")
            return [tracked.weightless()]
        return [tracked]

    def put_tracks(self) -> None:
        """Its group has had its say: what is tracked goes into the draft."""
        if self.tracked:
            place = self._begins["track_checks"]
            self.draft.put("track_checks", place, tracks(place, self.tracked))
            self._checks.used.update(each.check for each in self.tracked)
