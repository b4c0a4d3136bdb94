"""Where pyvrrp differs from keepalived 2.2.7 on purpose: one table, whose reasons stand in docs/keepalived.md.

A difference that is not here fails a test, and so does an entry for what does not differ any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final
from unittest.mock import ANY

from tests.differential.comparison import ABSENT, PRESENT, RUNS, Pair

STATUS: Final = "status"
CRASHED, HUNG, TERMINATED = 139, 124, 143  # statuses as a shell shows them; see keepalived.verdict


@dataclass(frozen=True)
class Difference:
    """`files` are names of the corpus, `what` is STATUS or the path of a value; `*` stands for anything in both.

    ANY stands for any value. `reason` is a sentence for users. All files need the entry, or, where it is about some of
    very many, those that `surely` names.
    """

    files: str
    what: str
    theirs: object
    ours: object
    reason: str
    surely: str = ""

    def concerns(self, name: str) -> bool:
        """Whether it is about this file."""
        return fnmatchcase(name, self.files)

    def needed_by(self, name: str) -> bool:
        """Whether this file must differ so."""
        return fnmatchcase(name, self.surely or self.files)

    def explains(self, what: str, pair: Pair) -> bool:
        """Whether it is about this value, and about this difference in it."""
        return fnmatchcase(what, self.what) and (self.theirs, self.ours) == pair


def _because(reason: str, *rows: tuple[str, str, object, object]) -> Iterator[Difference]:
    """One reason for several differences; the first of a row are the patterns of its files."""
    for files, what, theirs, ours in rows:
        yield from (Difference(pattern, what, theirs, ours, reason) for pattern in files.split())


_OTHER_USER: Final = (
    "A script that runs as another user: `keepalived -t` ends itself with SIGTERM; pyvrrpd checks the file to its end."
)
_OTHER_USERS: Final = (
    "checkers/misc-user globals/scripts-user notify/fifo-user notify/notify-unquoted notify/notify-user"
    " tracking/script-own-user tracking/script-user-nobody virtual_server/notify-user"
)
_INSTANCE: Final = "vrrp_instance.*"
_ADDRESSES: Final = "vrrp_instance.*.virtual_ipaddress"
_EXCLUDED: Final = "vrrp_instance.*.virtual_ipaddress_excluded"
_SERVER: Final = "virtual_server.*"
_CHECKER: Final = "virtual_server.*.checkers.*"

_NOT_YET: Final = (
    *_because(
        "An instance with AH, signed adverts, or IPv6 in VRRPv2, which no RFC knows: pyvrrpd leaves it out and says so,"
        " as the other nodes would not believe it.",
        ("authentication/ah instance/version-2-ipv6 manpage/03-global-definitions", STATUS, 0, 5),
        (
            "authentication/ah* instance/since-2.4 instance/version-2-ipv6 samples/SSL_GET",
            _INSTANCE,
            PRESENT,
            ABSENT,
        ),
    ),
    *_because(
        "`use_ipvlan`, `use_vmac_addr`, and `use_vmac` of one address: pyvrrpd makes no interface; the address is on"
        " the real one, with its own MAC.",
        ("instance/ipvlan", "vrrp_instance.*.source", "10.9.0.51", None),
        ("addresses/use-vmac", _ADDRESSES, ANY, ANY),
    ),
    *_because(
        "`BFD_CHECK`, and `FILE_CHECK` of a file with a weight: pyvrrpd checks nothing, as there is no BFD, and no IPVS"
        " whose weights could change.",
        ("checkers/bfd checkers/file", "virtual_server.*.checkers", ANY, []),
    ),
    *_because(
        "What pyvrrpd has no use for (`linkbeat_interfaces`, …): not all mistakes are named.",
        ("instance/routes-bad manpage/07-static-routes-addresses-rules", STATUS, 2, 5),
        ("manpage/04-linkbeat-interfaces", STATUS, 4, 0),
    ),
)

_CHECKS: Final = (
    Difference(
        "*",
        "virtual_server.*.warmup",
        ANY,
        0,
        "The first run of a checker without `warmup`: keepalived waits for a random part of `delay_loop`; pyvrrpd does"
        " not, so that a node soon knows how it is.",
        surely="checkers/http-defaults",
    ),
    *_because(
        "`nb_get_retry` in `TCP_CHECK`: keepalived does not know it there, and retries once; pyvrrpd takes it for"
        " `retry`, as tutorials mean it.",
        ("checkers/tcp-bad virtual_server/old-keywords", f"{_CHECKER}.retry", 1, 3),
    ),
    *_because(
        "A `host` in `SMTP_CHECK` without `connect_timeout`: it is 0 in keepalived, and the checker's in pyvrrpd.",
        ("checkers/smtp samples/SMTP_CHECK", f"{_CHECKER}.connect_timeout", 0, ANY),
    ),
    *_because(
        "A `vrrp_script` that is a connection of bash's, `</dev/tcp/127.0.0.1/80`: it fails in keepalived where"
        " /bin/sh is not bash; pyvrrpd connects, without a shell.",
        ("samples/vrrp.localcheck", "vrrp_script.*", PRESENT, ABSENT),
    ),
)

_MISTAKES: Final = (
    Difference(
        "*",
        RUNS,
        False,
        True,
        "An interface or a certificate that is not there, a `virtual_router_id` that is missing or taken, a keyword"
        " without its parameter: keepalived does not start; pyvrrpd says the same, and runs what is left. It waits for"
        " the interface.",
        surely="repetition/vrid-instances",
    ),
    Difference(
        "*",
        "vrrp_instance.*.skip_check_adv_addr",
        True,
        False,
        "`skip_check_adv_addr off`: keepalived turns it on, whatever stands behind it; pyvrrpd does as it is told.",
        surely="instance/skip-check",
    ),
    *_because(
        "`vrrp_check_unicast_src`: keepalived does not pass it on to its instances; pyvrrpd does.",
        ("instance/unicast-check-global", "vrrp_instance.V1.check_unicast_src", False, True),
    ),
    *_because(
        "An address in backquotes, as tutorials have it: keepalived leaves it out, and a `virtual_server` that has"
        " no other `real_server`; pyvrrpd takes the address. Both say so.",
        ("addresses/invalid-shapes", _ADDRESSES, [], ANY),
        ("seed virtual_server/real-server-bad-address", _SERVER, ABSENT, PRESENT),
    ),
    *_because(
        "A number with a mistake in it (2.5, 24x, x): keepalived says that it is ignored, but uses what it could read"
        " of it (2, 24, 0); pyvrrpd ignores it.",
        ("globals/bad numbers/garp", "*.garp_master_delay", ANY, 5),
        ("numbers/garp", "*.garp_master_repeat", 1, 5),
        ("numbers/down-timer-adverts", "*.down_timer_adverts", 2, 3),
        ("tracking/script-numbers", "vrrp_script.s9.timeout", 2, 1),
        ("tracking/script-weights tracking/track-script-weights", "*.track_script", ANY, ANY),
        ("virtual_server/weights", "*.weight", 0, 1),
        ("syntax/equals-and-semicolon addresses/prefix-bad", _ADDRESSES, ANY, ANY),
    ),
    *_because(
        "An address that no host can have (0.0.0.0, 127.0.0.1, multicast): keepalived sets it; pyvrrpd leaves it out."
        " One that names a network, or is its broadcast address, pyvrrpd sets as a /32, or /128.",
        ("addresses/prefix addresses/special", _ADDRESSES, ANY, ANY),
    ),
    *_because(
        "A brace too many or too few, a block that nobody knows: keepalived reads what follows as part of the wrong"
        " block, and loses it; pyvrrpd leaves out that one block, and ends one where a keyword begins that can only"
        " belong to another.",
        ("syntax/block-for-scalar syntax/brace-extra-open syntax/brace-missing-inner", _ADDRESSES, ANY, ANY),
        ("syntax/unknown-block syntax/unknown-block-[!r]*", _ADDRESSES, [], ANY),
        ("syntax/brace-missing-inner syntax/unknown-block", "*.priority", 100, 120),
        ("syntax/brace-extra-open", "*.priority", 120, 100),
        ("syntax/unknown-block-with-known-words", "*.priority", 200, 100),
        ("syntax/brace-missing-inner", "*.virtual_router_id", 52, 51),
        ("syntax/brace-missing-global syntax/brace-missing-inner", _INSTANCE, ABSENT, PRESENT),
        ("virtual_server/in-instance", _SERVER, ABSENT, PRESENT),
        ("manpage/24-parameter-substitution", _SERVER, ANY, ANY),
        ("manpage/15-vrrp-instance-s", STATUS, 5, 2),
        ("order/block-of-root-inside-instance", STATUS, 5, 6),
    ),
    *_because(
        "A brace in quotes: keepalived takes it for a brace; pyvrrpd takes it for a word.",
        ("syntax/quoted-brace", STATUS, 0, 5),
        ("syntax/quotes-list", STATUS, 5, 0),
    ),
    *_because(
        "A line of more than 1023 characters: keepalived goes on as if a new one began there; pyvrrpd reads it whole.",
        ("syntax/line-of-1024 syntax/line-of-1025 syntax/line-of-[12]100", STATUS, 5, 0),
        ("syntax/line-of-1024 syntax/line-of-1025 syntax/line-of-[12]100", "*.router_id", "lab", ANY),
        ("syntax/long-comment syntax/long-word", STATUS, 5, 0),
    ),
    *_because(
        "A variable that is not defined: `${NAME}` opens a block in keepalived, and stays as it stands in pyvrrpd.",
        ("substitution/variables-undefined", "*.router_id", "$", "${NOBODY}$NOBODY"),
    ),
    *_because(
        "A variable that names itself: keepalived repeats it until the line is full; pyvrrpd leaves the line out.",
        ("substitution/variables-loop", "*.router_id", ANY, "lab"),
    ),
    *_because(
        "`${_HASH}` and `${_BANG}` in `global_defs`, outside quotes: their sign begins a comment in keepalived; pyvrrpd"
        " takes it as it is meant.",
        ("substitution/variables-comment-sign", "*.router_id", "lab", "lab#1!"),
    ),
    *_because(
        "Names: pyvrrpd shows at most 128 characters of them, and bytes that are not UTF-8 as Latin-1; an empty"
        " `router_id` is the host's name.",
        ("syntax/line-of-10[02][023] syntax/long-word syntax/latin1", "*.router_id", ANY, ANY),
        ("syntax/quotes-empty", "*.router_id", "", "lab"),
    ),
    *_because(
        "Numbers beyond use: pyvrrpd takes 0.05 s to 100000 s for a delay, 100000 for a count of runs, 65535 for the"
        " weight of a `real_server`, and says so.",
        ("tracking/script-numbers", "vrrp_script.s13.rise", 1000000, 100000),
        ("virtual_server/timers-bad", "*.delay_before_retry", 99999999999, 100000),
        ("virtual_server/timers-zero", "*.delay_before_retry", 0, 0.05),
        ("virtual_server/weights", "*.weight", 65536, 65535),
    ),
    *(
        Difference(
            "*",
            f"{_SERVER}.{keyword}",
            theirs,
            ours,
            "Only `real_server`s of weight 0: keepalived makes `quorum` 0 and `hysteresis` 4294967295 of it, pyvrrpd 1"
            " and 0; the quorum is never reached in either.",
            surely="virtual_server/weights-zero",
        )
        for keyword, theirs, ours in (("quorum", 0, 1), ("hysteresis", 2**32 - 1, 0))
    ),
    *_because(
        "`vrrp_min_garp`: unless it is said, `garp_master_refresh_repeat` is 0 in keepalived, and 1 in pyvrrpd.",
        ("garp/min garp/min-off", "*.garp_master_refresh_repeat", 0, 1),
    ),
)

_TESTING: Final = (
    *_because(
        _OTHER_USER,
        (_OTHER_USERS, STATUS, TERMINATED, 6),
    ),
    *_because(
        "`HTTP_GET` without `url`, bounds of `${_RANDOM}` in the wrong order: keepalived crashes; pyvrrpd says so.",
        ("checkers/http-no-url substitution/variables-random-bad", STATUS, CRASHED, 5),
        ("manpage/18-virtual-server-s", STATUS, CRASHED, ANY),
    ),
    *_because(
        "A `track_file` that is not defined, tracked before one that is: `keepalived -t` never ends; pyvrrpd names it.",
        ("tracking/track-file-unknown-first", STATUS, HUNG, 5),
    ),
)

BY_TOPIC: Final = {
    "What is not there yet": _NOT_YET,
    "Checks": _CHECKS,
    "Mistakes in a file": _MISTAKES,
    "Files that end `keepalived -t`": _TESTING,
}
DIFFERENCES: Final = tuple(each for differences in BY_TOPIC.values() for each in differences)


def about_other_users(name: str) -> bool:
    """Whether a file is about scripts of other users, which some machines do not let one have."""
    return any(each.concerns(name) and each.reason is _OTHER_USER for each in DIFFERENCES)


def unexplained(name: str, found: Mapping[str, Pair]) -> dict[str, Pair]:
    """What differs in a file, by STATUS or path, and stands in no entry."""
    entries = [each for each in DIFFERENCES if each.concerns(name)]
    return {what: pair for what, pair in found.items() if not any(each.explains(what, pair) for each in entries)}


def outdated(name: str, found: Mapping[str, Pair], *, status: bool) -> list[Difference]:
    """Entries that a file must need, those about STATUS or the others, and does not."""
    entries = [each for each in DIFFERENCES if each.needed_by(name) and (each.what == STATUS) == status]
    return [each for each in entries if not any(each.explains(what, pair) for what, pair in found.items())]
