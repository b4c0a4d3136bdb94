"""Whether an nftables table is there: one that a killed daemon left would drop what is to be accepted now.

A question of its own, as most configurations never need the program nft.
"""

from __future__ import annotations

from typing import Final

from pyvrrp.nfnetlink import NFTA_TABLE_NAME, message, open_socket, text
from pyvrrp.rtnetlink import HEADER, NLMSG_ERROR

NFT_MSG_GETTABLE: Final = 1  # linux/netfilter/nf_tables.h
ANSWER_MAX: Final = 8192  # bytes


def table_is_there(name: str) -> bool:
    """Whether there is a table `inet name`; a kernel that does not say has none."""
    try:
        with open_socket() as asking:
            asking.send(message(NFT_MSG_GETTABLE, 0, text(NFTA_TABLE_NAME, name), 1))  # answered before this returns
            answer = asking.recv(ANSWER_MAX)
    except OSError:
        return False
    return len(answer) >= HEADER.size and HEADER.unpack_from(answer)[1] != NLMSG_ERROR
