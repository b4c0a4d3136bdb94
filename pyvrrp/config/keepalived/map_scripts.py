"""What can be tracked by name: vrrp_script, track_file and vrrp_track_process → checks."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.commands import Commands, Owner, owner_of
from pyvrrp.config.keepalived.draft import Draft, scalar
from pyvrrp.config.keepalived.map_tracking import FILE, PROCESS, SCRIPT, WEIGHT, WIDER_WEIGHT, Checks, Tracked
from pyvrrp.config.keepalived.names import sound_name
from pyvrrp.config.keepalived.numbers import FINEST, INT_MAX, Number, written
from pyvrrp.config.keepalived.reading import Handler, Reader
from pyvrrp.config.keepalived.scope import Scope, is_address
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.values import FileName, Text, quote

# bash takes this for a TCP connection; the Debian package's samples have it, for a shell that is none.
_TCP: Final = re.compile(r"<\s*/dev/tcp/([^/\s]+)/(\d{1,5})", re.ASCII)
_LOCALHOST: Final = {"localhost": "127.0.0.1"}
_SECONDS: Final = Number(0, 4294, lifts=True)
_TIMES: Final = Number(1, INT_MAX, most=100_000)
_DELAY: Final = Number(FINEST, 3600, decimal=True)
_PROCESS_INTERVAL: Final = 1.0  # seconds between two looks at the processes


class _Weighted(Reader):
    """A definition that says what its weight is where nobody says another. With ONCE it is not said twice."""

    FORM: ClassVar[Number] = WEIGHT
    USUAL: ClassVar[int] = 0
    ONCE: ClassVar[bool] = True

    def __init__(self, scope: Scope, statement: Statement) -> None:
        super().__init__(scope, statement.place)
        self.statement = statement
        self.weight = self.USUAL
        self.reverse = False
        self.inverted = False

    def take_weight(self, statement: Statement) -> None:
        """`weight N [reverse]`."""
        if self.ONCE and self.weight != self.USUAL:
            self.scope.error(statement, f"it is {self.weight} already; this is left out")
            return
        value = self.scope.number(statement, self.FORM, written(self.weight))
        if value is None:
            return
        self.weight = int(value)
        turn = statement.arguments[1:2]
        if turn and turn[0].text == "reverse":
            self.reverse = True  # for good: a weight that is said again without it does not undo it
        elif turn:
            self.scope.error(statement, f"{quote(turn[0].text)} is not reverse; it is left out")

    def define(self, checks: Checks, kind: str, prefix: str, draft: Draft | None) -> None:
        """Let it be tracked by its name, with its weight where nobody says another."""
        name = self.statement.arguments[0].text
        check = checks.fresh(sound_name(f"{prefix}{name}"))
        checks.define(Tracked(self.statement, kind, name, check, self.weight, self.reverse, self.inverted), draft)


def read_script(scope: Scope, statement: Statement, checks: Checks, commands: Commands) -> None:
    """vrrp_script."""
    reader = _Script(scope.within(statement), statement)
    reader.read(statement.block)
    reader.define(checks, SCRIPT, "", reader.complete(commands))


def read_file(scope: Scope, statement: Statement, checks: Checks) -> None:
    """track_file."""
    reader = _File(scope.within(statement), statement)
    reader.read(statement.block)
    reader.define(checks, FILE, "file/", reader.complete())


def read_process(scope: Scope, statement: Statement, checks: Checks) -> None:
    """vrrp_track_process."""
    reader = _Process(scope.within(statement), statement)
    reader.read(statement.block)
    reader.define(checks, PROCESS, "process/", reader.complete())


class _Script(_Weighted):
    ONCE = False

    def __init__(self, scope: Scope, statement: Statement) -> None:
        super().__init__(scope, statement)
        self.script: Statement | None = None
        self.owner: Statement | None = None

    def _program(self, statement: Statement) -> None:
        self.script = statement

    def _user(self, statement: Statement) -> None:
        self.owner = statement

    def _init_fail(self, statement: Statement) -> None:
        self.draft.default("initial", "down", statement.place)

    def complete(self, commands: Commands) -> Draft | None:
        """The check; None, with a remark, when there is nothing to run."""
        if self.script is None or not self.script.arguments:
            self.scope.error_at(self.statement.place, "has no script; it is left out")
            return None
        found = self._connection(self.script) or self._command(self.script, commands)
        if found is None:
            return None
        # Every default is named: node.yaml's are others.
        self.draft.default("interval", "1")
        interval = self.draft.entry("interval")
        self.draft.default("timeout", self.draft.text("interval"), interval.key.place if interval else None)
        self.draft.default("fall", "1")
        self.draft.default("rise", "1")
        found.inherit(self.draft)
        return found

    def _command(self, script: Statement, commands: Commands) -> Draft | None:
        owner = owner_of(self.owner.arguments) if self.owner is not None else Owner()
        command = commands.read(self.scope, script, owner, tracked=True)
        if command is None:
            return None
        draft = Draft(self.draft.place)
        draft.default("type", "script")
        draft.put("script", script.place, command)
        return draft

    def _connection(self, script: Statement) -> Draft | None:
        match = _TCP.fullmatch(script.arguments[0].text)
        host = _LOCALHOST.get(match[1], match[1]) if match is not None else ""
        if match is None or not is_address(host) or not 0 < int(match[2]) < 65536:
            return None
        self.scope.advise(script, f"a TCP connection to port {match[2]} is tried, as bash would; no shell runs")
        draft = Draft(self.draft.place)
        for key, value in (("type", "tcp"), ("host", host), ("port", match[2])):
            draft.default(key, value, script.place)
        return draft

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        "script": _program,
        "user": _user,
        "interval": reading.number("interval", _SECONDS, "1"),
        "timeout": reading.number("timeout", _SECONDS, "interval"),
        "rise": reading.number("rise", _TIMES, "1"),
        "fall": reading.number("fall", _TIMES, "1"),
        "weight": _Weighted.take_weight,
        "init_fail": _init_fail,
    }


class _File(_Weighted):
    FORM = WIDER_WEIGHT
    USUAL = 1

    def complete(self) -> Draft | None:
        """The check; None, with a remark, when no file is named."""
        if "file" not in self.draft:
            self.scope.error_at(self.statement.place, "names no file; it is left out")
            return None
        self.draft.default("type", "file")
        return self.draft

    def _path(self, statement: Statement) -> None:
        if "file" in self.draft:
            self.scope.error(statement, "there is a file already; this is left out")
            return
        reading.text("file", FileName())(self, statement)

    def _init(self, statement: Statement) -> None:
        words = [word.text for word in statement.arguments]
        for word in words:
            if word != "overwrite" and not word.lstrip("+-").isdecimal():
                self.scope.error(statement, f"{quote(word)} is neither a number nor overwrite")

    HANDLERS: ClassVar[Mapping[str, Handler]] = {"file": _path, "weight": _Weighted.take_weight, "init_file": _init}


class _Process(_Weighted):
    FORM = WIDER_WEIGHT

    def __init__(self, scope: Scope, statement: Statement) -> None:
        super().__init__(scope, statement)
        self.partial = False

    def _name(self, statement: Statement) -> None:
        if "process" in self.draft:
            self.scope.error(statement, "there is a process already; this is left out")
            return
        reading.text("process", Text())(self, statement)
        arguments = [word.text for word in statement.arguments[1:]]
        if arguments:
            place = statement.arguments[1].place
            self.draft.put("arguments", statement.place, scalar(place, shlex.join(arguments)))

    def _param_match(self, statement: Statement) -> None:
        how = [word.text for word in statement.arguments]
        if not how:
            if "arguments" not in self.draft:
                self.draft.put("arguments", statement.place, scalar(statement.place, ""))
        elif how[0] in ("initial", "partial"):
            self.partial = True
        else:
            self.scope.error(statement, f"{quote(how[0])} is not initial or partial; it is left out")

    def _delay(self, statement: Statement) -> None:
        """The pause that keepalived makes, in runs of the check that must agree."""
        value = self.scope.number(statement, _DELAY, "0")
        if value is None:
            return
        runs = written(1 + math.ceil(value / _PROCESS_INTERVAL))
        if statement.keyword != "terminate_delay":
            self.draft.say("rise", statement, runs)
        if statement.keyword != "fork_delay":
            self.draft.say("fall", statement, runs)

    def complete(self) -> Draft | None:
        """The check; None, with a remark, when no process is named."""
        if "process" not in self.draft:
            self.scope.error_at(self.statement.place, "names no process; it is left out")
            return None
        quorum, quorum_max = (float(self.draft.text(key, "1")) for key in ("quorum", "quorum_max"))
        if "quorum_max" in self.draft:
            self._bound(quorum, quorum_max)
        if self.partial:
            self.draft.drop("arguments")
        draft = Draft(self.draft.place)
        draft.default("type", "process")
        draft.inherit(self.draft)
        draft.default("interval", written(_PROCESS_INTERVAL))
        draft.default("fall", "1")
        return draft

    def _bound(self, quorum: float, quorum_max: float) -> None:
        """quorum_max, which with 0 asks that there be none."""
        if quorum_max == 0:
            self.draft.drop("quorum_max")
            self.draft.drop("quorum")
            self.inverted = True
        elif quorum_max < quorum:
            self.scope.error_at(self.statement.place, "quorum_max is less than quorum; it is left out")
            self.draft.drop("quorum_max")

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        "process": _name,
        "param_match": _param_match,
        "weight": _Weighted.take_weight,
        "quorum": reading.number("quorum", Number(1, 65535), "1"),
        "quorum_max": reading.number("quorum_max", Number(0, 65535), "any number"),
        "delay": _delay,
        "fork_delay": _delay,
        "terminate_delay": _delay,
        "full_command": reading.flag("full_command"),
    }
