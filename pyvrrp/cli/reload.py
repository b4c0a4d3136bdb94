"""`pyvrrpctl reload`."""

from __future__ import annotations

import click

from pyvrrp.cli.asking import RELOAD_SECONDS, answer_to
from pyvrrp.cli.failure import REFUSED


@click.command()
@click.pass_obj
def reload(socket: str) -> int:
    """Have the daemon read its configuration again; a file with problems changes nothing."""
    answer = answer_to(socket, {"command": "reload"}, RELOAD_SECONDS)
    for advice in answer.get("advice", []):
        click.echo(f"advice: {advice}", err=True)
    if not answer["ok"]:
        for problem in answer["problems"]:
            click.echo(problem, err=True)
        click.echo("pyvrrpctl: refused, the configuration in force stays", err=True)
        return REFUSED
    for change in answer["changes"] or ["nothing has changed"]:
        click.echo(change)
    return 0
