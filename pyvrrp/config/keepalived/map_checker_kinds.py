"""Checkers of a real_server → checks, one class for each kind."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.commands import Commands, Owner, owner_of
from pyvrrp.config.keepalived.draft import Draft, scalar
from pyvrrp.config.keepalived.map_checkers import RETRY, Checker, Server, Timed
from pyvrrp.config.keepalived.map_tracking import FILE, Checks
from pyvrrp.config.keepalived.numbers import INT_MAX, Number, written
from pyvrrp.config.keepalived.reading import Handler, Reader
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import TreeNode
from pyvrrp.config.values import Text, quote

_LENGTH: Final = Number(0, 65535)
_MISC_TIMEOUT: Final = Number(0, 4294)
_FILE_WEIGHT: Final = Number(-INT_MAX, INT_MAX)
_DIGEST: Final = 32  # hexadecimal digits of an MD5
_STATUS_RANGE: Final = re.compile(r"([1-5]\d\d)(?:-([1-5]\d\d))?", re.ASCII)
_DNS_TYPES: Final = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA")
_HTTP_VERSIONS: Final = {"1.0": "1.0", "1.0C": "1.0", "1.1": "1.1"}
_NIBBLES: Final = re.compile(r"[0-9a-fA-F]+", re.ASCII)
_NIBBLES_OR_ANY: Final = re.compile(r"[0-9a-fA-FxX]+", re.ASCII)


class _Tcp(Checker):
    TYPE = "tcp"

    def _old_retry(self, statement: Statement) -> None:
        """keepalived does not know nb_get_retry here, but many a tutorial does; the table of keywords remarks it."""
        value = self.scope.number(statement, RETRY, self.handed.text("retry", "1"))
        if value is not None:
            self.handed.say("retry", statement, written(value))

    HANDLERS: ClassVar[Mapping[str, Handler]] = {**Checker.CONNECTION, "nb_get_retry": _old_retry}


class _Http(Checker):
    TYPE = "http"
    USUAL_DELAY = "3"

    def _url(self, statement: Statement) -> None:
        url = _Url(self.scope.within(statement), statement.place)
        url.read(statement.block)
        if "path" not in url.draft:
            url.scope.error_at(statement.place, "has no path; it is left out")
            return
        self.draft.extend("urls", statement.place, [url.node()])

    def _version(self, statement: Statement) -> None:
        word = self.scope.word(statement)
        if word is None:
            return
        if word.text not in _HTTP_VERSIONS:
            self.scope.error(statement, f"{quote(word.text)} is not 1.0, 1.0C or 1.1; 1.0 is used")
            return
        self.draft.say("http_version", statement, _HTTP_VERSIONS[word.text])

    def _old_retry(self, statement: Statement) -> None:
        self.scope.error(statement, 'is outdated: say "retry" in place of it')
        value = self.scope.number(statement, RETRY, self.handed.text("retry", "1"))
        if value is not None:
            self.handed.say("retry", statement, written(value))

    def _complete(self, draft: Draft) -> bool:
        if "urls" not in self.draft:
            self.scope.error_at(self.statement.place, "has no url; it is left out")
            return False
        if (host := self.handed.entry("virtualhost")) is not None:
            self.draft.put("virtualhost", host.key.place, host.value)
        return self._put_connection(draft)

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **Checker.CONNECTION,
        "url": _url,
        "http_protocol": _version,
        "enable_sni": reading.truth("sni"),
        "nb_get_retry": _old_retry,
    }


class _Https(_Http):
    TYPE = "https"


class _Url(Reader):
    def _digest(self, statement: Statement) -> None:
        text = statement.arguments[0].text
        if len(text) != _DIGEST:
            self.scope.error(statement, f"has {len(text)} characters, an MD5 has {_DIGEST}; it is left out")
            return
        self.draft.say("digest", statement, text.lower())

    def _status(self, statement: Statement) -> None:
        found: list[TreeNode] = []
        for word in statement.arguments:
            match = _STATUS_RANGE.fullmatch(word.text)
            if match is None or (match[2] and match[2] < match[1]):
                self.scope.error(statement, f"{quote(word.text)} is not a status code or a range; it is left out")
            else:
                found.append(scalar(word.place, word.text))
        self.draft.extend("status_code", statement.place, found)

    def _regex(self, statement: Statement) -> None:
        word = self.scope.word(statement)
        if word is None:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                re.compile(word.text.encode(errors="surrogateescape"))
        except re.error as error:
            self.scope.error(statement, f"{quote(word.text)}: {error}; it is left out")
            return
        if reading.fits(self.scope, statement, Text(), word.text):
            self.draft.say("regex", statement, word.text)

    def node(self) -> TreeNode:
        """The page."""
        return self.draft.node()

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        "path": reading.text("path", Text()),
        "virtualhost": reading.text("virtualhost", Text()),
        "digest": _digest,
        "status_code": _status,
        "regex": _regex,
        "regex_no_match": reading.flag("regex_no_match"),
    }


class _Smtp(Checker):
    TYPE = "smtp"

    def __init__(self, scope: Scope, statement: Statement, server: Server, checks: Checks, commands: Commands) -> None:
        super().__init__(scope, statement, server, checks, commands)
        self._hosts: list[_Smtp] = []

    def _host(self, statement: Statement) -> None:
        host = _Smtp(self.scope.within(statement), statement, self.server, self.checks, self.commands)
        host.read(statement.block)
        self._hosts.append(host)

    def drafts(self) -> list[Draft]:
        """One check for the server itself, and one for each host that is named."""
        found = super().drafts()
        for host in self._hosts:
            host.handed.inherit(self.handed)
            host.draft.inherit(self.draft, "helo_name")
            found += host.drafts()
        return found

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **Checker.CONNECTION,
        "helo_name": reading.text("helo_name", Text()),
        "host": _host,
    }


class _Dns(Checker):
    TYPE = "dns"
    USUAL_RETRY = 3
    USUAL_DELAY = ""  # as delay_loop

    def _type(self, statement: Statement) -> None:
        name = statement.arguments[0].text.upper()
        if name not in _DNS_TYPES:
            self.scope.error(statement, f"{quote(name)} is not one of {', '.join(_DNS_TYPES)}; SOA is used")
            return
        self.draft.say("query_type", statement, name)

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **Checker.CONNECTION,
        "type": _type,
        "name": reading.text("name", Text()),
    }


class _Ping(Checker):
    TYPE = "ping"

    def _complete(self, draft: Draft) -> bool:
        return self._put_connection(draft, port=False)


class _Udp(Checker):
    TYPE = "udp"

    def _payload(self, statement: Statement) -> None:
        found = _bytes(statement, _NIBBLES)
        if not found:
            self.scope.error(statement, "needs bytes in hexadecimal; it is left out")
            return
        self.draft.say("payload", statement, "".join(found))

    def _reply(self, statement: Statement) -> None:
        reading.flag("require_reply")(self, statement)
        found = _bytes(statement, _NIBBLES_OR_ANY)
        if found is None:
            self.scope.error(statement, "is not hexadecimal (or x for any digit); the bytes are not compared")
        elif found:
            text = "".join(found).lower()
            self.draft.put("reply", statement.place, scalar(statement.arguments[0].place, text.replace("x", "0")))
            if "x" in text:
                mask = "".join("0" if digit == "x" else "f" for digit in text)
                self.draft.put("mask", statement.place, scalar(statement.arguments[0].place, mask))

    def _complete(self, draft: Draft) -> bool:
        low, high = (int(self.draft.text(key, usual)) for key, usual in (("min_length", "0"), ("max_length", "255")))
        if low > high:
            self.scope.error_at(self.statement.place, f"min_reply_length {low} is more than max_reply_length {high}")
        return self._put_connection(draft)

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **Checker.CONNECTION,
        "payload": _payload,
        "require_reply": _reply,
        "min_reply_length": reading.number("min_length", _LENGTH, "0"),
        "max_reply_length": reading.number("max_length", _LENGTH, "255"),
    }


class _Misc(Checker):
    TYPE = "script"
    USUAL_RETRY = 0

    def __init__(self, scope: Scope, statement: Statement, server: Server, checks: Checks, commands: Commands) -> None:
        super().__init__(scope, statement, server, checks, commands)
        self._program: Statement | None = None
        self._owner = Owner()

    def _path(self, statement: Statement) -> None:
        self._program = statement if statement.arguments else None

    def _user(self, statement: Statement) -> None:
        self._owner = owner_of(statement.arguments)

    def _complete(self, draft: Draft) -> bool:
        if self._program is None:
            self.scope.error_at(self.statement.place, "has no misc_path; it is left out")
            return False
        command = self.commands.read(self.scope, self._program, self._owner)
        if command is None:
            return False
        if self.draft.text("timeout") == "0":
            self.draft.drop("timeout")
        if "timeout" not in self.draft and (entry := self.handed.entry("delay_loop")) is not None:
            self.draft.put("timeout", entry.key.place, entry.value)
        self.draft.default("timeout", "60")
        draft.put("script", self._program.place, command)
        draft.inherit(self.draft)
        return True

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **Timed.TIMED,
        "misc_path": _path,
        "misc_timeout": reading.number("timeout", _MISC_TIMEOUT, "delay_loop"),
        "misc_dynamic": reading.flag("dynamic"),
        "user": _user,
    }


class _File(Checker):
    TYPE = "file"

    def __init__(self, scope: Scope, statement: Statement, server: Server, checks: Checks, commands: Commands) -> None:
        super().__init__(scope, statement, server, checks, commands)
        self._name: Statement | None = None
        self._weight: float | None = None

    def _track(self, statement: Statement) -> None:
        name = statement.arguments[0].text
        if (FILE, name) not in self.checks.known:
            self.scope.error(statement, f"there is no track_file {quote(name)} above this line; it is left out")
            return
        self._name = statement

    def _file_weight(self, statement: Statement) -> None:
        value = self.scope.number(statement, _FILE_WEIGHT, "0")
        self._weight = 0 if value is None else value

    def drafts(self) -> list[Draft]:
        """A check where the number says up or down; else it moves IPVS's weight only, which is not programmed yet."""
        if self._name is None:
            self.scope.error_at(self.statement.place, "has no track_file; it is left out")
            return []
        tracked = self.checks.known[FILE, self._name.arguments[0].text]
        if (tracked.weight if self._weight is None else self._weight) != 0:
            self.scope.advise_at(self.statement.place, "with a weight it moves IPVS's only; it is left out")
            return []
        draft = Draft(self.statement.place)
        draft.default("type", self.TYPE)
        draft.inherit(self.checks.drafts[tracked.check], "file")
        return [draft]

    HANDLERS: ClassVar[Mapping[str, Handler]] = {"track_file": _track, "weight": _file_weight}


class _Bfd(Checker):
    TYPE = ""

    def drafts(self) -> list[Draft]:
        """None: there is no BFD."""
        return []

    HANDLERS: ClassVar[Mapping[str, Handler]] = {}


CHECKERS: Final[Mapping[str, type[Checker]]] = {
    "TCP_CHECK": _Tcp,
    "HTTP_GET": _Http,
    "SSL_GET": _Https,
    "SMTP_CHECK": _Smtp,
    "DNS_CHECK": _Dns,
    "MISC_CHECK": _Misc,
    "PING_CHECK": _Ping,
    "UDP_CHECK": _Udp,
    "FILE_CHECK": _File,
    "BFD_CHECK": _Bfd,
}


def _bytes(statement: Statement, form: re.Pattern[str]) -> list[str] | None:
    """Bytes in keepalived's free form: each word's digits in pairs, a last one alone is a byte of its own."""
    found: list[str] = []
    for word in " ".join(each.text for each in statement.arguments).split():
        if not form.fullmatch(word):
            return None
        found += [word[at : at + 2].rjust(2, "0") for at in range(0, len(word), 2)]
    return found
