"""Whatever stands in the file: settings or ConfigError, nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pyvrrp.config.load import Loaded, load
from pyvrrp.config.model.instance import Instance
from pyvrrp.config.model.mysql import Channel, Demote, Mysql, MysqlPeer, Probe, Promote
from pyvrrp.errors import ConfigError

BASE = """\
router_id: node-a
vrrp_instances:
  VI_1: &first
    state: BACKUP
    interface: eth0
    virtual_router_id: 60
    priority: 250
    advert_int: 1s
    nopreempt: true
    authentication: {auth_type: PASS, auth_pass: "4321"}
    virtual_ipaddress:
      - 192.168.1.200/24
      - 10.0.0.1
    track_checks: [mysql, {other: {weight: -20}}]
    vip_lease: auto
  VI_2: {<<: *first, virtual_router_id: 61, virtual_ipaddress: [10.0.0.2]}
checks:
  mysql: {type: tcp, host: 127.0.0.1, port: 3306, interval: 50ms}
  other: {type: tcp}
"""
LINES = BASE.splitlines(keepends=True)
PIECES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [*"{}[]:,-&*!|>'\"%@`#?~\t\n ", "<<", "<<: *first", "null", "[[", "- - -", "{}", "[]", ": ", "0", "1e999"]
    ),
    st.sampled_from(LINES),
)
MUTATIONS = st.lists(st.tuples(st.integers(0, len(BASE)), st.integers(0, 40), PIECES), min_size=1, max_size=4)
RELAXED = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(file: Path) -> Loaded | ConfigError:
    """What loading comes to; nothing else may be raised."""
    try:
        return load(str(file))
    except ConfigError as error:
        return error


def usable_or_refused(file: Path) -> None:
    found = outcome(file)
    if isinstance(found, ConfigError):
        assert found.problems
        assert list(found.problems) == sorted(found.problems)
        assert all("\n" not in str(each) and each.file == str(file) for each in found.problems)
    else:
        # What is damaged enough may be read as keepalived's language, which loads without what is wrong.
        idle = any("there is nothing to do" in each.message for each in found.advice)
        assert found.settings.instances or (found.keepalived and idle)
        assert found.without_tree().settings is found.settings


@RELAXED
@given(MUTATIONS)
def test_a_damaged_file(tmp_path: Path, mutations: list[tuple[int, int, str]]) -> None:
    text = BASE
    for start, length, piece in mutations:
        text = text[:start] + piece + text[start + length :]
    file = tmp_path / "node.yaml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    usable_or_refused(file)


@RELAXED
@given(st.permutations(LINES), st.integers(0, len(LINES)))
def test_shuffled_lines(tmp_path: Path, lines: list[str], count: int) -> None:
    file = tmp_path / "node.yaml"
    file.write_text("".join(lines[:count]))
    usable_or_refused(file)


@RELAXED
@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfe")
@example(b"a: \xc2")
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "node.yaml"
    file.write_bytes(content)
    usable_or_refused(file)


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["10.0.0.1", "tcp"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["mysql", "weight", "auth_type", "auth_pass", "VI_1", "zzz"]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)
KEYS = st.sampled_from([*Instance.model_fields, "zzz"])


@RELAXED
@given(st.dictionaries(KEYS, VALUES, max_size=6), VALUES)
def test_any_value_for_any_key(tmp_path: Path, instance: dict[str, object], checks: object) -> None:
    # JSON is YAML, but for its way of escaping what is beyond 16 bits.
    instances = {"VI_1": instance, "VI_2": instance}
    file = tmp_path / "node.yaml"
    file.write_text(json.dumps({"vrrp_instances": instances, "checks": checks}), encoding="ascii")
    usable_or_refused(file)


MYSQL_KEYS = [each for model in (Mysql, MysqlPeer, Probe, Promote, Demote, Channel) for each in model.model_fields]
ADDRESSES = st.sampled_from(["192.168.1.1", "192.168.1.2", "10.0.0.1", "127.0.0.1", "::1", "0.0.0.0", 3306, "300ms"])
ENTRIES = st.recursive(
    st.one_of(VALUES, ADDRESSES),
    lambda inner: st.dictionaries(st.sampled_from([*MYSQL_KEYS, "password", "zzz"]), inner, max_size=4),
    max_leaves=8,
)


@RELAXED
@given(st.dictionaries(st.sampled_from(["VI_1", "VI_2", "zzz"]), ENTRIES, max_size=3) | ENTRIES, ENTRIES, ENTRIES)
def test_any_value_in_the_section_of_databases(tmp_path: Path, mysql: object, channel: object, state: object) -> None:
    instance = {"interface": "eth0", "nopreempt": True}
    instances = {
        f"VI_{number}": {**instance, "virtual_router_id": number, "virtual_ipaddress": [f"10.0.0.{number}"]}
        for number in (1, 2)
    }
    file = tmp_path / "node.yaml"
    sections = {"vrrp_instances": instances, "mysql": mysql, "channel": channel, "state_directory": state}
    file.write_text(json.dumps(sections), encoding="ascii")
    usable_or_refused(file)


@RELAXED
@given(
    st.integers(0, len("authentication: {auth_type: PASS, auth_pass: Zq7!Kw9&}")),
    st.integers(0, 3),
    st.sampled_from([*"{}[]:,-&*!|>'\"%@#? \n\t", "", "x", ", ", ": "]),
)
def test_a_damaged_password_is_never_shown(tmp_path: Path, start: int, length: int, piece: str) -> None:
    line = "authentication: {auth_type: PASS, auth_pass: Zq7!Kw9&}"
    secret = line.index("Zq7!Kw9&")
    # The damage is around the password, so that all of it stays.
    start = start if start <= secret - length or start >= secret + 8 else secret - length
    damaged = line[:start] + piece + line[start + length :]
    file = tmp_path / "node.yaml"
    file.write_text(BASE.replace('authentication: {auth_type: PASS, auth_pass: "4321"}', damaged))
    assert "Zq7!Kw9&" not in str(outcome(file))
