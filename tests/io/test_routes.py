"""Routes and rules in a real kernel; `ip` says what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest

from pyvrrp.core.effects import Action, RouteOperation
from pyvrrp.core.events import RoutesChanged
from pyvrrp.core.settings import NextHop, VirtualRoute, VirtualRule
from pyvrrp.io.routes import Routes
from tests.io.conftest import Pair
from tests.netns import Namespace
from tests.waiting import readable

pytestmark = pytest.mark.lab

NET = IPv4Network("10.5.0.0/16")
GATEWAY = IPv4Address("192.168.1.1")
PLAIN = VirtualRoute(NET, via=GATEWAY)
RULE = VirtualRule(4, 500, table=100, source=IPv4Network("192.168.1.200/32"))
NOTHING = RoutesChanged(frozenset(), frozenset())

ROUTES = {
    "via": (PLAIN, "10.5.0.0/16 via 192.168.1.1 dev eth0"),
    "dev": (VirtualRoute(NET, interface="eth0", scope=253), "10.5.0.0/16 dev eth0 scope link"),
    "default": (
        VirtualRoute(IPv4Network("0.0.0.0/0"), via=GATEWAY, metric=7),
        "default via 192.168.1.1 dev eth0 metric 7",
    ),
    "source": (
        replace(PLAIN, source=IPv4Address("192.168.1.201")),
        "10.5.0.0/16 via 192.168.1.1 dev eth0 src 192.168.1.201",
    ),
    "table": (replace(PLAIN, table=1000), "10.5.0.0/16 via 192.168.1.1 dev eth0 table 1000"),
    "blackhole": (VirtualRoute(NET, "blackhole"), "blackhole 10.5.0.0/16"),
    "throw": (VirtualRoute(NET, "throw", table=100), "throw 10.5.0.0/16 table 100"),
    "tos": (replace(PLAIN, tos=16), "10.5.0.0/16 tos 0x10 via 192.168.1.1 dev eth0"),
    "onlink": (
        VirtualRoute(NET, via=IPv4Address("10.99.0.1"), interface="eth0", onlink=True),
        "10.5.0.0/16 via 10.99.0.1 dev eth0 onlink",
    ),
    "options": (
        replace(PLAIN, options=(("mtu", 1400), ("advmss", 1300))),
        "10.5.0.0/16 via 192.168.1.1 dev eth0 mtu 1400 advmss 1300",
    ),
    "hops": (
        VirtualRoute(NET, hops=(NextHop(GATEWAY), NextHop(IPv4Address("192.168.1.2"), "eth0", 3))),
        "10.5.0.0/16 nexthop via 192.168.1.1 dev eth0 weight 1 nexthop via 192.168.1.2 dev eth0 weight 3",
    ),
}

RULES = {
    "from": (RULE, "500: from 192.168.1.200 lookup 100"),
    "to": (VirtualRule(4, 501, table=254, destination=NET), "501: from all to 10.5.0.0/16 lookup main"),
    "not": (replace(RULE, negate=True), "500: not from 192.168.1.200 lookup 100"),
    "blackhole": (replace(RULE, action="blackhole", table=0), "500: from 192.168.1.200 blackhole"),
    "iif": (VirtualRule(4, 500, table=1000, iif="eth0"), "500: from all iif eth0 lookup 1000"),
    "oif": (VirtualRule(4, 500, table=100, oif="eth9"), "500: from all oif eth9 [detached] lookup 100"),
    "mark": (replace(RULE, mark=16, mask=255), "500: from 192.168.1.200 fwmark 0x10/0xff lookup 100"),
    "tos": (replace(RULE, tos=16), "500: from 192.168.1.200 tos 0x10 lookup 100"),
    "suppress": (replace(RULE, suppress_prefixlength=0), "500: from 192.168.1.200 lookup 100 suppress_prefixlength 0"),
}


@pytest.fixture
def routes(pair: Pair) -> Iterator[Routes]:
    with pair.here.inside():
        opened = Routes()
        yield opened
        opened.close()


def add(*subjects: VirtualRoute | VirtualRule) -> list[RouteOperation]:
    return [RouteOperation(Action.ADD, each) for each in subjects]


def remove(*subjects: VirtualRoute | VirtualRule) -> list[RouteOperation]:
    return [RouteOperation(Action.REMOVE, each) for each in subjects]


def shown(host: Namespace, words: str = "route show table all proto keepalived") -> list[str]:
    """What `ip` lists, a line each, several blanks and lines in one."""
    text = host.ip(words).replace("\n\t", " ")
    return [" ".join(line.replace("proto keepalived", "").split()) for line in text.splitlines()]


@pytest.mark.parametrize(("route", "line"), ROUTES.values(), ids=ROUTES)
def test_a_route(pair: Pair, routes: Routes, route: VirtualRoute, line: str) -> None:
    assert routes.apply(add(route)) == [None]
    assert shown(pair.here) == [line]
    assert routes.observe() == RoutesChanged(frozenset({route.key}), frozenset())
    assert routes.apply(add(route)) == [None], "it is there already"
    assert len(shown(pair.here)) == 1
    assert routes.apply(remove(route)) == [None]
    assert shown(pair.here) == []
    assert routes.apply(remove(route)) == [None], "it is gone already"


@pytest.mark.parametrize(("rule", "line"), RULES.values(), ids=RULES)
def test_a_rule(pair: Pair, routes: Routes, rule: VirtualRule, line: str) -> None:
    assert routes.apply(add(rule)) == [None]
    assert line in shown(pair.here, "rule show")
    assert routes.observe() == RoutesChanged(frozenset(), frozenset({rule}))
    assert routes.apply(add(rule)) == [None], "it is there already"
    assert routes.apply(remove(rule)) == [None]
    assert line not in shown(pair.here, "rule show")
    assert routes.apply(remove(rule)) == [None], "it is gone already"


def test_ipv6(pair: Pair, routes: Routes) -> None:
    pair.here.ip("addr add 2001:db8::201/64 dev eth0 nodad")
    route = VirtualRoute(IPv6Network("2001:db8:5::/48"), via=IPv6Address("2001:db8::1"))
    rule = VirtualRule(6, 500, table=100, source=IPv6Network("2001:db8::200/128"))
    assert routes.apply(add(route, rule)) == [None, None]
    assert routes.observe() == RoutesChanged(frozenset({route.key}), frozenset({rule}))
    assert any(line.startswith("2001:db8:5::/48 via 2001:db8::1") for line in shown(pair.here, "-6 route show"))
    assert routes.apply(remove(rule, route)) == [None, None]
    assert routes.observe() == NOTHING


def test_a_route_of_somebody_else_to_the_same_place_stays(pair: Pair, routes: Routes) -> None:
    pair.here.ip("route add 10.5.0.0/16 via 192.168.1.9")
    assert routes.observe() == NOTHING
    routes.apply(add(PLAIN))
    assert shown(pair.here, "route show 10.5.0.0/16") == [
        "10.5.0.0/16 via 192.168.1.1 dev eth0",
        "10.5.0.0/16 via 192.168.1.9 dev eth0",
    ]
    routes.apply(remove(PLAIN))
    assert shown(pair.here, "route show 10.5.0.0/16") == ["10.5.0.0/16 via 192.168.1.9 dev eth0"]
    assert routes.apply(remove(PLAIN)) == [None]
    assert len(shown(pair.here, "route show 10.5.0.0/16")) == 1


def test_what_the_kernel_refuses_is_said(routes: Routes) -> None:
    nowhere = VirtualRoute(NET, via=IPv4Address("10.98.0.1"))
    (refused, absent, done) = routes.apply(add(nowhere, VirtualRoute(NET, interface="eth9"), PLAIN))
    assert str(refused) == "add 10.5.0.0/16 via 10.98.0.1: Network is unreachable"
    assert str(absent) == "set 10.5.0.0/16 dev eth9: there is no interface eth9"
    assert done is None


def test_a_source_address_that_goes_takes_its_route_along(pair: Pair, routes: Routes) -> None:
    pair.here.ip("addr add 192.168.1.200/32 dev eth0")
    routes.apply(add(replace(PLAIN, source=IPv4Address("192.168.1.200"))))
    pair.here.ip("addr del 192.168.1.200/32 dev eth0")
    assert routes.observe() == NOTHING


def test_only_what_concerns_us_is_heard(pair: Pair, routes: Routes) -> None:
    routes.apply(add(PLAIN, RULE))
    pair.here.ip("route add 10.6.0.0/16 via 192.168.1.1")
    assert not readable(routes, 0.2)
    pair.here.ip("route del 10.5.0.0/16 proto keepalived")
    assert readable(routes)
    routes.changed()
    assert not readable(routes, 0.1)
    pair.here.ip("rule del priority 500")
    assert readable(routes)
    routes.changed()
    assert routes.observe() == NOTHING
