"""Each kind of fault: how it is done, and what the protocol and the lease allow it to cost.

The terms, at advert_int T:
* down: a backup takes over after 3 T and its skew time, (256 - priority) / 256 T, of silence (RFC 5798 section 6.1).
  The silence began with the last advert, up to T before the fault, which makes the gap shorter, never longer.
* lease: the kernel takes the address of a dead agent away. It looks at leases whenever one is given or renewed, and
  then a second later at the earliest (ADDRCONF_TIMER_FUZZ_MAX in its net/ipv4/devinet.c), so up to a second late.
* hand-over: two processes act on one advert, one after the other. That costs what the machine takes to run them, and
  is in the margin that every episode has.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Final

from soak.judge import Allowance
from soak.plan import MASTER, PART, Fault
from soak.world import World, other

KERNEL: Final = 1.0  # seconds until the kernel looks at a lease that is over
# A backup asks whether the address is free before it takes it, and while somebody answers again after 0.2 s
# (core/duplicate.py); a question goes out 0.3 s before its answer is needed, at most.
ASKING: Final = 0.2 + 0.3

Work = Callable[[World, Fault, str, Allowance], None]


def perform(world: World, fault: Fault, allowance: Allowance) -> None:
    """Do it to whoever is master or backup now, and undo it; `allowance` gets what it may cost."""
    victim = world.master if fault.victim == MASTER else world.backup
    _WORK[fault.kind](world, fault, victim, allowance)


def _kill(world: World, fault: Fault, victim: str, allowance: Allowance) -> None:
    """SIGKILL of an agent; its host lives on, and it is started again after a while."""
    if fault.victim == MASTER:
        _silence(world, victim, allowance)
        allowance.add("an agent that starts removes what an earlier one left", gap=world.down(other(victim)))
    world.kill(victim)
    world.sleep(fault.seconds)
    world.start(victim)


def _kill_both(world: World, fault: Fault, _victim: str, allowance: Allowance) -> None:
    """Both agents at once: nobody can take over until one of them runs again."""
    first = world.backup
    for node in (world.master, world.backup):
        world.kill(node)
    world.sleep(fault.seconds)
    took = world.start(first)
    allowance.add("no agent runs", gap=fault.seconds)
    allowance.add("until it says that it is BACKUP", gap=took)
    _silence(world, other(first), allowance)
    world.start(other(first))


def _stop(world: World, fault: Fault, victim: str, allowance: Allowance) -> None:
    """SIGSTOP and SIGCONT: as dead as after SIGKILL for a while, but then it wakes up and believes to be master."""
    if fault.victim == MASTER:
        _silence(world, victim, allowance)
        allowance.add("who wakes up too late gives way at once, perhaps to nobody yet", gap=world.down(victim))
    world.signal(victim, signal.SIGSTOP)
    world.sleep(fault.seconds)
    world.signal(victim, signal.SIGCONT)


def _cut(world: World, fault: Fault, victim: str, allowance: Allowance) -> None:
    """The cable is pulled and put back: the node sees that it has no network, and lets go at once."""
    if fault.victim == MASTER:
        down = max(world.down(node) for node in (victim, other(victim)))
        allowance.add("the backup waits for its master-down interval; after a short cut the master waits too", gap=down)
    world.cut(victim)
    world.sleep(fault.seconds)
    world.mend(victim)


def _part(world: World, fault: Fault, victim: str, allowance: Allowance) -> None:
    """The switch forwards nothing between them, and neither can know."""
    interval = world.routers[victim].advert_int
    allowance.add("they cannot hear each other: both are master", overlap=fault.seconds)
    allowance.add("until the next advert after that", overlap=interval)
    world.part(victim)
    world.sleep(fault.seconds)
    world.mend(victim)


def _delete(world: World, _fault: Fault, victim: str, allowance: Allowance) -> None:
    """Somebody deletes the address from the master's interface."""
    allowance.add("the kernel tells, and the agent puts it back: nothing that needs waiting")
    world.delete(victim)


def _reload(world: World, fault: Fault, victim: str, allowance: Allowance) -> None:
    """Another priority by SIGHUP; the other node may become the better one."""
    theirs = world.routers[other(victim)].priority
    priority = fault.priority + (fault.priority == theirs)
    allowance.add("the better one takes over from the living: nothing that needs waiting")
    world.reload(victim, priority)


def _check(world: World, fault: Fault, victim: str, allowance: Allowance) -> None:
    """The service behind the address dies, and is started again."""
    allowance.add("the address stays until the successor speaks")
    mark = world.watch.mark()
    world.fail(victim)
    world.sleep(fault.seconds)
    world.serve(victim)
    # A short outage may fall between two checks; one that was noticed takes another check to be forgiven.
    world.sleep(CHECKED)
    if any("FAULT STATE" in getattr(each, "text", "") for each in world.watch.seen[mark:]):
        world.wait_line(victim, "Entering BACKUP STATE", mark)


def _rival(world: World, fault: Fault, _victim: str, allowance: Allowance) -> None:
    """A foreign master, that holds nothing."""
    if fault.rival in ("higher", "equal"):
        allowance.add("a better master speaks, and has the right to", gap=fault.seconds)
        allowance.add("until it counts as down", gap=min(world.down(node) for node in world.routers))
    else:
        allowance.add("who is worse, or not one of us, changes nothing")
    with world.foreign_master(fault.rival):
        world.sleep(fault.seconds)


CHECKED: Final = 1.2  # seconds until a check of one a second has run once more


def _silence(world: World, silent: str, allowance: Allowance) -> None:
    """The node's agent says nothing any more, and cannot let go of the address."""
    allowance.add("the backup waits for its master-down interval", gap=world.down(other(silent)))
    if world.lease:
        allowance.add("the lease, and until the kernel looks at it", overlap=world.lease + KERNEL)
        allowance.add("the backup asks whether the address is free", gap=ASKING)


_WORK: Final[Mapping[str, Work]] = {
    "kill": _kill,
    "kill both": _kill_both,
    "stop": _stop,
    "cut": _cut,
    PART: _part,
    "delete": _delete,
    "reload": _reload,
    "check": _check,
    "rival": _rival,
}
