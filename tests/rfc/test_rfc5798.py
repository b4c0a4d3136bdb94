"""RFC 5798 (VRRP version 3) over IPv4: where it differs from RFC 3768."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from pyvrrp.core import const
from pyvrrp.core.events import LinkChanged
from pyvrrp.core.fsm import State
from pyvrrp.core.wire import Advert, decode, encode
from pyvrrp.errors import WireError, WireFault
from tests.lone import MAC, OURS, PEER, Lone, backup, kinds, master, sent
from tests.simulation import INTERFACE, VIP

ADVERT = Advert(3, 60, 100, 100, (VIP.address,), auth_data=b"")
BYTES = encode(ADVERT, OURS, const.GROUP_IPV4)


@pytest.mark.clause("5798:5.1", "9568:5.1")
def test_5_1_packet_format() -> None:
    # Version 3, type 1; VRID 60; priority 100; one address; reserved and 1 s in centiseconds; checksum; the address.
    assert BYTES.hex(" ") == "31 3c 64 01 00 64 04 ed c0 a8 01 c8"


@pytest.mark.clause("5798:5.2.6-sent", "5798:5.2.6-received", "9568:5.2.6-sent", "9568:5.2.6-received")
def test_5_2_6_reserved_bits_are_zero_when_sent_and_ignored_when_received() -> None:
    advert = Advert(3, 60, 200, 100, (VIP.address,), auth_data=b"", reserved=15)
    assert decode(encode(advert, PEER, const.GROUP_IPV4), PEER, const.GROUP_IPV4, 255).seconds == 1.0
    lone = backup(version=3)
    lone.hear(200, reserved=15)
    assert lone.status.master is not None
    assert sent(Lone(version=3).become_master())[0].reserved == 0


@pytest.mark.clause("5798:5.2.7", "9568:5.2.7")
@pytest.mark.parametrize(("seconds", "field"), [(0.01, 1), (0.1, 10), (0.29, 29), (1.0, 100), (40.95, 4095)])
def test_5_2_7_interval_is_in_centiseconds(seconds: float, field: int) -> None:
    advert = sent(Lone(version=3, advert_int=seconds).become_master())[0]
    assert advert.advert_int == field
    assert advert.seconds == seconds


@pytest.mark.clause("9568:7.1-interval")
def test_5_2_7_interval_0_is_refused() -> None:
    payload = encode(Advert(3, 60, 100, 0, (VIP.address,), auth_data=b""), PEER, const.GROUP_IPV4)
    with pytest.raises(WireError) as caught:
        decode(payload, PEER, const.GROUP_IPV4, 255)
    assert caught.value.fault is WireFault.INTERVAL


@pytest.mark.clause("5798:5.2.8-sent")
@pytest.mark.parametrize(
    ("source", "destination"),
    [(IPv4Address("192.168.1.203"), const.GROUP_IPV4), (OURS, IPv4Address("224.0.0.19"))],
)
def test_5_2_8_checksum_covers_the_pseudo_header(source: IPv4Address, destination: IPv4Address) -> None:
    with pytest.raises(WireError) as caught:
        decode(BYTES, source, destination, 255)
    assert caught.value.fault is WireFault.CHECKSUM


@pytest.mark.clause("5798:6.1-skew", "5798:6.1-down", "9568:6.1-skew", "9568:6.1-down")
@pytest.mark.parametrize(("interval", "priority", "skew"), [(1.0, 100, 0.609375), (0.1, 240, 0.00625)])
def test_6_1_skew_time_scales_with_the_interval(interval: float, priority: int, skew: float) -> None:
    lone = backup(version=3, advert_int=interval, priority=priority)
    assert lone.router.skew_time == pytest.approx(skew)
    assert lone.deadline == pytest.approx(3 * interval + skew)


@pytest.mark.clause("5798:6.4.1-backup", "9568:6.4.1-backup")
def test_6_4_1_startup_uses_its_own_interval() -> None:
    """Master_Adver_Interval is set to Advertisement_Interval, whatever was heard in an earlier life."""
    lone = backup(version=3, advert_int=1.0, priority=100)
    lone.hear(200, advert_int=400)
    lone.link(up=False)
    lone.hear(200, advert_int=400)
    lone.give(LinkChanged(INTERFACE, True, True, MAC))
    assert lone.state is State.BACKUP
    assert lone.deadline == 3.609375


@pytest.mark.clause("5798:6.4.2-learned", "5798:6.1-learned", "9568:6.4.2-learned", "9568:6.1-learned")
def test_6_4_2_the_masters_interval_is_adopted() -> None:
    lone = backup(version=3, advert_int=1.0, priority=128)
    lone.hear(200, advert_int=200)
    assert lone.router.skew_time == 1.0
    assert lone.router.master_down_interval == 7.0
    assert lone.deadline == 7.0


@pytest.mark.clause("5798:6.4.2-zero", "9568:6.4.2-zero")
def test_6_4_2_skew_after_priority_zero_is_that_of_the_masters_interval() -> None:
    lone = backup(version=3, advert_int=1.0, priority=128)
    lone.hear(200, advert_int=200)
    lone.hear(0, after=0.1, advert_int=200)
    assert lone.deadline == 1.0


@pytest.mark.clause("5798:6.4.2-lower", "9568:6.4.2-lower")
def test_6_4_2_a_discarded_advert_changes_nothing() -> None:
    lone = backup(version=3, advert_int=1.0, priority=128)
    lone.hear(100, advert_int=4000)
    assert lone.router.master_down_interval == 3.5
    lone.hear(0)
    assert lone.deadline == 0.5


@pytest.mark.clause("5798:6.4.2-own-interval", "9568:6.4.2-own-interval")
def test_6_4_2_a_new_master_uses_its_own_interval() -> None:
    lone = backup(version=3, advert_int=1.0)
    lone.hear(200, advert_int=200)
    effects = lone.timer()
    assert lone.state is State.MASTER
    assert sent(effects)[0].seconds == 1.0
    assert lone.deadline == 1.0


@pytest.mark.clause("5798:6.4.3-higher", "9568:6.4.3-higher")
def test_6_4_3_a_master_that_yields_adopts_the_interval() -> None:
    lone = master(version=3, advert_int=1.0, priority=128)
    effects = lone.hear(200, advert_int=200)
    assert kinds(effects) == ["ResetConnections", "Reconcile"]
    assert lone.deadline == 7.0


@pytest.mark.clause("5798:7.1-version", "9568:7.1-version")
def test_7_1_version_2_is_not_understood_by_a_version_3_router() -> None:
    lone = backup(version=3)
    lone.hear(200, version=2, auth_data=bytes(8))
    assert lone.status.master is None
    assert lone.status.rejected is not None
    assert lone.status.rejected.reason == "it speaks VRRP version 2, we speak 3"


@pytest.mark.clause("5798:9", "9568:9")
def test_9_no_authentication_whatever_is_configured() -> None:
    lone = Lone(version=3, auth_pass=b"4321")
    advert = sent(lone.become_master())[0]
    assert (advert.auth_type, advert.auth_data) == (const.AUTH_NONE, b"")
