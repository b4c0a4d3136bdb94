"""`pyvrrpctl replay`: a recording through the core of this version, and where it decides otherwise."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import click

from pyvrrp.cli.failure import UNHEALTHY, USAGE, Failure
from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.events import AdvertOverheard, AdvertReceived, Event
from pyvrrp.core.wire import decode
from pyvrrp.errors import RecordingError, WireError
from pyvrrp.recording.plain import Plainly
from pyvrrp.recording.replay import Difference, line
from pyvrrp.recording.replay import replay as play
from pyvrrp.recording.tape import Tape, Turn

_UNUSABLE: Final = 2
_DIFFERS: Final = UNHEALTHY
_PLAINLY: Final = Plainly()


@click.command()
@click.argument("file")
@click.option("--until", type=float, metavar="SECONDS", help="Play only so much, counted from where it begins.")
@click.option("--verbose", "-v", is_flag=True, help="Every event and every effect, not only what goes to the log.")
def replay(file: str, until: float | None, verbose: bool) -> int:
    """Play the recording FILE again, and tell what happened: transitions, adverts turned away, failures.

    Exits with 3, after the first difference, when this version decides otherwise than the one that recorded it did.
    """
    try:
        with open(file, "rb") as lines:  # noqa: PTH123  # a pipe is read as well as a file
            tape = Tape(file, lines)
            return _play(tape, until, verbose)
    except RecordingError as error:
        raise Failure(str(error), _UNUSABLE) from None
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", USAGE) from None


def _play(tape: Tape, until: float | None, verbose: bool) -> int:
    timeline = _Timeline(tape, verbose)
    begin = float(tape.header["now"])
    timeline.head()
    difference = play(tape, float("inf") if until is None else begin + until, timeline.show)
    if difference is not None:
        timeline.tell(difference)
        return _DIFFERS
    timeline.foot()
    return 0


class _Timeline:
    """What is printed, line by line."""

    def __init__(self, tape: Tape, verbose: bool) -> None:
        self._tape = tape
        self._verbose = verbose
        self._begin = self._now = float(tape.header["now"])
        self._turns = 0

    def head(self) -> None:
        header, count = self._tape.header, len(self._tape.settings.instances)
        begins = "its start" if header["begins"] == "start" else "the midst of its work"
        click.echo(
            f"recorded by pyvrrpd {header['pyvrrp']} from {begins} on, {self._time(self._begin, date=True)}, "
            f"{count} instance{'' if count == 1 else 's'}"
        )

    def show(self, turn: Turn, effects: Sequence[Effect]) -> None:
        self._turns += 1
        self._now = turn.now
        if self._verbose:
            click.echo(f"{self._stamp(turn.now)}  > {_event(turn.event)}")
        for each in effects:
            if isinstance(each, Record) and (self._verbose or each.level <= Level.NOTICE):
                click.echo(f"{self._stamp(turn.now)}  {_logged(each)}")
            elif self._verbose:
                click.echo(f"{self._stamp(turn.now)}  < {line(_PLAINLY.encode(each))}")

    def tell(self, difference: Difference) -> None:
        turn = difference.turn
        click.echo(f"{self._stamp(turn.now)}  line {turn.line}, DECIDES OTHERWISE on {_event(turn.event)}")
        for each in difference.what:
            click.echo(f"    {each}")
        if self._tape.version:
            click.echo(f"It was recorded by pyvrrpd {self._tape.version}, whose settings are not made like ours.")

    def foot(self) -> None:
        how = "as recorded"
        if self._tape.torn:
            how += "; its last line was cut off, as when the daemon is killed"
        elif self._tape.ended:
            how += f"; then {self._tape.ended}"
        click.echo(f"{self._turns} events in {self._now - self._begin:.3f} s: decided {how}")

    def _stamp(self, now: float) -> str:
        return f"{self._time(now)} {now - self._begin:+10.3f}"

    def _time(self, now: float, date: bool = False) -> str:
        wall = self._tape.wall(now)
        text = time.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S", time.localtime(wall))
        return f"{text}.{int(wall % 1 * 1000):03d}"


def _event(event: Event) -> str:
    if not isinstance(event, AdvertReceived | AdvertOverheard):
        return line(_PLAINLY.encode(event))
    kind = type(event).__name__
    try:
        advert = decode(event.payload, event.source, event.destination, event.ttl)
    except WireError as error:
        return f"{kind} {event.interface} {event.source}: {error}"
    return (
        f"{kind} {event.interface} {event.source}: VRRPv{advert.version} VRID {advert.vrid} "
        f"priority {advert.priority} every {advert.seconds:g} s"
    )


def _logged(record: Record) -> str:
    return f"({record.instance}) {record.text}" if record.instance else record.text
