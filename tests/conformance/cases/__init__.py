"""All cases. Importing this fills the table."""

from tests.conformance.case import CASES
from tests.conformance.cases import announcing, discards, elections, ipv6, life, timers, unicast, vmac, wire

__all__ = ["CASES", "announcing", "discards", "elections", "ipv6", "life", "timers", "unicast", "vmac", "wire"]
