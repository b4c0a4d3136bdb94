"""What two servers need to become a pair, as text: no server is asked, nothing is done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyvrrp.mysql.dialect import modern
from pyvrrp.mysql.facts import Facts
from pyvrrp.mysql.pairing import End, Plan, Wish, beyond
from pyvrrp.mysql.passwords import hashed
from pyvrrp.mysql.setup import active_first, plan
from tests.mysql.stated import AGENT_GRANTS, PEER_GRANTS, mariadb, mysql, pair, replicating, spoilt

KNOWN = Wish("pyvrrp", known=True)


def fresh(number: int, name: str, **variables: str) -> Facts:
    """A server as its package leaves it, but for its numbers and its log."""
    facts = mariadb(number, name, writable=True, gtid_strict_mode="OFF", **variables)
    return replace(facts, replication=(), heartbeat=False, booted={"read_only": "OFF", "server_id": str(number)})


def ends(here: Facts, there: Facts) -> tuple[End, End]:
    return End(here, "192.168.1.201", 3306), End(there, "192.168.1.202", 3306)


def planned(here: Facts, there: Facts, **wishes: Any) -> Plan:
    return plan(*ends(here, there), replace(Wish("pyvrrp"), **wishes))


def statements(proposed: Plan, on: str = "") -> list[str]:
    return [each for step in proposed.steps if on in step.on for each in step.statements]


def test_two_fresh_mariadbs_become_a_pair() -> None:
    proposed = planned(fresh(1, "this server"), fresh(2, "the other server"))
    assert proposed.refusals == ()
    said = statements(proposed)
    assert said.index("CREATE DATABASE IF NOT EXISTS pyvrrp") < said.index("START SLAVE IO_THREAD")
    assert "SET GLOBAL gtid_strict_mode = ON" in said
    there = statements(proposed, "other")
    assert there == [
        "SET GLOBAL gtid_strict_mode = ON",
        (
            "CHANGE MASTER TO MASTER_HOST = '192.168.1.201', MASTER_PORT = 3306, MASTER_USER = 'repl_2',"
            " MASTER_PASSWORD = :repl_2:, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1,"
            " MASTER_USE_GTID = slave_pos"
        ),
        "START SLAVE IO_THREAD",
        "START SLAVE SQL_THREAD",
        "SET GLOBAL read_only = ON",
    ]


def test_the_active_server_knows_the_way_back_and_does_not_replicate() -> None:
    here = statements(planned(fresh(1, "this server"), fresh(2, "the other server")), "this")
    assert here[-2] == "SET GLOBAL gtid_slave_pos = @@global.gtid_current_pos"
    assert here[-1].startswith("CHANGE MASTER TO MASTER_HOST = '192.168.1.202'")
    assert not [each for each in here if "START" in each or "read_only" in each]


def test_each_direction_has_an_account_of_its_own() -> None:
    said = statements(planned(fresh(1, "this server"), fresh(2, "the other server")))
    assert "CREATE USER 'repl_2'@'192.168.1.202' IDENTIFIED BY PASSWORD :repl_2_hash:" in said
    assert "CREATE USER 'repl_1'@'192.168.1.201' IDENTIFIED BY PASSWORD :repl_1_hash:" in said


def test_the_agent_may_do_everything_at_home_and_look_elsewhere() -> None:
    said = statements(planned(fresh(1, "this server"), fresh(2, "the other server")))
    assert "GRANT SELECT, INSERT, UPDATE ON pyvrrp.* TO 'pyvrrp'@'localhost'" in said
    assert "GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO 'pyvrrp'@'192.168.1.202'" in said
    assert "GRANT SELECT ON pyvrrp.* TO 'pyvrrp'@'192.168.1.202'" in said


OLDER, NEWER = "10.5.8-MariaDB", "10.5.20-MariaDB"
LOOKS = {
    (OLDER, OLDER): "REPLICATION SLAVE ADMIN, BINLOG MONITOR",
    (NEWER, NEWER): "SLAVE MONITOR, BINLOG MONITOR",
    # replication brings what the active server knows; the second privilege is for when the standby's turn has come
    (OLDER, NEWER): "REPLICATION SLAVE ADMIN, BINLOG MONITOR",
    (NEWER, OLDER): "SLAVE MONITOR, BINLOG MONITOR, REPLICATION SLAVE ADMIN",
}


@pytest.mark.parametrize(("active", "standby"), LOOKS)
def test_who_only_looks_is_granted_what_each_version_wants_for_it(active: str, standby: str) -> None:
    here = replace(fresh(1, "this server"), version=active)
    there = replace(fresh(2, "the other server"), version=standby)
    assert f"GRANT {LOOKS[active, standby]} ON *.* TO 'pyvrrp'@'192.168.1.202'" in statements(planned(here, there))


def test_a_standby_of_a_later_version_is_granted_what_replication_does_not_bring() -> None:
    looks = ("GRANT REPLICATION SLAVE ADMIN, BINLOG MONITOR ON *.* TO `pyvrrp`@`192.168.1.201`", PEER_GRANTS[1])
    granted = {"pyvrrp@localhost": AGENT_GRANTS, "pyvrrp@192.168.1.201": looks, "pyvrrp@192.168.1.202": looks}
    here, there = (replace(each, granted=granted, accounts=tuple(granted)) for each in pair())
    said = statements(planned(replace(here, version=OLDER), replace(there, version=NEWER), known=True), "other")
    assert "GRANT SLAVE MONITOR ON *.* TO 'pyvrrp'@'192.168.1.201'" in said


def given(version: str, **wishes: Any) -> set[str]:
    """How the statements of a setup that go into the log give passwords."""
    here, there = fresh(1, "this server"), fresh(2, "the other server")
    if version:
        here, there = (replace(mysql(each, version), replication=()) for each in (here, there))
    here = replace(here, accounts=("pyvrrp@localhost",) if wishes else ())
    said = statements(planned(here, there, **wishes))
    return {each.partition("IDENTIFIED ")[2] or each for each in said if "IDENTIFIED" in each or "PASSWORD FOR" in each}


def test_no_statement_holds_a_password_and_what_is_logged_has_a_hash() -> None:
    names = ("agent", "repl_1", "repl_2")
    assert given("") == {f"BY PASSWORD :{name}_hash:" for name in names}
    assert given("5.6.24") == {f"BY PASSWORD :{name}_hash:" for name in names}
    for version in ("5.7.44", "8.0.36"):
        assert given(version) == {f"WITH mysql_native_password AS :{name}_hash:" for name in names}
        assert given(version, anew=True) == given(version), "a new password too"
    assert given("8.4.3") == {f"BY :{name}:" for name in names}, "MySQL rewrites it in its log"
    assert "SET PASSWORD FOR 'pyvrrp'@'localhost' = :agent_hash:" in given("5.6.24", anew=True)


def test_the_hash_is_the_one_that_servers_keep() -> None:
    assert hashed("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"


def test_a_server_that_judges_passwords_takes_a_hash_all_the_same() -> None:
    here, there = fresh(1, "this server"), fresh(2, "the other server")
    judging = spoilt(here, strict_password_validation="ON", simple_password_check_digits="1")
    said = statements(planned(judging, there), "this")
    at = said.index("CREATE USER 'pyvrrp'@'localhost' IDENTIFIED BY PASSWORD :agent_hash:")
    switch = "SET GLOBAL strict_password_validation ="
    assert (said[at - 1], said[at + 1]) == (f"{switch} OFF", f"{switch} ON")


def test_a_pair_that_is_set_up_needs_nothing() -> None:
    accounts = {
        "pyvrrp@localhost": AGENT_GRANTS,
        "pyvrrp@192.168.1.201": PEER_GRANTS,
        "pyvrrp@192.168.1.202": PEER_GRANTS,
    }
    here, there = (replace(each, accounts=tuple(accounts), granted=accounts) for each in pair())
    assert planned(here, there, known=True) == replace(planned(here, there, known=True), steps=(), refusals=())


def test_a_privilege_that_is_lacking_is_granted_and_nothing_else() -> None:
    accounts = {
        "pyvrrp@localhost": (AGENT_GRANTS[0].replace("PROCESS, ", ""), AGENT_GRANTS[1]),
        "pyvrrp@192.168.1.201": PEER_GRANTS,
        "pyvrrp@192.168.1.202": PEER_GRANTS,
    }
    whole = {**accounts, "pyvrrp@localhost": AGENT_GRANTS}
    here, there = pair()
    here, there = (
        replace(here, accounts=tuple(accounts), granted=accounts),
        replace(there, accounts=tuple(whole), granted=whole),
    )
    assert statements(planned(here, there, known=True)) == ["GRANT PROCESS ON *.* TO 'pyvrrp'@'localhost'"]


def test_what_the_standby_alone_lacks_is_no_transaction_of_its_own() -> None:
    accounts = {
        "pyvrrp@localhost": AGENT_GRANTS,
        "pyvrrp@192.168.1.201": PEER_GRANTS,
        "pyvrrp@192.168.1.202": PEER_GRANTS,
    }
    here, there = pair()
    fewer = {name: lines for name, lines in accounts.items() if "201" not in name}
    here, there = (
        replace(here, accounts=tuple(accounts), granted=accounts),
        replace(there, accounts=tuple(fewer), granted=fewer),
    )
    said = statements(planned(here, there, known=True))
    assert said[0] == "SET SESSION sql_log_bin = 0"
    assert said[-1] == "SET SESSION sql_log_bin = 1"
    assert said[1] == "CREATE USER 'pyvrrp'@'192.168.1.201' IDENTIFIED BY PASSWORD :agent_hash:"


def test_an_account_that_would_stop_replication_goes_first() -> None:
    there = replace(fresh(2, "the other server"), accounts=("root@localhost", "pyvrrp@localhost"))
    said = statements(planned(fresh(1, "this server"), there, known=True), "other")
    assert "DROP USER 'pyvrrp'@'localhost'" in said
    assert said.index("DROP USER 'pyvrrp'@'localhost'") < said.index("START SLAVE IO_THREAD")


def test_an_account_whose_password_nobody_knows_is_left_alone() -> None:
    here, there = (replace(each, accounts=("pyvrrp@localhost",)) for each in pair())
    (refusal,) = planned(here, there).refusals
    assert "copy the password's file from the other node" in refusal
    anew = statements(planned(here, there, anew=True))
    assert "SET PASSWORD FOR 'pyvrrp'@'localhost' = :agent_hash:" in anew


def test_what_only_an_option_file_can_say_comes_first() -> None:
    here = fresh(1, "this server", log_slave_updates="OFF")
    proposed = planned(here, fresh(1, "the other server"))
    assert proposed.steps == ()
    assert proposed.refusals == ("both servers have server_id 1", "this server has no log_slave_updates")
    assert "log_slave_updates = ON" in proposed.lines["this server"]
    assert not any(each.startswith("server_id") for each in proposed.lines["this server"])
    assert "server_id = 2" in proposed.lines["the other server"]
    assert "auto_increment_offset = 2" in proposed.lines["the other server"]


def test_a_server_that_listens_on_its_own_host_alone_is_told_to_listen() -> None:
    here, there = fresh(1, "this server", bind_address="127.0.0.1"), fresh(2, "the other server", bind_address="*")
    lines = planned(here, there).lines
    assert "bind_address = 0.0.0.0" in lines["this server"]
    assert not any(each.startswith("bind_address") for each in lines["the other server"])


def test_what_check_would_advise_is_among_the_lines() -> None:
    here, there = pair()
    slow = replace(here, variables={**here.variables, "sync_binlog": "0", "skip_name_resolve": "OFF"})
    assert planned(slow, there).lines["this server"][-2:] == (
        "skip_name_resolve = ON  # advised: where no account is known by a host's name",
        "sync_binlog = 1  # advised: a loss of power then takes nothing from its log",
    )


def test_lines_that_are_there_are_not_asked_for() -> None:
    here, there = pair()
    complete = {"server_id": "1", "log_bin": "mysql-bin", "log_slave_updates": "", "gtid_strict_mode": "1"}
    complete |= {"binlog_format": "row", "auto_increment_increment": "2", "auto_increment_offset": "1"}
    complete |= {"slave_net_timeout": "4", "read_only": "1", "skip_slave_start": ""}
    booted = {modern(name): value for name, value in complete.items()}
    assert planned(replace(here, booted=booted), there).lines["this server"] == (
        "rpl_semi_sync_master_wait_point = AFTER_SYNC",
    )


def test_a_standby_with_transactions_of_its_own_is_not_overwritten() -> None:
    here = fresh(1, "this server", gtid_binlog_state="0-1-10")
    there = fresh(2, "the other server", gtid_binlog_state="0-2-7")
    (refusal,) = planned(here, there).refusals
    assert "has transactions that this server has not: 0-2-" in refusal
    assert "RESET MASTER" in refusal
    assert beyond(there, here) != ()


def test_data_that_only_one_has_is_copied_by_hand() -> None:
    here = replace(fresh(1, "this server"), tables=("shop.orders", "pyvrrp.heartbeat"))
    (refusal,) = planned(here, fresh(2, "the other server")).refusals
    assert "has not got shop.orders" in refusal
    assert "mariadb-dump" in refusal


def test_the_same_data_is_believed_when_it_is_said() -> None:
    here = replace(fresh(1, "this server", gtid_binlog_pos="0-1-10"), tables=("shop.orders",))
    there = replace(fresh(2, "the other server"), tables=("shop.orders",))
    (refusal,) = planned(here, there).refusals
    assert "--same-data" in refusal
    assert "SET GLOBAL gtid_slave_pos = '0-1-10'" in statements(planned(here, there, same_data=True), "other")


def test_the_tutorial_s_pair_is_taken_to_gtids() -> None:
    here, there = (replicating(each, Using_Gtid="No") for each in pair())
    proposed = planned(replace(here, heartbeat=True), there, known=True)
    assert "CHANGE MASTER TO MASTER_USE_GTID = slave_pos" in statements(proposed, "this")
    assert "CHANGE MASTER TO MASTER_USE_GTID = slave_pos" in statements(proposed, "other")


def told(*, here: tuple[str, ...], there: tuple[str, ...]) -> Plan:
    """A pair that is set up, whose servers have these accounts besides those of the agent."""
    who: dict[str, tuple[str, ...]] = {
        "pyvrrp@localhost": AGENT_GRANTS,
        "pyvrrp@192.168.1.201": PEER_GRANTS,
        "pyvrrp@192.168.1.202": PEER_GRANTS,
    }
    mine, other = (
        replicating(replace(each, accounts=(*who, *more), granted=who), Master_User=f"repl_{each.server_id}")
        for each, more in zip(pair(), (here, there), strict=True)
    )
    other = replicating(other, Slave_IO_Running="Connecting", Last_IO_Errno="1045")
    return planned(replicating(mine, Slave_IO_Running="No", Slave_SQL_Running="No"), other, known=True)


def test_a_replication_account_that_is_gone_is_made_again() -> None:
    both = ("repl_1@192.168.1.%", "repl_2@192.168.1.0/255.255.255.0")
    assert told(here=both, there=both).steps == ()

    forth = told(here=both[:1], there=both[:1])
    assert statements(forth, "this") == [
        "CREATE USER 'repl_2'@'192.168.1.202' IDENTIFIED BY PASSWORD :repl_2_hash:",
        "GRANT REPLICATION SLAVE ON *.* TO 'repl_2'@'192.168.1.202'",
    ]
    assert statements(forth, "other")[2] == "CHANGE MASTER TO MASTER_USER = 'repl_2', MASTER_PASSWORD = :repl_2:"
    assert [step.catch_up for step in forth.steps] == [False, False, True]

    back = told(here=both[1:], there=both[1:])
    assert statements(back)[0].startswith("CREATE USER 'repl_1'@'192.168.1.201' IDENTIFIED BY PASSWORD")
    assert statements(back)[-1] == "CHANGE MASTER TO MASTER_USER = 'repl_1', MASTER_PASSWORD = :repl_1:"
    assert not [each for each in statements(back) if "START" in each], "the active server does not replicate"


def test_a_replication_account_that_one_of_the_two_alone_has_stops_nothing() -> None:
    both = ("repl_1@192.168.1.201", "repl_2@192.168.1.202")
    quietly = told(here=both, there=both[1:])
    assert statements(quietly, "other") == [
        "SET SESSION sql_log_bin = 0",
        "CREATE USER 'repl_1'@'192.168.1.201' IDENTIFIED BY PASSWORD :repl_1_hash:",
        "SET SESSION sql_log_bin = 1",
    ]
    assert statements(quietly, "this")[0] == "SET PASSWORD FOR 'repl_1'@'192.168.1.201' = :repl_1_hash:"
    for gone in both:
        rest = tuple(each for each in both if each != gone)
        said = statements(told(here=rest, there=both))
        at = said.index(f"DROP USER '{gone.replace('@', chr(39) + '@' + chr(39))}'")
        assert [each for each in said[at:] if each.startswith("CREATE USER")], "what would collide goes, and comes anew"


def test_a_source_that_is_the_moving_address_is_not_touched() -> None:
    here, there = pair()
    (refusal,) = planned(here, replicating(there, Master_Host="192.168.1.200")).refusals
    assert "replicates from 192.168.1.200 and not from 192.168.1.201" in refusal


def test_numbers_are_left_when_they_are_right_and_set_when_not() -> None:
    crossed = (
        fresh(1, "this server", auto_increment_offset="2"),
        fresh(2, "the other server", auto_increment_offset="1"),
    )
    assert not [each for each in statements(planned(*crossed)) if "auto_increment" in each]
    plain = [
        fresh(n, s, auto_increment_increment="1", auto_increment_offset="1") for n, s in ((7, "this"), (3, "other"))
    ]
    said = planned(*plain)
    assert "SET GLOBAL auto_increment_offset = 2" in statements(said, "this")
    assert "SET GLOBAL auto_increment_increment = 2" in statements(said, "other")


def test_who_takes_writes_is_the_active_one() -> None:
    here, there = pair()
    assert active_first(*ends(here, there))[0].facts is here
    closed, opened = spoilt(here, read_only="ON"), spoilt(there, read_only="OFF")
    assert active_first(*ends(closed, opened))[0].facts is opened
    empty, full = fresh(1, "this server"), replace(fresh(2, "the other server"), tables=("shop.orders",))
    assert active_first(*ends(empty, full))[0].facts is full


def old(**variables: str) -> tuple[Facts, Facts]:
    """Two MySQL 5.6 that know nothing of each other."""
    here, there = (
        mysql(fresh(n, name), "5.6.24", **variables) for n, name in ((1, "this server"), (2, "the other server"))
    )
    at = {"file": "mysql-bin.000001", "position": "151"}
    return replace(here, replication=(), coordinates=at), replace(there, replication=(), coordinates=at)


def test_mysql_5_6_with_gtids() -> None:
    said = statements(planned(*old()), "other")
    assert "MASTER_AUTO_POSITION = 1" in said[0]
    assert said[-1] == "SET GLOBAL read_only = ON"
    granted = [each for each in statements(planned(*old())) if "SUPER" in each]
    assert granted == ["GRANT REPLICATION CLIENT, PROCESS, SUPER ON *.* TO 'pyvrrp'@'localhost'"]


def test_mysql_without_gtids_only_when_it_is_said() -> None:
    here, there = old(gtid_mode="OFF")
    assert "--without-gtid" in planned(here, there).refusals[0]
    proposed = planned(here, there, without_gtid=True)
    assert "MASTER_LOG_FILE = 'mysql-bin.000001', MASTER_LOG_POS = 151" in statements(proposed, "other")[0]
    granted = [each for each in statements(proposed) if "SUPER" in each]
    assert granted == ["GRANT REPLICATION CLIENT, PROCESS, SUPER, REPLICATION SLAVE ON *.* TO 'pyvrrp'@'localhost'"]
    back = proposed.steps[-1]
    assert (back.coordinates, "MASTER_LOG_FILE = :file:" in back.statements[-1]) == ("the other server", True)


def test_mysql_8_says_source_and_opens_for_the_administrator() -> None:
    here, there = (mysql(fresh(n, s), "8.0.36") for n, s in ((1, "this server"), (2, "the other server")))
    here, there = (
        spoilt(replace(each, replication=()), read_only="ON", super_read_only="ON") for each in (here, there)
    )
    proposed = planned(here, there)
    said = statements(proposed)
    assert (said[0], said[-1]) == ("SET GLOBAL super_read_only = OFF", "SET GLOBAL super_read_only = ON")
    (change,) = [each for each in statements(proposed, "other") if each.startswith("CHANGE")]
    assert change.startswith("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '192.168.1.201'")
    assert "GET_SOURCE_PUBLIC_KEY = 1" in change
    assert "SOURCE_AUTO_POSITION = 1" in change


def test_plugins_are_installed_only_when_asked_for_and_nothing_depends_on_them() -> None:
    here, there = old()
    bare = [
        replace(each, variables={k: v for k, v in each.variables.items() if "semi" not in k}) for each in (here, there)
    ]
    assert not [step for step in planned(*bare).steps if step.optional]
    steps = [step for step in planned(*bare, semi_sync=True).steps if step.optional]
    assert [step.on for step in steps] == ["this server", "the other server"]
