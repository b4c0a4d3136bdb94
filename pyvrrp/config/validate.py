"""Located tree → model. Every problem of every value becomes a finding, and what is sound goes on to the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pyvrrp.config.findings import Findings
from pyvrrp.config.model import Authentication, Check, Instance, Node, TrackOptions
from pyvrrp.config.tree import Mapping, Part, Path, Scalar, Sequence, walk
from pyvrrp.config.tree import Node as TreeNode
from pyvrrp.config.values import Word, described

_SECTIONS: Final[dict[str, type[BaseModel]]] = {"vrrp_instances": Instance, "checks": Check}
_EXAMPLE_ADDRESS: Final = "192.0.2.1"
_KEY: Final = "[key]"  # how pydantic's locations end when a key of a mapping is wrong


@dataclass(frozen=True, slots=True)
class Checked:
    """A model, and the paths where stand-ins were put because the file's own values cannot be used."""

    node: Node
    broken: frozenset[Path]

    def sound(self, instance: str, *keys: str) -> bool:
        """Whether these keys of an instance are as the file has them."""
        return not any(("vrrp_instances", instance, key) in self.broken for key in keys)

    def check_names(self) -> set[str] | None:
        """All checks that the file names, usable or not; None when that cannot be told."""
        if ("checks",) in self.broken:
            return None
        broken = {str(path[1]) for path in self.broken if path[0] == "checks" and len(path) > 1}
        return broken | self.node.checks.keys()


def validate(root: TreeNode, findings: Findings) -> Checked | None:
    """The model of a tree. None when too little of it can be used to go on."""
    _report_repeated(root, (), findings)
    data = plain(root)
    if not isinstance(data, dict):
        findings.value((), f"keys and values are expected (vrrp_instances: …), not {described(data)}")
        return None
    try:
        return Checked(Node.model_validate(data), frozenset())
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    for each in details:
        _report(each, root, findings)
    broken = frozenset(_broken_part(each) for each in details)
    for path in broken:
        _mend(data, path)
    try:
        return Checked(Node.model_validate(data), broken)
    except ValidationError:
        return None


def plain(node: TreeNode) -> object:
    """The tree as dictionaries, lists and words."""
    if isinstance(node, Mapping):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return Word(node.text, node.quoted)


def _report_repeated(node: TreeNode, path: Path, findings: Findings) -> None:
    if isinstance(node, Mapping):
        for key, _ in node.repeated:
            findings.repeated_key((*path, key.text), key.place)
        for name, entry in node.entries.items():
            _report_repeated(entry.value, (*path, name), findings)
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            _report_repeated(item, (*path, index), findings)


def _report(error: ErrorDetails, root: TreeNode, findings: Findings) -> None:
    path: Path = error["loc"]
    kind = error["type"]
    if path[-1:] == (_KEY,):
        findings.key(path[:-1], _sentence(error))
    elif kind == "missing":
        findings.key(path[:-1], f'required key "{path[-1]}" is missing')
    elif kind == "extra_forbidden":
        findings.unknown_key(path, _known_keys(path[:-1]))
    elif _absent(root, path):
        findings.value(path, "has no value")
    else:
        findings.value(path, _sentence(error, _value(root, path)))


def _known_keys(path: Path) -> list[str]:
    model: type[BaseModel] = Node
    if path:
        model = _SECTIONS[str(path[0])]
    if "track_checks" in path:
        model = TrackOptions
    elif path[-1:] == ("authentication",):
        model = Authentication
    return list(model.model_fields)


def _value(root: TreeNode, path: Path) -> TreeNode:
    return [root, *(value for _, value in walk(root, path))][-1]


def _absent(root: TreeNode, path: Path) -> bool:
    value = _value(root, path)
    return isinstance(value, Scalar) and value.absent


def _sentence(error: ErrorDetails, value: TreeNode | None = None) -> str:
    context = error.get("ctx", {})
    stands = described(plain(value)) if value is not None else "something else"
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"keys and values are expected here, not {stands}"
        case "list_type":
            return f"a list is expected here ([a, b], or lines that begin with -), not {stands}"
        case "too_short":
            return "at least one is needed"
        case "too_long":
            return f"{context['actual_length']} are too many, {context['max_length']} fit"
        case other:
            return f"cannot be used ({other})"


def _broken_part(error: ErrorDetails) -> Path:
    """What must be left out so that the rest can be looked at: as little as possible, a whole entry at most."""
    path: Path = error["loc"][:-1] if error["loc"][-1] == _KEY else error["loc"]
    if path[0] not in _SECTIONS:
        return path[:1]
    exact = error["type"] == "extra_forbidden" or path[2:3] == ("virtual_ipaddress",) or path[-1] == "weight"
    return path if exact else path[:3]


def _mend(data: object, path: Path) -> None:
    """Leave the value at `path` out, or put an example in its place where something must stand."""
    *above, last = path
    for part in above:
        data = _child(data, part)
    if isinstance(data, list) and isinstance(last, int):
        data[last] = Word(_EXAMPLE_ADDRESS)
    elif isinstance(data, dict):
        data.pop(last, None)
        field = _SECTIONS[str(path[0])].model_fields.get(str(last)) if len(path) == 3 else None
        if field is not None and field.is_required():
            data[last] = _example(field)


def _child(data: object, part: Part) -> object:
    if isinstance(data, dict):
        # A mapping that stands for a list with one item.
        return data if isinstance(part, int) else data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None


def _example(field: FieldInfo) -> object:
    example = (field.examples or [""])[0]
    return [Word(each) for each in example] if isinstance(example, list) else Word(str(example))
