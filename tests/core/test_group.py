"""core/group: two virtual routers on two networks that are MASTER together, hand over together, fail together."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core import const
from pyvrrp.core.effects import Action, Effect, Notify, Operation
from pyvrrp.core.events import AddressesChanged, AdvertReceived, ConfigReplaced, LinkChanged, Stopping
from pyvrrp.core.group import grouped
from pyvrrp.core.settings import Command, NodeSettings, Notifications, SyncGroupSettings, Track, VirtualAddress
from pyvrrp.core.wire import Advert, encode
from tests.lone import MAC, Lone, details, only, operations, sent, texts, told
from tests.simulation import CHECK, VIP, instance, settings

RARE = replace(CHECK, interval=60.0)
INNER = VirtualAddress("eth1", IPv4Address("10.0.0.100"), 24)
INNER_OURS, INNER_PEER = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
V1 = instance(name="V1", priority=150)
V2 = instance(name="V2", priority=150, interface="eth1", virtual_router_id=61, addresses=(INNER,))
GROUP = SyncGroupSettings("G", ("V1", "V2"))


class Pair(Lone):
    """A node whose two instances are one group, on eth0 and eth1."""

    def look_inside(self, up: bool = True) -> list[Effect]:
        """The first or a later sight of eth1."""
        effects = self.give(LinkChanged("eth1", True, up, MAC))
        return effects + self.give(AddressesChanged("eth1", ((INNER_OURS, 24),)))

    def hear_inside(self, priority: int, after: float = 0.0) -> list[Effect]:
        """An advert for V2."""
        advert = Advert(2, 61, priority, 100, (INNER.address,))
        payload = encode(advert, INNER_PEER, const.GROUP_IPV4)
        return self.give(AdvertReceived("eth1", INNER_PEER, const.GROUP_IPV4, const.TTL, payload), after)

    def pass_time(self, seconds: float) -> None:
        """So many seconds, with everything that is due in them."""
        end = self.now + seconds
        while (due := self.node.next_deadline()) is not None and due <= end:
            self.obey(self.timer())
        self.now = end

    def states(self) -> dict[str, str]:
        return {each.name: each.state for each in self.node.snapshot(self.now).instances}

    def why(self, name: str) -> tuple[str, ...]:
        """The sentences of an instance or of the group."""
        snapshot = self.node.snapshot(self.now)
        sentences = {each.name: each.why for each in snapshot.instances}
        return (sentences | {each.name: each.why for each in snapshot.groups})[name]


def pair(*others: SyncGroupSettings, one: object = V1, two: object = V2, **more: object) -> Pair:
    """Both in BACKUP, both interfaces up."""
    lone = Pair(one, two, groups=others or (GROUP,), **more)  # type: ignore[arg-type]
    lone.look()
    lone.look_inside()
    return lone


def masters(*others: SyncGroupSettings, **more: object) -> Pair:
    """Both MASTER, with their addresses."""
    lone = pair(*others, **more)
    while "BACKUP" in lone.states().values():
        lone.obey(lone.timer())
    assert set(lone.states().values()) == {"MASTER"}
    return lone


BOTH_MASTER = {"V1": "MASTER", "V2": "MASTER"}
BOTH_BACKUP = {"V1": "BACKUP", "V2": "BACKUP"}
BOTH_FAULT = {"V1": "FAULT", "V2": "FAULT"}

# --- taking over ------------------------------------------------------------------------------------------------------


def test_they_take_over_together_when_both_have_waited() -> None:
    lone = pair()
    lone.hear_inside(200, after=1.0)
    assert details(lone.timer()) == ["Receive advertisement timeout"]
    assert lone.states() == BOTH_BACKUP, "V2 still follows a master"
    effects = lone.timer()
    assert lone.now == pytest.approx(1001 + 3 + 106 / 256)
    assert [advert.vrid for advert in sent(effects)] == [61, 60]
    assert [text for text in texts(effects) if "Entering" in text or "Syncing" in text] == [
        "Entering MASTER STATE",
        "VRRP_Group(G) Syncing instances to MASTER state",
        "Entering MASTER STATE",
    ]
    assert lone.states() == BOTH_MASTER
    lone.obey(effects)
    assert [each.vip_live for each in lone.node.snapshot(lone.now).history[-2:]] == [0.0, 0.0]


def test_a_check_of_one_keeps_both_waiting() -> None:
    lone = pair(one=replace(V1, tracks=(Track("mysql"),)), checks=(RARE,))
    assert lone.states() == {"V1": "INIT", "V2": "INIT"}
    assert lone.why("V2") == ("V2 is INIT: V1, of the same sync group, waits: check mysql has not reported yet.",)
    assert [text for text in texts(lone.check(True)) if "STATE" in text or "Syncing" in text] == [
        "Entering BACKUP STATE",
        "VRRP_Group(G) Syncing instances to BACKUP state",
        "Entering BACKUP STATE",
    ]
    assert lone.states() == BOTH_BACKUP


def test_two_checks_of_one_keep_both_waiting() -> None:
    lone = pair(one=replace(V1, tracks=(Track("mysql"), Track("disk"))), checks=(RARE, replace(RARE, name="disk")))
    assert lone.why("V2") == (
        (
            "V2 is INIT: V1, of the same sync group, waits: "
            "check mysql has not reported yet; check disk has not reported yet."
        ),
    )


def test_however_many_follow_it_is_said_once() -> None:
    third = replace(
        V1, name="V3", virtual_router_id=62, addresses=(replace(VIP, address=IPv4Address("192.168.1.199")),)
    )
    lone = Pair(V1, V2, third, groups=(replace(GROUP, members=("V1", "V2", "V3")),))
    lone.look()
    lone.look_inside()
    effects = lone.timer()
    assert set(lone.states().values()) == {"MASTER"}
    assert texts(effects).count("VRRP_Group(G) Syncing instances to MASTER state") == 1
    assert texts(effects).count("Entering MASTER STATE") == 3


def test_fifos_hear_of_the_group_after_its_members() -> None:
    lone = Pair(V1, V2, groups=(GROUP,))
    lines = told(lone.look()) + told(lone.look_inside())
    lines += told(lone.timer())
    lines += told(lone.give(Stopping("SIGTERM")))
    assert lines == [
        'INSTANCE "V1" BACKUP 150',
        'INSTANCE "V2" BACKUP 150',
        'GROUP "G" BACKUP 0',
        'INSTANCE "V1" MASTER 150',
        'INSTANCE "V2" MASTER 150',
        'GROUP "G" MASTER 0',
        'INSTANCE "V1" STOP 150',
        'INSTANCE "V2" STOP 150',
        'GROUP "G" STOP 0',
    ]


def test_one_member_with_a_better_master_keeps_the_other_from_taking_over() -> None:
    lone = pair(two=replace(V2, priority=90))
    for _ in range(6):
        lone.hear(100)
        lone.hear_inside(100)
        lone.pass_time(1.0)
    assert lone.states() == BOTH_BACKUP
    assert lone.why("V1")[0].startswith("V1 is BACKUP, and ready to take over with priority 150 since")
    assert lone.why("V1")[1] == "It waits until every member of sync group G is."
    assert lone.why("G") == ("G is BACKUP: V1, V2.", "V2 holds it back: 10.0.0.2 advertises 100, ours is 90.")
    lone.hear_inside(0)
    assert lone.why("G") == ("G is BACKUP: V1, V2.",)
    lone.timer()
    assert lone.states() == BOTH_MASTER, "V1 was ready all the time"


def test_a_ready_member_that_hears_a_better_master_is_ready_no_more() -> None:
    lone = pair()
    lone.hear_inside(200, after=1.0)
    lone.timer()
    assert lone.why("V1")[0].startswith("V1 is BACKUP, and ready")
    lone.hear(200)
    assert lone.deadline == pytest.approx(3 + 106 / 256)
    for _ in range(5):
        lone.hear(200)
        lone.pass_time(1.0)
    assert lone.states() == BOTH_BACKUP
    assert lone.why("V2")[0].startswith("V2 is BACKUP, and ready")


def test_an_owner_in_a_group_waits_for_the_others() -> None:
    lone = pair(one=replace(V1, priority=255), two=replace(V2, priority=254))
    lone.timer()
    assert lone.states() == BOTH_BACKUP
    lone.timer()
    assert lone.now == pytest.approx(1000 + 3 + 2 / 256)
    assert lone.states() == BOTH_MASTER


# --- leaving ----------------------------------------------------------------------------------------------------------


def test_when_one_yields_the_other_hands_over() -> None:
    lone = masters()
    effects = lone.hear(200)
    assert lone.states() == BOTH_BACKUP
    assert [text for text in texts(effects) if "Entering" in text or "Syncing" in text or "Master" in text] == [
        "Master received advert from 192.168.1.202 with higher priority 200, ours 150",
        "Entering BACKUP STATE",
        "VRRP_Group(G) Syncing instances to BACKUP state",
        "Entering BACKUP STATE",
    ]
    assert "V1, of the same sync group, follows another master" in texts(effects)
    assert [(advert.vrid, advert.priority) for advert in sent(effects)] == [(61, 0)]
    assert operations(effects) == [Operation(Action.REMOVE, VIP)], "V2's answers until its successor speaks"
    assert lone.node._routers["V2"].deadline == pytest.approx(lone.now + 3 + 106 / 256)
    assert operations(lone.hear_inside(200, after=0.001)) == [Operation(Action.REMOVE, INNER)]
    assert told(effects)[-1] == 'GROUP "G" BACKUP 0'


def test_a_member_without_a_network_takes_the_other_with_it() -> None:
    lone = masters()
    effects = lone.look_inside(up=False)
    assert lone.states() == BOTH_FAULT
    assert [(advert.vrid, advert.priority) for advert in sent(effects)] == [(60, 0)]
    assert operations(effects) == [Operation(Action.REMOVE, INNER)], "V1 hands over, V2 has nobody to hand over to"
    assert texts(effects)[:6] == [
        "Netlink reports eth1 down",
        "Entering FAULT STATE",
        "interface eth1 is down",
        "VRRP_Group(G) Syncing instances to FAULT state",
        "Entering FAULT STATE",
        "V2, of the same sync group, cannot serve: interface eth1 is down",
    ]
    assert lone.why("V1")[0] == "V1 is FAULT: V2, of the same sync group, cannot serve: interface eth1 is down."
    assert lone.why("G") == ("G is FAULT: V1, V2.", "V2 keeps all of it in FAULT: interface eth1 is down.")


def test_what_is_said_of_the_others_is_kept_up_to_date() -> None:
    lone = pair(two=replace(V2, tracks=(Track("mysql"), Track("disk"))), checks=(RARE, replace(RARE, name="disk")))
    lone.check(False)
    assert texts(lone.check(False, name="disk")) == ["check disk fails: refused the connection"]
    assert lone.why("V1")[0] == (
        "V1 is FAULT: V2, of the same sync group, cannot serve: "
        "check mysql fails: refused the connection; check disk fails: refused the connection."
    )


def test_they_come_back_together() -> None:
    lone = masters()
    lone.look_inside(up=False)
    effects = lone.look_inside()
    assert lone.states() == BOTH_BACKUP
    assert "VRRP_Group(G) Syncing instances to BACKUP state" in texts(effects)
    assert told(effects) == ['INSTANCE "V2" BACKUP 150', 'INSTANCE "V1" BACKUP 150', 'GROUP "G" BACKUP 0']


def test_two_faults_must_both_be_mended() -> None:
    lone = masters()
    lone.link(up=False)
    lone.look_inside(up=False)
    assert lone.why("V1")[0] == "V1 is FAULT: interface eth0 is down."
    lone.link(up=True)
    assert lone.states() == BOTH_FAULT
    lone.look_inside()
    assert lone.states() == BOTH_BACKUP


def test_handing_over_waits_for_the_slowest_member() -> None:
    """Its successor takes over no sooner than the whole group may."""
    fast = replace(V1, version=3, advert_int=0.1)
    assert masters(one=fast).router.handover_bound == pytest.approx(255 / 256 + 0.1)
    alone = Lone(fast)
    assert alone.router.handover_bound == pytest.approx(0.1 * 255 / 256 + 0.1)


def test_a_stop_hands_over_both() -> None:
    lone = masters()
    effects = lone.give(Stopping("SIGTERM"))
    assert [advert.priority for advert in sent(effects)] == [0, 0]
    assert operations(effects) == []
    lone.obey(lone.hear(100, after=0.1))
    assert not lone.node.done
    lone.obey(lone.hear_inside(100))
    assert lone.node.done


# --- what a group tracks ----------------------------------------------------------------------------------------------


def test_a_groups_check_concerns_every_member() -> None:
    lone = Pair(V1, V2, groups=(replace(GROUP, tracks=(Track("mysql"),)),), checks=(RARE,))
    lone.look()
    lone.look_inside()
    assert lone.states() == {"V1": "INIT", "V2": "INIT"}
    lone.check(True)
    assert lone.states() == BOTH_BACKUP
    effects = lone.check(False, conclusive=True)
    assert lone.states() == BOTH_FAULT
    assert told(effects)[-1] == 'GROUP "G" FAULT 0'
    lone.check(True, conclusive=True)
    assert lone.states() == BOTH_BACKUP


def test_a_groups_weight_moves_every_members_priority() -> None:
    lone = masters(replace(GROUP, tracks=(Track("mysql", -30),)), checks=(RARE,))
    effects = lone.check(False)
    assert {(advert.vrid, advert.priority) for advert in sent(effects)} == {(60, 120), (61, 120)}


def test_a_weight_that_moves_a_ready_member_leaves_it_ready() -> None:
    lone = pair(replace(GROUP, tracks=(Track("mysql", -30),)), checks=(RARE,))
    lone.hear_inside(200, after=1.0)
    lone.timer()
    assert lone.why("V1")[0].startswith("V1 is BACKUP, and ready to take over with priority 150")
    lone.check(False)
    assert lone.why("V1")[0].startswith("V1 is BACKUP, and ready to take over with priority 150 - 30 (mysql) = 120")


def test_a_master_that_is_worse_now_is_followed_no_more() -> None:
    lone = pair(replace(GROUP, tracks=(Track("mysql", 20),)), checks=(RARE,))
    lone.hear(160)
    assert "V1 holds it back: 192.168.1.202 advertises 160, ours is 150." in lone.why("G")
    lone.check(True)
    lone.hear(160, after=1.0)
    assert lone.why("G") == ("G is BACKUP: V1, V2.",)


def test_with_sync_group_tracking_weight_a_members_own_weight_moves_its_own_priority() -> None:
    lone = pair(replace(GROUP, tracking_weight=True), one=replace(V1, tracks=(Track("mysql", -60),)), checks=(RARE,))
    lone.check(False)
    assert [each.priority for each in lone.node.snapshot(lone.now).instances] == [90, 150]
    assert "FAULT" not in lone.states().values()


def test_without_it_a_members_own_weight_counts_as_0() -> None:
    lone = pair(one=replace(V1, tracks=(Track("mysql", -60),)), checks=(RARE,))
    lone.check(False)
    assert [each.priority for each in lone.node.snapshot(lone.now).instances] == [150, 150]
    assert lone.states() == BOTH_FAULT


def test_a_members_own_fault_counts_for_all() -> None:
    lone = pair(one=replace(V1, tracks=(Track("mysql"),)), checks=(RARE,))
    lone.check(False)
    assert lone.states() == BOTH_FAULT


def test_a_check_of_group_and_member_counts_once() -> None:
    whole = NodeSettings(
        "node", (replace(V1, tracks=(Track("mysql"),)), V2), groups=(replace(GROUP, tracks=(Track("mysql"),)),)
    )
    assert [each.tracks for each in grouped(whole)] == [(Track("mysql"),), (Track("mysql"),)]


# --- what a group tells -----------------------------------------------------------------------------------------------


def test_a_groups_own_commands() -> None:
    whom = Notifications(notify=Command(("/bin/all",)), master=Command(("/bin/master",)), smtp_alert=True)
    lone = pair(replace(GROUP, notifications=whom))
    effects = lone.timer()
    notices = only(Notify, effects)
    (group,) = [each for each in notices if each.subject == "GROUP G"]
    assert [command.words for command in group.commands] == [
        ("/bin/master",),
        ("/bin/all", "GROUP", "G", "MASTER", "0"),
    ]
    assert group.mail is not None
    found = dict(group.environment)
    assert (found["STATE"], found["PREVIOUS"], found["PRIORITY"], found["GROUP"]) == ("MASTER", "BACKUP", "0", "G")
    assert found["REASON"] == "no advert from anybody for 3.41 s"


def test_a_group_in_several_states_says_so() -> None:
    lone = Pair(V1, V2, groups=(GROUP,))
    lone.look()
    assert lone.node.snapshot(lone.now).groups[0].state == ""
    assert lone.why("G") == ("G is not in one state: V1 is BACKUP, V2 is INIT.",)


def test_two_groups_are_apart() -> None:
    third = replace(
        V1, name="V3", virtual_router_id=62, addresses=(replace(VIP, address=IPv4Address("192.168.1.199")),)
    )
    lone = Pair(V1, V2, third, groups=(replace(GROUP, members=("V1", "V3")), SyncGroupSettings("H", ("V2",))))
    lone.look()
    assert [(each.name, each.state) for each in lone.node.snapshot(lone.now).groups] == [("G", "BACKUP"), ("H", "INIT")]
    lone.timer()
    lone.timer()
    assert lone.states() == {"V1": "MASTER", "V2": "INIT", "V3": "MASTER"}


# --- reload -----------------------------------------------------------------------------------------------------------


def reload(lone: Pair, *instances: object, groups: tuple[SyncGroupSettings, ...] = ()) -> list[Effect]:
    return lone.give(ConfigReplaced(settings(*instances, groups=groups)))  # type: ignore[arg-type]


def test_a_reload_of_the_same_touches_nothing() -> None:
    lone = masters()
    assert reload(lone, V1, V2, groups=(GROUP,)) == []
    lone = masters()
    lone.look_inside(up=False)
    assert reload(lone, V1, V2, groups=(GROUP,)) == []


def test_masters_that_become_a_group_stay_masters() -> None:
    lone = Pair(V1, V2)
    lone.look()
    lone.look_inside()
    lone.obey(lone.timer())
    lone.obey(lone.timer())
    assert lone.states() == BOTH_MASTER
    effects = reload(lone, V1, V2, groups=(GROUP,))
    assert (sent(effects), operations(effects)) == ([], [])
    assert told(effects) == ['GROUP "G" MASTER 0']


def test_a_master_and_a_backup_that_become_a_group_are_backups() -> None:
    lone = Pair(V1, V2)
    lone.look()
    lone.look_inside()
    lone.hear_inside(200, after=3.0)
    lone.obey(lone.timer())
    assert lone.states() == {"V1": "MASTER", "V2": "BACKUP"}
    effects = reload(lone, V1, V2, groups=(GROUP,))
    assert lone.states() == BOTH_BACKUP
    assert [(advert.vrid, advert.priority) for advert in sent(effects)] == [(60, 0)]


def test_a_new_member_follows_the_masters_when_nobody_speaks() -> None:
    lone = Pair(V1)
    lone.look()
    lone.obey(lone.timer())
    reload(lone, V1, V2, groups=(GROUP,))
    assert lone.states() == {"V1": "MASTER", "V2": "INIT"}
    lone.look_inside()
    while lone.states()["V2"] != "MASTER":
        lone.obey(lone.timer())
        assert lone.states()["V1"] == "MASTER"


def test_a_new_member_with_a_better_master_takes_the_others_back() -> None:
    lone = Pair(V1)
    lone.look()
    lone.obey(lone.timer())
    reload(lone, V1, V2, groups=(GROUP,))
    lone.look_inside()
    effects = lone.hear_inside(200, after=0.5)
    assert lone.states() == BOTH_BACKUP
    assert [(advert.vrid, advert.priority) for advert in sent(effects)] == [(60, 0)]


def test_a_ready_member_whose_group_is_gone_takes_over() -> None:
    lone = pair()
    lone.hear_inside(200, after=1.0)
    lone.timer()
    assert lone.states() == BOTH_BACKUP
    reload(lone, V1, V2)
    lone.timer()
    assert lone.states() == {"V1": "MASTER", "V2": "BACKUP"}
    assert lone.node.snapshot(lone.now).groups == ()


def test_a_member_whose_group_is_gone_answers_for_itself() -> None:
    lone = masters()
    lone.look_inside(up=False)
    reload(lone, V1, V2)
    assert lone.states() == {"V1": "BACKUP", "V2": "FAULT"}
