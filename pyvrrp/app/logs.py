"""Where the log goes, by the command line and by the manner of the configuration."""

from __future__ import annotations

from pathlib import Path

from pyvrrp.app.options import Options
from pyvrrp.core.effects import Level
from pyvrrp.io.journal import (
    SYSLOG_SOCKET,
    Console,
    File,
    Journal,
    Sender,
    Sink,
    Syslog,
    Systemd,
    iso_stamp,
    keepalived_stamp,
    stderr_is_journal,
)


def open_journal(options: Options, *, keepalived: bool) -> Journal:
    """The log of a daemon. With keepalived's configuration it is found where keepalived's was. Raises OSError."""
    sender = Sender(
        name="Keepalived_vrrp" if keepalived else "pyvrrpd",
        facility=options.log_facility if options.log_facility is not None else Sender().facility,
        stamp=keepalived_stamp if keepalived else iso_stamp,
    )
    sinks: list[Sink] = [File(options.log_file, sender)] if options.log_file else []
    wants_syslog = options.log_facility is not None
    if stderr_is_journal():
        if wants_syslog or options.log_console:
            sinks.append(Systemd(sender))
    else:
        if (keepalived or options.daemonize) and wants_syslog and Path(SYSLOG_SOCKET).exists():
            sinks.append(Syslog(sender))
        if options.log_console or (not keepalived and not options.daemonize):
            sinks.append(Console(sender))
    return Journal(tuple(sinks or [Console(sender)]), Level.DEBUG if options.log_detail else Level.INFO)
