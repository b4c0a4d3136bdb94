"""What stands for passwords in a recording: pseudonyms, the same for the same password within one recording.

So a right password stays right in it and a wrong one wrong, and neither can be found out: the key of the pseudonyms is
made for one recording and is never written. The checksum of a packet tells much of a short password, so it is made anew
for the pseudonym, off by as much as it was.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache
from typing import Final

from pyvrrp.core import const
from pyvrrp.core.wire import checksum

_HEADER: Final = 8  # bytes in front of the addresses, in both versions
_CHECKSUM: Final = slice(6, 8)
_REMEMBERED: Final = 512  # packets; a master repeats itself
_CHECKSUM_SAID: Final = re.compile(r"\b0x[0-9a-f]{4}\b")
_UNSAID: Final = "0x????"


class Disguise:
    """Pseudonyms under `key`, which is to be random and for one recording only."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.packet = lru_cache(maxsize=_REMEMBERED)(self._packet)

    def veil(self, field: str, value: bytes) -> bytes:
        """What stands for the bytes in a field of a class (plain.py)."""
        name = field.rpartition(".")[2].lstrip("_")
        if name == "auth_pass":
            return self._pseudonym(value.ljust(const.AUTH_DATA_SIZE, b"\0"))
        if name == "auth_data":
            return self._pseudonym(value)
        return self.packet(value) if name == "payload" and field != "UdpProbe.payload" else value

    def _packet(self, payload: bytes) -> bytes:
        """A packet of protocol 112 with pseudonyms in place of whatever may be a password in it."""
        begins = self._secret_from(payload)
        if begins >= len(payload):
            return payload
        hidden = payload[:begins] + self._pseudonym(payload[begins:])
        error = int.from_bytes(payload[_CHECKSUM], "big") - _sum(payload)
        right = (_sum(hidden) + error) % 0x10000
        return hidden[:6] + right.to_bytes(2, "big") + hidden[8:]

    @staticmethod
    def _secret_from(payload: bytes) -> int:
        """Where a packet may hold a password: after the addresses, or anywhere when its form is not right."""
        if len(payload) > _HEADER:
            version, addresses = payload[0] >> 4, len(payload) - _HEADER
            if version == 2 and addresses == 4 * payload[3] + const.AUTH_DATA_SIZE:
                return len(payload) - const.AUTH_DATA_SIZE
            if version == 3 and addresses in (4 * payload[3], 16 * payload[3]):
                return len(payload)
        return _HEADER

    def _pseudonym(self, secret: bytes) -> bytes:
        """As long as the secret; nothing but zeros is no secret."""
        if not any(secret):
            return secret
        digest = hmac.digest(self._key, secret, hashlib.sha256)
        return (digest * (len(secret) // len(digest) + 1))[: len(secret)]


def unsaid(text: str) -> str:
    """A text without checksums: those that were said are of the packet as it was, and tell of the password."""
    return _CHECKSUM_SAID.sub(_UNSAID, text) if "0x" in text else text


def _sum(payload: bytes) -> int:
    return checksum(payload[:6] + b"\0\0" + payload[8:])
