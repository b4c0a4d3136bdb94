"""What a keepalived.conf means: its tree as plain values, what is said of it, and the status."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyvrrp.config.findings import Findings
from pyvrrp.config.keepalived.mapping import to_tree
from pyvrrp.config.keepalived.parser import parse
from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.tree import Mapping, Scalar, TreeNode
from pyvrrp.config.validate import validate
from pyvrrp.errors import Problem

TRUE = shutil.which("true") or "/bin/true"  # a program that is there, and that only root can change

VIP = "virtual_ipaddress {\n 192.0.2.1\n}\n"


@dataclass(frozen=True)
class Mapped:
    """`errors` and `advice` are lines as `7: vrrp_instance.V.priority: 300 is outside 1..255; 100 is used`."""

    tree: dict[str, Any]
    errors: list[str]
    advice: list[str]
    status: int
    root: Mapping

    @property
    def instance(self) -> dict[str, Any]:
        """The only instance."""
        (found,) = self.tree["vrrp_instances"].values()
        return dict(found)

    @property
    def check(self) -> dict[str, Any]:
        """The only check."""
        (found,) = self.tree["checks"].values()
        return dict(found)

    @property
    def server(self) -> dict[str, Any]:
        """The only virtual server."""
        (found,) = self.tree["virtual_servers"]
        return dict(found)


def mapped(folder: Path, text: str) -> Mapped:
    """What a file with this text means; its tree is one that the model takes."""
    file = folder / "keepalived.conf"
    file.write_text(textwrap.dedent(text), encoding="utf-8", errors="surrogateescape")
    remarks = Remarks()
    root = to_tree(parse(str(file), "lab", remarks), str(file), remarks)
    findings = Findings(root)
    assert validate(root, findings) is not None
    findings.advice()  # raises ConfigError where the model has a problem
    tree = plain(root)
    assert isinstance(tree, dict)
    return Mapped(tree, _lines(remarks.problems()), _lines(remarks.advice()), remarks.status, root)


def plain(node: TreeNode) -> Any:
    """A tree as dictionaries, lists and strings."""
    if isinstance(node, Mapping):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Scalar):
        return node.text
    return [plain(item) for item in node.items]


def instance(lines: str, before: str = "", name: str = "V") -> str:
    """A file with one instance that is sound, and these lines in it; they begin in line 4 where nothing is before."""
    return f"{before}vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id 51\n{lines}\n{VIP}}}\n"


def _lines(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{each.line}: {each.path}: {each.message}" for each in problems]
