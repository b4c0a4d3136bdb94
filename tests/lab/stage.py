"""Where a story is played: one daemon, ours or keepalived, with a keepalived.conf, and what a scripted peer does to it.

Both daemons write the same lines about the same changes, so the story waits for lines, whoever plays.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from pyvrrp.core import const
from pyvrrp.core.settings import Address
from pyvrrp.core.wire import Advert, decode, encode
from tests.lab.agents import BACKUP, FAULT, KEEPALIVED, MASTER, PYVRRPD, Program
from tests.lab.site import Site
from tests.lab.watch import Frame
from tests.netns import Namespace
from tests.waiting import until

PATIENCE: Final = 30.0  # seconds; many stories are played at a time
STAMP: Final = len("Mon Nov 23 18:50:42 2026: ")
VRID: Final = 51
MAKES: Final[Mapping[str, str | None]] = {"keepalived": KEEPALIVED, "pyvrrpd": PYVRRPD}

# As keepalived is run by hand. Both have pid files below /run, so each gets a /run of its own.
OWN_RUN: Final = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh")
OPTIONS: Final = ("--vrrp", "--dont-fork", "--dont-respawn", "--log-console", "--log-detail", "--no-syslog")
_OF_THE_MOMENT: Final = ("valid_life_time", "preferred_life_time", "dynamic")  # our leases


@dataclass
class Recording:
    """What was seen of one play.

    `addresses`, `announcements`: by the moment of the story, what `ip addr` said, and the ARP frames since the moment
    before. `told`: lines that notify scripts and pipes got, by file.
    """

    status: int = -1
    log: list[str] = field(default_factory=list)
    adverts: dict[int, list[bytes]] = field(default_factory=dict)
    addresses: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    announcements: dict[str, list[bytes]] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)


class Voice:
    """What the peer speaks with."""

    def __init__(self, namespace: Namespace, source: Address) -> None:
        six = source.version == 6
        with namespace.inside():
            self._socket = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, const.PROTOCOL)
            index = socket.if_nametoindex("eth0")
        self._where = (0, index) if six else ()
        if six:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, const.TTL)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, const.TTL)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, source.packed)

    def send(self, payload: bytes, to: Address) -> None:
        """Say it."""
        self._socket.sendto(payload, (str(to), 0, *self._where))

    def close(self) -> None:
        """Say no more."""
        self._socket.close()


class Stage:
    """A daemon of this make on host a, its peer's voice on host b, an observer on the link between them."""

    def __init__(self, site: Site, make: str, directory: Path, text: str, vips: Sequence[str]) -> None:
        self.directory = directory
        self.recording = Recording()
        self._site = site
        self._vips = vips
        self._waited: Counter[str] = Counter()
        self._spoken = 0
        self._marked = self._announced = 0  # ARP frames until the last mark, and those waited for
        six = ip_address(vips[0]).version == 6
        if six:
            site.a.speak_ipv6()
            site.b.speak_ipv6()
        self._own_address, self._peer = (
            ip_address(each.link_local if six else each.address) for each in (site.a, site.b)
        )
        self._capture = site.capture(site.b)
        self._voice = Voice(site.b.namespace, self._peer)
        self._unicast = False  # whether it speaks to the peer alone
        self._config = directory / "keepalived.conf"
        self.write(text)
        self._command = [*OWN_RUN, str(MAKES[make]), *OPTIONS, "--use-file", str(self._config)]
        self._make = make
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """The daemon, once it was started."""
        assert self._program is not None
        return self._program

    # --- what is done to it -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the daemon."""
        self._program = self._site.program(self._site.a, self._make, self._command)

    def begin(self, *names: str) -> None:
        """Start the daemon, and wait until these instances, or VI_1, are BACKUP."""
        self.start()
        for name in names or ("VI_1",):
            self.enters(BACKUP, name)

    def write(self, text: str) -> None:
        """Write the configuration. DIRECTORY in it is the play's own."""
        self._config.write_text(self._own(text))

    def reload(self) -> None:
        """Have it read its configuration again, and wait for it."""
        self.program.send(signal.SIGHUP)
        self.says("Reload complete")

    def touch(self, name: str, *, there: bool) -> None:
        """Make a file, or remove it."""
        file = self.directory / name
        file.touch() if there else file.unlink()

    def put(self, name: str, text: str) -> None:
        """Write a file."""
        (self.directory / name).write_text(text)

    def script(self, name: str, text: str) -> None:
        """Write a shell script."""
        file = self.directory / name
        file.write_text(f"#!/bin/sh\n{self._own(text)}\n")
        file.chmod(0o755)

    @contextmanager
    def pipe(self, name: str) -> Iterator[None]:
        """Make a pipe and read it to the end; what came is in `Recording.told`."""
        path = self.directory / name
        os.mkfifo(path)
        reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # open for writing too, it never ends
        try:
            yield
            self.recording.told[name] = os.read(reader, 65536).decode().splitlines()
        finally:
            os.close(reader)

    def host(self, words: str) -> None:
        """Run `ip` with these words on its host."""
        self._site.a.namespace.ip(words)

    def link(self, state: str) -> None:
        """Set the other end of its cable `up` or `down`."""
        self._site.a.port(state)

    def speak(self, priority: int, vrid: int = VRID) -> None:
        """The peer says once what the daemon said last, with a priority of its own."""
        self._speak(self._last_advert(vrid), priority)

    @contextmanager
    def peer(self, priority: int, vrids: Sequence[int] = (VRID,), *, leaves: bool = True) -> Iterator[None]:
        """A peer that speaks with this priority all the while, and `leaves` with priority 0, or goes silent."""
        own, left = [self._last_advert(vrid) for vrid in vrids], threading.Event()

        def go_on() -> None:
            while not left.is_set():
                for advert in own:
                    self._speak(advert, priority)
                self._spoken += 1
                left.wait(own[0].seconds)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            left.set()
            thread.join()
        for advert in own if leaves else ():
            self._speak(advert, const.PRIORITY_RELEASE)

    def stop(self) -> None:
        """Ask it to end, and wait for that."""
        self.program.terminate()
        self.recording.status = self.program.ended(PATIENCE)

    # --- what it does -------------------------------------------------------------------------------------------------

    def log(self) -> str:
        """What it wrote so far."""
        return self._program.log() if self._program else ""

    def says(self, text: str) -> None:
        """Wait until its log has this once more."""
        self._waited[text] += 1
        self._wait(lambda: self.log().count(text) >= self._waited[text], text)

    def enters(self, state: str, name: str = "VI_1") -> None:
        """Wait until it says so."""
        self.says(f"({name}) Entering {state} STATE")

    def takes(self, *vips: str) -> None:
        """Wait until its kernel has all addresses of the story, or these."""
        self._wait(lambda: all(self._site.a.holds(vip) for vip in vips or self._vips), "addresses")

    def loses(self, *vips: str) -> None:
        """Wait until its kernel has none of them."""
        self._wait(lambda: not any(self._site.a.holds(vip) for vip in vips or self._vips), "no addresses")

    def announces(self, times: int, *vips: str) -> None:
        """Wait until every address, or these, was announced so often after the announcements waited for before."""

        def enough() -> bool:
            frames = self._arp()[self._announced :]
            return all(sum(each.source == vip for each in frames) >= times for vip in vips or self._vips)

        self._wait(enough, f"{times} announcements")
        self._announced = len(self._arp())

    def advertises(self, times: int) -> None:
        """Wait until it has sent so many adverts more: so many intervals pass."""
        source = str(self._own_address)
        enough = len(self._capture.adverts(source, VRID)) + times
        self._wait(lambda: len(self._capture.adverts(source, VRID)) >= enough, "adverts")

    def rest(self) -> None:
        """Let more than a second pass, by its adverts."""
        self.advertises(2 + int(1 / self._last_advert(VRID).seconds))

    def hears(self, times: int) -> None:
        """Wait until the peer has spoken so often more."""
        enough = self._spoken + times
        self._wait(lambda: self._spoken >= enough, "the peer")

    def becomes_master(self, times: int = 10) -> None:
        """The whole way: the line, the addresses, all bursts of ARP."""
        self.enters(MASTER)
        self.takes()
        self.announces(times)

    def becomes_backup(self) -> None:
        """The line, and the addresses go."""
        self.enters(BACKUP)
        self.loses()

    def becomes_faulty(self) -> None:
        """The line, and the addresses go."""
        self.enters(FAULT)
        self.loses()

    def tells(self, name: str, count: int) -> None:
        """Wait until `name`.told has so many lines."""
        file = self.directory / f"{name}.told"
        self._wait(lambda: file.exists() and len(file.read_text().splitlines()) >= count, f"{count} lines of {name}")

    def mark(self, moment: str) -> None:
        """Note how things stand."""
        frames = self._arp()
        self.recording.announcements[moment] = [each.data for each in frames[self._marked :]]
        self._marked = len(frames)
        self.recording.addresses[moment] = self._addresses()

    def close(self) -> None:
        """Keep what is left to be seen."""
        self._voice.close()
        recording = self.recording
        recording.log = [line[STAMP:] for line in self.log().splitlines()]
        for frame in self._capture.adverts(str(self._own_address)):
            recording.adverts.setdefault(frame.vrid, []).append(frame.data)
        recording.told |= {file.stem: file.read_text().splitlines() for file in self.directory.glob("*.told")}

    def _own(self, text: str) -> str:
        return text.replace("DIRECTORY", str(self.directory))

    def _speak(self, advert: Advert, priority: int) -> None:
        group = const.GROUP_IPV6 if self._peer.version == 6 else const.GROUP_IPV4
        to = self._own_address if self._unicast else group
        self._voice.send(encode(replace(advert, priority=priority), self._peer, to), to)

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        if not until(condition, PATIENCE):
            raise TimeoutError(f"{self.program.name}: {what}")

    def _arp(self) -> list[Frame]:
        return [each for each in self._capture.frames() if each.is_announcement and each.source in self._vips]

    def _last_advert(self, vrid: int) -> Advert:
        frame = self._capture.adverts(str(self._own_address), vrid)[-1]
        to = ip_address(frame.destination)
        self._unicast = not to.is_multicast
        return decode(frame.payload, self._own_address, to, const.TTL)

    def _addresses(self) -> dict[str, list[Any]]:
        links = json.loads(self._site.a.namespace.ip("-j addr show"))
        return {
            link["ifname"]: [
                {key: value for key, value in each.items() if key not in _OF_THE_MOMENT} for each in link["addr_info"]
            ]
            for link in links
            if link.get("ifname") != "lo"
        }
