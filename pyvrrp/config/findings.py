"""What is wrong with a file, and what might be better: sentences with the place they are about."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

from pyvrrp.config.model.instance import Authentication
from pyvrrp.config.tree import Path, Place, TreeNode, key_place, value_place
from pyvrrp.config.values import quote
from pyvrrp.errors import ConfigError, Problem

_SECRETS: Final = ("authentication", "password")  # any key below these may be a password in the wrong place
_AFTER_NAME: Final = re.compile("[:=\\s].*", re.DOTALL)


class Findings:
    """Problems and advice about the tree `root`."""

    def __init__(self, root: TreeNode) -> None:
        self._root = root
        self._problems: set[Problem] = set()
        self._advice: set[Problem] = set()

    def value(self, path: Path, message: str) -> None:
        """The value named by `path` cannot be used."""
        self._problems.add(Problem(*value_place(self._root, path), dotted(path), message))

    def key(self, path: Path, message: str) -> None:
        """The key named by `path`, or what is below it as a whole, cannot be used."""
        self._problems.add(Problem(*key_place(self._root, path), dotted(path), message))

    def unknown_key(self, path: Path, known: Iterable[str]) -> None:
        """The key named by `path` means nothing."""
        key = str(path[-1])
        # A blank or a colon forgotten makes a key of a key and its value, which may be a password.
        shown = _AFTER_NAME.sub("", key) if key.startswith("pass") else key.partition(":")[0]
        name = "" if _in_secret(path) else f" {quote(shown)}"
        place = key_place(self._root, path)
        self._problems.add(Problem(*place, dotted(path[:-1]), f"unknown key{name}{suggestion(key, known)}"))

    def repeated_key(self, path: Path, place: Place) -> None:
        """The key named by `path` stands once more at `place`."""
        name = "this key" if _in_secret(path) else f"key {quote(str(path[-1]))}"
        first = key_place(self._root, path).line
        self._problems.add(Problem(*place, dotted(path[:-1]), f"{name} was given before, in line {first}"))

    def advise(self, path: Path, message: str) -> None:
        """The value named by `path` can be used, but something else may be meant."""
        self._advice.add(Problem(*value_place(self._root, path), dotted(path), message))

    def line(self, path: Path) -> int:
        """The line in which the key named by `path` stands."""
        return key_place(self._root, path).line

    def advice(self) -> tuple[Problem, ...]:
        """All advice, in file order. Raises ConfigError when there are problems."""
        if self._problems:
            raise ConfigError(tuple(sorted(self._problems)))
        return tuple(sorted(self._advice))


def dotted(path: Path) -> str:
    """`vrrp_instances.VI_1.virtual_ipaddress`: the keys of a path that may be shown, without positions in lists."""
    while _in_secret(path) and path[-1] not in Authentication.model_fields:
        path = path[:-1]
    return ".".join(part for part in path if isinstance(part, str))


def _in_secret(path: Path) -> bool:
    """Whether the last key of `path` is below a secret; the second part is a name, which may be anything."""
    return any(part in _SECRETS for part in (*path[:1], *path[2:])[:-1])


def suggestion(word: str, known: Iterable[str]) -> str:
    """` (did you mean "priority"?)`, or nothing when no known word is near."""
    words = list(known)
    before, colon, _ = word.partition(":")
    if colon and before in words:
        return f' (a space is missing after "{before}:")'
    near = difflib.get_close_matches(word[:80], words, n=1)
    return f" (did you mean {quote(near[0])}?)" if near else ""
