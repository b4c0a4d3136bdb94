"""ICMP: does an echo come back? (RFC 792, RFC 4443 section 4)"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from ipaddress import ip_address
from typing import Final

from pyvrrp.core.settings import CheckSettings, PingProbe
from pyvrrp.core.wire import checksum
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.io.checks.connection import datagrams

ECHO: Final = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence number
REQUEST_V4, REPLY_V4 = 8, 0
REQUEST_V6, REPLY_V6 = 128, 129
TOKEN_SIZE: Final = 16  # bytes by which we know our own echo


class PingProber(Prober):
    """Sends one echo request."""

    def __init__(self, probe: PingProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._probe = probe
        self._v4 = ip_address(probe.host).version == 4

    async def look(self) -> Outcome:
        """See Prober."""
        token = os.urandom(TOKEN_SIZE)
        with self._open() as sock:
            sock.send(self._request(token))
            while not self._is_reply(await asyncio.get_running_loop().sock_recv(sock, 2048), sock.type, token):
                pass
        return Outcome(True, f"{self._probe.host} sent the echo back")

    def _open(self) -> socket.socket:
        """A socket of the kind that net.ipv4.ping_group_range allows, or a raw one, which needs CAP_NET_RAW."""
        protocol = socket.IPPROTO_ICMP if self._v4 else socket.IPPROTO_ICMPV6
        try:
            return datagrams(self._probe.host, 0, self._probe.source, socket.SOCK_DGRAM, protocol)
        except PermissionError:
            return datagrams(self._probe.host, 0, self._probe.source, socket.SOCK_RAW, protocol)

    def _request(self, token: bytes) -> bytes:
        """The kernel fills in the checksum, except for a raw socket of IPv4."""
        kind = REQUEST_V4 if self._v4 else REQUEST_V6
        identity = int.from_bytes(os.urandom(2), "big")
        return ECHO.pack(kind, 0, checksum(ECHO.pack(kind, 0, 0, identity, 1) + token), identity, 1) + token

    def _is_reply(self, packet: bytes, kind: int, token: bytes) -> bool:
        if self._v4 and kind == socket.SOCK_RAW:
            packet = packet[(packet[0] & 0x0F) * 4 :]  # behind the IP header
        return packet[:1] == bytes([REPLY_V4 if self._v4 else REPLY_V6]) and packet.endswith(token)
