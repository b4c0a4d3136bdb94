"""`pyvrrpctl`: the operator's command line. A command's module is loaded when it is used.

0 fine · 1 usage · 2 daemon not reachable, configuration not usable · 3 unhealthy, decides otherwise · 6 refused ·
7 timed out
"""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from pyvrrp import __version__
from pyvrrp.cli.failure import USAGE, Failure

_COMMANDS: Final = {
    "acknowledge": ("pyvrrp.cli.orders", "acknowledge"),
    "check": ("pyvrrp.cli.config", "check"),
    "config": ("pyvrrp.cli.config", "config"),
    "drain": ("pyvrrp.cli.orders", "drain"),
    "explain": ("pyvrrp.cli.status", "explain"),
    "history": ("pyvrrp.cli.status", "history"),
    "keys": ("pyvrrp.cli.keys", "keys"),
    "mysql": ("pyvrrp.cli.mysql", "mysql"),
    "pause": ("pyvrrp.cli.orders", "pause"),
    "promote": ("pyvrrp.cli.orders", "promote"),
    "record": ("pyvrrp.cli.record", "record"),
    "reload": ("pyvrrp.cli.reload", "reload"),
    "replay": ("pyvrrp.cli.replay", "replay"),
    "resume": ("pyvrrp.cli.orders", "resume"),
    "sniff": ("pyvrrp.cli.sniff", "sniff"),
    "status": ("pyvrrp.cli.status", "status"),
    "switchover": ("pyvrrp.cli.orders", "switchover"),
}


class _Commands(click.Group):
    """Commands by name, imported at the first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--socket",
    envvar="PYVRRP_SOCKET",
    default="/run/pyvrrp/pyvrrpd.sock",
    show_default=True,
    metavar="PATH",
    help="The daemon's control socket.",
)
@click.version_option(__version__, message="pyvrrpctl %(version)s")
@click.pass_context
def pyvrrpctl(context: click.Context, socket: str) -> None:
    """Ask pyvrrpd what it does and why, check its configuration, have it reload, move a database."""
    context.obj = socket


def run(arguments: list[str]) -> int:
    """Carry out a command line; its exit status."""
    try:
        status = pyvrrpctl.main(arguments, prog_name="pyvrrpctl", standalone_mode=False)
    except Failure as failure:
        failure.show()
        return failure.status
    except click.ClickException as error:
        error.show()
        return USAGE
    except click.Abort:
        return USAGE
    except OSError as error:  # standard output is full, or its reader is gone
        print(f"pyvrrpctl: {error.strerror or error}", file=sys.stderr)
        return USAGE
    return int(status or 0)


def main() -> None:
    """Run and exit."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
