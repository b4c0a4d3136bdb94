"""Whether an nftables table is there: one that a killed daemon left would drop what is to be accepted now.

A question of its own, as most configurations never need the program nft.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

from pyvrrp.rtnetlink import HEADER, NLMSG_ERROR, attribute, request

# linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
NETLINK_NETFILTER: Final = 12
NFT_MSG_GETTABLE: Final = 10 << 8 | 1
NFGENMSG: Final = struct.Struct("=BBH")  # family, version, resource
NFPROTO_INET: Final = 1
NFTA_TABLE_NAME: Final = 1
ANSWER_MAX: Final = 8192  # bytes


def table_is_there(name: str) -> bool:
    """Whether there is a table `inet name`; a kernel that does not say has none."""
    body = NFGENMSG.pack(NFPROTO_INET, 0, 0) + attribute(NFTA_TABLE_NAME, name.encode() + b"\0")
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    try:
        with socket.socket(socket.AF_NETLINK, kind, NETLINK_NETFILTER) as asking:
            asking.send(request(NFT_MSG_GETTABLE, 0, body, 1))  # it is answered before this returns
            answer = asking.recv(ANSWER_MAX)
    except OSError:
        return False
    return len(answer) >= HEADER.size and HEADER.unpack_from(answer)[1] != NLMSG_ERROR
