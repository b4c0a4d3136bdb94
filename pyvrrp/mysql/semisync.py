"""The roles of semi-synchronous replication: the active waits for acknowledgements, the standby gives them.

With both roles on both, the standby's own applier waits for acknowledgements of a dead source: draining takes the
whole time-out. And a source without a replica makes its first commits wait out that time-out, so the active takes its
role only while somebody is there: the number of semi-synchronous replicas is counted also while the role is off
(tried on MariaDB 10.11).
"""

from __future__ import annotations

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


async def follow(server: Server, picture: Picture, within: float) -> None:
    """The role of a standby. A source learns of it when the IO thread begins."""
    now = picture.semi_sync
    if now.names is not None and (now.source, now.replica) != (False, True):
        await server.ask(server.work, *now.names.roles(source=False, replica=True), within=within)


def is_silent(picture: Picture, replication: Replication | None) -> bool:
    """Whether it receives without acknowledging: its IO thread began before it had the role."""
    now = picture.semi_sync
    receives = replication is not None and replication.io == "Yes"
    return receives and now.names is not None and now.replica and not now.acknowledging


async def restart(server: Server, replication: Replication | None, within: float) -> None:
    """Begin to receive anew. What was received is kept, as it is applied meanwhile."""
    if replication is None or not replication.sql:
        return
    spoken = await server.dialect(within)
    statements = spoken.stop_io(replication.channel), spoken.start_io(replication.channel)
    await server.ask(server.work, *statements, within=within)
