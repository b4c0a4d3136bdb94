"""The files that the pattern of an `include` names: csh braces, then wildcards, as glob(3) with GLOB_BRACE has them."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

LENGTH_MAX: Final = 4096  # PATH_MAX
BRACES_MAX: Final = 16  # more make more names than anybody writes
NAMES_MAX: Final = 1000  # that braces may make
SCAN_MAX: Final = 100_000  # directory entries that are looked at for one pattern

_WILD: Final = re.compile(r"(?<!\\)[*?\[]")
_ESCAPED: Final = re.compile(r"\\(.)")


def is_wild(pattern: str) -> bool:
    """Whether it has wildcards."""
    return _WILD.search(pattern) is not None


def alternatives(pattern: str) -> list[str]:
    """The patterns without braces that `pattern` stands for, in its order. Raises ValueError when it is too much."""
    if len(pattern) > LENGTH_MAX:
        raise ValueError(f"more than {LENGTH_MAX} characters")
    if pattern.count("{") > BRACES_MAX:
        raise ValueError(f"more than {BRACES_MAX} braces")
    found = list(islice(_alternatives(pattern), NAMES_MAX + 1))
    if len(found) > NAMES_MAX:
        raise ValueError(f"the braces make more than {NAMES_MAX} names")
    return found


def _alternatives(pattern: str) -> Iterator[str]:
    begin = pattern.find("{")
    parts: list[str] = []
    depth, at = 0, begin + 1
    for i in range(begin, len(pattern)) if begin >= 0 else ():
        char = pattern[i]
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth == 0 or (depth == 1 and char == ","):
            parts.append(pattern[at:i])
            at = i + 1
        if depth == 0:
            for part in parts:
                yield from _alternatives(pattern[:begin] + part + pattern[i + 1 :])
            return
    yield pattern


def files(pattern: str, directory: Path) -> list[str]:
    """What is there that a pattern without braces names, seen from `directory`, sorted.

    Raises ValueError when finding out takes too long.
    """
    found = [Path("/") if pattern.startswith("/") else directory]
    room = SCAN_MAX
    for part in filter(None, pattern.split("/")):
        if not is_wild(part):
            found = [each / _ESCAPED.sub(r"\1", part) for each in found]
            continue
        matching = re.compile(fnmatch.translate(_ESCAPED.sub(r"[\1]", part).replace("[^", "[!"))).match
        below: list[Path] = []
        for each in found:
            for name in _names(each):
                room -= 1
                if room < 0:
                    raise ValueError("the wildcards lead through too many directories")
                if matching(name) and (part.startswith(".") or not name.startswith(".")):
                    below.append(each / name)
        found = below
    return sorted(str(each) for each in found if os.path.lexists(each))


def _names(directory: Path) -> list[str]:
    try:
        return [each.name for each in directory.iterdir()]
    except OSError:
        return []
