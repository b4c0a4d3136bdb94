"""What an operator orders about a database: switchover, pause, resume, drain, acknowledge, promote."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from pyvrrp.app.databases import Databases
from pyvrrp.app.switchover import Switchover
from pyvrrp.core.events import Event, Relinquish, Seize
from pyvrrp.core.node import Node
from pyvrrp.core.snapshot import DatabaseStatus, InstanceStatus
from pyvrrp.errors import ControlError

Object = dict[str, Any]

MARGIN: Final = 5.0  # seconds beyond apply_timeout that opening may take
PAUSE: Final = 0.05


class Orders:
    """`report` takes the core's events, `say` a log line of an instance."""

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
        self._switchover = Switchover(node, databases, report, say)
        self._orders: dict[str, Callable[[str, Object], Awaitable[Object]]] = {
            "switchover": self._switch_over,
            "pause": self._pause,
            "resume": self._resume,
            "drain": self._drain,
            "acknowledge": self._acknowledge,
            "promote": self._promote,
        }

    def __contains__(self, command: object) -> bool:
        return command in self._orders

    def __iter__(self) -> Any:
        return iter(self._orders)

    async def carry_out(self, request: Object) -> Object:
        """An order's outcome: `ok`, `steps` and, when it is not ok, `why`. Raises PyvrrpError."""
        instance = self._instance(str(request.get("instance") or ""))
        return await self._orders[str(request["command"])](instance, request)

    def _instance(self, named: str) -> str:
        names = self._databases.names
        if not named and len(names) == 1:
            return names[0]
        if named in names:
            return named
        if not names:
            raise ControlError("no instance has a database")
        which = f"{named} has no database" if named else "several instances have a database"
        raise ControlError(f"{which}: say which one, {', '.join(names)}")

    async def _switch_over(self, instance: str, request: Object) -> Object:
        to, dry_run = str(request.get("to") or ""), bool(request.get("dry_run"))
        return await self._switchover.run(instance, to, dry_run=dry_run)

    async def _pause(self, instance: str, _request: Object) -> Object:
        self._databases.keeper(instance).pause()
        self._say(instance, "paused by order: neither verdicts nor silence move its database")
        return _done(
            f"{instance} is paused on this node: neither verdicts nor silence move it until `pyvrrpctl resume`"
        )

    async def _resume(self, instance: str, _request: Object) -> Object:
        if not self._databases.keeper(instance).resume():
            return _done(f"{instance} is neither paused nor drained on this node: nothing was done")
        self._say(instance, "resumed by order")
        return _done(f"{instance} is no longer paused or drained on this node")

    async def _acknowledge(self, instance: str, request: Object) -> Object:
        if request.get("copied"):
            return self._copied(instance)
        if not self._databases.keeper(instance).acknowledge():
            return _done(f"{instance}: there is no failover to acknowledge")
        self._say(instance, "the last failover was acknowledged")
        return _done(
            f"{instance}: the last failover is acknowledged; the next one need not wait, and LOST is forgotten"
        )

    def _copied(self, instance: str) -> Object:
        if not self._databases.keeper(instance).copied():
            return _done(f"{instance}: nothing is known that this node alone has: nothing was done")
        self._say(instance, "its server was made a copy of the active one, says the operator")
        return _done(f"{instance}: what was here alone is forgotten; the two servers are compared anew")

    async def _drain(self, instance: str, request: Object) -> Object:
        keeper = self._databases.keeper(instance)
        steps: list[str] = []
        to, other = str(request.get("to") or ""), self._databases.post(instance).other
        if to and other is not None and to != other.node:
            raise ControlError(f"the other node is {other.node}, not {to}: nothing was done")
        if self._switchover.status(instance).state == "MASTER":
            if self._databases.channel_is_up:
                outcome = await self._switchover.run(instance, to, dry_run=False)
                if not outcome["ok"]:
                    return outcome
                steps = outcome["steps"]
            elif self._databases.channel_status() is not None:
                raise ControlError(
                    "the channel to the other agent is down, so that nobody is known who would take over: nothing was"
                    " done. To stop pyvrrpd here hands over all the same"
                )
            else:
                steps = ["there is no channel to the other agent: this node hands over, and what follows is not seen"]
                keeper.drain()  # first, or it might be MASTER again at once
                self._report(Relinquish(instance, "drained by order"))
        keeper.drain()
        self._say(instance, "drained by order")
        text = f"{instance} is drained: this node does not take over until `pyvrrpctl resume`"
        return {"ok": True, "steps": [*steps, text]}

    # --- promote ------------------------------------------------------------------------------------------------------

    async def _promote(self, instance: str, request: Object) -> Object:
        """Without `sure` what it would cost, with it the deed."""
        status = self._switchover.status(instance)
        if status.state == "MASTER":
            raise ControlError(f"{instance} is MASTER here already")
        master = status.master
        if master is not None and self._loop.time() - master.heard < status.master_down_interval:
            raise ControlError(f"{master.address} is master and speaks: use `pyvrrpctl switchover`")
        if status.state != "BACKUP":
            raise ControlError(f"{instance} is {status.state}: {'; '.join(status.why)}")
        if not request.get("sure"):
            return {"ok": True, "steps": self._price(instance)}
        self._report(Seize(instance, "promoted by order"))
        bound = self._databases.post(instance).settings.promote.apply_timeout + MARGIN
        return await self._see_it_open(instance, bound)

    def _price(self, instance: str) -> list[str]:
        """What speaks against it, and what is known to be missing here."""
        from pyvrrp.mysql.other import ALIVE  # a node without a database need not load that

        post, status = self._databases.post(instance), self._database(instance)
        against = [f"{instance}: {each}" for each in dict.fromkeys((*status.faults, *status.against))]
        lacking = [f"WILL BE LOST, as far as is known: {each}" for each in self._databases.keeper(instance).lacking()]
        other, own = post.other, post.own
        if not (other and own):
            return [*against, *lacking, "what the other node had is not known: no word has come from it"]
        ago = f"{self._loop.time() - post.heard_of:.0f} s ago"
        seen = [f"the other node said {ago} that it has {other.position}; this one has {own.position}"]
        if other.writes == "open" and other.verdict in ALIVE:
            seen.append(
                f"ITS WRITES WERE OPEN {ago}: if it lives, both are open until they hear each other again, and then"
                " clients lose what the one with the lower priority wrote"
            )
        return [*against, *seen, *(lacking or ["of what it had then nothing is missing here"])]

    async def _see_it_open(self, instance: str, bound: float) -> Object:
        try:
            async with asyncio.timeout(bound):
                opening = asyncio.ensure_future(self._databases.opened(instance))
                try:
                    while not opening.done():
                        await asyncio.wait((opening,), timeout=PAUSE)
                        if self._switchover.status(instance).state != "MASTER":
                            return _failed(self._why(self._switchover.status(instance)))
                finally:
                    opening.cancel()
        except TimeoutError:
            return _failed(f"writes were not open within {bound:g} s") | {"timed_out": True}
        lost = self._database(instance).view.lost
        left = [f"left behind: {', '.join(lost)}"] if lost else []
        return {"ok": True, "steps": [f"{instance} is MASTER here, its writes are open", *left]}

    def _why(self, status: InstanceStatus) -> str:
        reason = f": {status.last.reason}" if status.last is not None else ""
        return f"{status.name} is {status.state}{reason}"

    def _database(self, instance: str) -> DatabaseStatus:
        snapshot = self._node.snapshot(self._loop.time())
        return next(each for each in snapshot.databases if each.instance == instance)


def _done(text: str) -> Object:
    return {"ok": True, "steps": [text]}


def _failed(why: str) -> Object:
    return {"ok": False, "steps": [], "why": why}
