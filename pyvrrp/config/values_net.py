"""Kinds of values that come from the network: interfaces, addresses, servers. values.py has the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, IPv6Address, ip_address
from typing import Any, Final

from pyvrrp.config.values import Kind, Word, quote

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


@dataclass(frozen=True, slots=True)
class Vip:
    """A virtual address as the file has it."""

    address: IPv4Address
    prefixlen: int


class VirtualIp(Kind):
    """IP or IP/length."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text: four numbers and perhaps a length."""
        return {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?$"}

    def parse(self, word: Word) -> Vip:
        """The address; /32 where the file names no length. Raises ValueError."""
        text, slash, length = word.partition("/")
        try:
            address = IPv4Address(text)
        except AddressValueError:
            raise ValueError(_not_ipv4(text)) from None
        if slash and not (length.isascii() and length.isdecimal() and len(length) <= 2 and 1 <= int(length) <= 32):
            raise ValueError(f"{quote(word)}: the prefix length is not a whole number in 1..32")
        vip = Vip(address, int(length) if slash else 32)
        if objection := _objection(vip):
            raise ValueError(f"{address} is {objection}, it cannot follow a master")
        return vip


def _not_ipv4(text: str) -> str:
    try:
        IPv6Address(text)
    except AddressValueError:
        return f"{quote(text)} is not an IP address"
    return f"{text} is IPv6; for now virtual addresses are IPv4"


def _objection(vip: Vip) -> str:
    address = vip.address
    network = IPv4Interface((int(address), vip.prefixlen)).network
    if address.is_unspecified:
        return "no address at all"
    if address.is_multicast:
        return "a multicast address"
    if address.is_loopback:
        return "a loopback address"
    if address == IPv4Address(0xFFFFFFFF) or (vip.prefixlen < 31 and address == network.broadcast_address):
        return "a broadcast address"
    if vip.prefixlen < 31 and address == network.network_address:
        return "the address of the network itself"
    return ""


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
        try:
            return str(ip_address(word))
        except ValueError:
            raise ValueError(f"{quote(word)} is not an IP address") from None


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
