"""The bytes of a configuration file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pyvrrp.errors import ConfigError, Problem

SIZE_MAX: Final = 8 << 20  # bytes; a thousand instances are 0.3 MiB


def read_content(path: str) -> bytes:
    """What stands in the file `path`. Raises ConfigError."""
    try:
        if Path(path).is_fifo():
            raise unusable(path, "is a pipe, not a file")  # opening it would wait for a writer, for ever
        with open(path, "rb", opener=_open_at_once) as file:  # Path.open() takes no opener
            content = file.read(SIZE_MAX + 1) or b""
    except IsADirectoryError:
        raise unusable(path, "is a directory, not a file") from None
    except FileNotFoundError:
        raise unusable(path, "there is no such file") from None
    except PermissionError:
        raise unusable(path, "permission to read it is denied") from None
    except OSError as error:
        raise unusable(path, f"cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise unusable(repr(path), "is not a file name") from None
    if len(content) > SIZE_MAX:
        raise unusable(path, f"is larger than {SIZE_MAX >> 20} MiB")
    return content


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # or a terminal, or /proc/kmsg, would be waited for


def unusable(path: str, message: str) -> ConfigError:
    """The file as a whole cannot be used."""
    return ConfigError((Problem(path, 0, 0, "", message),))
