"""`pyvrrpctl switchover`, `pause`, `resume`, `drain`, `acknowledge`, `promote`: orders about an instance's database."""

from __future__ import annotations

import json
from typing import Final

import click

from pyvrrp.cli.asking import Json, agreed, answer_to
from pyvrrp.cli.failure import REFUSED, TIMED_OUT, USAGE, Failure

ORDER_SECONDS: Final = 5.0
MOVE_SECONDS: Final = 60.0  # more than the daemon gives any of it

_instance = click.argument("instance", required=False)
_to = click.option("--to", metavar="NODE", default="", help="Only if the other node has this name (router_id).")


@click.command()
@_instance
@_to
@click.option("--dry-run", is_flag=True, help="Only check, and tell what would be done.")
@click.option("--json", "as_json", is_flag=True, help="The daemon's own answer.")
@click.pass_obj
def switchover(socket: str, instance: str | None, to: str, dry_run: bool, as_json: bool) -> int:
    """Move the writes of INSTANCE to the other node without losing one, from either node.

    Writes are closed on the active node, the other server gets exactly what was written, and only then it takes over;
    if it does not get there within 4 s, they are opened again. INSTANCE may be left out when only one has a database.

    Exit with 6 when it was refused or rolled back, with 7 when its end is not known in time.
    """
    request: dict[str, object] = {"command": "switchover", "instance": instance, "to": to, "dry_run": dry_run}
    return _show(answer_to(socket, request, MOVE_SECONDS), as_json=as_json)


@click.command()
@_instance
@click.pass_obj
def pause(socket: str, instance: str | None) -> int:
    """Do not let this node take over, or give up because of its server, until `resume`; orders still do."""
    return _show(answer_to(socket, {"command": "pause", "instance": instance}, ORDER_SECONDS))


@click.command()
@_instance
@click.pass_obj
def resume(socket: str, instance: str | None) -> int:
    """End `pause` and `drain`."""
    return _show(answer_to(socket, {"command": "resume", "instance": instance}, ORDER_SECONDS))


@click.command()
@_instance
@_to
@click.pass_obj
def drain(socket: str, instance: str | None, to: str) -> int:
    """Empty this node for work on it: switch over if it is active, then do not take over until `resume`."""
    return _show(answer_to(socket, {"command": "drain", "instance": instance, "to": to}, MOVE_SECONDS))


@click.command()
@_instance
@click.option("--copied", is_flag=True, help="Of this node, DIVERGED: its server was made a copy of the active one.")
@click.pass_obj
def acknowledge(socket: str, instance: str | None, copied: bool) -> int:
    """Say that the last failover was seen: the hold-down ends, and so does the list of what was lost.

    With --copied: what only this node had, and status lists, is no more; the servers are compared anew.
    """
    request: dict[str, object] = {"command": "acknowledge", "instance": instance, "copied": copied}
    return _show(answer_to(socket, request, ORDER_SECONDS))


@click.command()
@_instance
@click.option("--force", is_flag=True, help="Needed: whatever speaks against this node's database is overridden.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def promote(socket: str, instance: str | None, force: bool, yes: bool) -> int:
    """Make this node take over although its database is not fit, when the other one is gone for good.

    What this server never received is lost. While another master speaks it is refused: use `switchover`.
    """
    if not force:
        raise Failure("promote overrides what keeps data from being lost: it needs --force", USAGE)
    price = answer_to(socket, {"command": "promote", "instance": instance}, ORDER_SECONDS)
    for step in price["steps"]:
        click.echo(step)
    if not yes and not agreed("Take over all the same? What is missing here is lost for clients"):
        raise Failure("nothing was done", REFUSED)
    request: dict[str, object] = {"command": "promote", "instance": instance, "sure": True}
    return _show(answer_to(socket, request, MOVE_SECONDS))


def _show(outcome: Json, *, as_json: bool = False) -> int:
    """What was done; the exit status. Raises Failure."""
    if as_json:
        click.echo(json.dumps(outcome, indent=2, ensure_ascii=False))
    else:
        for step in outcome["steps"]:
            click.echo(step)
    if not outcome["ok"]:
        raise Failure(str(outcome["why"]), TIMED_OUT if outcome.get("timed_out") else REFUSED)
    return 0
