"""Whatever stands in the file: statements, and nothing is raised. PYVRRP_FUZZ says how many damaged files to try."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyvrrp.config.keepalived.statement import Statement
from tests.config.keepalived.reading import Read, read

FILES = int(os.environ.get("PYVRRP_FUZZ", "400"))
SEED = int(os.environ.get("PYVRRP_FUZZ_SEED", "1"))
SAMPLES = Path("/usr/share/doc/keepalived/samples")

EVERYTHING = r"""! Configuration File for keepalived
include_check
global_defs {
    notification_email { admin@example.com }
    router_id "node # a"  # a comment
    include_check +match -brace_match
    @lab vrrp_version 3
    @^lab vrrp_version 2
}
$NET=10.0.${SUBNET}
$SUBNET=0
$INSTANCE= \
vrrp_instance VI_${N} { \
    interface eth${N} \
    @lab priority ${_RANDOM 100 200} \
    virtual_router_id ${N} \
    virtual_ipaddress { \
        ${NET}.${N}/24 dev eth0 label eth0:${N} \
    } \
}
~SEQ(N, 1, 3) $INSTANCE
vrrp_script chk {
    script "/usr/bin/check 'a b' \x41\101\cA \"${_HASH}${_BANG}\" ${_PWD} ${_INSTANCE}"
    interval 2
    weight -20 reverse
}
vrrp_instance VI_1
{
    state BACKUP
    authentication { auth_type PASS
        auth_pass ab!cd }
    virtual_ipaddress{192.168.1.200 192.168.1.300}
    virtual_ipaddress_excluded {
        ~LST({A, B}, {1, 2}, {3, 4}) ~SEQx(C, 0x10, -4, 0) fe80::${A}:${B}:${C}
        include {one,two,t*}.inc
    }
    track_script { chk weight 5 }
    notify_master '/bin/true "a b"' root root
    unknown_block { and { its } block }
    nopreempt
}
virtual_server 192.168.1.200 3306 {
    protocol TCP
    real_server 192.168.1.100 3306 {
        TCP_CHECK {
            connect_timeout 3
        }
        notify_down /etc/keepalived/down.sh
    }
}
include sub/*.inc
"""
PIECES = [
    *(
        "{",
        "}",
        '"',
        "'",
        "\\",
        "#",
        "!",
        "@",
        "@^",
        "$",
        "${",
        "~",
        "\n",
        "\r\n",
        "\\\n",
        " ",
        "\t",
        "\0",
        "=",
        ",",
        "(",
    ),
    *(
        "$N=",
        "${N}",
        "$N ",
        "$N=${N}${N}\n",
        "$A= \\\n",
        "${_RANDOM 1",
        "${_ENV PATH}",
        "${_PWD}",
        "~SEQ(N,1,3) ",
        "~LST(",
    ),
    *(
        "~SEQ(i,1,99999)",
        "~LST({i,j},{1,2},{3,4}) ",
        "include ",
        "includea ",
        "include keepalived.conf\n",
        "include *\n",
    ),
    *(
        "include {a,b}{c,d}\n",
        "include_check\n",
        "vrrp_instance X {",
        "virtual_ipaddress {",
        "priority",
        "auth_pass x",
        "}}",
    ),
    *(
        "\ufeff",
        "\udc80\udcff",
        "\u00a0",
        "\u2028",
        "\x85",
        "\x1b[31m",
        "x" * 2000,
        "[",
        "[!a-",
        "*",
        "?",
        "\\x41",
        "\\777",
    ),
]
RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def texts() -> list[str]:
    """Files to damage."""
    found = [EVERYTHING]
    if SAMPLES.is_dir():
        files = sorted(each for each in SAMPLES.iterdir() if each.name.startswith("keepalived.conf"))
        found += [each.read_text(errors="surrogateescape") for each in files]
    return found


def damaged(text: str, chance: random.Random) -> str:
    """`text` with a few pieces cut, doubled, moved or put in."""
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        end = at + chance.choice((0, 1, 1, 5, 30, 200))
        kind = chance.randrange(5)
        if kind == 0:
            text = text[:at] + text[end:]
        elif kind == 1:
            text = text[:at] + text[at:end] * 2 + text[end:]
        elif kind == 2:
            lines = text.split("\n")
            chance.shuffle(lines)
            text = "\n".join(lines[: chance.randint(1, len(lines))])
        else:
            text = text[:at] + chance.choice(PIECES) * chance.choice((1, 1, 1, 3)) + text[at if kind == 3 else end :]
    return text


def sound(found: Read) -> None:
    """What holds for all that is read."""
    assert found.status in (0, 2, 5, 6)
    for remark in (*found.remarks.problems(), *found.remarks.advice()):
        assert str(remark).isprintable()
        assert remark.line >= 1
        assert remark.column >= 1
    _check(found.statements)


def _check(statements: Iterable[Statement]) -> None:
    for statement in statements:
        assert statement.words
        assert statement.place.line >= 1
        assert all(each for each in statement.comment)
        _check(statement.block or ())


def with_files(directory: Path) -> Path:
    (directory / "sub").mkdir()
    (directory / "one.inc").write_text("10.9.9.1\ninclude two.inc\n")
    (directory / "two.inc").write_text("10.9.9.2\n$N=5\n")
    (directory / "sub" / "three.inc").write_text("include ../keepalived.conf\n}\n")
    return directory


def test_damaged_files(tmp_path: Path) -> None:
    directory = with_files(tmp_path)
    originals = texts()
    slowest = 0.0
    for number in range(FILES):
        chance = random.Random(f"{SEED}/{number}")
        text = damaged(chance.choice(originals), chance)
        begin = time.process_time()
        try:
            sound(read(directory, text.encode(errors="surrogateescape")))
        except BaseException as error:
            error.add_note(f"file {number} of seed {SEED}: {text!r}")
            raise
        slowest = max(slowest, time.process_time() - begin)
    assert slowest < 20


@RELAXED
@given(st.binary(max_size=400))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    sound(read(tmp_path, content))


@RELAXED
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=40))
def test_any_pieces(tmp_path: Path, pieces: list[str]) -> None:
    sound(read(tmp_path, "".join(pieces).encode(errors="surrogatepass")))


@RELAXED
@given(st.permutations(EVERYTHING.splitlines(keepends=True)), st.integers(0, 60))
def test_shuffled_lines(tmp_path: Path, lines: list[str], count: int) -> None:
    sound(read(tmp_path, "".join(lines[:count])))
