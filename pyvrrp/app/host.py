"""What a configuration asks of the host that only the host can tell."""

from __future__ import annotations

import os
import signal
import socket
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from pyvrrp.core.effects import Action, Operation
from pyvrrp.core.settings import LoadedNode, VirtualAddress
from pyvrrp.errors import ConfigError, KernelError, Problem

if TYPE_CHECKING:  # it costs a fifth of the start, which goes on while the configuration is read
    from pyvrrp.io.netlink import Kernel

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
    """A problem for each instance of a node.yaml whose interface is not there when it comes into force.

    What a keepalived.conf lacks is among its problems already, and waited for, as with dynamic_interfaces.
    """
    if loaded.keepalived or loaded.settings.dynamic_interfaces:
        return ()
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


def demand_interfaces(loaded: LoadedNode) -> None:
    """Raises ConfigError when one is missing."""
    problems = missing_interfaces(loaded)
    if problems:
        raise ConfigError(problems)


def demand_completeness(loaded: LoadedNode) -> None:
    """Raises ConfigError when a file is missing that the configuration says it must not go without."""
    if loaded.refused:
        raise ConfigError(loaded.problems)


def demand_no_new_mistakes(before: LoadedNode, after: LoadedNode) -> None:
    """A keepalived.conf runs without what is wrong in it, but not in place of one in which that was right, or empty.

    Raises ConfigError.
    """
    known = {(each.path, each.message) for each in before.problems}
    fresh = tuple(each for each in after.problems if (each.path, each.message) not in known)
    if fresh:
        raise ConfigError(fresh)
    if before.settings.instances and not after.settings.instances:
        raise ConfigError((Problem("the configuration", 0, 0, "", "has no instance that can be used, and had some"),))


def demand_right_to_change(kernel: Kernel) -> None:
    """Better to end at the start than to find out as MASTER. Raises KernelError without CAP_NET_ADMIN.

    The kernel asks for the right first, and only then whether there is such an address (there is none).
    """
    nowhere = VirtualAddress("lo", IPv4Address(0), 32)
    (refusal,) = kernel.apply([Operation(Action.REMOVE, nowhere)])
    if refusal is not None:
        raise KernelError("change addresses", refusal.errno, os.strerror(refusal.errno))
