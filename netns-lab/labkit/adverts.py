"""Hearing VRRP adverts on the wire, so that events can be timed by them."""

from __future__ import annotations

import select
import socket
import struct

from labkit import topology
from labkit.errors import LabError
from labkit.topology import Host

PROTOCOL, GROUP = 112, "224.0.0.18"  # RFC 3768 5.2.2 and 5.2.4
SOURCE = slice(12, 16)  # the sender's address in an IPv4 header
PATIENCE = 5.0  # seconds; adverts come every second


def wait_advert(listener: Host, sender: Host) -> None:
    """Return just after `sender` has sent an advert, as heard by `listener`. LabError when none comes."""
    source = socket.inet_aton(sender.ip)
    with topology.open_socket(listener.namespace, socket.AF_INET, socket.SOCK_RAW, PROTOCOL) as hearing:
        membership = struct.pack("=4s4si", socket.inet_aton(GROUP), socket.inet_aton(listener.ip), 0)
        hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        while select.select([hearing], [], [], PATIENCE)[0]:
            if hearing.recv(2048)[SOURCE] == source:
                return
    raise LabError(f"{sender.name} sends no adverts")
