"""What a server is worth now, in one word and one sentence, from what was seen of it. Nothing here asks or waits.

Only the server's own silence counts: whoever looks takes off what the agent itself was late, before it is told here.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from typing import Final

from pyvrrp.core.settings import ProbeSettings
from pyvrrp.mysql.failure import DatabaseError, Kind

STALL: Final = 2.0  # seconds without an answer to a write
FULL: Final = "Waiting for someone to free space"  # the server's own word: it need not be waited for
# What a write waits for, in the process list's words, while nothing is wrong with the server: somebody's lock (of a
# backup, FLUSH TABLES WITH READ LOCK, ALTER TABLE), or a replica that has to acknowledge.
LOCK: Final = re.compile(r"Waiting for (semi-sync ACK|.* lock$)")
# The server answers, and cannot write: errors of its files, and of the engine beneath.
STORAGE: Final = frozenset({3, 1021, 1026, 1030, 1114, 1598})


class Word(enum.Enum):
    """A verdict. UNKNOWN is none yet; OVERLOADED is alive; STALLED answers questions, but no writes."""

    UNKNOWN = ""
    UP = "UP"
    OVERLOADED = "OVERLOADED"
    READ_ONLY = "READ_ONLY"
    STALLED = "STALLED"
    HUNG = "HUNG"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A server at the time `at`; `since` it has been called so. `evidence` goes on after its name.

    `conclusive`: no second look is needed, the kernel says that nothing listens. `usable` is False where nothing can be
    asked of it. UP and not usable is a server that lives, but refuses this agent (a wrong password, a blocked host): no
    reason to leave one that serves its clients, and one not to open the writes of another. `pid` is that of a server on
    this host, where it is known.
    """

    word: Word = Word.UNKNOWN
    evidence: str = "was not asked yet"
    since: float = 0.0
    at: float = 0.0
    conclusive: bool = False
    usable: bool = False
    read_only: bool | None = None
    version: str = ""
    server_id: int = 0
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The ping was answered."""

    at: float
    read_only: bool
    version: str = ""
    server_id: int = 0
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """A question has been waiting for this much longer than when it was last said, the agent's lateness taken off."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The ping had another end than an answer."""

    at: float
    error: DatabaseError


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """The kernel says that the server's process is no more."""

    at: float


@dataclass(frozen=True, slots=True)
class WriteWaits:
    """A write has had no answer for `seconds`; `state` is what the server says it does meanwhile, "" if nothing."""

    at: float
    seconds: float
    state: str


@dataclass(frozen=True, slots=True)
class WriteEnded:
    """A write was answered, failed, or was given up (`error` None)."""

    at: float
    error: DatabaseError | None = None


Sample = Answered | Silent | Failed | ProcessEnded | WriteWaits | WriteEnded


class Judge:
    """Samples in, verdicts out."""

    def __init__(self, settings: ProbeSettings) -> None:
        # The last of `misses` pings, one every `interval`, goes without an answer for `timeout`.
        self._patience = settings.timeout + (settings.misses - 1) * settings.interval
        self._misses = settings.misses
        self._silence = 0.0
        self._failures = 0
        self._ended = False
        self._asked = Verdict()  # without what writes say
        self._writes = ""  # what is remarkable about writes
        self._stalled = False
        self._excused = 0.0  # seconds that the write under way has waited for others
        self.verdict = Verdict()

    def hear(self, sample: Sample) -> Verdict:
        """The verdict now."""
        match sample:
            case Answered():
                self._answered(sample)
            case Silent(_, seconds):
                self._silence += seconds
                if self._silence >= self._patience:
                    self._becomes(Word.HUNG, f"has given no answer for {self._silence:.1f} s")
            case Failed(_, error):
                self._failed(error)
            case ProcessEnded():
                self._ended = True
            case WriteWaits():
                self._write_waits(sample)
            case WriteEnded(_, error):
                self._write_ended(error)
        self.verdict = self._combined(sample.at)
        return self.verdict

    def _answered(self, sample: Answered) -> None:
        self._spoke()
        word, evidence = (Word.READ_ONLY, "answers; it is read only") if sample.read_only else (Word.UP, "answers")
        self._asked = Verdict(
            word=word,
            evidence=evidence,
            usable=True,
            read_only=sample.read_only,
            version=sample.version,
            server_id=sample.server_id,
            pid=sample.pid,
        )

    def _failed(self, error: DatabaseError) -> None:
        if error.kind is Kind.OVERLOADED:
            self._spoke()
            self._becomes(Word.OVERLOADED, f"is alive and takes no more connections ({error})")
        elif error.number or error.kind in {Kind.DENIED, Kind.UNABLE}:
            # Whatever it says, it speaks. (DENIED without a number is a password file that cannot be used: then the
            # server was not even asked, and nothing is known against it.)
            self._spoke()
            self._becomes(Word.UP, f"cannot be used: {error}")
        elif error.kind is Kind.REFUSED:
            died = "refuses connections, its process has ended" if self._ended else "refuses connections"
            self._becomes(Word.DOWN, died, conclusive=True)
        else:
            self._miss(error)

    def _miss(self, error: DatabaseError) -> None:
        """A failure that another try may mend."""
        self._failures += 1
        if self._failures < self._misses:
            return
        if error.kind is Kind.TIMED_OUT:
            self._becomes(Word.HUNG, f"did not answer {self._failures} times in a row")
        else:
            self._becomes(Word.DOWN, f"{error.kind.value}, {self._failures} times in a row ({error})")

    def _spoke(self) -> None:
        self._silence, self._failures, self._ended = 0.0, 0, False

    def _becomes(self, word: Word, evidence: str, *, conclusive: bool = False) -> None:
        """Another verdict than an answer's; what the last answer said of the server itself is kept."""
        self._asked = replace(
            self._asked,
            word=word,
            evidence=evidence,
            conclusive=conclusive,
            usable=False,
            pid=None if self._ended else self._asked.pid,
        )

    def _write_waits(self, sample: WriteWaits) -> None:
        if LOCK.match(sample.state):
            self._excused = sample.seconds
        if sample.seconds < STALL and sample.state != FULL:
            return
        self._stalled = sample.state == FULL or sample.seconds - self._excused >= STALL
        doing = f' ("{sample.state}")' if sample.state else ""
        waits = (
            f"a write has had no answer for {sample.seconds:.1f} s" if self._stalled else "a write only waits its turn"
        )
        self._writes = waits + doing

    def _write_ended(self, error: DatabaseError | None) -> None:
        self._excused = 0.0
        self._stalled = error is not None and error.number in STORAGE
        # One that came in between read_only and the next ping is no news.
        said = error is not None and error.number and error.kind is not Kind.READ_ONLY
        self._writes = f"a write fails: {error}" if said else ""

    def _combined(self, at: float) -> Verdict:
        word, evidence = self._asked.word, self._asked.evidence
        if self._asked.usable and self._writes:
            word = Word.STALLED if self._stalled else word
            evidence = f"{evidence}, but {self._writes}" if self._stalled else f"{evidence}; {self._writes}"
        since = self.verdict.since if word is self.verdict.word else at
        return replace(self._asked, word=word, evidence=evidence, since=since, at=at)
