"""What a pair is told: nothing when it is right, and each mistake by itself, with what mends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.mysql.dialect import modern
from pyvrrp.mysql.facts import Facts, Login
from pyvrrp.mysql.finding import Finding, Severity
from pyvrrp.mysql.lint import findings
from tests.mysql.stated import AGENT_GRANTS, PEER_GRANTS, WANTED, mysql, pair, replicating, row, spoilt

PROBLEM, ADVICE, NOTE = Severity.PROBLEM, Severity.ADVICE, Severity.NOTE


def judged(here: Facts | None = None, there: Facts | None = None) -> tuple[Finding, ...]:
    right_here, right_there = pair()
    return findings(here or right_here, there or right_there, WANTED)


def one(here: Facts | None = None, there: Facts | None = None) -> Finding:
    """The only finding."""
    (found,) = judged(here, there)
    return found


def test_a_pair_that_is_right_is_told_nothing() -> None:
    assert judged() == ()


def test_a_pair_of_mysql_8_is_told_nothing_either() -> None:
    here, there = (mysql(each, "8.0.36") for each in pair())
    assert judged(here, there) == ()


@pytest.mark.parametrize("word", ["ON", "NO_LOCK", "NO_LOCK_NO_ADMIN"])
def test_nor_is_one_of_mariadb_12_however_its_standby_is_closed(word: str) -> None:
    here, there = (replace(each, version="12.0.2-MariaDB") for each in pair())
    closed = replace(spoilt(there, read_only=word), booted={**there.booted, "read_only": word})
    assert judged(here, closed) == ()
    broken = replicating(closed, Slave_SQL_Running="No")
    assert "is the standby and does not replicate" in " ".join(each.text for each in judged(here, broken))


@pytest.mark.parametrize(
    ("variable", "value", "severity", "said", "mend"),
    [
        ("server_id", "0", PROBLEM, "server_id is 0", "server_id = 1"),
        ("log_bin", "OFF", PROBLEM, "log_bin is off", "log_bin = mysql-bin"),
        ("log_slave_updates", "OFF", PROBLEM, "cannot get from it what it missed", "log_slave_updates = ON"),
        ("binlog_format", "STATEMENT", PROBLEM, "something else on the standby", "SET GLOBAL binlog_format = ROW;"),
        ("binlog_format", "MIXED", ADVICE, "MIXED", "SET GLOBAL binlog_format = ROW;"),
        ("gtid_strict_mode", "OFF", PROBLEM, "without an error", "SET GLOBAL gtid_strict_mode = ON;"),
        ("sync_binlog", "0", ADVICE, "loses power", "SET GLOBAL sync_binlog = 1;"),
        ("innodb_flush_log_at_trx_commit", "2", ADVICE, "acknowledged", "innodb_flush_log_at_trx_commit = 1"),
        ("slave_net_timeout", "60", ADVICE, "for so long", "SET GLOBAL slave_net_timeout = 4;"),
        ("bind_address", "127.0.0.1", PROBLEM, "clients of 192.168.1.200 are refused", "bind_address = 0.0.0.0"),
        ("skip_networking", "ON", PROBLEM, "no client reaches it", "# remove skip_networking"),
        ("skip_name_resolve", "OFF", ADVICE, "name service", "skip_name_resolve = ON"),
        ("event_scheduler", "ON", ADVICE, "disabled on the standby", None),
        ("rpl_semi_sync_master_wait_point", "AFTER_COMMIT", ADVICE, "gone again", "= AFTER_SYNC"),
        ("rpl_semi_sync_master_timeout", "300", ADVICE, "gives up after 300 ms", "timeout = 10000"),
        ("gtid_domain_id", "7", ADVICE, "domain of its own", "gtid_domain_id = 0"),
        ("time_zone", "+01:00", ADVICE, "'+01:00' here and 'SYSTEM' there", None),
        ("auto_increment_offset", "3", PROBLEM, "is ignored", "SET GLOBAL auto_increment_increment = 2;"),
    ],
)
def test_a_variable_that_is_wrong_is_named_with_its_reason(
    variable: str, value: str, severity: Severity, said: str, mend: str | None
) -> None:
    found = one(spoilt(pair()[0], **{variable: value}))
    assert found.severity is severity
    assert said in found.text
    assert mend is None or any(mend in each for each in found.mend)


def test_both_with_one_server_id_take_nothing_from_each_other() -> None:
    found = one(spoilt(pair()[0], server_id="2", auto_increment_offset="1"))
    assert found.severity is PROBLEM
    assert "both have server_id 2" in found.text
    assert found.mend == ("server_id = 3  # on the other server, which is read only",)
    here, there = pair()
    both = spoilt(here, server_id="2", auto_increment_offset="1"), spoilt(there, read_only="OFF")
    assert "server_id = 3  # on one of the two alone" in [each for found in judged(*both) for each in found.mend]
    waits = replace(both[0], booted={**here.booted, "server_id": "1"})
    assert one(waits).mend == ("# restart this server: its option file has server_id = 1",)


def test_one_with_gtids_and_one_without_says_which() -> None:
    here, there = (mysql(each, "8.0.36") for each in pair())
    mends = [each for found in judged(here, spoilt(there, gtid_mode="OFF")) for each in found.mend]
    assert "gtid_mode = ON  # on the other server" in mends


def test_numbers_that_collide() -> None:
    here, there = pair()
    assert "both have auto_increment_offset 2" in one(spoilt(here, auto_increment_offset="2")).text
    unequal = one(here, spoilt(there, auto_increment_increment="4"))
    assert "2 here and 4 there" in unequal.text


def test_what_is_true_of_both_is_said_once() -> None:
    here, there = pair()
    found = one(spoilt(here, sync_binlog="0"), spoilt(there, sync_binlog="0"))
    assert found.server == "both servers"


def test_a_standby_that_replicates_from_the_moving_address_replicates_from_itself_one_day() -> None:
    found = one(there=replicating(pair()[1], Master_Host="192.168.1.200"))
    assert (found.severity, "from itself" in found.text) == (PROBLEM, True)


def test_a_source_that_is_not_the_other_node() -> None:
    assert "not from the other server (192.168.1.202)" in one(replicating(pair()[0], Master_Host="192.168.1.9")).text


def test_filters_and_delays_make_no_standby() -> None:
    there = pair()[1]
    assert "not a copy" in one(there=replicating(there, Replicate_Do_DB="shop")).text
    delayed = one(there=replicating(there, SQL_Delay="3600"))
    assert "3600 s late" in delayed.text
    assert delayed.mend == ("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 0; START SLAVE;",)
    assert "what its log leaves out" in one(replace(pair()[0], coordinates={"binlog_do_db": "shop"})).text


def test_positions_where_there_are_gtids() -> None:
    here, there = pair()
    assert one(there=replicating(there, Using_Gtid="No")).severity is PROBLEM
    old = [mysql(each, "8.0.36") for each in (here, there)]
    found = one(old[0], replicating(old[1], Auto_Position="0"))
    assert "CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1;" in found.mend[0]


def test_a_standby_that_has_stopped_is_told_why() -> None:
    texts = [
        each.text
        for each in judged(
            there=replicating(pair()[1], Slave_SQL_Running="No", Last_SQL_Errno="1062", Last_SQL_Error="dup")
        )
    ]
    assert texts == [
        "replication has stopped, error 1062: dup",
        "is the standby and does not replicate (IO Yes, SQL No): it cannot take over",
    ]


def test_the_active_server_does_not_replicate_and_that_is_right() -> None:
    assert judged(replicating(pair()[0], Slave_IO_Running="No", Slave_SQL_Running="No", Last_IO_Errno="2003")) == ()


def test_no_replica_at_all_and_one_of_several_sources() -> None:
    here = pair()[0]
    assert "no replica" in one(replace(here, replication=())).text
    several = replace(here, replication=(row(Master_Host="192.168.1.202"), row(Master_Host="192.168.1.202")))
    assert "2 sources" in one(several).text


def test_both_taking_writes_is_a_problem_and_both_closed_is_none() -> None:
    here, there = pair()
    assert "take writes" in one(here, spoilt(there, read_only="OFF")).text
    assert judged(spoilt(here, read_only="ON"), replicating(there, Slave_SQL_Running="No")) == ()


def test_an_option_file_without_read_only() -> None:
    here, there = pair()
    found = one(replace(here, booted={**here.booted, "read_only": "OFF"}))
    assert (found.severity, found.mend) == (PROBLEM, ("read_only = ON",))
    unseen = one(there=replace(there, booted={"read_only": "ON"}))
    assert (unseen.severity, "skip_slave_start cannot be seen" in unseen.text) == (NOTE, True)
    waiting = one(replace(here, booted={**here.booted, "rpl_semi_sync_source_enabled": "ON"}))
    assert "wait for acknowledgements" in waiting.text


def test_what_was_only_set_at_run_time_does_not_outlive_a_restart() -> None:
    here, there = pair()
    names = ("gtid_strict_mode", "binlog_format", "auto_increment_increment", "auto_increment_offset")
    lasting = {modern(name): here.value(name) or "" for name in (*names, "slave_net_timeout")}
    read = replace(here, booted={**here.booted, **lasting, "binlog_format": "row"}, files_read=True)
    assert judged(read, there) == ()
    forgotten = one(replace(read, booted={k: v for k, v in read.booted.items() if k != "gtid_strict_mode"}), there)
    assert (forgotten.severity, forgotten.mend) == (PROBLEM, ("gtid_strict_mode = ON",))
    assert "gtid_strict_mode is ON and is not in its option file" in forgotten.text
    other = one(replace(read, booted={**read.booted, "auto_increment_offset": "2"}), there)
    assert "auto_increment_offset is 1 and is 2 in its option file" in other.text
    slow = one(replace(read, booted={**read.booted, "replica_net_timeout": "60", "slave_net_timeout": "60"}), there)
    assert (slow.severity, slow.mend) == (Severity.ADVICE, ("slave_net_timeout = 4",))
    bare = replace(read, booted={k: v for k, v in read.booted.items() if k != "gtid_strict_mode"})
    assert one(spoilt(bare, gtid_strict_mode="OFF"), there).mend[-1] == "gtid_strict_mode = ON"
    old = replace(mysql(read, "5.6.24", gtid_executed="1"), booted=read.booted)
    assert not any("outlive" in each.text for each in judged(replace(old, booted=here.booted), there))


def test_what_an_option_file_has_right_already_is_no_line_for_it() -> None:
    here, there = pair()
    lines = {"server_id": "1", "gtid_strict_mode": "ON", "auto_increment_increment": "2", "auto_increment_offset": "2"}
    lines |= {
        "binlog_format": "ROW",
        "slave_net_timeout": "3",
        "log_slave_updates": "",
        "log_bin": "/var/log/mysql/bin",
    }
    lines |= {"bind_address": "*", "sync_binlog": "1"}
    read = replace(here, booted={**here.booted, **{modern(k): v for k, v in lines.items()}}, files_read=True)
    before = spoilt(read, auto_increment_increment="1", gtid_strict_mode="OFF", slave_net_timeout="60")
    before = spoilt(before, log_slave_updates="OFF", bind_address="127.0.0.1", sync_binlog="0")
    found = judged(before, spoilt(there, auto_increment_offset="1"))
    mends = [each for finding in found for each in finding.mend]
    assert not [each for each in mends if " = " in each and ";" not in each and not each.startswith("#")], mends
    assert not [each.text for each in found if "outlive" in each.text]
    assert "SET GLOBAL auto_increment_increment = 2;" in mends
    assert "# or restart it: its option file has auto_increment_increment = 2" in mends
    assert "# restart it: its option file has log_slave_updates = ON" in mends
    assert "# or restart this server: its option file has auto_increment_increment = 2" in mends
    assert one(spoilt(read, auto_increment_offset="2"), there).mend == (
        "SET GLOBAL auto_increment_offset = 1;  -- on the other server",
        "auto_increment_offset = 1  # on the other server",
    )
    waits = spoilt(read, auto_increment_offset="1"), spoilt(there, auto_increment_offset="1")
    assert one(*waits).mend[1:] == ("# or restart this server: its option file has auto_increment_offset = 2",)


def test_mysql_boots_with_super_read_only_too_and_has_the_new_names() -> None:
    here, there = (mysql(each, "8.0.36") for each in pair())
    found = one(replace(here, booted={"read_only": "ON", "skip_replica_start": "OFF", "super_read_only": "ON"}), there)
    assert found.mend == ("skip_replica_start = ON",)


def test_accounts_that_pass_read_only() -> None:
    here = replace(pair()[0], writers=("app@%", "cron@localhost", "pyvrrp@localhost", "root@localhost"))
    afar, near = judged(here, replace(pair()[1], accounts=here.writers))
    assert (afar.severity, "app@%" in afar.text) == (PROBLEM, True)
    assert afar.mend[0].startswith("REVOKE READ_ONLY ADMIN ON *.* FROM 'app'@'%';")
    alone = judged(here, replace(pair()[1], accounts=("root@localhost",)))[0]
    assert alone.mend[0].startswith("SET sql_log_bin = 0; REVOKE READ_ONLY ADMIN ON *.* FROM 'app'@'%';")
    assert (near.severity, "cron@localhost" in near.text) == (ADVICE, True)
    kept = findings(here, pair()[1], replace(WANTED, keep_users=("app", "cron")))
    assert kept == ()


def test_an_agent_that_lacks_a_privilege_is_told_what_it_cannot_do() -> None:
    here = pair()[0]
    fewer = (AGENT_GRANTS[0].replace("PROCESS, ", ""), AGENT_GRANTS[1])
    found = one(replace(here, login=Login("pyvrrp", "pyvrrp@localhost", fewer)))
    assert "cannot see the sessions of others: it has not got PROCESS" in found.text
    assert found.mend[0].startswith("GRANT PROCESS ON *.* TO 'pyvrrp'@'localhost';")
    silent = one(replace(here, login=Login("pyvrrp", "pyvrrp@localhost", AGENT_GRANTS[:1])))
    assert "may not use its heartbeat" in silent.text


def test_an_agent_of_the_other_node_that_may_not_look_is_told_what_its_version_wants() -> None:
    here, there = pair()
    looks = Login("pyvrrp", "pyvrrp@192.168.1.201", PEER_GRANTS)
    here, there = (replace(each, version="10.5.8-MariaDB") for each in (here, there))
    found = one(here, replace(there, login=looks))
    assert found.text.endswith(
        "see the state of replication, start and stop replication: it has not got REPLICATION SLAVE ADMIN"
    )
    assert found.mend[0].startswith("GRANT REPLICATION SLAVE ADMIN ON *.* TO 'pyvrrp'@'192.168.1.201';")
    here, there = (replace(each, version="10.5.20-MariaDB") for each in (here, there))
    assert judged(here, replace(there, login=looks)) == ()


def test_an_agent_that_is_taken_for_somebody_else() -> None:
    found = judged(replace(pair()[0], login=Login("pyvrrp", "@localhost", AGENT_GRANTS)))[0]
    assert "logs in as pyvrrp and is taken for @localhost" in found.text


def test_an_agent_that_does_not_get_in_and_a_heartbeat_that_is_not_there() -> None:
    here = pair()[0]
    assert "error 1045" in one(replace(here, refused="error 1045: Access denied", login=None)).text
    assert "CREATE TABLE" in one(replace(here, heartbeat=False)).mend[1]


def test_a_standby_that_has_lost_what_was_written_on_it() -> None:
    here, there = pair()
    active = spoilt(here, gtid_binlog_state="0-2-198,0-1-313")
    found = one(active, spoilt(there, gtid_binlog_state="0-2-63,0-1-313"))
    assert (found.severity, found.server) == (PROBLEM, there.name)
    assert "has lost what was written on it, and the other one has: 0-2-64..198" in found.text
    assert judged(active, spoilt(there, gtid_binlog_state="", gtid_slave_pos="0-1-313")) == (), "it is a copy"
    newer = spoilt(there, gtid_binlog_state="0-2-198,0-1-320")
    assert judged(active, newer) == (), "the active one was looked at before"


def test_an_account_that_the_other_one_replicates_with_and_that_is_gone() -> None:
    here, there = (replicating(each, Master_User=f"repl_{each.server_id}") for each in pair())
    accounts = ("root@localhost", "repl_1@%", "repl_2@192.168.1.202")
    here, there = replace(here, accounts=accounts), replace(there, accounts=accounts)
    assert judged(here, there) == ()
    found = one(replace(here, accounts=accounts[:2]), there)
    assert (found.severity, found.server) == (PROBLEM, "this server")
    assert "has no account repl_2@192.168.1.202, which the other server replicates with" in found.text
    elsewhere = one(replace(here, accounts=(*accounts[:2], "repl_2@10.0.0.2", "repl_2@10.%")), there)
    assert elsewhere.text == found.text, "it is not for who comes from there"
    assert one(here, replace(there, accounts=accounts[::2])).server == "the other server"
    assert judged(replace(here, accounts=(*accounts[:2], "repl_2@b.example")), there) == (), "who knows who that is"
    assert judged(replace(here, accounts=None), replace(there, accounts=None)) == ()


def test_tables_that_a_standby_is_slow_or_unsafe_with() -> None:
    here = pair()[0]
    keyless = one(replace(here, keyless=tuple(f"shop.t{number}" for number in range(7))))
    assert "shop.t4 and 2 more" in keyless.text
    assert one(replace(here, not_innodb=("shop.m",))).mend[0].startswith("ALTER TABLE shop.m ENGINE = InnoDB;")


def test_what_was_not_looked_at_is_said() -> None:
    found = one(replace(pair()[0], writers=None, tables=None))
    assert (found.severity, found.text[-6:]) == (NOTE, "tables")


def test_semi_synchronous_replication_that_is_not_there_is_missed_only_where_it_is_wished() -> None:
    here, there = pair()
    bare = _without_semi_sync(mysql(here, "5.7.44")), _without_semi_sync(mysql(there, "5.7.44"))
    (found,) = findings(*bare, WANTED)
    assert found.mend[0] == "INSTALL PLUGIN rpl_semi_sync_master SONAME 'semisync_master.so';"
    assert findings(*bare, replace(WANTED, semi_sync=False)) == ()


def _without_semi_sync(facts: Facts) -> Facts:
    return replace(facts, variables={name: v for name, v in facts.variables.items() if "semi" not in name})


def test_mysql_5_6_without_gtids_keeps_its_place_in_tables() -> None:
    here, there = (mysql(each, "5.6.24", gtid_mode="OFF", relay_log_info_repository="FILE") for each in pair())
    texts = [each.text for each in judged(here, there)]
    assert len(texts) == 2
    assert "only told by a place in its binary log" in texts[0]
    assert "relay_log_info_repository is FILE" in texts[1]


def test_two_kinds_of_servers() -> None:
    here, there = pair()
    assert "do not replicate" in judged(here, mysql(there, "8.0.36"))[0].text
    assert "10.11 here and MariaDB 11.4 there" in one(here, replace(there, version="11.4.2-MariaDB")).text


def test_without_a_peer_one_server_is_judged() -> None:
    assert findings(spoilt(pair()[0], log_bin="OFF"), None, WANTED)[0].server == "this server"
