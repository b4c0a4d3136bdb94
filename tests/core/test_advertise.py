"""core/advertise: adverts that do not leave."""

from __future__ import annotations

from pyvrrp.core.advertise import Advertiser
from tests.simulation import instance


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
