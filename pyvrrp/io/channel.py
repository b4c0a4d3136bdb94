"""The agents' own channel: JSON lines over TLS 1.3 between the two nodes. What a word means is not known here.

Both have the same PEM with one key and one self-signed certificate, and each demands exactly that one of the other.
Each listens and each connects, so that one way that a firewall leaves open is enough; what is said goes over the newest
link. Without the channel everything works at VRRP's pace.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from pyvrrp.core.effects import Level
from pyvrrp.core.settings import ChannelSettings
from pyvrrp.errors import ChannelError, ChannelRefusedError, PyvrrpError

if TYPE_CHECKING:
    from ssl import SSLContext

Object = dict[str, Any]
Hear = Callable[[Object], None]
Reply = Callable[[Object], Awaitable[Object]]

LINE_MAX: Final = 256 * 1024  # bytes of one message; a position may have 64 KiB
UNSENT_MAX: Final = 1024 * 1024  # bytes that may wait for a peer that does not read
FIRST_PAUSE, LAST_PAUSE = 0.2, 2.0  # seconds between two attempts
GREETING: Final = 2.0  # seconds for connecting, and again for the handshake and the first line
BEAT, SILENCE = 1.0, 3.0  # seconds: a word at least so often, and how long a silent link lives
GREETINGS_MAX: Final = 4  # handshakes at once, of the peer's address and of all others each
ACCEPTS, ACCEPTS_PAUSE = 10, 0.1  # connections taken at once, and seconds until the next
QUESTIONS_MAX: Final = 8  # that are answered at once
NOT_UNDERSTOOD: Final = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
REPEAT: Final = 600.0  # seconds until the same is said to the log again
_NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: exactly one certificate is believed, whatever the clock

_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"


@dataclass(slots=True)
class Counters:
    """What status shows as numbers."""

    connected: int = 0
    turned_away: int = 0
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the key file yields: contexts for both ends, and the certificate that the other must have."""

    server: SSLContext
    client: SSLContext
    certificate: bytes


def credentials(key_file: str) -> Credentials:
    """Read the key file. Raises ChannelError, without what stands in it."""
    import ssl

    try:
        with open(key_file, encoding="ascii") as file:  # noqa: PTH123
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise ChannelError(f"{key_file} has mode {mode:04o}: others may read it, 0600 is demanded")
            server, client = (_context(each, key_file) for each in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT))
            _, begin, certificate = file.read().partition(_CERTIFICATE)
        if _CERTIFICATE in certificate:
            raise ChannelError(f"{key_file} has more than one certificate")
        return Credentials(server, client, ssl.PEM_cert_to_DER_cert(begin + certificate))
    except (ssl.SSLError, ValueError):
        raise ChannelError(f"{key_file} has no key with its certificate (pyvrrpctl keys makes one)") from None
    except OSError as error:
        raise ChannelError(f"{key_file}: {error.strerror}") from None


def _context(protocol: int, key_file: str) -> SSLContext:
    import ssl

    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    context.load_cert_chain(key_file, password=lambda: "")  # else a key with a password would ask the terminal for it
    context.load_verify_locations(cafile=key_file)
    if protocol == ssl.PROTOCOL_TLS_SERVER:
        context.num_tickets = 0
    return context


@dataclass(eq=False, slots=True)
class _Link:
    """One connection that is proved to be the other agent's, or is being proved."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    dialled: bool
    heard: float = 0.0
    waiting: dict[int, asyncio.Future[Object]] = field(default_factory=dict)

    def write(self, message: Object) -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        if len(line) > LINE_MAX:
            raise ChannelError(f"a message is longer than {LINE_MAX} bytes")
        if self.writer.transport.get_write_buffer_size() > UNSENT_MAX:
            self.writer.transport.abort()
        if self.writer.transport.is_closing():
            raise ChannelError("the other agent does not read")
        self.writer.write(line)

    def end(self) -> None:
        self.writer.transport.abort()
        for each in self.waiting.values():
            if not each.done():
                each.set_exception(ChannelError("the channel broke"))


class Channel:
    """This node's end. `name` is what the other is told that this node is called.

    `hear` has who takes words, `answer` who answers questions, by kind. A handler that raises ValueError, KeyError or
    TypeError did not understand; a PyvrrpError of an answer is told to the one who asked. To be made inside a loop.
    """

    def __init__(
        self,
        settings: ChannelSettings,
        name: str,
        hear: Mapping[str, Hear],
        answer: Mapping[str, Reply],
        say: Callable[[Level, str], None],
    ) -> None:
        self.settings = settings
        self.peer = ""  # what the other is called, once it said so
        self.trouble = ""  # why there is none
        self.counters = Counters()
        self._loop = asyncio.get_running_loop()
        self._name = name
        self._hear = hear
        self._answer = answer
        self._say = say
        self._self = os.urandom(8).hex()
        self._links: list[_Link] = []  # the newest last
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._questions = 0
        self._greetings = {True: 0, False: 0}  # of the peer's address, of others
        self._said: dict[str, float] = {}

    @property
    def up(self) -> bool:
        """Whether the other agent is there."""
        return bool(self._links)

    def start(self) -> None:
        """Listen and connect, again and again until `close`."""
        self._spawn(self._run())

    async def close(self) -> None:
        """Let go of everything; what was said last has a moment to leave."""
        for link in self._links:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(BEAT):
                    link.writer.transport.set_write_buffer_limits(high=1)  # 0 would wait for ever
                    await link.writer.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, kind: str, about: Object) -> bool:
        """Say something; False when nobody is there to hear it."""
        while self._links:
            try:
                self._links[-1].write({"word": kind, "about": about})
            except ChannelError:
                self._drop(self._links[-1])
            else:
                return True
        return False

    async def ask(self, kind: str, about: Object, within: float) -> Object:
        """Ask something. Raises ChannelError: no channel, no answer within so many seconds, or its refusal."""
        if not self._links:
            raise ChannelError(f"there is no channel to the other agent ({self.settings.peer})")
        link, number = self._links[-1], next(self._numbers)
        link.waiting[number] = future = self._loop.create_future()
        try:
            link.write({"question": kind, "id": number, "about": about, "within": within})
            async with asyncio.timeout(within):
                answer: Object = await future
                return answer
        except TimeoutError:
            raise ChannelError(f"the other agent did not answer in {within:g} s") from None
        finally:
            del link.waiting[number]

    # --- links --------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        known = await self._credentials()
        self._spawn(self._listen(known))
        self._spawn(self._dial(known))
        while True:
            await asyncio.sleep(BEAT)
            for link in tuple(self._links):
                self._beat(link)

    async def _credentials(self) -> Credentials:
        while True:
            try:
                known = await self._loop.run_in_executor(None, credentials, self.settings.key_file)
            except ChannelError as error:
                self.trouble = str(error)
                self._complain(Level.ERROR, f"no channel: {error}")
                await asyncio.sleep(LAST_PAUSE)
            else:
                return known

    def _beat(self, link: _Link) -> None:
        try:
            link.write({"beat": 1})
        except ChannelError:
            self._drop(link)
        if self._loop.time() - link.heard > SILENCE:
            self._drop(link)

    async def _dial(self, known: Credentials) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                async with asyncio.timeout(GREETING):
                    reader, writer = await self._connect(known)
            except (OSError, TimeoutError) as error:
                self.trouble = _reason(error)
                self._complain(Level.WARNING, f"no channel to {self.settings.peer}: {self.trouble}")
                pause = min(pause * 2, LAST_PAUSE)
            else:
                if await self._serve(_Link(reader, writer, dialled=True), known):
                    pause = FIRST_PAUSE
                else:
                    pause = min(pause * 2, LAST_PAUSE)
            await asyncio.sleep(pause)

    async def _connect(self, known: Credentials) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        listen = self.settings.listen
        return await asyncio.open_connection(
            self.settings.peer,
            self.settings.port,
            ssl=known.client,
            limit=LINE_MAX,
            local_addr=None if ip_address(listen.partition("%")[0]).is_unspecified else (listen, 0),
        )

    async def _listen(self, known: Credentials) -> None:
        while True:
            try:
                with self._bound() as sock:
                    await self._accept(sock, known)
            except OSError as error:
                place = f"{self.settings.listen} port {self.settings.port}"
                self._complain(Level.WARNING, f"the channel cannot listen on {place}: {_reason(error)}")
                await asyncio.sleep(LAST_PAUSE)

    def _bound(self) -> socket.socket:
        flags = socket.AI_NUMERICHOST | socket.AI_PASSIVE
        found = socket.getaddrinfo(self.settings.listen, self.settings.port, type=socket.SOCK_STREAM, flags=flags)
        family, _, _, _, place = found[0]
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(place)
            sock.listen(ACCEPTS)
        except OSError:
            sock.close()
            raise
        return sock

    async def _accept(self, sock: socket.socket, known: Credentials) -> None:
        """Take who comes, at a bounded pace: strangers can neither hold up the loop nor keep the peer out."""
        while True:
            for _ in range(ACCEPTS):
                one, (address, *_) = await self._loop.sock_accept(sock)
                expected = address == self.settings.peer
                if self._greetings[expected] >= GREETINGS_MAX:
                    one.close()
                    self.counters.turned_away += 1
                else:
                    self._greetings[expected] += 1
                    self._spawn(self._greet(one, address, known, expected=expected))
            await asyncio.sleep(ACCEPTS_PAUSE)

    async def _greet(self, sock: socket.socket, address: str, known: Credentials, *, expected: bool) -> None:
        try:
            async with asyncio.timeout(GREETING):
                link = await _accepted(sock, known.server)
        except (OSError, TimeoutError) as error:
            sock.close()
            self.counters.turned_away += 1
            self._complain(
                Level.WARNING,
                f"the channel turns {'' if expected else 'a stranger, '}{address} away: {_reason(error)}",
                "expected" if expected else "stranger",
            )
            return
        except BaseException:
            sock.close()
            raise
        finally:
            self._greetings[expected] -= 1
        await self._serve(link, known)

    async def _serve(self, link: _Link, known: Credentials) -> bool:
        """Follow a link to its end; False when it was not the other agent's."""
        try:
            async with asyncio.timeout(GREETING):
                name = await self._greeted(link, known)
        except (ChannelError, OSError, TimeoutError, EOFError) as error:
            link.end()
            self.counters.turned_away += 1
            self._complain(Level.WARNING, f"no channel with {self.settings.peer}: {_reason(error)}")
            return False
        except asyncio.CancelledError:
            link.end()
            raise
        self._take(link, name)
        try:
            while True:
                line = await link.reader.readuntil(b"\n")
                link.heard = self._loop.time()
                self._follow(link, line)
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            self._drop(link)
        return True

    async def _greeted(self, link: _Link, known: Credentials) -> str:
        tls = link.writer.get_extra_info("ssl_object")
        if tls is None or tls.getpeercert(binary_form=True) != known.certificate:
            raise ChannelError("its certificate is not ours")
        link.write({"hello": self._name, "self": self._self})
        try:
            hello = json.loads(await link.reader.readuntil(b"\n"))
            if hello["self"] == self._self:
                raise ChannelError("that is this node itself")
            return str(hello["hello"])
        except (ValueError, RecursionError, KeyError, TypeError, asyncio.LimitOverrunError):
            raise ChannelError("it does not speak as a pyvrrpd does") from None

    def _take(self, link: _Link, name: str) -> None:
        for older in [each for each in self._links if each.dialled == link.dialled]:
            self._drop(older, quietly=True)
        if not self._links:
            self._say(Level.NOTICE, f"the channel to {name} ({self.settings.peer}) is up")
        self.peer, link.heard = name, self._loop.time()
        self.counters.connected += 1
        self._links.append(link)
        self._said.clear()
        self.trouble = ""

    def _drop(self, link: _Link, *, quietly: bool = False) -> None:
        link.end()
        if link in self._links:
            self._links.remove(link)
            if not self._links and not quietly:
                self._say(Level.WARNING, f"the channel to {self.peer} ({self.settings.peer}) is down")

    # --- messages -----------------------------------------------------------------------------------------------------

    def _follow(self, link: _Link, line: bytes) -> None:
        try:
            message = json.loads(line, parse_float=_number, parse_constant=_number)
            if "word" in message:
                self._hear[message["word"]](_object(message["about"]))
            elif "question" in message:
                self._question(link, message)
            elif "answer" in message:
                self._answered(link, message)
            elif "beat" not in message:
                self.counters.ignored += 1
        except NOT_UNDERSTOOD:
            self.counters.ignored += 1

    def _question(self, link: _Link, message: Object) -> None:
        number, kind, about = int(message["id"]), str(message["question"]), _object(message["about"])
        within = min(max(float(message["within"]), 0.0), 600.0)
        if kind not in self._answer:
            self.counters.ignored += 1
            error = f"this version does not know the question {kind!r}"
        elif self._questions >= QUESTIONS_MAX:
            error = f"{QUESTIONS_MAX} questions are being answered already"
        else:
            self._questions += 1
            self._spawn(self._reply(link, number, self._answer[kind], about, within))
            return
        _tell(link, {"answer": number, "error": error})

    async def _reply(self, link: _Link, number: int, reply: Reply, about: Object, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                _tell(link, {"answer": number, "about": await reply(about)})
        except PyvrrpError as error:
            _tell(link, {"answer": number, "error": str(error)})
        except NOT_UNDERSTOOD:
            self.counters.ignored += 1
            _tell(link, {"answer": number, "error": "the question was not understood"})
        except TimeoutError:
            _tell(link, {"answer": number, "error": f"it was not done in {within:g} s"})
        finally:
            self._questions -= 1

    def _answered(self, link: _Link, message: Object) -> None:
        future = link.waiting.get(message["answer"])
        if future is None or future.done():  # its deadline has passed
            return
        if "error" in message:
            future.set_exception(ChannelRefusedError(str(message["error"])))
        else:
            future.set_result(_object(message["about"]))

    # --- this end -----------------------------------------------------------------------------------------------------

    def _spawn(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _complain(self, level: Level, text: str, key: str = "") -> None:
        """Say what may come again at every attempt: now and then. `key`: what differs counts as the same."""
        now = self._loop.time()
        if now - self._said.get(key or text, -REPEAT) >= REPEAT:
            self._said[key or text] = now
            self._say(level, text)


async def _accepted(sock: socket.socket, context: SSLContext) -> _Link:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_MAX)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=context)
    return _Link(reader, asyncio.StreamWriter(transport, protocol, reader, loop), dialled=False)


def _number(text: str) -> float:
    """One that can be reckoned with: neither infinite nor none."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _object(value: object) -> Object:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _tell(link: _Link, message: Object) -> None:
    with contextlib.suppress(ChannelError):
        link.write(message)


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, EOFError | ConnectionResetError):
        return "it closed the connection"
    verdict = getattr(error, "verify_message", "")  # of an SSLCertVerificationError
    if verdict:
        same = "both nodes need the same key_file, and `pyvrrpctl reload` where it was changed"
        return f"its key is not ours, {same} ({verdict})"
    verdict = getattr(error, "reason", "")  # of an SSLError
    if not verdict and isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio has words of its own, and raises no OSError without a number
    return str(verdict or error)
