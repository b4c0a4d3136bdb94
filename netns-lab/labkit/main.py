"""The command line of netns-lab/lab."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from labkit import agents, demo, interruption, laboratory, overview, privileges, state, topology
from labkit.database import PASSWORD, USER
from labkit.errors import LabError
from labkit.laboratory import ADDRESSES, CLIENT
from labkit.processes import Process
from labkit.state import State

STANDING = "lab"  # the name of the laboratory that `up` makes
TRY = (
    "netns-lab/lab exec a ip address",
    "netns-lab/lab exec a pyvrrpctl status",
    f"netns-lab/lab exec client mariadb -h {agents.VIP} -u {USER} -p{PASSWORD} -e 'select @@server_id'",
    "netns-lab/lab status",
    "netns-lab/lab down",
)


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    interruption.unwind_on_signals()
    try:
        _obtain_privileges(options.command, arguments)
        if options.command in ("up", "demo") and (reason := agents.hindrance(options.agent)):
            print(f"{options.agent}: {reason}", file=sys.stderr)
        return _perform(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; everything is cleaned up", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="netns-lab/lab", description="Two database nodes and a client in network namespaces."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    up = commands.add_parser("up", help="build a laboratory and leave it running")
    show = commands.add_parser("demo", help="let things fail while a client writes, and print what it cost")
    for command in (up, show):
        command.add_argument("--agent", choices=agents.NAMES, default=agents.NAMES[0], help="what moves the VIP")
        command.add_argument("--priorities", type=_priorities, metavar="A/B", help="VRRP priorities (default 250/240)")
    show.add_argument("--no-compare", action="store_true", help="leave out keepalived")
    show.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")

    commands.add_parser("status", help="show who holds the VIP and whether everything is well")
    execute = commands.add_parser("exec", help="run a command on a host of the laboratory")
    execute.add_argument("host", choices=[*ADDRESSES, CLIENT, "switch"])
    execute.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="default: a shell")
    commands.add_parser("down", help="end it and remove every trace")
    return parser


def _perform(options: argparse.Namespace) -> int:
    match options.command:
        case "up":
            _up(options)
        case "demo":
            rival = "keepalived" if options.agent != "keepalived" and not options.no_compare else None
            return demo.run(options.agent, rival, options.priorities, options.json)
        case "status":
            return overview.show(laboratory.open_existing(STANDING))
        case "exec":
            _execute(options.host, options.words or [os.environ.get("SHELL", "/bin/sh")])
        case "down":
            _down()
    return 0


def _up(options: argparse.Namespace) -> None:
    made = laboratory.create(STANDING, options.agent, options.priorities, hold=privileges.in_user_namespace())
    overview.show(made)
    print("\nLook around, and end it:", *TRY, sep="\n    ")


def _execute(host: str, words: list[str]) -> None:
    made = laboratory.open_existing(STANDING)
    if host in made.nodes:
        os.environ["PYVRRP_SOCKET"] = str(made.nodes[host].directory / agents.SOCKET)
    programs = Path(sys.executable).parent  # pyvrrpctl is beside python
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    argv = topology.inside(f"{made.network.name}-{host}", words)
    os.execvp(argv[0], argv)  # noqa: S606 - a list of words, no shell wanted


def _down() -> None:
    swept = state.sweep()
    known = State.load(STANDING)
    if known is not None:
        known.demolish()
        swept.append(STANDING)
    print(f"removed: {', '.join(swept)}" if swept else "nothing was up")


def _obtain_privileges(command: str, arguments: list[str]) -> None:
    """Go to where namespaces may be made, or where those of the standing laboratory are; this may start us again."""
    if privileges.in_user_namespace():
        privileges.furnish_user_namespace()
        return
    known = State.load(STANDING)
    holder: Process | None = known.holder if known else None
    if command in ("status", "exec", "down") and holder is not None and holder.alive:
        privileges.join_user_namespace(holder, arguments)
    if command in ("up", "demo") and not privileges.privileged():
        privileges.enter_user_namespace(arguments)


def _priorities(text: str) -> dict[str, int]:
    first, slash, second = text.partition("/")
    if not slash or not all(part.isdecimal() and 1 <= int(part) <= 254 for part in (first, second)):
        raise argparse.ArgumentTypeError("want two numbers of 1 to 254, as in 250/240")
    return dict(zip(ADDRESSES, (int(first), int(second)), strict=True))
