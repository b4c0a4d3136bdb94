"""Loads the hypothesis profile for these tests."""

from __future__ import annotations

from tests.property import profiles

profiles.load()
