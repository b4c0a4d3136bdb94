"""Names of the core's classes in a recording, and back.

A recording may come from a stranger: a name leads to what the pure core or errors.py define, and to nothing else, so
that reading one can run no other code.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from types import FunctionType
from typing import Final

_PACKAGE: Final = "pyvrrp."
_WITHOUT_MODULE: Final = re.compile(r"core\.(events|effects|settings)(\..*)?")
_DOTTED: Final = re.compile(r"(core|errors)(\.[a-z_0-9]+)*(\.[A-Za-z_0-9]+)+")
_SETTINGS: Final = ("core.events", "core.effects", "core.settings")


def name_of(thing: type | FunctionType) -> str:
    """`TimerDue` for events, effects and settings, `core.guard.Standing` for others. Raises TypeError."""
    return _name(thing.__module__, thing.__qualname__)


@cache
def _name(module: str, name: str) -> str:
    if not _ours(module) or not name.isidentifier():
        raise TypeError(f"{module}.{name} has no form in a recording")
    short = module.removeprefix(_PACKAGE)
    return name if _WITHOUT_MODULE.fullmatch(short) else f"{short}.{name}"


@cache
def thing_called(name: str) -> type | FunctionType:
    """The class or function that `name_of` names. Raises ValueError."""
    places = [(module, name) for module in _SETTINGS]
    if "." in name:
        if not _DOTTED.fullmatch(name):
            raise ValueError(f'"{name}" is no name of a class')
        places = [(name.rpartition(".")[0], name.rpartition(".")[2])]
    for module, last in places:
        try:
            found = getattr(importlib.import_module(_PACKAGE + module), last, None)
        except ImportError:
            continue
        if isinstance(found, type | FunctionType) and _ours(found.__module__):
            return found
    raise ValueError(f'"{name}" is not known to this version')


def _ours(module: str) -> bool:
    return module.startswith(("pyvrrp.core.", "pyvrrp.errors"))
