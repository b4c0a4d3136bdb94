"""core/notify: what scripts, FIFOs and people are told, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core.effects import Effect, Mail, Notify
from pyvrrp.core.events import ConfigReplaced, Stopping
from pyvrrp.core.notify import DELETED, GROUP, INSTANCE, RECEIVED_LOWER, STOP, News, Notifier
from pyvrrp.core.settings import Command, Notifications, Track
from tests.lone import LOWER_PEER, OURS, PEER, Lone, backup, kinds, master, only, told
from tests.simulation import CHECK, instance, settings

RARE = replace(CHECK, interval=60.0)
NEWS = News(INSTANCE, "VI_1", "MASTER", "BACKUP", 150, "192.168.1.201", "no advert")
ALL = Notifications(
    notify=Command(("/bin/all", "x"), "nobody", "daemon"),
    master=Command(("/bin/master", "y z")),
    backup=Command(("/bin/backup",)),
    fault=Command(("/bin/fault",)),
    stop=Command(("/bin/stop",)),
    deleted=Command(("/bin/deleted",)),
    master_rx_lower_pri=Command(("/bin/lower",)),
    smtp_alert=True,
)


def tell(word: str, whom: Notifications = ALL, kind: str = INSTANCE, priority: int = 150) -> Notify:
    news = replace(NEWS, word=word, kind=kind, priority=priority)
    return Notifier("db1").tell(news, whom)


def words(effect: Notify) -> list[tuple[str, ...]]:
    return [command.words for command in effect.commands]


# --- one notice -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["MASTER", "BACKUP", "FAULT", "STOP", "DELETED"])
def test_the_states_own_command_runs_as_configured_and_then_notify_with_four_more_words(state: str) -> None:
    effect = tell(state)
    own, general = effect.commands
    assert own.words[0] == f"/bin/{state.lower()}"
    assert own.words[1:] == (("y z",) if state == "MASTER" else ())
    assert general == Command(("/bin/all", "x", "INSTANCE", "VI_1", state, "150"), "nobody", "daemon")
    assert (effect.subject, effect.family) == ("INSTANCE VI_1", "vrrp")
    assert effect.line == f'INSTANCE "VI_1" {state} 150'


def test_a_group_has_priority_0() -> None:
    effect = tell("MASTER", kind=GROUP, priority=0)
    assert effect.line == 'GROUP "VI_1" MASTER 0'
    assert words(effect)[1] == ("/bin/all", "x", "GROUP", "VI_1", "MASTER", "0")


def test_a_lower_priority_has_a_command_of_its_own_only() -> None:
    effect = tell(RECEIVED_LOWER)
    assert effect.line == 'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 150'
    assert words(effect) == [("/bin/lower",)]
    assert effect.mail is None


def test_a_priority_is_for_pipes_only() -> None:
    effect = tell("BACKUP_PRIORITY")
    assert effect.line == 'INSTANCE "VI_1" BACKUP_PRIORITY 150'
    assert (effect.commands, effect.mail) == ((), None)


def test_who_does_not_want_the_word_deleted_is_told_of_a_fault_without_its_script() -> None:
    effect = tell(DELETED, replace(ALL, deleted=None))
    assert effect.line == 'INSTANCE "VI_1" FAULT 150'
    assert words(effect) == [("/bin/all", "x", "INSTANCE", "VI_1", "FAULT", "150")]
    assert effect.mail is not None
    assert effect.mail.subject == "[db1] VRRP Instance VI_1 - Entering FAULT state"


def test_a_deleted_command_without_words_is_only_the_wish_for_the_word() -> None:
    effect = tell(DELETED, replace(ALL, deleted=Command(())))
    assert effect.line == 'INSTANCE "VI_1" DELETED 150'
    assert len(effect.commands) == 1


def test_nothing_configured_is_only_a_line() -> None:
    effect = tell("MASTER", Notifications())
    assert (effect.line, effect.commands, effect.mail) == ('INSTANCE "VI_1" MASTER 150', (), None)


def test_the_environment_says_all_there_is_to_say() -> None:
    assert dict(tell("MASTER").environment) == {
        "STATE": "MASTER",
        "PREVIOUS": "BACKUP",
        "PRIORITY": "150",
        "MASTER": "192.168.1.201",
        "REASON": "no advert",
        "SEQUENCE": "1",
        "KIND": "INSTANCE",
        "INSTANCE": "VI_1",
    }
    assert dict(tell("MASTER", kind=GROUP).environment)["GROUP"] == "VI_1"


@pytest.mark.parametrize(
    ("kind", "word", "mail"),
    [
        (INSTANCE, "MASTER", ("Instance VI_1 - Entering MASTER state", "VRRP Instance is now owning VRRP VIPs")),
        (INSTANCE, "BACKUP", ("Instance VI_1 - Entering BACKUP state", "VRRP Instance is no longer owning VRRP VIPs")),
        (INSTANCE, "FAULT", ("Instance VI_1 - Entering FAULT state", "VRRP Instance is no longer owning VRRP VIPs")),
        (INSTANCE, "DELETED", ("Instance VI_1 - Deleted", "VRRP Deleted at reload")),
        (GROUP, "MASTER", ("Group VI_1 - Entering MASTER state", "All VRRP group instances are now in MASTER state")),
        (GROUP, "FAULT", ("Group VI_1 - Entering FAULT state", "All VRRP group instances are now in FAULT state")),
        (INSTANCE, STOP, None),
        (GROUP, STOP, None),
    ],
)
def test_mails_are_keepaliveds(kind: str, word: str, mail: tuple[str, str] | None) -> None:
    expected = None if mail is None else Mail(f"[db1] VRRP {mail[0]}", f"=> {mail[1]} <=")
    assert tell(word, kind=kind).mail == expected
    assert tell(word, replace(ALL, smtp_alert=False), kind).mail is None


# --- when -------------------------------------------------------------------------------------------------------------


def environment(effects: list[Effect]) -> dict[str, str]:
    """The environment of the only notice."""
    (effect,) = only(Notify, effects)
    return dict(effect.environment)


def test_the_life_of_an_instance_as_a_fifo_hears_it() -> None:
    lone = Lone(priority=110, tracks=(Track("mysql"), Track("disk", -20)), checks=(RARE, replace(RARE, name="disk")))
    lone.check(True, name="disk")
    lone.look()
    lines = told(lone.check(True))
    lines += told(lone.become_master())
    lines += told(lone.check(False, name="disk", conclusive=True))
    lines += told(lone.check(False, conclusive=True))
    lines += told(lone.check(True, conclusive=True))
    lines += told(lone.give(Stopping("SIGTERM")))
    assert lines == [
        'INSTANCE "VI_1" BACKUP 110',
        'INSTANCE "VI_1" MASTER 110',
        'INSTANCE "VI_1" FAULT 90',
        'INSTANCE "VI_1" BACKUP 90',
        'INSTANCE "VI_1" STOP 90',
    ]


def test_numbers_grow_by_one_over_all_instances() -> None:
    lone = Lone(instance(), replace(instance(), name="VI_2", virtual_router_id=61))
    effects = lone.look()
    effects += lone.timer()
    effects += lone.give(Stopping("SIGTERM"))
    numbers = [dict(each.environment)["SEQUENCE"] for each in only(Notify, effects)]
    assert numbers == [str(number) for number in range(1, 7)]


def test_a_takeover_is_told_beside_the_request_for_the_address() -> None:
    lone = backup()
    effects = lone.timer()
    assert kinds(effects) == ["SendAdvert", "Reconcile"]
    found = environment(effects)
    assert (found["STATE"], found["PREVIOUS"], found["MASTER"]) == ("MASTER", "BACKUP", str(OURS))
    assert found["REASON"] == "no advert from anybody for 3.61 s"
    assert told(lone.obey(effects)) == [], "once"


def test_who_is_master_is_told() -> None:
    lone = master()
    found = environment(lone.hear(200))
    assert (found["STATE"], found["PREVIOUS"], found["MASTER"]) == ("BACKUP", "MASTER", str(PEER))
    assert environment(Lone().look())["MASTER"] == ""


def test_a_start_in_fault_is_told() -> None:
    found = environment(Lone().look(up=False))
    assert (found["STATE"], found["PREVIOUS"], found["REASON"]) == ("FAULT", "INIT", "interface eth0 is down")


def test_a_stop_before_anything_began_is_told_once() -> None:
    lone = Lone()
    assert told(lone.give(Stopping("SIGTERM"))) == ['INSTANCE "VI_1" STOP 100']
    assert told(lone.give(Stopping("SIGTERM"))) == []


def test_an_instance_that_a_reload_takes_away_is_told() -> None:
    lone = master(notifications=ALL)
    effects = lone.give(ConfigReplaced(settings()))
    assert told(effects) == ['INSTANCE "VI_1" DELETED 100']
    assert environment(effects)["PREVIOUS"] == "MASTER"
    assert told(lone.give(Stopping("SIGTERM"))) == []


def test_a_reload_that_changes_no_state_tells_nothing() -> None:
    lone = master()
    assert told(lone.give(ConfigReplaced(settings(instance(name="VI_9", preempt=False))))) == []


def test_the_router_id_of_a_reload_is_in_the_next_mail() -> None:
    lone = backup(notifications=ALL)
    lone.give(ConfigReplaced(replace(settings(instance(notifications=ALL)), router_id="db7")))
    (effect,) = only(Notify, lone.timer())
    assert effect.mail is not None
    assert effect.mail.subject == "[db7] VRRP Instance VI_1 - Entering MASTER state"


def test_a_rival_is_told_of_at_a_bounded_rate() -> None:
    lone = master()
    heard = [told(lone.hear(50, after=0.25)) for _ in range(9)]
    assert heard == [['INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100'] if number % 4 == 0 else [] for number in range(9)]
    found = environment(lone.hear(50, source=LOWER_PEER, after=1.0))
    assert found["STATE"] == "MASTER_RX_LOWER_PRI"
    assert "Received advert from 192.168.1.101" in found["REASON"]


@pytest.mark.parametrize("wanted", [True, False])
def test_priorities_are_told_when_that_is_wanted(wanted: bool) -> None:
    whom = Notifications(priority_changes=wanted)
    lone = Lone(
        tracks=(Track("mysql", -20), Track("disk")), checks=(RARE, replace(RARE, name="disk")), notifications=whom
    )
    lone.look()
    lone.check(True)
    lone.check(True, name="disk")
    effects = lone.check(False, conclusive=True)
    assert [environment([each])["REASON"] for each in only(Notify, effects)] == (
        ["Changing effective priority from 100 to 80"] if wanted else []
    )
    lines = told(effects)
    lone.become_master()
    lines += told(lone.check(True, conclusive=True))
    lone.check(False, name="disk", conclusive=True)
    lines += told(lone.check(False, conclusive=True))
    assert lines == (
        [
            'INSTANCE "VI_1" BACKUP_PRIORITY 80',
            'INSTANCE "VI_1" MASTER_PRIORITY 100',
            'INSTANCE "VI_1" BACKUP_PRIORITY 80',
        ]
        if wanted
        else []
    )
