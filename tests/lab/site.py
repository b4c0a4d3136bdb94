"""The laboratory of one test: a switch, nodes a and b, a client, and the programs that run on them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from tests.lab.agents import Keepalived, Program, Pyvrrpd
from tests.lab.routers import VIP, Router, Settings, node_yaml
from tests.lab.watch import AddressWatch, Capture
from tests.netns import Namespace, veth
from tests.waiting import until

P = TypeVar("P", bound=Program)
LISTENER: Final = str(Path(__file__).with_name("listener.py"))


class Host:
    """A machine on the switch: a namespace whose eth0 has the same MAC and IP address in every test."""

    def __init__(self, name: str, number: int, switch: Namespace, namespace: Namespace) -> None:
        self.name = name
        self.namespace = namespace
        self.address = f"192.168.1.{number}"
        self.link_local, self.global_address = f"fe80::{number}", f"2001:db8::{number}"
        self.mac = f"02:00:00:00:00:{number:02x}"
        self._switch = switch
        self._port = f"to-{name}"
        self.cable()

    def cable(self) -> None:
        """Give it an eth0 and connect that to the switch."""
        veth(self._switch, self._port, self.namespace, "eth0")
        self._switch.ip(f"link set {self._port} master switch")
        self.namespace.ip(f"link set eth0 address {self.mac}")
        self.namespace.ip(f"addr add {self.address}/24 dev eth0")

    def speak_ipv6(self) -> None:
        """Give it addresses of IPv6 too, at once and for good."""
        for address in (self.link_local, self.global_address):
            self.namespace.ip(f"addr add {address}/64 dev eth0 nodad")

    def port(self, state: str) -> None:
        """Set its port of the switch `up` or `down`; the host sees its carrier come and go."""
        self._switch.ip(f"link set {self._port} {state}")

    def isolate(self, state: str) -> None:
        """`on`: frames between isolated hosts are lost, and their carrier stays."""
        self._switch.run("bridge", "link", "set", "dev", self._port, "isolated", state)

    def holds(self, vip: str = VIP) -> bool:
        """Whether its kernel has the address now."""
        return f" {vip}/" in self.namespace.ip(f"-o addr show to {vip}")

    def loses(self, vip: str = VIP) -> bool:
        """Whether the address goes in time."""
        return until(lambda: not self.holds(vip))

    def takes(self, vip: str = VIP) -> bool:
        """Whether the address comes in time."""
        return until(lambda: self.holds(vip))


class Site:
    """To be used in a `with` statement; whatever happens, no process and no namespace outlives it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started = 0
        self._things = ExitStack()
        with ExitStack() as building:
            self.switch = building.enter_context(Namespace())
            self.switch.ip("link add switch type bridge")
            self.switch.ip("link set switch up")
            self.a, self.b, self.client = (
                Host(name, number, self.switch, building.enter_context(Namespace()))
                for name, number in (("a", 201), ("b", 202), ("client", 10))
            )
            self._things = building.pop_all()

    def pyvrrpd(
        self,
        host: Host,
        *routers: Router,
        checks: Mapping[str, Settings] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Pyvrrpd:
        """Start our daemon on a host."""
        name, text = self._name(host, "pyvrrpd"), node_yaml(routers, checks)
        return self._keep(Pyvrrpd(name, host.namespace, self._directory, text, environment))

    def pyvrrpd_with(self, host: Host, text: str) -> Pyvrrpd:
        """Start our daemon on a host with this node.yaml."""
        return self._keep(Pyvrrpd(self._name(host, "pyvrrpd"), host.namespace, self._directory, text))

    def keepalived(self, host: Host, *routers: Router) -> Keepalived:
        """Start keepalived on a host."""
        name = self._name(host, "keepalived")
        return self._keep(Keepalived(name, host.namespace, self._directory, routers))

    def listener(self, host: Host, port: int = 3306) -> Program:
        """Start a TCP server on a host that accepts and says nothing, and wait until it listens."""
        program = self.program(host, "listener", [sys.executable, LISTENER, str(port)])
        if not program.says("listening"):
            raise TimeoutError("the listener does not listen")
        return program

    def program(self, host: Host, name: str, command: Sequence[str]) -> Program:
        """Start anything else on a host."""
        return self._keep(Program(self._name(host, name), host.namespace, command, self._directory))

    def watch(self) -> AddressWatch:
        """Note the addresses of a and b from now on."""
        hosts = {host.name: host.namespace for host in (self.a, self.b)}
        return self._things.enter_context(AddressWatch(hosts))

    def capture(self, host: Host | None = None) -> Capture:
        """Keep what the client, or another host, sees from now on. Unicast is seen by who it is for."""
        return self._things.enter_context(Capture((host or self.client).namespace))

    def partition(self, state: str) -> None:
        """`on`: a and b do not hear each other, though their links are up. `off`: they do."""
        self.a.isolate(state)
        self.b.isolate(state)

    def close(self) -> None:
        """Kill every program, show what it wrote (pytest prints that when a test failed), remove the namespaces."""
        self._things.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _name(self, host: Host, what: str) -> str:
        self._started += 1
        return f"{self._started}-{host.name}-{what}"

    def _keep(self, program: P) -> P:
        self._things.callback(_end, program)
        return program


def _end(program: Program) -> None:
    program.close()
    print(f"--- {program.name}\n{program.log()}")
