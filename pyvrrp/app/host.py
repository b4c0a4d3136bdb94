"""What a configuration asks of the host that only the host can tell."""

from __future__ import annotations

import signal
import socket

from pyvrrp.core.settings import LoadedNode
from pyvrrp.errors import Problem

# What the daemon answers: end, reload, and keepalived's dumps.
DUMPS = {
    signal.SIGUSR1: "data",
    signal.SIGUSR2: "stats",
    signal.SIGRTMAX - 1: "stats_clear",
    signal.SIGRTMIN + 2: "json",
}
ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
SIGNALS = ENDING | {signal.SIGHUP} | DUMPS.keys()


def missing_interfaces(loaded: LoadedNode) -> tuple[Problem, ...]:
    """A problem for each instance whose interface is not there; it must be when the configuration comes into force."""
    existing = {name for _, name in socket.if_nameindex()}
    return tuple(
        Problem(
            *loaded.places.get(each.name, ("", 0, 0)),
            path=f"vrrp_instances.{each.name}.interface",
            message=f'there is no interface "{each.interface}" (there are {", ".join(sorted(existing))})',
        )
        for each in loaded.settings.instances
        if each.interface not in existing
    )
