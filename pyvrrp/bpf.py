"""Classic BPF: small programs that make the kernel drop what Python need not see.

An instruction is (code, jump if true, jump if false, operand); jumps count instructions to skip. Loads are big-endian.
"""

from __future__ import annotations

import array
import socket
import struct
from collections.abc import Iterable, Sequence
from typing import Final

SO_ATTACH_FILTER: Final = 26
PACKET_MULTICAST: Final = 2  # PACKET_HOST is 0, PACKET_BROADCAST 1

LOAD_BYTE: Final = 0x30  # A = byte at k
LOAD_BYTE_INDEXED: Final = 0x50  # A = byte at X + k
LOAD_HALF: Final = 0x28  # A = 16 bits at k
LOAD_WORD: Final = 0x20  # A = 32 bits at k
LOAD_PACKET_TYPE: Final = (0x30, 0, 0, 0xFFFFF004)  # A = SKF_AD_PKTTYPE: for this host, for all, for others, from it
LOAD_IP_HEADER_LENGTH: Final = 0xB1  # X = 4 * (byte at k & 15)
JUMP_EQUAL: Final = 0x15  # A == k
JUMP_GREATER: Final = 0x25  # A > k
JUMP_ANY_BIT: Final = 0x45  # A & k
AND: Final = 0x54  # A = A & k
RETURN: Final = 0x06  # k bytes of the packet pass; 0 drops it

PASS: Final = (RETURN, 0, 0, 0xFFFFFFFF)
DROP: Final = (RETURN, 0, 0, 0)

Instruction = tuple[int, int, int, int]


def demand(value: int) -> list[Instruction]:
    """Go on if A is `value`, else drop."""
    return [(JUMP_EQUAL, 1, 0, value), DROP]


def incoming() -> list[Instruction]:
    """Go on with what came from the link for this host or for everybody (linux/if_packet.h), else drop."""
    return [LOAD_PACKET_TYPE, (JUMP_GREATER, 0, 1, PACKET_MULTICAST), DROP]


def pass_when_in(values: Iterable[int]) -> list[Instruction]:
    """The end of a program: pass if A is one of `values`, else drop."""
    return [step for value in sorted(values) for step in ((JUMP_EQUAL, 0, 1, value), PASS)] + [DROP]


def attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Make `program`, at most 4096 instructions, the filter of `sock` in place of an earlier one. Raises OSError."""
    code = array.array("B", b"".join(struct.pack("=HBBI", *instruction) for instruction in program))
    address, _ = code.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program), address))
