"""A stranger on the link: bad packets, four times a second, neither silence a MASTER nor hold up a BACKUP.

keepalived stops sending when it is sent adverts that it rejects, which lets anybody on the link take a cluster apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvrrp.core import const
from pyvrrp.core.fsm import State
from pyvrrp.core.settings import Address
from pyvrrp.core.wire import Advert, encode
from tests.simulation import VIP, Lan, Machine, instance, settings

STRANGER = "192.168.1.66"
PASSWORD = b"4321"
MINUTE = 60.0
EVERY = 0.25
GOOD = Advert(2, 60, 200, 100, (VIP.address,), const.AUTH_PASS, PASSWORD.ljust(8, b"\0"))


def packet(advert: Advert = GOOD, source: str = STRANGER) -> bytes:
    """The bytes of an advert as the stranger would send it."""
    return encode(advert, ip_address(source), const.GROUP_IPV4)


def changed(**fields: object) -> bytes:
    """A good advert with a higher priority than the MASTER's, but for these fields."""
    return packet(replace(GOOD, **fields))  # type: ignore[arg-type]


def broken(at: int, value: int) -> bytes:
    """A good advert with one byte overwritten."""
    payload = packet()
    return payload[:at] + bytes([value]) + payload[at + 1 :]


OTHER: tuple[Address, ...] = (IPv4Address("192.168.1.199"),)

# What is wrong: (payload, TTL, source, the counter that grows).
BAD = {
    "wrong password": (changed(auth_data=b"1234\0\0\0\0"), 255, STRANGER, "password"),
    "no authentication": (changed(auth_type=const.AUTH_NONE), 255, STRANGER, "authentication_type"),
    "authentication header": (changed(auth_type=const.AUTH_AH), 255, STRANGER, "authentication_type"),
    "wrong checksum": (broken(6, packet()[6] ^ 1), 255, STRANGER, "checksum"),
    "through a router": (packet(), 254, STRANGER, "ttl"),
    "other interval": (changed(advert_int=200), 255, STRANGER, "interval"),
    "interval 0": (changed(advert_int=0), 255, STRANGER, "interval"),
    "other address": (changed(addresses=OTHER), 255, STRANGER, "addresses"),
    "one address more": (changed(addresses=(VIP.address, *OTHER)), 255, STRANGER, "addresses"),
    "no address": (changed(addresses=()), 255, STRANGER, "addresses"),
    "truncated": (packet()[:-1], 255, STRANGER, "length"),
    "header cut": (packet()[:5], 255, STRANGER, "length"),
    "one byte more": (packet() + b"\0", 255, STRANGER, "length"),
    "version 3": (changed(version=3, auth_data=b"", auth_type=0), 255, STRANGER, "version"),
    "version 1": (broken(0, 0x11), 255, STRANGER, "version"),
    "type 2": (broken(0, 0x22), 255, STRANGER, "type"),
    "our own address": (packet(source="192.168.1.201"), 255, "192.168.1.201", "own_address"),
    "priority 0, wrong password": (changed(priority=0, auth_data=bytes(8)), 255, STRANGER, "password"),
}


def attacked(lan: Lan, victim: Machine, payload: bytes, ttl: int = 255, source: str = STRANGER) -> None:
    """A minute in which the victim gets this packet again and again."""
    end = lan.now + MINUTE

    def send() -> None:
        if lan.now < end:
            lan.packet(victim.name, source, payload, ttl)
            lan.at(EVERY, send)

    send()
    lan.run(MINUTE)


def node_settings(priority: int = 150) -> tuple[Lan, Machine]:
    """One node that expects the password, and its own list of addresses at once."""
    lan = Lan()
    machine = lan.add(
        "a", "192.168.1.201", settings(instance(priority=priority, auth_pass=PASSWORD, list_tolerance=0.0))
    )
    return lan, machine


def undisturbed() -> list[tuple[float, bytes]]:
    """When a MASTER that is left alone advertises, and what."""
    lan, machine = node_settings()
    lan.run(5.0 + MINUTE)
    return [(at, effect.payload) for at, effect in machine.sent()]


@pytest.mark.parametrize("fault", BAD)
def test_a_master_keeps_its_cadence_exactly(fault: str) -> None:
    payload, ttl, source, counter = BAD[fault]
    lan, machine = node_settings()
    lan.run(5.0)
    attacked(lan, machine, payload, ttl, source)
    assert machine.state is State.MASTER
    assert [(at, effect.payload) for at, effect in machine.sent()] == undisturbed()
    assert {key: count for key, count in machine.status.counters.items() if key.startswith("rejected_")} == {
        f"rejected_{counter}": MINUTE / EVERY
    }


@pytest.mark.parametrize("fault", BAD)
def test_a_backup_does_not_move_its_timer(fault: str) -> None:
    payload, ttl, source, _ = BAD[fault]
    lan, machine = node_settings()
    before = machine.node.next_deadline()
    attacked_until(lan, machine, payload, ttl, source)
    assert machine.said("Entering MASTER STATE") == [before]


def attacked_until(lan: Lan, victim: Machine, payload: bytes, ttl: int, source: str) -> None:
    """Garbage until the node is MASTER."""
    while victim.state is State.BACKUP:
        due = victim.node.next_deadline()
        lan.packet(victim.name, source, payload, ttl)
        assert victim.node.next_deadline() == due
        lan.run(EVERY)


@given(payloads=st.lists(st.binary(max_size=64), min_size=1, max_size=10), ttl=st.sampled_from((1, 255)))
def test_garbage_moves_no_timer(payloads: list[bytes], ttl: int) -> None:
    lan, machine = node_settings()
    for seconds, state in ((0.5, State.BACKUP), (4.0, State.MASTER)):
        lan.run(seconds)
        assert machine.state is state
        due = machine.node.next_deadline()
        for payload in payloads:
            lan.packet("a", STRANGER, payload, ttl)
            lan.packet("a", STRANGER, b"\x21\x3c" + payload, ttl)
            assert machine.node.next_deadline() == due


def test_a_rival_with_lower_priority_delays_no_periodic_advert() -> None:
    lan, machine = node_settings()
    lan.run(5.0)
    until = lan.now + MINUTE

    def storm() -> None:
        if lan.now < until:
            lan.packet("a", STRANGER, changed(priority=100))
            lan.at(0.001, storm)

    storm()
    lan.run(MINUTE)
    sent = [(at, effect.payload) for at, effect in machine.sent()]
    periodic = undisturbed()
    assert set(periodic) <= set(sent)
    answers = len(sent) - len(periodic)
    assert 0 < answers <= 10 * MINUTE, "a rival is answered, ten times an interval at most"
    warnings = machine.said("with lower priority 100, ours 150, forcing new election")
    assert len(warnings) <= MINUTE + 1, "and complained about once a second"
    assert machine.state is State.MASTER


def test_complaints_are_logged_at_a_bounded_rate() -> None:
    kinds: list[Callable[[], bytes]] = [lambda: changed(addresses=OTHER), lambda: changed(advert_int=200)]
    lan, machine = node_settings()
    lan.run(5.0)
    for _ in range(int(MINUTE / 0.01)):
        for make in kinds:
            lan.packet("a", STRANGER, make())
        lan.run(0.01)
    assert 1 < len(machine.said("discarding advert")) <= MINUTE + 1
