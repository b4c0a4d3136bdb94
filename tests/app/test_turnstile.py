"""How much a node takes in of what anybody may send it."""

from __future__ import annotations

import asyncio
import socket
import time

from pyvrrp.app.turnstile import BURST, RATE, Turnstile


def taken(seconds: float, *, limited: bool, expected: float = 0.0) -> int:
    """How many packets are taken in of a socket that always has 64 more."""

    async def main() -> int:
        turnstile = Turnstile(asyncio.get_running_loop(), limited=lambda: limited)
        turnstile.expect(expected)
        ours, theirs = socket.socketpair()
        count = 0

        def read() -> int:
            nonlocal count
            count += 64
            return 64

        with ours, theirs:
            theirs.send(b"always readable")
            turnstile.watch(ours.fileno(), read)
            began = time.monotonic()
            await asyncio.sleep(seconds)
            lasted = time.monotonic() - began
            turnstile.unwatch(ours.fileno())
            found = count
            await asyncio.sleep(0.1)
            assert count == found, "it is left alone, also when it was closed just then"
        return int(found - BURST - 64) if lasted < 2 * seconds else 0

    return asyncio.run(main())


def test_a_holder_of_addresses_takes_a_burst_and_then_so_many_a_second() -> None:
    assert taken(0.5, limited=True) <= 2 * 0.5 * RATE


def test_who_holds_none_takes_everything() -> None:
    # A bare loop turns ten thousand times a second, also beside others.
    assert taken(1.0, limited=False) > 4 * RATE


def test_what_the_protocol_brings_is_not_limited() -> None:
    assert taken(0.5, limited=True, expected=1e6) > 4 * RATE
