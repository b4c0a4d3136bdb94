"""A planned switchover: the active node's writes are closed, the other has all of them, and only then it takes over.

    pre-checks → the other one keeps up → writes closed here → it has exactly that → hand over → its writes are open
                                             │                   │
                                             └──── roll back ◀───┘  writes are opened again here

Whoever dies on the way leaves writes closed, or open on one node alone: the other one opens them only as MASTER, as
always, and nothing here tells it to. Until it is known to have everything nothing is given up, so there is a way back;
from then on the core hands over as it does when the daemon stops, and if nobody takes over it is this node again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pyvrrp.app.databases import LEFT, Databases
from pyvrrp.app.posts import SteppedDown
from pyvrrp.core.events import Event, Relinquish
from pyvrrp.core.node import Node
from pyvrrp.core.snapshot import InstanceStatus
from pyvrrp.errors import ChannelError, ChannelRefusedError, ControlError, PyvrrpError

if TYPE_CHECKING:
    from pyvrrp.io.channel import Object
    from pyvrrp.mysql.published import Published

ANSWER: Final = 2.0  # seconds for a question that needs no work
KEEPS_UP: Final = 0.25  # seconds in which the other one must have what is here now
KEEPS_UP_BOUND: Final = 10.0  # seconds until it does
PAUSE: Final = 0.1
STEP_DOWN: Final = 1.0  # seconds, or demote.timeout
REACH: Final = 3.0  # seconds that writes stay closed for the other one to catch up
TAKEN_OVER: Final = 10.0  # seconds from handing over to open writes there
MARGIN: Final = 1.0  # seconds that the way of an answer may take
WHOLE: Final = 45.0  # more than all of it


class RefusedError(ControlError):
    """It is not begun, or was rolled back; everything is as before."""


class UnfinishedError(ControlError):
    """It was begun, and its end is not known in time."""


@dataclass(slots=True)
class Course:
    """What was done and found, in sentences, and the figures at the end."""

    steps: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


class Switchover:
    """Both ends of it. `report` takes the core's events, `say` a log line of an instance."""

    def __init__(
        self,
        node: Node,
        databases: Databases,
        report: Callable[[Event], None],
        say: Callable[[str, str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._node = node
        self._databases = databases
        self._report = report
        self._say = say
        self._under_way: set[str] = set()
        databases.answer(
            {
                "switchover": self._asked,
                "stand by": self._stand_by,
                "reach": self._reach,
                "opened": self._opened,
                LEFT: self._left,
            }
        )

    @property
    def _here(self) -> str:
        """What this node is called, as the other one's operator may be told."""
        return self._node.settings.router_id

    async def run(self, instance: str, to: str, *, dry_run: bool) -> Object:
        """Begin here if this node is active, else have the other one begin. Raises ControlError, ChannelError."""
        self._databases.keeper(instance)
        if self.status(instance).state != "MASTER":
            return await self._forward(instance, to, dry_run=dry_run)
        return await self._begin(instance, to, dry_run=dry_run)

    async def _forward(self, instance: str, to: str, *, dry_run: bool) -> Object:
        """Have the active node do it. What it did when nothing more is heard of it is not known."""
        if not self._databases.channel.up:
            raise ControlError(f"{instance} is not MASTER here, and there is no channel to the other node's agent")
        about = {"instance": instance, "to": to, "dry_run": dry_run}
        try:
            return await self._databases.channel.ask("switchover", about, WHOLE)
        except ChannelRefusedError:
            raise
        except ChannelError as error:
            why = f"{error}; the active node may have done it all the same, see `pyvrrpctl status`"
            return {"ok": False, "timed_out": True, "why": why, "steps": [], "figures": {}}

    def status(self, instance: str) -> InstanceStatus:
        """Raises ControlError when there is no such instance."""
        for each in self._node.snapshot(self._loop.time()).instances:
            if each.name == instance:
                return each
        raise ControlError(f"there is no instance {instance}")

    async def _begin(self, instance: str, to: str, *, dry_run: bool) -> Object:
        if instance in self._under_way:
            raise ControlError(f"a switchover of {instance} is under way")
        self._under_way.add(instance)
        course = Course()
        outcome: Object = {"ok": True}
        try:
            await self._play(instance, to, course, dry_run=dry_run)
        except UnfinishedError as error:
            outcome = {"ok": False, "timed_out": True, "why": str(error)}
        except PyvrrpError as error:
            outcome = {"ok": False, "why": str(error)}
        finally:
            self._under_way.discard(instance)
        if not dry_run:
            self._say(instance, f"switchover: {outcome.get('why', 'done')}")
        return outcome | {"steps": course.steps, "figures": course.figures}

    async def _play(self, instance: str, to: str, course: Course, *, dry_run: bool) -> None:
        target = await self._check(instance, to, course)
        if dry_run:
            course.steps.append(f"nothing was done; without --dry-run the writes of {instance} would move to {target}")
            return
        keeper = self._databases.keeper(instance)
        async with self._or_called_off(instance):
            await self._wait_until_it_keeps_up(instance, target, course)
            began = self._loop.time()
            try:
                async with self._way_back(instance, course):
                    down = await self._step_down(instance, course)
                    await self._have_it_reach(instance, target, down, course)
                    if reason := self._left_by_itself(instance):
                        raise RefusedError(reason)
                    if self._databases.keeper(instance) is not keeper:  # the new one has opened writes again
                        raise RefusedError(f"the configuration of {instance} has changed meanwhile")
                self._report(Relinquish(instance, f"switchover to {target}"))
                await self._see_it_open(instance, target, down, began, course)
            finally:
                self._databases.refusing.readmit(instance)  # whatever has become of it

    @contextlib.asynccontextmanager
    async def _or_called_off(self, instance: str) -> AsyncIterator[None]:
        """The target, which expects to take over since it was asked, is told when it is not to."""
        try:
            yield
        except UnfinishedError:
            raise  # it may take over yet
        except PyvrrpError:
            self._databases.call_off(instance)
            raise

    # --- steps of the active node -------------------------------------------------------------------------------------

    async def _check(self, instance: str, to: str, course: Course) -> str:
        """Whether it can be done; the target's name."""
        own, channel = self._databases.post(instance).own, self._databases.channel
        other = await channel.ask("stand by", {"instance": instance}, ANSWER)
        target = str(other.get("node", "the other node"))
        try:
            objections = await self._databases.keeper(instance).handover.objections()
        except PyvrrpError as error:
            raise RefusedError(f"the server of the active node cannot be asked: {error}") from None
        active = self._node.settings.router_id
        if to == active != target:
            raise RefusedError(f"{active} is active already")
        try:
            against = [*self._against_leaving(own), *objections, *against_coming(other, to)]
            fit = f"{target} is fit to take over: {other['verdict']}, replication {other['replication']}"
        except LookupError as error:
            raise RefusedError(f"{target} does not say {error}: its agent is of another version") from None
        course.steps.append(f"active is {active}, target is {target}")
        course.steps += [f"NOT READY: {each}" for each in against]
        if against:
            raise RefusedError("; ".join(against))
        course.steps.append(fit)
        return target

    def _against_leaving(self, own: Published | None) -> list[str]:
        if own is None or not own.flavour:
            return ["the server here has not been seen yet"]
        return [] if own.writes == "open" else [f"writes here are {own.writes}, not open"]

    async def _wait_until_it_keeps_up(self, instance: str, target: str, course: Course) -> None:
        began = self._loop.time()
        while True:
            now = await self._databases.keeper(instance).handover.survey()
            asked, reason = self._loop.time(), ""
            try:
                await self._ask_to_reach(instance, now.has, KEEPS_UP)
            except ChannelError as error:
                reason = str(error)
                if not self._databases.channel.up:
                    raise RefusedError(f"the channel to {target} is gone: {error}") from None
            took = self._loop.time() - asked
            if not reason and took <= KEEPS_UP:
                course.steps.append(f"{target} keeps up: it had everything within {took * 1e3:.0f} ms")
                return
            if self._loop.time() - began > KEEPS_UP_BOUND:
                raise RefusedError(f"{target} does not keep up: {reason or 'it takes longer and longer'}")
            await asyncio.sleep(PAUSE)

    def _left_by_itself(self, instance: str) -> str:
        """Why this node is not to have its writes open any more, whatever the switchover does; "" while it is."""
        status, ordered = self.status(instance), self._databases.to_be_closed(instance)
        if status.state == "MASTER" and ordered is None:
            return ""
        found = ordered or (status.last.reason if status.last is not None else "")
        return f"{instance} has left by itself meanwhile: {found or f'it is {status.state}'}"

    async def _step_down(self, instance: str, course: Course) -> SteppedDown:
        post = self._databases.post(instance)
        down = await self._databases.keeper(instance).handover.step_down(max(STEP_DOWN, post.settings.demote.timeout))
        killed = f"{down.killed} session{'' if down.killed == 1 else 's'} killed"
        text = f"writes closed on {self._here} in {down.seconds * 1e3:.0f} ms, {killed}, at {down.position}"
        course.steps.append(text)
        self._say(instance, f"switchover: {text}")
        return down

    async def _have_it_reach(self, instance: str, target: str, down: SteppedDown, course: Course) -> None:
        asked = self._loop.time()
        try:
            await self._ask_to_reach(instance, down.position, REACH)
        except ChannelError as error:
            raise RefusedError(f"{target} did not get to {down.position}: {error}") from None
        course.steps.append(f"{target} has exactly that, {(self._loop.time() - asked) * 1e3:.0f} ms later")

    async def _ask_to_reach(self, instance: str, position: str, within: float) -> None:
        about = {"instance": instance, "position": position, "within": within}
        await self._databases.channel.ask("reach", about, within + MARGIN)

    @contextlib.asynccontextmanager
    async def _way_back(self, instance: str, course: Course) -> AsyncIterator[None]:
        """Nobody new is let in meanwhile, and no other keeper comes; what fails in it opens writes here again."""
        self._databases.keeper(instance)  # without one there is nothing to go back to
        found = [each.held for each in self._node.settings.instances if each.name == instance]
        self._databases.refusing.refuse(instance, tuple(each.address for held in found for each in held))
        began = self._loop.time()
        async with self._databases.post(instance).lent:
            try:
                yield
            except BaseException as error:
                # Who has left was told to close, and a daemon that is stopped hands over.
                reason = self._left_by_itself(instance)
                if not reason and not self._node.stopping:
                    await self._step_back(instance, error, began, course)
                if reason and isinstance(error, PyvrrpError):
                    course.steps.append(f"not rolled back, writes stay closed on {self._here}: {reason}")
                    raise RefusedError(reason) from None
                raise

    async def _step_back(self, instance: str, error: BaseException, began: float, course: Course) -> None:
        try:
            await self._databases.keeper(instance).handover.step_back()
        except PyvrrpError as failure:
            text = f"the way back failed, writes are not open again: {failure}"
            course.steps.append(text)
            self._report(Relinquish(instance, text))
            raise UnfinishedError(f"{error}; {text}") from None
        text = f"rolled back: writes are open on {self._here} again after {(self._loop.time() - began) * 1e3:.0f} ms"
        course.steps.append(text)
        self._say(instance, f"switchover: {text}")

    async def _see_it_open(self, instance: str, target: str, down: SteppedDown, began: float, course: Course) -> None:
        """Its own clock says how long ago writes were opened there; ours, how long nobody could write."""
        try:
            answer = await self._databases.channel.ask("opened", {"instance": instance}, TAKEN_OVER)
            ago = float(answer["ago"])
        except (ControlError, ChannelError, LookupError, ValueError, TypeError) as error:
            state = self.status(instance).state
            raise UnfinishedError(
                f"handed over, but {target} did not say that writes are open: {error}; here it is {state}"
            ) from None
        whole = self._loop.time() - began
        gap = max(whole - ago, 0.0)
        course.figures = {
            "write_gap_ms": round(gap * 1e3, 1),
            "write_gap_here_ms": round(whole * 1e3, 1),
            "sessions_killed": down.killed,
            "position": down.position,
            "active": target,
        }
        # What the target's word was on its way is told where it is not the same.
        alone = f" ({whole * 1e3:.0f} ms by this node's clock alone)" if whole - gap >= 1e-3 else ""
        course.steps.append(f"writes are open on {target}: nobody could write for {gap * 1e3:.0f} ms{alone}")

    # --- what the other node asks -------------------------------------------------------------------------------------

    async def _asked(self, about: Object) -> Object:
        """The standby was asked, and asks us, as the active node."""
        instance = str(about["instance"])
        if self.status(instance).state != "MASTER":
            raise ControlError(f"{instance} is MASTER on neither node")
        return await self._begin(instance, str(about["to"]), dry_run=bool(about["dry_run"]))

    async def _stand_by(self, about: Object) -> Object:
        """How this node stands as a target."""
        instance = str(about["instance"])
        keeper = self._databases.keeper(instance)
        status = next(each for each in self._node.snapshot(self._loop.time()).databases if each.instance == instance)
        return {
            "node": self._node.settings.router_id,
            "state": self.status(instance).state,
            "against": [*status.faults, *keeper.handover.as_target()],
            **asdict(status.view),
        }

    async def _reach(self, about: Object) -> Object:
        within = float(about["within"])
        await self._databases.keeper(str(about["instance"])).handover.reach(str(about["position"]), within)
        return {}

    async def _left(self, about: Object) -> Object:
        """Whether this node is not MASTER now; and if it is, whether writes are open here."""
        instance = str(about["instance"])
        master = self.status(instance).state == "MASTER"
        return {LEFT: not master, "open": master and self._databases.post(instance).opened is not None}

    async def _opened(self, about: Object) -> Object:
        at = await self._databases.opened(str(about["instance"]))
        return {"ago": self._loop.time() - at}


def against_coming(other: Object, to: str) -> list[str]:
    """What keeps the other node from being the target."""
    against = [] if to in ("", other["node"]) else [f"the other node is {other['node']}, not {to}"]
    if other["state"] != "BACKUP":
        against.append(f"it is {other['state']} there, not BACKUP")
    return [*against, *(f"{other['node']}: {each}" for each in other["against"])]
