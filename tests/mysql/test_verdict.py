"""Verdicts, from samples with times: what counts against a server, and what does not."""

from __future__ import annotations

import pytest

from pyvrrp.core.settings import ProbeSettings
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.verdict import (
    Answered,
    Failed,
    Judge,
    ProcessEnded,
    Sample,
    Silent,
    Verdict,
    Word,
    WriteEnded,
    WriteWaits,
)

ANSWERED = Answered(10.0, read_only=False, version="10.11.19-MariaDB", server_id=7, pid=4242)
REFUSED = DatabaseError(Kind.REFUSED, 0, "[Errno 111] Connection refused")
OVERLOADED = DatabaseError(Kind.OVERLOADED, 1040, "error 1040: Too many connections")
DENIED = DatabaseError(Kind.DENIED, 1045, "error 1045: Access denied for user 'pyvrrp'@'localhost'")
TIMED_OUT = DatabaseError(Kind.TIMED_OUT, 0, "no answer in 5 s")
CLOSED = DatabaseError(Kind.CLOSED, 0, "Lost connection")


def verdict(*samples: Sample) -> Verdict:
    judge = Judge(ProbeSettings(interval=0.3, timeout=0.3, misses=3))
    for sample in samples:
        judge.hear(sample)
    return judge.verdict


def test_nothing_is_known_at_first() -> None:
    assert verdict() == Verdict(Word.UNKNOWN, "was not asked yet")


def test_an_answer_is_up_and_says_what_the_server_is() -> None:
    found = verdict(ANSWERED)
    assert (found.word, found.evidence, found.usable) == (Word.UP, "answers", True)
    assert (found.version, found.server_id, found.pid, found.read_only) == ("10.11.19-MariaDB", 7, 4242, False)


def test_since_stays_while_the_word_does() -> None:
    read_only = Answered(11.0, read_only=True)
    found = verdict(ANSWERED, read_only, Answered(12.0, read_only=True))
    assert (found.word, found.since, found.at) == (Word.READ_ONLY, 11.0, 12.0)


def test_silence_adds_up_to_hung_and_one_answer_ends_it() -> None:
    silent = [Silent(10.0 + n * 0.1, 0.1) for n in range(1, 9)]
    assert verdict(ANSWERED, *silent).word is Word.UP  # 0.8 s: a server that was stopped for half a second is far off
    hung = verdict(ANSWERED, *silent, Silent(10.9, 0.1001))
    assert (hung.word, hung.evidence, hung.usable) == (Word.HUNG, "has given no answer for 0.9 s", False)
    assert (hung.since, hung.pid, hung.conclusive) == (10.9, 4242, False)
    assert verdict(ANSWERED, *silent, ANSWERED, Silent(11.0, 0.8)).word is Word.UP


def test_silence_goes_on_over_a_new_connection() -> None:
    assert verdict(ANSWERED, Silent(10.5, 0.5), Failed(10.5, TIMED_OUT), Silent(11.0, 0.5)).word is Word.HUNG


def test_a_full_queue_of_a_unix_socket_hangs_after_so_many_misses() -> None:
    full = Failed(10.0, DatabaseError(Kind.TIMED_OUT, 0, "Resource temporarily unavailable"))
    assert verdict(full, full).word is Word.UNKNOWN
    assert verdict(full, full, full).word is Word.HUNG


def test_refused_is_down_at_once_and_conclusive() -> None:
    down = verdict(ANSWERED, Failed(10.1, REFUSED))
    assert (down.word, down.evidence, down.conclusive) == (Word.DOWN, "refuses connections", True)
    assert down.pid == 4242  # its process may still be there, closing


def test_an_ended_process_is_evidence_for_the_refusal_and_has_no_pid() -> None:
    assert verdict(ANSWERED, ProcessEnded(10.1)).word is Word.UP  # another may serve already
    down = verdict(ANSWERED, ProcessEnded(10.1), Failed(10.1, REFUSED))
    assert (down.word, down.evidence, down.pid) == (Word.DOWN, "refuses connections, its process has ended", None)


def test_closed_connections_are_down_only_when_there_is_nothing_else() -> None:
    assert verdict(ANSWERED, Failed(10.1, CLOSED), Failed(10.4, CLOSED), ANSWERED, Failed(10.9, CLOSED)).word is Word.UP
    down = verdict(ANSWERED, *[Failed(10.1, CLOSED)] * 3)
    assert (down.word, down.conclusive) == (Word.DOWN, False)
    assert down.evidence == "closed the connection, 3 times in a row (Lost connection)"


def test_too_many_connections_is_alive() -> None:
    found = verdict(ANSWERED, Silent(10.5, 0.8), Failed(10.8, OVERLOADED), Silent(11.1, 0.8))
    assert (found.word, found.usable) == (Word.OVERLOADED, False)
    assert found.evidence == "is alive and takes no more connections (error 1040: Too many connections)"


@pytest.mark.parametrize(
    "error", [DENIED, DatabaseError(Kind.SQL, 1129, "error 1129: Host is blocked"), DatabaseError(Kind.DENIED, 0, "f")]
)
def test_a_server_that_refuses_the_agent_is_up_and_of_no_use(error: DatabaseError) -> None:
    found = verdict(Silent(10.5, 0.8), Failed(10.8, error), Silent(11.1, 0.8))
    assert (found.word, found.usable, found.evidence) == (Word.UP, False, f"cannot be used: {error}")


# --- writes ----------------------------------------------------------------------------------------------------------


def test_a_write_without_an_answer_stalls_until_it_has_one() -> None:
    full = WriteWaits(12.0, 2.0, "Waiting for someone to free space")
    found = verdict(ANSWERED, full)
    assert found.word is Word.STALLED
    assert found.evidence == ('answers, but a write has had no answer for 2.0 s ("Waiting for someone to free space")')
    assert verdict(ANSWERED, full, ANSWERED).word is Word.STALLED  # pings say nothing of writes
    assert verdict(ANSWERED, full, ANSWERED, WriteEnded(13.0)).word is Word.UP
    assert verdict(ANSWERED, full, Failed(13.0, REFUSED)).word is Word.DOWN


def test_a_full_disk_that_the_server_itself_speaks_of_is_not_waited_for() -> None:
    assert verdict(ANSWERED, WriteWaits(10.4, 0.4, "Waiting for someone to free space")).word is Word.STALLED


def test_a_write_is_given_two_seconds() -> None:
    assert verdict(ANSWERED, WriteWaits(11.9, 1.9, "Commit")).evidence == "answers"


@pytest.mark.parametrize(
    "state",
    [
        "Waiting for backup lock",
        "Waiting for global read lock",
        "Waiting for table metadata lock",
        "Waiting for semi-sync ACK from slave",
        "Waiting for semi-sync ACK from replica",
    ],
)
def test_a_write_that_waits_its_turn_is_no_stall(state: str) -> None:
    found = verdict(ANSWERED, WriteWaits(15.0, 5.0, state))
    assert (found.word, found.evidence) == (Word.UP, f'answers; a write only waits its turn ("{state}")')


def test_what_a_write_waited_for_others_is_taken_off() -> None:
    """It was acknowledged after a long wait, and is being committed."""
    waited = WriteWaits(15.0, 7.0, "Waiting for semi-sync ACK from slave")
    assert verdict(ANSWERED, waited, WriteWaits(15.1, 7.1, "Commit")).word is Word.UP
    assert verdict(ANSWERED, waited, WriteWaits(17.0, 9.0, "Commit")).word is Word.STALLED
    ended = verdict(ANSWERED, waited, WriteEnded(15.2), WriteWaits(18.0, 2.5, "Commit"))
    assert ended.word is Word.STALLED, "that was another write"


@pytest.mark.parametrize("state", ["Commit", "", "Update", "System lock", "Waiting for someone to free space"])
def test_any_other_wait_is_one(state: str) -> None:
    assert verdict(ANSWERED, WriteWaits(15.0, 5.0, state)).word is Word.STALLED


def test_a_write_that_fails_at_once_for_want_of_space_is_a_stall() -> None:
    full = DatabaseError(Kind.SQL, 1114, "error 1114: The table 'heartbeat' is full")
    found = verdict(ANSWERED, WriteEnded(10.1, full))
    assert (found.word, found.evidence) == (Word.STALLED, f"answers, but a write fails: {full}")


@pytest.mark.parametrize("number", [1146, 1142])
def test_a_write_that_this_agent_may_not_make_is_said_and_is_no_stall(number: int) -> None:
    error = DatabaseError(Kind.SQL, number, f"error {number}: no")
    found = verdict(ANSWERED, WriteEnded(10.1, error))
    assert (found.word, found.evidence) == (Word.UP, f"answers; a write fails: error {number}: no")


def test_a_write_that_was_cut_off_or_came_too_late_says_nothing() -> None:
    late = DatabaseError(Kind.READ_ONLY, 1290, "error 1290: read-only")
    assert verdict(ANSWERED, WriteEnded(10.1, CLOSED), WriteEnded(10.2, late)).evidence == "answers"
