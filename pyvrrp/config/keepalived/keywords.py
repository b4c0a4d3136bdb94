"""The one table of keywords: every one of keepalived 2.2.7 and 2.4, where it may stand, and what becomes of it here.

Which ones 2.2.7 knows, and what they demand, was found out by running it (Debian's build).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyvrrp.config.keepalived.keyword import Keyword
from pyvrrp.config.keepalived.keywords_global import GLOBAL
from pyvrrp.config.keepalived.keywords_service import SERVICE
from pyvrrp.config.keepalived.keywords_vrrp import VRRP

# A context is called as the keyword that opens it; "root" is the file itself.
ROWS: Final[Mapping[str, tuple[Keyword, ...]]] = {**GLOBAL, **VRRP, **SERVICE}

CONTEXTS: Final[Mapping[str, Mapping[str, Keyword]]] = {
    context: {row.name: row for row in rows} for context, rows in ROWS.items()
}
