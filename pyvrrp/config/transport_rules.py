"""What must hold between what an instance says of its family, and of how its adverts travel."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from pyvrrp.config.findings import Findings
from pyvrrp.config.model.instance import HeldAddress, Instance
from pyvrrp.config.model.transport import Peer
from pyvrrp.config.tree import Path
from pyvrrp.config.validate import Checked
from pyvrrp.core import const

_SOURCES = ("mcast_src_ip", "unicast_src_ip")
_OF_UNICAST = ("unicast_src_ip", "unicast_ttl", "check_unicast_src")
_OF_MULTICAST = ("mcast_src_ip", "mcast_dst_ip")


def apply(checked: Checked, findings: Findings) -> None:
    """Report every rule that is broken."""
    for name, instance in checked.node.vrrp_instances.items():
        rules = _Rules(name, instance, checked, findings)
        rules.addresses()
        rules.number()
        rules.version()
        rules.families()
        rules.travelling()
        rules.peers()


class _Rules:
    """The rules about one instance."""

    def __init__(self, name: str, instance: Instance, checked: Checked, findings: Findings) -> None:
        self._where: Path = ("vrrp_instances", name)
        self._instance = instance
        self._checked = checked
        self._findings = findings
        self._sound = checked.sound(name, "virtual_ipaddress") and not self._broken("virtual_ipaddress", 0)

    def _broken(self, *path: str | int) -> bool:
        return (*self._where, *path) in self._checked.broken

    def _value(self, message: str, *path: str | int) -> None:
        self._findings.value((*self._where, *path), message)

    # --- families --------------------------------------------------------------------------------------------------

    def addresses(self) -> None:
        """One family in virtual_ipaddress, and options that its addresses can have."""
        for key in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
            for index, held in enumerate(getattr(self._instance, key)):
                if self._broken(key, index):
                    continue
                if key == "virtual_ipaddress" and self._sound:
                    self._same_family(held, index)
                self._options(held, key, index)

    def number(self) -> None:
        """As many addresses as an advert has room for."""
        number, most = len(self._instance.virtual_ipaddress), const.ADDRESSES_MAX[self._instance.family]
        if self._sound and self._instance.family == 6 and number > most:
            self._value(f"{number} are too many, {most} IPv6 addresses fit into an advert", "virtual_ipaddress")

    def _same_family(self, held: HeldAddress, index: int) -> None:
        first, address = self._instance.virtual_ipaddress[0].address.address, held.address.address
        if address.version != first.version:
            self._value(
                f"{address} is IPv{address.version}, but {first} makes this an IPv{first.version} virtual router: put"
                " it into virtual_ipaddress_excluded, or into an instance of its own",
                "virtual_ipaddress",
                index,
            )

    def _options(self, held: HeldAddress, key: str, index: int) -> None:
        version = held.address.address.version
        if held.broadcast is not None and ip_address(held.broadcast).version != version:
            self._value(f"{held.broadcast} is no IPv{version} address", key, index, "broadcast")
        elif version == 6:
            for option in ("label", "scope", "broadcast"):
                if getattr(held, option):
                    self._value(f"an IPv6 address has no {option}", key, index, option)

    def version(self) -> None:
        """VRRPv2 is for IPv4; native_ipv6 agrees with the addresses."""
        if not self._sound or self._instance.family != 6:
            if self._sound and self._instance.native_ipv6:
                self._value("its addresses are IPv4", "native_ipv6")
            return
        if self._instance.version == 2 and not self._broken("version"):
            self._value("VRRPv2 has no IPv6; leave the version away, or write 3", "version")

    def families(self) -> None:
        """Sources, group and peers are of the family of the addresses."""
        if not self._sound:
            return
        family = self._instance.family
        for text, *path in self._named():
            if ip_address(text).version != family and not self._broken(*path):
                self._value(f"{text} is not IPv{family}, as its virtual addresses are", *path)

    def _named(self) -> Iterator[tuple[str, *tuple[str | int, ...]]]:
        for key in (*_SOURCES, "mcast_dst_ip"):
            text = getattr(self._instance, key)
            if text is not None:
                yield text, key
        for index, peer in enumerate(self._instance.unicast_peer):
            yield peer.address, "unicast_peer", index

    # --- multicast or unicast --------------------------------------------------------------------------------------

    def travelling(self) -> None:
        """Nothing about multicast with peers, nothing about unicast without."""
        instance = self._instance
        given = instance.model_fields_set
        if self._broken("unicast_peer"):
            return
        if instance.unicast_peer:
            for key in _OF_MULTICAST:
                if key in given:
                    self._findings.key((*self._where, key), "has no effect with unicast_peer")
        elif not instance.unicast_fault_no_peer:
            for key in _OF_UNICAST:
                if key in given:
                    self._findings.key((*self._where, key), "has no effect without unicast_peer")
        if instance.track_src_ip and not any(key in given or self._broken(key) for key in _SOURCES):
            self._findings.key((*self._where, "track_src_ip"), "there is no mcast_src_ip or unicast_src_ip to track")
        if instance.v3_checksum_as_v2 and self._sound and (instance.vrrp_version, instance.family) != (3, 4):
            self._findings.key((*self._where, "v3_checksum_as_v2"), "has a meaning with VRRPv3 over IPv4 only")

    def peers(self) -> None:
        """A peer is another node, named once, and can be believed."""
        own = {self._instance.unicast_src_ip: "this node itself, unicast_src_ip"}
        own |= {
            str(held.address.address): "a virtual address, no node's own" for held in self._instance.virtual_ipaddress
        }
        seen: set[str] = set()
        for index, peer in enumerate(self._instance.unicast_peer):
            if peer.address in own:
                self._value(f"{peer.address} is {own[peer.address]}", "unicast_peer", index)
            elif peer.address in seen:
                self._value(f"{peer.address} is named twice", "unicast_peer", index)
            elif _deaf(peer):
                self._value(
                    f"min_ttl {peer.min_ttl} is more than max_ttl {peer.max_ttl}: no advert would be believed",
                    "unicast_peer",
                    index,
                )
            seen.add(peer.address)


def _deaf(peer: Peer) -> bool:
    return peer.min_ttl is not None and peer.max_ttl is not None and peer.min_ttl > peer.max_ttl
