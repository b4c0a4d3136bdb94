"""enable_script_security of node.yaml: no script runs as root that others than root can change."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pyvrrp.config.findings import Findings
from pyvrrp.config.model.checks import ScriptCheck
from pyvrrp.config.model.node import NodeFile
from pyvrrp.config.model.section import Notifying, Script, Section
from pyvrrp.config.script_security import examine
from pyvrrp.config.tree import Path
from pyvrrp.config.values import quote
from pyvrrp.identity import identity

_FIFOS = ("notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo")


def apply(node: NodeFile, findings: Findings) -> None:
    """Report every script that must not run; nothing when nobody asks for security."""
    if not node.enable_script_security:
        return
    user, _, group = node.script_user.partition(" ")
    for where, script in _scripts(node):
        program = script.script[0]
        try:
            runner = identity(script.user or user, script.group or ("" if script.user else group))
        except LookupError as error:
            findings.value(where, str(error))
            continue
        verdict = examine(program, *runner, enabled=True)
        if verdict.sentence:
            findings.value(where, verdict.sentence)
        elif os.path.realpath(program) != program:
            # Whoever owns the directory of a link could turn it elsewhere after this look at it.
            findings.value(where, f"{quote(program)} leads to {verdict.program}: with enable_script_security name that")


def _scripts(node: NodeFile) -> Iterator[tuple[Path, Script]]:
    for name in _FIFOS:
        fifo = getattr(node, name)
        if fifo is not None and fifo.script is not None:
            yield (name, "script"), fifo.script
    for section in ("vrrp_instances", "vrrp_sync_groups"):
        for name, party in getattr(node, section).items():
            yield from _of((section, name), party, tuple(Notifying.model_fields))
    for name, check in node.checks.items():
        if isinstance(check, ScriptCheck):
            yield ("checks", name, "script"), check.script
    for index, service in enumerate(node.virtual_servers):
        where: Path = ("virtual_servers", index)
        yield from _of(where, service, ("quorum_up", "quorum_down"))
        for position, server in enumerate(service.real_servers):
            yield from _of((*where, "real_servers", position), server, ("notify_up", "notify_down"))


def _of(where: Path, section: Section, keys: tuple[str, ...]) -> Iterator[tuple[Path, Script]]:
    for key in keys:
        script = getattr(section, key)
        if isinstance(script, Script):
            yield (*where, key), script
