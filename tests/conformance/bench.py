"""The test bench: a running daemon at one end of a cable, a tester with raw sockets at the other.

The daemon is a black box. What counts is what the wire shows, by the kernel's clock, what its host's kernel has, and
whom it tells; its log is read only to know when it is ready. Both makes read the same keepalived.conf.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from tests.conformance.packets import (
    GLOBAL_SUBJECT6,
    HIGHER,
    HIGHER6,
    LOWER,
    LOWER6,
    SUBJECT,
    SUBJECT6,
    SUBJECT_MAC,
    TESTER_MAC,
    VIP,
    Advert,
    Frame,
    arp_request,
    echo_request,
    neighbor_solicitation,
)
from tests.conformance.wiretap import Wiretap
from tests.lab.agents import KEEPALIVED, PYVRRPD, Program
from tests.netns import Namespace, veth

T = TypeVar("T")
MAKES: Final = {"pyvrrpd": PYVRRPD, "keepalived": KEEPALIVED}
PATIENCE: Final = 12.0  # seconds for what has no time of its own; a dozen benches share the machine
EARLY, LATE = 0.02, 0.45  # seconds that a timer may be off: never early, late by what a busy machine adds
ANSWER: Final = 0.5  # seconds within which "at once" must happen
SETTLED: Final = 1.0  # seconds of waiting for what must not happen

# Both have pid files and sockets below /run, so each gets a /run of its own.
_OWN_RUN: Final = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh")
_OPTIONS: Final = ("--vrrp", "--dont-fork", "--dont-respawn", "--log-console", "--log-detail", "--no-syslog")


class UnmetError(AssertionError):
    """What was seen is not what was asked for; the sentence says what was seen."""


def expect(condition: object, sentence: str) -> None:
    """Raises UnmetError with this sentence unless the condition holds."""
    if not condition:
        raise UnmetError(sentence)


class Bench:
    """To be used in a `with` statement. `peer` is an advert that the subject agrees with in everything."""

    def __init__(self, make: str, directory: Path, text: str, peer: Advert) -> None:
        self.make = make
        self.peer = peer
        self.directory = directory
        self._things = ExitStack()
        with ExitStack() as building:
            self.host, self.outside = building.enter_context(Namespace()), building.enter_context(Namespace())
            veth(self.outside, "eth0", self.host, "eth0")
            self.outside.ip(f"link set eth0 address {TESTER_MAC}")
            self.host.ip(f"link set eth0 address {SUBJECT_MAC}")
            self.host.ip(f"addr add {SUBJECT}/24 dev eth0")
            for address in (HIGHER, LOWER):
                self.outside.ip(f"addr add {address}/24 dev eth0")
            if ":" in peer.source:
                self.speak_ipv6()
            self.wire = Wiretap(self.outside)
            building.callback(self.wire.close)
            self._things = building.pop_all()
        self._config = directory / "keepalived.conf"
        self.write(text)
        self._command = [*_OWN_RUN, str(MAKES[make]), *_OPTIONS, "--use-file", str(self._config)]
        self._program: Program | None = None
        self.started = 0.0  # when the daemon was started

    def speak_ipv6(self) -> None:
        """Give both ends addresses of IPv6."""
        for address in (SUBJECT6, GLOBAL_SUBJECT6):
            self.host.ip(f"addr add {address}/64 dev eth0 nodad")
        for address in (HIGHER6, LOWER6):
            self.outside.ip(f"addr add {address}/64 dev eth0 nodad")

    # --- the daemon ---------------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Write the configuration. DIRECTORY in it is the bench's own."""
        self._config.write_text(text.replace("DIRECTORY", str(self.directory)))

    def start(self) -> None:
        """Start the daemon."""
        self.started = time.time()
        self._program = Program(self.make, self.host, self._command, self.directory)
        self._things.callback(self._program.close)

    def begin(self, name: str = "VI_1") -> None:
        """Start it and wait until it is BACKUP."""
        self.start()
        self.says(f"({name}) Entering BACKUP STATE")

    def begin_as_master(self) -> Frame:
        """Start it, and let a master leave, which it follows sooner than a silent one; its first advert."""
        self.begin()
        return self.take_over()

    def take_over(self) -> Frame:
        """A master leaves: the subject's first advert as the next one, once it has its addresses."""
        self.send(self.peer)
        left = self.send(replace(self.peer, priority=0))
        frame = self.next_advert(left)
        self.until(self.holds, "the address did not come")
        return frame

    def reload(self) -> None:
        """Have it read its configuration again."""
        program, before = self.program, self.log().count("Reload complete")
        program.send(signal.SIGHUP)
        self.until(lambda: self.log().count("Reload complete") > before, "it did not reload")

    def stop(self) -> None:
        """Ask it to end and wait for that."""
        self.program.terminate()
        self.program.ended(PATIENCE)

    def kill(self) -> None:
        """End it without asking."""
        self.program.kill()
        self.program.ended(PATIENCE)

    @property
    def program(self) -> Program:
        """The daemon, once it was started."""
        assert self._program is not None
        return self._program

    def log(self) -> str:
        """What it wrote so far."""
        return self._program.log() if self._program else ""

    def says(self, text: str) -> None:
        """Wait until its log has this."""
        self.until(lambda: text in self.log(), f"it does not say {text!r}")

    # --- its host -----------------------------------------------------------------------------------------------------

    def holds(self, address: str = "") -> bool:
        """Whether the host's kernel has the address, or the first that is advertised."""
        address = address or self.peer.addresses[0]
        return f" {address}/" in self.host.ip(f"-o addr show to {address}")

    def until(self, condition: Callable[[], object], sentence: str, seconds: float = PATIENCE) -> None:
        """Wait for this. Raises UnmetError when it does not come."""
        end = time.monotonic() + seconds
        while not condition():
            expect(time.monotonic() < end, sentence)
            time.sleep(0.03)

    def told(self, name: str = "told") -> list[str]:
        """The lines that a notification script wrote."""
        file = self.directory / name
        return file.read_text().splitlines() if file.exists() else []

    def script(self, name: str, text: str) -> None:
        """Write a shell script."""
        file = self.directory / name
        file.write_text(f"#!/bin/sh\n{text.replace('DIRECTORY', str(self.directory))}\n")
        file.chmod(0o755)

    def link(self, state: str) -> None:
        """Take away the carrier, or give it back."""
        self.outside.ip(f"link set eth0 {state}")

    # --- the tester ---------------------------------------------------------------------------------------------------

    def send(self, advert: Advert) -> float:
        """Send an advert once; when it passed the tester's end of the cable."""
        return self.say(advert.frame)

    def say(self, data: bytes) -> float:
        """Send a frame; when it passed."""
        before = time.time() - 0.001
        self.wire.send(data)

        def passed(frames: list[Frame]) -> float | None:
            return next((each.at for each in reversed(frames) if each.data == data and each.at >= before), None)

        return self._found(self.wire.wait(passed, PATIENCE), "the tester could not send")

    @contextmanager
    def stream(self, *adverts: Advert, every: float) -> Iterator[None]:
        """Send these adverts in turn, one every so many seconds."""
        over = threading.Event()

        def go_on() -> None:
            while not over.is_set():
                for advert in adverts:
                    self.wire.send(advert.frame)
                    over.wait(every)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def adverts(self, after: float = 0.0) -> list[Frame]:
        """What the subject advertised after this time."""
        return [each for each in self.wire.frames() if not each.ours and each.is_advert and each.at > after]

    def next_advert(self, after: float, seconds: float = PATIENCE, priority: int | None = None) -> Frame:
        """The subject's first advert after this time, of this priority or any. Raises UnmetError when none comes."""

        def later(each: Frame) -> bool:
            fits = priority is None or each.priority == priority
            return each.is_advert and fits and each.at > after

        return self.next_frame(later, seconds, f"no advert within {seconds:.0f} s")

    def next_frame(self, wanted: Callable[[Frame], bool], seconds: float, sentence: str) -> Frame:
        """The subject's first frame like that. Raises UnmetError with this sentence when none comes."""

        def find(frames: list[Frame]) -> Frame | None:
            return next((each for each in frames if not each.ours and wanted(each)), None)

        return self._found(self.wire.wait(find, seconds), sentence)

    def frames(self, wanted: Callable[[Frame], bool], after: float, seconds: float) -> list[Frame]:
        """All frames of the subject like that from `after` on, when so many seconds have passed since then."""
        self.pass_time(after + seconds)
        return [each for each in self.wire.frames() if not each.ours and after < each.at and wanted(each)]

    @staticmethod
    def now() -> float:
        """The time, by the clock of the kernel's stamps."""
        return time.time()

    def pass_time(self, until: float) -> None:
        """Wait until this time."""
        time.sleep(max(0.0, until - time.time()))

    def answers_arp(self, address: str = VIP) -> Frame | None:
        """The subject's answer to "who has this address?"; None when it keeps silent."""
        asked = self.say(arp_request(address))

        def answer(frames: list[Frame]) -> Frame | None:
            return next((each for each in frames if each.is_arp_reply and not each.ours and each.at >= asked), None)

        return self.wire.wait(answer, ANSWER)

    def answers_neighbor(self, address: str) -> Frame | None:
        """The subject's answer to IPv6's "who has this address?"; None when it keeps silent."""
        asked = self.say(neighbor_solicitation(address))

        def answer(frames: list[Frame]) -> Frame | None:
            seen = (each for each in frames if not each.ours and each.at >= asked and each.is_neighbor_advertisement)
            return next((each for each in seen if each.target == address and each.destination == HIGHER6), None)

        return self.wire.wait(answer, ANSWER)

    def answers_ping(self, address: str = VIP, mac: str = SUBJECT_MAC) -> bool:
        """Whether the subject's host answers a ping to this address at this MAC."""
        asked = self.say(echo_request(address, number=int(time.monotonic() * 1000) & 0xFFFF, mac=mac))

        def answer(frames: list[Frame]) -> Frame | None:
            seen = (each for each in frames if not each.ours and each.at >= asked)
            return next((each for each in seen if each.protocol == 1 and each.source == address), None)

        return self.wire.wait(answer, ANSWER) is not None

    # --- what is often asked ------------------------------------------------------------------------------------------

    def takes_over_after(self, since: float, seconds: float) -> Frame:
        """Expect the subject's next advert so many seconds after `since`; that advert."""
        first = self.next_advert(since, seconds + PATIENCE)
        took = first.at - since
        fits = seconds - EARLY <= took <= seconds + LATE
        expect(fits, f"it took over after {took:.1f} s, {seconds:.2f} s would be right")
        return first

    def stays_backup_for(self, seconds: float, since: float) -> None:
        """Expect no advert for so many seconds."""
        self.pass_time(since + seconds)
        sent = self.adverts(since)
        expect(not sent, f"it became master after {sent[0].at - since:.1f} s" if sent else "")

    def stays_master_for(self, seconds: float, since: float, interval: float, priority: int) -> None:
        """Expect adverts of this priority at this interval, without a gap, and the address in place."""
        self.pass_time(since + seconds)
        times = [each.at for each in self.adverts(since - interval - 1) if each.priority]
        gaps = [after - before for before, after in zip(times, [*times[1:], since + seconds], strict=True)]
        longest = max(gaps, default=seconds)
        expect(longest <= interval + LATE, f"it sent no advert for {longest:.0f} s")
        expect(all(each.priority == priority for each in self.adverts(since)), "it advertised another priority")
        expect(self.holds(), "it lost the address")

    def close(self) -> None:
        """Kill the daemon, remove the namespaces."""
        self._things.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _found(found: T | None, sentence: str) -> T:
        if found is None:
            raise UnmetError(sentence)
        return found
