"""What must hold between the values of a file. Each rule looks only at values that are sound by themselves."""

from __future__ import annotations

from ipaddress import IPv4Address

from pyvrrp.config.findings import Findings, suggestion
from pyvrrp.config.model import MASTER, Instance
from pyvrrp.config.tree import Path
from pyvrrp.config.validate import Checked
from pyvrrp.config.values import quote
from pyvrrp.core import const


def apply(checked: Checked, findings: Findings) -> None:
    """Report every rule that is broken."""
    known = checked.check_names()
    for name, instance in checked.node.vrrp_instances.items():
        _authentication(name, instance, checked, findings)
        _interval(name, instance, checked, findings)
        _preemption(name, instance, findings)
        _tracks(name, instance, known, findings)
    _routers(checked, findings)
    _addresses(checked, findings)


def _at(instance: str, *path: str | int) -> Path:
    return ("vrrp_instances", instance, *path)


def _authentication(name: str, instance: Instance, checked: Checked, findings: Findings) -> None:
    given = instance.authentication
    if given is None:
        return
    where = _at(name, "authentication")
    if instance.version == 3 and checked.sound(name, "version"):
        findings.key(where, "VRRPv3 has no authentication; leave it away, or use version: 2")
    misspelt = any(path[:3] == where for path in checked.broken)
    if given.auth_pass is None and given.auth_pass_file is None and not misspelt:
        findings.key(where, "auth_pass or auth_pass_file is needed")
    if given.auth_pass is not None and given.auth_pass_file is not None:
        findings.key((*where, "auth_pass_file"), "auth_pass is given too; one of them is enough")


def _interval(name: str, instance: Instance, checked: Checked, findings: Findings) -> None:
    if not checked.sound(name, "version", "advert_int"):
        return
    where, interval, version = _at(name, "advert_int"), instance.advert_int, instance.version
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


def _tracks(name: str, instance: Instance, known: set[str] | None, findings: Findings) -> None:
    if known is None:
        return
    seen: set[str] = set()
    for index, item in enumerate(instance.track_checks):
        for check in item:
            where = _at(name, "track_checks", index, check)
            if check not in known:
                findings.value(where[:-1], f"there is no check {quote(check)}{suggestion(check, known)}")
            elif check in seen:
                findings.value(where[:-1], f"check {quote(check)} is named twice")
            seen.add(check)


def _routers(checked: Checked, findings: Findings) -> None:
    """One virtual router for each VRID, interface and address family (RFC 3768 section 1.6), of either version."""
    first: dict[tuple[str, int], str] = {}
    for name, instance in checked.node.vrrp_instances.items():
        if not checked.sound(name, "interface", "virtual_router_id"):
            continue
        vrid = instance.virtual_router_id
        other = first.setdefault((instance.interface, vrid), name)
        if other != name:
            line = findings.line(_at(other, "virtual_router_id"))
            findings.value(
                _at(name, "virtual_router_id"), f"{vrid} on {instance.interface} is taken by {other} (line {line})"
            )


def _addresses(checked: Checked, findings: Findings) -> None:
    first: dict[IPv4Address, tuple[str, int]] = {}
    for name, instance in checked.node.vrrp_instances.items():
        if not checked.sound(name, "virtual_ipaddress"):
            continue
        for index, vip in enumerate(instance.virtual_ipaddress):
            if _at(name, "virtual_ipaddress", index) in checked.broken:
                continue
            owner, position = first.setdefault(vip.address, (name, index))
            if (owner, position) != (name, index):
                line = findings.line(_at(owner, "virtual_ipaddress", position))
                who = "this list" if owner == name else owner
                findings.value(
                    _at(name, "virtual_ipaddress", index), f"{vip.address} stands in {who} already (line {line})"
                )
