"""Questions to the daemon, each with a time limit, and to whoever runs this."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from pyvrrp.cli.failure import REFUSED, TIMED_OUT, UNREACHABLE, USAGE, Failure
from pyvrrp.errors import ControlError, ControlTimeoutError
from pyvrrp.io.control_client import ask

STATUS_SECONDS: Final = 5.0
RELOAD_SECONDS: Final = 40.0  # the daemon gives the reading of its file 30

Json = dict[str, Any]


def answer_to(socket: str, request: dict[str, object], seconds: float = STATUS_SECONDS) -> Json:
    """The daemon's answer. Raises Failure."""
    try:
        answer = ask(socket, request, seconds)
    except ControlTimeoutError as error:
        raise Failure(str(error), TIMED_OUT) from None
    except ControlError as error:
        raise Failure(str(error), UNREACHABLE) from None
    if "error" in answer:
        raise Failure(str(answer["error"]), REFUSED)
    return answer


def agreed(question: str, *, default: bool = False) -> bool:
    """Whether whoever runs this says yes."""
    answer = click.confirm(question, default=default)
    if not sys.stdin.isatty():
        click.echo()  # where no terminal shows the answer, nothing has ended the line
    return answer


def status_of(socket: str, instance: str | None = None) -> Json:
    """The answer to `status`. Raises Failure, also when there is no such instance."""
    answer = answer_to(socket, {"command": "status"})
    if instance is not None:
        demand(instance, [each["name"] for each in answer["snapshot"]["instances"]], "no instance")
    return answer


def demand(name: str, names: list[str], nothing: str) -> None:
    """Raises Failure, which begins with "there is" and `nothing`, when the name is not among the names."""
    if name not in names:
        raise Failure(f'there is {nothing} "{name}" ({_hint(name, names)})', USAGE)


def _hint(name: str, names: list[str]) -> str:
    import difflib  # slow to load, and seldom needed

    near = difflib.get_close_matches(name, names, n=1)
    return f'did you mean "{near[0]}"?' if near else f"there are {', '.join(names[:10])}"
