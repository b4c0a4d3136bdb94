"""What holds for all of a file: places, comments, and that no file makes a tree which the model refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyvrrp.config.keepalived.comments import comments
from pyvrrp.config.keepalived.keyword import Keyword, Shape
from pyvrrp.config.keepalived.keywords import CONTEXTS
from pyvrrp.config.keepalived.parser import parse
from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.tree import Mapping, Place, Scalar, Sequence, TreeNode, key_place, value_place
from tests.config.keepalived.mapped import TRUE, instance, mapped

WORDS = (
    *("", "x", "0", "1", "-1", "2.5", "255", "300", "4294967295", "99999999999", "1e3", "on", "no", "MASTER"),
    *("192.0.2.9", "192.0.2.9/24", "192.0.2.0/24", "192.0.2.300", "2001:db8::1", "224.0.0.100", "`192.0.2.9`"),
    *("eth0", "eth9", "lo", "averyveryverylongname", "V", "s", "f", "p", "G", "fwmark", "group", "weight", "reverse"),
    *("dev", "brd", "+", "label", "scope", "PASS", "AH", "DR", "TCP", "type", "all", "root", "nosuchuser"),
    *(
        TRUE,
        "/nowhere/x",
        "'a b",
        '"a b"',
        '"',
        "[",
        "(",
        "m\udcfcller",
        "ä",
        "\x01",
        "x" * 300,
        "</dev/tcp/a/1",
        "[[x]",
        "70000",
    ),
)
DEFINITIONS = f"""
vrrp_script s {{
script {TRUE}
}}
track_file f {{
file /run/f
}}
vrrp_track_process p {{
process x
}}
"""


TRACKING = "\n".join(f"track_{kind} {{\nX\n}}" for kind in ("script", "file", "process"))


def words(minimum: int = 0) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(WORDS), min_size=minimum, max_size=4).map(" ".join)


def line(keyword: Keyword) -> st.SearchStrategy[str]:
    """A statement with that keyword, and words that may or may not be right."""
    head = words(keyword.needs).map(lambda found: f"{keyword.name} {found}")
    if keyword.shape is Shape.LINE:
        return head
    inner = st.lists(words(1), max_size=4) if keyword.shape is Shape.LIST else block(keyword.opens)
    return st.tuples(head, inner).map(lambda found: f"{found[0]} {{\n" + "\n".join(found[1]) + "\n}")


def block(context: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.deferred(lambda: st.sampled_from(list(CONTEXTS[context].values())).flatmap(line)), max_size=6)


@given(lines=block("vrrp_instance"), more=block("root"))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None)
def test_no_file_makes_a_tree_that_the_model_refuses(tmp_path: Path, lines: list[str], more: list[str]) -> None:
    mapped(tmp_path, instance("\n".join(lines), before=DEFINITIONS) + "\n".join(more))  # asserts it


@pytest.mark.parametrize("context", sorted(CONTEXTS))
@pytest.mark.parametrize("word", WORDS)
def test_nor_does_any_keyword(tmp_path: Path, context: str, word: str) -> None:
    """Each keyword of a block with the same word behind it, thrice."""
    lines = [
        f"{keyword.name} {word} {word} {word}" + (f" {{\n{word} {word}\n}}" if keyword.shape is not Shape.LINE else "")
        for keyword in CONTEXTS[context].values()
    ]
    mapped(tmp_path, within(context, "\n".join(lines)) + instance(TRACKING))  # asserts it


def within(context: str, text: str) -> str:
    """A file that has this text in a block of that context."""
    homes = {keyword.opens: (home, keyword) for home, found in CONTEXTS.items() for keyword in found.values()}
    while context != "root":
        context, keyword = homes[context]
        text = f"{keyword.name} {head(keyword)} {{\n{text}\n}}"
    return DEFINITIONS + text


def head(keyword: Keyword) -> str:
    servers = {"virtual_server": "192.0.2.1 80", "real_server": "192.0.2.9 80"}
    return servers.get(keyword.name, "X" if keyword.needs or keyword.name.startswith("vrrp_") else "")


COMMENTED = """\
# about the node
global_defs {
    router_id a  # its name
}
# about V
vrrp_instance V {
    interface eth0
    virtual_router_id 51  # as on the other node
    # less than there
    priority 90
    # what clients use
    virtual_ipaddress {
        192.0.2.1  # db
        # the second
        192.0.2.2
    }
}
"""


def test_comments_are_found_at_the_places_of_what_they_belong_to(tmp_path: Path) -> None:
    root = mapped(tmp_path, COMMENTED).root
    found = comments(parse(str(tmp_path / "keepalived.conf"), "lab", Remarks()))
    here = ("vrrp_instances", "V")
    assert found[key_place(root, ("router_id",))] == ("its name",)
    assert found[key_place(root, here)] == ("about V",)
    assert found[key_place(root, (*here, "virtual_router_id"))] == ("as on the other node",)
    assert found[key_place(root, (*here, "priority"))] == ("less than there",)
    assert found[key_place(root, (*here, "virtual_ipaddress"))] == ("what clients use",)
    assert found[key_place(root, (*here, "virtual_ipaddress", 0))] == ("db",)
    assert found[key_place(root, (*here, "virtual_ipaddress", 1))] == ("the second",)


def test_every_place_is_one_of_the_file(tmp_path: Path) -> None:
    root = mapped(tmp_path, COMMENTED).root
    lines = COMMENTED.splitlines()
    for place, text in scalars(root):
        assert lines[place.line - 1][place.column - 1 :].startswith(text)
    assert value_place(root, ("vrrp_instances", "V", "priority"))[1:] == (10, 14)


def scalars(node: TreeNode) -> list[tuple[Place, str]]:
    if isinstance(node, Scalar):
        return [(node.place, node.text)]
    if isinstance(node, Sequence):
        return [found for item in node.items for found in scalars(item)]
    assert isinstance(node, Mapping)
    return [found for entry in node.entries.values() for found in scalars(entry.value)]
