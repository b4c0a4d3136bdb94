"""What a file may say, but perhaps does not mean. One line a subject, however many instances it is about."""

from __future__ import annotations

import stat
from collections.abc import Callable, Container, Iterator
from ipaddress import ip_address
from pathlib import Path as FilePath
from typing import Final

from pyvrrp.config.findings import Findings
from pyvrrp.config.model.instance import BACKUP, MASTER, Instance
from pyvrrp.config.model.node import NodeFile
from pyvrrp.config.tree import Path
from pyvrrp.core import const

_SKEW_NOTED: Final = 0.2  # seconds of skew time that are worth a line
_NEAR_TOP: Final = 240

Remark = tuple[Path, str]


def advise(node: NodeFile, ties: Container[str], file: str, findings: Findings) -> None:
    """Add the advice for a sound configuration. `ties`: instances that follow a virtual server (relation.py)."""
    groups = node.vrrp_sync_groups.values()
    grouped = {member for group in groups if group.track_checks for member in group.group}
    weightless = {member for group in groups if not group.sync_group_tracking_weight for member in group.group}
    subjects: tuple[Callable[[str, Instance], Iterator[Remark]], ...] = (
        _skew,
        _lease,
        _initial_state,
        _owner_weights,
        lambda name, instance: _member_weights(instance, name in weightless),
        _source,
        lambda name, instance: _nothing_tracked(instance, name in ties or name in grouped or name in node.mysql),
        lambda name, instance: _readable(name, instance, file),
    )
    for subject in subjects:
        remarks = [
            (("vrrp_instances", name, *path), text)
            for name, instance in node.vrrp_instances.items()
            for path, text in subject(name, instance)
        ]
        summed_up(remarks, findings)
    _shared_vrids(node, findings)
    _idle_checks(node, findings)


def summed_up(remarks: list[Remark], findings: Findings) -> None:
    """The first of remarks about one subject, and how many more there are."""
    if remarks:
        path, text = remarks[0]
        findings.advise(path, text if len(remarks) == 1 else f"{text} (and {len(remarks) - 1} more like it)")


def skew_time(priority: int, instance: Instance) -> float:
    """Seconds by which a takeover after priority 0 is late (RFC 3768 section 6.1, RFC 5798 section 6.1)."""
    share = (const.SKEW_DIVISOR - priority) / const.SKEW_DIVISOR
    return share * (instance.advert_int if instance.vrrp_version == 3 else 1)


def _skew(_name: str, instance: Instance) -> Iterator[Remark]:
    priority = instance.base_priority
    skew = skew_time(priority, instance)
    if skew > _SKEW_NOTED:
        better = skew_time(_NEAR_TOP, instance)
        text = f"at priority {priority} this node waits {skew * 1000:.0f} ms before it takes over from a master that"
        yield ("priority",), f"{text} leaves on purpose; at {_NEAR_TOP} it waits {better * 1000:.0f} ms"


def _lease(_name: str, instance: Instance) -> Iterator[Remark]:
    takeover = instance.down_timer_adverts * instance.advert_int
    if instance.vip_lease == "off":
        yield ("vip_lease",), "off: the addresses of an agent that is killed stay, also when another node takes them"
    elif isinstance(instance.vip_lease, int) and instance.vip_lease >= takeover:
        yield (
            ("vip_lease",),
            f"{instance.vip_lease} s outlives the takeover after {takeover:g} s: both nodes hold the addresses between",
        )


def _initial_state(_name: str, instance: Instance) -> Iterator[Remark]:
    if instance.state == MASTER and not instance.owner:
        yield ("state",), "MASTER gives no speed-up: without priority 255 every node starts as BACKUP and listens first"
    if instance.state == BACKUP and instance.owner:
        yield ("state",), "BACKUP has no effect with priority 255: the owner of an address starts as MASTER"


def _owner_weights(_name: str, instance: Instance) -> Iterator[Remark]:
    if instance.owner and any(options.weight for item in instance.track_checks for options in item.values()):
        yield ("track_checks",), "weights have no effect with priority 255; weight 0 does"


def _member_weights(instance: Instance, weightless: bool) -> Iterator[Remark]:
    if weightless and any(options.weight for item in instance.track_checks for options in item.values()):
        text = (
            "without sync_group_tracking_weight the weights of a group's members count as 0: a failing check is a fault"
        )
        yield ("track_checks",), text


def _source(_name: str, instance: Instance) -> Iterator[Remark]:
    source = instance.mcast_src_ip
    if source is not None and instance.family == 6 and not ip_address(source).is_link_local:
        text = f"{source} is not link-local: others may turn such adverts away (RFC 5798 section 5.1.2.1)"
        yield ("mcast_src_ip",), text


def _shared_vrids(node: NodeFile, findings: Findings) -> None:
    """One VRID on two interfaces: fine, as long as nobody joins their networks."""
    first: dict[tuple[int, int], str] = {}
    for name, instance in node.vrrp_instances.items():
        other = first.setdefault((instance.family, instance.virtual_router_id), name)
        interface = node.vrrp_instances[other].interface
        if interface != instance.interface:
            findings.advise(
                ("vrrp_instances", name, "virtual_router_id"),
                f"{other} on {interface} has VRID {instance.virtual_router_id}, too: their networks must stay apart",
            )
            return


def _nothing_tracked(instance: Instance, otherwise: bool) -> Iterator[Remark]:
    if not instance.track_checks and not otherwise:
        yield ("track_checks",), "no track_checks: the addresses stay here when the service behind them has died"


def _readable(_name: str, instance: Instance, file: str) -> Iterator[Remark]:
    if instance.authentication is None or instance.authentication.auth_pass is None:
        return
    mode = stat.S_IMODE(FilePath(file).stat().st_mode)
    if mode & stat.S_IROTH:
        yield (
            ("authentication", "auth_pass"),
            f"everybody can read this file (mode {mode:04o}): chmod 640 {file}, or use auth_pass_file",
        )


def _idle_checks(node: NodeFile, findings: Findings) -> None:
    lists = [each.track_checks for each in node.vrrp_instances.values()]
    lists += [each.track_checks for each in node.vrrp_sync_groups.values()]
    used = {check for items in lists for item in items for check in item}
    used |= {check for service in node.virtual_servers for server in service.real_servers for check in server.checks}
    for name in node.checks:
        if name not in used:
            findings.advise(("checks", name), "nothing tracks this check")
