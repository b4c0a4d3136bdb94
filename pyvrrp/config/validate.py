"""Located tree → model. Every problem of every value becomes a finding, and what is sound goes on to the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pyvrrp.config.findings import Findings
from pyvrrp.config.model.checks import MODELS, Bind, Url, tag
from pyvrrp.config.model.instance import Authentication, HeldAddress, Instance
from pyvrrp.config.model.interfaces import Delays, GarpGroup, StaticAddress
from pyvrrp.config.model.mysql import Channel, Demote, Mysql, MysqlPeer, Probe, Promote
from pyvrrp.config.model.node import Fifo, NodeFile, SyncGroup
from pyvrrp.config.model.section import Notifying, Script, TrackOptions
from pyvrrp.config.model.services import RealServer, VirtualServer
from pyvrrp.config.model.transport import Peer
from pyvrrp.config.model.vmac import Vmac
from pyvrrp.config.tree import Mapping, Part, Path, Scalar, Sequence, TreeNode, walk
from pyvrrp.config.values import Word, described

_SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "vrrp_instances": Instance,
    "vrrp_sync_groups": SyncGroup,
    "virtual_servers": VirtualServer,
    "mysql": Mysql,
    "channel": Channel,
}
_COMMANDS: Final = (*(name for name in Notifying.model_fields if name.startswith("notify")), "quorum_up", "quorum_down")
_INNER: Final[dict[Part, type[BaseModel]]] = {
    "authentication": Authentication,
    "bind": Bind,
    "real_servers": RealServer,
    "unicast_peer": Peer,
    "use_vmac": Vmac,
    "garp_groups": GarpGroup,
    "interface_up_down_delays": Delays,
    "static_ipaddress": StaticAddress,
    "urls": Url,
    "peer": MysqlPeer,
    "probe": Probe,
    "promote": Promote,
    "demote": Demote,
    **dict.fromkeys((*_COMMANDS, "notify_up", "notify_down", "script"), Script),
    **dict.fromkeys(("virtual_ipaddress", "virtual_ipaddress_excluded"), HeldAddress),
    **dict.fromkeys(("notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo"), Fifo),
}
_NAMED: Final = (("vrrp_instances",), ("vrrp_sync_groups",), ("checks",), ("mysql",))
_ADDRESSES: Final = (("virtual_ipaddress",), ("virtual_ipaddress_excluded",))
_EXAMPLE_ADDRESS: Final = {4: "192.0.2.1", 6: "2001:db8::1"}
_IN_A_FILE: Final = (
    "a password does not stand here: write it into a file of its own (mode 0600) and name that with password_file"
)
_KEY: Final = "[key]"  # how pydantic's locations end when a key of a mapping is wrong


@dataclass(frozen=True, slots=True)
class Checked:
    """A model, and the paths where stand-ins were put because the file's own values cannot be used."""

    node: NodeFile
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
        return Checked(NodeFile.model_validate(data), frozenset())
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    found = [(_path(root, each), each) for each in details]
    for path, each in found:
        _report(path, each, root, findings)
    broken = frozenset(_broken_part(path, each) for path, each in found)
    for path in broken:
        _mend(data, path)
    try:
        return Checked(NodeFile.model_validate(data), broken)
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


def _report(path: Path, error: ErrorDetails, root: TreeNode, findings: Findings) -> None:
    kind = error["type"]
    if path[-1:] == (_KEY,):
        findings.key(path[:-1], _sentence(error))
    elif kind == "missing":
        findings.key(path[:-1], f'required key "{path[-1]}" is missing')
    elif kind == "extra_forbidden" and path[0] == "mysql" and path[-1] == "password":
        findings.key(path, _IN_A_FILE)
    elif kind == "extra_forbidden":
        findings.unknown_key(path, _known_keys(root, path[:-1]))
    elif _absent(root, path):
        findings.value(path, "has no value")
    else:
        findings.value(path, _sentence(error, _value(root, path)))


def _path(root: TreeNode, error: ErrorDetails) -> Path:
    """Where in the file: without the type of a check, and without keys of a mapping that a single value stands for."""
    path: Path = error["loc"]
    if path[0] == "checks":
        path = path[:2] + path[3:]
    if path[-1:] == (_KEY,) or error["type"] == "missing":
        return path
    steps = len(list(walk(root, path)))
    return path[:steps] if isinstance(_value(root, path[:steps]), Scalar) else path


def _known_keys(root: TreeNode, path: Path) -> list[str]:
    """The keys that may stand in the mapping at `path`."""
    inner = path[2:] if path[:1] in _NAMED else path  # the second part is a name there, which may be anything
    if "track_checks" in inner:
        return list(TrackOptions.model_fields)
    for part in reversed(inner):
        if part in _INNER:
            return list(_INNER[part].model_fields)
    if path[:1] == ("checks",):
        return list(MODELS[tag(plain(_value(root, path)))].model_fields)
    model = _SECTIONS.get(str(path[0]), NodeFile) if path else NodeFile
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


def _broken_part(path: Path, error: ErrorDetails) -> Path:
    """What must be left out so that the rest can be looked at: as little as possible, a whole entry at most."""
    if path[-1] == _KEY:
        path = path[:-1]
    if error["type"] == "extra_forbidden":
        return path
    if path[2:3] in _ADDRESSES:
        return path[:4]
    if path[0] == "vrrp_sync_groups":
        return path[:2]
    if path[0] == "mysql":
        return path[:4]
    if path[0] not in ("vrrp_instances", "checks"):
        return path[:1]
    return path if path[-1] == "weight" else path[:3]


def _mend(data: object, path: Path) -> None:
    """Leave the value at `path` out, or put an example in its place where something must stand."""
    *above, last = path
    for part in above:
        data = _child(data, part)
    if isinstance(data, list) and isinstance(last, int):
        data[last] = Word(_EXAMPLE_ADDRESS[_likely_family(data[last])])
    elif isinstance(data, dict):
        data.pop(last, None)
        field = _model_of(path, data).model_fields.get(str(last)) if len(path) == 3 else None
        if field is not None and field.is_required():
            data[last] = _example(field)


def _likely_family(value: object) -> int:
    """What an address was meant to be: the first one says what family its instance is of."""
    text = value.get("address") if isinstance(value, dict) else value
    return 6 if isinstance(text, str) and ":" in text else 4


def _model_of(path: Path, data: object) -> type[BaseModel]:
    return Instance if path[0] == "vrrp_instances" else MODELS[tag(data)]


def _child(data: object, part: Part) -> object:
    if isinstance(data, dict):
        # A mapping that stands for a list with one item.
        return data if isinstance(part, int) else data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None


def _example(field: FieldInfo) -> object:
    example = (field.examples or [""])[0]
    return [Word(each) for each in example] if isinstance(example, list) else Word(str(example))
