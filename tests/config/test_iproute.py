"""config/iproute: routes and rules in iproute2's words."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

import pytest

from pyvrrp.config.iproute import parse_route, parse_rule
from pyvrrp.core.settings import NextHop, VirtualAddress, VirtualRoute, VirtualRule
from tests.config.samples import GOOD, loaded, problems, with_instance_lines

NET = IPv4Network("10.5.0.0/16")
GATEWAY = IPv4Address("192.0.2.1")
PLAIN = VirtualRoute(NET, via=GATEWAY)
RULE = VirtualRule(4, 500, table=100, source=IPv4Network("192.0.2.7/32"))


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("10.5.0.0/16 via 192.0.2.1", PLAIN),
        ("to 10.5.0.0/16 gw 192.0.2.1", PLAIN),
        ("src 192.0.2.7 to 10.5.0.0/16 via 192.0.2.1", replace(PLAIN, source=IPv4Address("192.0.2.7"))),
        ("unicast 10.5.0.0/16 via inet 192.0.2.1", PLAIN),
        ("default via 192.0.2.1 metric 7", VirtualRoute(IPv4Network("0.0.0.0/0"), via=GATEWAY, metric=7)),
        ("10.5.0.1 dev eth0 scope link", VirtualRoute(IPv4Network("10.5.0.1/32"), interface="eth0", scope=253)),
        ("10.5.0.0/16 via 192.0.2.1 table 100 priority 3", replace(PLAIN, table=100, metric=3)),
        ("10.5.0.0/16 via 192.0.2.1 table local", replace(PLAIN, table=255)),
        ("10.5.0.0/16 via 192.0.2.1 tos 10", replace(PLAIN, tos=16)),
        ("10.5.0.0/16 via 192.0.2.1 dsfield 0x10", replace(PLAIN, tos=16)),
        ("10.5.0.0/16 via 192.0.2.1 dev eth0 onlink", replace(PLAIN, interface="eth0", onlink=True)),
        ("10.5.0.0/16 via 192.0.2.1 mtu 1400 advmss 1300", replace(PLAIN, options=(("mtu", 1400), ("advmss", 1300)))),
        ("blackhole 10.5.0.0/16", VirtualRoute(NET, "blackhole")),
        ("10.5.0.0/16 throw table 9", VirtualRoute(NET, "throw", table=9)),
        (
            "10.5.0.0/16 table 9 nexthop via 192.0.2.1 dev eth0 weight 2 nexthop dev eth1 onlink metric 4",
            VirtualRoute(
                NET,
                table=9,
                metric=4,
                hops=(NextHop(GATEWAY, "eth0", 2), NextHop(None, "eth1", 1, onlink=True)),
            ),
        ),
        (
            "2001:db8::/32 via fe80::1 dev eth0",
            VirtualRoute(IPv6Network("2001:db8::/32"), via=IPv6Address("fe80::1"), interface="eth0"),
        ),
        (
            "default via fe80::1 dev eth0",
            VirtualRoute(IPv6Network("::/0"), via=IPv6Address("fe80::1"), interface="eth0"),
        ),
        ("default6 dev eth0", VirtualRoute(IPv6Network("::/0"), interface="eth0")),
    ],
)
def test_a_route(text: str, route: VirtualRoute) -> None:
    assert parse_route(text) == route
    assert parse_route(str(route)) == route, "as it is shown"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it names no destination"),
        ("via 192.0.2.1", "it names no destination"),
        ("10.5.0.0/16", "it needs via, dev or nexthop"),
        ("10.5.0.1/16 via 192.0.2.1", '"10.5.0.1/16" names an address in a network; the network is 10.5.0.0/16'),
        ("10.5.0.300 via 192.0.2.1", '"10.5.0.300" is not a network'),
        ("10.5.0.0/16 via 192.0.2.300", 'via: "192.0.2.300" is not an IP address'),
        ("10.5.0.0/16 via", "via needs a value"),
        ("10.5.0.0/16 via 192.0.2.1 via 192.0.2.2", "via stands there twice"),
        ("10.5.0.0/16 10.6.0.0/16 via 192.0.2.1", '"10.6.0.0/16" is not known here'),
        ("10.5.0.0/16 dev eth0/1", "dev: "),
        ("10.5.0.0/16 dev eth0 metric x", 'metric: "x" is not a number in 0..4294967295'),
        ("10.5.0.0/16 dev eth0 table 0", 'table: "0" is not a number in 1..4294967295'),
        ("10.5.0.0/16 dev eth0 table nowhere", 'table: "nowhere" is not a number, and no table in'),
        ("10.5.0.0/16 dev eth0 scope far", "scope: "),
        ("10.5.0.0/16 dev eth0 mtu lock 1400", "mtu lock is not supported"),
        ("10.5.0.0/16 dev eth0 mtu 1400 mtu 1500", "mtu stands there twice"),
        ("10.5.0.0/16 dev eth0 src 2001:db8::1", "src 2001:db8::1 is of the other family than 10.5.0.0/16"),
        ("blackhole 10.5.0.0/16 via 192.0.2.1", "blackhole leads nowhere"),
        ("10.5.0.0/16 via 192.0.2.1 nexthop via 192.0.2.2", "via and dev belong to the nexthops"),
        ("10.5.0.0/16 nexthop weight 2", "nexthop needs via or dev"),
        ("10.5.0.0/16 nexthop dev eth0 weight 0", 'weight: "0" is not a number in 1..256'),
    ],
)
def test_what_is_wrong_with_a_route(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole message is looked at
        parse_route(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("from 192.0.2.7 table 100 priority 500", RULE),
        ("from 192.0.2.7 to all lookup 100 pref 500", RULE),
        ("to 10.5.0.0/16 table main order 1", VirtualRule(4, 1, table=254, destination=NET)),
        ("not from 192.0.2.7 lookup 100 preference 500", replace(RULE, negate=True)),
        ("from 192.0.2.7 blackhole priority 500", replace(RULE, action="blackhole", table=0)),
        ("iif eth0 oif eth1 table 100 priority 500", VirtualRule(4, 500, table=100, iif="eth0", oif="eth1")),
        ("inet6 iif eth0 table 100 priority 500", VirtualRule(6, 500, table=100, iif="eth0")),
        ("from 192.0.2.7 fwmark 0x10/0xff table 100 priority 500", replace(RULE, mark=16, mask=255)),
        ("from 192.0.2.7 fwmark 16 table 100 priority 500", replace(RULE, mark=16, mask=0xFFFFFFFF)),
        ("from 192.0.2.7 tos 0x10 table 100 priority 500", replace(RULE, tos=16)),
        ("from 192.0.2.7 table 100 priority 500 suppress_prefixlength 0", replace(RULE, suppress_prefixlength=0)),
        (
            "from 2001:db8::/32 table 100 priority 500",
            VirtualRule(6, 500, table=100, source=IPv6Network("2001:db8::/32")),
        ),
    ],
)
def test_a_rule(text: str, rule: VirtualRule) -> None:
    assert parse_rule(text) == rule
    assert parse_rule(str(rule)) == rule, "as it is shown"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from 192.0.2.7 table 100", "it needs a priority"),
        ("from 192.0.2.7 priority 500", "it needs a table, or what to do in place of one"),
        ("from 192.0.2.7 table 100 blackhole priority 500", "it needs a table, or what to do in place of one"),
        ("from 192.0.2.7/24 table 100 priority 500", "the network is 192.0.2.0/24"),
        (
            "from 192.0.2.7 to 2001:db8::/32 table 100 priority 500",
            "from 192.0.2.7/32 and to 2001:db8::/32 are of two families",
        ),
        ("from 192.0.2.7 goto 7 priority 500", '"goto" is not known here'),
        ("from 192.0.2.7 fwmark 1/0 table 100 priority 500", 'fwmark: "0" is not a number in 1..4294967295'),
        ("from 192.0.2.7 table 100 priority", "priority needs a value"),
    ],
)
def test_what_is_wrong_with_a_rule(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        parse_rule(text)
    assert message in str(caught.value)


# --- in node.yaml -----------------------------------------------------------------------------------------------------

STATIC = """static_ipaddress: [{address: 192.168.1.77/24, dev: eth0}]
static_routes: [10.5.0.0/16 via 192.0.2.1]
static_rules: [from 192.0.2.7 table 100 priority 500]
"""


def test_what_follows_and_what_stays(tmp_path: Path) -> None:
    lines = "virtual_routes: [10.5.0.0/16 via 192.0.2.1]\nvirtual_rules: [from 192.0.2.7 lookup 100 pref 500]\n"
    (instance,) = loaded(tmp_path, with_instance_lines(lines)).settings.instances
    assert (instance.routes, instance.rules) == ((PLAIN,), (RULE,))
    node = loaded(tmp_path, GOOD + STATIC).settings
    assert node.static_addresses == (VirtualAddress("eth0", IPv4Address("192.168.1.77"), 24),)
    assert (node.static_routes, node.static_rules) == ((PLAIN,), (RULE,))


def test_every_mistake_has_its_place(tmp_path: Path) -> None:
    text = GOOD + STATIC.replace(", dev: eth0", "").replace("10.5.0.0/16", "10.5.0.1/16").replace(" priority 500", "")
    said = problems(tmp_path, text)
    assert [each.partition(": ")[2] for each in said] == [
        'static_ipaddress: required key "dev" is missing',
        'static_routes: "10.5.0.1/16" names an address in a network; the network is 10.5.0.0/16',
        "static_rules: it needs a priority: rules are asked in its order, from 0 up to main's 32766",
    ]
