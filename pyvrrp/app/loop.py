"""The heart: event → node.handle → perform effects → re-arm one timer.

Nothing here decides. What the effects ask for is done in their order (core/effects.py), with three liberties that the
contract grants: the renewals of one turn go to the kernel together, so do its resets, and log lines are written after
the work, before others are told of it.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from pyvrrp.app.lookout import Lookout
from pyvrrp.app.wires import Wires
from pyvrrp.core.effects import (
    Action,
    Announce,
    CloseWrites,
    Effect,
    Invite,
    Level,
    Notify,
    OpenWrites,
    Operation,
    Reconcile,
    ReconcileRoutes,
    Record,
    RefuseConnections,
    RenewLease,
    ResetConnections,
    RouteOperation,
    SendAdvert,
)
from pyvrrp.core.events import (
    AdvertFailed,
    AdvertPassed,
    EffectDone,
    EffectFailed,
    Event,
    RouteFailed,
    RoutesDone,
    TimerDue,
)
from pyvrrp.core.node import Node
from pyvrrp.core.settings import Address
from pyvrrp.errors import KernelError
from pyvrrp.io.netlink import Kernel
from pyvrrp.io.sockdiag import reset_connections
from pyvrrp.recording.tap import Core

_STALL = 0.002  # seconds; a timer of a loop that runs is this late at most, mostly by a tenth of it
_ROUNDS, _ROUND = 2, 0.02  # rounds of 64 adverts that are heard after a stall, one more for so many seconds of it
_LONG = 0.05  # seconds; a turn that takes longer (a large reload) is a stall of its own


class Heart:
    """Feeds one node and performs what it asks.

    `write` takes the records, `notify` what others are told, `attend` what concerns a database; `finish` is called once
    the node is done.
    """

    def __init__(
        self,
        node: Node,
        kernel: Kernel,
        wires: Wires,
        lookout: Lookout,
        change_routes: Callable[[Sequence[RouteOperation]], list[KernelError | None]],
        write: Callable[[Record], None],
        notify: Callable[[Notify], None],
        finish: Callable[[], None],
        attend: Callable[[OpenWrites | CloseWrites | RefuseConnections | Invite], None],
    ) -> None:
        self._node: Core = node
        self._kernel = kernel
        self._wires = wires
        self._lookout = lookout
        self._change_routes = change_routes
        self._write = write
        self._notify = notify
        self._finish = finish
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._ended = self._loop.time()  # the latest turn
        self._stalled = 0.0  # for how long the loop stood still while its timer was due
        self._unsent: set[str] = set()  # instances whose last advert did not leave
        self._unreachable: set[tuple[str, Address]] = set()  # instances, and peers that theirs did not leave to
        self._left: dict[str, list[OSError | None]] = {}  # what became of this turn's adverts, by instance
        self._renewals: list[RenewLease] = []
        self._doomed: list[Address] = []  # whose connections this turn resets
        self._records: list[Record] = []
        self._news: list[Notify] = []
        self._answers: deque[Event] = deque()
        self._performers: dict[type, Callable[..., None]] = {
            SendAdvert: self._send,
            RenewLease: self._renewals.append,
            Reconcile: self._apply,
            ReconcileRoutes: self._apply_routes,
            Announce: self._announce,
            ResetConnections: self._reset,
            Record: self._records.append,
            Notify: self._news.append,
            OpenWrites: attend,
            CloseWrites: attend,
            RefuseConnections: attend,
            Invite: attend,
        }

    def deliver(self, events: Iterable[Event]) -> None:
        """Hand events to the node, in order, and do everything that follows from them."""
        self._turn(events, self._loop.time())

    def deliver_one(self, event: Event) -> None:
        """`deliver` for a single event."""
        self.deliver((event,))

    def insert(self, core: Core) -> None:
        """From now on what happens goes to `core`: the node, or a tap in front of it."""
        self._node = core

    def _timer_due(self) -> None:
        due, self._timer, self._due = self._due, None, None
        if due is not None:
            self._note_stall(due, self._loop.time())
        if self._stalled:
            # A loop that stood still is told of its timers before its sockets, but what was heard came first.
            rounds, self._stalled = _ROUNDS + int(self._stalled / _ROUND), 0.0
            self._wires.listen(rounds)
            self._lookout.listen()
        now = self._loop.time()
        # A timer may fire a hair early; the node must never take that for "not due yet".
        self._turn((TimerDue(),), now if due is None else max(due, now))

    def _note_stall(self, due: float, now: float) -> None:
        """A loop that had a turn since is only busy: it has heard what came first, and must not be held up by more."""
        if now - due > _STALL and self._ended < due:
            self._stalled = now - due

    def _turn(self, events: Iterable[Event], now: float) -> None:
        if self._due is not None:
            self._note_stall(self._due, now)
        self._perform([effect for event in events for effect in self._node.handle(event, now)])
        while self._answers:
            self._perform(self._node.handle(self._answers.popleft(), self._loop.time()))
        self._close_turn(now)

    def _close_turn(self, now: float) -> None:
        if self._records:
            for record in self._records:
                self._write(record)
            self._records.clear()
        if self._news:
            for news in self._news:
                self._notify(news)
            self._news.clear()
        if self._node.stopping and self._node.done:
            self._finish()
        self._arm()
        self._ended = self._loop.time()
        if self._due is not None and self._ended - max(now, self._due) > _LONG:
            self._stalled = self._ended - max(now, self._due)

    def _arm(self) -> None:
        due = self._node.next_deadline()
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None if due is None else self._loop.call_at(due, self._timer_due)

    # --- effects ------------------------------------------------------------------------------------------------------

    def _perform(self, effects: list[Effect]) -> None:
        self._doomed = [each for effect in effects if type(effect) is ResetConnections for each in effect.addresses]
        for effect in effects:
            self._performers[type(effect)](effect)
        if self._renewals:
            self._renew()
        if self._left:
            self._settle()

    def _send(self, effect: SendAdvert) -> None:
        error = self._wires.send(effect)
        self._left.setdefault(effect.instance, []).append(error)
        to = (effect.instance, effect.destination)
        words = f"{effect.interface} to {effect.destination}"
        if error is None and to in self._unreachable:
            self._unreachable.discard(to)
            self._records.append(Record(Level.NOTICE, effect.instance, f"adverts leave {words} again"))
        elif error is not None and to not in self._unreachable:
            self._unreachable.add(to)
            self._records.append(
                Record(Level.ERROR, effect.instance, f"adverts cannot leave {words}: {error.strerror or error}")
            )

    def _settle(self) -> None:
        """Answer for the adverts of this turn; of those to several peers one that left is enough."""
        for instance, errors in self._left.items():
            failures = [each for each in errors if each is not None]
            if len(failures) == len(errors):
                self._unsent.add(instance)
                self._answers.append(AdvertFailed(instance, failures[0].strerror or str(failures[0])))
            elif instance in self._unsent:
                self._unsent.discard(instance)
                self._answers.append(AdvertPassed(instance))
        self._left.clear()

    def _renew(self) -> None:
        """Leases whose adverts were sent; one that was not sent must not keep its address alive."""
        self._settle()
        due = [each for each in self._renewals if each.instance not in self._unsent]
        self._renewals.clear()
        for error in self._kernel.renew(due):
            self._records.append(Record(Level.ERROR, "", f"a lease was not renewed: {error}"))

    def _apply(self, effect: Reconcile) -> None:
        self._settle()
        if self._renewals:
            self._renew()  # renewing an address after its removal would bring it back
        done: list[Operation] = []
        failed: list[Event] = []
        for operation, error in zip(effect.operations, self._kernel.apply(effect.operations), strict=True):
            if error is None:
                done.append(operation)
            else:
                failed.append(EffectFailed(effect.instance, operation, str(error)))
        if done:
            self._answers.append(EffectDone(effect.instance, tuple(done)))
        self._answers.extend(failed)

    def _apply_routes(self, effect: ReconcileRoutes) -> None:
        results = list(zip(effect.operations, self._change_routes(effect.operations), strict=True))
        done = tuple(operation for operation, error in results if error is None)
        if done:
            self._answers.append(RoutesDone(effect.instance, done))
        self._answers.extend(
            RouteFailed(effect.instance, operation, str(error)) for operation, error in results if error is not None
        )

    def _announce(self, effect: Announce) -> None:
        error = self._wires.announce(effect)
        if error is not None:
            text = f"gratuitous ARP cannot leave {effect.interface}: {error}"
            self._records.append(Record(Level.ERROR, "", text))

    def _reset(self, _effect: ResetConnections) -> None:
        """The first of a turn resets for all of them: the kernel walks its table once, however many addresses go."""
        addresses, self._doomed = self._doomed, []
        if not addresses:
            return
        try:
            count = reset_connections(addresses)
        except KernelError as error:
            self._records.append(Record(Level.ERROR, "", f"connections were not reset: {error}"))
            return
        if count:
            names = ", ".join(str(address) for address in addresses)
            self._records.append(Record(Level.NOTICE, "", f"reset {count} connections on {names}"))


def clear_addresses(node: Node, kernel: Kernel) -> None:
    """The last resort when the daemon ends without having handed over: take the addresses off at once."""
    kernel.apply([Operation(Action.REMOVE, address) for address in node.held()])


def settle_memory() -> None:
    """What was built at start stays for good: keep the collector from walking it again and again."""
    gc.collect()
    gc.freeze()
