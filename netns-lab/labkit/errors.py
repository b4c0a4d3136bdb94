"""The errors that the laboratory raises on purpose."""

from __future__ import annotations


class LabError(Exception):
    """Something in the laboratory did not come to be; the message is for the operator."""


class DatabaseError(LabError):
    """A server of the laboratory did not answer, or refused a statement."""
