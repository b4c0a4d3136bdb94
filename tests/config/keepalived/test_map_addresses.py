"""Lines of virtual_ipaddress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.keepalived.mapped import instance, mapped

LIST = "vrrp_instance.V.virtual_ipaddress"


@pytest.mark.parametrize(
    ("line", "node"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("192.0.2.9/24", "192.0.2.9/24"),
        ("192.0.2.9/024", "192.0.2.9/24"),
        ("192.0.2.9/32", "192.0.2.9"),
        ('"192.0.2.9"', "192.0.2.9"),
        ("192.0.2.9 dev eth1", {"address": "192.0.2.9", "dev": "eth1"}),
        ("192.0.2.9/24 brd 192.0.2.255", {"address": "192.0.2.9/24", "broadcast": "192.0.2.255"}),
        ("192.0.2.9/24 broadcast +", {"address": "192.0.2.9/24", "broadcast": "192.0.2.255"}),
        ("192.0.2.9/24 brd -", {"address": "192.0.2.9/24", "broadcast": "192.0.2.0"}),
        ("192.0.2.9/24 brd + brd -", {"address": "192.0.2.9/24", "broadcast": "192.0.2.0"}),
        ("192.0.2.9 scope link", {"address": "192.0.2.9", "scope": "link"}),
        ("192.0.2.9 scope 200", {"address": "192.0.2.9", "scope": "200"}),
        ("192.0.2.9 scope 0x10", {"address": "192.0.2.9", "scope": "16"}),
        ("192.0.2.9 label eth0:1", {"address": "192.0.2.9", "label": "eth0:1"}),
        (
            "192.0.2.9/24 label a scope site brd + dev eth1",
            {"address": "192.0.2.9/24", "dev": "eth1", "label": "a", "scope": "site", "broadcast": "192.0.2.255"},
        ),
    ],
)
def test_an_address(tmp_path: Path, line: str, node: Any) -> None:
    found = mapped(tmp_path, instance(f"virtual_ipaddress {{\n{line}\n}}"))
    assert found.instance["virtual_ipaddress"] == [node, "192.0.2.1"]
    assert (found.errors, found.advice) == ([], [])


@pytest.mark.parametrize(
    ("line", "node", "error"),
    [
        ("192.168.1.300", None, '"192.168.1.300" is not an IP address; it is left out'),
        ("localhost", None, '"localhost" is not an IP address; it is left out'),
        ("010.009.000.100", None, '"010.009.000.100" is not an IP address; it is left out'),
        ("default", None, '"default" is not an IP address; it is left out'),
        ("192.0.2.9/33", "192.0.2.9", "prefix length 33 is outside 0..32; /32 is used"),
        (
            "192.0.2.9/255.255.255.0",
            "192.0.2.9",
            'prefix length "255.255.255.0" is not a whole number; /32 is used',
        ),
        ("2001:db8::1 dev eth0", "192.0.2.1", "2001:db8::1 is not IPv4, as the instance is; it is left out"),
        ("192.0.2.9 192.0.2.8", "192.0.2.9", '"192.0.2.8" is not an option of an address; it is left out'),
        (
            "192.0.2.9 foo dev eth1",
            {"address": "192.0.2.9", "dev": "eth1"},
            '"foo" is not an option of an address; it is left out',
        ),
        ("192.0.2.9 dev", None, "dev needs a value; the address is left out"),
        ("192.0.2.9 dev eth1 dev eth2", None, "dev stands there twice; the address is left out"),
        ("192.0.2.9 brd 300", None, '"300" is not a broadcast address; the address is left out'),
        (
            "192.0.2.9 brd +",
            "192.0.2.9",
            "a prefix length of 32 leaves no room for a broadcast address; none is set",
        ),
        ("192.0.2.9 scope universe", "192.0.2.9", '"universe" is not a scope; global is used'),
        (
            "192.0.2.9 label eth0:123456789012345",
            None,
            '"eth0:123456789012345" is not a label: at most 15 characters; the address is left out',
        ),
        ("192.0.2.9 preferred_lft soon", "192.0.2.9", '"soon" is not a lifetime; it is left out'),
        ("192.0.2.9 peer x", "192.0.2.9", '"x" is not the address of a peer; it is left out'),
        (
            "`192.0.2.9`",
            "192.0.2.9",
            "the backquotes around 192.0.2.9 are taken off; keepalived leaves it out",
        ),
    ],
)
def test_what_is_wrong_with_one(tmp_path: Path, line: str, node: Any, error: str) -> None:
    found = mapped(tmp_path, instance(f"{'virtual_ipaddress {'}\n192.0.2.1\n}}\nvirtual_ipaddress {{\n{line}\n}}"))
    kept = [] if node in (None, "192.0.2.1") else [node]
    assert found.instance["virtual_ipaddress"] == ["192.0.2.1", *kept, "192.0.2.1"]
    (said,) = found.errors
    assert said.startswith("8: vrrp_instance.V")
    assert said.endswith(f": {error}")
    assert found.status == 5


@pytest.mark.parametrize(
    ("line", "node", "advice"),
    [
        ("192.0.2.0/24", "192.0.2.0", "192.0.2.0/24 names a network, not an address in it; 192.0.2.0/32 is used"),
        ("192.0.2.255/24", "192.0.2.255", "192.0.2.255/24 names a network, not an address in it"),
        ("192.0.2.9/0", "192.0.2.9", "192.0.2.9/0 names a network, not an address in it; 192.0.2.9/32 is used"),
        ("127.0.0.1", None, "127.0.0.1 is a loopback address, it cannot follow a master; it is left out"),
        ("192.0.2.9 peer 192.0.2.8", "192.0.2.9", "peer has no effect here: the address is set without its peer"),
        ("192.0.2.9 home", "192.0.2.9", "home has no effect here"),
        (
            "192.0.2.9 no_track",
            "192.0.2.9",
            "no_track has no effect here: an address that somebody removes is put back",
        ),
    ],
)
def test_what_keepalived_takes_and_we_do_otherwise(tmp_path: Path, line: str, node: str | None, advice: str) -> None:
    found = mapped(tmp_path, instance(f"virtual_ipaddress {{\n{line}\n}}"))
    assert found.instance["virtual_ipaddress"] == ([node] if node else []) + ["192.0.2.1"]
    assert found.status == 0
    assert found.advice[0].startswith(f"5: {LIST}: {advice}")


def test_an_address_that_stands_there_twice_is_counted_twice_as_peers_do(tmp_path: Path) -> None:
    found = mapped(tmp_path, instance("virtual_ipaddress {\n192.0.2.1\n}"))
    assert found.instance["virtual_ipaddress"] == ["192.0.2.1", "192.0.2.1"]


def test_an_option_without_effect_is_said_once_for_each_instance(tmp_path: Path) -> None:
    found = mapped(tmp_path, instance("virtual_ipaddress {\n192.0.2.8 home\n192.0.2.9 home\n}"))
    assert found.advice == [f"5: {LIST}: home has no effect here"]


def test_more_than_255_do_not_fit_into_an_advert(tmp_path: Path) -> None:
    lines = "\n".join(f"10.0.{number // 250}.{number % 250 + 1}" for number in range(300))
    found = mapped(tmp_path, instance(f"virtual_ipaddress {{\n{lines}\n}}"))
    assert len(found.instance["virtual_ipaddress"]) == 255
    assert len(found.instance["virtual_ipaddress_excluded"]) == 46
    assert found.errors == [
        "260: vrrp_instance.V: 301 are too many, 255 fit; the rest is held without being named in adverts"
    ]
