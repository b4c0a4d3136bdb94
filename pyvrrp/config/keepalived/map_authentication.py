"""authentication of an instance. Any word there may be a password in the wrong place: no remark shows one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyvrrp.config.keepalived.draft import Draft, scalar
from pyvrrp.config.keepalived.map_transport import Obstacle
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Place, Scalar

_SIZE: Final = 8  # bytes of a password


class Authentication:
    """The blocks of one instance, which count together."""

    def __init__(self) -> None:
        self._block: Statement | None = None
        self._type: Statement | None = None
        self._password: Scalar | None = None
        self._password_place: Place | None = None

    def read(self, scope: Scope, block: Statement) -> None:
        """One block."""
        self._block = self._block or block
        inner = Scope(scope.remarks, f"{scope.path}.{block.keyword}")
        for statement in block.block or ():
            if statement.keyword == "auth_type":
                if statement.arguments[0].text in ("PASS", "AH"):
                    self._type = statement
                else:
                    inner.error(statement, "is neither PASS nor AH; it is left out")
            elif statement.keyword == "auth_pass":
                self._read_password(inner, statement)

    def _read_password(self, scope: Scope, statement: Statement) -> None:
        word = statement.arguments[0]
        encoded = word.text.encode(errors="surrogateescape")
        text = encoded[:_SIZE].decode(errors="surrogateescape")
        if text != word.text:
            scope.error(statement, f"is {len(encoded)} bytes long; the first {_SIZE} are used")
        self._password = Scalar(word.place, text, quoted=True)
        self._password_place = statement.place

    def obstacles(self) -> Iterator[Obstacle]:
        """What keeps the instance from running."""
        if self._type is not None and self._type.arguments[0].text == "AH":
            yield self._type, "auth_type AH is not supported (RFC 3768 removed it)"

    def complete(self, scope: Scope, draft: Draft, reason: str) -> None:
        """Put it into the draft of the instance. `reason` is why there can be none, if so."""
        if self._block is None:
            return
        inner = Scope(scope.remarks, f"{scope.path}.authentication")
        if self._type is None:
            if self._password is not None:
                inner.advise_at(self._block.place, "there is no auth_type; the password is not used, as in keepalived")
            return
        if reason:
            inner.error_at(self._block.place, f"{reason}; it is left out")
            return
        if self._password is None or not self._password.text or self._password_place is None:
            inner.error_at(self._block.place, "there is no auth_pass; it is left out")
            return
        block = Draft(self._block.place)
        block.put("auth_type", self._type.place, scalar(self._type.arguments[0].place, "PASS"))
        block.put("auth_pass", self._password_place, self._password)
        draft.put("authentication", self._block.place, block.node())
