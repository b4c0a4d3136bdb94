"""What must hold between the values of a file. Each rule looks only at values that are sound by themselves."""

from __future__ import annotations

from pyvrrp.config.build_instance import vmac_name
from pyvrrp.config.findings import Findings, suggestion
from pyvrrp.config.model.instance import MASTER, Instance
from pyvrrp.config.model.node import NodeFile
from pyvrrp.config.model.section import Section, TrackedCheck
from pyvrrp.config.tree import Path
from pyvrrp.config.validate import Checked
from pyvrrp.config.values import NOT_PRINTABLE, printable, quote
from pyvrrp.core import const
from pyvrrp.core.settings import Address


def apply(checked: Checked, findings: Findings) -> None:
    """Report every rule that is broken."""
    known = checked.check_names()
    if not any(path[0] == "vrrp_instances" for path in checked.broken):
        _needed(checked.node, (), "vrrp_instances", findings)
    for name, instance in checked.node.vrrp_instances.items():
        if checked.sound(name, "virtual_ipaddress"):
            _needed(instance, _at(name), "virtual_ipaddress", findings)
        _authentication(name, instance, checked, findings)
        _interval(name, instance, checked, findings)
        _preemption(name, instance, findings)
        _tracks(_at(name, "track_checks"), instance.track_checks, known, findings)
    _groups(checked, known, findings)
    _services(checked.node, known, findings)
    _routers(checked, findings)
    _virtual_macs(checked, findings)
    _addresses(checked, findings)


def _needed(section: Section, where: Path, key: str, findings: Findings) -> None:
    if key not in section.model_fields_set:
        findings.key(where, f'required key "{key}" is missing')
    elif not getattr(section, key):
        findings.value((*where, key), "at least one is needed")


def _at(instance: str, *path: str | int) -> Path:
    return ("vrrp_instances", instance, *path)


def _authentication(name: str, instance: Instance, checked: Checked, findings: Findings) -> None:
    given = instance.authentication
    if given is None:
        return
    where = _at(name, "authentication")
    if instance.vrrp_version == 3 and checked.sound(name, "version", "virtual_ipaddress"):
        remedy = "leave it away" if instance.family == 6 else "leave it away, or use version: 2"
        findings.key(where, f"VRRPv3 has no authentication; {remedy}")
    misspelt = any(path[:3] == where for path in checked.broken)
    if given.auth_pass is None and given.auth_pass_file is None and not misspelt:
        findings.key(where, "auth_pass or auth_pass_file is needed")
    if given.auth_pass is not None and not printable(given.auth_pass):
        findings.value((*where, "auth_pass"), NOT_PRINTABLE)
    if given.auth_pass is not None and given.auth_pass_file is not None:
        findings.key((*where, "auth_pass_file"), "auth_pass is given too; one of them is enough")


def _interval(name: str, instance: Instance, checked: Checked, findings: Findings) -> None:
    if not checked.sound(name, "version", "advert_int"):
        return
    where, interval, version = _at(name, "advert_int"), instance.advert_int, instance.vrrp_version
    low, high = const.ADVERT_INT_V3 if version == 3 else const.ADVERT_INT_V2
    centiseconds = interval * const.CENTISECONDS
    if version == 2 and interval != int(interval):
        findings.value(where, f"{interval:g} s is not whole seconds: VRRPv2 counts those (version: 3 counts 0.01 s)")
    elif not low <= interval <= high:
        findings.value(
            where, f"{interval:g} s is outside {low:g}..{high:g} s, all that VRRPv{version}'s packet can say"
        )
    elif abs(centiseconds - round(centiseconds)) > 1e-6:
        findings.value(where, f"{interval:g} s is not a multiple of 0.01 s: VRRPv3 counts centiseconds")


def _preemption(name: str, instance: Instance, findings: Findings) -> None:
    if not instance.nopreempt:
        return
    where = _at(name, "nopreempt")
    if instance.state == MASTER:
        findings.key(where, "has no effect with state MASTER; write state: BACKUP on every node")
    elif instance.owner:
        findings.key(where, "has no effect with priority 255, the owner of an address takes it; lower the priority")


def _tracks(where: Path, items: list[TrackedCheck], known: set[str] | None, findings: Findings) -> None:
    if known is None:
        return
    seen: set[str] = set()
    for index, item in enumerate(items):
        for check in item:
            if check not in known:
                _no_check((*where, index), check, known, findings)
            elif check in seen:
                findings.value((*where, index), f"check {quote(check)} is named twice")
            seen.add(check)


def _no_check(where: Path, check: str, known: set[str], findings: Findings) -> None:
    findings.value(where, f"there is no check {quote(check)}{suggestion(check, known)}")


def _groups(checked: Checked, known: set[str] | None, findings: Findings) -> None:
    """Members exist, and an instance belongs to one group."""
    taken: dict[str, str] = {}
    instances = checked.node.vrrp_instances.keys() | {str(path[1]) for path in checked.broken if len(path) > 1}
    for name, group in checked.node.vrrp_sync_groups.items():
        where: Path = ("vrrp_sync_groups", name)
        _tracks((*where, "track_checks"), group.track_checks, known, findings)
        for index, member in enumerate(group.group):
            at = (*where, "group", index)
            if member not in instances:
                findings.value(at, f"there is no instance {quote(member)}{suggestion(member, instances)}")
            elif taken.setdefault(member, name) != name or member in group.group[:index]:
                findings.value(at, f"{quote(member)} is in group {quote(taken[member])} already")


def _services(node: NodeFile, known: set[str] | None, findings: Findings) -> None:
    for index, service in enumerate(node.virtual_servers):
        where: Path = ("virtual_servers", index)
        if [service.address, service.fwmark, service.group].count(None) != 2:
            findings.key(where, "one of address, fwmark and group is needed")
        if service.hysteresis >= service.quorum:
            findings.value((*where, "hysteresis"), f"is not below the quorum, {service.quorum}: it would never be lost")
        for position, server in enumerate(service.real_servers):
            for number, check in enumerate(server.checks):
                if known is not None and check not in known:
                    _no_check((*where, "real_servers", position, "checks", number), check, known, findings)


def _routers(checked: Checked, findings: Findings) -> None:
    """One virtual router for each VRID, interface and address family (RFC 3768 section 1.6), of either version."""
    first: dict[tuple[str, int, int], str] = {}
    for name, instance in checked.node.vrrp_instances.items():
        if not checked.sound(name, "interface", "virtual_router_id"):
            continue
        vrid = instance.virtual_router_id
        other = first.setdefault((instance.interface, instance.family, vrid), name)
        if other != name:
            line = findings.line(_at(other, "virtual_router_id"))
            findings.value(
                _at(name, "virtual_router_id"), f"{vrid} on {instance.interface} is taken by {other} (line {line})"
            )


def _virtual_macs(checked: Checked, findings: Findings) -> None:
    """An interface for each virtual MAC, and it is none that instances run on."""
    used = {each.interface: name for name, each in checked.node.vrrp_instances.items()}
    first: dict[str, str] = {}
    for name, instance in checked.node.vrrp_instances.items():
        if instance.use_vmac is None:
            if instance.vmac_xmit_base:
                findings.key(_at(name, "vmac_xmit_base"), "has no effect without use_vmac")
            continue
        if not checked.sound(name, "interface", "virtual_router_id", "use_vmac"):
            continue
        interface = vmac_name(instance)
        other = first.setdefault(interface, name)
        if other != name:
            findings.key(_at(name, "use_vmac"), f"{interface} is made for {other} already: give it a name of its own")
        elif interface in used:
            findings.key(_at(name, "use_vmac"), f"{interface} is the interface of {used[interface]}")


def _addresses(checked: Checked, findings: Findings) -> None:
    first: dict[Address, Path] = {}
    for name, instance in checked.node.vrrp_instances.items():
        for key in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
            if not checked.sound(name, key):
                continue
            for index, held in enumerate(getattr(instance, key)):
                where = _at(name, key, index)
                if where in checked.broken:
                    continue
                address = held.address.address
                before = first.setdefault(address, where)
                if before != where:
                    who = "this list" if before[:3] == where[:3] else before[1]
                    findings.value(where, f"{address} stands in {who} already (line {findings.line(before)})")
