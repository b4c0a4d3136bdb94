"""RFC 3768 (VRRP version 2), section by section: what each sentence that concerns a host's agent demands."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core import const
from pyvrrp.core.effects import Action, Operation, SendAdvert
from pyvrrp.core.events import Stopping
from pyvrrp.core.fsm import State
from pyvrrp.core.wire import Advert, checksum, decode, encode
from pyvrrp.errors import WireError, WireFault
from tests.lone import LOWER_PEER, OURS, PEER, Lone, announced, backup, kinds, master, only, operations, sent, texts
from tests.simulation import VIP, instance

ADVERT = Advert(2, 60, 100, 100, (VIP.address,))
BYTES = encode(ADVERT, OURS, const.GROUP_IPV4)


def fault_of(payload: bytes, ttl: int = const.TTL) -> WireFault:
    """Why these bytes are refused."""
    with pytest.raises(WireError) as caught:
        decode(payload, PEER, const.GROUP_IPV4, ttl)
    return caught.value.fault


def put(at: int, value: int) -> bytes:
    """The plain advert with one byte changed and the checksum put right."""
    payload = BYTES[:at] + bytes([value]) + BYTES[at + 1 :]
    blank = payload[:6] + b"\0\0" + payload[8:]
    return payload[:6] + checksum(blank).to_bytes(2, "big") + payload[8:]


# --- 5: the packet ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("3768:5.1")
def test_5_1_packet_format() -> None:
    # Version 2, type 1; VRID 60; priority 100; one address; no authentication; 1 s; checksum; the address; 8 bytes.
    assert BYTES.hex(" ") == "21 3c 64 01 00 01 b8 50 c0 a8 01 c8 00 00 00 00 00 00 00 00"


@pytest.mark.clause("3768:5.2.1")
def test_5_2_1_source_is_the_primary_address() -> None:
    lone = Lone()
    lone.look(VIP.address)
    lone.addresses(VIP.address, IPv4Address("192.168.1.209"), primary=OURS)
    assert {each.source for each in only(SendAdvert, lone.become_master())} == {OURS}


@pytest.mark.clause("3768:5.2.2")
def test_5_2_2_destination() -> None:
    advert = only(SendAdvert, Lone().become_master())[0]
    assert str(advert.destination) == "224.0.0.18"


@pytest.mark.clause("3768:5.2.3-received", "3768:7.1-ttl")
@pytest.mark.parametrize("ttl", [0, 1, 64, 254])
def test_5_2_3_ttl_other_than_255_is_discarded(ttl: int) -> None:
    assert const.TTL == 255
    assert fault_of(BYTES, ttl) is WireFault.TTL


@pytest.mark.clause("3768:5.2.4")
def test_5_2_4_protocol() -> None:
    assert const.PROTOCOL == 112


@pytest.mark.clause("3768:5.3.1", "3768:7.1-version")
@pytest.mark.parametrize("first", [0x01, 0x11, 0x41, 0xF1])
def test_5_3_1_version(first: int) -> None:
    assert fault_of(put(0, first)) is WireFault.VERSION


@pytest.mark.clause("3768:5.3.2-unknown")
@pytest.mark.parametrize("first", [0x20, 0x22, 0x2F])
def test_5_3_2_unknown_type_is_discarded(first: int) -> None:
    assert fault_of(put(0, first)) is WireFault.TYPE


@pytest.mark.clause("3768:5.3.3")
def test_5_3_3_vrid_is_1_to_255() -> None:
    assert fault_of(put(1, 0)) is WireFault.VRID
    assert decode(put(1, 255), PEER, const.GROUP_IPV4, 255).vrid == 255
    assert decode(put(1, 1), PEER, const.GROUP_IPV4, 255).vrid == 1


@pytest.mark.clause("3768:5.3.4", "3768:5.3.4-owner")
def test_5_3_4_priority() -> None:
    assert (const.PRIORITY_OWNER, const.PRIORITY_DEFAULT, const.PRIORITY_RELEASE) == (255, 100, 0)
    assert (const.PRIORITY_MIN, const.PRIORITY_MAX) == (1, 254)


@pytest.mark.clause("3768:5.3.5")
@pytest.mark.parametrize("count", [0, 2, 255])
def test_5_3_5_count_must_fit_the_length(count: int) -> None:
    assert fault_of(put(3, count)) is WireFault.LENGTH


@pytest.mark.clause("3768:5.3.6-unknown")
def test_5_3_6_unknown_authentication_type_is_discarded() -> None:
    assert fault_of(put(4, 3)) is WireFault.AUTH_TYPE


@pytest.mark.clause("3768:7.1-auth")
def test_5_3_6_other_authentication_than_configured_is_discarded() -> None:
    lone = backup()
    lone.hear(200, auth_type=const.AUTH_PASS, auth_data=b"4321\0\0\0\0")
    assert lone.status.counters["rejected_authentication_type"] == 1
    assert lone.status.master is None


@pytest.mark.clause("3768:5.3.6-none")
def test_5_3_6_1_authentication_data_is_ignored_without_authentication() -> None:
    lone = backup()
    lone.hear(200, auth_data=b"whatever")
    assert lone.status.master is not None


@pytest.mark.clause("3768:5.3.7")
def test_5_3_7_interval_is_in_seconds_and_1_by_default() -> None:
    assert decode(put(5, 255), PEER, const.GROUP_IPV4, 255).seconds == 255.0
    assert fault_of(put(5, 0)) is WireFault.INTERVAL
    assert instance().advert_int == 1


@pytest.mark.clause("3768:5.3.8", "3768:7.1-checksum")
def test_5_3_8_checksum_covers_the_whole_message() -> None:
    for at in range(len(BYTES)):
        flipped = BYTES[:at] + bytes([BYTES[at] ^ 0x80]) + BYTES[at + 1 :]
        assert fault_of(flipped) in (WireFault.CHECKSUM, WireFault.LENGTH, WireFault.VERSION), at


@pytest.mark.clause("3768:5.3.10")
def test_5_3_10_authentication_data_is_zero_on_transmission() -> None:
    advert = only(SendAdvert, Lone().become_master())[0]
    assert advert.payload[-8:] == bytes(8)


# --- 6.1: parameters --------------------------------------------------------------------------------------------------


@pytest.mark.clause("3768:6.1-skew", "3768:6.1-down")
@pytest.mark.parametrize(
    ("priority", "skew"),
    [(1, 0.99609375), (100, 0.609375), (240, 0.0625), (250, 0.0234375), (254, 0.0078125)],
)
def test_6_1_skew_time_and_master_down_interval(priority: int, skew: float) -> None:
    lone = backup(priority=priority)
    assert lone.router.skew_time == skew
    assert lone.router.master_down_interval == 3 + skew
    assert lone.deadline == 3 + skew


@pytest.mark.clause("3768:6.1-skew")
def test_6_1_skew_time_does_not_grow_with_the_interval() -> None:
    lone = backup(priority=100, advert_int=10.0)
    assert lone.router.skew_time == 0.609375
    assert lone.deadline == 30.609375


@pytest.mark.clause("3768:6.1-preempt")
def test_6_1_preempt_is_the_default() -> None:
    assert instance().preempt


# --- 6.4.1: Initialize ------------------------------------------------------------------------------------------------


@pytest.mark.clause("3768:6.4.1-owner", "5798:8.1.2-delay", "9568:8.1.2-delay")
def test_6_4_1_startup_of_the_owner() -> None:
    lone = Lone(priority=255)
    effects = lone.look()
    assert lone.state is State.MASTER
    assert kinds(effects) == ["SendAdvert", "Reconcile"]
    assert sent(effects)[0].priority == 255
    assert kinds(lone.obey(effects)) == ["Announce"]
    assert lone.deadline == 1.0


@pytest.mark.clause("3768:6.4.1-backup")
def test_6_4_1_startup_of_a_backup() -> None:
    lone = Lone(priority=100)
    assert kinds(lone.look()) == []
    assert lone.state is State.BACKUP
    assert lone.deadline == 3.609375


# --- 6.4.2: Backup ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("3768:6.4.2-arp", "3768:6.4.2-accept")
def test_6_4_2_does_not_hold_the_addresses() -> None:
    """It must not answer ARP for them nor accept packets to them: its kernel must not have them."""
    lone = Lone()
    assert operations(lone.look(VIP.address)) == [Operation(Action.REMOVE, VIP)]


@pytest.mark.clause("3768:6.4.2-shutdown")
def test_6_4_2_shutdown() -> None:
    lone = backup()
    effects = lone.give(Stopping("stop"))
    assert kinds(effects) == []
    assert lone.state is State.INIT
    assert lone.deadline is None
    assert lone.node.next_deadline() is None


@pytest.mark.clause("3768:6.2-down", "3768:6.4.2-timer", "3768:6.4.2-announce")
def test_6_4_2_master_down_timer_fires() -> None:
    lone = backup(priority=100)
    effects = lone.timer()
    assert lone.now == 1003.609375
    assert lone.state is State.MASTER
    assert kinds(effects) == ["SendAdvert", "Reconcile"]
    assert sent(effects) == [ADVERT]
    assert announced(lone.obey(effects)) == 5
    assert lone.deadline == 1.0


@pytest.mark.clause("3768:6.4.2-zero")
def test_6_4_2_priority_zero_sets_the_timer_to_skew_time() -> None:
    lone = backup(priority=100)
    lone.hear(200, after=1.0)
    lone.hear(0, after=0.5)
    assert lone.deadline == 0.609375
    lone.timer()
    assert lone.state is State.MASTER
    assert lone.now == 1002.109375
    assert lone.status.last is not None
    assert lone.status.last.reason == "192.168.1.202 sent priority 0"


@pytest.mark.clause("3768:6.4.2-higher")
@pytest.mark.parametrize("priority", [100, 101, 255])
@pytest.mark.parametrize("preempt", [True, False])
def test_6_4_2_equal_or_higher_priority_resets_the_timer(priority: int, preempt: bool) -> None:
    lone = backup(priority=100, preempt=preempt)
    lone.hear(priority, after=2.0)
    assert lone.deadline == 3.609375
    assert lone.state is State.BACKUP


@pytest.mark.clause("3768:6.4.2-nopreempt")
def test_6_4_2_lower_priority_without_preempt_resets_the_timer() -> None:
    lone = backup(priority=100, preempt=False)
    lone.hear(99, after=2.0)
    assert lone.deadline == 3.609375


@pytest.mark.clause("3768:6.4.2-lower")
def test_6_4_2_lower_priority_with_preempt_is_discarded() -> None:
    lone = backup(priority=100)
    effects = lone.hear(99, after=2.0)
    assert lone.deadline == 1.609375
    assert kinds(effects) == []
    assert texts(effects) == ["received lower priority (99) advert from 192.168.1.202 - discarding"]


# --- 6.4.3: Master ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("3768:6.4.3-arp", "3768:6.4.3-accept")
def test_6_4_3_holds_the_addresses() -> None:
    lone = master()
    assert operations(lone.addresses()) == [Operation(Action.ADD, VIP, 2)]


@pytest.mark.clause("3768:6.4.3-shutdown")
def test_6_4_3_shutdown_sends_priority_zero() -> None:
    lone = master()
    effects = lone.give(Stopping("stop"))
    assert [advert.priority for advert in sent(effects)] == [0]
    assert lone.state is State.INIT
    assert lone.deadline is None


@pytest.mark.clause("3768:6.2-adver", "3768:6.4.3-timer")
def test_6_4_3_advert_timer_fires() -> None:
    lone = master(priority=100)
    for number in range(1, 5):
        effects = lone.timer()
        assert sent(effects) == [ADVERT]
        assert lone.now == 1003.609375 + number
        assert lone.deadline == 1.0


@pytest.mark.clause("3768:6.4.3-zero")
def test_6_4_3_priority_zero_is_answered_and_the_timer_reset() -> None:
    lone = master(priority=100)
    effects = lone.hear(0, after=0.4)
    assert sent(effects) == [ADVERT]
    assert lone.deadline == 1.0
    assert lone.state is State.MASTER


@pytest.mark.clause("3768:6.4.3-higher")
def test_6_4_3_higher_priority_wins() -> None:
    lone = master(priority=100)
    effects = lone.hear(101, source=LOWER_PEER, after=0.4)
    assert lone.state is State.BACKUP
    assert lone.deadline == 3.609375
    assert kinds(effects) == ["ResetConnections", "Reconcile"]
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]


@pytest.mark.clause("3768:6.4.3-equal")
def test_6_4_3_equal_priority_and_higher_address_wins() -> None:
    lone = master(priority=100)
    lone.hear(100, source=PEER)
    assert lone.state is State.BACKUP
    assert lone.deadline == 3.609375


@pytest.mark.clause("3768:6.4.3-lower")
@pytest.mark.parametrize(("priority", "source"), [(100, LOWER_PEER), (99, PEER)])
def test_6_4_3_others_lose(priority: int, source: IPv4Address) -> None:
    """They are discarded; that they are answered too is RFC 9568's addition, which ends a split brain sooner."""
    lone = master(priority=100)
    lone.now += 0.4
    before = lone.router.deadline
    effects = lone.hear(priority, source=source)
    assert lone.state is State.MASTER
    assert lone.router.deadline == before
    assert sent(effects) == [ADVERT]


@pytest.mark.clause("3768:6.4.3-equal")
def test_6_4_3_addresses_compare_as_numbers() -> None:
    lone = master(priority=100)
    lone.hear(100, source=IPv4Address("192.168.1.99"))
    assert lone.state is State.MASTER


# --- 7.1: receiving ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("3768:7.1-length", "3768:7.1-discard")
def test_7_1_an_incomplete_packet_is_discarded() -> None:
    for size in range(len(BYTES)):
        assert fault_of(BYTES[:size]) is WireFault.LENGTH


@pytest.mark.clause("3768:7.1-vrid")
def test_7_1_an_unknown_vrid_is_discarded() -> None:
    lone = backup()
    assert lone.hear(200, vrid=61) == []
    assert lone.status.counters["adverts_received"] == 0


@pytest.mark.clause("3768:7.1-owner")
def test_7_1_the_owner_of_the_address_discards_its_own() -> None:
    lone = master(priority=255)
    lone.hear(255, source=OURS)
    assert lone.state is State.MASTER
    assert lone.status.counters["rejected_own_address"] == 1


@pytest.mark.clause("3768:7.1-addresses")
def test_7_1_other_addresses_than_configured_are_discarded() -> None:
    lone = backup(list_tolerance=0.0)  # core/tolerance.py otherwise leaves time for the reload of the other node
    lone.hear(200, addresses=(VIP.address, PEER))
    assert lone.status.counters["rejected_addresses"] == 1
    assert lone.status.rejected is not None
    assert lone.status.rejected.reason == "it advertises 192.168.1.200, 192.168.1.202, we have 192.168.1.200"


@pytest.mark.clause("3768:7.1-interval", "3768:5.3.7-mismatch")
def test_7_1_another_interval_is_discarded() -> None:
    lone = backup()
    lone.hear(200, advert_int=200)
    assert lone.status.counters["rejected_interval"] == 1
    assert lone.deadline == 3.609375


# --- 7.2: sending -----------------------------------------------------------------------------------------------------


@pytest.mark.clause("3768:7.2-fields")
def test_7_2_fields_are_those_of_the_configuration() -> None:
    lone = Lone(replace(instance(), virtual_router_id=7, priority=42, advert_int=3.0))
    advert = sent(lone.become_master())[0]
    assert (advert.vrid, advert.priority, advert.seconds, advert.addresses) == (7, 42, 3.0, (VIP.address,))
