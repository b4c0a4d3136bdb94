"""Where pyvrrp differs from keepalived 2.2.7 on purpose: one table, from which docs/keepalived.md gets its sentences.

A difference that is not here fails a test, and so does an entry for what does not differ any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final
from unittest.mock import ANY

from tests.differential.comparison import ABSENT, PRESENT, Pair

STATUS: Final = "status"
CRASHED, HUNG, TERMINATED = 139, 124, 143  # statuses as a shell shows them; see keepalived.verdict


@dataclass(frozen=True)
class Difference:
    """`files` are names of the corpus, `what` is STATUS or the path of a value; `*` stands for anything in both.

    ANY stands for any value. `reason` is a sentence for users.
    """

    files: str
    what: str
    theirs: object
    ours: object
    reason: str

    def concerns(self, name: str) -> bool:
        """Whether it is about this file."""
        return fnmatchcase(name, self.files)

    def explains(self, what: str, pair: Pair) -> bool:
        """Whether it is about this value, and about this difference in it."""
        return fnmatchcase(what, self.what) and (self.theirs, self.ours) == pair


_OTHER_USER: Final = (
    "keepalived -t ends itself with SIGTERM when a script of the configuration runs as another user; pyvrrpd checks the"
    " file to its end."
)
_UNKNOWN_BLOCK: Final = (
    "In keepalived the closing brace of a block that it does not know ends the block around it, so that the rest of an"
    " instance is lost; pyvrrpd leaves out the unknown block and no more."
)
_NB_GET_RETRY: Final = (
    "keepalived does not know nb_get_retry in TCP_CHECK and tries once; pyvrrpd takes it for retry, as it was meant."
)
_CRASH: Final = "keepalived crashes; pyvrrpd names the mistake."

DIFFERENCES: Final = (
    Difference("checkers/misc-user", STATUS, TERMINATED, 0, _OTHER_USER),
    Difference("globals/scripts-user", STATUS, TERMINATED, 0, _OTHER_USER),
    Difference("notify/fifo-user", STATUS, TERMINATED, 0, _OTHER_USER),
    Difference("notify/notify-unquoted", STATUS, TERMINATED, 0, _OTHER_USER),
    Difference("notify/notify-user", STATUS, TERMINATED, 0, _OTHER_USER),
    Difference("tracking/script-own-user", STATUS, TERMINATED, 0, _OTHER_USER),
    Difference("tracking/script-user-nobody", STATUS, TERMINATED, 0, _OTHER_USER),
    Difference("virtual_server/notify-user", STATUS, TERMINATED, 0, _OTHER_USER),
    Difference("checkers/http-no-url", STATUS, CRASHED, 5, _CRASH),
    Difference("substitution/variables-random-bad", STATUS, CRASHED, 5, _CRASH),
    Difference("manpage/*-virtual-server-s", STATUS, CRASHED, ANY, _CRASH),
    Difference(
        "tracking/track-file-unknown-first",
        STATUS,
        HUNG,
        5,
        "keepalived -t never ends when an instance tracks a file that is not defined and one that is; pyvrrpd names the"
        " file that is missing.",
    ),
    Difference(
        "seed",
        "virtual_server.*",
        ABSENT,
        PRESENT,
        "keepalived leaves out a real_server whose address stands in backquotes, and the virtual_server with it; pyvrrpd"
        " says so and takes the address.",
    ),
    Difference("syntax/unknown-block", "vrrp_instance.V.priority", 100, 120, _UNKNOWN_BLOCK),
    Difference("syntax/unknown-block-with-known-words", "vrrp_instance.V.priority", 200, 100, _UNKNOWN_BLOCK),
    *(
        Difference(f"syntax/unknown-block{which}", "vrrp_instance.V.virtual_ipaddress", [], ANY, _UNKNOWN_BLOCK)
        for which in ("", "-next-line", "-one-line", "-with-known-words")
    ),
    Difference("checkers/tcp-bad", "virtual_server.*.checkers.1.retry", 1, 3, _NB_GET_RETRY),
    Difference("virtual_server/old-keywords", "virtual_server.*.checkers.1.retry", 1, 3, _NB_GET_RETRY),
)


def about_other_users(name: str) -> bool:
    """Whether a file is about scripts of other users, which some machines do not let one have."""
    return any(each.concerns(name) and each.reason is _OTHER_USER for each in DIFFERENCES)


def unexplained(name: str, found: Mapping[str, Pair]) -> dict[str, Pair]:
    """What differs in a file, by STATUS or path, and stands in no entry."""
    entries = [each for each in DIFFERENCES if each.concerns(name)]
    return {what: pair for what, pair in found.items() if not any(each.explains(what, pair) for each in entries)}


def outdated(name: str, found: Mapping[str, Pair], *, status: bool) -> list[Difference]:
    """Entries for a file, those about STATUS or the others, that nothing in it needs."""
    entries = [each for each in DIFFERENCES if each.concerns(name) and (each.what == STATUS) == status]
    return [each for each in entries if not any(each.explains(what, pair) for what, pair in found.items())]
