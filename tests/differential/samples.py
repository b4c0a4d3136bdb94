"""The samples that Debian's keepalived package brings."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path("/usr/share/doc/keepalived/samples")
PREFIX: Final = "keepalived.conf."
MISSING: Final = f"no samples in {DIRECTORY}: keepalived is not installed, or without its documentation"


def samples() -> dict[str, bytes]:
    """Name (`samples/vrrp.sync`) → text; empty where the samples are not there."""
    files = sorted(DIRECTORY.glob(f"{PREFIX}*"))
    return {f"samples/{file.name.removeprefix(PREFIX).removesuffix('.gz')}": _text(file) for file in files}


def _text(file: Path) -> bytes:
    data = file.read_bytes()  # Debian compresses documentation above some size
    return gzip.decompress(data) if file.suffix == ".gz" else data
