"""What somebody waits for ends, whatever becomes of it."""

from __future__ import annotations

import asyncio

import pytest

from pyvrrp.mysql.errands import Errands
from pyvrrp.mysql.failure import DatabaseError


def test_a_mistake_in_an_errand_is_answered_and_told_and_the_errand_is_over() -> None:
    async def story() -> None:
        errands = Errands(lambda: None)

        async def mistaken() -> None:
            raise ZeroDivisionError("by nothing")

        waiting = asyncio.create_task(errands.have_done(mistaken))
        await asyncio.sleep(0)
        with pytest.raises(ZeroDivisionError):
            await errands.run()
        assert not errands.waiting  # else it would be run again and again
        with pytest.raises(DatabaseError, match="a mistake of pyvrrp's: ZeroDivisionError"):
            await waiting

    asyncio.run(story())
