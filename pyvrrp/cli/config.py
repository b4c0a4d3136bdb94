"""Commands about configuration files; they need no daemon."""

from __future__ import annotations

from typing import Final

import click

from pyvrrp.errors import ConfigError

_UNUSABLE: Final = 2


@click.command()
@click.argument("file")
def check(file: str) -> int:
    """Say what is wrong with FILE, all of it, one line a problem."""
    from pyvrrp.config.load import load  # not for --help, which loads every command

    try:
        loaded = load(file)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return _UNUSABLE
    for advice in loaded.advice:
        click.echo(f"advice: {advice}", err=True)
    instances, checks = len(loaded.settings.instances), len(loaded.settings.checks)
    click.echo(f"{file}: fine, {_count(instances, 'instance')}, {_count(checks, 'check')}")
    return 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@click.group()
def config() -> None:
    """Commands about configuration files."""


@config.command()
def schema() -> None:
    """Print the JSON Schema of node.yaml."""
    from pyvrrp.config.schema import schema_text

    click.echo(schema_text(), nl=False)
