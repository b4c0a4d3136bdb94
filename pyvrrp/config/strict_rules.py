"""strict_mode of node.yaml: what the RFCs do not allow, although pyvrrp can do it."""

from __future__ import annotations

from collections.abc import Iterator

from pyvrrp.config.findings import Findings
from pyvrrp.config.model.instance import MASTER, Instance
from pyvrrp.config.validate import Checked


def apply(checked: Checked, findings: Findings) -> None:
    """Report what a strict instance may not have."""
    for name, instance in checked.node.vrrp_instances.items():
        if not instance.strict_mode:
            continue
        for key, message in _objections(instance):
            if checked.sound(name, key):
                findings.key(("vrrp_instances", name, key), f"strict_mode: {message}")


def _objections(instance: Instance) -> Iterator[tuple[str, str]]:
    if instance.unicast_peer:
        yield "unicast_peer", "VRRP is multicast"
    if instance.authentication is not None and instance.vrrp_version == 2:
        yield "authentication", "RFC 3768 took authentication out"
    if instance.state is not None and (instance.state == MASTER) != instance.owner:
        yield "state", "MASTER where the priority is 255, and only there"
    if instance.preempt_delay:
        yield "preempt_delay", "no RFC has it"
    if instance.accept and instance.vrrp_version == 2 and not instance.owner:
        yield "accept", "RFC 3768 has only the owner of an address, priority 255, accept packets to it"
    for key in ("garp_lower_prio_delay", "garp_lower_prio_repeat"):
        if getattr(instance, key):
            yield key, "a master does not announce again when it hears a lower priority"
    if "lower_prio_no_advert" in instance.model_fields_set and not instance.lower_prio_no_advert:
        yield "lower_prio_no_advert", "a master does not answer a lower priority"
    if instance.higher_prio_send_advert:
        yield "higher_prio_send_advert", "a master that hears a better one is silent"
    if instance.vmac_xmit_base:
        yield "vmac_xmit_base", "adverts come from the virtual MAC"
    first = instance.virtual_ipaddress[0].address.address if instance.virtual_ipaddress else None
    if first is not None and first.version == 6 and not first.is_link_local:
        yield "virtual_ipaddress", f"the first IPv6 address is link-local (RFC 5798 section 5.2.9); {first} is not"
