"""Where pyvrrp differs from keepalived 2.2.7 on purpose: one table, whose reasons stand in docs/keepalived.md.

A difference that is not here fails a test, and so does an entry for what does not differ any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    for files, *rest in rows:
        yield from (Difference(pattern, *rest, reason) for pattern in files.split())


_OTHER_USER: Final = (
    "A configuration with a script that runs as another user ends `keepalived -t` with SIGTERM; pyvrrpd checks it to"
    " its end."
)
_INSTANCE: Final = "vrrp_instance.*"
_ADDRESSES: Final = "vrrp_instance.*.virtual_ipaddress"
_EXCLUDED: Final = "vrrp_instance.*.virtual_ipaddress_excluded"
_CHECKER: Final = "virtual_server.*.checkers.*"

_NOT_YET: Final = (
    *_because(
        "An instance whose adverts pyvrrpd cannot send as its peers expect them (unicast, IPv6, AH, another multicast"
        " group, signed) is left out with an error, and runs in keepalived.",
        (
            "authentication/ah instance/multicast instance/multicast-global instance/strict-unicast instance/unicast"
            " instance/unicast-fault-no-peer instance/unicast-one-line instance/version-2-ipv6"
            " manpage/03-global-definitions",
            STATUS,
            0,
            5,
        ),
        (
            "addresses/ipv6* authentication/ah* instance/multicast instance/multicast-global instance/since-2.4"
            " instance/strict-unicast instance/unicast instance/unicast-fault-no-peer instance/unicast-one-line"
            " instance/version-2-ipv6 samples/SSL_GET",
            _INSTANCE,
            PRESENT,
            ABSENT,
        ),
    ),
    *_because(
        "IPv6 addresses in virtual_ipaddress_excluded are left out with an error; the instance holds its others.",
        ("addresses/mixed-excluded-first addresses/mixed-families-excluded substitution/seqx", STATUS, 0, 5),
        ("addresses/mixed-excluded-first addresses/mixed-families-excluded substitution/seqx", _EXCLUDED, ANY, ANY),
    ),
    *_because(
        "use_vmac and use_ipvlan make no interface: the instance is on the real one, with its MAC address.",
        ("instance/vmac* samples/conditional_conf", "vrrp_instance.*.interface", ANY, "eth0"),
        ("instance/ipvlan", "vrrp_instance.*.interface", "ipv51", "eth0"),
        ("instance/vmac* samples/conditional_conf addresses/use-vmac", _ADDRESSES, ANY, ANY),
    ),
    *_because(
        "BFD_CHECK, and FILE_CHECK of a file with a weight, check nothing: there is no BFD, and no IPVS whose weights"
        " could change.",
        ("checkers/bfd checkers/file", "virtual_server.*.checkers", ANY, []),
    ),
    *_because(
        "What pyvrrpd has no use for it does not look into, so mistakes in it are not all named.",
        ("garp/group-bad", STATUS, 5, 0),
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
        "Unless warmup says otherwise, keepalived's checkers wait at first, for a random part of delay_loop; pyvrrpd's"
        " run at once, so that a node soon knows how it is.",
        surely="checkers/http-defaults",
    ),
    *_because(
        "keepalived does not know nb_get_retry in TCP_CHECK, and tries once; pyvrrpd takes it for retry, as the"
        " tutorials mean it that have it there.",
        ("checkers/tcp-bad virtual_server/old-keywords", f"{_CHECKER}.retry", 1, 3),
    ),
    *_because(
        "A host in SMTP_CHECK that says no connect_timeout has 0 in keepalived; pyvrrpd gives it the checker's.",
        ("checkers/smtp samples/SMTP_CHECK", f"{_CHECKER}.connect_timeout", 0, ANY),
    ),
    *_because(
        "A vrrp_script that only connects, as `</dev/tcp/127.0.0.1/80`, needs a bash that keepalived does not start;"
        " pyvrrpd connects.",
        ("samples/vrrp.localcheck", "vrrp_script.*", PRESENT, ABSENT),
    ),
)

_MISTAKES: Final = (
    *_because(
        "An address in backquotes, as tutorials have it, is an error in both; keepalived leaves it out, and a"
        " virtual_server whose only real_server it is, and pyvrrpd takes it without them.",
        ("addresses/invalid-shapes", _ADDRESSES, [], ANY),
        ("seed virtual_server/real-server-bad-address", "virtual_server.*", ABSENT, PRESENT),
    ),
    *_because(
        "Of a number with a mistake in it (2.5, 24x, x) keepalived says that it is ignored, and uses as much as it"
        " could read (2, 24, 0); pyvrrpd does as it says.",
        ("globals/bad numbers/garp", "*.garp_master_delay", ANY, 5),
        ("numbers/garp", "*.garp_master_repeat", 1, 5),
        ("numbers/down-timer-adverts", "*.down_timer_adverts", 2, 3),
        ("tracking/script-numbers", "vrrp_script.s9.timeout", 2, 1),
        ("tracking/script-weights tracking/track-script-weights", "*.track_script", ANY, ANY),
        ("virtual_server/weights", "*.weight", 0, 1),
        ("syntax/equals-and-semicolon addresses/prefix-bad", _ADDRESSES, ANY, ANY),
    ),
    *_because(
        "keepalived sets whatever is an address; pyvrrpd leaves out what no host can have (0.0.0.0, multicast,"
        " loopback, …), and gives /32 to an address that names a network or is its broadcast address.",
        ("addresses/prefix addresses/special", _ADDRESSES, ANY, ANY),
    ),
    *_because(
        "After a brace too many or too few, or in a block that it does not know, keepalived reads what follows as part"
        " of the wrong block, and loses it; pyvrrpd leaves out the one block, or closes it where a keyword can only"
        " belong to another.",
        ("syntax/block-for-scalar syntax/brace-extra-open syntax/brace-missing-inner", _ADDRESSES, ANY, ANY),
        ("syntax/unknown-block syntax/unknown-block-[!r]*", _ADDRESSES, [], ANY),
        ("syntax/brace-missing-inner syntax/unknown-block", "*.priority", 100, 120),
        ("syntax/brace-extra-open", "*.priority", 120, 100),
        ("syntax/unknown-block-with-known-words", "*.priority", 200, 100),
        ("syntax/brace-missing-inner", "*.virtual_router_id", 52, 51),
        ("syntax/brace-missing-global syntax/brace-missing-inner", _INSTANCE, ABSENT, PRESENT),
        ("virtual_server/in-instance", "virtual_server.*", ABSENT, PRESENT),
        ("manpage/24-parameter-substitution", "virtual_server.*", ANY, ANY),
        ("manpage/15-vrrp-instance-s", STATUS, 5, 2),
        ("order/block-of-root-inside-instance", STATUS, 5, 6),
    ),
    *_because(
        "keepalived takes a quoted word that is a brace for a brace; pyvrrpd takes it for a word.",
        ("syntax/quoted-brace", STATUS, 0, 5),
        ("syntax/quotes-list", STATUS, 5, 0),
    ),
    *_because(
        "keepalived goes on after 1023 characters of a line as if a new one began; pyvrrpd reads it whole.",
        ("syntax/line-of-1024 syntax/line-of-1025 syntax/line-of-[12]100", STATUS, 5, 0),
        ("syntax/line-of-1024 syntax/line-of-1025 syntax/line-of-[12]100", "*.router_id", "lab", ANY),
        ("syntax/long-comment syntax/long-word", STATUS, 5, 0),
    ),
    *_because(
        "A variable that is not defined (`${NOBODY}`) opens a block in keepalived, one that names itself fills the"
        " line, and a # or ! that ${_HASH} or ${_BANG} bring into global_defs begins a comment; pyvrrpd keeps the text"
        " of the first, leaves out the line of the second, and keeps the sign.",
        ("substitution/variables-undefined", "*.router_id", "$", "${NOBODY}$NOBODY"),
        ("substitution/variables-loop", "*.router_id", ANY, "lab"),
        ("substitution/variables-comment-sign", "*.router_id", "lab", "lab#1!"),
    ),
    *_because(
        "Names have at most 128 characters here, and bytes that are not UTF-8 are shown as Latin-1.",
        ("syntax/line-of-10[02][023] syntax/long-word syntax/latin1", "*.router_id", ANY, ANY),
    ),
    *_because(
        "A router_id of nothing is nothing in keepalived, and the host's name in pyvrrpd.",
        ("syntax/quotes-empty", "*.router_id", "", "lab"),
    ),
    *_because(
        "pyvrrpd bounds numbers that cannot be meant: 0.05 s to 100000 s between tries, 100000 runs, weights of 65535.",
        ("tracking/script-numbers", "vrrp_script.s13.rise", 1000000, 100000),
        ("virtual_server/timers-bad", "*.delay_before_retry", 99999999999, 100000),
        ("virtual_server/timers-zero", "*.delay_before_retry", 0, 0.05),
        ("virtual_server/weights", "*.weight", 65536, 65535),
    ),
    *_because(
        "Where vrrp_min_garp is set, keepalived repeats a refresh of ARP 0 times; pyvrrpd once, and none is made unless"
        " garp_master_refresh asks for it.",
        ("garp/min garp/min-off", "*.garp_master_refresh_repeat", 0, 1),
    ),
)

_TESTING: Final = (
    *_because(
        _OTHER_USER,
        (
            "checkers/misc-user globals/scripts-user notify/fifo-user notify/notify-unquoted notify/notify-user"
            " tracking/script-own-user tracking/script-user-nobody virtual_server/notify-user",
            STATUS,
            TERMINATED,
            6,
        ),
    ),
    *_because(
        "Some mistakes crash keepalived (HTTP_GET without url, ${_RANDOM} with its bounds exchanged); pyvrrpd names"
        " them.",
        ("checkers/http-no-url substitution/variables-random-bad", STATUS, CRASHED, 5),
        ("manpage/18-virtual-server-s", STATUS, CRASHED, ANY),
    ),
    *_because(
        "`keepalived -t` never ends when an instance tracks a file that is not defined and one that is; pyvrrpd names"
        " the one that is not.",
        ("tracking/track-file-unknown-first", STATUS, HUNG, 5),
    ),
)

BY_TOPIC: Final = {
    "What is not there yet": _NOT_YET,
    "Checks": _CHECKS,
    "Mistakes in a file": _MISTAKES,
    "The option -t": _TESTING,
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
