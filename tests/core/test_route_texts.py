"""Routes and rules as logs, reloads and `config show` have them: iproute2's words, in one order."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest

from pyvrrp.core.settings import NextHop, VirtualRoute, VirtualRule

NET = IPv4Network("10.5.0.0/16")
GATEWAY = IPv4Address("192.0.2.1")
PLAIN = VirtualRoute(NET, via=GATEWAY)
RULE = VirtualRule(4, 500, table=100, source=IPv4Network("192.0.2.7/32"))


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (PLAIN, "10.5.0.0/16 via 192.0.2.1"),
        (replace(PLAIN, destination=IPv4Network("0.0.0.0/0")), "default via 192.0.2.1"),
        (VirtualRoute(IPv6Network("::/0"), via=IPv6Address("fe80::1")), "::/0 via fe80::1"),
        (VirtualRoute(NET, "blackhole"), "blackhole 10.5.0.0/16"),
        (
            replace(PLAIN, interface="eth0", source=IPv4Address("192.0.2.7"), table=9, metric=5, scope=253, tos=16),
            "10.5.0.0/16 via 192.0.2.1 dev eth0 src 192.0.2.7 table 9 metric 5 scope 253 tos 0x10",
        ),
        (replace(PLAIN, options=(("mtu", 1400), ("advmss", 1300))), "10.5.0.0/16 via 192.0.2.1 mtu 1400 advmss 1300"),
        (replace(PLAIN, onlink=True), "10.5.0.0/16 via 192.0.2.1 onlink"),
        (
            VirtualRoute(NET, hops=(NextHop(GATEWAY, "eth0", 2), NextHop(None, "eth1", onlink=True))),
            "10.5.0.0/16 nexthop via 192.0.2.1 dev eth0 weight 2 nexthop dev eth1 weight 1 onlink",
        ),
    ],
)
def test_a_route(route: VirtualRoute, text: str) -> None:
    assert str(route) == text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (RULE, "from 192.0.2.7/32 lookup 100 priority 500"),
        (
            VirtualRule(4, 1, table=9, destination=NET, iif="eth0", oif="eth1", tos=16, mark=16, mask=255),
            "from all to 10.5.0.0/16 iif eth0 oif eth1 tos 0x10 fwmark 0x10/0xff lookup 9 priority 1",
        ),
        (replace(RULE, negate=True), "not from 192.0.2.7/32 lookup 100 priority 500"),
        (replace(RULE, action="blackhole", table=0), "from 192.0.2.7/32 blackhole priority 500"),
        (
            replace(RULE, suppress_prefixlength=0),
            "from 192.0.2.7/32 lookup 100 suppress_prefixlength 0 priority 500",
        ),
        (VirtualRule(6, 1, table=9, iif="eth0"), "inet6 from all iif eth0 lookup 9 priority 1"),
        (VirtualRule(4, 1, table=9, iif="eth0"), "from all iif eth0 lookup 9 priority 1"),
        (VirtualRule(6, 1, table=9, source=IPv6Network("2001:db8::/32")), "from 2001:db8::/32 lookup 9 priority 1"),
        (
            VirtualRule(6, 1, table=9, destination=IPv6Network("2001:db8::/32")),
            "from all to 2001:db8::/32 lookup 9 priority 1",
        ),
    ],
)
def test_a_rule(rule: VirtualRule, text: str) -> None:
    assert str(rule) == text


@pytest.mark.parametrize(
    ("route", "metric"),
    [
        (PLAIN, 0),
        (replace(PLAIN, metric=5), 5),
        (VirtualRoute(IPv6Network("2001:db8::/32"), interface="eth0"), 1024),
        (VirtualRoute(IPv6Network("2001:db8::/32"), interface="eth0", metric=5), 5),
    ],
)
def test_the_kernel_gives_an_ipv6_route_a_metric(route: VirtualRoute, metric: int) -> None:
    assert route.key.metric == metric
