"""A MariaDB that is opened leaves out numbers of transactions, so that none is ever used twice."""

from __future__ import annotations

import asyncio

import pytest

from pyvrrp.mysql.gtid import LEFT_OUT, BinlogState
from tests.mysql.pair import Pair, Server
from tests.mysql.test_keeper import Agent, active_and_standby, agents, play, until, wanted

pytestmark = pytest.mark.lab


@pytest.fixture(autouse=True)
def _fresh(pair: Pair) -> None:
    pair.fresh()


def reached(server: Server, domain: int = 0) -> int:
    """The highest number in its binary log."""
    return BinlogState.parse(str(server.value("@@gtid_binlog_state"))).newest(domain)


def test_a_server_that_is_older_than_its_last_opening_waits_and_then_goes_on_behind_it(pair: Pair) -> None:
    """Its disk came back from before that; the other node is away, and may have what was written then."""

    async def story() -> None:
        lone = Agent(wanted(pair, pair.a))
        lone.memory.change(gaps=("0:3..5000000",), active=True)
        pair.b.kill()
        await lone.closed()
        await until(lambda: any("is older than when" in each for each in lone.report.against))
        (why,) = lone.report.against
        assert "what it had is gone, all from number 1 of domain 0 on; it waits for " in why
        assert "or for `pyvrrpctl promote --force`" in why
        await lone.opened(forced=True)
        assert reached(pair.a) > 5000000 + LEFT_OUT - 1
        assert lone.view.lost == ("all from number 1 of domain 0 on",)
        await lone.closed()
        assert not any("older" in each for each in lone.report.against)
        await lone.keeper.close()

    play(story)


def test_a_log_that_is_begun_anew_under_an_active_server_goes_on_behind_all_that_was_used(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            pair.a.run("insert app.t(v) values (1)")
            before = reached(pair.a)
            await b.keeper.close()
            pair.a.run("reset master")
            await until(lambda: reached(pair.a) > before, about=lambda: str(a.log))
            assert sum("has begun anew (RESET MASTER)" in each for each in a.log) == 1

    play(story)


def test_an_account_that_cannot_leave_numbers_out_opens_all_the_same_and_that_is_said(pair: Pair) -> None:
    on_both = [f"revoke binlog replay on *.* from {user}" for user in ("pyvrrp@localhost", "pyvrrp@'127.0.0.1'")]
    pair.a.run("set sql_log_bin=0", *on_both, "set sql_log_bin=1")

    async def story() -> None:
        async with agents(pair) as (a, b):
            await a.closed()
            await b.closed()
            await until(lambda: not a.report.against, about=lambda: str(a.report))
            assert "numbers of transactions may be used twice (its account lacks BINLOG REPLAY)" in a.view.mode
            opened = await a.opened()
            assert "its numbers go on from where they were: its account lacks BINLOG REPLAY" in opened.detail
            assert not a.memory.now.gaps
            assert reached(pair.a) < LEFT_OUT

    try:
        play(story)
    finally:
        back = [each.replace("revoke", "grant").replace(" from ", " to ") for each in on_both]
        pair.a.run("set sql_log_bin=0", *back, "set sql_log_bin=1")


def test_a_paused_server_that_was_started_anew_leaves_numbers_out_when_it_is_opened_again(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, _):
            before = reached(pair.a)
            a.keeper.pause()
            pair.a.kill()
            await asyncio.get_running_loop().run_in_executor(None, pair.a.start)
            await until(lambda: not pair.a.value("@@global.read_only"))
            assert reached(pair.a) > before + LEFT_OUT - 1
            await until(lambda: len(a.memory.now.gaps) == 2)

    play(story)


def test_the_domain_may_change_while_the_agent_is_connected(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, _):
            pair.a.run("set global gtid_domain_id=7")
            await a.closed()
            await a.opened()
            assert reached(pair.a, 7) > LEFT_OUT - 1

    try:
        play(story)
    finally:
        pair.a.run("set global gtid_domain_id=0")


def test_who_has_diverged_receives_no_more_and_so_acknowledges_nothing(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (_, b):
            await until(lambda: b.view.semi_sync == "acknowledging", about=lambda: b.view.semi_sync)
            pair.b.run("insert app.t(v) values (2)")
            await until(lambda: b.view.errant)
            await until(lambda: pair.b.status()["Slave_IO_Running"] == "No")
            await until(lambda: b.view.semi_sync != "acknowledging")

    play(story)
