"""`pyvrrpctl sniff`: VRRP, ARP and neighbour discovery on the wire, and what this node makes of each packet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Final

import click

from pyvrrp.cli.asking import status_of
from pyvrrp.cli.capture import CaptureFile, Frame, from_file, live
from pyvrrp.cli.dissect import dissect
from pyvrrp.cli.failure import Failure
from pyvrrp.cli.viewpoint import States, Viewpoint
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.settings import NodeSettings
from pyvrrp.errors import ConfigError

_UNUSABLE: Final = 2
_STATES_AGE: Final = 1.0  # seconds for which the daemon is not asked again
_FOREVER: Final = float("inf")


@click.command()
@click.option("--interface", "-i", "names", multiple=True, metavar="IFACE", help="Default: the configuration's.")
@click.option("--config", "-c", metavar="FILE", help="Whose point of view; default: the running daemon's file.")
@click.option("--read", "-r", "source", metavar="FILE", help="Read a pcap file; needs no root.")
@click.option("--pcap", "-w", "target", metavar="FILE", help="Write what is shown to a pcap file, without passwords.")
@click.option("--count", "-n", type=click.IntRange(min=1), help="End after so many packets.")
@click.option("--seconds", "-s", type=click.FloatRange(min=0, min_open=True), help="End after this time.")
@click.pass_obj
def sniff(
    socket: str,
    names: tuple[str, ...],
    config: str | None,
    source: str | None,
    target: str | None,
    count: int | None,
    seconds: float | None,
) -> None:
    """Show VRRP, ARP and neighbour discovery, a line a packet, and what this node makes of it.

    It listens below the firewall: an advert that is shown here as accepted may still not reach the daemon. Passwords
    are judged, never shown.
    """
    settings, states = _viewpoint_of(socket, config, wanted=source is None)
    view = Viewpoint(settings, states)
    frames = _frames(names, source, settings, seconds or _FOREVER)
    shown = 0
    with CaptureFile(target) if target else nullcontext() as file:
        try:
            for frame, line, advert in islice(_lines(frames, view), count):
                click.echo(line)
                sys.stdout.flush()
                shown += 1
                if file is not None:
                    file.write(frame, advert)
        except KeyboardInterrupt:
            pass
    click.echo(f"{shown} packet{'' if shown == 1 else 's'}", err=True)


def _frames(
    names: tuple[str, ...], source: str | None, settings: NodeSettings | None, seconds: float
) -> Iterator[Frame]:
    if source is not None:
        if len(names) > 1:
            raise click.UsageError("a file has the packets of one interface")
        return from_file(source, names[0] if names else "")
    wanted = names or tuple(dict.fromkeys(each.interface for each in settings.instances)) if settings else names
    if not wanted:
        raise click.UsageError("which interface? (-i IFACE)")
    return live(wanted, seconds)


def _lines(frames: Iterator[Frame], view: Viewpoint) -> Iterator[tuple[Frame, str, bytes | None]]:
    """What is to be shown of each frame that says something, and the advert in it."""
    for frame in frames:
        seen = dissect(frame)
        if seen is None:
            continue
        judgement = view.judges(seen, frame.own)
        line = f"{_clock(frame.at)} {frame.interface or '-'} {view.says(seen)}"
        advert = seen.payload if isinstance(seen, AdvertReceived) else None
        yield frame, f"{line} | {judgement}" if judgement else line, advert


def _clock(at: float) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at % 1 * 1_000_000):06d}"


# --- whose point of view ---------------------------------------------------------------------------------------------


class _States:
    """The states of the daemon's instances, not older than a second. Nobody there: none."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._asked = -_FOREVER
        self._states: dict[str, str] = {}

    def __call__(self) -> Mapping[str, str]:
        if time.monotonic() - self._asked > _STATES_AGE:
            self._asked = time.monotonic()
            try:
                instances = status_of(self._socket)["snapshot"]["instances"]
                self._states = {each["name"]: each["state"] for each in instances}
            except Failure:
                self._states = {}
        return self._states


def _viewpoint_of(socket: str, config: str | None, *, wanted: bool) -> tuple[NodeSettings | None, States]:
    """The settings to judge by, and how to ask for states. The daemon's own file is read: it keeps its passwords."""
    if config is not None:
        return _loaded(config), dict
    if not wanted:
        return None, dict
    try:
        answer = status_of(socket)
    except Failure as failure:
        click.echo(f"no point of view: {failure.message}; --config FILE gives one", err=True)
        return None, dict
    # A relative path is the daemon's.
    path = Path(f"/proc/{answer['pid']}/cwd", answer["config"]["path"])
    return _loaded(str(path)), _States(socket)


def _loaded(path: str) -> NodeSettings:
    from pyvrrp.config.load import load

    try:
        return load(path).settings
    except ConfigError as error:
        raise Failure(f"no point of view: {error}", _UNUSABLE) from None
