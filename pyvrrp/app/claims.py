"""The virtual routers that this daemon alone runs on this host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pyvrrp.core.effects import Level
from pyvrrp.core.listening import RouterId
from pyvrrp.errors import PyvrrpError
from pyvrrp.io.claim import Claim

Routers = dict[str, frozenset[RouterId]]  # by interface


class Claims:
    """What is claimed, and answers to others who ask for it. `write` takes a log line."""

    def __init__(self, loop: asyncio.AbstractEventLoop, write: Callable[[Level, str], None]) -> None:
        self._loop = loop
        self._write = write
        self._claims: dict[tuple[str, int, int], Claim] = {}

    def take(self, routers: Routers) -> None:
        """Claim these too. Raises InstanceTakenError, and claims nothing new, when another daemon has one."""
        fresh: dict[tuple[str, int, int], Claim] = {}
        try:
            for interface, family, vrid in sorted(_identities(routers) - self._claims.keys()):
                claim = fresh[interface, family, vrid] = Claim(interface, vrid, f"ipv{family}")
                if claim.squatter:
                    self._write(Level.WARNING, claim.squatter)
        except PyvrrpError:
            for claim in fresh.values():
                claim.close()
            raise
        for claim in fresh.values():
            if not claim.squatter:
                self._loop.add_reader(claim.fileno(), self._answer, claim)
        self._claims |= fresh

    def keep(self, routers: Routers) -> None:
        """Let go of all but these."""
        for key in self._claims.keys() - _identities(routers):
            claim = self._claims.pop(key)
            if not claim.squatter:
                self._loop.remove_reader(claim.fileno())
            claim.close()

    def _answer(self, claim: Claim) -> None:
        try:
            claim.answer()
        except OSError as error:  # no descriptor left to take the asker's; it would be reported again and again
            self._write(Level.ERROR, f"{error}")
            self._loop.remove_reader(claim.fileno())


def _identities(routers: Routers) -> set[tuple[str, int, int]]:
    """As InstanceSettings.identity has them."""
    return {(interface, each.family, each.vrid) for interface, found in routers.items() for each in found}
