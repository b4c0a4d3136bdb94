"""YAML text → tree: positions, raw text, and everything that makes a file unreadable."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pyvrrp.config import yaml_file
from pyvrrp.config.tree import Mapping, Scalar, Sequence, key_place, split_path, value_place
from pyvrrp.errors import ConfigError


def parse(text: str) -> Mapping:
    root = yaml_file.parse(text, "f")
    assert isinstance(root, Mapping)
    return root


def problem(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        yaml_file.parse(text, "f")
    assert len(caught.value.problems) == 1
    return str(caught.value)


def text_of(root: Mapping, key: str) -> str:
    value = root.entries[key].value
    assert isinstance(value, Scalar)
    return value.text


@pytest.mark.parametrize("text", ["0123", "4321", "0x3c", "1:30", "1_000", "no", "1e3", "2026-01-01", ".5"])
def test_a_scalar_keeps_its_text(text: str) -> None:
    assert text_of(parse(f"a: {text}"), "a") == text


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_no_value_is_told_from_an_empty_text(text: str) -> None:
    value = parse(f"a: {text}").entries["a"].value
    assert isinstance(value, Scalar)
    assert value.absent
    quoted = parse(f"a: '{text}'").entries["a"].value
    assert isinstance(quoted, Scalar)
    assert not quoted.absent


def test_every_node_knows_its_place() -> None:
    root = parse("a:\n  ä: [x, é, {k: v}]\n")
    assert value_place(root, ("a", "ä", 2, "k")) == ("f", 2, 17)
    assert key_place(root, ("a", "ä", 2, "k")) == ("f", 2, 14)
    assert value_place(root, ("a", "nowhere", "below")) == ("f", 2, 3)


def test_a_dotted_path_finds_keys_that_have_dots() -> None:
    root = parse("a:\n  b.c: {d: 1}\n  b: {x: 2}\n")
    assert split_path(root, "a.b.c.d") == ("a", "b.c", "d")
    assert split_path(root, "a.b.x") == ("a", "b", "x")
    assert split_path(root, "no.such") == ("no", "such")


def test_no_repr_shows_a_scalar() -> None:
    assert "S3cret" not in repr(parse("a: [S3cret]").entries["a"].value)


def test_an_alias_is_the_node_itself() -> None:
    root = parse("a: &x [1]\nb: *x\n")
    assert root.entries["b"].value is root.entries["a"].value


def test_merge_keys_bring_in_what_is_not_there() -> None:
    root = parse("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  y: 3\n  <<: [*a, *b]\n")
    merged = root.entries["c"].value
    assert isinstance(merged, Mapping)
    assert {key: text_of(merged, key) for key in merged.entries} == {"y": "3", "x": "1", "z": "2"}


def test_a_quoted_merge_key_is_a_key() -> None:
    assert text_of(parse("'<<': 1"), "<<") == "1"


def test_a_repeated_key_is_kept_aside() -> None:
    root = parse("a: 1\nb: 2\na: 3\n")
    assert text_of(root, "a") == "1"
    assert [entry.key.place for entry in root.repeated] == [("f", 3, 1)]


def test_a_bom_does_not_move_the_first_column(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    root = yaml_file.read(str(file))
    assert isinstance(root, Mapping)
    assert root.entries["a"].key.place[1:] == (1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "f: is empty"),
        ("# only a comment\n", "f: is empty"),
        ("---\n", "f: is empty"),
        ("a: 1\n--- \nb: 2\n", "f:2:1: a second document begins here; a file holds one"),
        ("a: [1\nb: 2\n", "f:2:2: YAML syntax: "),
        ("a: b: c\n", "f:1:5: YAML syntax: mapping values are not allowed"),
        ("a:\n\t- b\n", "f:2:1: YAML syntax: a tab cannot indent; use spaces"),
        ("- a\nb: 1\n", "f:2:1: YAML syntax: "),
        ("a: 'b\n", "f:2:1: YAML syntax: found unexpected end of stream, while scanning a quoted scalar"),
        ("a: *x\n", "f:1:4: an alias (*) of no anchor above"),
        ("a: &x [*x]\n", "f:1:8: *x refers to the value that it is part of"),
        ("a: !!python/object:os.system x\n", "f:1:4: YAML tags (!name) have no meaning here"),
        ("a: !secret [x]\n", "f:1:4: YAML tags (!name) have no meaning here"),
        ("? [a]\n: b\n", "f:1:3: a key must be a word"),
        ("{'': b, ~: c}\n", "f:1:9: a key must be a word"),
        ("a:\n  <<: 5\n", "f:2:7: << takes a mapping, or a list of mappings"),
        ("a: b\x07\n", "f:1:5: control character U+0007 is not allowed"),
        ("a: b\n\x00", "f:2:1: control character U+0000 is not allowed"),
    ],
)
@pytest.mark.parametrize("parser", [yaml.CLoader, yaml.Loader])
def test_what_makes_a_text_unreadable(text: str, expected: str, parser: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_file, "_LOADER", parser)
    assert problem(text).startswith(expected)


def test_an_unclosed_bracket_names_both_ends() -> None:
    assert problem("a: [1,\n  2\nb: 2\n").endswith("that begins in line 1")


@pytest.mark.parametrize("text", ["[" * 900, "{a: " * 900, "".join(f"{' ' * n}a:\n" for n in range(30))])
def test_depth_is_bounded(text: str) -> None:
    assert problem(text).endswith("nested deeper than 20 levels")


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000])
def test_depth_beyond_libyaml_is_bounded(text: str) -> None:
    # libyaml reads ahead, and has had a bound of its own since 0.2.6: whichever is met first speaks.
    assert problem(text).endswith(("nested deeper than 20 levels", "exceeded maximum nesting depth"))


def test_depth_is_bounded_through_aliases() -> None:
    lines = ["a0: &a0 [[[[1]]]]", *(f"a{n}: &a{n} [[[[*a{n - 1}]]]]" for n in range(1, 9))]
    assert problem("\n".join(lines)).endswith("nested deeper than 20 levels, aliases expanded")


def test_an_alias_bomb_is_bounded() -> None:
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert problem("\n".join(lines)).endswith("more than 200000 values, aliases expanded")


def test_a_very_long_list_is_bounded() -> None:
    assert problem("a: [" + "1," * 300_000 + "]").endswith("more than 200000 values, aliases expanded")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: \xff\n", ":2:4: byte 0xff is not UTF-8 text"),
        ("a: é".encode("latin-1"), ":1:4: byte 0xe9 is not UTF-8 text"),
        ("a: 1".encode("utf-16"), ":1:1: is UTF-16; save it as UTF-8"),
        (b"a" * (8 << 20) + b"b", ": is larger than 8 MiB"),
    ],
)
def test_what_is_not_text(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "f"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        yaml_file.read(str(file))
    assert str(caught.value) == f"{file}{expected}"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/: is a directory, not a file"),
        ("/nowhere/at/all", "/nowhere/at/all: there is no such file"),
        ("/etc/hostname/x", "/etc/hostname/x: cannot be read: Not a directory"),
        ("/proc/self/mem", "/proc/self/mem: cannot be read: Input/output error"),
        ("a\0b", "'a\\x00b': is not a file name"),
    ],
)
def test_what_is_not_a_file(path: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        yaml_file.read(path)
    assert str(caught.value) == expected


def test_lists_have_places_for_their_items() -> None:
    items = parse("a:\n  - x\n  - y\n").entries["a"].value
    assert isinstance(items, Sequence)
    assert [item.place[1:] for item in items.items] == [(2, 5), (3, 5)]


def test_an_alias_may_be_a_password_without_quotes() -> None:
    assert "s3cr3t" not in problem("auth_pass: *s3cr3t\n")
