"""Tells, in plain words and as it happens, what is done and what is seen."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

WIDTH = 100  # columns where there is no terminal to ask
REFRESH = 10  # times a second


class Narrator:
    """Lines of a story, each with its second; on a terminal a line below them shows the present."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
        self.present: Callable[[], str] = str
        self._begin = time.monotonic()
        self._live = Live(
            console=self.console, get_renderable=self._present, refresh_per_second=REFRESH, transient=True
        )

    def chapter(self, text: str) -> None:
        """A heading."""
        self.console.print()
        self.console.print(f"[bold]{text}[/bold]")

    def doing(self, text: str) -> None:
        """Something is done to the laboratory."""
        self._line(f"[bold yellow]{text}[/bold yellow]")

    def seen(self, text: str) -> None:
        """Something was seen to happen."""
        self._line(f"  {text}")

    def trouble(self, text: str) -> None:
        """Something did not happen that should have; the text is anybody's."""
        self._line(f"  [red]{escape(text)}[/red]")

    def _line(self, text: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self._begin:6.1f} s[/dim]  {text}")

    def _present(self) -> Text:
        return Text(self.present(), style="cyan")

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
