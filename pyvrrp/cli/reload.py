"""`pyvrrpctl reload`."""

from __future__ import annotations

import click

from pyvrrp.cli.asking import RELOAD_SECONDS, answer_to
from pyvrrp.cli.failure import REFUSED


@click.command()
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.pass_obj
def reload(socket: str, dry_run: bool) -> int:
    """Have the daemon read its configuration again; a file with problems changes nothing."""
    answer = answer_to(socket, {"command": "reload", "dry_run": dry_run}, RELOAD_SECONDS)
    for problem in answer.get("left_out", []):
        click.echo(problem, err=True)
    for advice in answer.get("advice", []):
        click.echo(f"advice: {advice}", err=True)
    if not answer["ok"]:
        for problem in answer["problems"]:
            click.echo(problem, err=True)
        outcome = "would be refused" if dry_run else "refused, the configuration in force stays"
        click.echo(f"pyvrrpctl: {outcome}", err=True)
        return REFUSED
    for change in answer["changes"] or ["nothing would change" if dry_run else "nothing has changed"]:
        click.echo(change)
    return 0
