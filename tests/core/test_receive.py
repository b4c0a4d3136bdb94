"""core/receive: does a well-formed advert count, and if not, in which words."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core import const
from pyvrrp.core.receive import auth_of, objection
from pyvrrp.core.settings import InstanceSettings, VirtualAddress
from pyvrrp.core.wire import Advert
from tests.simulation import INTERFACE, VIP, instance

SECOND = VirtualAddress(INTERFACE, IPv4Address("192.168.1.199"), 32)
OURS = instance(addresses=(VIP, SECOND))
PASS = instance(addresses=(VIP, SECOND), auth_pass=b"4321")
ADVERT = Advert(2, 60, 200, 100, (VIP.address, SECOND.address))
NEWER = replace(ADVERT, version=3, auth_data=b"")


@pytest.mark.parametrize(
    ("advert", "settings", "found"),
    [
        (ADVERT, OURS, None),
        (replace(ADVERT, addresses=(SECOND.address, VIP.address)), OURS, None),
        (replace(ADVERT, auth_data=b"whatever"), OURS, None),
        (replace(ADVERT, auth_type=1, auth_data=b"4321\0\0\0\0"), PASS, None),
        (NEWER, replace(OURS, version=3), None),
        (replace(NEWER, advert_int=7), replace(OURS, version=3), None),
        (NEWER, replace(PASS, version=3), None),
        (NEWER, OURS, ("version", "it speaks VRRP version 3, we speak 2")),
        (ADVERT, replace(OURS, version=3), ("version", "it speaks VRRP version 2, we speak 3")),
        (ADVERT, PASS, ("authentication_type", "it uses no authentication, we use PASS")),
        (replace(ADVERT, auth_type=1), OURS, ("authentication_type", "it uses PASS, we use no authentication")),
        (replace(ADVERT, auth_type=2), PASS, ("authentication_type", "it uses AH, we use PASS")),
        (replace(ADVERT, auth_type=1, auth_data=b"43210\0\0\0"), PASS, ("password", "its password is not ours")),
        (replace(ADVERT, advert_int=300), OURS, ("interval", "its advert_int is 3 s, ours 1 s")),
        (
            replace(ADVERT, addresses=(VIP.address,)),
            OURS,
            ("addresses", "it advertises 192.168.1.200, we have 192.168.1.199, 192.168.1.200"),
        ),
        (
            replace(ADVERT, addresses=()),
            OURS,
            ("addresses", "it advertises no address, we have 192.168.1.199, 192.168.1.200"),
        ),
    ],
)
def test_objection(advert: Advert, settings: InstanceSettings, found: tuple[str, str] | None) -> None:
    assert objection(advert, settings) == found


def test_the_password_is_in_no_objection() -> None:
    found = objection(replace(ADVERT, auth_type=1, auth_data=b"secret!!"), PASS)
    assert found is not None
    assert "secret" not in found[1]
    assert "4321" not in found[1]


def test_auth_of() -> None:
    assert auth_of(OURS) == (const.AUTH_NONE, bytes(8))
    assert auth_of(PASS) == (const.AUTH_PASS, b"4321\0\0\0\0")
    assert auth_of(replace(PASS, version=3)) == (const.AUTH_NONE, b"")
