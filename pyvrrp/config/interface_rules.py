"""What must hold between what a node says of interfaces, and between that and its instances."""

from __future__ import annotations

from pyvrrp.config.findings import Findings
from pyvrrp.config.model.instance import Instance
from pyvrrp.config.model.node import NodeFile
from pyvrrp.config.validate import Checked
from pyvrrp.core.settings import Address


def apply(checked: Checked, findings: Findings) -> None:
    """Report every rule that is broken."""
    node = checked.node
    _garp_groups(node, findings)
    _static_addresses(node, findings)
    for name, instance in node.vrrp_instances.items():
        if checked.sound(name, "interface", "advert_int", "down_timer_adverts", "version"):
            _delays(name, instance, node, findings)


def longest_delay(instance: Instance) -> float:
    """What a delay must stay below, or a BACKUP that hears nothing takes over before its link counts as down."""
    return (instance.down_timer_adverts - 1) * instance.advert_int


def _delays(name: str, instance: Instance, node: NodeFile, findings: Findings) -> None:
    delays = node.interface_up_down_delays.get(instance.interface)
    longest = longest_delay(instance)
    if delays is not None and max(delays.down, delays.up) >= max(longest, 1e-6):
        findings.value(
            ("interface_up_down_delays", instance.interface),
            f"{max(delays.down, delays.up):g} s is not below {longest:g} s: {name} would take over before the state of"
            " its interface counts",
        )


def _garp_groups(node: NodeFile, findings: Findings) -> None:
    first: dict[str, int] = {}
    for index, group in enumerate(node.garp_groups):
        if not group.garp_interval and not group.gna_interval:
            findings.key(("garp_groups", index), "garp_interval or gna_interval is needed")
        for position, interface in enumerate(group.interfaces):
            where = ("garp_groups", index, "interfaces", position)
            if interface in first:
                findings.value(where, f"{interface} is in a group already (line {first[interface]})")
            else:
                first[interface] = findings.line(where)


def _static_addresses(node: NodeFile, findings: Findings) -> None:
    """An address that stays is no address that moves."""
    moving: dict[Address, str] = {}
    for name, instance in node.vrrp_instances.items():
        for held in (*instance.virtual_ipaddress, *instance.virtual_ipaddress_excluded):
            moving.setdefault(held.address.address, name)
    staying: set[tuple[Address, str]] = set()
    for index, static in enumerate(node.static_ipaddress):
        address, where = static.address.address, ("static_ipaddress", index)
        if address in moving:
            findings.value(where, f"{address} is a virtual address of {moving[address]}: it moves, it does not stay")
        elif (address, static.dev) in staying:
            findings.value(where, f"{address} stands in this list already")
        staying.add((address, static.dev))
        if address.version == 6:
            for option in ("label", "scope", "broadcast"):
                if getattr(static, option):
                    findings.value((*where, option), f"an IPv6 address has no {option}")
