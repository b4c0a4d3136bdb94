"""All virtual routers of one pyvrrpd together: `handle(event, now)` → effects, `next_deadline()`, `snapshot(now)`.

The node leads each event to whom it is about, gives each router its standing from what is known of the world (links,
addresses, checks), and completes what a router did. It decides nothing that a router decides.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from pyvrrp.core import explain, lines, notify
from pyvrrp.core.addresses import Addresses
from pyvrrp.core.agenda import Agenda
from pyvrrp.core.checks import Checks
from pyvrrp.core.databases import Answer, Databases, tell
from pyvrrp.core.desired import Hold
from pyvrrp.core.effects import Action, Effect, Level, Record, RouteOperation
from pyvrrp.core.events import (
    AddressesChanged,
    AdvertFailed,
    AdvertOverheard,
    AdvertPassed,
    AdvertReceived,
    CheckResult,
    ConfigReplaced,
    DatabaseReport,
    EffectDone,
    EffectFailed,
    Event,
    HolderHeard,
    Invited,
    LinkChanged,
    Relinquish,
    RouteFailed,
    RoutesChanged,
    RoutesDone,
    Seize,
    Stopping,
    TimerDue,
    Vacant,
    WritesClosed,
    WritesOpened,
    WritesRefused,
)
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.group import Group, Groups, grouped
from pyvrrp.core.guard import Standing, standing
from pyvrrp.core.interfaces import Interfaces, interfaces
from pyvrrp.core.links import LinkDelays
from pyvrrp.core.listening import RouterId, listening
from pyvrrp.core.notify import Notifier
from pyvrrp.core.pacing import Pacer
from pyvrrp.core.reception import Reception
from pyvrrp.core.routes import Routes, follower, static
from pyvrrp.core.service import Services
from pyvrrp.core.settings import InstanceSettings, NodeSettings, VirtualAddress
from pyvrrp.core.snapshot import Snapshot, Transition
from pyvrrp.core.succession import predecessors
from pyvrrp.core.tracking import CheckTrack, assess

_HISTORY = 200  # transitions kept for `pyvrrpctl history`


class Node:
    """See the module. Not thread-safe; one caller hands in one event after the other with a `now` that never falls."""

    def __init__(self, settings: NodeSettings, now: float) -> None:
        self.settings = settings
        self.stopping = False
        self._interfaces = Interfaces()
        self._addresses = Addresses()
        self._routes = Routes()
        self._links = LinkDelays(settings.interface_delays)
        self._checks = Checks()
        self._routers: dict[str, VirtualRouter] = {}
        self._by_vrid: dict[tuple[str, int, int], VirtualRouter] = {}
        self._leaving: list[VirtualRouter] = []
        self._receptions: defaultdict[str, Reception] = defaultdict(Reception)  # by instance
        self._databases = Databases()
        self._history: deque[Transition] = deque(maxlen=_HISTORY)
        self._notifier = Notifier(settings.router_id)
        self._services = Services(self._notifier)
        self._pacer = Pacer(settings)
        # The monotonic clock counts from the boot of the host.
        self._opens = max(now + settings.startup_delay, settings.delay_after_boot)
        self._groups = Groups()
        self._agenda: Agenda[VirtualRouter | CheckTrack | Services | Pacer] = Agenda()
        self._handlers: dict[type, Callable[..., list[Effect]]] = {
            AdvertReceived: self._advert_received,
            AdvertOverheard: self._advert_overheard,
            HolderHeard: self._holder_heard,
            TimerDue: self._timer_due,
            LinkChanged: self._link_changed,
            AddressesChanged: self._addresses_changed,
            CheckResult: self._check_result,
            EffectDone: self._effect_done,
            EffectFailed: self._effect_failed,
            RoutesChanged: self._routes_changed,
            RoutesDone: self._routes_done,
            RouteFailed: self._routes.failed,
            AdvertFailed: self._advert_failed,
            AdvertPassed: self._advert_passed,
            DatabaseReport: self._database_report,
            WritesOpened: self._of_database,
            WritesRefused: self._of_database,
            WritesClosed: self._of_database,
            Invited: self._of_database,
            Vacant: self._of_database,
            Relinquish: self._of_database,
            Seize: self._of_database,
            ConfigReplaced: self._config_replaced,
            Stopping: self._stopping,
        }
        self._begin_checks(now)
        self._addresses.want(settings)
        self._routes.want(settings)
        instances = self._regroup(settings)
        for instance in instances:
            self._add_router(instance, now)
        self._join_groups(now)

    # --- the three questions a shell may ask ----------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take one event; perform the effects in order (core/effects.py has the contract)."""
        effects = self._handlers[type(event)](event, now)
        while (group := self._groups.restless()) is not None:
            effects = effects + self._sync(group, now)
        if self.settings.static_addresses:
            effects = effects + self._addresses.set_static(self._interfaces.known)
        if not self._routes.idle:
            holders = [follower(router.settings, router.hold) for router in self._everybody()]
            effects = self._routes.follow(effects, [static(self.settings), *holders], now)
        if not self._pacer.idle:
            effects = self._pacer.pace(effects, now)
            self._agenda.note(self._pacer)
        return effects

    def next_deadline(self) -> float | None:
        """When `TimerDue` is wanted; None when nothing is."""
        due = (
            self._agenda.next(),
            self._addresses.ledger.next_deadline(),
            self._links.next(),
            self._routes.next_deadline(),
        )
        return min((each for each in due if each is not None), default=None)

    def snapshot(self, now: float) -> Snapshot:
        """The whole node's status."""
        instances = tuple(
            explain.instance(router, self._held(router), self._receptions[router.settings.name], now)
            for router in self._routers.values()
        )
        checks = tuple(explain.check(track) for track in self._checks.tracks.values())
        services = tuple(explain.service(each, self._checks.tracks) for each in self._services)
        groups = tuple(explain.group(each, each.among(self._routers)) for each in self._groups)
        history, databases = tuple(self._history), self._databases.status(self._routers)
        return Snapshot(
            now, self.settings.router_id, self.stopping, instances, checks, history, services, groups, databases
        )

    @property
    def done(self) -> bool:
        """Whether everything was stopped, handed over, and no address is left."""
        routers = self._everybody()
        return self.stopping and all(router.done and not self._held(router) for router in routers)

    @property
    def handover_bound(self) -> float:
        """Seconds that handing everything over may take."""
        return max((router.handover_bound for router in self._everybody()), default=0.0)

    def held(self) -> tuple[VirtualAddress, ...]:
        """Every managed address that the kernel holds here."""
        fixed = sorted(self._addresses.ledger.there(self.settings.static_addresses))
        return (*(address for router in self._everybody() for address in sorted(self._held(router))), *fixed)

    def held_routes(self) -> tuple[RouteOperation, ...]:
        """What takes away every managed route and rule that the kernel has here."""
        return self._routes.held()

    def vrids(self) -> dict[str, frozenset[RouterId]]:
        """The virtual routers to listen for, by interface; none on one that only has addresses."""
        return listening(router.settings for router in self._everybody())

    def instances(self) -> tuple[InstanceSettings, ...]:
        """Those that run, and those that still hand over."""
        return tuple(router.settings for router in self._everybody())

    def last_heard(self, instance: str) -> float | None:
        """When a master of the instance was heard last."""
        router = self._routers.get(instance)
        return router.master.heard if router is not None and router.master is not None else None

    def withheld(self, instance: str) -> bool:
        """Whether nobody is master, and something keeps the instance from taking over."""
        router = self._routers.get(instance)
        return router is not None and router.withheld_since is not None

    def interfaces(self) -> frozenset[str]:
        """The interfaces to observe."""
        return interfaces(self.settings).union(self.vrids())

    # --- events -------------------------------------------------------------------------------------------------------

    def _advert_received(self, event: AdvertReceived, now: float) -> list[Effect]:
        router = self._addressee(event)
        if router is None:
            return []
        advert, effects = self._receptions[router.settings.name].received(event, router, now)
        return effects if advert is None else self._act(router, effects + router.hear(advert, event.source, now))

    def _advert_overheard(self, event: AdvertOverheard, now: float) -> list[Effect]:
        router = self._addressee(event)
        if router is None:
            return []
        ours = event.source in self._interfaces.here
        advert, effects = self._receptions[router.settings.name].overheard(event, router, ours, now)
        return effects if advert is None else self._act(router, effects + router.hear(advert, event.source, now))

    def _addressee(self, event: AdvertReceived | AdvertOverheard) -> VirtualRouter | None:
        vrid = event.payload[1] if len(event.payload) > 1 else 0
        return self._by_vrid.get((event.interface, event.source.version, vrid))

    def _holder_heard(self, event: HolderHeard, now: float) -> list[Effect]:
        claimant = self._addresses.claimant(event.interface, event.address)
        if claimant is None:
            return []
        router = self._routers[claimant]
        return self._act(router, router.claimed(event.address, event.mac, now))

    def _timer_due(self, _event: TimerDue, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for party in self._agenda.due(now):
            if isinstance(party, CheckTrack):
                late = self._checks.overdue(party, now)
                effects += self._check_result(late, now) if late is not None else []
            elif isinstance(party, Services):
                effects += party.begin()
            elif isinstance(party, Pacer):
                pass  # it has its turn in `handle`, whatever happened
            else:
                effects += self._act(party, party.timer(now))
                if self._receptions[party.settings.name].complaints.fell_silent(party.master_down_interval, now):
                    effects += self._act(party, party.rival_fell_silent(now))
        for event in self._links.due(now):
            effects += self._link_counts(event, now)
        return effects + self._try_again(now)

    def _link_changed(self, event: LinkChanged, now: float) -> list[Effect]:
        return self._link_counts(self._links.take(event, now), now)

    def _link_counts(self, event: LinkChanged, now: float) -> list[Effect]:
        effects = self._interfaces.link(event)
        for result in self._checks.seen(event.interface, self._interfaces.known[event.interface]):
            effects += self._check_result(result, now)
        return effects + self._assess_interface(event.interface, now)

    def _addresses_changed(self, event: AddressesChanged, now: float) -> list[Effect]:
        self._interfaces.addresses(event)
        self._addresses.ledger.observe(
            event.interface, frozenset(VirtualAddress(event.interface, *each) for each in event.addresses)
        )
        return self._assess_interface(event.interface, now)

    def _check_result(self, event: CheckResult, now: float) -> list[Effect]:
        track = self._checks.tracks.get(event.check)
        if track is None:  # a late result of a check that a reload took away
            return []
        change = track.take(event, now)
        self._agenda.note(track)
        if not change:
            return []
        level = Level.NOTICE if event.ok else Level.WARNING
        effects: list[Effect] = [Record(level, "", text) for text in track.news(change)]
        if self._services.concerned(event.check):  # then they say it
            effects = self._services.hear(track, change)
        for router in self._routers.values():
            if any(each.check == event.check for each in router.settings.tracks):
                effects += self._assess(router, now)
        return effects

    def _effect_done(self, event: EffectDone, now: float) -> list[Effect]:
        self._addresses.ledger.done(event.operations)
        router = self._routers.get(event.instance)
        added = any(each.action is Action.ADD for each in event.operations)
        effects = self._act(router, router.lapse(now)) if router is not None else []
        if router is not None and added:
            effects = effects + self._live(router, now)
        leaving = [each for each in self._leaving if each.settings.name == event.instance]
        for each in [router, *leaving] if router is not None else leaving:
            effects += self._reconcile(each)
            self._agenda.note(each)
        self._forget_done()
        return effects

    def _effect_failed(self, event: EffectFailed, now: float) -> list[Effect]:
        self._addresses.ledger.failed(event.operation)
        address = event.operation.address
        text = f"the kernel would not {event.operation.action.value} {address} on {address.interface}: {event.reason}"
        record = Record(Level.ERROR, event.instance, text)
        router = self._routers.get(event.instance)
        if event.operation.action is Action.REMOVE or router is None:
            self._addresses.ledger.retry(address, now)
            return [record]
        self._addresses.ledger.refuse(event.instance, text, now)
        return [record, *self._assess(router, now)]

    def _routes_changed(self, event: RoutesChanged, _now: float) -> list[Effect]:
        self._routes.changed(event)
        return []

    def _routes_done(self, event: RoutesDone, _now: float) -> list[Effect]:
        self._routes.done(event)
        return []

    def _advert_failed(self, event: AdvertFailed, now: float) -> list[Effect]:
        router = self._routers.get(event.instance)
        if router is None:
            return []
        router.advert_failed(event.reason, now)
        if router.settings.track_primary and router.silenced(now):
            text = f"adverts cannot leave {router.settings.interface}: {event.reason}"
            self._addresses.ledger.refuse(event.instance, text, now)
            return self._assess(router, now)
        return self._act(router, [])

    def _advert_passed(self, event: AdvertPassed, _now: float) -> list[Effect]:
        router = self._routers.get(event.instance)
        if router is None:
            return []
        router.advert_passed()
        return self._act(router, [])

    def _database_report(self, event: DatabaseReport, now: float) -> list[Effect]:
        router = self._routers.get(event.instance)
        if router is None or router.settings.database is None:
            return []
        self._databases.take(event, now)
        return self._assess(router, now)

    def _of_database(self, event: Answer, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for router in [each for each in self._everybody() if each.settings.name == event.instance]:
            effects += self._act(router, tell(router, event, now))
        return effects

    def _config_replaced(self, event: ConfigReplaced, now: float) -> list[Effect]:
        replaced, self.settings = self.settings, event.settings
        self._databases.forget(replaced.instances, event.settings.instances)
        self._routes.want(event.settings)
        self._notifier.router_id = event.settings.router_id
        self._links.want(event.settings.interface_delays)
        self._pacer.want(event.settings)
        self._begin_checks(now)
        self._addresses.want(event.settings)
        instances = self._regroup(event.settings)
        known = predecessors((router.settings for router in self._routers.values()), instances)
        old, self._routers, self._by_vrid = self._routers, {}, {}
        effects: list[Effect] = []
        for instance in instances:
            before = old.get(known[instance.name].name) if instance.name in known else None
            if before is not None and self._goes_on(before, instance):
                del old[before.settings.name]
                effects += self._reconfigure(before, instance, now)
            else:
                effects += self._begin_anew(instance, now)
        self._leaving += old.values()
        for router in self._leaving:  # they still want to hear their successors
            self._by_vrid.setdefault(router.settings.identity, router)
        for router in old.values():
            effects += self._act(router, router.stop("it is no longer in the configuration", now, notify.DELETED))
            self._bequeath(router)
        self._join_groups(now)
        for router in self._routers.values():
            effects += self._assess(router, now)
            effects += self._reconcile(router)
        effects += self._addresses.clear("", self._addresses.unclaimed(replaced.static_addresses))
        self._forget_done()
        return effects

    def _stopping(self, event: Stopping, now: float) -> list[Effect]:
        self.stopping = True
        effects: list[Effect] = []
        for router in self._routers.values():
            effects += self._act(router, router.stop(event.reason, now))
        return effects + self._services.stop()

    # --- routers ------------------------------------------------------------------------------------------------------

    def _add_router(self, instance: InstanceSettings, now: float) -> None:
        terms = self._databases.terms
        router = VirtualRouter(instance, self._standing(instance), now, self._notifier, self._opens, terms)
        self._routers[instance.name] = router
        self._by_vrid[instance.identity] = router

    def _bequeath(self, leaving: VirtualRouter) -> None:
        """Addresses that another instance has from now on stay while the old one hands over."""
        for heir in self._routers.values():
            if heir.state is State.INIT and not set(heir.settings.held).isdisjoint(leaving.settings.held):
                heir.continue_handover(leaving)

    def _begin_anew(self, settings: InstanceSettings, now: float) -> list[Effect]:
        """An instance that comes back while it leaves goes on with that: closing its database, or handing over."""
        before = next((each for each in self._leaving if each.settings.identity == settings.identity), None)
        if before is not None:
            self._leaving.remove(before)
            if before.leaving is not None:
                before.stay()
                return self._reconfigure(before, settings, now)
        self._add_router(settings, now)
        if before is not None:
            self._routers[settings.name].replace(before)
        return []

    def _goes_on(self, router: VirtualRouter, settings: InstanceSettings) -> bool:
        """Whether the router becomes the instance: under another VRID only a fit MASTER does, so that its VIPs stay."""
        same = router.settings.identity == settings.identity
        return same or (router.state is State.MASTER and not self._standing(settings).against)

    def _reconfigure(self, router: VirtualRouter, settings: InstanceSettings, now: float) -> list[Effect]:
        removed = self._addresses.unclaimed(router.settings.held)
        self._routers[settings.name] = router
        self._by_vrid[settings.identity] = router
        leased, name = router.settings.vip_lease is not None, router.settings.name
        effects = self._act(router, router.reconfigure(settings, self._standing(settings), now))
        effects += lines.no_longer(settings, removed)
        if (removed or name != settings.name) and self._pacer.drop(name):
            # What waits may be about an address that goes, or under a name that nobody will drop: begin anew.
            effects += router.addresses_live(now)
        effects += self._addresses.clear(settings.name, removed)
        return effects + self._addresses.end_lease(router) if leased and settings.vip_lease is None else effects

    def _everybody(self) -> list[VirtualRouter]:
        return [*self._routers.values(), *self._leaving]

    def _forget_done(self) -> None:
        gone = [router for router in self._leaving if router.done and not self._held(router)]
        for router in gone:
            self._leaving.remove(router)
            if self._by_vrid.get(router.settings.identity) is router:
                del self._by_vrid[router.settings.identity]

    def _standing(self, settings: InstanceSettings) -> Standing:
        virtual = self._addresses.virtual(settings.interface)
        tracked, refused = assess(settings, self._checks.tracks), self._addresses.ledger.refusal(settings.name)
        report = self._databases.report(settings.name)
        own = standing(settings, self._interfaces.known, virtual, tracked, refused, report)
        return self._groups.blame(settings.name, own)

    def _assess(self, router: VirtualRouter, now: float) -> list[Effect]:
        if router.stopping:  # nothing can be against it any more, and its checks may be gone
            return []
        view = self._standing(router.settings)
        if view == router.standing and router.state is not State.INIT:
            return self._act(router, router.lapse(now))
        self._groups.disturb(router.settings.name)
        return self._act(router, router.assess(view, now))

    def _assess_interface(self, interface: str, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for router in self._everybody():
            settings = router.settings
            if interface in settings.interfaces:
                effects += self._assess(router, now)
                effects += self._reconcile(router)
        self._forget_done()
        return effects

    def _act(self, router: VirtualRouter, effects: list[Effect]) -> list[Effect]:
        """Complete what a router did: its place in the agenda, the history, and its addresses when it moved."""
        self._agenda.note(router)
        if not router.moved:
            return effects
        router.moved = False
        if router.hold is not Hold.HAVE:
            self._pacer.drop(router.settings.name)
        self._groups.disturb(router.settings.name)
        self._history.extend(router.transitions)
        router.transitions.clear()
        effects = effects + self._reconcile(router)
        self._forget_done()
        return effects

    # --- sync groups --------------------------------------------------------------------------------------------------

    def _regroup(self, settings: NodeSettings) -> tuple[InstanceSettings, ...]:
        """Form the groups, and learn what is against each member; the instances with what their groups track."""
        self._groups.form(settings.groups)
        instances = grouped(settings)
        for instance in instances:
            self._standing(instance)
        return instances

    def _join_groups(self, now: float) -> None:
        for router in self._groups.join(self._routers, now):
            self._agenda.note(router)

    def _sync(self, group: Group, now: float) -> list[Effect]:
        """Bring a group into one state again, and tell of it."""
        members = group.among(self._routers)
        effects: list[Effect] = []
        for each in [each for each in members if self._standing(each.settings) != each.standing]:
            before = each.state
            acted = self._assess(each, now)
            if each.state is not before and not effects:
                effects.append(group.syncing(each.state))
            effects += acted
        for router, acted in group.agree(members, now):
            effects += self._act(router, acted)
        return effects + group.news(members, self._notifier)

    # --- addresses ----------------------------------------------------------------------------------------------------

    def _live(self, router: VirtualRouter, now: float) -> list[Effect]:
        """The router's addresses are there; what that tells of its latest transition goes into the history too."""
        before = router.last
        effects = router.addresses_live(now)
        after = router.last
        if before is not None and after is not None and before in self._history:
            self._history[self._history.index(before)] = after
        return effects

    def _managed(self, router: VirtualRouter) -> tuple[VirtualAddress, ...]:
        """The router's addresses; a leaving one's without those that the configuration has given to another."""
        addresses = router.settings.held
        return self._addresses.unclaimed(addresses) if router in self._leaving else addresses

    def _held(self, router: VirtualRouter) -> frozenset[VirtualAddress]:
        return self._addresses.ledger.there(self._managed(router))

    def _reconcile(self, router: VirtualRouter) -> list[Effect]:
        return self._addresses.reconcile(router, self._managed(router))

    def _try_again(self, now: float) -> list[Effect]:
        """Refusals of the kernel that have aged enough: assess and reconcile anew."""
        if not self._addresses.ledger.forgive(now):
            return []
        effects: list[Effect] = []
        for router in self._everybody():
            effects += self._assess(router, now)
            effects += self._reconcile(router)
        return effects

    # --- checks, services ---------------------------------------------------------------------------------------------

    def _begin_checks(self, now: float) -> None:
        """Begin with the checks of the settings, and with what depends on them."""
        self._checks.want(self.settings.checks, self._interfaces.known, now)
        for track in self._checks.tracks.values():
            self._agenda.note(track)
        self._services.want(self.settings, self._checks.tracks, now)
        self._agenda.note(self._services)
