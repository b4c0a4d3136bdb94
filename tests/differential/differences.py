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
_LEFT_OUT: Final = (
    "pyvrrpd cannot do this yet, and leaves the instance out rather than run it so that its peers do not hear it: the"
    " file has an error (5) where keepalived is content."
)
_LONG_LINE: Final = "keepalived goes on after 1023 characters of a line as if a new one began; pyvrrpd reads it whole."
_OTHER_FEATURE: Final = "What pyvrrpd has no use for it does not look into, so mistakes in it are not named."
_BRACE_IN_QUOTES: Final = "keepalived takes a quoted word that is a brace for a brace; pyvrrpd takes it for a word."
_CRASH: Final = "keepalived crashes; pyvrrpd names the mistake."

DIFFERENCES: Final = (
    Difference("checkers/misc-user", STATUS, TERMINATED, 6, _OTHER_USER),
    Difference("globals/scripts-user", STATUS, TERMINATED, 6, _OTHER_USER),
    Difference("notify/fifo-user", STATUS, TERMINATED, 6, _OTHER_USER),
    Difference("notify/notify-unquoted", STATUS, TERMINATED, 6, _OTHER_USER),
    Difference("notify/notify-user", STATUS, TERMINATED, 6, _OTHER_USER),
    Difference("tracking/script-own-user", STATUS, TERMINATED, 6, _OTHER_USER),
    Difference("tracking/script-user-nobody", STATUS, TERMINATED, 6, _OTHER_USER),
    Difference("virtual_server/notify-user", STATUS, TERMINATED, 6, _OTHER_USER),
    Difference("checkers/http-no-url", STATUS, CRASHED, 5, _CRASH),
    Difference("substitution/variables-random-bad", STATUS, CRASHED, 5, _CRASH),
    Difference("manpage/*-virtual-server-s", STATUS, CRASHED, ANY, _CRASH),
    *(
        Difference(name, STATUS, 0, 5, _LEFT_OUT)
        for name in (
            "authentication/ah",
            "instance/multicast",
            "instance/multicast-global",
            "instance/strict-unicast",
            "instance/unicast",
            "instance/unicast-fault-no-peer",
            "instance/unicast-one-line",
            "instance/version-2-ipv6",
            "manpage/03-global-definitions",
        )
    ),
    *(
        Difference(f"syntax/{name}", STATUS, 5, 0, _LONG_LINE)
        for name in ("line-of-1024", "line-of-1025", "line-of-1100", "line-of-2100", "long-comment", "long-word")
    ),
    Difference("syntax/quoted-brace", STATUS, 0, 5, _BRACE_IN_QUOTES),
    Difference("syntax/quotes-list", STATUS, 5, 0, _BRACE_IN_QUOTES),
    Difference(
        "order/block-of-root-inside-instance",
        STATUS,
        5,
        6,
        "A block that belongs to the root and stands in an instance ends the instance for pyvrrpd, and is read.",
    ),
    Difference("garp/group-bad", STATUS, 5, 0, _OTHER_FEATURE),
    Difference("instance/routes-bad", STATUS, 2, 5, _OTHER_FEATURE),
    Difference("manpage/04-linkbeat-interfaces", STATUS, 4, 0, _OTHER_FEATURE),
    Difference("manpage/07-static-routes-addresses-rules", STATUS, 2, 5, _OTHER_FEATURE),
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
        "keepalived leaves out a real_server whose address is in backquotes, and the virtual_server with it; pyvrrpd"
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
