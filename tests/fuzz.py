"""scripts/fuzz: random and mutated packets at the decoder and at whole nodes, MASTER and BACKUP, in and out of a group.

What must hold of every packet, whatever is in it:

* decoding it raises nothing but WireError, and what is decoded encodes to the same bytes again;
* a node takes it without an exception;
* a node that turns it away only writes of it: no state, timer, master or address changes, nothing is sent;
* a packet that is certainly broken (one bit flipped, a password guessed, a router's TTL) is turned away.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from multiprocessing import get_context
from typing import NamedTuple

from pyvrrp.core import const
from pyvrrp.core.effects import Reconcile, Record
from pyvrrp.core.events import (
    AddressesChanged,
    AdvertOverheard,
    AdvertReceived,
    EffectDone,
    LinkChanged,
    TimerDue,
)
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.node import Node
from pyvrrp.core.settings import Address, NodeSettings, SyncGroupSettings, VirtualAddress
from pyvrrp.core.wire import Advert, ChecksumForm, decode, encode
from pyvrrp.errors import WireError
from tests.simulation import INTERFACE, SECOND, VIP, instance, settings

PEER, OURS, STRANGER = IPv4Address("192.168.1.202"), IPv4Address("192.168.1.201"), IPv4Address("10.9.8.7")
PEER_6, OURS_6 = IPv6Address("fe80::202"), IPv6Address("fe80::201")
VIP_6 = VirtualAddress(INTERFACE, ip_address("fe80::1"), 128)
MAC = bytes([2, 0, 0, 0, 0, 1])
PASSWORD = b"4321".ljust(8, b"\0")
CHUNK = 20_000  # packets of one series
PRIORITY = {State.MASTER: 250, State.BACKUP: 100}  # few packets that count end a MASTER's tenure
RENEWED = 4000  # packets after which a node begins anew: some were valid, and have changed it


class Packet(NamedTuple):
    """A packet as it arrives. `broken`: it must not be taken, whatever the node."""

    payload: bytes
    source: Address
    destination: Address
    ttl: int
    broken: bool


@dataclass(slots=True)
class Result:
    """How many packets, how many of them were taken by nodes, and what went wrong."""

    packets: int = 0
    decoded: int = 0
    taken: int = 0
    failures: tuple[str, ...] = ()

    def add(self, other: Result) -> None:
        """Count another series in."""
        self.packets, self.decoded = self.packets + other.packets, self.decoded + other.decoded
        self.taken, self.failures = self.taken + other.taken, self.failures + other.failures


# --- packets ----------------------------------------------------------------------------------------------------------


def _good() -> list[tuple[bytes, Address, Address]]:
    """Valid adverts of every kind that the nodes listen to."""
    second = replace(SECOND, address=SECOND.address).address
    found: list[tuple[bytes, Address, Address]] = []
    for priority in (0, 1, 99, 100, 101, 240, 249, 250, 251):
        version2 = Advert(2, 60, priority, 100, (VIP.address,), const.AUTH_PASS, PASSWORD)
        version3 = Advert(3, 61, priority, 100, (second,), auth_data=b"")
        version6 = Advert(3, 62, priority, 100, (VIP_6.address,), auth_data=b"")
        found += [(encode(each, PEER, const.GROUP_IPV4), PEER, const.GROUP_IPV4) for each in (version2, version3)]
        alone = replace(version3, form=ChecksumForm.MESSAGE_ALONE, advert_int=50)
        found.append((encode(alone, PEER, const.GROUP_IPV4), PEER, const.GROUP_IPV4))
        found.append((encode(version6, PEER_6, const.GROUP_IPV6), PEER_6, const.GROUP_IPV6))
    return found


GOOD = _good()


def packets(seed: int, count: int) -> Iterator[Packet]:
    """A series: a third noise, the rest valid adverts with something done to them."""
    chance = random.Random(seed)
    for _ in range(count):
        payload, source, destination = chance.choice(GOOD)
        yield chance.choice(MUTATIONS)(chance, payload, source, destination)


def _noise(chance: random.Random, _: bytes, source: Address, destination: Address) -> Packet:
    return Packet(chance.randbytes(chance.randrange(80)), source, destination, const.TTL, broken=False)


def _noise_with_head(chance: random.Random, good: bytes, source: Address, destination: Address) -> Packet:
    return Packet(good[:2] + chance.randbytes(chance.randrange(80)), source, destination, const.TTL, broken=False)


def _bit(chance: random.Random, good: bytes, source: Address, destination: Address) -> Packet:
    at, bit = chance.randrange(1, len(good)), 1 << chance.randrange(8)
    return Packet(_put(good, at, good[at] ^ bit), source, destination, const.TTL, broken=True)


def _byte(chance: random.Random, good: bytes, source: Address, destination: Address) -> Packet:
    payload = _put(good, chance.randrange(len(good)), chance.randrange(256))
    return Packet(payload, source, destination, const.TTL, broken=False)


def _byte_summed(chance: random.Random, good: bytes, source: Address, destination: Address) -> Packet:
    """Bytes changed under a right checksum: what lies behind that test is reached."""
    payload = good
    for _ in range(chance.randrange(1, 4)):
        payload = _put(payload, chance.randrange(len(payload)), chance.choice((0, 1, 255, chance.randrange(256))))
    return Packet(_summed(payload, source, destination), source, destination, const.TTL, broken=False)


def _resized(chance: random.Random, good: bytes, source: Address, destination: Address) -> Packet:
    size = chance.randrange(len(good))
    payload = good[:size] if chance.random() < 0.5 else good + chance.randbytes(size)
    payload = _summed(payload, source, destination) if chance.random() < 0.5 else payload
    return Packet(payload, source, destination, const.TTL, broken=len(payload) != len(good))


def _many_addresses(chance: random.Random, good: bytes, source: Address, destination: Address) -> Packet:
    """As many addresses as it says, with a right checksum: only the list is wrong, or its place in the packet."""
    count, size = chance.choice((0, 1, 1, 2, 2, 3, chance.randrange(256))), source.max_prefixlen // 8
    tail = good[-8:] if good[0] >> 4 == 2 else b""
    payload = good[:3] + bytes([count]) + good[4:8] + chance.randbytes(count * size) + tail
    return Packet(_summed(payload, source, destination), source, destination, const.TTL, broken=False)


def _guessed(chance: random.Random, good: bytes, source: Address, destination: Address) -> Packet:
    """Another password, or another kind of authentication, with a right checksum."""
    payload = _put(good, 4, chance.choice((0, 1, 1, 2, 3))) if good[0] >> 4 == 2 else good
    wrong = chance.randbytes(8)
    payload = payload[:-8] + wrong if good[0] >> 4 == 2 else payload
    broken = good[0] >> 4 == 2 and wrong != PASSWORD
    return Packet(_summed(payload, source, destination), source, destination, const.TTL, broken)


def _elsewhere(chance: random.Random, good: bytes, source: Address, destination: Address) -> Packet:
    """Through a router, from another sender, to another group, or from this node itself."""
    kind = chance.randrange(4)
    if kind == 0:
        return Packet(good, source, destination, chance.randrange(255), broken=True)
    if kind == 1:
        own = OURS if source.version == 4 else OURS_6
        return Packet(_summed(good, own, destination), own, destination, const.TTL, broken=True)
    if kind == 2:
        other = STRANGER if source.version == 4 else OURS
        return Packet(good, other, destination, const.TTL, broken=False)
    target = chance.choice((OURS, const.GROUP_IPV4)) if source.version == 4 else OURS_6
    return Packet(good, source, target, chance.choice((1, 64, 255)), broken=False)


def _good_as_it_is(_: random.Random, good: bytes, source: Address, destination: Address) -> Packet:
    return Packet(good, source, destination, const.TTL, broken=False)


Mutation = Callable[[random.Random, bytes, Address, Address], Packet]
MUTATIONS: tuple[Mutation, ...] = (
    _noise, _noise_with_head, _noise_with_head, _bit, _bit, _byte, _byte_summed, _byte_summed, _resized,
    _many_addresses, _guessed, _elsewhere,
)  # fmt: skip


def _put(payload: bytes, at: int, value: int) -> bytes:
    return payload[:at] + bytes([value]) + payload[at + 1 :]


def _summed(payload: bytes, source: Address, destination: Address) -> bytes:
    """The packet with a right checksum, by a sum of its own: version 2's of the message, version 3's with its head."""
    if len(payload) < 8 or source.version != destination.version:
        return payload
    covered = payload[:6] + b"\0\0" + payload[8:]
    if payload[0] >> 4 != 2:
        covered = source.packed + destination.packed + bytes([0, const.PROTOCOL]) + _length(payload) + covered
    total = sum(covered[0::2]) * 256 + sum(covered[1::2])
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return payload[:6] + (total ^ 0xFFFF).to_bytes(2, "big") + payload[8:]


def _length(payload: bytes) -> bytes:
    return len(payload).to_bytes(2, "big")


# --- nodes ------------------------------------------------------------------------------------------------------------


@cache
def _node(priority: int, grouped: bool) -> NodeSettings:
    """Version 2 with a password, version 3 beside it, and version 3 over IPv6; the first two may be a group."""
    first = instance(priority=priority, auth_pass=b"4321")
    second = replace(instance(priority=priority), name="VI_2", virtual_router_id=61, version=3, addresses=(SECOND,))
    third = replace(second, name="VI_3", virtual_router_id=62, family=6, addresses=(VIP_6,))
    groups = (SyncGroupSettings("G", ("VI_1", "VI_2")),) if grouped else ()
    return settings(first, second, third, groups=groups)


class Target:
    """A node, brought to a state, that is shown packets while its time stands still."""

    def __init__(self, state: State, grouped: bool) -> None:
        self.state, self.grouped = state, grouped
        self.routers: tuple[VirtualRouter, ...] = ()
        self.renew()

    def renew(self) -> None:
        """Begin anew."""
        self.now = 1000.0
        self.node = Node(_node(PRIORITY[self.state], self.grouped), self.now)
        self._give(LinkChanged(INTERFACE, present=True, up=True, mac=MAC))
        self._give(AddressesChanged(INTERFACE, ((OURS, 24), (OURS_6, 64))))
        while self.state is State.MASTER and any(each.state is not State.MASTER for each in self.routers):
            self.now = self.node.next_deadline() or self.now
            self._give(TimerDue())
        self._before = self._essence()

    def show(self, packet: Packet, overheard: bool) -> bool:
        """Hand it a packet; whether it was taken. AssertionError when one that was not has changed something."""
        counted = self._counted()
        kind = AdvertOverheard if overheard else AdvertReceived
        effects = self.node.handle(
            kind(INTERFACE, packet.source, packet.destination, packet.ttl, packet.payload), self.now
        )
        taken = self._counted() != counted
        if not taken:
            assert all(type(each) is Record for each in effects), f"it was turned away, and yet: {effects}"
            before, self._before = self._before, self._essence()
            assert self._before == before, f"it was turned away, and changed {before} to {self._before}"
            return False
        assert not packet.broken, "it was taken"
        if any(each.state is not self.state for each in self.routers):
            self.renew()
        self._before = self._essence()
        return True

    def _give(self, event: LinkChanged | AddressesChanged | TimerDue) -> None:
        self.routers = tuple(self.node._routers.values())
        for effect in self.node.handle(event, self.now):
            if isinstance(effect, Reconcile):
                self.node.handle(EffectDone(effect.instance, effect.operations), self.now)

    def _counted(self) -> int:
        return sum(each.counters.adverts_received for each in self.routers)

    def _essence(self) -> tuple[object, ...]:
        """What a packet must not change when it is turned away."""
        of_each = [
            (each.state, each.deadline, each.garp_due, each.ready, each.following, each.priority, each.handover_until,
             each.preempts_at, each.master_down_interval, each.counters.adverts_sent, each.hold)
            for each in self.routers
        ]  # fmt: skip
        # By identity: they are frozen, and are replaced when they change.
        found = [id(each) for router in self.routers for each in (router.master, router.rival, router.last)]
        return of_each, found, self.node.next_deadline()


def series(seed: int, count: int = CHUNK) -> Result:
    """Show one series of packets to the decoder and to every kind of node in turn."""
    result = Result()
    targets = [Target(state, grouped) for state in (State.MASTER, State.BACKUP) for grouped in (False, True)]
    for number, packet in enumerate(packets(seed, count)):
        target = targets[number % len(targets)]
        if number % RENEWED < len(targets):
            target.renew()
        try:
            result.decoded += _decodes(packet)
            if target.show(packet, overheard=number % 5 == 0):
                result.taken += 1
        except Exception as error:  # noqa: BLE001 - anything but WireError is a finding
            told = f"seed {seed} number {number}: {packet.payload.hex()} {packet[1:]}: {type(error).__name__}: {error}"
            result.failures += (told,)
            target.renew()
        result.packets += 1
    return result


def _decodes(packet: Packet) -> bool:
    try:
        advert = decode(packet.payload, packet.source, packet.destination, packet.ttl)
    except WireError:
        return False
    again = encode(advert, packet.source, packet.destination)
    assert again == packet.payload, f"what is decoded encodes to {again.hex()}"
    return True


def campaign(count: int, jobs: int, first: int = 0) -> Iterator[Result]:
    """The results of so many packets, by series."""
    seeds = range(first, first + -(-count // CHUNK))
    sizes = [min(CHUNK, count - CHUNK * number) for number in range(len(seeds))]
    if jobs == 1:
        yield from map(series, seeds, sizes)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield from pool.map(series, seeds, sizes)


def main() -> int:
    """Run it; the exit status is 1 when something went wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description="Random and mutated packets at decoder and nodes."
    )
    parser.add_argument("--packets", type=int, default=1_000_000, metavar="N", help="how many (1000000)")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="K", help="the first series (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J", help="processes (one a core)")
    options = parser.parse_args()
    total, began = Result(), time.monotonic()
    spoken = began
    for result in campaign(options.packets, options.jobs, options.first):
        total.add(result)
        now = time.monotonic()
        if now - spoken > 5.0:
            spoken = now
            rate, harm = total.packets / (now - began), len(total.failures)
            print(f"{total.packets} of {options.packets}, {rate:.0f}/s, {harm} did harm", file=sys.stderr)
    seconds = time.monotonic() - began
    print(
        f"{total.packets} packets in {seconds:.0f} s ({total.packets / seconds:.0f}/s): "
        f"{total.decoded} were adverts, {total.taken} were taken, {len(total.failures)} did harm"
    )
    for failure in total.failures[:10]:
        print(failure)
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
