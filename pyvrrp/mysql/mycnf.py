"""What a server's option file has to say: what no statement sets for good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyvrrp.mysql.facts import same
from pyvrrp.mysql.lint_server import PATIENCE
from pyvrrp.mysql.pairing import End, Wish

ADVISED: Final = {
    "skip_name_resolve": ("ON", "where no account is known by a host's name"),
    "sync_binlog": ("1", "a loss of power then takes nothing from its log"),
}
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def lines(end: End, server_id: int, offset: int, wish: Wish) -> Iterator[str]:
    """What its option file has to say and, as far as that is known, does not."""
    facts = end.facts
    wanted = {"server_id": str(server_id), "log_bin": "mysql-bin", "log_slave_updates": "ON"}
    if facts.maria:
        wanted["gtid_strict_mode"] = "ON"
    else:
        wanted |= {"gtid_mode": "ON", "enforce_gtid_consistency": "ON"} if facts.gtid or not wish.without_gtid else {}
    wanted |= {
        "binlog_format": "ROW",
        "auto_increment_increment": facts.value("auto_increment_increment") or "2",
        "auto_increment_offset": str(offset),
        "slave_net_timeout": f"{PATIENCE:g}",
        "read_only": "ON",
        **({"super_read_only": "ON"} if facts.dialect.super_read_only else {}),
        "skip_slave_start": "ON",
    }
    if wanted["auto_increment_increment"] == "1":
        wanted["auto_increment_increment"] = "2"
    if facts.value("bind_address") in LOOPBACK:
        wanted["bind_address"] = "0.0.0.0"  # noqa: S104  # Debian's servers begin with 127.0.0.1: nobody replicates
    if facts.value("rpl_semi_sync_master_wait_point"):
        wanted[facts.dialect.semi_sync.wait_point] = "AFTER_SYNC"
    for name, value in wanted.items():
        if not facts.boots_well(name, value):
            yield f"{facts.native(name)} = {value}"
    for name, (value, why) in ADVISED.items():
        if not same(facts.value(name) or value, value):
            yield f"{facts.native(name)} = {value}  # advised: {why}"
