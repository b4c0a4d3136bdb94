"""What an `include` names, and what it may miss."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pyvrrp.config.content import SIZE_MAX, read_content
from pyvrrp.config.keepalived import globs
from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.tree import Place
from pyvrrp.config.values import quote
from pyvrrp.errors import ConfigError

FILES_MAX: Final = 1000  # that are read
DEPTH_MAX: Final = 10  # of includes in includes

_READABLE, _MATCH, _WILDCARD, _BRACE = "readable", "match", "wildcard_match", "brace_match"
_CHECKS: Final = {
    _READABLE: frozenset({_READABLE}),
    "read": frozenset({_READABLE}),  # what 2.2.7 takes for the manual's `readable`
    _MATCH: frozenset({_READABLE, _MATCH}),
    _WILDCARD: frozenset({_READABLE, _WILDCARD}),
    _BRACE: frozenset({_READABLE, _BRACE}),
}
_ALL: Final = frozenset().union(*_CHECKS.values())
_VARIANTS: Final = {
    "": frozenset[str](),
    "r": _CHECKS[_READABLE],
    "m": _CHECKS[_MATCH],
    "w": _CHECKS[_MATCH] | _CHECKS[_WILDCARD],
    "b": _CHECKS[_BRACE],
    "a": _ALL,
}


class EnoughError(Exception):
    """What is read becomes too much."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


class Includes:
    """The files that are being read, and the checks that are in force."""

    def __init__(self, remarks: Remarks, all_config: bool) -> None:
        self._remarks = remarks
        self._checks = _ALL if all_config else frozenset[str]()
        self._open: list[str] = []
        self._files = self._size = 0

    @contextmanager
    def within(self, file: str) -> Iterator[None]:
        """A file is being read; checks that it sets end with it."""
        checks = self._checks
        self._open.append(os.path.realpath(file))
        yield
        self._open.pop()
        self._checks = checks

    def check(self, options: list[str], place: Place) -> None:
        """Follow `include_check`; a sign adds and removes, without one the set begins anew."""
        if not options:
            self._checks = _ALL
        for i, option in enumerate(options):
            checks = _CHECKS.get(option.lstrip("+-"))
            if checks is None:
                self._remarks.error(place, "", f"include_check knows no {quote(option)}")
            elif option.startswith("-"):
                self._checks -= checks if checks == _CHECKS[_READABLE] else {option[1:]}
            else:
                self._checks = checks | (self._checks if i or option.startswith("+") else frozenset())

    def files(self, variant: str, pattern: str, place: Place) -> Iterator[tuple[str, bytes]]:
        """The files that an include at `place` names, with their contents; what it misses is noted.

        `variant` is the letter behind `include`. Raises EnoughError.
        """
        checks = self._checks | _VARIANTS[variant]
        for path in self._named(pattern, checks, place):
            if (content := self._content(path, checks, place)) is not None:
                yield path, content

    def _named(self, pattern: str, checks: frozenset[str], place: Place) -> list[str]:
        """The files that a pattern names, in its order."""
        directory = Path(place.file).parent
        try:
            names = globs.alternatives(pattern)
            found = [globs.files(name, directory) for name in names]
        except ValueError as error:
            self._remarks.error(place, "", f"include {quote(pattern)}: {error}")
            return []
        if any(found) or not globs.is_wild(pattern):
            missing = [name for name, files in zip(names, found, strict=True) if not files and not globs.is_wild(name)]
            check = _BRACE if "{" in pattern else _MATCH
        else:
            missing, check = [pattern], _WILDCARD
        for name in missing:
            hint = "; quotes are part of the name here" if name.startswith(('"', "'")) else ""
            self._missed(check in checks, place, f"include: there is no file {quote(name)}{hint}")
        return [path for files in found for path in files]

    def _missed(self, refused: bool, place: Place, message: str) -> None:
        if refused:
            self._remarks.refuse(place, message)
        else:
            self._remarks.advise(place, "", message)

    def _content(self, path: str, checks: frozenset[str], place: Place) -> bytes | None:
        """What stands in a file, None when it is not read."""
        if os.path.realpath(path) in self._open:
            self._remarks.error(place, "", f"{quote(path)} includes itself; this include is left out")
            return None
        if len(self._open) > DEPTH_MAX:
            self._remarks.error(place, "", f"files are included more than {DEPTH_MAX} deep; this one is left out")
            return None
        try:
            mode = Path(path).stat().st_mode
            if not stat.S_ISREG(mode) or mode & 0o111:
                self._missed(_READABLE in checks, place, f"{quote(path)} is left out: {_no_configuration(mode)}")
                return None
            content = read_content(path)
        except (OSError, ConfigError) as error:
            reason = error.problems[0].message if isinstance(error, ConfigError) else error.strerror
            self._missed(_READABLE in checks, place, f"{quote(path)} is left out: {reason}")
            return None
        self._files += 1
        self._size += len(content)
        if self._files > FILES_MAX:
            raise EnoughError(place, f"more than {FILES_MAX} files")
        if self._size > SIZE_MAX:
            raise EnoughError(place, f"more than {SIZE_MAX >> 20} MiB of included files")
        return content


def _no_configuration(mode: int) -> str:
    """Why a file is not one that keepalived reads."""
    if stat.S_ISDIR(mode):
        return "it is a directory"
    return "it is executable" if stat.S_ISREG(mode) else "it is not a regular file"
