"""Files → lines: hosts' own lines, variables, sequences, includes. Expected values are what keepalived 2.2.7 dumps."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pyvrrp.config.keepalived import definitions, globs, includes, source
from pyvrrp.config.keepalived.parser import parse
from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.errors import ConfigError
from tests.config.keepalived.reading import Read, outline, read


def inside(directory: Path, text: str, instance: str = "") -> Read:
    """`text` within an instance."""
    return read(directory, f"vrrp_instance V {{\n{text}\n}}\n", instance=instance)


def block(found: Read) -> str:
    """The outline of the first statement's block."""
    return outline(found.statements[0].block or ())


def addresses(directory: Path, text: str, instance: str = "") -> list[str]:
    """The entries of a list in which `text` stands."""
    found = inside(directory, f"virtual_ipaddress {{\n{text}\n}}", instance)
    assert not found.problems
    return block(found).removeprefix("virtual_ipaddress {").removesuffix("}").split("; ")


class TestLinesForOneHost:
    def test_the_id_decides(self, tmp_path: Path) -> None:
        text = "@lab priority 1\n@other priority 2\n @^lab state MASTER\n@^other state BACKUP\n@\n@^\n@lab\n"
        assert block(inside(tmp_path, text)) == "priority 1; state BACKUP"

    def test_the_id_is_a_whole_word_behind_the_sign(self, tmp_path: Path) -> None:
        assert block(inside(tmp_path, "@lab1 priority 1\n@la priority 2\n@ lab priority 3\n@lab{ priority 4")) == ""

    def test_it_is_the_hosts_name_up_to_the_first_dot_when_none_is_given(self, tmp_path: Path) -> None:
        host = os.uname().nodename.partition(".")[0]
        assert read(tmp_path, f"@{host} instance a\n@^{host} instance b\n", config_id=None).outline == "instance a"

    def test_an_id_may_have_dots(self, tmp_path: Path) -> None:
        assert read(tmp_path, "@a.b instance x\n@a instance y\n", config_id="a.b").outline == "instance x"

    def test_only_one_id_counts(self, tmp_path: Path) -> None:
        assert inside(tmp_path, "@lab @lab priority 1").status == 5

    def test_places_stay_exact(self, tmp_path: Path) -> None:
        (statement,) = read(tmp_path, "  @lab  instance a\n").statements
        assert [(word.place.line, word.place.column) for word in statement.words] == [(1, 9), (1, 18)]


class TestVariables:
    @pytest.mark.parametrize(
        ("definition", "use", "value"),
        [
            ("$A=x y", "${A}", "x y"),
            ("$A=x y", "$A b", "x y b"),
            ("$A=x", "z$A b", "zx b"),
            ("$A=x", "z${A}b", "zxb"),
            ("$A=x", "$A.b", "$A.b"),  # followed by no blank
            ("$A=x", "$AB", "$AB"),
            ("$A=", "a${A}b", "ab"),
            ("$A= x ", "a${A}b", "axb"),
            ("$A=x # c", "a${A}b", "axb"),
            ("$A=x=y", "${A}", "x=y"),
            (" \t$A=x", "${A}", "x"),
            ("$A=1\n$A=2", "${A}", "2"),
            ("$A=${B}\n$B=y", "a${A}b", "ayb"),  # replaced where it is used, not where it is defined
            ("$A=${B}", "a${A}b", "a${B}b"),
            ("$A=B\n$B=7", "${${A}}", "7"),
            ("$A=B\n$B=7", "$${A} ", "7 "),
            ("$A=1", r"\${A}", r"\1"),
            ("$A=1", "${ A }", "${ A }"),
            ("$A=1", "${A", "${A"),
            ("$_A=1", "${_A}", "1"),
            ("$A=a{b", "${A}", "a{b"),
            ("@lab $A=1\n@^lab $A=2", "${A}", "1"),
            ("", "a${_HASH}b${_BANG}c", "a#b!c"),
            ("", "$_HASH b", "# b"),
            ("$_HASH=x", "${_HASH}", "x"),
            ("", "${_INSTANCE}", "lab"),
            ("", "${_FOO}", "${_FOO}"),
            ("", "${_RANDOM 5 5}", "5"),
            ("", "${_RANDOM x}", "${_RANDOM x}"),
            ("", "${_RANDOM 1 2 3}", "${_RANDOM 1 2 3}"),
            ("", "${_ENV PYVRRP_TEST}", "of the environment"),
            ("", "${_ENV PYVRRP_NOT_SET}", "${_ENV PYVRRP_NOT_SET}"),
        ],
    )
    def test_what_is_replaced(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, definition: str, use: str, value: str
    ) -> None:
        monkeypatch.setenv("PYVRRP_TEST", "of the environment")
        found = read(tmp_path, f'{definition}\nglobal_defs {{\n router_id "<{use}>"\n}}\n')
        assert not found.problems
        (router_id,) = found.statements[0].block or ()
        assert router_id.arguments[0].text == f"<{value}>"

    @pytest.mark.parametrize("definition", ["$A = 1", "$A =1", "$1A=1", "$A-B=1", "$\u00e9=1"])
    def test_what_is_no_definition_is_an_unknown_keyword(self, tmp_path: Path, definition: str) -> None:
        found = read(tmp_path, definition)
        assert found.status == 5
        assert "unknown keyword" in found.problems[0]

    def test_a_random_number_is_within_its_bounds(self, tmp_path: Path) -> None:
        text = "\n".join("${_RANDOM 10 12} ${_RANDOM} ${_RANDOM 40000}" for _ in range(200))
        rows = [[int(word) for word in row.split()] for row in addresses(tmp_path, text)]
        assert {row[0] for row in rows} == {10, 11, 12}
        assert all(0 <= row[1] <= 32767 <= row[2] <= 40000 for row in rows)

    def test_the_directory_is_that_of_the_file_it_stands_in(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a.inc").write_text("${_PWD}\n")
        assert addresses(tmp_path, "${_PWD}\ninclude sub/a.inc") == [str(tmp_path), str(tmp_path / "sub")]

    def test_the_instance_can_be_named(self, tmp_path: Path) -> None:
        assert addresses(tmp_path, "${_INSTANCE}", instance="one") == ["one"]

    def test_a_whole_line_or_a_keyword_can_be_a_variable(self, tmp_path: Path) -> None:
        text = "$K=priority\n$K 33\n$L=virtual_ipaddress { 10.0.0.1 }\n$L\n$M=@lab\n$M state BACKUP\n"
        text += "$N=@other\n$N state MASTER"
        assert block(inside(tmp_path, text)) == "priority 33; virtual_ipaddress {10.0.0.1}; state BACKUP"

    def test_words_stand_where_they_are_used(self, tmp_path: Path) -> None:
        found = inside(tmp_path, "$P=100\n  priority $P")
        (priority,) = found.statements[0].block or ()
        assert {(word.place.line, word.place.column) for word in priority.words} == {(3, 3)}

    def test_a_variable_that_is_not_defined_is_no_block(self, tmp_path: Path) -> None:
        found = inside(tmp_path, "priority ${P}\nvirtual_ipaddress {\n10.0.0.1\n}")
        assert block(found) == 'priority "${P}"; virtual_ipaddress {10.0.0.1}'
        assert found.status == 5


class TestDefinitionsOfSeveralLines:
    def test_a_backslash_continues_them(self, tmp_path: Path) -> None:
        text = "$B= \\\n virtual_ipaddress { \\\n 10.0.0.${N} \\\n } \\\n @lab priority ${N} \\\n @other state MASTER\n"
        text += "$N=7\n$B"
        found = inside(tmp_path, text)
        assert block(found) == "virtual_ipaddress {10.0.0.7}; priority 7"
        assert not found.problems

    def test_they_may_begin_behind_the_name_and_define_and_nest(self, tmp_path: Path) -> None:
        text = "$I=priority $P \\\nstate BACKUP\n$B= \\\n$P=5 \\\n$I \\\nadvert_int 3\n$B"
        assert block(inside(tmp_path, text)) == "priority 5; state BACKUP; advert_int 3"

    @pytest.mark.parametrize("first", ["advert_int 3 # c \\", "advert_int 3 \\ # c", "advert_int 3 \\ \t\r"])
    def test_comments_and_blanks_around_the_backslash_do_not_count(self, tmp_path: Path, first: str) -> None:
        assert block(inside(tmp_path, f"$B= \\\n{first}\npriority 7\n$B")) == "advert_int 3; priority 7"

    def test_an_empty_line_ends_them(self, tmp_path: Path) -> None:
        assert block(inside(tmp_path, "$B=\\\nadvert_int 3 \\\n\npriority 7")) == "priority 7"

    def test_text_may_stand_before_them_but_not_behind(self, tmp_path: Path) -> None:
        assert block(inside(tmp_path, "$B=\\\n3 \\\npriority 7\nadvert_int $B # c")) == "advert_int 3; priority 7"
        assert inside(tmp_path, "$B=\\\n3 \\\npriority 7\nadvert_int ${B}0").status == 5
        assert inside(tmp_path, "$B=\\\nstate BACKUP \\\npriority 7\n$B priority 7").status == 5

    def test_one_line_is_a_simple_value(self, tmp_path: Path) -> None:
        assert block(inside(tmp_path, "$B=\\\n 3\npriority 1${B}0")) == "priority 130"

    def test_those_for_another_host_are_passed_over(self, tmp_path: Path) -> None:
        # keepalived reads the lines but the first as if they stood alone
        found = inside(tmp_path, "@other $B=\\\nadvert_int 3 \\\npriority 7\nstate BACKUP")
        assert block(found) == "state BACKUP"
        assert "another host" in found.advice[0]


class TestBackslashesThatContinueNothing:
    def test_keepalived_takes_them_into_the_last_word(self, tmp_path: Path) -> None:
        found = inside(tmp_path, "authentication {\n auth_type PASS\n auth_pass x \\\n}")
        assert block(found) == r"authentication {auth_type PASS; auth_pass x\}"
        assert "continues nothing" in found.advice[0]

    def test_but_not_out_of_a_comment(self, tmp_path: Path) -> None:
        found = inside(tmp_path, "priority 77 # foo \\")  # keepalived: invalid number '77\'
        assert block(found) == "priority 77"
        assert found.status == 5


class TestSequences:
    @pytest.mark.parametrize(
        ("line", "values"),
        [
            ("~SEQ(i,1,3) ${i}", "1 2 3"),
            ("~SEQ(i,1,3) 10.$i dev eth0", "10.1/dev/eth0 10.2/dev/eth0 10.3/dev/eth0"),
            ("~SEQ(i,1,2,6) ${i}", "1 3 5"),
            ("~SEQ(i,5,3) ${i}", "5 4 3"),
            ("~SEQ(i,5,-2,1) ${i}", "5 3 1"),
            ("~SEQ(i,3) ${i}", "1 2 3"),
            ("~SEQ(i,-3) ${i}", "-1 -2 -3"),
            ("~SEQ(i,0) ${i}", "1 0"),
            ("~SEQ(i,,2) ${i}", "0 1 2"),
            ("~SEQ(i,3,3) ${i}", "3"),
            (" ~SEQ ( i , +1 , +2 ) ${i}", "1 2"),
            ("~SEQ(i,1,2)x${i}", "x1 x2"),
            ("~SEQ(i,0x9,0xb) ${i}", "9 10 11"),
            ("~SEQ(i,010,012) ${i}", "8 9 10"),
            ("~SEQx(i,9,11) fe80::${i}", "fe80::9 fe80::a fe80::b"),
            ("~SEQx(i,0x90,0x10,0xc0) ${i}", "90 a0 b0 c0"),
            ("~SEQx(a,0x90,0x10,0xa0) ~SEQx(b,0x12,-1,0x10) ${a}:${b}", "90:12 90:11 90:10 a0:12 a0:11 a0:10"),
            ("~SEQ(i,1,2) ~SEQ(j,1,${i}) ${i}.${j}", "1.1 2.1 2.2"),
            ("~SEQ(i,1,2)~SEQ(j,3,4)${i}.${j}", "1.3 1.4 2.3 2.4"),
            ("~SEQ(i,1,2) ~SEQ(i,3,4) ${i}", "3 4 3 4"),
            ("~SEQ(i,1,2) 7", "7 7"),
            ("$N=2\n~SEQ(i,1,$N) ${i}", "1 2"),
            ("$N=2\n~SEQ(i,$N,3) ${i}", "2 3"),
            ("$N=2\n~SEQ(i,1,${N}) ${i}", "1 2"),
            ("$S=~SEQ(i,1,2)\n$S ${i}", "1 2"),
            ("~SEQ(i,1,2) @lab ${i}\n~SEQ(i,3,4) @other ${i}", "1 2"),
            ("@lab ~SEQ(i,1,2) ${i}\n@other ~SEQ(i,3,4) ${i}", "1 2"),
            ("~SEQ(i,1,2) ${i}\nthen${i}", "1 2 then2"),
            ("~SEQ(i,1,2) $Z=${i}\n${Z}", "2"),
            ("$M=\\\n${i} \\\n1${i}\n~SEQ(i,1,2) $M", "1 11 2 12"),
            ("~LST(i,1,3,7) ${i}", "1 3 7"),
            ("~LST( i , 1 , 3 ) ${i}", "1 3"),
            ("~LST(i,1,,2) x${i}", "x1 x x2"),
            ("~LST(i,) x${i}", "x"),
            ("~LST({a,b},{1,2},{3,4}) ${a}.${b}", "1.2 3.4"),
            ("~LST({ a , b }, { 1 , 2 } , {3, 4} ) ${a}.${b}", "1.2 3.4"),
            ("~LST({a,b},{1,2},{3}) ${a}.${b}", "1.2 3."),
            ("~LST({a,b},{1,2},3) ${a}.${b}", "1.2 3."),
            ("~LST({a},1,2) ${a}", "1 2"),
            ("~LST(a,1,2) ~LST(b,5,6) ${a}.${b}", "1.5 1.6 2.5 2.6"),
            ("~LST({a,b},{1,2},{3,4}) ~SEQ(c,7,8) ${a}.${b}.${c}", "1.2.7 1.2.8 3.4.7 3.4.8"),
            ("$V=7\n~LST(i,8,$V) ${i}", "8 7"),
        ],
    )
    def test_what_a_line_becomes(self, tmp_path: Path, line: str, values: str) -> None:
        assert [each.replace(" ", "/") for each in addresses(tmp_path, line)] == values.split()

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("~SEQ(i,5,2,1) x", "never comes to its end"),
            ("~SEQ(i,1,0,5) x", "never comes to its end"),
            ("~SEQ(i,a,2) x", "whole numbers"),
            ("~SEQ(i,1x,2) x", "whole numbers"),
            ("~SEQ(i,1,99999999999999999999) x", "whole numbers"),
            ("~SEQ(i,09,2) x", "octal"),
            ("~SEQ(i) x", "takes a name"),
            ("~SEQ(i,1,2,3,4) x", "takes a name"),
            ("~SEQ() x", "name is made of"),
            ("~SEQ(i,1,2 x", "round brackets"),
            ("~SEQX(i,1,2) x", "round brackets"),
            ("~SEQ x", "round brackets"),
            ("~SEQx(i,-1,1) x", "positive"),
            ("~LST(i) x", "at least one"),
            ("~LST(i,1 2) x", "commas"),
            ("~LST({a,b},{1,2,3}) x", "more values than names"),
            ("~LST({a,b,{1,2}) x", "commas"),
            ("~LSTx(i,1) x", "round brackets"),
        ],
    )
    def test_what_is_not_understood_is_left_out(self, tmp_path: Path, line: str, reason: str) -> None:
        found = inside(tmp_path, f"virtual_ipaddress {{\n{line}\n10.0.0.1\n}}")
        assert block(found) == "virtual_ipaddress {10.0.0.1}"
        assert found.status == 5
        assert reason in found.problems[0]
        assert found.problems[0].startswith("3:1")

    def test_instances_by_the_dozen(self, tmp_path: Path) -> None:
        text = "$I= \\\nvrrp_instance V${N} { \\\n virtual_router_id ${N} \\\n}\n~SEQ(N,1,12) $I\n"
        found = read(tmp_path, text)
        assert found.outline == "; ".join(f"vrrp_instance V{n} {{virtual_router_id {n}}}" for n in range(1, 13))
        assert {each.place.line for each in found.statements} == {5}


class TestBehindABrace:
    """There a line begins anew."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("virtual_ipaddress { @lab 1 }", "virtual_ipaddress {1}"),
            ("virtual_ipaddress { @other 1\n2 }", "virtual_ipaddress {2}"),
            ("virtual_ipaddress { 1 } @lab priority 7", "virtual_ipaddress {1}; priority 7"),
            ("virtual_ipaddress { 1 } @other priority 7", "virtual_ipaddress {1}"),
            ("virtual_ipaddress { ~SEQ(i,1,2) ${i}\n}", "virtual_ipaddress {1; 2}"),
            ("virtual_ipaddress { $X=1\n${X}\n}", "virtual_ipaddress {1}"),
            ("virtual_ipaddress { include a.inc\n}", "virtual_ipaddress {a}"),
            ("virtual_ipaddress { @lab ~LST(i,1,2) $X=${i}\n${X} }", "virtual_ipaddress {2}"),
            ("$X=1\nvirtual_ipaddress { ${X}include }", "virtual_ipaddress {1include}"),
            ('virtual_ipaddress { "{ @other" }', 'virtual_ipaddress {"{ @other"}'),
        ],
    )
    def test_it(self, tmp_path: Path, text: str, expected: str) -> None:
        (tmp_path / "a.inc").write_text("a\n")
        found = inside(tmp_path, text)
        assert block(found) == expected
        assert not found.problems


class TestIncludes:
    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        for name in ("a", "b", "sub/c", ".hidden", "sp ace"):
            (tmp_path / f"{name}.inc").write_text(f"{Path(name).name}\n")
        (tmp_path / "sub" / "deep.inc").write_text("include c.inc\ninclude ../a.inc\n")
        (tmp_path / "exec.inc").write_text("exec\n")
        (tmp_path / "exec.inc").chmod(0o755)

    @pytest.mark.parametrize(
        ("line", "entries"),
        [
            ("include a.inc", "a"),
            ("\tinclude \t ./a.inc # c", "a"),
            ("include a.inc!c", "a"),
            ("include [ab].inc", "a b"),
            ("include [^b]*.inc", "a sp/ace"),
            ("include ?.inc", "a b"),
            ("include sub/*.inc", "c c a"),
            ("include */c.inc", "c"),
            ("include .*.inc", ".hidden"),
            ("include {b,a}.inc", "b a"),
            ("include {sub/{c,deep},b}.inc", "c c a b"),
            ("include {a}.inc", "a"),
            ("include sp ace.inc", "sp/ace"),
            (r"include sp\ ace.inc", "sp/ace"),
            ("$X=a.inc\ninclude $X", "a"),
            ("$X=include a.inc\n$X", "a"),
            ("@lab include a.inc\n@other include b.inc", "a"),
            ("~LST(X,a,b) include ${X}.inc", "a b"),
            ("include sub/deep.inc", "c a"),
        ],
    )
    def test_what_is_read(self, tmp_path: Path, line: str, entries: str) -> None:
        assert [each.replace(" ", "/") for each in addresses(tmp_path, line)] == entries.split()

    def test_an_absolute_name(self, tmp_path: Path) -> None:
        assert addresses(tmp_path, f"include {tmp_path}/sub/c.inc") == ["c"]

    def test_places_name_the_file(self, tmp_path: Path) -> None:
        found = inside(tmp_path, "virtual_ipaddress {\ninclude sub/deep.inc\n}")
        (entry, _) = (found.statements[0].block or ())[0].block or ()
        assert entry.place == (str(tmp_path / "sub" / "c.inc"), 1, 1)

    def test_a_block_may_span_files(self, tmp_path: Path) -> None:
        (tmp_path / "open.inc").write_text("vrrp_instance V {\n priority 1")
        (tmp_path / "close.inc").write_text("}")
        found = read(tmp_path, "include open.inc\nstate BACKUP\ninclude close.inc\n")
        assert found.outline == "vrrp_instance V {priority 1; state BACKUP}"
        assert not found.problems

    def test_variables_of_an_included_file_stay(self, tmp_path: Path) -> None:
        (tmp_path / "var.inc").write_text("$P=55\n")
        assert block(inside(tmp_path, "include var.inc\npriority $P")) == "priority 55"

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("include nofile", 'there is no file "nofile"'),
            ("include {a,nofile}.inc", 'there is no file "nofile.inc"'),
            ("include nofile*", 'there is no file "nofile*"'),
            ('include "a.inc"', "quotes are part of the name"),
            ("include sub", "it is a directory"),
            ("include /dev/null", "it is not a regular file"),
            ("include exec.inc", "it is executable"),
            ("include pipe.inc", "it is not a regular file"),
        ],
    )
    def test_what_is_missed_is_said_and_does_no_harm(self, tmp_path: Path, line: str, message: str) -> None:
        os.mkfifo(tmp_path / "pipe.inc")
        found = inside(tmp_path, f"virtual_ipaddress {{\n{line}\n}}")
        assert found.status == 0
        assert message in found.advice[0]

    @pytest.mark.parametrize(
        ("what", "refusing"),
        [
            ("a.inc", ""),
            ("nofile", "mwa"),
            ("nofile*", "wa"),
            ("{a,nofile}.inc", "ba"),
            ("{x,y}.inc", "ba"),
            ("{a*,nofile*}", ""),
            ("{x*,nofile*}", "wa"),
            ("sub", "rmwba"),
            ("exec.inc", "rmwba"),
        ],
    )
    def test_what_the_variants_refuse(self, tmp_path: Path, what: str, refusing: str) -> None:
        for variant in ("", *"rmwba"):
            found = inside(tmp_path, f"virtual_ipaddress {{\ninclude{variant} {what}\n}}")
            assert found.status == (6 if variant and variant in refusing else 0), variant

    @pytest.mark.parametrize(
        ("options", "what", "status"),
        [
            ("", "nofile", 6),
            ("match", "nofile", 6),
            ("match", "nofile*", 0),
            ("match", "sub", 6),
            ("wildcard_match", "nofile*", 6),
            ("wildcard_match", "nofile", 0),
            ("brace_match", "{a,nofile}.inc", 6),
            ("readable", "sub", 6),
            ("read", "sub", 6),
            ("read\n include_check +match", "nofile", 6),
            ("match\n include_check read", "nofile", 0),
            ("\n include_check -match -wildcard_match -brace_match", "nofile", 0),
            ("foo", "a.inc", 5),
        ],
    )
    def test_include_check(self, tmp_path: Path, options: str, what: str, status: int) -> None:
        text = f"global_defs {{\n include_check {options}\n}}\nlinkbeat_interfaces {{\ninclude {what}\n}}\n"
        assert read(tmp_path, text).status == status

    def test_include_check_lasts_to_the_end_of_its_file(self, tmp_path: Path) -> None:
        (tmp_path / "check.inc").write_text("global_defs {\n include_check\n}\n")
        assert read(tmp_path, "include check.inc\ninclude nofile\n").status == 0

    def test_all_config_wants_every_file(self, tmp_path: Path) -> None:
        assert read(tmp_path, "include nofile*\n", all_config=True).status == 6

    def test_a_circle_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "one.inc").write_text("1\ninclude two.inc\n")
        (tmp_path / "two.inc").write_text("2\ninclude one.inc\n")
        found = inside(tmp_path, "virtual_ipaddress {\ninclude one.inc\n}")
        assert block(found) == "virtual_ipaddress {1; 2}"
        assert "includes itself" in found.problems[0]
        assert "includes itself" in read(tmp_path, "include keepalived.conf").problems[0]

    def test_depth_has_an_end(self, tmp_path: Path) -> None:
        for n in range(30):
            (tmp_path / f"{n}.inc").write_text(f"n{n}\ninclude {n + 1}.inc\n")
        found = inside(tmp_path, "virtual_ipaddress {\ninclude 0.inc\n}")
        assert block(found).endswith(f"n{includes.DEPTH_MAX - 1}}}")
        assert "deep" in found.problems[0]

    def test_files_that_double_have_an_end(self, tmp_path: Path) -> None:
        for n in range(9):
            (tmp_path / f"{n}.inc").write_text(f"include {n + 1}.inc\n" * 8)
        found = read(tmp_path, "include 0.inc")
        assert f"more than {includes.FILES_MAX} files" in found.problems[-1]


class TestWhatFilesAreMadeOf:
    def test_lines_may_end_in_either_way(self, tmp_path: Path) -> None:
        text = "vrrp_instance V {\r\n\tpriority 1\r\n}\r\n"
        assert read(tmp_path, text).outline == "vrrp_instance V {priority 1}"
        assert read(tmp_path, text.replace("\r", "\f").rstrip()).outline == "vrrp_instance V {priority 1}"

    def test_a_byte_order_mark_costs_no_block(self, tmp_path: Path) -> None:
        found = read(tmp_path, b"\xef\xbb\xbfinstance a\n")
        assert found.outline == "instance a"
        assert found.status == 5  # keepalived does not know the first word then

    def test_utf_16_is_said_to_be_that(self, tmp_path: Path) -> None:
        found = read(tmp_path, "instance a\n".encode("utf-16"))
        assert found.outline == "instance a"
        assert "UTF-16" in found.problems[0]

    def test_bytes_that_are_not_utf_8_are_kept(self, tmp_path: Path) -> None:
        found = read(tmp_path, b"instance a\ninstance caf\xe9\n")
        assert found.statements[1].arguments[0].text.encode(errors="surrogateescape") == b"caf\xe9"
        assert found.status == 0
        assert found.advice == ["2:13: byte 0xe9 is not UTF-8 text; it is kept as it is"]

    def test_a_nul_ends_a_line(self, tmp_path: Path) -> None:
        found = inside(tmp_path, "priority 7\x007")
        assert block(found) == "priority 7"
        assert "NUL" in found.advice[0]

    def test_a_long_line_is_one_line(self, tmp_path: Path) -> None:
        found = inside(tmp_path, f"notify_note # {'x' * 1200} priority 7\npriority 77")
        assert block(found) == "priority 77"
        assert any("1023 characters" in each for each in found.advice)
        found = inside(tmp_path, f"priority {'7' * source.LENGTH_MAX}\npriority 77")
        assert block(found) == "priority 77"
        assert found.status == 5

    @pytest.mark.parametrize(
        ("text", "marked"),
        [
            ("auth_pass ab!cd", True),
            ("auth_pass ab#cd", True),
            ("auth_pass ab #cd", False),
            ("auth_pass ab\t!cd", False),
            ('auth_pass "ab!cd"', False),
            (r"auth_pass ab\!cd", False),
            ("} # end", False),
            ("}# end", False),
            ("{#", False),
            ("####", False),
        ],
    )
    def test_a_comment_within_a_word_is_noted_without_showing_it(self, tmp_path: Path, text: str, marked: bool) -> None:
        found = inside(tmp_path, f"authentication {{\n auth_type PASS\n{text}\n}}")
        assert any("a comment begins inside this word" in each for each in found.advice) == marked
        assert not any("ab" in each.replace("word", "") for each in (*found.advice, *found.problems))

    @pytest.mark.parametrize("name", ["missing", ".", "a\0b"])
    def test_a_file_that_cannot_be_read(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ConfigError):
            parse(f"{tmp_path}/{name}", None, Remarks())


class TestBounds:
    """Nothing that a file says takes long (by the processor, which others may keep busy), or much."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("$A=a${A}\n${A}", "in a circle"),
            ("$A=${B}\n$B=${A}\n${A}", "in a circle"),
            ("$B=\\\n$B \\\nx\n$B", "deep"),
            ("$A=\\\nx \\\n$A\n$A", "deep"),
            ("\n".join(f"$A{n}=${{A{n + 1}}}${{A{n + 1}}}" for n in range(40)) + "\n$A40=x\n${A0}", "longer than"),
            ("~SEQ(i,1,999999999999999999) x", "more than 200000 lines"),
            ("~SEQ(i,1,999999999999999999)", "more than 200000 lines"),
            ("~SEQ(i,1,999999) ~SEQ(j,1,999999) ${i}", "more than 200000 lines"),
            ("$A=~SEQ(i,1,9) $A\n$A", "deep"),
            ("x\n" * 250_000, "more than 200000 lines"),
            ("x x x x x x\n" * 100_000, "more than 500000 words"),
            ("include {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "more than 1000 names"),
            (f"include {'{' * 9999}", "more than 4096 characters"),
            (f"include {'{' * 99}", "more than 16 braces"),
            ("include /*/*/*/*/*/*/*/*", "too many directories"),
        ],
    )
    def test_what_grows_without_end_is_stopped(self, tmp_path: Path, text: str, message: str) -> None:
        begin = time.process_time()
        found = inside(tmp_path, f"virtual_ipaddress {{\n{text}\n}}")
        assert any(message in each for each in found.problems), found.problems[:3]
        assert time.process_time() - begin < 20

    def test_lines_that_all_grow(self, tmp_path: Path) -> None:
        text = "\n".join(f"$A{n}=${{A{n + 1}}}${{A{n + 1}}}" for n in range(14)) + "\n$A14=x\n" + "${A0}\n" * 50_000
        begin = time.process_time()
        found = inside(tmp_path, f"virtual_ipaddress {{\n{text}\n}}")
        assert any(f"more than {definitions.TEXT_MAX >> 20} MiB" in each for each in found.problems)
        assert time.process_time() - begin < 20

    def test_the_deepest_of_everything_is_no_recursion_error(self, tmp_path: Path) -> None:
        for n in range(12):
            (tmp_path / f"{n}.inc").write_text(f"{'~SEQ(i,1,1)' * (source.DEPTH_MAX - 1)} include {n + 1}.inc\nn{n}\n")
        found = inside(tmp_path, "virtual_ipaddress {\ninclude 0.inc\n}")
        assert block(found).startswith(f"virtual_ipaddress {{n{includes.DEPTH_MAX - 1}; ")

    def test_a_file_of_eight_mebibytes(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="larger than 8 MiB"):
            read(tmp_path, b"x" * ((8 << 20) + 1))
        assert read(tmp_path, b"x" * (8 << 20)).status == 5

    def test_patterns_that_are_slow_in_naive_hands(self) -> None:
        begin = time.process_time()
        assert globs.files("*a" * 500 + "b", Path("/usr")) == []
        assert time.process_time() - begin < 5
