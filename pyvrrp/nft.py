"""The program nft: tables of our own, set in one transaction each."""

from __future__ import annotations

import os
import shutil
import subprocess
from errno import EINVAL, ENOENT, ETIMEDOUT
from typing import Final

from pyvrrp.errors import KernelError

PATH: Final = "/usr/sbin:/sbin:/usr/local/sbin"  # besides the daemon's own
TIMEOUT: Final = 5.0  # seconds


def gone(table: str) -> str:
    """That a table is not there, whether it was or not, in nft's language."""
    return f"table inet {table}\ndelete table inet {table}\n"


def run(operation: str, rules: str) -> None:
    """Have nft carry out `rules`, all or none. Raises KernelError, which says what `operation` was."""
    program = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:{PATH}")
    if program is None:
        raise KernelError(operation, ENOENT, "there is no program nft on this host; install nftables")
    try:
        ended = subprocess.run(  # what it reads is made by us
            [program, "-f", "-"], input=rules, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise KernelError(operation, ETIMEDOUT, f"nft did not end within {TIMEOUT:g} s") from None
    except OSError as error:
        raise KernelError(operation, error.errno or ENOENT, f"{program}: {error.strerror}") from error
    if ended.returncode != 0:
        why = next(iter(ended.stderr.splitlines()), f"nft ended with status {ended.returncode}")
        raise KernelError(operation, EINVAL, why)
