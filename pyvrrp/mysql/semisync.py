"""The roles of semi-synchronous replication: the active waits for acknowledgements, the standby gives them.

With both roles on both, the standby's own applier waits for acknowledgements of a dead source: draining takes the
whole time-out. And a source without a replica makes its first commits wait out that time-out, so the active takes its
role only while somebody is there: the number of semi-synchronous replicas is counted also while the role is off
(tried on MariaDB 10.11).
"""

from __future__ import annotations

from pyvrrp.mysql.dialect import Dialect
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.status import Picture, Replication


async def lead(server: Server, picture: Picture, within: float) -> str:
    """The role of an active server; what was changed, "" when nothing had to be."""
    now = picture.semi_sync
    wanted = now.clients > 0
    if now.names is None or (now.source, now.replica) == (wanted, False):
        return ""
    await server.ask(server.work, *now.names.roles(source=wanted, replica=False), within=within)
    if now.source == wanted:
        return ""
    return "commits wait for the other node from now on" if wanted else "commits no longer wait: no replica is there"


async def follow(
    server: Server, dialect: Dialect, picture: Picture, replication: Replication | None, within: float
) -> str:
    """The role of a standby; what was changed. Its IO thread is begun anew, as only then the source knows of it."""
    now = picture.semi_sync
    if now.names is None:
        return ""
    if (now.source, now.replica) != (False, True):
        await server.ask(server.work, *now.names.roles(source=False, replica=True), within=within)
    elif now.acknowledging or replication is None or replication.io != "Yes":
        return ""
    if replication is None or replication.io != "Yes":
        return ""
    await server.ask(
        server.work,
        dialect.stop_io(replication.channel),
        dialect.start_io(replication.channel),
        within=max(within, 1.0),
    )
    return "acknowledges what it receives"
