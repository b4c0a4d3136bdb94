"""core/ledger: what the kernel holds, by what it said and by what it did."""

from __future__ import annotations

import pytest

from pyvrrp.core.effects import Action, Operation
from pyvrrp.core.ledger import Ledger
from tests.simulation import INTERFACE, VIP


@pytest.mark.parametrize(("action", "there"), [(Action.ADD, {VIP}), (Action.REMOVE, set())])
def test_what_was_done_counts_on_an_interface_that_was_not_looked_at(action: Action, there: set[object]) -> None:
    ledger = Ledger()
    ledger.done([Operation(action, VIP)])
    assert ledger.there([VIP]) == there
    assert ledger.added == there


def test_what_the_kernel_says_counts_more() -> None:
    ledger = Ledger()
    ledger.done([Operation(Action.ADD, VIP)])
    ledger.observe(INTERFACE, frozenset())
    assert ledger.there([VIP]) == frozenset()
    assert ledger.added == {VIP}, "it is this process's all the same"


def test_an_instance_is_refused_for_its_own_reason() -> None:
    ledger = Ledger()
    ledger.refuse("VI_1", "Permission denied", 5.0)
    assert (ledger.refusal("VI_1"), ledger.refusal("VI_2")) == ("Permission denied", None)
