"""The table of keywords agrees with itself, with its documentation, and with the real keepalived."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from pyvrrp.config.keepalived.document import document
from pyvrrp.config.keepalived.keyword import Shape, Support
from pyvrrp.config.keepalived.keywords import CONTEXTS, ROWS
from tests.differential import reasons
from tests.differential.keepalived import KEEPALIVED, verdict
from tests.differential.sandbox import Sandbox
from tests.netns import available

DOCS: Final = Path(__file__).parents[3] / "docs"
NOTE_MAX: Final = 100  # characters

EVERY_ROW: Final = [(context, row) for context, rows in ROWS.items() for row in rows]


def test_no_keyword_stands_twice_in_a_context() -> None:
    assert len(EVERY_ROW) == sum(len(keywords) for keywords in CONTEXTS.values())


def test_a_block_opens_a_context_and_every_context_is_opened() -> None:
    assert [row for _, row in EVERY_ROW if (row.shape is Shape.BLOCK) != bool(row.opens)] == []
    assert {row.opens for _, row in EVERY_ROW if row.opens} | {"root"} == CONTEXTS.keys()


def test_what_is_not_the_same_has_a_note() -> None:
    assert [row for _, row in EVERY_ROW if row.support is not Support.SAME and not row.note] == []


def test_notes_fit_behind_a_colon_in_the_log() -> None:
    assert [row for _, row in EVERY_ROW if len(row.note) > NOTE_MAX or row.note.endswith(".")] == []


@pytest.mark.parametrize(("context", "name"), [("vrrp_instance", "auth_hmac"), ("authentication", "auth_type")])
def test_what_would_make_a_second_master_leaves_the_instance_out(context: str, name: str) -> None:
    assert "left out" in CONTEXTS[context][name].note


def test_the_documentation_is_that_of_the_tables() -> None:
    head = (DOCS / "keepalived.head.md").read_text(encoding="utf-8")
    written = (DOCS / "keepalived.md").read_text(encoding="utf-8")
    assert written == f"{head}\n{reasons.document()}\n{document()}", "run scripts/docs"


# --- what keepalived itself says ------------------------------------------------------------------------------------

WORD: Final = "192.0.2.1"  # a name as good as any; virtual and real servers want an address
CRASHED: Final = 128 + signal.SIGSEGV  # as a shell has it
CRASHES: Final = {"bfd_instance", "neighbor_ip", "neighbour_ip"}  # in place of ending with 2 where the word is missing
ASKS_AFTER: Final = {"sorry_server_lvs_method": f"sorry_server {WORD}"}  # what a keyword is passed over without


class Line(NamedTuple):
    """A line of a configuration, and whether keepalived 2.2.7 ought to know its first word."""

    text: str
    known: bool = True


NONSENSE: Final = Line("nonsense", known=False)  # it is noticed in a block of statements, not in a list


def everything(context: str) -> Iterator[Line]:
    """Every keyword of a context, with as many words as it needs, and of the contexts in it."""
    for row in ROWS[context]:
        if row.shape is Shape.LINE or row.since:  # a block that keepalived does not know would end the one around it
            yield Line(" ".join([row.name, *[WORD] * row.needs]), known=not row.since)
        else:
            words = max(row.needs, 1) if row.opens else row.needs  # a block without a name would be passed over
            yield Line(" ".join([row.name, *[WORD] * words, "{"]))
            yield from everything(row.opens) if row.opens else (Line(f"{WORD} {WORD}"),)
            yield Line("}")
        yield NONSENSE


def around(context: str) -> list[str]:
    """The lines that open a context, from the root on."""
    if context == "root":
        return []
    home, name = next((home, row.name) for home, rows in ROWS.items() for row in rows if row.opens == context)
    return [*around(home), f"{name} {WORD} {{"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    if KEEPALIVED is None:
        pytest.skip("keepalived is not installed (apt-get install keepalived)")
    if not available():
        pytest.skip("namespaces need root, or `unshare -Urnm`")
    with Sandbox() as built:
        yield built


@pytest.mark.lab
def test_keepalived_knows_every_keyword_but_newer_ones(sandbox: Sandbox, tmp_path: Path) -> None:
    lines = list(everything("root"))
    file = tmp_path / "everything.conf"
    file.write_text("\n".join(line.text for line in lines) + "\n")
    said = sandbox.call(verdict, file)
    text = "\n".join(said.lines)
    unknown = {int(number) for number in re.findall(r"Line (\d+)\) Unknown keyword", text)}
    expected = {number for number, line in enumerate(lines, 1) if not line.known}
    assert {(number, lines[number - 1].text) for number in unknown ^ expected} == set()
    assert "'{'" not in text, "a shape is wrong"
    assert said.status == 5, "a keyword needs more words"


@pytest.mark.lab
def test_keepalived_ends_without_the_words_that_a_keyword_needs(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "missing.conf"
    survived = []
    for context, row in EVERY_ROW:
        if not row.needs or row.since:
            continue
        outer = around(context)
        line = " ".join([row.name, *[WORD] * (row.needs - 1)])
        block = [] if row.shape is Shape.LINE else ["{", "}"]
        before = [ASKS_AFTER[row.name]] if row.name in ASKS_AFTER else []
        file.write_text("\n".join([*outer, *before, line, *block, *["}"] * len(outer)]) + "\n")
        said = sandbox.call(verdict, file)
        if row.name in CRASHES:
            assert said.status == CRASHED
        elif said.status != 2 or f"missing a parameter after keyword `{row.name}`" not in said.lines[-1]:
            survived.append((context, row.name, said))
    assert not survived
