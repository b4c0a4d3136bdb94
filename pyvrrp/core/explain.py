"""The sentences of status: what a virtual router is, why, and what would change it, in words a DBA understands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from pyvrrp.core import trouble
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.group import Group, Members, common_state
from pyvrrp.core.reception import Reception
from pyvrrp.core.service import Service
from pyvrrp.core.settings import InstanceSettings, VirtualAddress
from pyvrrp.core.snapshot import (
    AddressStatus,
    CheckStatus,
    GroupStatus,
    HolderStatus,
    InstanceStatus,
    RealServerStatus,
    ServiceStatus,
)
from pyvrrp.core.tracking import CheckTrack, Health


def instance(
    router: VirtualRouter,
    held: frozenset[VirtualAddress],
    reception: Reception,
    now: float,
) -> InstanceStatus:
    """The status of one virtual router."""
    settings = router.settings
    counters = asdict(router.counters) | router.duplicates.counts() | reception.counts()
    return InstanceStatus(
        name=settings.name,
        interface=settings.interface,
        virtual_router_id=settings.virtual_router_id,
        version=settings.version,
        state=router.state.value,
        since=router.since,
        base_priority=settings.priority,
        priority=router.priority,
        advert_int=settings.advert_int,
        preempt=settings.preempt,
        vip_lease=settings.vip_lease,
        addresses=tuple(AddressStatus(_address(settings, each), each in held) for each in settings.held),
        handing_over=router.handover_until is not None,
        master=router.master,
        rejected=reception.complaints.latest,
        skew_time=router.skew_time,
        master_down_interval=router.master_down_interval,
        why=(*_why(router, held, now), *trouble.sentences(router, reception, now)),
        last=router.last,
        counters=counters,
        rivals=reception.complaints.recent(now),
        holders=tuple(
            HolderStatus(each.address, each.named, each.since, each.heard) for each in trouble.holders(router, now)
        ),
        contested=trouble.contested(router, reception, now),
    )


def check(track: CheckTrack) -> CheckStatus:
    """The status of one check."""
    return CheckStatus(
        track.settings.name,
        str(track.settings.probe),
        track.health.value,
        track.detail,
        None if track.told else track.took,
        track.at,
        track.successes,
        track.failures,
    )


def group(group: Group, members: Members) -> GroupStatus:
    """The status of one sync group."""
    state, name = common_state(members), group.settings.name
    names = tuple(each.settings.name for each in members)
    if state is None:
        states = ", ".join(f"{each.settings.name} is {each.state.value}" for each in members)
        why = [f"{name} is not in one state: {states}."]
    else:
        why = [f"{name} is {state.value}: {', '.join(names)}."]
    for member, against in group.against.items():
        if against:
            why.append(f"{member} keeps all of it in FAULT: {'; '.join(against)}.")
    for each in members:
        master = each.master
        if each.following and master is not None:
            heard = f"{master.address} advertises {master.priority}, ours is {_priority(each)}"
            why.append(f"{each.settings.name} holds it back: {heard}.")
    return GroupStatus(name, state.value if state else "", names, tuple(why))


def service(each: Service, checks: Mapping[str, CheckTrack]) -> ServiceStatus:
    """The status of one virtual server."""
    servers = tuple(
        RealServerStatus(server.name, bool(server.up), server.weight, server.settings.checks) for server in each.servers
    )
    return ServiceStatus(each.settings.name, bool(each.quorum), each.weight, servers, tuple(_quorum(each, checks)))


def _quorum(service: Service, checks: Mapping[str, CheckTrack]) -> Iterator[str]:
    settings = service.settings
    if service.quorum:
        words, needed = f"{settings.name} has quorum", settings.quorum - settings.hysteresis
    else:
        words, needed = f"{settings.name} has no quorum", settings.quorum + settings.hysteresis
    yield f"{words}: its living servers weigh {service.weight}, and {max(needed, 1)} is needed."
    for server in service.servers:
        failing = [checks[name] for name in server.settings.checks if checks[name].health is Health.DOWN]
        if failing:
            yield f"{server.name} is down: {'; '.join(check.sentence for check in failing)}."


def _why(router: VirtualRouter, held: frozenset[VirtualAddress], now: float) -> list[str]:
    explain = {State.INIT: _init, State.BACKUP: _backup, State.MASTER: _master, State.FAULT: _fault}
    sentences = explain[router.state](router, held, now)
    if router.handover_until is not None:
        left = max(router.handover_until - now, 0.0)
        sentences.append(
            f"It is handing over: the address answers here until the successor speaks, {left:.2f} s at most."
        )
    return sentences


def _init(router: VirtualRouter, _held: frozenset[VirtualAddress], _now: float) -> list[str]:
    if router.stopping:
        return [f"{router.settings.name} is INIT: it was asked to stop."]
    waiting = "; ".join(router.standing.waiting)
    return [f"{router.settings.name} is INIT: {waiting}." if waiting else f"{router.settings.name} is INIT."]


def _fault(router: VirtualRouter, _held: frozenset[VirtualAddress], _now: float) -> list[str]:
    against = router.standing.against or router.standing.waiting
    return [
        f"{router.settings.name} is FAULT: {'; '.join(against)}.",
        "It sends nothing and takes nothing over. It returns to BACKUP when that is mended.",
    ]


def _backup(router: VirtualRouter, _held: frozenset[VirtualAddress], now: float) -> list[str]:
    name, master = router.settings.name, router.master
    left = max((router.deadline or now) - now, 0.0)
    ours = _priority(router)
    if router.ready is not None:
        return [
            f"{name} is BACKUP, and ready to take over with priority {ours} since {now - router.ready:.2f} s.",
            f"It waits until every member of sync group {router.group} is.",
        ]
    withheld = "; ".join(router.withheld)
    if router.withheld_since is not None:
        return [
            f"{name} is BACKUP, and nobody is master: its wait was over {now - router.withheld_since:.2f} s ago.",
            f"It does not take over: {withheld}.",
        ]
    if waits_for := router.duplicates.waits_for(now):
        return [*trouble.left_alone(name, waits_for, router.settings.duplicate_wait)]
    would_not = [f"It would not take over as things are: {withheld}."] if withheld else []
    if master is None:
        return [
            f"{name} is BACKUP: no master has been heard since it began to listen, {now - router.since:.2f} s ago.",
            f"Its priority is {ours}. It takes over if no advert arrives for {left:.2f} s more.",
            *would_not,
        ]
    sentences = [f"{name} is BACKUP: {master.address} advertises {master.priority}, ours is {ours}."]
    deferred = (router.preempts_at or now) - now
    if master.priority < router.priority and not router.settings.preempt:
        sentences.append("Ours is higher, but nopreempt leaves a living master alone.")
    elif master.priority < router.priority and deferred > 0:
        sentences.append(f"Ours is higher, but preempt_delay leaves it alone for another {deferred:.2f} s.")
    elif master.priority < router.priority:
        sentences.append(f"Ours is higher and preempt is on: it takes over in {left:.2f} s.")
        return sentences
    ago = now - master.heard
    sentences.append(f"It takes over if no advert arrives for {left:.2f} s (last one {ago:.2f} s ago).")
    return sentences + would_not


def _master(router: VirtualRouter, held: frozenset[VirtualAddress], now: float) -> list[str]:
    settings = router.settings
    reason = router.last.reason if router.last else "it started so"
    missing = [f"{each} on {each.interface}" for each in settings.held if each not in held]
    sentences = [
        f"{settings.name} is MASTER with priority {_priority(router)}.",
        f"It took over {now - router.since:.1f} s ago: {reason}.",
    ]
    if router.leaving is not None:
        sentences.append(f"It is closing its database, to hand over then: {router.leaving}.")
    elif not router.writes.open:
        sentences.append("Its database is being opened; the addresses come when it takes writes.")
    elif missing:
        sentences.append(f"MISSING: {', '.join(missing)}.")
    elif settings.vip_lease is None:
        sentences.append("Its addresses have no lease: if this process dies, they stay on this node.")
    else:
        sentences.append(
            f"The kernel takes its addresses away {settings.vip_lease} s after this process stops sending adverts."
        )
    if router.muted is not None:
        ago = now - router.muted.since
        sentences.append(
            f"Its adverts cannot leave {settings.interface} since {ago:.1f} s ago ({router.muted.reason}): "
            f"the addresses are not renewed, and another node takes over."
        )
    rival = router.rival
    if rival is not None and now - rival.heard < trouble.FRESH:
        sentences.append(
            f"{rival.address} is master too, with the lower priority {rival.priority} "
            f"(heard {now - rival.heard:.1f} s ago): it does not hear this node. Is protocol 112 let through there?"
        )
    sentences.append(f"The next advert is due in {max((router.deadline or now) - now, 0.0):.2f} s.")
    return sentences


def _address(settings: InstanceSettings, address: VirtualAddress) -> str:
    """The address, and where it is when that is not where its adverts are."""
    return str(address) if address.interface == settings.interface else f"{address} dev {address.interface}"


def _priority(router: VirtualRouter) -> str:
    """`90`, or `110 - 20 = 90` when weights moved it."""
    terms = router.standing.terms
    if not terms:
        return str(router.priority)
    parts = "".join(f" {'+' if weight > 0 else '-'} {abs(weight)} ({name})" for name, weight in terms)
    return f"{router.settings.priority}{parts} = {router.priority}"
