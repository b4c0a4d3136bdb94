"""DNS: is a query answered without an error? (RFC 1035 section 4)"""

from __future__ import annotations

import asyncio
import os
import struct
from typing import Final

from pyvrrp.core.settings import CheckSettings, DnsProbe
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.io.checks.connection import datagrams

HEADER: Final = struct.Struct("!HHHHHH")  # id, flags, questions, answers, authorities, additional records
RECURSION_DESIRED: Final = 0x0100
RESPONSE: Final = 0x8000
RCODE_MASK: Final = 0x000F
RCODES: Final = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
TYPES: Final = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "ANY": 255,
}
CLASS_IN: Final = 1
LABEL_MAX: Final = 63


class DnsProber(Prober):
    """Asks over UDP, and looks only at the header of what comes back."""

    def __init__(self, probe: DnsProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._probe = probe

    async def look(self) -> Outcome:
        """See Prober."""
        identity = int.from_bytes(os.urandom(2), "big")
        try:
            query = _query(identity, self._probe.name, self._probe.query_type)
        except ValueError as error:
            return Outcome(False, f"{self._target} cannot be asked: {error}")
        with datagrams(self._probe.host, self._probe.port, self._probe.source) as sock:
            sock.send(query)
            while True:
                answer = await asyncio.get_running_loop().sock_recv(sock, 4096)
                if len(answer) < HEADER.size:
                    continue
                answered, flags, *_ = HEADER.unpack_from(answer)
                if answered == identity and flags & RESPONSE:
                    return self._verdict(flags & RCODE_MASK)

    def _verdict(self, rcode: int) -> Outcome:
        if rcode:
            return Outcome(False, f"{self._target} was answered with {RCODES.get(rcode, f'error {rcode}')}")
        return Outcome(True, f"{self._target} was answered")


def _query(identity: int, name: str, query_type: str) -> bytes:
    """A question in bytes. Raises ValueError for what is no domain name or no type that we know."""
    if query_type not in TYPES:
        raise ValueError(f"unknown type {query_type}")
    question = b""
    for label in name.encode("ascii").rstrip(b".").split(b".") if name != "." else ():
        if not 0 < len(label) <= LABEL_MAX:
            raise ValueError("not a domain name")
        question += bytes([len(label)]) + label
    header = HEADER.pack(identity, RECURSION_DESIRED, 1, 0, 0, 0)
    return header + question + b"\0" + struct.pack("!HH", TYPES[query_type], CLASS_IN)
