"""core/routes: routes and rules follow the addresses of a MASTER; static ones stay."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from pyvrrp.core.const import KERNEL_RETRY
from pyvrrp.core.effects import Action, Effect, Level, Operation, Reconcile, ReconcileRoutes, Record, RouteOperation
from pyvrrp.core.events import ConfigReplaced, RouteFailed, RoutesChanged, RoutesDone, Stopping
from pyvrrp.core.fsm import State
from pyvrrp.core.node import Node
from pyvrrp.core.settings import NodeSettings, VirtualAddress, VirtualRoute, VirtualRule
from tests.lone import START, Lone, kinds, only, operations, texts
from tests.simulation import INTERFACE, VIP, instance, settings

GATEWAY = IPv4Address("192.168.1.1")
ROUTE = VirtualRoute(IPv4Network("10.5.0.0/16"), via=GATEWAY, table=100)
SECOND = VirtualRoute(IPv4Network("10.6.0.0/16"), via=GATEWAY)
RULE = VirtualRule(4, 500, table=100, source=IPv4Network("192.168.1.200/32"))
ELSEWHERE = VirtualRule(4, 501, table=101, destination=IPv4Network("10.7.0.0/16"))


def lone(**changes: object) -> Lone:
    return Lone(**({"routes": (ROUTE, SECOND), "rules": (RULE, ELSEWHERE)} | changes))  # type: ignore[arg-type]


def of_node(whole: NodeSettings) -> Lone:
    node = Lone()
    node.node = Node(whole, START)
    return node


def asked(effects: list[Effect]) -> list[tuple[Action, VirtualRoute | VirtualRule]]:
    """What is asked for of routes and rules, in order."""
    return [(each.action, each.subject) for effect in only(ReconcileRoutes, effects) for each in effect.operations]


def obey(node: Lone, effects: list[Effect]) -> list[Effect]:
    """The kernel does all that is asked."""
    answers = node.obey(effects)
    for each in only(ReconcileRoutes, effects):
        answers += node.give(RoutesDone(each.instance, each.operations))
    return answers


def master(**changes: object) -> Lone:
    node = lone(**changes)
    obey(node, node.look())
    obey(node, node.timer())
    assert node.state is State.MASTER
    return node


def added(*subjects: VirtualRoute | VirtualRule) -> list[tuple[Action, VirtualRoute | VirtualRule]]:
    return [(Action.ADD, each) for each in subjects]


def removed(*subjects: VirtualRoute | VirtualRule) -> list[tuple[Action, VirtualRoute | VirtualRule]]:
    return [(Action.REMOVE, each) for each in subjects]


ALL_GONE = removed(ELSEWHERE, RULE, SECOND, ROUTE)


def test_they_come_after_the_addresses_routes_before_rules() -> None:
    node = lone()
    assert asked(node.look()) == []
    effects = node.timer()
    assert kinds(effects) == ["SendAdvert", "Reconcile", "ReconcileRoutes"]
    assert asked(effects) == added(ROUTE, SECOND, RULE, ELSEWHERE)
    assert asked(obey(node, effects)) == []


def test_they_go_before_the_addresses_rules_before_routes() -> None:
    node = master()
    effects = node.hear(200)
    assert kinds(effects) == ["ReconcileRoutes", "ResetConnections", "Reconcile"]
    assert asked(effects) == ALL_GONE
    assert asked(obey(node, effects)) == []


def test_they_stay_while_the_addresses_are_handed_over() -> None:
    node = master()
    assert asked(node.give(Stopping("asked"))) == []
    assert node.node.held_routes() == tuple(RouteOperation(*each) for each in ALL_GONE)
    assert asked(node.hear(90)) == ALL_GONE


def test_what_somebody_deletes_comes_back_without_a_transition() -> None:
    node = master()
    effects = node.give(RoutesChanged(frozenset({SECOND.key}), frozenset({RULE})))
    assert asked(effects) == added(ROUTE, ELSEWHERE)
    assert node.state is State.MASTER


def test_leftovers_of_an_earlier_life_are_cleared() -> None:
    node = lone()
    leftovers = node.give(RoutesChanged(frozenset({ROUTE.key}), frozenset({RULE})))
    assert asked(leftovers) == removed(RULE, ROUTE)
    assert asked(obey(node, leftovers)) == []
    assert node.node.held_routes() == ()


def test_those_of_others_are_left_alone() -> None:
    node = lone()
    other = replace(ROUTE, table=7)
    assert asked(node.give(RoutesChanged(frozenset({other.key}), frozenset({replace(RULE, priority=1)})))) == []


def test_a_request_is_not_repeated_while_it_is_under_way() -> None:
    node = lone()
    node.look()
    effects = node.timer()
    assert asked(node.give(RoutesChanged(frozenset(), frozenset()))) == []
    assert asked(effects) != []


def test_one_that_is_refused_is_no_fault_and_is_tried_again() -> None:
    node = lone(routes=(ROUTE,), rules=())
    node.look()
    effects = node.timer()
    failed = RouteFailed("VI_1", only(ReconcileRoutes, effects)[0].operations[0], "Network is unreachable")
    said = node.give(failed)
    text = "the kernel would not add the route 10.5.0.0/16 via 192.168.1.1 table 100: Network is unreachable"
    assert only(Record, said) == [Record(Level.ERROR, "VI_1", text)]
    assert node.state is State.MASTER
    assert node.node.next_deadline() is not None
    again: list[Effect] = []
    while not asked(again):
        again = node.timer()
    assert asked(again) == added(ROUTE)
    assert texts(node.give(failed)) == [], "it is said once"
    obey(node, again)
    assert node.node._routes.next_deadline() is None
    node.give(RoutesChanged(frozenset(), frozenset()))
    assert texts(node.give(failed)) == [text], "and anew once it had been there"


def test_a_rule_that_is_refused_is_called_a_rule() -> None:
    node = master()
    said = node.give(RouteFailed("VI_1", RouteOperation(Action.REMOVE, RULE), "Operation not permitted"))
    assert texts(said) == [
        "the kernel would not remove the rule from 192.168.1.200/32 lookup 100 priority 500: Operation not permitted"
    ]


def test_a_reload_changes_what_differs() -> None:
    node = master()
    other = replace(ROUTE, via=IPv4Address("192.168.1.2"))
    effects = node.give(ConfigReplaced(settings(instance(routes=(other, SECOND), rules=(RULE,)))))
    assert asked(effects) == removed(ELSEWHERE, ROUTE) + added(other)
    assert asked(obey(node, effects)) == []
    assert node.state is State.MASTER
    gone = node.give(ConfigReplaced(settings(instance())))
    assert set(asked(gone)) == set(removed(RULE, SECOND, other))
    obey(node, gone)
    assert node.node.held_routes() == ()


def test_what_a_reload_takes_away_is_known_until_the_kernel_has_let_go_of_it() -> None:
    node = master(routes=(ROUTE,), rules=())
    removal = RouteOperation(Action.REMOVE, ROUTE)
    gone = node.give(ConfigReplaced(settings(instance())))
    assert only(ReconcileRoutes, gone) == [ReconcileRoutes("VI_1", (removal,))]
    assert node.node.held_routes() == (removal,)
    node.give(RouteFailed("VI_1", removal, "Device or resource busy"))
    assert node.node._routes.next_deadline() == node.now + KERNEL_RETRY
    again: list[Effect] = []
    while not asked(again):
        again = node.timer()
    assert only(ReconcileRoutes, again) == [ReconcileRoutes("VI_1", (removal,))]
    obey(node, again)
    assert node.node.held_routes() == ()


def test_each_instance_asks_for_its_own() -> None:
    second = replace(instance(), name="VI_2", virtual_router_id=61, addresses=(), routes=(SECOND,))
    node = Lone(instance(routes=(ROUTE,), rules=(RULE,)), second)
    obey(node, node.look())
    effects: list[Effect] = []
    for _ in range(2):
        step = node.timer()
        effects += step + node.obey(step)
    assert only(ReconcileRoutes, effects) == [
        ReconcileRoutes("VI_1", (RouteOperation(Action.ADD, ROUTE), RouteOperation(Action.ADD, RULE))),
        ReconcileRoutes("VI_2", (RouteOperation(Action.ADD, SECOND),)),
    ]


def test_a_route_that_went_may_come_back_as_another() -> None:
    node = master()
    obey(node, node.hear(200))
    other = replace(ROUTE, via=IPv4Address("192.168.1.2"))
    node.give(ConfigReplaced(settings(instance(routes=(other,)))))
    assert asked(node.give(RoutesChanged(frozenset({ROUTE.key}), frozenset()))) == removed(other)


def test_what_two_instances_have_goes_with_the_last() -> None:
    second = replace(instance(), name="VI_2", virtual_router_id=61, addresses=(), routes=(ROUTE,))
    node = Lone(instance(routes=(ROUTE,)), second)
    obey(node, node.look())
    for _ in range(4):
        obey(node, node.timer())
    assert {each.state for each in node.node.snapshot(node.now).instances} == {"MASTER"}
    assert asked(node.hear(200)) == []


OTHER = replace(VIP, address=IPv4Address("192.168.1.199"))
STATIC_ADDRESS = VirtualAddress(INTERFACE, IPv4Address("192.168.1.77"), 24)
STATIC = replace(settings(instance()), static_addresses=(STATIC_ADDRESS,), static_routes=(ROUTE,), static_rules=(RULE,))


def test_static_ones_are_set_at_once_and_stay() -> None:
    node = of_node(STATIC)
    effects = node.look()
    assert only(Reconcile, effects) == [Reconcile("", (Operation(Action.ADD, STATIC_ADDRESS),))]
    assert asked(effects) == added(ROUTE, RULE)
    assert [each.instance for each in only(ReconcileRoutes, effects)] == [""], "they are nobody's"
    obey(node, effects)
    assert STATIC_ADDRESS in node.node.held()
    stopped = node.give(Stopping("asked"))
    assert asked(stopped) == []
    assert operations(stopped) == []


def test_static_ones_come_back_when_somebody_deletes_them() -> None:
    node = of_node(STATIC)
    obey(node, node.look())
    assert [each.address for each in operations(node.addresses())] == [STATIC_ADDRESS]
    assert asked(node.give(RoutesChanged(frozenset(), frozenset()))) == added(ROUTE, RULE)


def test_a_static_address_waits_for_its_interface() -> None:
    node = of_node(replace(STATIC, static_addresses=(replace(STATIC_ADDRESS, interface="eth9"),)))
    assert operations(node.look()) == []
    assert "eth9" in node.node.interfaces()
    node = of_node(STATIC)
    assert operations(node.link(up=True)) == [], "its addresses are not known yet"
    node.addresses()
    assert operations(node.link(up=False, present=False)) == []


def test_a_reload_takes_static_ones_away() -> None:
    node = of_node(STATIC)
    obey(node, node.look())
    obey(node, node.addresses(primary=None))
    node.node._addresses.ledger.observe(INTERFACE, frozenset({STATIC_ADDRESS}))
    effects = node.give(ConfigReplaced(settings(instance())))
    assert only(Reconcile, effects) == [Reconcile("", (Operation(Action.REMOVE, STATIC_ADDRESS),))]
    assert asked(effects) == removed(RULE, ROUTE)


def test_a_virtual_address_that_becomes_static_stays() -> None:
    node = of_node(settings(instance(addresses=(VIP, OTHER))))
    node.look()
    while node.state is not State.MASTER:
        obey(node, node.timer())
    effects = node.give(ConfigReplaced(replace(settings(instance()), static_addresses=(OTHER,))))
    assert operations(effects) == []
    assert OTHER in node.node.held()


def test_one_that_becomes_virtual_is_not_taken_away_and_given_back() -> None:
    node = of_node(STATIC)
    obey(node, node.look())
    effects = node.give(ConfigReplaced(replace(STATIC, static_routes=(), instances=(instance(routes=(ROUTE,)),))))
    assert asked(effects) == removed(ROUTE), "the instance is BACKUP"
    assert VIP not in node.node.held()
