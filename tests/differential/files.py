"""The files of the differential test: our corpus, Debian's samples, the man page's examples."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from tests.differential.manpage import examples
from tests.differential.samples import samples
from tests.differential.sandbox import Sandbox

CORPUS: Final = Path(__file__).with_name("corpus")
INCLUDED: Final = "included"  # folders of files that are no configurations by themselves


@cache
def corpus() -> tuple[str, ...]:
    """Names (`syntax/comments`) of our own files."""
    files = (file.relative_to(CORPUS) for file in CORPUS.rglob("*.conf"))
    return tuple(sorted(str(file.with_suffix("")) for file in files if INCLUDED not in file.parts))


@cache
def foreign() -> dict[str, str | bytes]:
    """Names and texts of the files that others wrote and this machine has."""
    return {**samples(), **examples()}


def names() -> list[str]:
    """All names."""
    return [*corpus(), *foreign()]


def path(name: str, sandbox: Sandbox) -> Path:
    """Where a file is for those inside the sandbox."""
    text = foreign().get(name)
    return CORPUS / f"{name}.conf" if text is None else sandbox.place(name, text)
