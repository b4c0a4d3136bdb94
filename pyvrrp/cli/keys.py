"""`pyvrrpctl keys`: the key and certificate by which the two agents of a pair know each other."""

from __future__ import annotations

import os
import subprocess
from typing import Final

import click

from pyvrrp.cli.failure import REFUSED, TIMED_OUT, Failure

SECONDS: Final = 30.0
# The certificate is believed because it is this one, so nothing in it matters but the key.
COMMAND: Final = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
    *("-days", "3650", "-subj", "/CN=pyvrrp", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "-"),
)


@click.command()
@click.argument("file")
def keys(file: str) -> None:
    """Make FILE: a key (EC P-256) with its self-signed certificate, for the channel between the two agents.

    Both nodes need the same file (key_file), readable by the daemon's user alone. A file that is there is not
    overwritten.
    """
    if os.path.lexists(file):
        raise Failure(f"{file} is there already", REFUSED)
    pem = _made()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            os.fchmod(descriptor, 0o600)  # whatever the umask is
            out.write(pem)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", REFUSED) from None
    click.echo(f"{file}: made; copy it to the other node as it is, mode 0600 (it is a secret)")


def _made() -> bytes:
    """Key and certificate, which were never in a file. Raises Failure."""
    try:
        ended = subprocess.run(COMMAND, capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise Failure("there is no program openssl on this host", REFUSED) from None
    except subprocess.TimeoutExpired:
        raise Failure(f"openssl did not end within {SECONDS:g} s", TIMED_OUT) from None
    if ended.returncode or any(ended.stdout.count(b"BEGIN " + each) != 1 for each in (b"PRIVATE KEY", b"CERTIFICATE")):
        why = ended.stderr.decode(errors="replace").strip().splitlines() or [f"status {ended.returncode}"]
        raise Failure(f"openssl made no key: {why[-1]}", REFUSED)
    return ended.stdout
