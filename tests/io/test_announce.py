"""Frames through a packet socket."""

from __future__ import annotations

import socket

import pytest

from pyvrrp.errors import KernelError
from pyvrrp.io.announce import Announcer
from tests.io.conftest import Pair
from tests.netns import Namespace

pytestmark = pytest.mark.lab

FRAMES = [bytes([255] * 6 + [2, 0, 0, 0, 0, 1, 0x08, 0x06, number]) + bytes(27) for number in range(5)]


def test_frames_arrive_whole_and_in_order(pair: Pair) -> None:
    with pair.there.inside():
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
        sniffer.bind(("eth0", 0x0806))
    with pair.here.inside():
        announcer = Announcer("eth0")
    with sniffer:
        sniffer.settimeout(5)
        assert announcer.send(FRAMES)
        assert [sniffer.recv(2048) for _ in FRAMES] == FRAMES
    announcer.close()


def test_a_link_that_is_down_refuses(pair: Pair) -> None:
    with pair.here.inside():
        announcer = Announcer("eth0")
    pair.here.ip("link set eth0 down")
    assert not announcer.send(FRAMES)
    assert announcer.last_error is not None
    announcer.close()


def test_a_missing_interface_is_named(host: Namespace) -> None:
    with host.inside(), pytest.raises(KernelError, match="eth7"):
        Announcer("eth7")
