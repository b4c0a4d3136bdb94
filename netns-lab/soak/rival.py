"""A foreign master: somebody on the link who says that he has the address, and does not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from bench.subjects import Router
from bench.topology import Place

from pyvrrp.core import const
from pyvrrp.core.wire import Advert, encode

ADDRESS = "10.77.0.9"  # the client's: higher than both nodes'


@contextmanager
def speaking(place: Place, router: Router, kind: str, priority: int) -> Iterator[None]:
    """Adverts at the usual interval, from the first moment until the last; none with priority 0 at the end."""
    payload = encode(_advert(router, kind, priority), IPv4Address(ADDRESS), const.GROUP_IPV4)
    with place.inside():
        voice = socket.socket(socket.AF_INET, socket.SOCK_RAW, const.PROTOCOL)
    voice.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, const.TTL)
    voice.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, IPv4Address(ADDRESS).packed)
    silent = threading.Event()

    def speak() -> None:
        while not silent.is_set():
            voice.sendto(payload, (str(const.GROUP_IPV4), 0))
            silent.wait(router.advert_int)

    thread = threading.Thread(target=speak, name="rival")
    thread.start()
    try:
        yield
    finally:
        silent.set()
        thread.join()
        voice.close()


def _advert(router: Router, kind: str, priority: int) -> Advert:
    addresses = (IPv4Address(router.vip),)
    if kind == "password":
        return Advert(2, router.number, priority, 100, addresses, const.AUTH_PASS, b"wrong".ljust(8, b"\0"))
    if kind == "version":
        return Advert(2, router.number, priority, 100, addresses, const.AUTH_NONE, bytes(const.AUTH_DATA_SIZE))
    interval = round(router.advert_int * const.CENTISECONDS)
    return Advert(3, router.number, priority, interval, addresses, const.AUTH_NONE, b"")
