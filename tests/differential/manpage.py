"""The examples of keepalived.conf(5): what stands there as it is typed, some to be used so, most to show a syntax."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PAGE: Final = Path("/usr/share/man/man5/keepalived.conf.5.gz")
MISSING: Final = f"no {PAGE}: keepalived is not installed, or without its manual"

_FONT: Final = re.compile(r"\\f[BIRP]")
_SECTION: Final = re.compile(r'\.SH "?([^"]*)"?')
_INTRODUCTION: Final = re.compile(r"The .*:")  # of what follows; not to be typed
_65024_INSTANCES: Final = "$VI4"  # more than keepalived reads in half a minute


def examples() -> dict[str, str]:
    """Name (`manpage/17-vrrp-instance-s`) → text, in the order of the page; empty where there is no page."""
    if not PAGE.exists():
        return {}
    source = gzip.decompress(PAGE.read_bytes()).decode()
    blocks = (block for block in _blocks(source) if _65024_INSTANCES not in block[1])
    return {f"manpage/{number:02}-{_slug(title)}": text for number, (title, text) in enumerate(blocks, 1)}


def _blocks(source: str) -> Iterator[tuple[str, str]]:
    """The blocks between `.nf` and `.fi` (lines as they are), with the heading above them."""
    title, block = "", list[str]()
    inside = False
    for line in source.splitlines():
        heading = _SECTION.match(line)
        if heading:
            title = heading[1]
        elif line == ".nf":
            block, inside = [], True
        elif line == ".fi":
            yield title, "".join(f"{each}\n" for each in block)
            inside = False
        elif inside and not line.startswith(".") and not _INTRODUCTION.fullmatch(line):
            block.append(_plain(line))


def _plain(line: str) -> str:
    """A line as `man` shows it."""
    return _FONT.sub("", line).replace(r"\e", "\\").replace("\\'", "'").replace(r"\-", "-").replace("\\\\", "\\")


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
