"""Priority 255: the owner of the address, when somebody else says that it is master."""

from __future__ import annotations

import pytest

from pyvrrp.core.events import Stopping
from pyvrrp.core.fsm import State
from tests.lone import LOWER_PEER, PEER, Lone, kinds, master, sent


@pytest.mark.parametrize(("peer", "state"), [(PEER, State.BACKUP), (LOWER_PEER, State.MASTER)])
def test_of_two_owners_the_one_with_the_higher_address_stays(peer: object, state: State) -> None:
    """keepalived lowers its own priority to 254; here the tie is broken as every other tie, and nothing is changed."""
    lone = master(priority=255)
    lone.hear(255, source=peer, after=0.5)  # type: ignore[arg-type]  # an address
    assert lone.state is state
    assert lone.router.priority == 255


def test_an_owner_that_gave_way_waits_like_any_backup() -> None:
    lone = master(priority=255)
    lone.obey(lone.hear(255, source=PEER, after=0.5))
    assert lone.deadline == pytest.approx(3 + 1 / 256)


@pytest.mark.parametrize("priority", [0, 100, 255])
def test_owner_ignore_adverts(priority: int) -> None:
    lone = master(priority=255, owner_ignore_adverts=True)
    before = lone.deadline
    assert kinds(lone.hear(priority, source=PEER)) == []
    assert (lone.state, lone.deadline) == (State.MASTER, before)
    assert lone.status.counters["rejected_owner"] == 1
    assert lone.status.why[-1].startswith(
        "It discards adverts from 192.168.1.202: this node owns the address, and has owner_ignore_adverts"
    )


def test_owner_ignore_adverts_is_for_owners() -> None:
    lone = master(priority=254, owner_ignore_adverts=True)
    lone.hear(255, source=PEER)
    assert lone.state is State.BACKUP


def test_an_owner_that_leaves_hears_its_successor() -> None:
    lone = Lone(priority=255, owner_ignore_adverts=True)
    lone.obey(lone.look())
    assert [advert.priority for advert in sent(lone.give(Stopping("now")))] == [0]
    assert lone.router.handover_until is not None
    effects = lone.hear(100, source=PEER, after=0.1)
    assert kinds(effects) == ["ResetConnections", "Reconcile"]


def test_an_owner_that_is_not_fit_notes_who_is_master() -> None:
    lone = Lone(priority=255, owner_ignore_adverts=True)
    lone.look(up=False)
    lone.hear(100, source=PEER)
    assert lone.router.master is not None
    assert lone.router.master.address == PEER
