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

LOAD_BYTE: Final = 0x30  # A = byte at k
LOAD_BYTE_INDEXED: Final = 0x50  # A = byte at X + k
LOAD_HALF: Final = 0x28  # A = 16 bits at k
LOAD_WORD: Final = 0x20  # A = 32 bits at k
LOAD_IP_HEADER_LENGTH: Final = 0xB1  # X = 4 * (byte at k & 15)
JUMP_EQUAL: Final = 0x15  # A == k
RETURN: Final = 0x06  # k bytes of the packet pass; 0 drops it

PASS: Final = (RETURN, 0, 0, 0xFFFFFFFF)
DROP: Final = (RETURN, 0, 0, 0)

Instruction = tuple[int, int, int, int]


def pass_when_in(values: Iterable[int]) -> list[Instruction]:
    """The end of a program: pass if A is one of `values`, else drop."""
    return [step for value in sorted(values) for step in ((JUMP_EQUAL, 0, 1, value), PASS)] + [DROP]


def attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Make `program`, at most 4096 instructions, the filter of `sock` in place of an earlier one. Raises OSError."""
    code = array.array("B", b"".join(struct.pack("=HBBI", *instruction) for instruction in program))
    address, _ = code.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program), address))
