"""A configuration file → core settings, or every problem that it has."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pyvrrp.config import rules, yaml_file
from pyvrrp.config.advice import advise
from pyvrrp.config.findings import Findings
from pyvrrp.config.model import Check, Instance, Node
from pyvrrp.config.secret import read_password
from pyvrrp.config.tree import Node as TreeNode
from pyvrrp.config.tree import Place, split_path, value_place
from pyvrrp.config.validate import Checked, validate
from pyvrrp.core.settings import (
    CheckSettings,
    InstanceSettings,
    LoadedNode,
    NodeSettings,
    TcpProbe,
    Track,
    VirtualAddress,
    automatic_lease,
)
from pyvrrp.errors import Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used, and the tree that it came from."""

    settings: NodeSettings
    advice: tuple[Problem, ...]
    root: TreeNode

    def locate(self, path: str) -> Place:
        """Where the value named by `path` (`vrrp_instances.VI_1.interface`) stands, or the nearest one above it."""
        return value_place(self.root, split_path(self.root, path))

    def without_tree(self) -> LoadedNode:
        """What the daemon needs of this, in a form that crosses a pipe."""
        places: dict[str, tuple[str, int, int]] = {}
        for each in self.settings.instances:
            place = value_place(self.root, ("vrrp_instances", each.name, "interface"))
            places[each.name] = (place.file, place.line, place.column)
        return LoadedNode(self.settings, self.advice, places)


def load(path: str) -> Loaded:
    """Read the file `path`. Raises ConfigError with every problem, in file order."""
    root = yaml_file.read(path)
    findings = Findings(root)
    checked = validate(root, findings)
    passwords: dict[str, bytes] = {}
    if checked is not None:
        rules.apply(checked, findings)
        passwords = _passwords(checked, path, findings)
        advise(checked.node, path, findings)
    advice = findings.advice()
    if checked is None:
        raise AssertionError("a tree without a model has problems")
    return Loaded(_settings(checked.node, passwords), advice, root)


def _passwords(checked: Checked, path: str, findings: Findings) -> dict[str, bytes]:
    """The passwords of all instances that have one."""
    passwords: dict[str, bytes] = {}
    for name, instance in checked.node.vrrp_instances.items():
        given = instance.authentication
        if given is None:
            continue
        if given.auth_pass is not None:
            passwords[name] = given.auth_pass
        elif given.auth_pass_file is not None:
            try:
                passwords[name] = read_password(Path(path).parent / given.auth_pass_file)
            except ValueError as error:
                findings.value(("vrrp_instances", name, "authentication", "auth_pass_file"), str(error))
    return passwords


def _settings(node: Node, passwords: dict[str, bytes]) -> NodeSettings:
    return NodeSettings(
        router_id=node.router_id or os.uname().nodename.partition(".")[0],
        instances=tuple(_instance(name, each, passwords.get(name)) for name, each in node.vrrp_instances.items()),
        checks=tuple(_check(name, each) for name, each in node.checks.items()),
    )


def _instance(name: str, instance: Instance, auth_pass: bytes | None) -> InstanceSettings:
    return InstanceSettings(
        name=name,
        interface=instance.interface,
        virtual_router_id=instance.virtual_router_id,
        addresses=tuple(
            VirtualAddress(instance.interface, vip.address, vip.prefixlen) for vip in instance.virtual_ipaddress
        ),
        priority=instance.base_priority,
        version=instance.version,
        advert_int=instance.advert_int,
        preempt=not instance.nopreempt,
        auth_pass=auth_pass,
        tracks=tuple(Track(check, options.weight) for item in instance.track_checks for check, options in item.items()),
        vip_lease=_lease(instance),
        garp_master_delay=instance.garp_master_delay,
        garp_master_repeat=instance.garp_master_repeat,
    )


def _lease(instance: Instance) -> int | None:
    if isinstance(instance.vip_lease, int):
        return instance.vip_lease
    return automatic_lease(instance.advert_int) if instance.vip_lease == "auto" else None


def _check(name: str, check: Check) -> CheckSettings:
    return CheckSettings(
        name=name,
        probe=TcpProbe(check.host, check.port),
        interval=check.interval,
        timeout=check.timeout,
        fall=check.fall,
        rise=check.rise,
    )
