"""core/advertise: adverts that are sent again and again, the renewals beside them, and adverts that do not leave."""

from __future__ import annotations

from dataclasses import replace

from pyvrrp.core.advertise import Advertiser
from pyvrrp.core.effects import RenewLease
from tests.lone import OURS, PEER, sent
from tests.simulation import VIP, instance


def test_an_advert_is_made_once_and_the_lease_renewed_after_a_quarter_of_it() -> None:
    advertiser, settings = Advertiser(), instance(vip_lease=2)
    advert, renewal = advertiser.advertise(settings, OURS, 100, 0.0)
    assert [each.priority for each in sent([advert])] == [100]
    assert renewal == RenewLease("VI_1", (VIP,), 2)
    (again,) = advertiser.advertise(settings, OURS, 100, 0.4)
    assert again is advert
    again, renewed = advertiser.advertise(settings, OURS, 100, 0.5)
    assert (again, renewed) == (advert, renewal)
    assert again is advert
    assert renewed is renewal


def test_another_priority_is_another_advert() -> None:
    advertiser, settings = Advertiser(), instance(vip_lease=None)
    effects = [each for number in (100, 0, 100) for each in advertiser.advertise(settings, OURS, number, 0.0)]
    assert [each.priority for each in sent(effects)] == [100, 0, 100]


def test_what_a_reload_changes_is_in_the_next_advert_once_the_old_one_is_forgotten() -> None:
    advertiser, settings = Advertiser(), instance(vip_lease=2)
    advertiser.advertise(settings, OURS, 100, 0.0)
    changed = replace(settings, virtual_router_id=61, vip_lease=9)
    advertiser.forget()
    advert, renewal = advertiser.advertise(changed, PEER, 100, 9.0)
    assert [each.vrid for each in sent([advert])] == [61]
    assert renewal == RenewLease("VI_1", (VIP,), 9)


def test_without_a_source_nothing_is_sent_and_nothing_renewed() -> None:
    advertiser = Advertiser()
    assert advertiser.advertise(instance(), None, 100, 1.0) == []
    assert advertiser.sent_at == float("-inf")


def test_the_first_failure_is_kept_and_the_third_interval_is_too_many() -> None:
    advertiser, settings = Advertiser(), instance(advert_int=2.0)
    assert not advertiser.silenced(settings, 1e9), "nothing has failed"
    assert advertiser.failed("Network is down", 0.0, 1.0)
    assert not advertiser.failed("something else", 0.0, 3.0)
    assert advertiser.muted is not None
    assert (advertiser.muted.since, advertiser.muted.reason, advertiser.muted.was_heard) == (
        1.0,
        "Network is down",
        False,
    )
    # A backup waits for three intervals: half of one before the end it counts as silenced.
    assert not advertiser.silenced(settings, 4.0)
    assert advertiser.silenced(settings, 4.1)
