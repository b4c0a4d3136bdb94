"""Where a story goes otherwise with pyvrrpd than with keepalived 2.2.7, on purpose, with the reason for users.

A difference that is not here fails a test, and so does an entry for what does not differ any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from unittest.mock import ANY

from tests.differential.comparison import Pair
from tests.differential.differences import Difference
from tests.lab.sightings import NOT_SAID, SAID

_NO_WORD_INTO_A_DEAD_LINK: Final = (
    "When the interface has lost its link or its address, keepalived says that it has sent priority 0; nobody can hear"
    " that, and pyvrrpd neither sends nor says it."
)
_ONE_RELEASE: Final = (
    "When an instance goes to FAULT, keepalived sends priority 0 twice in a row; pyvrrpd sends it once."
)
_GROUP_HANDS_OVER: Final = (
    "When one member of a sync group is beaten by a better master, keepalived's other members fall silent, and their"
    " addresses are nowhere until their successor has waited for three intervals; pyvrrpd's hand over with priority 0."
)
_TWO_OWNERS: Final = (
    "Two nodes with priority 255: the first to hear the other lowers itself to 254 in keepalived; in pyvrrpd the one"
    " with the lower address gives way, as in every other tie, and keeps its 255."
)

_HOP_LIMIT: Final = (
    "Without unicast_ttl keepalived leaves the hop limit of unicast adverts over IPv6 to the kernel, which takes 64;"
    " pyvrrpd sends 255, as its manual page has it and as it does over IPv4."
)
_PACED: Final = (
    "With vrrp_garp_interval keepalived forgets garp_master_repeat: it announces the first address twice and each other"
    " one once; pyvrrpd announces each as often as it is told, all of them once before any again."
)

DIFFERENCES: Final = (
    *(
        Difference(story, "log.(VI_1) sent 0 priority", SAID, NOT_SAID, _NO_WORD_INTO_A_DEAD_LINK)
        for story in ("plain", "password", "version 3", "IPv6", "addresses", "no link", "notifications")
    ),
    Difference("no link", "priorities.51", [150, 0, 0], [150], _NO_WORD_INTO_A_DEAD_LINK),
    Difference("no link", "adverts.51.0", ANY, None, _NO_WORD_INTO_A_DEAD_LINK),
    Difference("script without weight", "priorities.51", [150, 0, 0, 150, 0], [150, 0, 150, 0], _ONE_RELEASE),
    Difference("sync group", "priorities.51", [150, 0, 0, 150, 0], [150, 0, 150, 0], _ONE_RELEASE),
    Difference("sync group", "priorities.52", [150, 0, 150, 0], [150, 0, 150, 0, 150, 0], _GROUP_HANDS_OVER),
    Difference("paced", "announcements.announced.192.168.1.200", 2, 3, _PACED),
    Difference("paced", "announcements.announced.192.168.1.210", 1, 3, _PACED),
    Difference("two owners", "priorities.51", [255, 254, 0], [255, 0], _TWO_OWNERS),
    Difference("two owners", "adverts.51.254", ANY, None, _TWO_OWNERS),
    Difference(
        "two owners",
        "log.(VI_1) CONFIGURATION ERROR: local instance and a remote instance are both configured as address owner,"
        " please fix - reducing local priority",
        SAID,
        NOT_SAID,
        _TWO_OWNERS,
    ),
    Difference(
        "two owners",
        "log.(VI_1) Master received advert from 192.168.1.202 with higher priority 255, ours 254",
        SAID,
        NOT_SAID,
        _TWO_OWNERS,
    ),
    Difference(
        "two owners",
        "log.(VI_1) removing VIPs.",
        SAID,
        NOT_SAID,
        "An owner begins as MASTER: keepalived says first that it removes addresses of an earlier life; pyvrrpd does"
        " not remove what it is about to add.",
    ),
    Difference(
        "announcements",
        "announcements.challenged.192.168.1.200",
        6,
        3,
        "A master that hears a worse one announces its addresses anew at each advert in keepalived; pyvrrpd does so at"
        " most once a second, and once more after the last advert.",
    ),
    Difference(
        "file and interface",
        "log.(VI_1) Changing effective priority from 150 to 160",
        SAID,
        NOT_SAID,
        "keepalived reads tracked files before its instances start; pyvrrpd right after, so that the log has the"
        " priority that they change behind BACKUP, not before it.",
    ),
    Difference(
        "reload",
        "log.(VI_1) setting VIPs.",
        SAID,
        NOT_SAID,
        "At each reload keepalived's masters add all their addresses again and say so; pyvrrpd touches what has"
        " changed, and names it.",
    ),
    *(Difference("unicast over IPv6", f"adverts.51.{priority}", ANY, ANY, _HOP_LIMIT) for priority in (150, 0)),
    Difference(
        "reload",
        "log.(VI_1) received an unexpected ip number count 1, expected 2!",
        SAID,
        NOT_SAID,
        "A master with another list of addresses is turned away by keepalived, so that there are two; pyvrrpd follows"
        " it for a while, until the other side is reloaded too, and says so in its own words.",
    ),
)


def unexplained(story: str, found: Mapping[str, Pair]) -> dict[str, Pair]:
    """What differs in a story and stands in no entry."""
    entries = [each for each in DIFFERENCES if each.concerns(story)]
    return {what: pair for what, pair in found.items() if not any(each.explains(what, pair) for each in entries)}


def needless(found: Mapping[str, Mapping[str, Pair]]) -> list[Difference]:
    """Entries that none of these stories needs."""
    return [
        entry
        for entry in DIFFERENCES
        if not any(
            entry.concerns(story) and any(entry.explains(what, pair) for what, pair in pairs.items())
            for story, pairs in found.items()
        )
    ]
