"""The command line of `pyvrrpd`: its own few options, and every option of keepalived(8)."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from pyvrrp import __version__
from pyvrrp.app.host import DUMPS

FATAL: Final = 1
NODE_YAML: Final = "/etc/pyvrrp/node.yaml"
KEEPALIVED_CONF: Final = "/etc/keepalived/keepalived.conf"
SOCKET: Final = "/run/pyvrrp/pyvrrpd.sock"

# keepalived's names for what a signal does (--signum).
_SIGNALS: Final = {"STOP": signal.SIGTERM, "RELOAD": signal.SIGHUP} | {what.upper(): sig for sig, what in DUMPS.items()}

_FACILITIES: Final = {"user": 1, "daemon": 3} | {f"local{number}": 16 + number for number in range(8)}
_DAEMON: Final = 3  # LOG_DAEMON

# Options of keepalived that mean nothing here, with the reason that the debug log gives.
_WITHOUT_EFFECT: Final = {
    "all": "there are no subsystems to leave out",
    "no_bfd": "there is no BFD",
    "dont_respawn": "there are no child processes",
    "dont_fork": "it stays in the foreground anyway",
    "release_vips": "addresses always go when it ends",
    "dont_release_vrrp": "addresses always go when it ends, or with their lease: two nodes must not hold them",
    "dont_release_ipvs": "IPVS is not programmed yet",
    "address_monitoring": "changes of addresses are not logged one by one",
    "snmp": "there is no SNMP",
    "snmp_agent_socket": "there is no SNMP",
    "core_dump_pattern": "the kernel's pattern is not touched",
    "flush_log_file": "every line is written at once anyway",
    "bfd_pid": "there is no BFD",
    "perf": "there is nothing to record",
    "debug": "-D logs all there is",
    "no_mem_check": "Python looks after its memory",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for. `test` is the file for diagnostics of a test, "" standard error, None: no test.

    `log_facility` is None where syslog is not wanted. `ignored` are sentences about options that mean nothing here.
    """

    config: str
    socket: str = SOCKET
    test: str | None = None
    vrrp_only: bool = False
    checks_only: bool = False
    config_id: str | None = None
    all_config: bool = False
    daemonize: bool = False
    dump_conf: bool = False
    log_console: bool = False
    log_detail: bool = False
    log_facility: int | None = _DAEMON
    log_file: str | None = None
    pid: str | None = None
    vrrp_pid: str | None = None
    checkers_pid: str | None = None
    namespace: str = ""
    umask: int | None = None
    core_dump: bool = False
    record: str | None = None
    ignored: tuple[str, ...] = ()


def parse(arguments: list[str]) -> Options:
    """Understand a command line. Exits with 1 when it cannot, with 0 after --help, --version and --signum."""
    given = _parser().parse_args([_with_own_value(each) for each in arguments])
    if given.genhash:
        _refuse("-T/--genhash: that is a program of its own, genhash(1)")
    config, checkers_pid = given.config, given.checkers_pid
    if given.use_file is not None and given.c is not None:
        checkers_pid = given.c  # keepalived's meaning of -c
    elif given.c is not None:
        config = given.c
    # In the background the current directory is another one.
    found: Callable[[str | None], str | None] = _absolute if given.daemonize else lambda path: path
    return Options(
        config=found(given.use_file or config) or _default_config(),
        socket=given.socket,
        test=given.config_test,
        vrrp_only=given.vrrp,
        checks_only=given.check,
        config_id=given.config_id,
        all_config=given.all_config,
        daemonize=given.daemonize,
        dump_conf=given.dump_conf,
        log_console=given.log_console,
        log_detail=given.log_detail,
        log_facility=None if given.no_syslog else given.log_facility,
        log_file=found(given.log_file),
        pid=found(given.pid),
        vrrp_pid=found(given.vrrp_pid),
        checkers_pid=found(checkers_pid),
        namespace=given.namespace,
        umask=given.umask,
        core_dump=given.core_dump or given.core_dump_pattern is not None,
        record=found(given.record),
        ignored=tuple(_ignored(given)),
    )


def _absolute(path: str | None) -> str | None:
    return path and str(Path(path).absolute())


def _default_config() -> str:
    """What is read when no file is named: a machine that has only keepalived's needs no option."""
    return KEEPALIVED_CONF if Path(KEEPALIVED_CONF).exists() and not Path(NODE_YAML).exists() else NODE_YAML


def _ignored(given: argparse.Namespace) -> list[str]:
    values = vars(given)
    named = [(name, reason) for name, reason in _WITHOUT_EFFECT.items() if values[name] not in (None, False)]
    return [f"option --{name.replace('_', '-')} has no effect: {reason}" for name, reason in named]


def _with_own_value(argument: str) -> str:
    """-t, -M and --config-test have a value only when it is glued to them; argparse would take the next word."""
    match = re.fullmatch(r"-(t|M)(.*)", argument)
    if match:
        return f"--{'config-test' if match[1] == 't' else 'core-dump-pattern'}={match[2]}"
    return f"{argument}=" if argument in ("--config-test", "--core-dump-pattern", "--perf", "--debug") else argument


class _Parser(argparse.ArgumentParser):
    """argparse's own status for a wrong command line, 2, means something else here."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how it is used, and exit."""
        self.print_usage(sys.stderr)
        _refuse(message)


def _refuse(message: str) -> NoReturn:
    print(f"pyvrrpd: {message}", file=sys.stderr)
    sys.exit(FATAL)


class _SignalNumber(argparse.Action):
    """--signum: print a signal's number and exit."""

    def __call__(self, _parser: object, _namespace: object, value: object, _option: str | None = None) -> NoReturn:
        """Print it. Exits."""
        if value not in _SIGNALS:
            _refuse(f"Unknown sigfunc {value}")
        print(int(_SIGNALS[str(value)]))
        sys.exit(0)


def _facility(text: str) -> int:
    if re.fullmatch("[0-7]", text):
        return _FACILITIES[f"local{text}"]
    if text not in _FACILITIES:
        raise argparse.ArgumentTypeError(f"Invalid log facility '{text}'")
    return _FACILITIES[text]


def _mode(text: str) -> int:
    try:
        mask = int(text, 0 if text[:2].lower() == "0x" else 8)
    except ValueError:
        mask = -1
    if not 0 <= mask <= 0o777:
        raise argparse.ArgumentTypeError(f"invalid umask '{text}'")
    return mask


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="pyvrrpd",
        description="A virtual IP that follows a live MySQL: VRRP in keepalived's place.",
        epilog=f"Without -c and -f: {NODE_YAML}, or {KEEPALIVED_CONF} where only that is there.",
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=40, width=120),
    )
    add = parser.add_argument
    add("-c", metavar="FILE", help="the configuration, node.yaml or keepalived.conf (beside -f: --checkers_pid)")
    add("--config", metavar="FILE", help="the configuration")
    default = os.environ.get("PYVRRP_SOCKET", SOCKET)
    add("--socket", default=default, metavar="PATH", help="control socket for pyvrrpctl (%(default)s)")
    add(
        "-t",
        "--config-test",
        metavar="FILE",
        help="test the configuration and exit; -tFILE writes what is wrong to FILE",
    )
    add("--test", dest="config_test", action="store_const", const="", help="the same as -t")
    add("--daemonize", action="store_true", help="go on in the background, once everything runs")
    add("--record", metavar="FILE", help="record all that happens to FILE, for pyvrrpctl replay")
    version = f"pyvrrpd {__version__}"
    add("-v", "--version", action="version", version=version, help="print the version and exit")
    _add_keepaliveds(parser.add_argument_group("as keepalived(8) has them"))
    return parser


def _add_keepaliveds(group: argparse._ArgumentGroup) -> None:  # argparse has no public name
    add = group.add_argument
    add("-f", "--use-file", metavar="FILE", help="the configuration")
    add("-P", "--vrrp", action="store_true", help="no virtual servers")
    add("-C", "--check", action="store_true", help="no virtual routers")
    add("-l", "--log-console", action="store_true", help="log to standard error")
    add("-D", "--log-detail", action="store_true", help="log details")
    add("-S", "--log-facility", type=_facility, default=_DAEMON, metavar="FACILITY", help="0-7, local0-7, user, daemon")
    add("-g", "--log-file", metavar="FILE", help="log to FILE")
    add("-G", "--no-syslog", action="store_true", help="do not log to syslog")
    add("-d", "--dump-conf", action="store_true", help="log the configuration")
    add("-p", "--pid", metavar="FILE", help="pid file")
    add("-r", "--vrrp_pid", metavar="FILE", help="one more pid file, of the virtual routers")
    add("--checkers_pid", metavar="FILE", help="one more pid file, of the checkers")
    add("-s", "--namespace", default="", metavar="NAME", help="network namespace to run in")
    add("-i", "--config-id", metavar="ID", help="which lines with @ are read; the host's name by default")
    add("-e", "--all-config", action="store_true", help="refuse to start when an included file is missing")
    add("-u", "--umask", type=_mode, metavar="NUMBER", help="umask")
    add("-m", "--core-dump", action="store_true", help="allow core dumps")
    add("--signum", action=_SignalNumber, metavar="WHAT", help="print the signal for " + ", ".join(_SIGNALS))
    hidden = argparse.SUPPRESS
    add("-T", "--genhash", action="store_true", help=hidden)
    for options in (
        ("-B", "--no_bfd"),
        ("--all",),
        ("-R", "--dont-respawn"),
        ("-n", "--dont-fork"),
        ("-X", "--release-vips"),
        ("-V", "--dont-release-vrrp"),
        ("-I", "--dont-release-ipvs"),
        ("-a", "--address-monitoring"),
        ("-x", "--snmp"),
        ("--flush-log-file",),
        ("--no-mem-check",),
    ):
        add(*options, action="store_true", help=hidden)
    for options in (
        ("-A", "--snmp-agent-socket"),
        ("--core-dump-pattern",),
        ("-b", "--bfd_pid"),
        ("--perf",),
        ("--debug",),
    ):
        add(*options, help=hidden)
