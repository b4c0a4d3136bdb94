"""Numbers that the RFCs fix, each with its section, and bounds of pyvrrp's own, each with its reason."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final

# --- the wire -------------------------------------------------------------------------------------------------------
PROTOCOL: Final = 112  # IANA protocol number; RFC 3768 5.2.4, RFC 5798 5.1.1.4
GROUP_IPV4: Final = IPv4Address("224.0.0.18")  # RFC 3768 5.2.2, RFC 5798 5.1.1.2
GROUP_IPV6: Final = IPv6Address("ff02::12")  # RFC 5798 5.1.2.2
VMAC_PREFIX: Final = MappingProxyType(  # and the VRID: a virtual router's own MAC, by family; RFC 5798 7.3
    {4: bytes.fromhex("00005e0001"), 6: bytes.fromhex("00005e0002")}
)
ADDRESSES_MAX: Final = MappingProxyType(  # in an advert: one byte counts them (RFC 3768 5.3.5); IPv6 in 1500 bytes
    {4: 255, 6: 89}
)
TTL: Final = 255  # demanded of every received advert, so that none comes through a router; RFC 3768 5.2.3
TOS: Final = 0xC0  # internetwork control, as every implementation sends it
TYPE_ADVERTISEMENT: Final = 1  # RFC 3768 5.3.2, RFC 5798 5.2.2
VERSIONS: Final = (2, 3)

VRID_MIN, VRID_MAX = 1, 255  # RFC 3768 5.3.3, RFC 5798 5.2.3
PRIORITY_RELEASE: Final = 0  # "the current master has stopped participating"; RFC 3768 5.3.4
PRIORITY_OWNER: Final = 255  # the router that owns the address; RFC 3768 5.3.4
PRIORITY_MIN, PRIORITY_MAX = 1, 254  # what a backup may use; RFC 3768 5.3.4
PRIORITY_DEFAULT: Final = 100  # RFC 3768 6.1
WEIGHT_MIN: Final = -253  # a check that takes more away is a fault, as in keepalived

AUTH_NONE: Final = 0  # RFC 3768 5.3.6.1
AUTH_PASS: Final = 1  # RFC 2338 5.3.6.2, kept by every v2 implementation; RFC 3768 reserves it
AUTH_AH: Final = 2  # RFC 2338 5.3.6.3; understood as a number, never accepted
AUTH_DATA_SIZE: Final = 8  # RFC 3768 5.3.10

# --- time -----------------------------------------------------------------------------------------------------------
DOWN_TIMER_ADVERTS: Final = 3  # RFC 3768 6.1: Master_Down_Interval = 3 * Advertisement_Interval + Skew_Time
SKEW_DIVISOR: Final = 256  # RFC 3768 6.1: Skew_Time = (256 - Priority) / 256
CENTISECONDS: Final = 100  # VRRPv3 counts intervals in centiseconds; RFC 5798 5.2.7
ADVERT_INT_V2 = (1, 255)  # seconds, 8 bits; RFC 3768 5.3.7
ADVERT_INT_V3 = (0.01, 40.95)  # 12 bits of centiseconds; RFC 5798 5.2.7

# --- announcing: keepalived's counts, which switches and clients in the field are used to --------------------------
GARP_REPEAT: Final = 5
GARP_DELAY: Final = 5.0

# --- handing over and leasing (ARCHITECTURE.md, "Contracts") -------------------------------------------------------
HANDOVER_MARGIN: Final = 0.1  # seconds beyond the slowest skew: the successor's advert must still be sent and heard
CLOSE_MARGIN: Final = 0.05  # seconds beyond a database's own bound: the answer must still get here
KERNEL_RETRY: Final = 1.0  # seconds before an address that the kernel would not remove is tried again
REFUSED_HOLD: Final = 5.0  # seconds in FAULT after the kernel refused to add an address

# --- seeing trouble -------------------------------------------------------------------------------------------------
LIST_TOLERANCE: Final = 300.0  # seconds for which a peer with another list of addresses is followed: time for a reload
