"""Characters of keepalived.conf → words with their places.

keepalived reads its lines in two ways. In most of them only double quotes hold a word together, a quote ends the word
before it, and a backslash is an ordinary character. Behind a keyword of SCRIPTS the words are read as in the man page:
single and double quotes join pieces to one word, and backslashes escape. Braces outside double quotes are words of
their own in both, and end what stands before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.tree import Place, Scalar

# What keepalived reads with escapes; all other keywords know double quotes only.
SCRIPTS: Final = frozenset(
    {
        *("script", "misc_path", "regex", "startup_script", "shutdown_script", "quorum_up", "quorum_down"),
        *("notify", "notify_master", "notify_backup", "notify_fault", "notify_stop", "notify_deleted"),
        *("notify_master_rx_lower_pri", "notify_up", "notify_down"),
        *("notify_fifo_script", "vrrp_notify_fifo_script", "lvs_notify_fifo_script"),
    }
)
BLANK: Final = " \t\r\v\f"
OPEN_QUOTE: Final = "a quote is opened here and not closed"
_ESCAPED: Final = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

# A comment begins at # or ! outside double quotes, where no backslash stands before it.
_MARK: Final = re.compile(r'\\.|["#!]')
_QUOTED_OR_ESCAPED: Final = re.compile(r'"(?:\\.|[^"\\])*+"|\\([#!])|\\.')
# A reference to a variable that is not defined stays in its word, with its braces.
_WORD: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|(?P<open>")|(?P<brace>[{}])|(?P<plain>(?:[^\s"{}$]+|\$\{[A-Za-z_][^{}"]*+\}|\$)+)', re.ASCII
)
_PIECE: Final = re.compile(
    r"""\\(?:x(?P<hex>[0-9A-Fa-f]+)|(?P<octal>[0-7]{1,3})|c(?P<control>.)|(?P<escaped>.))"""
    r"""|(?P<quote>["'])|(?P<blank>\s+)|(?P<text>[^\\"'\s]+|\\)""",
    re.ASCII | re.DOTALL,
)
_BYTES: Final = re.compile("[\udc80-\udcff]")


class Line(NamedTuple):
    """A line of statements, without comment; or a comment alone, when `comment` is set.

    `column` is where all its words stand, 0 when they stand where `text` has them.
    """

    file: str
    number: int
    text: str
    column: int = 0
    comment: str = ""


class Token(NamedTuple):
    """Words that belong together, or a brace. `comments` stand before it.

    `cut` are the words that are left when keepalived takes a sign that was escaped, or came out of a variable, for the
    beginning of a comment after all: in all blocks but `global_defs`. None where there is no such sign.
    """

    place: Place
    words: tuple[Scalar, ...] = ()
    brace: str = ""
    comments: tuple[str, ...] = ()
    cut: tuple[Scalar, ...] | None = None


class ScriptWord(NamedTuple):
    """A word read by the rules of SCRIPTS; `at` is where it begins in its text."""

    at: int
    text: str
    quoted: bool


def comment_at(text: str) -> tuple[int, int]:
    """Where the comment of a line begins, and where a quote is opened that is not closed; -1 for none."""
    opened = -1
    for match in _MARK.finditer(text):
        if match[0] == '"':
            opened = -1 if opened >= 0 else match.start()
        elif opened < 0 and match[0] in "#!":
            return match.start(), -1
    return -1, opened


def unescape_marks(text: str) -> str:
    r"""`text` with `\#` and `\!` outside double quotes as what they stand for."""
    return _QUOTED_OR_ESCAPED.sub(lambda match: match[1] or match[0], text)


def tokens(line: Line, remarks: Remarks) -> Iterator[Token]:
    """The statements and braces of a line, in their order."""
    file, number, text, column, _ = line
    words: list[Scalar] = []
    begin = end = 0
    glued = -1  # where a quote splits what may be meant as one word
    for match in _WORD.finditer(text):
        start = match.start()
        place = Place(file, number, column or start + 1)
        kind = match.lastgroup
        if kind == "brace":
            yield from _statement(words, line, begin, start, glued, remarks)
            yield Token(place, (), match[0])
            words, glued = [], -1
            continue
        if not words:
            begin = start
        elif start == end:
            glued = start
        end = match.end()
        if kind == "plain":
            words.append(Scalar(place, match[0]))
            if "${" in match[0]:
                remarks.error(
                    place, "", "a variable that is not defined; outside quotes, keepalived reads a block here"
                )
        elif kind == "quoted":
            words.append(Scalar(place, match["quoted"], quoted=True))
        else:
            remarks.error(place, "", OPEN_QUOTE)
            break  # the rest of the line is lost, as in keepalived
    yield from _statement(words, line, begin, len(text), glued, remarks)


def _statement(words: list[Scalar], line: Line, begin: int, end: int, glued: int, remarks: Remarks) -> Iterator[Token]:
    """The statement that stands from `begin` to `end`, its words read anew where they are those of a script."""
    if not words:
        return
    if words[0].text in SCRIPTS:
        found, opened = script_words(line.text[begin:end])
        if opened >= 0:  # the statement is lost, as in keepalived
            remarks.error(Place(line.file, line.number, line.column or begin + opened + 1), "", OPEN_QUOTE)
            return
        places = [Place(line.file, line.number, line.column or begin + word.at + 1) for word in found]
        words = [Scalar(place, word.text, word.quoted) for place, word in zip(places, found, strict=True)]
    elif glued >= 0:
        place = Place(line.file, line.number, line.column or glued + 1)
        remarks.advise(place, "", "a quote within a word splits it: what follows is a word of its own")
    else:
        _advise_single_quotes(words, remarks)
    text = line.text[begin:end]
    mark = comment_at(text)[0] if "#" in text or "!" in text else -1
    if mark < 0:
        yield Token(words[0].place, tuple(words))
        return
    left = tokens(Line(line.file, line.number, text[:mark], line.column or begin + 1), remarks)
    cut = next((token.words for token in left), ())
    yield Token(words[0].place, tuple(words), cut=cut)


def _advise_single_quotes(words: list[Scalar], remarks: Remarks) -> None:
    for word in words:
        if word.text.startswith("'") and not word.quoted:
            remarks.advise(word.place, "", "a single quote is an ordinary character here; use double quotes")


def script_words(text: str) -> tuple[list[ScriptWord], int]:
    """The words of a script's line, and where a quote is opened that is not closed, -1 for none."""
    found: list[ScriptWord] = []
    pieces: list[str] = []
    at = opened = -1
    quote, quoted = "", False
    for match in _PIECE.finditer(text):
        if match.lastgroup == "blank" and not quote:
            if at >= 0:
                found.append(ScriptWord(at, _as_text(pieces), quoted))
            pieces, at, quoted = [], -1, False
            continue
        if at < 0:
            at = match.start()
        if match.lastgroup == "quote" and quote in ("", match[0]):
            quote = "" if quote else match[0]
            opened, quoted = match.start(), True
        else:
            pieces.append(_meant(match))
    if at >= 0:
        found.append(ScriptWord(at, _as_text(pieces), quoted))
    return found, opened if quote else -1


def _meant(match: re.Match[str]) -> str:
    """What a piece of a script's line stands for."""
    if match["hex"]:
        return _byte(int(match["hex"][-2:], 16))
    if match["octal"]:
        return _byte(int(match["octal"], 8) & 0xFF)
    if match["control"]:
        return _byte(ord(match["control"]) & 0x1F)
    if match["escaped"]:
        return _ESCAPED.get(match["escaped"], match["escaped"])
    return match[0]


def _byte(value: int) -> str:
    """A byte as decoding with surrogateescape has it."""
    return bytes((value,)).decode(errors="surrogateescape")


def _as_text(pieces: list[str]) -> str:
    r"""Pieces put together. Escapes can make UTF-8 byte by byte; a `\0` ends the word, as in keepalived."""
    text = "".join(pieces).partition("\0")[0]
    if _BYTES.search(text):
        return text.encode(errors="surrogateescape").decode(errors="surrogateescape")
    return text
