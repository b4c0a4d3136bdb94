"""RFC 2338 section 5.3.6.2: the simple text password, which RFC 3768 reserves and every version 2 router still has."""

from __future__ import annotations

import pytest

from pyvrrp.core import const
from tests.lone import Lone, backup, sent


@pytest.mark.parametrize(("password", "data"), [(b"4321", b"4321\0\0\0\0"), (b"12345678", b"12345678")])
def test_5_3_6_2_the_password_is_padded_with_zeros(password: bytes, data: bytes) -> None:
    advert = sent(Lone(auth_pass=password).become_master())[0]
    assert (advert.auth_type, advert.auth_data) == (const.AUTH_PASS, data)


def test_5_3_6_2_a_matching_password_is_accepted() -> None:
    lone = backup(auth_pass=b"4321")
    lone.hear(200, auth_type=const.AUTH_PASS, auth_data=b"4321\0\0\0\0")
    assert lone.status.master is not None


def test_5_3_6_2_another_password_is_discarded() -> None:
    lone = backup(auth_pass=b"4321")
    lone.hear(200, auth_type=const.AUTH_PASS, auth_data=b"4321\0\0\0\1")
    assert lone.status.master is None
    assert lone.status.counters["rejected_password"] == 1


def test_5_3_6_3_authentication_header_is_understood_and_discarded() -> None:
    lone = backup(auth_pass=b"4321")
    lone.hear(200, auth_type=const.AUTH_AH)
    assert lone.status.rejected is not None
    assert lone.status.rejected.reason == "it uses AH, we use PASS"
