"""Namespaces and the wires between them: hosts that hang on one switch, none of which touches the machine's interfaces.

    with Network("test-1234") as network:
        a = network.add_host("a", "192.168.1.201/24")
        a.run(["ip", "address"])
        network.cut(a)

Names of namespaces begin with the network's name, so that networks live side by side. Every process in a namespace of
the network belongs to it, and ends with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from labkit import processes
from labkit.errors import LabError
from labkit.processes import Process

INTERFACE = "eth0"
NAMESPACES = Path("/run/netns")
CLONE_NEWNET = 0x40000000  # linux/sched.h

# The table of `Network.drop`, empty whatever was in it before.
FORGETFUL = """\
add table bridge lab
delete table bridge lab
add table bridge lab
add chain bridge lab forward { type filter hook forward priority 0; policy accept; }
"""


@dataclass(frozen=True, slots=True)
class Host:
    """One namespace with one interface, eth0. `namespace` is its name for `ip -n`, `address` has its prefix length."""

    name: str
    namespace: str
    address: str

    @property
    def ip(self) -> str:
        """The address alone."""
        return self.address.partition("/")[0]

    def inside(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` here; the process keeps its pid."""
        return inside(self.namespace, argv)

    def run(self, argv: Sequence[str]) -> str:
        """Run a command here to its end and return what it printed; LabError when it fails."""
        return _run(self.inside(argv))

    def start(self, argv: Sequence[str], log: Path) -> Process:
        """Start a process here that outlives this one; its output goes to the end of `log`."""
        return processes.start(self.inside(argv), log)

    def processes(self) -> list[Process]:
        """Everything that runs here."""
        return processes_in(self.namespace)


class Network:
    """A switch in a namespace of its own, and hosts on it. `close` ends all of it, processes included."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.switch = f"{name}-switch"
        self.hosts: dict[str, Host] = {}

    def create(self) -> None:
        """Make the switch. It forwards at once: no spanning tree, no multicast snooping."""
        _run(["ip", "netns", "add", self.switch])
        _batch(
            self.switch,
            "link set lo up",
            "link add br0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0",
            "link set br0 up",
        )

    def adopt(self, name: str, address: str) -> Host:
        """Know a host that is there already, or will be."""
        host = Host(name, f"{self.name}-{name}", address)
        self.hosts[name] = host
        return host

    def add_host(self, name: str, address: str) -> Host:
        """Make a namespace with `address` on eth0, wired to the switch. Its MAC follows from the address."""
        host = self.adopt(name, address)
        _run(["ip", "netns", "add", host.namespace])
        mac = ":".join(["02", "00", *(f"{int(part):02x}" for part in host.ip.split("."))])
        _batch(
            self.switch,
            f"link add name {port(host)} type veth peer name {INTERFACE} address {mac} netns {host.namespace}",
            f"link set dev {port(host)} master br0 up",
        )
        _batch(
            host.namespace,
            "link set lo up",
            f"address add {host.address} broadcast + dev {INTERFACE}",
            f"link set {INTERFACE} up",
        )
        return host

    def cut(self, host: Host) -> None:
        """Take the host's cable out of the switch: from now on nothing passes, and eth0 loses its carrier."""
        _batch(self.switch, f"link set dev {port(host)} down")

    def join(self, host: Host) -> None:
        """Put the cable back."""
        _batch(self.switch, f"link set dev {port(host)} up")

    def drop(self, *matches: str) -> None:
        """Let the switch lose the frames that one of these nftables matches finds, and no others; nobody can see it."""
        rules = "".join(f"add rule bridge lab forward {match} drop\n" for match in matches)
        _run(inside(self.switch, ["nft", "-f", "-"]), FORGETFUL + rules)

    def remove_host(self, host: Host) -> None:
        """Power the host off: cable out, every process killed, its kernel's memory gone with the namespace."""
        self.cut(host)
        processes.kill(host.processes())
        _batch(self.switch, f"link delete dev {port(host)}")
        delete_namespace(host.namespace)

    def close(self) -> None:
        """End everything, whatever there is of it."""
        for namespace in self.namespaces():
            delete_namespace(namespace)

    def namespaces(self) -> list[str]:
        """The names of all namespaces of this network, hosts first."""
        return [*(host.namespace for host in self.hosts.values()), self.switch]

    def __enter__(self) -> Self:
        try:
            self.create()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def port(host: Host) -> str:
    """The switch's end of the host's cable."""
    return f"port-{host.name}"


def way(sender: Host, receiver: Host, what: str = "") -> str:
    """The match of nftables for what one host sends to another, for `Network.drop`; `what` says it more narrowly."""
    return f'iifname "{port(sender)}" oifname "{port(receiver)}" {what}'


def inside(namespace: str, argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` in a namespace."""
    return ["ip", "netns", "exec", namespace, *argv]


def processes_in(namespace: str) -> list[Process]:
    """Everything that runs in a namespace; nothing when there is no such namespace."""
    listing = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False)
    found: list[Process] = []
    for pid in listing.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            found.append(processes.identify(int(pid)))
    return found


def delete_namespace(namespace: str) -> None:
    """Kill what runs in it and remove its name; fine when it is not there."""
    processes.kill(processes_in(namespace))
    subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)


def holders_of(address: str, hosts: Sequence[Host]) -> list[str]:
    """The hosts whose kernel holds `address`, as `ip` sees it now."""
    return [
        host.name
        for host in hosts
        if f" {address}/" in _output(["ip", "-n", host.namespace, "-o", "-4", "address", "show", "dev", INTERFACE])
    ]


def open_socket(namespace: str, family: int, kind: int, protocol: int) -> socket.socket:
    """A socket that belongs to another namespace, while this process stays where it is.

    Its owner must close it before the namespace can end.
    """
    opened: list[socket.socket] = []
    failed: list[OSError] = []

    def enter_and_open() -> None:
        try:
            _enter(namespace)
            opened.append(socket.socket(family, kind, protocol))
        except OSError as error:
            failed.append(error)

    # setns moves one thread, and this one ends at once.
    thread = threading.Thread(target=enter_and_open, name=f"enter {namespace}")
    thread.start()
    thread.join()
    if failed:
        raise LabError(f"cannot enter {namespace}: {os.strerror(failed[0].errno or 0)}")
    return opened[0]


def _enter(namespace: str) -> None:
    """Move this thread into a namespace. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    with (NAMESPACES / namespace).open("rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")


def _batch(namespace: str, *commands: str) -> None:
    _run(["ip", "-n", namespace, "-batch", "-"], "\n".join(commands) + "\n")


def _run(argv: Sequence[str], text: str | None = None) -> str:
    result = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"{' '.join(argv)}: {(result.stderr or result.stdout).strip() or result.returncode}")
    return result.stdout


def _output(argv: Sequence[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
