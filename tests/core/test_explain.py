"""core/explain: the sentences of status, word for word, in every state."""

from __future__ import annotations

from dataclasses import replace

from pyvrrp.core.events import AdvertFailed, HolderHeard, Stopping
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.guard import Standing
from pyvrrp.core.notify import Notifier
from pyvrrp.core.settings import InterfaceProbe, Track
from pyvrrp.core.snapshot import AddressStatus, CheckStatus, GroupStatus, HolderStatus
from tests.core.test_databases import BEHIND, DEAD, closing, left, opening, standby, withheld
from tests.core.test_group import V1, pair
from tests.lone import OURS, Lone, backup, master, vip
from tests.simulation import CHECK, INTERFACE, VIP, instance

RARE = replace(CHECK, interval=60.0)


def why(lone: Lone, after: float = 0.0) -> list[str]:
    """The sentences, so many seconds later."""
    lone.now += after
    return list(lone.status.why)


def test_init() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    assert why(lone) == [
        "VI_1 is INIT: interface eth0 has not been looked at yet; check mysql has not reported yet.",
    ]
    lone.look()
    assert why(lone) == ["VI_1 is INIT: check mysql has not reported yet."]


def test_init_after_a_stop() -> None:
    lone = master()
    lone.give(Stopping("SIGTERM"))
    assert why(lone, after=0.5) == [
        "VI_1 is INIT: it was asked to stop.",
        "It is handing over: the address answers here until the successor speaks, 0.60 s at most.",
    ]


def test_backup_that_has_heard_nobody() -> None:
    assert why(backup(), after=1.5) == [
        "VI_1 is BACKUP: no master has been heard since it began to listen, 1.50 s ago.",
        "Its priority is 100. It takes over if no advert arrives for 2.11 s more.",
    ]


def test_backup_of_a_better_master() -> None:
    lone = backup()
    lone.hear(150)
    assert why(lone, after=0.31) == [
        "VI_1 is BACKUP: 192.168.1.202 advertises 150, ours is 100.",
        "It takes over if no advert arrives for 3.30 s (last one 0.31 s ago).",
    ]


def test_backup_whose_priority_was_moved() -> None:
    lone = Lone(priority=110, tracks=(Track("mysql", -20), Track("disk", 5)), checks=(RARE, replace(RARE, name="disk")))
    lone.look()
    lone.check(False)
    lone.check(True, name="disk")
    lone.hear(150)
    assert why(lone)[0] == "VI_1 is BACKUP: 192.168.1.202 advertises 150, ours is 110 - 20 (mysql) + 5 (disk) = 95."


def test_backup_that_preempts() -> None:
    lone = backup()
    lone.hear(50, after=1.0)
    assert why(lone, after=0.5) == [
        "VI_1 is BACKUP: 192.168.1.202 advertises 50, ours is 100.",
        "Ours is higher and preempt is on: it takes over in 2.11 s.",
    ]


def test_backup_that_does_not_preempt() -> None:
    lone = backup(preempt=False)
    lone.hear(50, after=1.0)
    assert why(lone, after=0.5) == [
        "VI_1 is BACKUP: 192.168.1.202 advertises 50, ours is 100.",
        "Ours is higher, but nopreempt leaves a living master alone.",
        "It takes over if no advert arrives for 3.11 s (last one 0.50 s ago).",
    ]


def test_master() -> None:
    assert why(master(), after=0.25) == [
        "VI_1 is MASTER with priority 100.",
        "It took over 0.2 s ago: no advert from anybody for 3.61 s.",
        "The kernel takes its addresses away 2 s after this process stops sending adverts.",
        "The next advert is due in 0.75 s.",
    ]


def test_master_without_a_lease() -> None:
    assert (
        why(master(vip_lease=None))[2] == "Its addresses have no lease: if this process dies, they stay on this node."
    )


def test_master_without_its_address() -> None:
    lone = backup()
    lone.timer()
    assert why(lone)[2] == "MISSING: 192.168.1.200/32 on eth0."


def test_fault() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    lone.look(up=False)
    lone.check(False)
    assert why(lone) == [
        "VI_1 is FAULT: interface eth0 is down; check mysql fails: refused the connection.",
        "It sends nothing and takes nothing over. It returns to BACKUP when that is mended.",
    ]


def test_fault_that_waits() -> None:
    fit = Standing((), (), (), 100, (), OURS, {"eth0": bytes(6)})
    router = VirtualRouter(instance(), fit, 0.0, Notifier("db1"))
    router.assess(replace(router.standing, faults=("check mysql fails",)), 1.0)
    router.assess(replace(router.standing, faults=(), waiting=("check mysql has not reported yet",)), 2.0)
    assert router.state is State.FAULT
    lone = Lone()
    lone.node._routers["VI_1"] = router
    assert why(lone)[0] == "VI_1 is FAULT: check mysql has not reported yet."


def test_adverts_that_are_turned_away() -> None:
    lone = backup()
    lone.hear(150, advert_int=300)
    told = "It discards adverts from 192.168.1.202: its advert_int is 3 s, ours 1 s (last one 1.00 s ago). Likely adv"
    assert why(lone, after=1.0)[-1].startswith(told)
    lone.hear(150, advert_int=300, after=0.5)
    lone.hear(150)
    assert why(lone, after=14.9)[-1].startswith("It discards adverts from 192.168.1.202")
    assert "discards" not in why(lone, after=0.2)[-1]


def test_the_numbers_of_an_instance() -> None:
    lone = Lone(priority=110, preempt=False, tracks=(Track("mysql", -20),), checks=(RARE,))
    lone.look()
    lone.check(False)
    status = lone.status
    assert (status.name, status.interface, status.virtual_router_id, status.version) == ("VI_1", "eth0", 60, 2)
    assert (status.state, status.since, status.handing_over, status.preempt) == ("BACKUP", 1000.0, False, False)
    assert (status.base_priority, status.priority, status.advert_int, status.vip_lease) == (110, 90, 1.0, 2)
    assert (status.skew_time, status.master_down_interval) == (0.6484375, 3.6484375)
    assert status.addresses == (AddressStatus("192.168.1.200/32", held=False),)
    assert master().status.addresses == (AddressStatus("192.168.1.200/32", held=True),)
    assert (status.master, status.rejected) == (None, None)


def test_a_check() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    lone.check(True)
    lone.check(True, after=1.0)
    assert lone.node.snapshot(lone.now).checks == (
        CheckStatus("mysql", "127.0.0.1:3306", "up", "connected", 0.001, 1001.0, 2, 0),
    )


def test_a_stray_init_is_not_silent() -> None:
    fit = Standing((), (), (), 100, (), OURS, {"eth0": bytes(6)})
    router = VirtualRouter(instance(), fit, 0.0, Notifier("db1"))
    lone = Lone()
    lone.node._routers["VI_1"] = router
    assert why(lone) == ["VI_1 is INIT."]
    assert VIP in router.settings.addresses


# --- in full ----------------------------------------------------------------------------------------------------------


def test_backup_in_a_group_that_is_ready() -> None:
    lone = pair()
    lone.hear_inside(200, after=1.0)
    lone.timer()
    lone.now += 0.25
    assert lone.why("V1") == (
        "V1 is BACKUP, and ready to take over with priority 150 since 0.25 s.",
        "It waits until every member of sync group G is.",
    )


def test_backup_of_an_equal_that_does_not_preempt() -> None:
    lone = backup(preempt=False)
    lone.hear(100)
    assert why(lone) == [
        "VI_1 is BACKUP: 192.168.1.202 advertises 100, ours is 100.",
        "It takes over if no advert arrives for 3.61 s (last one 0.00 s ago).",
    ]


def test_backup_whose_preempt_delay_is_nearly_over() -> None:
    lone = backup(preempt_delay=2.0)
    lone.hear(50, after=1.0)
    assert why(lone, after=1.5) == [
        "VI_1 is BACKUP: 192.168.1.202 advertises 50, ours is 100.",
        "Ours is higher, but preempt_delay leaves it alone for another 0.50 s.",
        "It takes over if no advert arrives for 2.11 s (last one 1.50 s ago).",
    ]


def test_backup_that_fell_to_the_masters_priority_while_preempt_delay_ran() -> None:
    lone = Lone(tracks=(Track("mysql", -50),), checks=(RARE,), preempt_delay=30.0)
    lone.look()
    lone.check(True)
    lone.hear(50, after=1.0)
    lone.check(False, conclusive=True)
    assert why(lone)[0] == "VI_1 is BACKUP: 192.168.1.202 advertises 50, ours is 100 - 50 (mysql) = 50."
    assert "Ours is higher" not in " ".join(why(lone))


def test_priority_that_a_weight_of_one_moved() -> None:
    lone = Lone(tracks=(Track("mysql", 1),), checks=(RARE,))
    lone.look()
    lone.check(True)
    assert why(lone)[1].startswith("Its priority is 100 + 1 (mysql) = 101.")


def test_master_without_two_of_its_addresses() -> None:
    lone = backup(addresses=(VIP, replace(VIP, address=vip(199))))
    lone.timer()
    assert why(lone)[2] == "MISSING: 192.168.1.200/32 on eth0, 192.168.1.199/32 on eth0."


def test_master_that_nobody_hears() -> None:
    lone = master()
    lone.give(AdvertFailed("VI_1", "Operation not permitted"))
    assert why(lone, after=0.5)[3] == (
        "Its adverts cannot leave eth0 since 0.5 s ago (Operation not permitted): "
        "the addresses are not renewed, and another node takes over."
    )


def test_master_beside_a_rival() -> None:
    lone = master()
    lone.hear(50)
    assert why(lone, after=2.0)[3] == (
        "192.168.1.202 is master too, with the lower priority 50 (heard 2.0 s ago): "
        "it does not hear this node. Is protocol 112 let through there?"
    )
    assert "is master too" not in " ".join(why(lone, after=13.0))


def test_master_beside_another_holder() -> None:
    lone = master()
    stranger = bytes.fromhex("020000000099")
    lone.give(HolderHeard(INTERFACE, VIP.address, stranger), after=2.0)
    lone.give(HolderHeard(INTERFACE, VIP.address, stranger), after=0.5)
    assert lone.status.holders == (HolderStatus(VIP.address, "02:00:00:00:00:99", lone.now - 0.5, lone.now),)
    assert lone.status.contested


def test_a_check_that_the_kernel_answers() -> None:
    lone = Lone(checks=(replace(RARE, name="lan", probe=InterfaceProbe(INTERFACE)),))
    lone.look()
    assert lone.node.snapshot(lone.now).checks == (
        CheckStatus("lan", "interface eth0", "up", "interface eth0 is up", None, lone.now, 1, 0),
    )


def test_a_group() -> None:
    lone = pair(one=replace(V1, tracks=(Track("mysql"), Track("disk"))), checks=(RARE, replace(RARE, name="disk")))
    lone.check(False)
    lone.check(False, name="disk")
    assert lone.node.snapshot(lone.now).groups == (
        GroupStatus(
            "G",
            "FAULT",
            ("V1", "V2"),
            (
                "G is FAULT: V1, V2.",
                (
                    "V1 keeps all of it in FAULT: "
                    "check mysql fails: refused the connection; check disk fails: refused the connection."
                ),
            ),
        ),
    )


def test_a_node() -> None:
    lone = backup()
    snapshot = lone.node.snapshot(lone.now + 1.0)
    assert (snapshot.now, snapshot.router_id, snapshot.stopping) == (lone.now + 1.0, "node", False)
    assert lone.node.instances() == (lone.router.settings,)


# --- a database -------------------------------------------------------------------------------------------------------


def test_master_whose_database_is_being_opened() -> None:
    assert why(opening(), after=0.3) == [
        "VI_1 is MASTER with priority 100.",
        "It took over 0.3 s ago: no advert from anybody for 3.61 s.",
        "Its database is being opened; the addresses come when it takes writes.",
        "The next advert is due in 0.70 s.",
    ]


def test_master_whose_database_is_being_closed() -> None:
    assert "It is closing its database, to hand over then: switchover." in why(closing())
    assert "Its database is being opened; the addresses come when it takes writes." not in why(closing())


def test_backup_that_is_withheld() -> None:
    assert why(withheld(), after=12.0) == [
        "VI_1 is BACKUP, and nobody is master: its wait was over 12.00 s ago.",
        "It does not take over: it lags 40 s behind.",
    ]


def test_backup_that_would_be_withheld() -> None:
    lone = standby(BEHIND)
    assert why(lone)[-1] == "It would not take over as things are: it lags 40 s behind."
    lone.hear(150)
    assert why(lone) == [
        "VI_1 is BACKUP: 192.168.1.202 advertises 150, ours is 100.",
        "It takes over if no advert arrives for 3.61 s (last one 0.00 s ago).",
        "It would not take over as things are: it lags 40 s behind.",
    ]


def test_fault_of_a_database() -> None:
    lone = left(DEAD)
    assert why(lone)[0] == "VI_1 is FAULT: mysqld does not answer."
    assert "It is handing over" in why(lone)[-1]
