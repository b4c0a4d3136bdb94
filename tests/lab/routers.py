"""Virtual routers as the tests describe them, and the same description in the language of either agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

VRID = 60
VIP = "192.168.1.200"

Settings = dict[str, object]


@dataclass(frozen=True)
class Router:
    """One virtual router on eth0. Its plain form is VRRPv3 at 0.1 s, which elects in a third of a second."""

    priority: int = 100
    vrid: int = VRID
    vips: tuple[str, ...] = (VIP,)
    version: int = 3
    advert_int: float = 0.1
    nopreempt: bool = False
    password: str = ""
    peers: tuple[str, ...] = ()  # unicast
    source: str = ""
    unicast_ttl: int = 255
    tracks: Mapping[str, int] = field(default_factory=dict)  # check → weight; pyvrrpd only
    vip_lease: str | int = "auto"  # pyvrrpd only
    called: str = ""  # VI_ and the VRID, unless there are two with that

    @property
    def name(self) -> str:
        """Its name in a configuration."""
        return self.called or f"VI_{self.vrid}"


def version2(priority: int = 100, **changes: object) -> Router:
    """A router as the tutorial has it: VRRPv2, one advert a second, password 4321."""
    plain: Settings = {"version": 2, "advert_int": 1, "password": "4321"}
    return Router(priority, **(plain | changes))  # type: ignore[arg-type]


def tcp_check(port: int = 3306, **changes: object) -> Settings:
    """A check of a local port that is quick to notice."""
    return {"type": "tcp", "port": port, "interval": 0.1, "timeout": 0.5, "fall": 2, "rise": 1} | changes


def node_yaml(routers: Sequence[Router], checks: Mapping[str, Settings] | None = None) -> str:
    """The text of a node.yaml."""
    node: Settings = {"router_id": "lab", "vrrp_instances": {each.name: instance_settings(each) for each in routers}}
    if checks:
        node["checks"] = dict(checks)
    return yaml.safe_dump(node, sort_keys=False)


def instance_settings(router: Router) -> Settings:
    """What stands below the name of an instance in a node.yaml."""
    settings: Settings = {
        "interface": "eth0",
        "virtual_router_id": router.vrid,
        "priority": router.priority,
        "version": router.version,
        "advert_int": router.advert_int,
        "nopreempt": router.nopreempt,
        "vip_lease": router.vip_lease,
        "virtual_ipaddress": list(router.vips),
    }
    if router.password:
        settings["authentication"] = {"auth_type": "PASS", "auth_pass": router.password}
    if router.peers:
        settings |= {"unicast_peer": list(router.peers), "unicast_src_ip": router.source}
        settings["unicast_ttl"] = router.unicast_ttl
    if router.tracks:
        settings["track_checks"] = [{name: {"weight": weight}} for name, weight in router.tracks.items()]
    return settings


def keepalived_conf(routers: Sequence[Router]) -> str:
    """The text of a keepalived.conf."""
    return "\n".join(["global_defs {", "    router_id lab", "}", *map(_keepalived_instance, routers)])


def _keepalived_instance(router: Router) -> str:
    lines = [
        # keepalived's owner waits like a backup when it is told to begin as one.
        "state MASTER" if router.priority == 255 else "state BACKUP",
        "interface eth0",
        f"virtual_router_id {router.vrid}",
        f"priority {router.priority}",
        f"version {router.version}",
        f"advert_int {router.advert_int}",
        "virtual_ipaddress {",
        *router.vips,
        "}",
    ]
    if router.nopreempt:
        lines.append("nopreempt")
    if router.password:
        lines += ["authentication {", "auth_type PASS", f"auth_pass {router.password}", "}"]
    if router.peers:
        lines += [f"unicast_src_ip {router.source}", "unicast_peer {", *router.peers, "}"]
        # Of IPv6 keepalived 2.2.7 leaves the hop limit to the kernel (64) unless it is told.
        lines.append(f"unicast_ttl {router.unicast_ttl}")
    return "\n".join([f"vrrp_instance {router.name} {{", *lines, "}\n"])
