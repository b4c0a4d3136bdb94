"""`pyvrrpd`: from the command line to a running daemon, and the exit status for every way of ending.

0 ended on request · 1 fatal · 2 configuration not usable · 4 permission
With -t: 0 fine · 4 cannot run · for a keepalived.conf that runs with errors what keepalived has: 5, or 2, or 6
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from errno import EACCES, EPERM
from pathlib import Path
from typing import NoReturn

from pyvrrp.app.background import detach
from pyvrrp.app.host import SIGNALS, missing_interfaces
from pyvrrp.app.options import FATAL, Options, parse
from pyvrrp.app.reading import Reading
from pyvrrp.core.settings import LoadedNode
from pyvrrp.errors import ConfigError, InstanceTakenError, KernelError, Problem

FINE, UNUSABLE, PERMISSION = 0, 2, 4
CANNOT_RUN = 4


def main() -> None:
    """Run the daemon until it is asked to stop, and exit."""
    _fill_standard_files()
    options = parse(sys.argv[1:])
    _prepare_process(options)
    # Until the daemon can answer them; one that comes earlier waits. The reader inherits this and ends by itself.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    if options.test is not None:
        _test(options)
    begun = detach(keep_stderr=options.log_console) if options.daemonize else lambda: None
    reading = _read(options)
    # While the other process reads, this one loads what it needs next.
    import pyvrrp.app.daemon  # noqa: F401

    try:
        loaded = reading.result()
        if loaded.settings.network_namespace and not options.namespace:
            _enter(loaded.settings.network_namespace)
            loaded = _read(options).result()  # whose addresses are this host's depends on it
    except ConfigError as error:
        _end(str(error), UNUSABLE)
    for problem in loaded.problems:
        _tell(str(problem))
    for advice in loaded.advice:
        _tell(f"advice: {advice}")
    sys.exit(_run(loaded, options, begun))


def _prepare_process(options: Options) -> None:
    # A descriptor or two for each interface and virtual router; the usual soft limit is kept low for select()'s sake.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options.umask is not None:
        os.umask(options.umask)
    if options.core_dump:
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    if options.namespace:
        _enter(options.namespace)


def _enter(namespace: str) -> None:
    from pyroute2 import netns  # only where it is needed: it costs a tenth of the start

    try:
        netns.setns(namespace, flags=0)  # it would make one that is not there
    except OSError as error:
        _end(f"pyvrrpd: network namespace {namespace}: {error.strerror}", FATAL)


def _fill_standard_files() -> None:
    """Where standard error is closed its number would go to some socket, and the log into that."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)


def _read(options: Options) -> Reading:
    try:
        return Reading(options.config, options.config_id, all_config=options.all_config)
    except OSError as error:
        _end(f"pyvrrpd: cannot start the reader of its configuration: {error}", FATAL)


def _test(options: Options) -> NoReturn:
    """-t: everything that is wrong, and the status that says how much."""
    lines: tuple[Problem, ...]
    advice: tuple[Problem, ...] = ()
    try:
        loaded = _read(options).result()
    except ConfigError as error:
        lines, status = error.problems, CANNOT_RUN
    else:
        missing = missing_interfaces(loaded)
        lines, advice = (*loaded.problems, *missing), loaded.advice
        status = CANNOT_RUN if missing else loaded.status
    text = "".join(f"{each}\n" for each in (*lines, *(f"advice: {each}" for each in advice)))
    if options.test:
        try:
            Path(options.test).write_text(text)
        except OSError as error:
            _end(f"pyvrrpd: {options.test}: {error.strerror}", FATAL)
    elif text:
        _tell(text.removesuffix("\n"))
    sys.exit(status)


def _run(loaded: LoadedNode, options: Options, begun: Callable[[], None]) -> int:
    from pyvrrp.app.daemon import serve

    try:
        return serve(loaded, options, begun)
    except ConfigError as error:
        _end(str(error), UNUSABLE)
    except InstanceTakenError as error:
        _end(str(error), FATAL)
    except KernelError as error:
        # The kernel says EPERM where a capability is missing, EACCES where a file's mode forbids.
        hint = ": it needs CAP_NET_ADMIN and CAP_NET_RAW (or root)" if error.errno == EPERM else ""
        _end(f"pyvrrpd: {error}{hint}", PERMISSION if error.errno in (EPERM, EACCES) else FATAL)
    except OSError as error:
        _end(f"pyvrrpd: {error}", PERMISSION if error.errno in (EPERM, EACCES) else FATAL)


def _end(text: str, status: int) -> NoReturn:
    _tell(text)
    sys.exit(status)


def _tell(text: str) -> None:
    """One line on standard error; a full disk or a reader that is gone keeps nothing from running."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
