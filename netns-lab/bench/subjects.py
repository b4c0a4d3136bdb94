"""The two programs under test, behind one interface: how each is configured, started, recognised."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.topology import vip

ROOT = Path(__file__).resolve().parents[2]
SERVICE_PORT = 3306


@dataclass(frozen=True, slots=True)
class Router:
    """One virtual router of a node. `number` counts from 1 on its link and is the VRID; `advert_int` is in seconds."""

    number: int = 1
    link: int = 0
    priority: int = 100
    advert_int: float = 1.0
    version: int = 2
    preempt: bool = False

    @property
    def vip(self) -> str:
        return vip(self.link, self.number)

    @property
    def name(self) -> str:
        return f"VI_{self.link * 250 + self.number}"

    @property
    def master_down(self) -> float:
        """Seconds of silence after which this router takes over; RFC 3768 6.1, RFC 5798 6.1."""
        skew = (256 - self.priority) / 256 * (self.advert_int if self.version == 3 else 1.0)
        return 3 * self.advert_int + skew


@dataclass(frozen=True, slots=True)
class Check:
    """A TCP connection to the local service every `interval` seconds; `fall` failures in a row count."""

    interval: int = 2
    timeout: int = 3
    fall: int = 3


class Subject(Protocol):
    """A VRRP daemon that stays in the foreground and logs to standard error."""

    name: str

    def version(self) -> str:
        """What the program calls itself."""
        ...

    def configuration(self, routers: tuple[Router, ...], check: Check | None) -> str:
        """The text of a configuration file."""
        ...

    def command(self, config: Path, work: Path) -> list[str | Path]:
        """Words that start it; `work` is a directory of its own."""
        ...


class Keepalived:
    """keepalived in the foreground, its VRRP process only."""

    name = "keepalived"

    def version(self) -> str:
        done = subprocess.run(["keepalived", "--version"], capture_output=True, text=True, check=True)
        found = re.search(r"v([\d.]+)", done.stdout + done.stderr)
        return found.group(1) if found else "unknown"

    def configuration(self, routers: tuple[Router, ...], check: Check | None) -> str:
        blocks = ["global_defs {\n    router_id bench\n    enable_script_security\n    script_user root\n}"]
        if check:
            blocks.append(
                "vrrp_script service {\n"
                f"    script \"/bin/bash -c 'exec 3<>/dev/tcp/127.0.0.1/{SERVICE_PORT}'\"\n"
                f"    interval {check.interval}\n    timeout {check.timeout}\n    fall {check.fall}\n    rise 1\n}}"
            )
        blocks += [self._instance(router, tracked=check is not None) for router in routers]
        return "\n".join(blocks) + "\n"

    def command(self, config: Path, work: Path) -> list[str | Path]:
        return ["keepalived", "-n", "-l", "-G", "-P", "-f", config, "-p", work / "pid", "-r", work / "vrrp.pid"]

    def _instance(self, router: Router, *, tracked: bool) -> str:
        lines = [
            "state BACKUP",
            f"interface eth{router.link}",
            f"virtual_router_id {router.number}",
            f"priority {router.priority}",
            f"advert_int {router.advert_int:g}",
            f"version {router.version}",
            f"virtual_ipaddress {{\n        {router.vip}\n    }}",
        ]
        if not router.preempt:
            lines.append("nopreempt")
        if router.version == 2:  # version 3 has no authentication
            lines.append("authentication {\n        auth_type PASS\n        auth_pass 4321\n    }")
        if tracked:
            lines.append("track_script {\n        service\n    }")
        return f"vrrp_instance {router.name} {{\n" + "".join(f"    {line}\n" for line in lines) + "}"


class Pyvrrpd:
    """This repository's daemon, from its virtual environment."""

    name = "pyvrrpd"

    def version(self) -> str:
        return importlib.metadata.version("pyvrrp")

    def configuration(self, routers: tuple[Router, ...], check: Check | None) -> str:
        instances: dict[str, dict[str, object]] = {}
        for router in routers:
            instances[router.name] = {
                "state": "BACKUP",
                "interface": f"eth{router.link}",
                "virtual_router_id": router.number,
                "priority": router.priority,
                "advert_int": router.advert_int,
                "version": router.version,
                "nopreempt": not router.preempt,
                "virtual_ipaddress": [router.vip],
            }
            if router.version == 2:
                instances[router.name]["authentication"] = {"auth_type": "PASS", "auth_pass": "4321"}
            if check:
                instances[router.name]["track_checks"] = ["service"]
        node: dict[str, object] = {"router_id": "bench", "vrrp_instances": instances}
        if check:
            node["checks"] = {
                "service": {
                    "type": "tcp",
                    "host": "127.0.0.1",
                    "port": SERVICE_PORT,
                    "interval": check.interval,
                    "timeout": check.timeout,
                    "fall": check.fall,
                    "rise": 1,
                }
            }
        return json.dumps(node, indent=2) + "\n"  # JSON is YAML

    def command(self, config: Path, work: Path) -> list[str | Path]:
        return [ROOT / ".venv/bin/pyvrrpd", "-c", config, "--socket", work / "socket"]


SUBJECTS: dict[str, Subject] = {subject.name: subject for subject in (Keepalived(), Pyvrrpd())}
