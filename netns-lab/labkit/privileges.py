"""The right to make network namespaces: root has it, everybody else gets it inside a user namespace of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from labkit.errors import LabError
from labkit.processes import Process

CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21  # linux/capability.h
MARK = "PYVRRP_LAB_USER_NAMESPACE"  # how this program came into a user namespace, empty outside of one
FRESH, JOINED = "fresh", "joined"
PROGRAM = [sys.executable, "-P", "-m", "labkit"]


def privileged() -> bool:
    """Whether this process may make namespaces."""
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return all(effective >> capability & 1 for capability in (CAP_NET_ADMIN, CAP_SYS_ADMIN))


def enter_user_namespace(arguments: list[str]) -> None:
    """Start this program again in a user namespace, in place of itself. LabError when the kernel does not allow it."""
    words = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
    trial = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        raise LabError(f"needs root: this kernel gives no user namespace ({trial.stderr.strip()})")
    print("Not root: everything happens in a user namespace of its own.", file=sys.stderr, flush=True)
    os.environ[MARK] = FRESH
    os.execvp(words[0], [*words, *PROGRAM, *arguments])  # noqa: S606 - a list of words, no shell wanted


def in_user_namespace() -> bool:
    """Whether this program was started again in a user namespace."""
    return MARK in os.environ


def furnish_user_namespace() -> None:
    """Give a fresh user namespace a /run of its own, where `ip netns` keeps its names; nothing to do elsewhere."""
    if os.environ.get(MARK) != FRESH:
        return
    result = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"cannot mount a private /run: {result.stderr.strip()}")


def join_user_namespace(holder: Process, arguments: list[str]) -> None:
    """Start this program again inside the user namespace that `holder` keeps, in place of itself."""
    words = ["nsenter", f"--target={holder.pid}", "--user", "--net", "--mount", "--wd=.", "--preserve-credentials"]
    os.environ[MARK] = JOINED
    os.execvp(words[0], [*words, *PROGRAM, *arguments])  # noqa: S606 - a list of words, no shell wanted
