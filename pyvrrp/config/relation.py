"""Which instances follow a virtual server: those whose address it has, when the one server behind it is this host.

That is how keepalived is used to move an address away from a dead database: a virtual_server on the virtual address,
its only real_server this host, and a notify_down that ends keepalived. Here the checks of that server are tracked.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address

from pyvrrp.config.build_instance import tracks
from pyvrrp.config.findings import Findings
from pyvrrp.config.model.node import NodeFile
from pyvrrp.core.settings import Track

_ANY_PORT = 9


def ties(node: NodeFile, findings: Findings) -> dict[str, tuple[Track, ...]]:
    """The checks that each instance tracks for a virtual server's sake; said as advice."""
    found: dict[str, tuple[Track, ...]] = {}
    for index, service in enumerate(node.virtual_servers):
        if len(service.real_servers) != 1 or service.address is None:
            continue
        server = service.real_servers[0]
        names = [name for name in server.checks if name in node.checks]
        for instance in _holders(node, service.address):
            known = {each.check for each in tracks(node.vrrp_instances[instance].track_checks)}
            fresh = tuple(Track(name) for name in names if name not in known)
            if not fresh:
                continue
            where = ("virtual_servers", index, "real_servers", 0, "address")
            failing = " or ".join(each.check for each in fresh)
            if is_local(server.address):
                found[instance] = found.get(instance, ()) + fresh
                text = f"{server.address} is this host: {instance} gives {service.address} up while {failing} fails"
            else:
                text = (
                    f"{server.address} is not this host: {instance} keeps {service.address} also while {failing} fails"
                )
            findings.advise(where, text)
    return found


def _holders(node: NodeFile, address: str) -> list[str]:
    wanted = ip_address(address)
    return [
        name
        for name, instance in node.vrrp_instances.items()
        if any(held.address.address == wanted for held in instance.virtual_ipaddress)
    ]


def is_local(address: str) -> bool:
    """Whether this host has the address now: the kernel reaches it from itself. Nothing is sent."""
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, _ANY_PORT))
        except OSError:
            return False
        return ip_address(probe.getsockname()[0]) == ip_address(address)
