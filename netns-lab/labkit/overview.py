"""The state of a standing laboratory as one table."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from labkit import agents, database
from labkit.laboratory import Laboratory, Node


def show(laboratory: Laboratory) -> int:
    """Print it. 0 when one node holds the VIP and everything runs, else 3."""
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("node", laboratory.state.agent, "VIP", "MariaDB"):
        table.add_column(heading, no_wrap=True)
    table.add_column("replication", overflow="fold")  # may be an error of any length
    holders = laboratory.holders()
    well = len(holders) == 1
    for node in laboratory.pair:
        replication = database.replication(node.server)
        agent_lives = laboratory.agent_process(node).alive
        well &= agent_lives and replication is not None and replication.running
        table.add_row(
            f"{node.name}  {node.host.ip}",
            f"{node.agent.state() or 'no answer'}, pid {laboratory.agent_process(node).pid}"
            if agent_lives
            else "not running",
            agents.VIP if node.name in holders else "",
            _database(laboratory, node),
            str(replication or "no answer"),
        )
    Console(highlight=False).print(table)
    return 0 if well else 3


def _database(laboratory: Laboratory, node: Node) -> str:
    process = laboratory.database_process(node)
    if not process.alive:
        return "not running"
    return f"pid {process.pid}" if node.server.answers() else f"pid {process.pid}, no answer"
