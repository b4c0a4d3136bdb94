"""Every test begins with a decoder that remembers nothing."""

from __future__ import annotations

import pytest

from pyvrrp.core.wire import decode


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Adverts decoded by an earlier test would be answered from memory, and a mutant of the decoder would survive."""
    decode.cache_clear()
