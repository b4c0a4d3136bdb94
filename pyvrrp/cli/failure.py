"""How a command ends that could not do what it was asked."""

from __future__ import annotations

from typing import IO, Any

import click

USAGE, UNREACHABLE, UNHEALTHY, REFUSED, TIMED_OUT = 1, 2, 3, 6, 7


class Failure(click.ClickException):
    """Ends the program with one line on standard error and the exit status `status`."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(f"pyvrrpctl: {self.format_message()}", err=True, file=file)
