"""Statements of keepalived.conf → the tree of node.yaml, by keepalived's rules for values and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pyvrrp.config.keepalived.draft import Draft
from pyvrrp.config.keepalived.map_global import Globals
from pyvrrp.config.keepalived.map_groups import Group
from pyvrrp.config.keepalived.map_instance import Instance
from pyvrrp.config.keepalived.map_interfaces import Interfaces
from pyvrrp.config.keepalived.map_scripts import read_file, read_process, read_script
from pyvrrp.config.keepalived.map_services import Services
from pyvrrp.config.keepalived.map_tracking import BFD, Checks, Tracked
from pyvrrp.config.keepalived.map_vmac import free_name
from pyvrrp.config.keepalived.names import sound_name
from pyvrrp.config.keepalived.reading import Handler, Reader
from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Mapping as Node
from pyvrrp.config.tree import Place
from pyvrrp.config.values import quote


def to_tree(statements: tuple[Statement, ...], file: str, remarks: Remarks) -> Node:
    """What the statements of `file` mean, as node.yaml would say it. What is left out is remarked.

    The tree always makes a model without problems. The place of a key is that of the statement which it comes from,
    the place of a list's item that of its entry; see comments.py.
    """
    return _File(statements, file, remarks).tree()


class _File(Reader):
    """One file. What is named must stand above what names it; only global_defs count from anywhere."""

    def __init__(self, statements: tuple[Statement, ...], file: str, remarks: Remarks) -> None:
        super().__init__(Scope(remarks), Place(file, 1, 1))
        self._statements = statements
        self._checks = Checks()
        self._everywhere = Globals(self.scope, self.draft.place)
        self._interfaces = Interfaces(self.scope, self._everywhere)
        self._services = Services(self.scope, self._everywhere, self._checks)
        self._instances: dict[str, Instance] = {}
        self._groups: dict[str, Group] = {}

    def tree(self) -> Node:
        """All of it."""
        self._everywhere.read_file(self._statements)
        self.read(self._statements)
        self._complete()
        return self._node()

    # --- one block -------------------------------------------------------------------------------------------------

    def _static_routes(self, statement: Statement) -> None:
        found = tuple(self._everywhere.routes.read(self.scope, statement))
        if found:
            self.draft.extend(statement.keyword, statement.place, found)

    def _known_already(self, _statement: Statement) -> None:
        """What read_file has read."""

    def _script(self, statement: Statement) -> None:
        read_script(self.scope, statement, self._checks, self._everywhere.commands)

    def _track_file(self, statement: Statement) -> None:
        read_file(self.scope, statement, self._checks)

    def _process(self, statement: Statement) -> None:
        read_process(self.scope, statement, self._checks)

    def _peer(self, statement: Statement) -> None:
        self.scope.look_at_value(statement)
        name = statement.arguments[0].text
        self._checks.define(Tracked(statement, BFD, name, f"bfd/{name}"), None)

    def _instance(self, statement: Statement) -> None:
        if self._named(statement, self._instances):
            instance = Instance(self.scope.within(statement), statement, self._everywhere, self._checks)
            instance.read(statement.block)
            self._instances[instance.name] = instance

    def _group(self, statement: Statement) -> None:
        if self._named(statement, self._groups):
            group = Group(self.scope.within(statement), statement, self._everywhere, self._checks)
            group.read(statement.block)
            self._groups[group.name] = group

    def _named(self, statement: Statement, known: Mapping[str, Instance | Group]) -> bool:
        """Whether the block has a name, one of its own."""
        if len(statement.arguments) != 1:
            self.scope.error(statement, "must have a name, in one word or in quotes; it is left out")
            return False
        name = sound_name(statement.arguments[0].text)
        if name in known:
            line = known[name].statement.place.line
            self.scope.error(statement, f"{quote(name)} stands in line {line} already; this one is left out")
        return name not in known

    def _garp_group(self, statement: Statement) -> None:
        self._interfaces.read_garp_group(statement)

    def _track_group(self, statement: Statement) -> None:
        self._interfaces.read_track_group(statement)

    def _delays(self, statement: Statement) -> None:
        self._interfaces.read_delays(statement)

    def _static_addresses(self, statement: Statement) -> None:
        self._interfaces.read_static(statement)

    def _server_group(self, statement: Statement) -> None:
        self._services.read_group(statement)

    def _server(self, statement: Statement) -> None:
        self._services.read(statement)

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        "global_defs": _known_already,
        "net_namespace": _known_already,
        "static_routes": _static_routes,
        "static_rules": _static_routes,
        "vrrp_script": _script,
        "track_file": _track_file,
        "vrrp_track_file": _track_file,
        "vrrp_track_process": _process,
        "bfd_instance": _peer,
        "garp_group": _garp_group,
        "track_group": _track_group,
        "interface_up_down_delays": _delays,
        "static_ipaddress": _static_addresses,
        "vrrp_instance": _instance,
        "vrrp_sync_group": _group,
        "virtual_server_group": _server_group,
        "virtual_server": _server,
    }

    # --- all of the file -------------------------------------------------------------------------------------------

    def _complete(self) -> None:
        self._instances = {name: each for name, each in self._instances.items() if each.complete()}
        self._leave_out_second_routers()
        self._name_virtual_macs()
        taken: dict[str, Group] = {}
        self._groups = {name: each for name, each in self._groups.items() if each.complete(self._instances, taken)}
        for instance in self._instances.values():
            instance.put_tracks()

    def _leave_out_second_routers(self) -> None:
        """keepalived does not start with two of one VRID on an interface."""
        first: dict[tuple[str, int, str], Instance] = {}
        for name, instance in list(self._instances.items()):
            interface, family, vrid = instance.router
            other = first.setdefault(instance.router, instance)
            if other is not instance:
                text = f"VRID {vrid} on {interface} (IPv{family}) is taken by {other.name}; {name} is left out"
                instance.scope.error_at(instance.statement.place, text)
                del self._instances[name]

    def _name_virtual_macs(self) -> None:
        """Every instance that asks for one gets an interface of its own; first those that name it."""
        asking = [each for each in self._instances.values() if each.vmac.wanted]
        taken: dict[str, Instance] = {}
        for instance in asking:
            name = instance.vmac.name
            if name and (first := taken.setdefault(name, instance)) is not instance:
                text = f"use_vmac: {name} is {first.name}'s already; a name is made for it"
                instance.scope.error_at(instance.statement.place, text)
                instance.vmac.name = ""
        for instance in asking:
            _, family, vrid = instance.router
            name = instance.vmac.name or free_name(self._everywhere.vmac_prefix, int(vrid), family, taken)
            taken.setdefault(name, instance)
            instance.put_virtual_mac(name)

    def _node(self) -> Node:
        root = self.draft
        root.inherit(self._everywhere.draft)
        blocks = {name: each.draft for name, each in self._instances.items()}
        _put_named(root, "vrrp_instances", blocks)
        _put_named(root, "vrrp_sync_groups", {name: each.draft for name, each in self._groups.items()})
        self._interfaces.put(root, self._instances.values())
        services = Draft(root.place)
        self._services.put(services)
        _put_named(root, "checks", self._used_checks())
        root.inherit(services)
        return root.node()

    def _used_checks(self) -> dict[str, Draft]:
        """What nobody tracks does not run in keepalived."""
        used: dict[str, Draft] = {}
        for name, draft in self._checks.drafts.items():
            if name in self._checks.used:
                used[name] = draft
            else:
                self.scope.remarks.advise(draft.place, f"checks.{name}", "nothing tracks it, so it does not run")
        return used


def _put_named(root: Draft, key: str, blocks: Mapping[str, Draft]) -> None:
    if blocks:
        section = Draft(root.place)
        for name, draft in blocks.items():
            section.put(name, draft.place, draft.node())
        root.put(key, root.place, section.node())
