"""A configuration file, of either face → core settings, or every problem that it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyvrrp.config import (
    face,
    interface_rules,
    mysql_rules,
    relation,
    rules,
    script_rules,
    strict_rules,
    transport_rules,
    yaml_file,
)
from pyvrrp.config.advice import advise
from pyvrrp.config.build import Builder
from pyvrrp.config.findings import Findings
from pyvrrp.config.mysql_advice import advise_mysql
from pyvrrp.config.secret import read_password
from pyvrrp.config.tree import Mapping, Place, TreeNode, split_path, value_place
from pyvrrp.config.validate import Checked, validate
from pyvrrp.core.settings import LoadedNode, NodeSettings, Track
from pyvrrp.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pyvrrp.config.keepalived.remarks import Remarks
    from pyvrrp.config.keepalived.statement import Statement


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used, and the tree that it came from; see LoadedNode for the rest."""

    settings: NodeSettings
    advice: tuple[Problem, ...]
    root: TreeNode
    problems: tuple[Problem, ...] = ()
    status: int = 0
    keepalived: bool = False
    refused: bool = False

    def locate(self, path: str) -> Place:
        """Where the value named by `path` (`vrrp_instances.VI_1.interface`) stands, or the nearest one above it."""
        return value_place(self.root, split_path(self.root, path))

    def without_tree(self) -> LoadedNode:
        """What the daemon needs of this, in a form that crosses a pipe."""
        places: dict[str, tuple[str, int, int]] = {}
        for each in self.settings.instances:
            place = value_place(self.root, ("vrrp_instances", each.name, "interface"))
            places[each.name] = (place.file, place.line, place.column)
        return LoadedNode(self.settings, self.advice, places, self.problems, self.status, self.keepalived, self.refused)


def load(path: str, config_id: str | None = None, *, all_config: bool = False) -> Loaded:
    """Read the file `path`, node.yaml or keepalived.conf. Raises ConfigError with every problem, in file order.

    A keepalived.conf with mistakes loads without what is wrong in it, as in keepalived; `config_id` is what its
    `@` lines ask for, the host's name where None; with `all_config` no included file may be missing.
    """
    if face.is_keepalived(path):
        return _load_keepalived(path, config_id, all_config)
    return _load_tree(yaml_file.read(path), path, strict=True)


@dataclass(frozen=True, slots=True)
class Converted:
    """A node.yaml that does what a keepalived.conf does, what is said about that file, and what node.yaml refuses."""

    text: str
    problems: tuple[Problem, ...]
    advice: tuple[Problem, ...]
    objections: tuple[Problem, ...]


def convert(path: str, config_id: str | None = None) -> Converted:
    """The node.yaml for a keepalived.conf. Raises ConfigError when that cannot be used at all."""
    from pyvrrp.config.keepalived.comments import comments
    from pyvrrp.config.yaml_text import render

    if not face.is_keepalived(path):
        raise ConfigError((Problem(path, 0, 0, "", "is a node.yaml already"),))
    statements, tree, remarks = _read_keepalived(path, config_id, all_config=False)
    text = render(tree, comments(statements))
    objections: tuple[Problem, ...] = ()
    try:
        _load_tree(yaml_file.parse(text, "node.yaml"), path, strict=True)
    except ConfigError as error:
        objections = error.problems
    return Converted(text, remarks.problems(), remarks.advice(), objections)


def _read_keepalived(
    path: str, config_id: str | None, all_config: bool
) -> tuple[tuple[Statement, ...], Mapping, Remarks]:
    from pyvrrp.config.keepalived.mapping import to_tree  # node.yaml does not wait for these
    from pyvrrp.config.keepalived.parser import parse
    from pyvrrp.config.keepalived.remarks import Remarks

    remarks = Remarks()
    statements = parse(path, config_id, remarks, all_config=all_config)
    return statements, to_tree(statements, path, remarks), remarks


def _load_keepalived(path: str, config_id: str | None, all_config: bool) -> Loaded:
    from pyvrrp.config.keepalived.interfaces import remark_missing

    statements, tree, remarks = _read_keepalived(path, config_id, all_config)
    remark_missing(statements, remarks)
    loaded = _load_tree(tree, path, strict=False)
    if not loaded.settings.instances and not loaded.settings.services:
        remarks.advise(
            tree.place, "", "there is nothing to do: no vrrp_instance and no virtual_server that can be used"
        )
    advice = tuple(sorted({*loaded.advice, *remarks.advice()}))
    return Loaded(
        loaded.settings, advice, tree, remarks.problems(), remarks.status, keepalived=True, refused=remarks.refused
    )


def _load_tree(root: TreeNode, path: str, *, strict: bool) -> Loaded:
    findings = Findings(root)
    checked = validate(root, findings)
    passwords: dict[str, bytes] = {}
    tied: dict[str, tuple[Track, ...]] = {}
    if checked is not None:
        if strict:
            rules.apply(checked, findings)
            transport_rules.apply(checked, findings)
            strict_rules.apply(checked, findings)
            interface_rules.apply(checked, findings)
            script_rules.apply(checked.node, findings)
            mysql_rules.apply(checked, findings)
        passwords = _passwords(checked, path, findings)
        tied = relation.ties(checked.node, findings)
        advise(checked.node, tied, path, findings)
        advise_mysql(checked.node, Path(path).parent, findings)
    advice = findings.advice()
    if checked is None:
        raise AssertionError("a tree without a model has problems")
    return Loaded(Builder(checked.node, Path(path).parent, passwords, tied).settings(), advice, root)


def _passwords(checked: Checked, path: str, findings: Findings) -> dict[str, bytes]:
    """The passwords of all instances that have one."""
    passwords: dict[str, bytes] = {}
    for name, instance in checked.node.vrrp_instances.items():
        given = instance.authentication
        if given is None:
            continue
        if given.auth_pass is not None:
            passwords[name] = given.auth_pass
        elif given.auth_pass_file is not None:
            try:
                passwords[name] = read_password(Path(path).parent / given.auth_pass_file)
            except ValueError as error:
                findings.value(("vrrp_instances", name, "authentication", "auth_pass_file"), str(error))
    return passwords
