"""What a configuration asks of links: virtual MACs (use_vmac) and flags of interfaces. Loaded only when it asks.

A virtual MAC is a macvlan in private mode over the instance's interface, with 00:00:5e:00:01:VRID. It must not answer
for what is below it, nor the other way round, and never speak while its virtual router is BACKUP, or switches would
send the MASTER's packets here: so IPv6 generates no address on it, and adverts to it are heard without joining a group
(io/vmac.py).

Flags are set through rtnetlink, which asks for CAP_NET_ADMIN only; /proc/sys may be read-only for a service.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from errno import EEXIST, ENODEV
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pyvrrp.core.settings import InstanceSettings, Vmac
from pyvrrp.errors import KernelError
from pyvrrp.rtnetlink import NLM_F_CREATE, NLM_F_EXCL, Channel, attribute, attributes

# linux/rtnetlink.h, linux/if_link.h, linux/if.h
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
IFINFO: Final = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
HEADER_SIZE: Final = 16
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINK, IFLA_LINKINFO, IFLA_IFALIAS, IFLA_AF_SPEC = 1, 3, 5, 18, 20, 26
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE = 1, 1
IFLA_INET_CONF = 1
IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE = 8, 1
IFF_UP: Final = 0x1
NUMBER: Final = struct.Struct("=I")

# Flags of an interface by their names in /proc/sys/net/ipv4/conf, with their numbers in linux/ip.h.
FLAGS: Final = MappingProxyType(
    {
        "rp_filter": 8,
        "arp_filter": 13,
        "arp_announce": 18,
        "arp_ignore": 19,
        "promote_secondaries": 20,
        "accept_local": 23,
    }
)
# A macvlan whose alias begins so was made by a pyvrrpd, perhaps one that was killed. What follows, `arp_ignore=0` and
# so on, is what the flags of the interface below were before.
ALIAS: Final = "pyvrrpd"

# Of the interface below: it answers for its own addresses only, and asks in their name. Asking who a client is in the
# name of a virtual address would tell the client that this address is there.
_FOR_ITSELF: Final = MappingProxyType({"arp_ignore": 1, "arp_filter": 1, "arp_announce": 2})
_STRICT, _LOOSE = 1, 2


@dataclass(frozen=True, slots=True)
class _Link:
    index: int
    up: bool
    below: int  # the index of a macvlan's lower interface
    kind: str
    mac: bytes
    alias: str
    flags: Mapping[str, int]

    def carries(self, mac: bytes, below: int) -> bool:
        """Whether it is the macvlan that is asked for."""
        return self.kind == "macvlan" and self.mac == mac and self.below == below


class Links:
    """Makes links what the instances ask for, again and again, and puts all back when asked for nothing."""

    def __init__(self) -> None:
        """Raises KernelError."""
        try:
            self._channel = Channel()
        except OSError as error:
            number = error.errno or 0
            raise KernelError("open a netlink socket", number, os.strerror(number)) from error
        self._own: set[str] = set()  # the macvlans to take away
        self._complaints: list[str] = []
        self._before: dict[tuple[str, str], int] = {}  # what flags were, by interface and name

    def want(self, instances: Iterable[InstanceSettings]) -> list[str]:
        """Have what these instances ask for, and nothing else; what could not be done, in sentences.

        What stands on an interface that does not exist waits for it.
        """
        instances = tuple(instances)
        self._complaints = []
        vmacs = {each.vmac.interface: each for each in instances if each.vmac is not None}
        for name in self._own - vmacs.keys():
            self._remove(name)
        for each in vmacs.values():
            try:
                self._have(each)
            except KernelError as error:
                self._complaints.append(str(error))
        self._want_flags(_flags(instances))
        return self._complaints

    def close(self) -> None:
        """Put everything back."""
        self.want(())
        self._channel.close()

    # --- virtual MACs -------------------------------------------------------------------------------------------------

    def _have(self, instance: InstanceSettings) -> None:
        vmac = instance.vmac
        below = _index(instance.interface)
        if vmac is None or below is None:
            return
        link = self._look(vmac.interface)
        ours = link is not None and link.alias.split(" ")[0] == ALIAS
        if link is not None and ours:
            self._recall(instance.interface, link)
            self._own.add(vmac.interface)
            if not link.carries(vmac.mac, below):  # it was for another VRID or interface
                self._remove(vmac.interface)
                link = None
        if link is None:
            self._make(instance, vmac, below)
            return
        if not link.carries(vmac.mac, below):
            what = f"have the virtual MAC {vmac.mac.hex(':')} over {instance.interface} on {vmac.interface}"
            raise KernelError(what, EEXIST, "another interface has that name")
        if not link.up:
            self._change(f"set {vmac.interface} up", link.index, up=True)

    def _make(self, instance: InstanceSettings, vmac: Vmac, below: int) -> None:
        name, alias = vmac.interface, " ".join((ALIAS, *self._flags_before(instance)))
        mode = attribute(IFLA_MACVLAN_MODE, NUMBER.pack(MACVLAN_MODE_PRIVATE))
        info = attribute(IFLA_INFO_KIND, b"macvlan") + attribute(IFLA_INFO_DATA, mode)
        body = (
            IFINFO.pack(0, 0, 0, 0, 0)
            + attribute(IFLA_IFNAME, name.encode() + b"\0")
            + attribute(IFLA_ADDRESS, vmac.mac)
            + attribute(IFLA_LINK, NUMBER.pack(below))
            + attribute(IFLA_LINKINFO, info)
        )
        self._channel.do(f"make {name}", RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)
        self._own.add(name)
        index = _index(name)
        if index is None:
            raise KernelError(f"make {name}", ENODEV, os.strerror(ENODEV))
        silent = attribute(IFLA_INET6_ADDR_GEN_MODE, bytes([IN6_ADDR_GEN_MODE_NONE]))
        self._change(f"mark {name}", index, attribute(IFLA_IFALIAS, alias.encode()))
        self._change(f"keep IPv6 from {name}", index, attribute(IFLA_AF_SPEC, attribute(socket.AF_INET6, silent)))
        self._quiet(name, "disable_ipv6", 1) if instance.family == 4 else self._quiet(name, "accept_ra", 0)
        self._change(f"set {name} up", index, up=True)

    def _quiet(self, name: str, flag: str, value: int) -> None:
        """Without it a router's advertisement could give it an address; where /proc/sys is read-only, that remains."""
        path = Path("/proc/sys/net/ipv6/conf", name, flag)
        try:
            path.write_text(str(value))
        except OSError:
            return

    def _remove(self, name: str) -> None:
        self._own.discard(name)
        index = _index(name)
        if index is None:
            return
        try:
            self._channel.do(f"take {name} away", RTM_DELLINK, 0, IFINFO.pack(0, 0, index, 0, 0))
        except KernelError as error:
            if error.errno != ENODEV:
                self._complaints.append(str(error))

    # --- flags --------------------------------------------------------------------------------------------------------

    def _flags_before(self, instance: InstanceSettings) -> list[str]:
        """What the flags of the interface below were before they were changed, for who comes after a SIGKILL."""
        link = self._look(instance.interface) if instance.family == 4 else None
        if link is None:
            return []
        values = {flag: self._before.get((instance.interface, flag), link.flags.get(flag, 0)) for flag in _FOR_ITSELF}
        return [f"{flag}={value}" for flag, value in values.items()]

    def _recall(self, below: str, link: _Link) -> None:
        """Take over what a killed pyvrrpd would have put back."""
        if _index(below) != link.below:
            return
        for flag, _, value in (each.partition("=") for each in link.alias.split(" ")[1:]):
            if flag in _FOR_ITSELF and value.isdecimal():
                self._before.setdefault((below, flag), int(value))

    def _want_flags(self, wanted: Mapping[tuple[str, str], int]) -> None:
        for (name, flag), before in list(self._before.items()):
            if (name, flag) not in wanted:
                del self._before[name, flag]
                self._set(name, {flag: before})
        by_name: dict[str, dict[str, int]] = {}
        for (name, flag), value in wanted.items():
            by_name.setdefault(name, {})[flag] = value
        for name, flags in by_name.items():
            self._set(name, flags, remember=True)

    def _set(self, name: str, flags: Mapping[str, int], *, remember: bool = False) -> None:
        try:
            link = self._look(name)
            if link is None:
                return
            wrong = {flag: value for flag, value in flags.items() if link.flags.get(flag, value) != value}
            if not wrong:
                return
            values = b"".join(attribute(FLAGS[flag], NUMBER.pack(value)) for flag, value in wrong.items())
            conf = attribute(socket.AF_INET, attribute(IFLA_INET_CONF, values))
            self._change(f"set {', '.join(wrong)} of {name}", link.index, attribute(IFLA_AF_SPEC, conf))
        except KernelError as error:
            self._complaints.append(str(error))
            return
        for flag in wrong if remember else ():
            self._before.setdefault((name, flag), link.flags[flag])

    # --- the kernel ---------------------------------------------------------------------------------------------------

    def _look(self, name: str) -> _Link | None:
        body = IFINFO.pack(0, 0, 0, 0, 0) + attribute(IFLA_IFNAME, name.encode() + b"\0")
        try:
            (message,) = self._channel.ask(f"look up {name}", RTM_GETLINK, 0, body)[:1]
        except KernelError as error:
            if error.errno == ENODEV:
                return None
            raise
        except ValueError:
            return None
        return _parse(message[HEADER_SIZE:])

    def _change(self, operation: str, index: int, more: bytes = b"", *, up: bool = False) -> None:
        flags = IFF_UP if up else 0
        self._channel.do(operation, RTM_NEWLINK, 0, IFINFO.pack(0, 0, index, flags, flags) + more)


def _parse(body: bytes) -> _Link:
    _, _, index, flags, _ = IFINFO.unpack_from(body)
    found = attributes(body[IFINFO.size :])
    info = attributes(found.get(IFLA_LINKINFO, b""))
    inet = attributes(attributes(found.get(IFLA_AF_SPEC, b"")).get(socket.AF_INET, b""))
    values = inet.get(IFLA_INET_CONF, b"")
    conf = struct.unpack(f"={len(values) // 4}i", values)  # the first flag has number 1
    return _Link(
        index=index,
        up=bool(flags & IFF_UP),
        below=NUMBER.unpack(found.get(IFLA_LINK, bytes(4)))[0],
        kind=info.get(IFLA_INFO_KIND, b"").rstrip(b"\0").decode(),
        mac=found.get(IFLA_ADDRESS, b""),
        alias=found.get(IFLA_IFALIAS, b"").rstrip(b"\0").decode(errors="replace"),
        flags={name: conf[number - 1] for name, number in FLAGS.items() if number <= len(conf)},
    )


def _flags(instances: tuple[InstanceSettings, ...]) -> dict[tuple[str, str], int]:
    """Values by interface and flag."""
    wanted: dict[tuple[str, str], int] = {}
    for instance in instances:
        if instance.vmac is not None and instance.family == 4:
            # The strictest of "all" and the interface's own counts, and a client is never reached by the macvlan.
            # Strict would drop its packets, but loose counts as more than strict.
            path_filter = _LOOSE if _strict_everywhere() else 0
            own = {"arp_ignore": 1, "rp_filter": path_filter, "accept_local": 1, "promote_secondaries": 1}
            wanted |= {(instance.interface, flag): value for flag, value in _FOR_ITSELF.items()}
            wanted |= {(instance.vmac.interface, flag): value for flag, value in own.items()}
        if instance.promote_secondaries:
            wanted |= {(each.interface, "promote_secondaries"): 1 for each in instance.held}
    return wanted


def _strict_everywhere() -> bool:
    try:
        return Path("/proc/sys/net/ipv4/conf/all/rp_filter").read_text().strip() == str(_STRICT)
    except OSError:
        return True


def _index(name: str) -> int | None:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None
