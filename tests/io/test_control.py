"""The control socket from both ends."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyvrrp.errors import ControlError, InstanceTakenError, KernelError
from pyvrrp.io.control import CLIENTS_MAX, LINE_MAX, Answer, ControlServer, Peer
from pyvrrp.io.control_client import ask, stream

ENDED = asyncio.Event()  # a stream


async def count(to: int) -> AsyncGenerator[bytes, None]:
    """A stream of numbers, with nothing between them."""
    if to < 0:
        raise ControlError("nobody counts backwards")
    try:
        for number in range(to):
            yield b'{"n":%d}\n' % number
            await asyncio.sleep(0.001)
            yield b""
    finally:
        ENDED.set()


async def echo(request: dict[str, object], peer: Peer) -> Answer:
    """Answers what it was asked, and by whom."""
    if isinstance(to := request.get("to"), int):
        return count(to)
    if request.get("command") == "refuse":
        raise ControlError("VI_1 is not MASTER")
    size = request.get("size")
    text = "x" * size if isinstance(size, int) else ""
    return {"request": request, "pid": peer.pid, "may_change": peer.may_change, "text": text}


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[ControlServer]:
    server = ControlServer(path, echo)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


def run(path: Path, test: Callable[[Path], Coroutine[None, None, None]]) -> None:
    """Run `test` while a server listens on `path`."""

    async def main() -> None:
        async with serving(path), asyncio.timeout(20):
            await test(path)

    asyncio.run(main())


async def asked(path: Path, request: dict[str, object]) -> dict[str, object]:
    return await asyncio.to_thread(ask, path, request)


async def raw(path: Path, data: bytes) -> list[dict[str, object]]:
    """The answers to bytes as they are."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return [json.loads(line) for line in answer.splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "pyvrrpd.sock"


def test_a_request_is_answered_with_the_peer_known(path: Path) -> None:
    async def test(path: Path) -> None:
        answer = await asked(path, {"command": "status"})
        assert answer["request"] == {"command": "status"}
        assert (answer["pid"], answer["may_change"]) == (os.getpid(), True)

    run(path, test)


def test_only_root_and_the_daemon_itself_may_change() -> None:
    assert Peer(1, 0, 0).may_change
    assert Peer(1, os.geteuid(), 5).may_change
    assert not Peer(1, os.geteuid() + 1, 0).may_change


def test_requests_of_one_connection_are_answered_in_order(path: Path) -> None:
    async def test(path: Path) -> None:
        answers = await raw(path, b'{"n":1}\n{"n":2}\n{"n":3}')
        assert [answer["request"] for answer in answers] == [{"n": 1}, {"n": 2}, {"n": 3}]

    run(path, test)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"status\n", "a request is not JSON"),
        (b"\xff\xfe\x00\n", "a request is not JSON"),
        (b"[" * 60_000 + b"\n", "a request is not JSON"),
        (b"1" * 60_000 + b"\n", "a request is not JSON"),
        (b"\n", "a request is not JSON"),
        (b'["status"]\n', "a request is not a JSON object"),
        (b"null\n", "a request is not a JSON object"),
        (b'{"command":"refuse"}\n', "VI_1 is not MASTER"),
    ],
)
def test_what_is_no_request_is_answered_with_an_error(path: Path, line: bytes, complaint: str) -> None:
    async def test(path: Path) -> None:
        first, second = await raw(path, line + b'{"still":"here"}\n')
        assert str(first["error"]).startswith(complaint)
        assert second["request"] == {"still": "here"}

    run(path, test)


def test_an_endless_line_ends_the_connection(path: Path) -> None:
    async def test(path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"x" * (LINE_MAX + 1))
        assert b"longer than 65536 bytes" in await reader.readline()
        assert await reader.read() == b""
        writer.close()
        assert "request" in await asked(path, {})

    run(path, test)


def test_too_many_clients_are_told_so(path: Path) -> None:
    async def test(path: Path) -> None:
        clients = [await asyncio.open_unix_connection(path) for _ in range(CLIENTS_MAX)]
        for reader, writer in clients:
            writer.write(b"{}\n")
            await reader.readline()
        assert await asked(path, {}) == {"error": "32 clients are connected already"}
        reader, writer = clients.pop()
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        assert "request" in await asked(path, {})
        for _, writer in clients:
            writer.close()

    run(path, test)


def test_a_client_that_does_not_read_holds_up_nobody(path: Path) -> None:
    async def test(path: Path) -> None:
        slow = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        slow.connect(str(path))
        slow.sendall(b'{"size":5000000}\n' * 1000)
        for _ in range(3):
            assert "request" in await asked(path, {"size": 3_000_000})
        slow.close()

    run(path, test)


def test_the_socket_is_for_its_group_and_goes_with_the_server(path: Path) -> None:
    async def test(path: Path) -> None:
        assert modes(path, path.parent) == [0o660, 0o755]

    before = os.umask(0o027)
    try:
        run(path, test)
    finally:
        os.umask(before)
    assert not path.exists()


def modes(*paths: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in paths]


def test_a_live_daemon_is_not_pushed_aside(path: Path) -> None:
    async def test(path: Path) -> None:
        with pytest.raises(InstanceTakenError, match=rf"another pyvrrpd \(pid {os.getpid()}\) answers"):
            await ControlServer(path, echo).start()
        assert "request" in await asked(path, {})

    run(path, test)


def test_a_dead_daemon_s_socket_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))

    async def test(path: Path) -> None:
        assert "request" in await asked(path, {})

    run(path, test)


def test_a_file_that_is_no_socket_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("precious")

    async def main() -> None:
        with pytest.raises(KernelError, match="something else than a socket is there"):
            await ControlServer(path, echo).start()

    asyncio.run(main())
    assert path.read_text() == "precious"


def test_a_daemon_that_is_not_there(path: Path) -> None:
    with pytest.raises(ControlError, match=r"pyvrrpd is not running \(no socket"):
        ask(path, {})
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    with pytest.raises(ControlError, match=r"pyvrrpd is not running \(nobody listens"):
        ask(path, {})


def test_a_daemon_that_says_nothing_or_nonsense(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(str(path))
        mute.listen(1)
        with pytest.raises(ControlError, match=r"did not answer in 0\.1 s"):
            ask(path, {}, timeout=0.1)
    for answer, complaint in ((b"", "without an answer"), (b"hello\n", "not JSON"), (b"[]\n", "not a JSON object")):

        async def main(answer: bytes = answer, complaint: str = complaint) -> None:
            async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(answer)
                await writer.drain()
                writer.close()

            async with await asyncio.start_unix_server(say, path):
                with pytest.raises(ControlError, match=complaint):
                    await asked(path, {})

        path.unlink()
        asyncio.run(main())


# --- streams ---------------------------------------------------------------------------------------------------------


def test_a_stream_goes_on_until_it_ends(tmp_path: Path) -> None:
    async def test(path: Path) -> None:
        parts = await asyncio.to_thread(lambda: list(stream(path, {"command": "count", "to": 3})))
        assert b"".join(parts) == b'{"n":0}\n{"n":1}\n{"n":2}\n'

    run(tmp_path / "sock", test)


def test_a_stream_ends_when_its_client_leaves(tmp_path: Path) -> None:
    async def test(path: Path) -> None:
        def look() -> None:
            parts = stream(path, {"command": "count", "to": 1_000_000})
            while not next(parts):
                pass
            parts.close()  # type: ignore[attr-defined]

        ENDED.clear()
        await asyncio.to_thread(look)
        await ENDED.wait()

    run(tmp_path / "sock", test)


def test_a_stream_that_is_refused_says_why(tmp_path: Path) -> None:
    async def test(path: Path) -> None:
        parts = await asyncio.to_thread(lambda: list(stream(path, {"command": "count", "to": -1})))
        assert json.loads(b"".join(parts)) == {"error": "nobody counts backwards"}

    run(tmp_path / "sock", test)


def test_a_daemon_that_ends_while_it_answers_says_nothing_of_it(path: Path) -> None:
    """asyncio ends the task that answers; until Python 3.12 it logs that as an error."""
    said: list[object] = []

    async def end() -> None:
        begun = asyncio.Event()

        async def never(_request: dict[str, object], _peer: Peer) -> Answer:
            begun.set()
            await asyncio.Event().wait()
            return {}

        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        server = ControlServer(path, never)
        await server.start()
        _, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"{}\n")
        await begun.wait()
        await server.close()
        writer.close()

    asyncio.run(end())
    assert said == []
