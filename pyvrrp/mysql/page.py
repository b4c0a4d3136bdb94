"""What status says of a server and of the other node, in words. Pure."""

from __future__ import annotations

from typing import Final

from pyvrrp.mysql.memory import Remembered
from pyvrrp.mysql.other import DEAD, SEEN, Sight
from pyvrrp.mysql.status import Picture

ALONE: Final = {
    "promote": "split brain possible where the nodes cannot hear each other (on_silence: promote)",
    "hold": "no split brain and no failover by silence alone (on_silence: hold)",
}
FORCED: Final = "opened by force, and the other node has not been heard since: its server may be open too"


def mode(mine: Remembered, on_silence: str, *, held_down: bool, forced: bool, lacks: str = "") -> str:
    """What holds now, and last what two nodes without a third voter chose: they cannot have both."""
    words = {
        "paused": mine.paused,
        "drained": mine.drained,
        "diverged (docs/mysql.md says what to do)": bool(mine.errant),
        "held down": held_down,
        f"numbers of transactions may be used twice (its account lacks {lacks})": bool(lacks),
    }
    alone = FORCED if forced else ALONE[on_silence]
    return ", ".join([*(word for word, holds in words.items() if holds), alone])


def semi_sync(picture: Picture) -> str:
    """Semi-synchronous replication, in the role that its server has."""
    now = picture.semi_sync
    if now.names is None:
        return "not installed"
    if now.source:
        many = ": one of them is enough, and it need not be the other node" if now.clients > 1 else ""
        return f"in force, {now.clients} acknowledging{many}" if now.in_force else "fallen back to asynchronous"
    if now.acknowledging and any(one.io == "Yes" for one in picture.replications):
        return "acknowledging"
    return "would acknowledge, and is not connected" if now.acknowledging else "off"


def peer(seen: Sight | None, trouble: str, now: float) -> str:
    """The other node's server as it was seen last; `trouble`: why it could not be asked."""
    if seen is None or now - seen.at > SEEN:
        return f"not known{': ' + trouble if trouble else ''}"
    if seen.open and seen.verdict in DEAD:
        return f"{seen.verdict}: nobody can write" + (
            ", and it is paused (`pyvrrpctl resume` there ends that)" if seen.paused else ""
        )
    paused = ", paused" if seen.paused and seen.open else ""
    verdict = f", {seen.verdict}{paused}" if seen.verdict else paused
    against = f"; it would not take over: {', '.join(seen.against)}" if seen.against else ""
    writes = "closed for a switchover" if seen.lent else "open" if seen.open else "closed"
    return f"writes {writes}{verdict}{against}"
