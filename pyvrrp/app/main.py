"""`pyvrrpd`: the command line, and the exit status for every way of ending.

0 ended on request · 1 fatal · 2 configuration not usable · 4 permission
With -t: 0 fine · 4 cannot run
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import sys
from errno import EACCES, EPERM
from typing import NoReturn

from pyvrrp import __version__
from pyvrrp.app.host import SIGNALS, missing_interfaces
from pyvrrp.app.reading import Reading
from pyvrrp.core.settings import LoadedNode
from pyvrrp.errors import ConfigError, InstanceTakenError, KernelError

FINE, FATAL, UNUSABLE, PERMISSION = 0, 1, 2, 4
CANNOT_RUN = 4

DEFAULT_CONFIG = "/etc/pyvrrp/node.yaml"
DEFAULT_SOCKET = "/run/pyvrrp/pyvrrpd.sock"


def main() -> None:
    """Run the daemon until it is asked to stop, and exit."""
    _fill_standard_files()
    # A descriptor or two for each interface and virtual router; the usual soft limit is kept low for select()'s sake.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    options = _arguments()
    # Until the daemon can answer them; one that comes earlier waits. The reader inherits this and ends by itself.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        reading = Reading(options.config)
    except OSError as error:
        sys.exit(_end(f"pyvrrpd: cannot start the reader of its configuration: {error}", FATAL))
    if not options.test:
        # While the other process reads, this one loads what it needs next.
        import pyvrrp.app.daemon  # noqa: F401
    try:
        loaded = reading.result()
    except ConfigError as error:
        sys.exit(_end(str(error), CANNOT_RUN if options.test else UNUSABLE))
    for advice in loaded.advice:
        _tell(f"advice: {advice}")
    if not options.test:
        sys.exit(_run(loaded, options.config, options.socket))
    problems = missing_interfaces(loaded)
    sys.exit(_end("\n".join(str(each) for each in problems), CANNOT_RUN) if problems else FINE)


def _fill_standard_files() -> None:
    """Where standard error is closed its number would go to some socket, and the log into that."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)


def _run(loaded: LoadedNode, config: str, control: str) -> int:
    from pyvrrp.app.daemon import serve

    try:
        return serve(loaded, config, control)
    except ConfigError as error:
        return _end(str(error), UNUSABLE)
    except InstanceTakenError as error:
        return _end(str(error), FATAL)
    except KernelError as error:
        # The kernel says EPERM where a capability is missing, EACCES where a file's mode forbids.
        hint = ": it needs CAP_NET_ADMIN and CAP_NET_RAW (or root)" if error.errno == EPERM else ""
        return _end(f"pyvrrpd: {error}{hint}", PERMISSION if error.errno in (EPERM, EACCES) else FATAL)
    except OSError as error:
        return _end(f"pyvrrpd: {error}", PERMISSION if error.errno in (EPERM, EACCES) else FATAL)


def _end(text: str, status: int) -> int:
    _tell(text)
    return status


def _tell(text: str) -> None:
    """One line on standard error; a full disk or a reader that is gone keeps nothing from running."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


class _Parser(argparse.ArgumentParser):
    """argparse's own status for a wrong command line, 2, means something else here."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how it is used, and exit."""
        self.print_usage(sys.stderr)
        self.exit(FATAL, f"{self.prog}: {message}\n")


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="pyvrrpd", description="A virtual IP that follows a live MySQL: VRRP in keepalived's place.")
    parser.add_argument("-c", "--config", default=DEFAULT_CONFIG, metavar="FILE", help="node.yaml (%(default)s)")
    parser.add_argument("-t", "--test", action="store_true", help="test the configuration and exit")
    parser.add_argument(
        "--socket",
        default=os.environ.get("PYVRRP_SOCKET", DEFAULT_SOCKET),
        metavar="PATH",
        help="control socket for pyvrrpctl (%(default)s)",
    )
    parser.add_argument("-v", "--version", action="version", version=f"pyvrrpd {__version__}")
    return parser.parse_args()
