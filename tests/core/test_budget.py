"""core/budget: however many strangers there are, the log stays readable."""

from __future__ import annotations

from ipaddress import ip_address

from pyvrrp.core.budget import Budget
from pyvrrp.core.effects import Effect, Record
from pyvrrp.core.events import HolderHeard
from pyvrrp.core.settings import Address
from tests.lone import backup, master, only
from tests.simulation import VIP

MINUTE = 6000  # events, one each centisecond
AT_MOST = 20 + 60  # lines


def invented(number: int) -> Address:
    return ip_address("10.0.0.0") + number


def test_some_at_once_then_one_a_second() -> None:
    budget = Budget()
    assert [budget.allows(5.0) for _ in range(22)] == [True] * 20 + [False] * 2
    assert not budget.allows(5.9)
    assert budget.allows(6.0)
    assert not budget.allows(6.0)
    assert [budget.allows(1e6) for _ in range(21)] == [True] * 20 + [False], "what is not spent is not saved up"


def test_worse_masters_that_somebody_invents() -> None:
    lone = backup(priority=100)
    said: list[Effect] = []
    for number in range(MINUTE):
        said += lone.hear(200, after=0.01)
        said += lone.hear(50, source=invented(number))
    assert 60 <= len(only(Record, said)) <= AT_MOST


def test_better_ones() -> None:
    lone = backup(priority=100)
    said = [each for number in range(MINUTE) for each in lone.hear(200, source=invented(number), after=0.01)]
    assert 60 <= len(only(Record, said)) <= AT_MOST


def test_adverts_that_are_turned_away_twice() -> None:
    lone = backup(priority=100)
    said: list[Effect] = []
    for number in range(MINUTE // 2):
        for _ in range(2):
            said += lone.hear(50, source=invented(number), after=0.01, advert_int=200)
    causes = [each for each in only(Record, said) if "likely" in each.text]
    assert 60 <= len(causes) <= AT_MOST


def test_holders_of_an_address() -> None:
    lone = master()
    said: list[Effect] = []
    for number in range(MINUTE):
        said += lone.give(HolderHeard("eth0", VIP.address, number.to_bytes(6, "big")), 0.01)
        if (lone.deadline or 0.0) <= 0.0:
            lone.timer()
    assert 60 <= len([each for each in only(Record, said) if "DUPLICATE" in each.text]) <= AT_MOST
