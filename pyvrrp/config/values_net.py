"""Kinds of values that come from the network: interfaces, addresses, servers. values.py has the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

from pyvrrp.config.values import Kind, Word, quote
from pyvrrp.core.settings import Address

_TABLE: Final = re.compile("[A-Za-z][A-Za-z0-9_]{0,63}")
_MAC: Final = re.compile("[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}")
_IPV4: Final = r"[0-9]{1,3}(\.[0-9]{1,3}){3}"
_IPV6: Final = "[0-9a-fA-F.]*:[0-9a-fA-F:.]*"
_INTERFACE: Final = re.compile(r"[^\s/:\x00-\x20\x7f]{1,15}")  # the kernel's own rule: dev_valid_name


@dataclass(frozen=True, slots=True)
class InterfaceName(Kind):
    """The name of a network interface, perhaps `loopback`'s. Whether it exists is for the daemon to find out."""

    loopback: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """Text of at most 15 characters."""
        return {"type": "string", "pattern": r"^[^\s/:]{1,15}$"}

    def parse(self, word: Word) -> str:
        """The name. Raises ValueError."""
        if not _INTERFACE.fullmatch(word) or len(word.encode()) > 15 or word in (".", ".."):
            raise ValueError(f"{quote(word)} is not an interface name: 1 to 15 bytes without space, / and :")
        if word == "lo" and not self.loopback:
            raise ValueError("the loopback interface reaches no other router")
        return str(word)


class MacAddress(Kind):
    """The MAC address of one station: six bytes in hexadecimal digits, with colons between."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string", "pattern": "^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}$"}

    def parse(self, word: Word) -> bytes:
        """The six bytes. Raises ValueError."""
        if not _MAC.fullmatch(word):
            raise ValueError(f"{quote(word)} is not a MAC address, as 02:00:5e:10:00:01")
        mac = bytes(int(part, 16) for part in word.split(":"))
        if mac[0] & 1 or not any(mac):
            raise ValueError(f"{word} is not the MAC address of one station")
        return mac


@dataclass(frozen=True, slots=True)
class Vip:
    """A virtual address as the file has it."""

    address: Address
    prefixlen: int


class VirtualIp(Kind):
    """IP or IP/length."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text: an address of either family and perhaps a length."""
        return {
            "type": "string",
            "pattern": r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(/[0-9]{1,3})?$",
        }

    def parse(self, word: Word) -> Vip:
        """The address; a single one, /32 or /128, where the file names no length. Raises ValueError."""
        text, slash, length = word.partition("/")
        address = parse_address(text)
        longest = address.max_prefixlen
        if slash and not (length.isascii() and length.isdecimal() and len(length) <= 3 and 1 <= int(length) <= longest):
            raise ValueError(f"{quote(word)}: the prefix length is not a whole number in 1..{longest}")
        vip = Vip(address, int(length) if slash else longest)
        if objection := _objection(vip):
            raise ValueError(f"{address} is {objection}, it cannot follow a master")
        return vip


def parse_address(text: str) -> Address:
    """An IP address of either family, without a zone. Raises ValueError."""
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(f"{quote(text)} is not an IP address") from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError(f"{quote(text)}: the interface is not part of an address here")
    return address


def _objection(vip: Vip) -> str:
    address = vip.address
    if objection := no_host(address):
        return objection
    network = ip_network(f"{address}/{vip.prefixlen}", strict=False)
    alone = vip.prefixlen > address.max_prefixlen - 2
    if address == IPv4Address(0xFFFFFFFF) or (
        address.version == 4 and not alone and address == network.broadcast_address
    ):
        return "a broadcast address"
    return "the address of the network itself" if not alone and address == network.network_address else ""


def no_host(address: Address) -> str:
    """Why no single host can have this address, "" when one can."""
    if address.is_unspecified:
        return "no address at all"
    if address.is_multicast:
        return "a multicast address"
    return "a loopback address" if address.is_loopback else ""


class HostIp(Kind):
    """The address of one host, of either family."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return Host().schema

    def parse(self, word: Word) -> str:
        """The address, in its usual spelling. Raises ValueError."""
        address = parse_address(word)
        if objection := no_host(address):
            raise ValueError(f"{address} is {objection}, no other router has it")
        return str(address)


class MulticastGroup(Kind):
    """A multicast address of either family."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return Host().schema

    def parse(self, word: Word) -> str:
        """The address, in its usual spelling. Raises ValueError."""
        group = parse_address(word)
        if not group.is_multicast:
            raise ValueError(f"{group} is not a multicast address")
        return str(group)


class Host(Kind):
    """The address of a server that is checked: an IP address, so that a check never waits for a name server."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}

    def parse(self, word: Word) -> str:
        """The address, in its usual spelling. Raises ValueError."""
        for form in (IPv4Address, IPv6Address):
            try:
                return str(form(word))
            except AddressValueError:
                continue
        raise ValueError(
            f"{quote(word)} is not an IP address (names are not looked up, a check must not wait for a name server)"
        )


class IpAddress(Kind):
    """An IP address of either family."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return Host().schema

    def parse(self, word: Word) -> str:
        """The address, in its usual spelling. Raises ValueError."""
        return str(parse_address(word))


class Server(Kind):
    """The address of a server and perhaps its port: `192.0.2.1`, `192.0.2.1 25`, `mail:25`, `[2001:db8::1]:25`."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string", "minLength": 1}

    def parse(self, word: Word) -> str:
        """The host and the port with a blank between. Raises ValueError."""
        host, port = _host_and_port(word)
        if not host or " " in host or (port and not (port.isdecimal() and port.isascii() and 0 < int(port) < 65536)):
            raise ValueError(f"{quote(word)} is not an address, or an address and a port")
        return f"{host} {port}".strip()


def _host_and_port(text: str) -> tuple[str, str]:
    if " " in text:
        host, _, port = text.partition(" ")
        return host, port.strip()[:6]
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":")[:6]
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port[:6]
    return text, ""


class TableName(Kind):
    """The name of an nftables table."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string", "pattern": f"^{_TABLE.pattern}$"}

    def parse(self, word: Word) -> str:
        """The name. Raises ValueError."""
        if not _TABLE.fullmatch(word):
            raise ValueError(f"{quote(word)} is not the name of a table: a letter, then letters, digits and _")
        return str(word)


class Label(Kind):
    """The label of an address: at most 15 bytes."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text of at most 15 characters."""
        return {"type": "string", "maxLength": 15}

    def parse(self, word: Word) -> str:
        """The label. Raises ValueError."""
        if len(word.encode()) > 15 or not word.isprintable() or " " in word:
            raise ValueError(f"{quote(word)} is not a label: at most 15 characters")
        return str(word)
