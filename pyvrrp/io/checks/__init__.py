"""Health checks on the event loop: one module for each kind of probe, and their common cadence in `check`."""

from __future__ import annotations

from collections.abc import Callable

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import (
    CheckSettings,
    DnsProbe,
    FileProbe,
    HttpProbe,
    InterfaceProbe,
    MysqlProbe,
    PingProbe,
    ProcessProbe,
    ScriptProbe,
    SmtpProbe,
    TcpProbe,
    UdpProbe,
)
from pyvrrp.io.checks.check import Check, Prober

__all__ = ["Check", "make_check"]


def make_check(settings: CheckSettings, report: Callable[[CheckResult], None]) -> Check:
    """A check that does what `settings` say once it is started.

    Raises ValueError for an InterfaceProbe, and for a MysqlProbe with an account: SQL is not spoken here.
    """
    return Check(settings, _prober(settings), report)


def _prober(settings: CheckSettings) -> Prober:
    """Imports only what this kind of probe needs: the daemon does not carry what its configuration does not use."""
    match settings.probe:
        case TcpProbe() as probe:
            from pyvrrp.io.checks.tcp import TcpProber

            return TcpProber(probe, settings)
        case HttpProbe() as probe:
            from pyvrrp.io.checks.http import HttpProber

            return HttpProber(probe, settings)
        case SmtpProbe() as probe:
            from pyvrrp.io.checks.smtp import SmtpProber

            return SmtpProber(probe, settings)
        case DnsProbe() as probe:
            from pyvrrp.io.checks.dns import DnsProber

            return DnsProber(probe, settings)
        case PingProbe() as probe:
            from pyvrrp.io.checks.ping import PingProber

            return PingProber(probe, settings)
        case UdpProbe() as probe:
            from pyvrrp.io.checks.udp import UdpProber

            return UdpProber(probe, settings)
        case ScriptProbe() as probe:
            from pyvrrp.io.checks.script import ScriptProber

            return ScriptProber(probe, settings)
        case FileProbe() as probe:
            from pyvrrp.io.checks.file import FileProber

            return FileProber(probe, settings)
        case ProcessProbe() as probe:
            from pyvrrp.io.checks.process import ProcessProber

            return ProcessProber(probe, settings)
        case MysqlProbe(account) as probe if not account.can_log_in:
            from pyvrrp.io.checks.mysql import GreetingProber

            return GreetingProber(probe, settings)
        case InterfaceProbe() | MysqlProbe() as probe:
            raise ValueError(f"nothing runs for {probe}")
