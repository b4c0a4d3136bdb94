"""Why a server did not do what it was asked: by the cause, as PyMySQL gives one number to very different ones."""

from __future__ import annotations

import enum
import re
from typing import Final

import pymysql

from pyvrrp.errors import PyvrrpError


class Kind(enum.Enum):
    """What went wrong, and so what it says of the server."""

    REFUSED = "refused the connection"  # nothing listens there
    UNREACHABLE = "cannot be reached"
    TIMED_OUT = "did not answer in time"
    CLOSED = "closed the connection"
    OVERLOADED = "takes no more connections"  # alive
    DENIED = "denies it"
    UNABLE = "wants a login that this client is not able to"  # alive
    READ_ONLY = "is read only"
    SQL = "says"  # any other error of the server's own


class DatabaseError(PyvrrpError):
    """A server did not do what it was asked. `number` is its own error number, 0 when it sent none."""

    def __init__(self, kind: Kind, number: int, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.number = number


OVERLOADED: Final = frozenset({1040, 1203})  # ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS
DENIED: Final = frozenset({1044, 1045, 1142, 1143, 1227, 1698, 3159})
READ_ONLY: Final = frozenset({1290, 1792, 1836, 3100})
CLIENT: Final = range(2000, 3000)  # CR_...: made by the client library
UNABLE: Final = frozenset({2059, 2061})  # CR_AUTH_PLUGIN_CANNOT_LOAD, CR_AUTH_PLUGIN_ERR: after its greeting
PACKAGE: Final = re.compile(r"'(\w+)' package is required")  # PyMySQL's RuntimeError, in the midst of a login
EXTRAS: Final = {"cryptography": "rsa", "pynacl": "ed25519"}
ACCESS_TIMEOUT: Final = frozenset({1205, 1969, 3024})  # lock wait, max_statement_time: the server's own deadlines


def classify(error: BaseException) -> DatabaseError:
    """A PyMySQL or socket error by its cause, or what else came out of the library."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = str(error.args[-1]) if error.args else type(error).__name__
    if isinstance(error, pymysql.MySQLError) and number and number not in CLIENT:
        return DatabaseError(_server_kind(number), number, f"error {number}: {text}")
    if number in UNABLE:
        return DatabaseError(Kind.UNABLE, 0, text)
    if needed := PACKAGE.match(text):
        extra = f" (or PyMySQL[{EXTRAS[needed[1]]}])" if needed[1] in EXTRAS else ""
        return DatabaseError(Kind.UNABLE, 0, f"{text}: pip install {needed[1]}{extra}, where pyvrrp is installed")
    cause = _cause(error)
    if not isinstance(cause, (pymysql.MySQLError, OSError)):
        return DatabaseError(Kind.CLOSED, 0, f"not understood ({type(cause).__name__}: {text})")
    told = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return DatabaseError(_client_kind(cause), 0, told or text)


def _server_kind(number: int) -> Kind:
    if number in OVERLOADED:
        return Kind.OVERLOADED
    if number in DENIED:
        return Kind.DENIED
    return Kind.READ_ONLY if number in READ_ONLY else Kind.SQL


def _client_kind(cause: BaseException) -> Kind:
    match cause:
        case TimeoutError() | BlockingIOError():  # a Unix socket whose server accepts nobody, and whose queue is full
            return Kind.TIMED_OUT
        case ConnectionRefusedError() | FileNotFoundError():  # a socket file that is not there
            return Kind.REFUSED
        case OSError(errno=int()) if not isinstance(cause, ConnectionError):
            return Kind.UNREACHABLE
        case _:
            return Kind.CLOSED


def _cause(error: BaseException) -> BaseException:
    """The socket's error behind PyMySQL's."""
    known: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in known:
        if isinstance(cause, OSError) and not isinstance(cause, pymysql.MySQLError):
            return cause
        known.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return error
