"""Which addresses ought to be in the kernel: a function of where a virtual router stands, never of how it got there."""

from __future__ import annotations

import enum

from pyvrrp.core.settings import VirtualAddress


class Hold(enum.Enum):
    """A virtual router's wish about its addresses.

    KEEP is the time of handing over: what is there stays until the successor speaks, what is gone is not put back.
    """

    HAVE = "have"
    KEEP = "keep"
    CLEAR = "clear"


def desired(
    hold: Hold, addresses: tuple[VirtualAddress, ...], observed: frozenset[VirtualAddress]
) -> frozenset[VirtualAddress]:
    """The subset of `addresses` that should be in the kernel, given which of them are."""
    if hold is Hold.HAVE:
        return frozenset(addresses)
    if hold is Hold.KEEP:
        return observed.intersection(addresses)
    return frozenset()
