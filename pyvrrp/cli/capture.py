"""Frames for `pyvrrpctl sniff`: from the interfaces of this host, from a capture file, and into one."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from pyvrrp import bpf
from pyvrrp.cli.failure import REFUSED, USAGE, Failure
from pyvrrp.core import const
from pyvrrp.recording.disguise import Disguise

_ETH_P_ALL: Final = 0x0003
_ETHERNET: Final = (1, 772)  # ARPHRD_ETHER, and ARPHRD_LOOPBACK, which has the same headers
_FRAME_MAX: Final = 65536
_IPV4, _ARP, _IPV6, _ICMPV6 = 0x0800, 0x0806, 0x86DD, 58
_SOLICITATION, _ADVERTISEMENT = 135, 136  # RFC 4861 section 4
_MOMENT: Final = 0.2  # seconds
_UNUSABLE: Final = 2
_LAST_MOMENT: Final = 0xFFFFFFFF  # that a capture file has a number for

# VRRP over IPv4 and IPv6, ARP, neighbour discovery; the numbers are jumps.
_INTERESTING: Final = (
    (bpf.LOAD_HALF, 0, 0, 12),
    (bpf.JUMP_EQUAL, 12, 0, _ARP),
    (bpf.JUMP_EQUAL, 0, 3, _IPV4),
    (bpf.LOAD_BYTE, 0, 0, 14 + 9),
    (bpf.JUMP_EQUAL, 9, 0, const.PROTOCOL),
    bpf.DROP,
    (bpf.JUMP_EQUAL, 0, 6, _IPV6),
    (bpf.LOAD_BYTE, 0, 0, 14 + 6),
    (bpf.JUMP_EQUAL, 5, 0, const.PROTOCOL),
    (bpf.JUMP_EQUAL, 0, 3, _ICMPV6),
    (bpf.LOAD_BYTE, 0, 0, 14 + 40),
    (bpf.JUMP_EQUAL, 2, 0, _SOLICITATION),
    (bpf.JUMP_EQUAL, 1, 0, _ADVERTISEMENT),
    bpf.DROP,
    bpf.PASS,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What came by: `packet` is scapy's view of it. `own`: this host sent it; from a file that is not known."""

    at: float
    interface: str
    packet: Any
    own: bool = False


def live(interfaces: Sequence[str], seconds: float) -> Iterator[Frame]:
    """What passes these interfaces, above or below any firewall. Raises Failure."""
    from scapy.layers.l2 import Ether  # here: it takes as long as all the rest of the command

    end = time.monotonic() + seconds
    with ExitStack() as sockets:
        opened = [sockets.enter_context(_opened(name)) for name in interfaces]
        while (left := end - time.monotonic()) > 0:
            readable, _, _ = select.select(opened, [], [], min(left, _MOMENT))
            for each in readable:
                data, (name, _, kind, *_) = each.recvfrom(_FRAME_MAX)
                yield Frame(time.time(), name, Ether(data), own=kind == socket.PACKET_OUTGOING)


def _opened(interface: str) -> socket.socket:
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    except PermissionError:
        raise Failure("listening needs root (CAP_NET_RAW); --read FILE does not", REFUSED) from None
    try:
        bpf.attach(sock, _INTERESTING)
        sock.bind((interface, _ETH_P_ALL))
    except OSError as error:
        sock.close()
        raise Failure(f"{interface}: {error.strerror}", USAGE) from None
    if sock.getsockname()[3] not in _ETHERNET:
        sock.close()
        raise Failure(f"{interface} is no Ethernet interface", USAGE)
    return sock


def from_file(path: str, interface: str) -> Iterator[Frame]:
    """What is in a pcap or pcapng file. Raises Failure."""
    # The layers tell the reader what a file's link type means; without them it finds raw bytes and no packet.
    from scapy.error import Scapy_Exception
    from scapy.layers import inet, inet6, l2  # noqa: F401
    from scapy.utils import PcapReader

    try:
        # Opened here: scapy forgets to close what is no capture file.
        with open(path, "rb") as file:  # noqa: PTH123
            for packet in PcapReader(file):
                yield Frame(float(packet.time), interface, packet)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", USAGE) from None
    except (Scapy_Exception, EOFError, ValueError) as error:
        raise Failure(f"{path}: not a capture file, or a damaged one ({error})", _UNUSABLE) from None


class CaptureFile:
    """A pcap file for other programs to read, without passwords: pseudonyms stand for them."""

    def __init__(self, path: str) -> None:
        """Raises Failure."""
        from scapy.utils import PcapWriter

        self._disguise = Disguise(os.urandom(32))
        try:
            self._writer = PcapWriter(path, linktype=1, sync=True)
        except OSError as error:
            raise Failure(f"{path}: {error.strerror}", USAGE) from None

    def write(self, frame: Frame, advert: bytes | None) -> None:
        """Add a frame; `advert` is what of it is an advert. What follows that is left out, as it may be of it, too."""
        data = bytes(frame.packet)
        if advert is not None:
            if not advert:  # its header has a wrong length: nobody knows where what is not to be told begins
                return
            data = data[: data.rindex(advert)] + self._disguise.packet(advert)
        packet = type(frame.packet)(data)
        packet.time = min(frame.at, _LAST_MOMENT)
        self._writer.write(packet)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
