"""RFC 9568 (VRRP version 3 for IPv4 and IPv6): IPv6, and where it differs from RFC 5798.

What it says of IPv4 as RFC 5798 does is in test_rfc5798.py.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, IPv6
from scapy.layers.l2 import Ether

from pyvrrp.core import const
from pyvrrp.core.effects import Action, Announce, Operation, SendAdvert
from pyvrrp.core.events import AddressesChanged, LinkChanged, Stopping
from pyvrrp.core.fsm import State
from pyvrrp.core.settings import VirtualAddress
from pyvrrp.core.wire import Advert, ChecksumForm, checksum, decode, encode
from pyvrrp.errors import WireError, WireFault
from tests.lone import MAC, OURS, OURS_6, PEER, PEER_6, Lone, backup, kinds, master, only, operations, sent
from tests.simulation import INTERFACE, VIP, instance

LINK_LOCAL, GLOBAL = (VirtualAddress(INTERFACE, IPv6Address(each), 128) for each in ("fe80::60", "2001:db8::60"))
SIX = instance(family=6, version=3, addresses=(LINK_LOCAL, GLOBAL))
ADVERT = Advert(3, 60, 100, 100, (LINK_LOCAL.address,), auth_data=b"")
BYTES = encode(ADVERT, OURS_6, const.GROUP_IPV6)


def fault_of(payload: bytes, source: IPv6Address = OURS_6, ttl: int = const.TTL) -> WireFault:
    """Why these bytes are refused."""
    with pytest.raises(WireError) as caught:
        decode(payload, source, const.GROUP_IPV6, ttl)
    return caught.value.fault


# --- 5: the packet ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("5798:5.1.2.1", "5798:7.2-source", "9568:5.1.2.1", "9568:7.2-source")
def test_5_1_2_1_the_source_is_the_link_local_address_of_the_interface() -> None:
    lone = Lone(SIX)
    lone.look()
    everything = ((OURS, 24), (IPv6Address("2001:db8::c9"), 64), (LINK_LOCAL.address, 128), (OURS_6, 64))
    lone.give(AddressesChanged(INTERFACE, everything))
    assert {each.source for each in only(SendAdvert, lone.become_master())} == {OURS_6}


@pytest.mark.clause("5798:5.1.2.2", "5798:5.1.2.3-sent", "9568:5.1.2.2", "9568:5.1.2.3-sent")
def test_5_1_2_2_and_5_1_2_3_the_group_and_the_hop_limit() -> None:
    (advert,) = only(SendAdvert, Lone(SIX).become_master())
    assert (str(advert.destination), advert.ttl) == ("ff02::12", 255)


@pytest.mark.clause("5798:5.1.2.3-received", "9568:5.1.2.3-received")
@pytest.mark.parametrize("hop_limit", [0, 1, 64, 254])
def test_5_1_2_3_a_hop_limit_other_than_255_is_discarded(hop_limit: int) -> None:
    assert fault_of(BYTES, ttl=hop_limit) is WireFault.TTL


@pytest.mark.clause("5798:5.1", "9568:5.1")
def test_5_2_packet_format() -> None:
    # Version 3, type 1; VRID 60; priority 100; one address; 1 s in centiseconds; checksum; 16 bytes of address.
    assert BYTES.hex(" ") == "31 3c 64 01 00 64 6c 96 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 60"


@pytest.mark.clause("5798:7.1-version", "9568:7.1-version")
def test_5_2_1_over_ipv6_there_is_no_other_version() -> None:
    """A version 2 message of the same length, with a checksum of its own."""
    blank = b"\x21" + BYTES[1:6] + b"\0\0" + BYTES[8:]
    assert fault_of(blank[:6] + checksum(blank).to_bytes(2, "big") + blank[8:]) is WireFault.VERSION


@pytest.mark.clause("9568:5.2.8-sent", "9568:5.2.8-received")
def test_5_2_8_the_checksum_of_ipv4_is_over_the_message_alone() -> None:
    """RFC 5798 summed a pseudo header, too. Both are understood, and v3_checksum_as_v2 says which is sent."""
    (advert,) = sent(Lone(version=3, v3_checksum_as_v2=True).become_master())
    assert advert.form is ChecksumForm.MESSAGE_ALONE
    (advert,) = sent(Lone(version=3).become_master())
    assert advert.form is ChecksumForm.USUAL
    for form in (ChecksumForm.USUAL, ChecksumForm.MESSAGE_ALONE):
        lone = backup(version=3)
        lone.hear(200, form=form)
        assert lone.status.master is not None


@pytest.mark.clause("9568:5.2.8-v6")
def test_5_2_8_the_checksum_of_ipv6_covers_the_pseudo_header() -> None:
    assert fault_of(BYTES, source=PEER_6) is WireFault.CHECKSUM
    assert fault_of(encode(replace(ADVERT, form=ChecksumForm.MESSAGE_ALONE), OURS_6, const.GROUP_IPV6)) is (
        WireFault.CHECKSUM
    )
    (advert,) = sent(Lone(replace(SIX, v3_checksum_as_v2=True)).become_master())
    assert advert.form is ChecksumForm.USUAL, "there is no other"


@pytest.mark.clause("5798:5.2.9", "9568:5.2.9")
def test_5_2_9_the_addresses_are_sent_in_the_order_of_the_configuration() -> None:
    """The first one is to be link-local; whether it is, is the configuration's business."""
    (advert,) = sent(Lone(SIX).become_master())
    assert advert.addresses == (LINK_LOCAL.address, GLOBAL.address)


# --- 6: the state machine ---------------------------------------------------------------------------------------------


@pytest.mark.clause("5798:6.4.2-timer", "5798:6.4.2-announce6", "9568:6.4.2-timer", "9568:6.4.2-announce6")
def test_6_4_2_taking_over_adds_the_addresses_and_says_so_to_all_nodes() -> None:
    lone = backup(SIX)
    effects = lone.timer()
    assert kinds(effects) == ["SendAdvert", "Reconcile"]
    assert operations(effects) == [Operation(Action.ADD, each, 2) for each in (LINK_LOCAL, GLOBAL)]
    (announced,) = only(Announce, lone.obey(effects))
    frames = [Ether(each) for each in announced.frames]
    assert [each[ICMPv6ND_NA].tgt for each in frames] == ["fe80::60", "2001:db8::60"] * const.GARP_REPEAT
    for each in frames:
        told = each[ICMPv6ND_NA]
        assert (told.S, told.O) == (0, 1), "unsolicited, and it overrides what is known"
        assert told.payload.lladdr == MAC.hex(":")
        assert (each[IPv6].dst, each[IPv6].hlim) == ("ff02::1", 255)


@pytest.mark.parametrize("router", [False, True])
def test_6_4_2_a_router_says_that_it_is_one(router: bool) -> None:
    """The RFC knows routers only; for a host the flag would be a lie (RFC 4861 section 4.4)."""
    lone = Lone(SIX)
    lone.look()
    lone.give(LinkChanged(INTERFACE, True, True, MAC, router))
    (announced,) = only(Announce, lone.become_master())
    assert [Ether(each)[ICMPv6ND_NA].R for each in announced.frames] == [router] * 2 * const.GARP_REPEAT


@pytest.mark.clause("5798:6.4.2-learned", "9568:6.4.2-learned")
def test_6_4_2_a_backup_follows_adopts_and_waits_over_ipv6_as_over_ipv4() -> None:
    lone = backup(replace(SIX, priority=128))
    lone.hear(200, advert_int=200)
    assert lone.status.master is not None
    assert lone.status.master.address == PEER_6
    assert lone.deadline == 7.0
    lone.hear(0, after=0.1)
    assert lone.deadline == 1.0


@pytest.mark.clause("5798:6.4.3-equal", "9568:6.4.3-equal")
def test_6_4_3_of_equal_priorities_the_higher_link_local_address_wins() -> None:
    lone = master(SIX)
    for source, state in ((IPv6Address("fe80::1"), State.MASTER), (PEER_6, State.BACKUP)):
        lone.hear(100, source=source)
        assert lone.state is state


@pytest.mark.clause("9568:6.4.3-assert")
def test_6_4_3_a_lower_priority_is_answered_at_once() -> None:
    """RFC 5798 discards it; answering ends a second mastership an interval sooner."""
    lone = master(SIX)
    assert kinds(lone.hear(50, after=0.5))[0] == "SendAdvert"


@pytest.mark.clause("5798:6.4.3-shutdown", "9568:6.4.3-shutdown")
def test_6_4_3_shutting_down_sends_priority_0() -> None:
    lone = master(SIX)
    (advert,) = sent(lone.give(Stopping("test")))
    assert advert.priority == 0


def test_1_2_ipv4_and_ipv6_of_one_vrid_are_two_virtual_routers() -> None:
    four = instance(version=3, priority=200)
    lone = Lone(four, replace(SIX, name="VI_6"))
    lone.look()
    lone.hear(255)
    states = {each.name: (each.state, each.master) for each in lone.node.snapshot(lone.now).instances}
    assert states["VI_1"][1] is not None
    assert states["VI_1"][1].address == PEER
    assert states["VI_6"] == ("BACKUP", None), "it has heard nothing"


# --- 7: sending and receiving -----------------------------------------------------------------------------------------


@pytest.mark.clause("9568:7.1-interval-log")
def test_7_1_another_interval_is_no_reason_to_discard() -> None:
    lone = backup(SIX)
    lone.hear(200, advert_int=300)
    assert lone.status.rejected is None


@pytest.mark.clause("5798:7.1-vrid", "9568:7.1-vrid")
def test_7_1_another_vrid_is_not_heard() -> None:
    lone = backup(SIX)
    lone.hear(200, vrid=61)
    assert lone.status.master is None


def test_7_1_what_is_turned_away_says_why_over_ipv6() -> None:
    lone = backup(SIX)
    lone.hear(200, addresses=(LINK_LOCAL.address, IPv6Address("2001:db8::61")))
    assert "it advertises 2001:db8::61, fe80::60, we have 2001:db8::60, fe80::60" in " ".join(lone.status.why)


def test_an_ipv4_router_is_no_master_of_an_ipv6_one() -> None:
    lone = backup(SIX)
    lone.packet(encode(Advert(3, 60, 200, 100, (VIP.address,), auth_data=b""), PEER, const.GROUP_IPV4), PEER)
    assert lone.status.master is None
