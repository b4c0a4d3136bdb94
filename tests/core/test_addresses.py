"""core/desired and core/reconcile: what should be there, and the way to it."""

from __future__ import annotations

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from pyvrrp.core.desired import Hold, desired
from pyvrrp.core.effects import Action, Operation
from pyvrrp.core.reconcile import plan
from pyvrrp.core.settings import VirtualAddress

ONE, TWO, THREE = (VirtualAddress("eth0", IPv4Address(f"192.168.1.{number}"), 32) for number in (1, 2, 3))
FOREIGN = VirtualAddress("eth0", IPv4Address("192.168.1.99"), 24)
EVERYTHING = (ONE, TWO, THREE, FOREIGN)
subsets = st.frozensets(st.sampled_from(EVERYTHING))


def test_desired() -> None:
    assert desired(Hold.HAVE, (ONE, TWO), frozenset({TWO, FOREIGN})) == {ONE, TWO}
    assert desired(Hold.KEEP, (ONE, TWO), frozenset({TWO, FOREIGN})) == {TWO}
    assert desired(Hold.CLEAR, (ONE, TWO), frozenset({TWO, FOREIGN})) == set()


def test_removals_come_first_and_the_order_is_that_of_the_file() -> None:
    operations = plan((THREE, TWO, ONE), {THREE, ONE}, {TWO}, 2)
    assert operations == (
        Operation(Action.REMOVE, TWO),
        Operation(Action.ADD, THREE, 2),
        Operation(Action.ADD, ONE, 2),
    )


def test_a_generator_of_addresses_will_do() -> None:
    assert plan((each for each in (ONE, TWO)), {ONE}, {TWO}, None) == (
        Operation(Action.REMOVE, TWO),
        Operation(Action.ADD, ONE, None),
    )


@given(managed=st.permutations(EVERYTHING[:3]), wanted=subsets, observed=subsets)
def test_plan_leads_there_and_leaves_others_alone(
    managed: list[VirtualAddress], wanted: frozenset[VirtualAddress], observed: frozenset[VirtualAddress]
) -> None:
    kernel = set(observed)
    for operation in plan(managed, wanted, observed, 2):
        if operation.action is Action.ADD:
            assert operation.lease == 2
            kernel.add(operation.address)
        else:
            kernel.remove(operation.address)
    assert kernel.intersection(managed) == wanted.intersection(managed)
    assert kernel.difference(managed) == observed.difference(managed)
    assert plan(managed, wanted, kernel, 2) == ()
