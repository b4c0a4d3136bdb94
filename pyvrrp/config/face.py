"""Which of the two languages a configuration file is written in: told by what it says, not by its name alone."""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import Path
from typing import Final

# What a node.yaml begins with; in a file called .conf nothing else makes it one.
_NODE_KEYS: Final = ("router_id", "vrrp_instances", "vrrp_sync_groups", "checks", "virtual_servers", "script_user")
_AFTER_KEYWORD: Final = (b"", *(bytes([byte]) for byte in b" \t\r\f\v{\"'#!"))
_LOOKED_AT: Final = 256 << 10  # bytes; comments may fill many
_FIRST_WORD: Final = re.compile(
    rb"""^[^\S\n]*(?:\xef\xbb\xbf)?(?![#!])["']?([A-Za-z_$~@+][\w.-]*)([^\n]*)""", re.MULTILINE
)


def is_keepalived(path: str) -> bool:
    """Whether the file is a keepalived.conf. One that cannot be read, or has nothing in it, is told by its name."""
    by_name = path.endswith(".conf")
    try:
        if not Path(path).is_file():  # a pipe would be emptied by looking
            return by_name
        with Path(path).open("rb") as file:
            content = file.read(_LOOKED_AT)
    except (OSError, ValueError):
        return by_name
    for match in _FIRST_WORD.finditer(content):
        word, rest = match.group(1).decode(), match.group(2).strip()
        if rest.startswith(b":") and (not by_name or word in _NODE_KEYS):
            return False
        whole = match.group(2)[:1] in _AFTER_KEYWORD
        if (whole and word in _root_keywords()) or (word[0] in "$~@" and not path.endswith((".yaml", ".yml"))):
            return True
    return by_name


def _root_keywords() -> Container[str]:
    from pyvrrp.config.keepalived.keywords import CONTEXTS  # node.yaml does not wait for these

    return CONTEXTS["root"]
