"""`pyvrrpctl status`, `explain` and `history`: what the daemon does, why, and what it did."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from pyvrrp.cli import render, sentences, transitions
from pyvrrp.cli.asking import Json, demand, status_of
from pyvrrp.cli.failure import UNHEALTHY, USAGE, Failure
from pyvrrp.cli.layout import folded

if TYPE_CHECKING:  # rich costs a seventh of this command's time
    from rich.text import Text

_REFRESH: Final = 1.0  # seconds between two looks of --watch
_EXIT_CODE: Final = (
    "Exit with 3 when an instance (or INSTANCE) is neither BACKUP nor MASTER or lacks its addresses, when two "
    "nodes may hold one or another host keeps it from this one, when a database is not fit, or not fit to take over, "
    "when the channel to the other agent is down, when a virtual server has no quorum, or when the last reload was "
    "refused."
)


@click.command()
@click.argument("instance", required=False)
@click.option("--json", "as_json", is_flag=True, help="The daemon's own answer.")
@click.option("--watch", is_flag=True, help="Look again every second, until Ctrl-C.")
@click.option("--exit-code", is_flag=True, help=_EXIT_CODE)
@click.pass_obj
def status(socket: str, instance: str | None, as_json: bool, watch: bool, exit_code: bool) -> int:
    """Show the node, or one INSTANCE of it, and why it is as it is."""
    if watch:
        if as_json or exit_code:
            raise click.UsageError("--watch goes with neither --json nor --exit-code")
        _watch(lambda: _page(socket, instance))
        return 0
    answer = status_of(socket, instance)
    if as_json:
        _print_json(_only(answer, instance))
    else:
        click.echo(_fitted(render.status(answer, instance)), nl=False)
    return UNHEALTHY if exit_code and not render.healthy(answer, instance) else 0


def _fitted(page: str) -> str:
    """The page for the terminal that it goes to; who reads it with a program gets whole lines."""
    return folded(page, shutil.get_terminal_size().columns) if sys.stdout.isatty() else page


def _only(answer: Json, instance: str | None) -> Json:
    if instance is None:
        return answer
    snapshot = answer["snapshot"]
    of_it = {
        "instances": [each for each in snapshot["instances"] if each["name"] == instance],
        "groups": [each for each in snapshot["groups"] if instance in each["members"]],
        "services": [],
        "databases": [each for each in snapshot["databases"] if each["instance"] == instance],
        "history": [each for each in snapshot["history"] if each["instance"] == instance],
    }
    return {**answer, "snapshot": {**snapshot, **of_it}}


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _page(socket: str, instance: str | None) -> str:
    """The status, or why there is none: a daemon that restarts comes back."""
    try:
        return _fitted(render.status(status_of(socket, instance), instance))
    except Failure as failure:
        if failure.status == USAGE:
            raise
        return f"{failure.message}\n"


def _watch(page: Callable[[], str]) -> None:
    try:
        if sys.stdout.isatty():
            _refresh_screen(page)
        else:
            _print_pages(page)
    except KeyboardInterrupt:
        return


def _refresh_screen(page: Callable[[], str]) -> None:
    from rich.live import Live

    with Live(_fitting(page()), auto_refresh=False) as live:
        while True:
            time.sleep(_REFRESH)
            live.update(_fitting(page()), refresh=True)


def _fitting(page: str) -> Text:
    """As much of the page as the terminal is high, and what was left out."""
    from rich.text import Text

    height = shutil.get_terminal_size().lines - 1
    lines = page.splitlines()
    if len(lines) > height:
        left = len(lines) - height + 1
        lines[height - 1 :] = [f"... {left} more lines; `pyvrrpctl status INSTANCE --watch` shows one instance"]
    return Text("\n".join(lines))


def _print_pages(page: Callable[[], str]) -> None:
    while True:
        click.echo(page())
        sys.stdout.flush()
        time.sleep(_REFRESH)


@click.command()
@click.argument("name")
@click.pass_obj
def explain(socket: str, name: str) -> None:
    """Tell everything about the instance, sync group, virtual server or check NAME in sentences."""
    answer = status_of(socket)
    demand(name, sentences.names(answer), "nothing called")
    click.echo(_fitted(sentences.explain(answer, name)), nl=False)


@click.command()
@click.argument("instance", required=False)
@click.option("--json", "as_json", is_flag=True, help="A list of objects with the time in seconds since 1970.")
@click.pass_obj
def history(socket: str, instance: str | None, as_json: bool) -> None:
    """Show the transitions that the daemon remembers, of all or one INSTANCE, the oldest first."""
    answer = status_of(socket, instance)
    if as_json:
        _print_json(transitions.history_json(answer, instance))
    else:
        click.echo(transitions.history(answer, instance), nl=False)
