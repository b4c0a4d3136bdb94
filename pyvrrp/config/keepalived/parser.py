"""Lines of keepalived.conf → statements, guided by the table of keywords.

As in keepalived a brace ends the statement before it, whatever stands on the line: `{ a b }` in a list is one entry of
two words, and a keyword behind another statement's words is one of its words. Mistakes with braces cost less than
there: a block that is not known is left out as a whole, and a block whose `}` is missing ends where something stands
that can only be meant for a block around it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pyvrrp.config.findings import suggestion
from pyvrrp.config.keepalived.keyword import Keyword, Shape
from pyvrrp.config.keepalived.keywords import CONTEXTS
from pyvrrp.config.keepalived.remarks import Remarks, Weight
from pyvrrp.config.keepalived.source import lines
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.keepalived.words import Token, tokens
from pyvrrp.config.tree import Place
from pyvrrp.config.values import quote

Contexts = Mapping[str, Mapping[str, Keyword]]

_ROOT: Final = "root"
_GLOBAL: Final = "global_defs"
_SECRET: Final = frozenset({"authentication", "auth_hmac", "SSL"})  # where a word in a wrong place may be a password
_WORDS_MAX: Final = 500_000  # a thousand instances are 20 000
_SUGGESTIONS_MAX: Final = 50  # each costs a millisecond; who needs more has the wrong file


def parse(
    path: str,
    config_id: str | None,
    remarks: Remarks,
    instance: str = "",
    *,
    all_config: bool = False,
    contexts: Contexts = CONTEXTS,
) -> tuple[Statement, ...]:
    """The statements of the file `path`; what is wrong with it is remarked, and left out.

    `config_id` decides about `@` lines, by default the host's name; `instance` is what ${_INSTANCE} stands for, by
    default the same. With `all_config` no include may miss a file. Raises ConfigError when the file cannot be read.
    """
    found: list[Token] = []
    comments: list[str] = []
    room = _WORDS_MAX
    for line in lines(path, config_id, instance, remarks, all_config=all_config):
        if line.comment:
            comments.append(line.comment)
            continue
        for token in tokens(line, remarks):
            found.append(token._replace(comments=tuple(comments)) if comments else token)
            comments = []
            room -= len(token.words)
        if room < 0:
            place = Place(line.file, line.number, 1)
            remarks.error(place, "", f"too much: more than {_WORDS_MAX} words; all that follows is left out")
            break
    return _Parser(found, tuple(comments), contexts, remarks).statements()


@dataclass(frozen=True, slots=True)
class _Block:
    """A block that is being read. `keywords` is None in a list; `path` leads to it, and `place` is where it begins."""

    name: str
    context: str
    keywords: Mapping[str, Keyword] | None
    path: str
    place: Place
    around: _Block | None

    def blocks_around(self) -> Iterator[_Block]:
        """The blocks that it is in, the nearest first."""
        block = self.around
        while block is not None:
            yield block
            block = block.around

    def knows(self, word: str) -> Keyword | None:
        """The keyword, where this is not a list."""
        return None if self.keywords is None else self.keywords.get(word)


class _Parser:
    def __init__(self, found: list[Token], comments: tuple[str, ...], contexts: Contexts, remarks: Remarks) -> None:
        self._tokens = found
        self._at = 0
        self._last_comments = comments
        self._contexts = contexts
        self._remarks = remarks
        self._suggestions = _SUGGESTIONS_MAX
        braces = [token.brace for token in found if token.brace]
        # Where a } is missing, a line that fits a block around its own is taken for a line of that block.
        self._mending = braces.count("{") > braces.count("}")

    def statements(self) -> tuple[Statement, ...]:
        """All statements of the file."""
        root = _Block("", _ROOT, self._contexts[_ROOT], "", Place("", 0, 0), None)
        found, _ = self._inside(root)
        if self._last_comments and found:
            found[-1] = _with_comments(found[-1], self._last_comments)
        return tuple(found)

    def _next(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _opens(self) -> bool:
        """Whether a { comes next."""
        token = self._next()
        return token is not None and token.brace == "{"

    def _inside(self, block: _Block) -> tuple[list[Statement], tuple[str, ...]]:
        """The statements up to the } of a block, and the comments before that."""
        found: list[Statement] = []
        stray = 0  # braces that belong to nothing, and are still open
        while (token := self._next()) is not None:
            if token.words:
                if self._is_for_around(token, block):
                    return found, ()
                self._at += 1
                token = self._cut(token, block)
                if token.words and (statement := self._statement(token, block)):
                    found.append(statement)
                continue
            self._at += 1
            if token.brace == "{":
                stray += 1
                self._remarks.error(token.place, block.path, "this { belongs to nothing; what is in it is read without")
            elif stray:
                stray -= 1
            elif block.around is not None:
                return found, token.comments
            else:
                self._remarks.error(token.place, "", "this } closes nothing")
        if block.around is not None:
            self._remarks.error(block.place, block.path, f"the }} of {quote(block.name)} is missing")
        return found, ()

    def _cut(self, token: Token, block: _Block) -> Token:
        """The statement as the process of keepalived reads it that its block is for."""
        if token.cut is None or block.path.startswith(_GLOBAL):
            return token
        message = "outside double quotes keepalived takes this # or ! for the beginning of a comment all the same"
        self._remarks.advise(token.place, block.path, message)
        return token._replace(words=token.cut)

    def _is_for_around(self, token: Token, block: _Block) -> bool:
        """Whether the } of a block is missing before a line, since only a block around it can be meant."""
        word = token.words[0].text
        if block.knows(word):
            return False
        after = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
        opens = after is not None and after.brace == "{"
        for around in block.blocks_around():
            keyword = around.knows(word)
            if keyword and (self._mending or (opens and keyword.shape is not Shape.LINE)):
                message = f"the }} of {quote(block.name)}, begun in line {block.place.line}, is missing before this"
                self._remarks.error(token.place, block.path, message)
                return True
        return False

    def _statement(self, token: Token, block: _Block) -> Statement | None:
        """The statement that begins with `token`, None when it is left out."""
        if block.keywords is None:
            return Statement(token.words, "", None, token.comments)
        keyword = block.keywords.get(token.words[0].text)
        if keyword is None:
            self._unknown(token, block)
            return None
        arguments = token.words[1:]
        path = f"{block.path}.{keyword.name}" if block.path else keyword.name
        inside: tuple[Statement, ...] | None = None
        comments = token.comments
        if keyword.shape is Shape.LINE:
            self._line(token, keyword, block, path)
        else:
            inside, brace_comments = self._block(token, keyword, block, path)
            comments += brace_comments
        if len(arguments) < keyword.needs:
            message = "a parameter is missing; this is left out, where keepalived would end"
            self._remarks.add(Weight.MISSING, token.place, path, message)
            return None
        if keyword.shape is Shape.LIST and len(arguments) > keyword.needs:
            self._remarks.error(arguments[keyword.needs].place, path, "this word has no meaning before the {")
        return Statement(token.words, block.context, inside, comments)

    def _line(self, token: Token, keyword: Keyword, block: _Block, path: str) -> None:
        """Remark what stands behind a keyword that takes words only."""
        for word in token.words[1 + keyword.needs :]:
            if not word.quoted and block.knows(word.text):
                message = f"{word.text} is only a word here, behind another keyword; give it a line of its own"
                self._remarks.advise(word.place, path, message)
        if self._opens():
            self._remarks.error(token.place, path, "takes no block; what stands between the braces is left out")
            self._skip(block)

    def _block(
        self, token: Token, keyword: Keyword, block: _Block, path: str
    ) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
        """What stands between the braces of a keyword, and the comments before those."""
        keywords = self._contexts[keyword.opens] if keyword.shape is Shape.BLOCK else None
        if keywords is not None and len(token.words) > 1 and keyword.opens not in _SECRET:
            path = f"{path}.{quote(token.words[1].text)[1:-1]}"
        inner = _Block(keyword.name, keyword.opens, keywords, path, token.place, block)
        first_comments: tuple[str, ...] = ()
        if self._opens():
            first_comments = self._tokens[self._at].comments
            self._at += 1
        else:
            self._remarks.error(token.place, path, "its { is missing")
            if not self._continues(inner):
                return (), ()
        found, last_comments = self._inside(inner)
        return tuple(found), first_comments + last_comments

    def _continues(self, inner: _Block) -> bool:
        """Whether what follows a keyword without { is meant to be in its block."""
        token = self._next()
        if token is None or not token.words:
            return False
        word = token.words[0].text
        if inner.keywords is not None:
            return word in inner.keywords
        return not any(around.knows(word) for around in inner.blocks_around())

    def _unknown(self, token: Token, block: _Block) -> None:
        """Remark a keyword that is not in the table, and leave it out with its block."""
        word = token.words[0].text
        message = "unknown keyword" if block.context in _SECRET else f"unknown keyword {quote(word)}"
        if owners := self._owners.get(word):
            message += f", which belongs in {' or '.join(owners)}"
        elif self._suggestions and block.keywords:
            self._suggestions -= 1
            message += suggestion(word, block.keywords)
        if self._opens():
            message += "; left out with its block"
            self._skip(block)
        self._remarks.error(token.place, block.path, message)

    @functools.cached_property
    def _owners(self) -> dict[str, list[str]]:
        """The blocks in which a word is a keyword, three at most."""
        blocks = {(each.name, each.opens) for keywords in self._contexts.values() for each in keywords.values()}
        found: dict[str, list[str]] = {}
        for name, opens in sorted(blocks):
            for word in self._contexts.get(opens, ()):
                if len(found.setdefault(word, [])) < 3:
                    found[word].append(name)
        return found

    def _skip(self, block: _Block) -> None:
        """Leave out a block from its { to its }, in a file that misses one at most to a block that is known here."""
        begin = self._tokens[self._at].place
        depth = 0
        while (token := self._next()) is not None:
            if depth == 1 and self._mending and token.words and self._known_here(token, block):
                self._remarks.error(begin, block.path, "the } of this { is missing")
                return
            self._at += 1
            depth += {"{": 1, "}": -1}.get(token.brace, 0)
            if depth == 0:
                return
        self._remarks.error(begin, block.path, "the } of this { is missing")

    def _known_here(self, token: Token, block: _Block) -> bool:
        word = token.words[0].text
        return any(each.knows(word) for each in (block, *block.blocks_around()))


def _with_comments(statement: Statement, comments: tuple[str, ...]) -> Statement:
    return Statement(statement.words, statement.context, statement.block, statement.comment + comments)
