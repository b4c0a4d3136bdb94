"""One daemon a virtual router."""

from __future__ import annotations

import os
import socket

import pytest

from pyvrrp.errors import InstanceTakenError
from pyvrrp.io.claim import Claim
from tests.io.conftest import Pair
from tests.netns import Namespace
from tests.unprivileged import status_of

pytestmark = pytest.mark.lab

NOBODY = 65534


def test_a_second_claim_names_the_holder(host: Namespace) -> None:
    with host.inside():
        first = Claim("eth0", 60)
        with pytest.raises(InstanceTakenError, match=rf"another pyvrrpd \(pid {os.getpid()}\) runs VRID 60 on eth0"):
            Claim("eth0", 60)
        first.close()
        Claim("eth0", 60).close()


def test_other_routers_and_other_hosts_are_free(pair: Pair) -> None:
    with pair.here.inside():
        claims = [Claim("eth0", 60), Claim("eth0", 61), Claim("eth1", 60), Claim("eth0", 60, "ipv6")]
    with pair.there.inside():
        claims.append(Claim("eth0", 60))
    for claim in claims:
        claim.close()


def test_the_answer_does_not_wear_out(host: Namespace) -> None:
    with host.inside():
        first = Claim("eth0", 60)
        for _ in range(200):
            with pytest.raises(InstanceTakenError):
                Claim("eth0", 60)
            first.answer()
        first.close()


def test_another_user_is_not_believed(host: Namespace) -> None:
    try:
        os.seteuid(NOBODY)
    except OSError:
        pytest.skip("there is only one user in here")
    os.seteuid(0)
    with host.inside(), socket.socket(socket.AF_UNIX) as squat:
        squat.bind("\0pyvrrp/eth0/60/ipv4")

        def listen() -> int:
            squat.listen()  # the kernel notes who listens
            return 0

        assert status_of(listen, uid=NOBODY) == 0
        claim = Claim("eth0", 60)
        assert f"of user {NOBODY} pretends to run VRID 60 on eth0" in claim.squatter
        claim.close()


def test_a_name_that_nobody_answers_for_is_not_believed(host: Namespace) -> None:
    with host.inside(), socket.socket(socket.AF_UNIX) as squat:
        squat.bind("\0pyvrrp/eth0/60/ipv4")
        claim = Claim("eth0", 60)
        assert "does not say who it is" in claim.squatter
        claim.close()
