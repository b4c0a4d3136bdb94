"""Commands about configuration files; they need no daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from pyvrrp.errors import ConfigError

if TYPE_CHECKING:  # pydantic costs a tenth of a second
    from pyvrrp.config.load import Loaded

_UNUSABLE: Final = 2


@click.command()
@click.argument("file")
@click.option("--config-id", "-i", metavar="ID", help="keepalived.conf: which lines with @ are read.")
def check(file: str, config_id: str | None) -> int:
    """Say what is wrong with FILE (node.yaml or keepalived.conf), all of it, one line a problem, and what may be meant.

    A keepalived.conf with problems still runs, without what is wrong in it.
    """
    loaded = _load(file, config_id)
    for problem in loaded.problems:
        click.echo(str(problem), err=True)
    for advice in loaded.advice:
        click.echo(f"advice: {advice}", err=True)
    instances, checks = len(loaded.settings.instances), len(loaded.settings.checks)
    contents = f"{_count(instances, 'instance')}, {_count(checks, 'check')}"
    if loaded.problems:
        click.echo(f"{file}: runs without what is wrong in it, with {contents}")
        return _UNUSABLE
    click.echo(f"{file}: fine, {contents}")
    return 0


def _load(file: str, config_id: str | None = None) -> Loaded:
    """The file. Exits, with every problem said, when it cannot be used at all."""
    from pyvrrp.config.load import load  # not for --help, which loads every command

    try:
        return load(file, config_id)
    except ConfigError as error:
        raise _unusable(error) from None


def _unusable(error: ConfigError) -> click.exceptions.Exit:
    """What ends the command, every problem having been said."""
    for problem in error.problems:
        click.echo(str(problem), err=True)
    return click.exceptions.Exit(_UNUSABLE)


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


@config.command()
@click.argument("file")
@click.option("--config-id", "-i", metavar="ID", help="keepalived.conf: which lines with @ are read.")
def show(file: str, config_id: str | None) -> None:
    """Print every value that FILE brings into force, defaults too, as a node.yaml without passwords."""
    from pyvrrp.config.show import effective

    click.echo(effective(_load(file, config_id).settings), nl=False)


@config.command()
@click.argument("old")
@click.argument("new")
@click.option("--config-id", "-i", metavar="ID", help="keepalived.conf: which lines with @ are read.")
def diff(old: str, new: str, config_id: str | None) -> None:
    """Tell what a reload changes that comes from the file OLD to the file NEW."""
    from pyvrrp.core.diff import changes

    for sentence in changes(_load(old, config_id).settings, _load(new, config_id).settings) or (
        "the two mean the same",
    ):
        click.echo(sentence)


@config.command()
@click.argument("file")
@click.option("--config-id", "-i", metavar="ID", help="Which lines with @ are read.")
def convert(file: str, config_id: str | None) -> int:
    """Print the node.yaml that does what the keepalived.conf FILE does. It has the passwords in it."""
    from pyvrrp.config.load import convert as converted

    try:
        result = converted(file, config_id)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return _UNUSABLE
    for problem in result.problems:
        click.echo(str(problem), err=True)
    for advice in result.advice:
        click.echo(f"advice: {advice}", err=True)
    click.echo(result.text, nl=False)
    for objection in result.objections:
        click.echo(f"to be mended before it starts, node.yaml is stricter: {objection}", err=True)
    return _UNUSABLE if result.objections else 0
