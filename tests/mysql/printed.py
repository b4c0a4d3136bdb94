"""What servers print that do not run in these tests, of a replica: the second server of a pair.

MariaDB 10.5 and MySQL 9 as their manuals have it, with what lies in between; 11.8 as a real one answered (11.8.9).
"""

from __future__ import annotations

import datetime
from typing import Final

from pyvrrp.mysql.status import Row


def _value(text: str) -> object:
    if text == "NULL":
        return None
    return int(text) if text.isdecimal() else text


def _row(printed: str) -> Row:
    r"""What the client prints with \G, as a cursor gives it."""
    pairs = (line.partition(":") for line in printed.strip().splitlines())
    return {name.strip(): _value(value.strip()) for name, _, value in pairs}


def _rows(printed: str) -> list[Row]:
    """What SHOW VARIABLES and SHOW STATUS answer."""
    pairs = (line.split() for line in printed.strip().splitlines())
    return [{"Variable_name": name, "Value": value} for name, value in pairs]


# --- MariaDB 10.5 -----------------------------------------------------------------------------------------------------

MARIA_10_5_FACTS: Final = _row(
    """
                 version: 10.5.29-MariaDB-log
         version_comment: MariaDB Server
                hostname: db2
               server_id: 2
               read_only: 1
                 log_bin: 1
       log_slave_updates: 1
          gtid_domain_id: 0
        gtid_strict_mode: 1
           gtid_slave_pos: 0-1-20
         gtid_binlog_pos: 0-1-20
        gtid_current_pos: 0-1-20
       gtid_binlog_state: 0-2-7,0-1-20
    """
)
MARIA_10_5_REPLICA: Final = _row(  # SHOW ALL SLAVES STATUS
    """
               Connection_name:
               Slave_SQL_State: Slave has read all relay log; waiting for more updates
                Slave_IO_State: Waiting for master to send event
                   Master_Host: db01.example.com
                   Master_User: replicant
                   Master_Port: 3306
                 Connect_Retry: 60
               Master_Log_File: mariadb-bin.000010
           Read_Master_Log_Pos: 548
                Relay_Log_File: relay-bin.000004
                 Relay_Log_Pos: 837
         Relay_Master_Log_File: mariadb-bin.000010
              Slave_IO_Running: Yes
             Slave_SQL_Running: Yes
               Replicate_Do_DB:
           Replicate_Ignore_DB:
            Replicate_Do_Table:
        Replicate_Ignore_Table:
       Replicate_Wild_Do_Table:
   Replicate_Wild_Ignore_Table:
                    Last_Errno: 0
                    Last_Error:
                  Skip_Counter: 0
           Exec_Master_Log_Pos: 548
               Relay_Log_Space: 1497
               Until_Condition: None
                Until_Log_File:
                 Until_Log_Pos: 0
            Master_SSL_Allowed: No
            Master_SSL_CA_File:
            Master_SSL_CA_Path:
               Master_SSL_Cert:
             Master_SSL_Cipher:
                Master_SSL_Key:
         Seconds_Behind_Master: 0
 Master_SSL_Verify_Server_Cert: No
                 Last_IO_Errno: 0
                 Last_IO_Error:
                Last_SQL_Errno: 0
                Last_SQL_Error:
   Replicate_Ignore_Server_Ids:
              Master_Server_Id: 1
                Master_SSL_Crl:
            Master_SSL_Crlpath:
                    Using_Gtid: Slave_Pos
                   Gtid_IO_Pos: 0-1-20
       Replicate_Do_Domain_Ids:
   Replicate_Ignore_Domain_Ids:
                 Parallel_Mode: optimistic
                     SQL_Delay: 0
           SQL_Remaining_Delay: NULL
       Slave_SQL_Running_State: Slave has read all relay log; waiting for more updates
              Slave_DDL_Groups: 0
Slave_Non_Transactional_Groups: 0
    Slave_Transactional_Groups: 20
          Retried_transactions: 0
            Max_relay_log_size: 1073741824
          Executed_log_entries: 44
     Slave_received_heartbeats: 11
        Slave_heartbeat_period: 30.000
                Gtid_Slave_Pos: 0-1-20
    """
)
MARIA_10_5_BINLOG: Final = _row(  # SHOW MASTER STATUS
    """
            File: mariadb-bin.000016
        Position: 475
    Binlog_Do_DB:
Binlog_Ignore_DB:
    """
)

# --- MariaDB 11.8 -----------------------------------------------------------------------------------------------------

MARIA_11_8_FACTS: Final[Row] = {
    "version": "11.8.9-MariaDB-0+deb13u1 from Debian-log",
    "version_comment": "-- Please help get to 10k stars at https://github.com/MariaDB/Server",
    "hostname": "db2",
    "server_id": 2,
    "read_only": 1,
    "log_bin": 1,
    "log_slave_updates": 1,
    "gtid_domain_id": 0,
    "gtid_strict_mode": 1,
    "gtid_slave_pos": "0-1-2",
    "gtid_binlog_pos": "0-1-2",
    "gtid_current_pos": "0-1-2",
    "gtid_binlog_state": "0-1-2",
}
MARIA_11_8_REPLICA: Final[Row] = {  # SHOW ALL SLAVES STATUS
    "Connection_name": "",
    "Slave_SQL_State": "Slave has read all relay log; waiting for more updates",
    "Slave_IO_State": "Waiting for master to send event",
    "Master_Host": "127.0.0.1",
    "Master_User": "repl",
    "Master_Port": 3306,
    "Connect_Retry": 1,
    "Master_Log_File": "mysql-bin.000001",
    "Read_Master_Log_Pos": 752,
    "Relay_Log_File": "relay-bin.000002",
    "Relay_Log_Pos": 1051,
    "Relay_Master_Log_File": "mysql-bin.000001",
    "Slave_IO_Running": "Yes",
    "Slave_SQL_Running": "Yes",
    "Replicate_Do_DB": "",
    "Replicate_Ignore_DB": "",
    "Replicate_Do_Table": "",
    "Replicate_Ignore_Table": "",
    "Replicate_Wild_Do_Table": "",
    "Replicate_Wild_Ignore_Table": "",
    "Last_Errno": 0,
    "Last_Error": "",
    "Skip_Counter": 0,
    "Exec_Master_Log_Pos": 752,
    "Relay_Log_Space": 1354,
    "Until_Condition": "None",
    "Until_Log_File": "",
    "Until_Log_Pos": 0,
    "Master_SSL_Allowed": "Yes",
    "Master_SSL_CA_File": "",
    "Master_SSL_CA_Path": "",
    "Master_SSL_Cert": "",
    "Master_SSL_Cipher": "",
    "Master_SSL_Key": "",
    "Seconds_Behind_Master": 0,
    "Master_SSL_Verify_Server_Cert": "Yes",
    "Last_IO_Errno": 0,
    "Last_IO_Error": "",
    "Last_SQL_Errno": 0,
    "Last_SQL_Error": "",
    "Replicate_Ignore_Server_Ids": "",
    "Master_Server_Id": 1,
    "Master_SSL_Crl": "",
    "Master_SSL_Crlpath": "",
    "Using_Gtid": "Slave_Pos",
    "Gtid_IO_Pos": "0-1-2",
    "Replicate_Do_Domain_Ids": "",
    "Replicate_Ignore_Domain_Ids": "",
    "Parallel_Mode": "optimistic",
    "SQL_Delay": 0,
    "SQL_Remaining_Delay": None,
    "Slave_SQL_Running_State": "Slave has read all relay log; waiting for more updates",
    "Slave_DDL_Groups": 0,
    "Slave_Non_Transactional_Groups": 0,
    "Slave_Transactional_Groups": 2,
    "Replicate_Rewrite_DB": "",
    "Retried_transactions": 0,
    "Max_relay_log_size": 1073741824,
    "Executed_log_entries": 17,
    "Slave_received_heartbeats": 0,
    "Slave_heartbeat_period": 0.5,
    "Gtid_Slave_Pos": "0-1-2",
    "Master_last_event_time": datetime.datetime(2026, 11, 27, 12, 18, 38),  # noqa: DTZ001
    "Slave_last_event_time": datetime.datetime(2026, 11, 27, 12, 18, 38),  # noqa: DTZ001
    "Master_Slave_time_diff": 0,
}
MARIA_11_8_BINLOG: Final[Row] = {  # SHOW MASTER STATUS
    "File": "mysql-bin.000001",
    "Position": 752,
    "Binlog_Do_DB": "",
    "Binlog_Ignore_DB": "",
}
MARIA_11_8_SEMI_SYNC: Final = _rows(
    """
    rpl_semi_sync_master_enabled OFF
    rpl_semi_sync_master_timeout 10000
    rpl_semi_sync_master_trace_level 32
    rpl_semi_sync_master_wait_no_slave ON
    rpl_semi_sync_master_wait_point AFTER_COMMIT
    rpl_semi_sync_slave_delay_master OFF
    rpl_semi_sync_slave_enabled OFF
    rpl_semi_sync_slave_kill_conn_timeout 5
    rpl_semi_sync_slave_trace_level 32
    """
)
MARIA_11_8_STATUS: Final = _rows(
    """
    Rpl_semi_sync_master_clients 0
    Rpl_semi_sync_master_get_ack 0
    Rpl_semi_sync_master_net_avg_wait_time 0
    Rpl_semi_sync_master_net_wait_time 0
    Rpl_semi_sync_master_net_waits 0
    Rpl_semi_sync_master_no_times 0
    Rpl_semi_sync_master_no_tx 0
    Rpl_semi_sync_master_request_ack 0
    Rpl_semi_sync_master_status OFF
    Rpl_semi_sync_master_timefunc_failures 0
    Rpl_semi_sync_master_tx_avg_wait_time 0
    Rpl_semi_sync_master_tx_wait_time 0
    Rpl_semi_sync_master_tx_waits 0
    Rpl_semi_sync_master_wait_pos_backtraverse 0
    Rpl_semi_sync_master_wait_sessions 0
    Rpl_semi_sync_master_yes_tx 0
    Rpl_semi_sync_slave_send_ack 0
    Rpl_semi_sync_slave_status OFF
    Uptime 1
    """
)

# --- MySQL 9 ----------------------------------------------------------------------------------------------------------

MYSQL_9_FACTS: Final = _row(
    """
                version: 9.4.0
        version_comment: MySQL Community Server - GPL
               hostname: db2
              server_id: 2
            server_uuid: 3E11FA47-71CA-11E1-9E33-C80AA9429562
              read_only: 1
        super_read_only: 1
                log_bin: 1
    log_replica_updates: 1
              gtid_mode: ON
          gtid_executed: 73f86016-978b-11ee-ade5-8d2a2a562feb:1-3:billing:1-2
            gtid_purged:
    """
)
MYSQL_9_REPLICA: Final = _row(  # SHOW REPLICA STATUS
    """
             Replica_IO_State: Waiting for source to send event
                  Source_Host: 127.0.0.1
                  Source_User: root
                  Source_Port: 13000
                Connect_Retry: 1
              Source_Log_File: master-bin.000001
          Read_Source_Log_Pos: 927
               Relay_Log_File: slave-relay-bin.000002
                Relay_Log_Pos: 1145
        Relay_Source_Log_File: master-bin.000001
           Replica_IO_Running: Yes
          Replica_SQL_Running: Yes
              Replicate_Do_DB:
          Replicate_Ignore_DB:
           Replicate_Do_Table:
       Replicate_Ignore_Table:
      Replicate_Wild_Do_Table:
  Replicate_Wild_Ignore_Table:
                   Last_Errno: 0
                   Last_Error:
                 Skip_Counter: 0
          Exec_Source_Log_Pos: 927
              Relay_Log_Space: 1355
              Until_Condition: None
               Until_Log_File:
                Until_Log_Pos: 0
           Source_SSL_Allowed: No
           Source_SSL_CA_File:
           Source_SSL_CA_Path:
              Source_SSL_Cert:
            Source_SSL_Cipher:
               Source_SSL_Key:
        Seconds_Behind_Source: 0
Source_SSL_Verify_Server_Cert: No
                Last_IO_Errno: 0
                Last_IO_Error:
               Last_SQL_Errno: 0
               Last_SQL_Error:
  Replicate_Ignore_Server_Ids:
             Source_Server_Id: 1
                  Source_UUID: 73f86016-978b-11ee-ade5-8d2a2a562feb
             Source_Info_File: mysql.slave_master_info
                    SQL_Delay: 0
          SQL_Remaining_Delay: NULL
    Replica_SQL_Running_State: Replica has read all relay log; waiting for more updates
           Source_Retry_Count: 10
                  Source_Bind:
      Last_IO_Error_Timestamp:
     Last_SQL_Error_Timestamp:
               Source_SSL_Crl:
           Source_SSL_Crlpath:
           Retrieved_Gtid_Set: 73f86016-978b-11ee-ade5-8d2a2a562feb:1-3:billing:1-2
            Executed_Gtid_Set: 73f86016-978b-11ee-ade5-8d2a2a562feb:1-3:billing:1-2
                Auto_Position: 1
         Replicate_Rewrite_DB:
                 Channel_Name:
           Source_TLS_Version:
       Source_public_key_path:
        Get_Source_public_key: 0
            Network_Namespace:
    """
)
MYSQL_9_BINLOG: Final = _row(  # SHOW BINARY LOG STATUS
    """
             File: source-bin.000002
         Position: 1307
     Binlog_Do_DB: test
 Binlog_Ignore_DB: manual, mysql
Executed_Gtid_Set: 3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5
    """
)
MYSQL_9_SEMI_SYNC: Final = _rows(  # both plugins are installed
    """
    rpl_semi_sync_replica_enabled ON
    rpl_semi_sync_replica_trace_level 32
    rpl_semi_sync_source_enabled OFF
    rpl_semi_sync_source_timeout 10000
    rpl_semi_sync_source_trace_level 32
    rpl_semi_sync_source_wait_for_replica_count 1
    rpl_semi_sync_source_wait_no_replica ON
    rpl_semi_sync_source_wait_point AFTER_SYNC
    """
)
MYSQL_9_STATUS: Final = _rows(
    """
    Rpl_semi_sync_replica_status ON
    Rpl_semi_sync_source_clients 0
    Rpl_semi_sync_source_no_times 0
    Rpl_semi_sync_source_no_tx 0
    Rpl_semi_sync_source_status OFF
    Uptime 4711
    """
)
