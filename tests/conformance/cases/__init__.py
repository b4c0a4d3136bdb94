"""All cases. Importing this fills the table."""

from tests.conformance.case import CASES
from tests.conformance.cases import announcing, discards, elections, life, timers, wire

__all__ = ["CASES", "announcing", "discards", "elections", "life", "timers", "wire"]
