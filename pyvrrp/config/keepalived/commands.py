"""Scripts of keepalived.conf → COMMAND of node.yaml: their words, who runs them, and whether keepalived would."""

from __future__ import annotations

import functools
import shlex
from typing import Final, NamedTuple

from pyvrrp.config.keepalived.draft import Draft, scalar
from pyvrrp.config.keepalived.remarks import Weight
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.keepalived.words import script_words
from pyvrrp.config.script_security import DEFAULT_USER, Verdict, default_user, examine
from pyvrrp.config.tree import Scalar, TreeNode
from pyvrrp.config.values import quote
from pyvrrp.identity import Identity, exists, identity

_SHELL: Final = "/bin/sh"
_INSECURE: Final = "scripts are run, and enable_script_security is not set in global_defs"


class Owner(NamedTuple):
    """Who runs a script, as it is written; "" is nobody in particular."""

    user: str = ""
    group: str = ""


class Commands:
    """Reads scripts. `usual` runs those that name nobody; `enabled` is enable_script_security."""

    def __init__(self, usual: Owner, enabled: bool) -> None:
        self._usual = usual
        self._enabled = enabled
        self._violation_said = False
        self._examine = functools.cache(examine)

    def of_notify(self, scope: Scope, statement: Statement) -> TreeNode | None:
        """`KEYWORD script [user [group]]`. None where keepalived would not run it; that is remarked."""
        return self.read(scope, statement, owner_of(statement.arguments[1:3]))

    def read(
        self, scope: Scope, statement: Statement, owner: Owner | None = None, *, tracked: bool = False
    ) -> TreeNode | None:
        """A script whose owner stands elsewhere. `tracked`: keepalived's `-t` counts it when it cannot be run."""
        word = scope.word(statement)
        if word is None:
            return None
        words = self._words(scope, statement, word.text)
        if not words:
            return None
        runner = self._runner(scope, statement, owner or Owner(), tracked)
        if runner is None:
            return None
        verdict = self._examine(words[0], *runner, self._enabled)
        self._remark(scope, statement, verdict, tracked)
        if not verdict.runs:
            return None
        words[0] = verdict.program
        return _node(word, words, owner)

    def _words(self, scope: Scope, statement: Statement, text: str) -> list[str]:
        if text.startswith("<"):  # the one thing that keepalived gives to a shell
            return [_SHELL, "-c", text]
        found, opened = script_words(text)
        if 0 <= opened < len(text) - 1:
            scope.error(statement, f"{quote(text)}: a quote is not closed; it is left out")
            return []
        words = [word.text for word in found]
        if not words or not words[0]:
            scope.advise(statement, "names no program; it is left out")
            return []
        return words

    def _runner(self, scope: Scope, statement: Statement, owner: Owner, tracked: bool) -> Identity | None:
        """Who runs it; None, with a remark, when there is nobody of that name."""
        named = owner if owner.user else self._usual
        if not named.user and self._enabled:
            text = f"there is no user {DEFAULT_USER}, and script security does not run as root what names nobody"
            scope.error(statement, f"{text}; it is left out")
            return None
        try:
            if named.user and not exists(named.user):
                raise LookupError(f"there is no user {quote(named.user)}")  # noqa: TRY301  # as identity() does
            return identity(named.user, named.group)
        except LookupError as error:
            remark = scope.error if tracked else scope.advise
            remark(statement, f"{error}; the script is left out")
            return None

    def _remark(self, scope: Scope, statement: Statement, verdict: Verdict, tracked: bool) -> None:
        status = verdict.exit_status(tracked=tracked)
        if not verdict.runs:
            remark = scope.error if status == Weight.ERROR.value else scope.advise
            remark(statement, f"{verdict.sentence}; the script is left out")
        elif verdict.sentence:
            scope.advise(statement, f"{verdict.sentence}: whoever changes it runs as root")
        if status == Weight.SECURITY.value and not self._violation_said:
            self._violation_said = True
            scope.remarks.add(Weight.SECURITY, statement.place, scope.path, _INSECURE)


def owner_of(words: tuple[Scalar, ...]) -> Owner:
    """`user [group]`."""
    return Owner(*(word.text for word in words[:2]))


def usual_owner(user: str, group: str) -> Owner:
    """Who runs what names nobody: script_user, else keepalived_script where there is such a user."""
    return Owner(user, group) if user else Owner(default_user())


def _node(word: Scalar, words: list[str], owner: Owner | None) -> TreeNode:
    text = scalar(word.place, shlex.join(words))
    if owner is None or not owner.user:
        return text
    draft = Draft(word.place)
    draft.put("script", word.place, text)
    draft.put("user", word.place, scalar(word.place, owner.user))
    if owner.group:
        draft.put("group", word.place, scalar(word.place, owner.group))
    return draft.node()
