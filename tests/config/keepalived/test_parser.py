"""Lines → statements: what braces do, what is said, and what is saved where keepalived loses more."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pyvrrp.config.keepalived.keyword import Keyword, Shape, Support
from pyvrrp.config.keepalived.parser import parse
from pyvrrp.config.keepalived.remarks import Remarks
from tests.config.keepalived.reading import outline, read

VIP = "virtual_ipaddress {\n 10.0.0.1\n}\n"
OTHER = "vrrp_instance W {\n virtual_router_id 52\n virtual_ipaddress { 10.0.0.2 } }\n"
W = "vrrp_instance W {virtual_router_id 52; virtual_ipaddress {10.0.0.2}}"


def instance(text: str) -> str:
    return f"vrrp_instance V {{\n{text}\n}}\n"


class TestWhereBracesStand:
    @pytest.mark.parametrize(
        "text",
        [
            "vrrp_instance V {\n priority 7\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n",
            "vrrp_instance V\n{\n priority 7\n virtual_ipaddress\n\n # c\n\n{\n 10.0.0.1\n }\n}\n",
            "vrrp_instance V{\npriority 7\nvirtual_ipaddress{10.0.0.1}}",
            "vrrp_instance V { priority 7\n virtual_ipaddress { 10.0.0.1 } }",
            "vrrp_instance V { # c {\n priority 7 # }\n virtual_ipaddress { 10.0.0.1\n } }",
            '"vrrp_instance" "V" {\n "priority" "7"\n virtual_ipaddress { "10.0.0.1" }\n}\n',
        ],
    )
    def test_anywhere(self, tmp_path: Path, text: str) -> None:
        found = read(tmp_path, text)
        assert found.outline == "vrrp_instance V {priority 7; virtual_ipaddress {10.0.0.1}}"
        assert not found.problems
        assert not found.advice

    def test_something_may_follow_them_on_the_line(self, tmp_path: Path) -> None:
        text = instance("virtual_ipaddress { 10.0.0.1 }virtual_ipaddress_excluded{10.0.0.7}priority 77")
        assert read(tmp_path, text).outline == (
            "vrrp_instance V {virtual_ipaddress {10.0.0.1}; virtual_ipaddress_excluded {10.0.0.7}; priority 77}"
        )

    def test_blocks_may_be_empty(self, tmp_path: Path) -> None:
        text = instance("authentication {}\nvirtual_ipaddress { }")
        assert read(tmp_path, text).outline == "vrrp_instance V {authentication {}; virtual_ipaddress {}}"

    def test_a_brace_in_quotes_is_a_word(self, tmp_path: Path) -> None:
        # keepalived takes a word that is nothing but a brace for a brace, and loses the instance
        found = read(tmp_path, instance('authentication {\n auth_type PASS\n auth_pass "}"\n}\npriority 7'))
        assert found.outline == 'vrrp_instance V {authentication {auth_type PASS; auth_pass "}"}; priority 7}'


class TestOneLine:
    """A block on one line holds one statement, as in keepalived."""

    def test_a_list_has_one_entry(self, tmp_path: Path) -> None:
        (statement,) = read(tmp_path, instance("virtual_ipaddress { 10.0.0.1 10.0.0.2 }")).statements
        (addresses,) = statement.block or ()
        (entry,) = addresses.block or ()
        assert [word.text for word in entry.words] == ["10.0.0.1", "10.0.0.2"]
        assert entry.context == ""

    def test_the_second_keyword_is_a_word_of_the_first(self, tmp_path: Path) -> None:
        # Both sides of a keepalived pair run without authentication then, and so must pyvrrp beside keepalived.
        found = read(tmp_path, instance("authentication { auth_type PASS auth_pass x }"))
        assert found.outline == "vrrp_instance V {authentication {auth_type PASS auth_pass x}}"
        assert found.status == 0
        (advice,) = found.advice
        assert advice.startswith("2:33 vrrp_instance.V.authentication.auth_type: auth_pass is only a word here")

    def test_the_first_line_of_a_block_may_be_that_of_its_brace(self, tmp_path: Path) -> None:
        found = read(tmp_path, instance("authentication { auth_type PASS\n auth_pass x }"))
        assert found.outline == "vrrp_instance V {authentication {auth_type PASS; auth_pass x}}"
        assert not found.advice


class TestCommentSignsThatAreMeant:
    """keepalived reads a file twice: signs that are escaped or come out of variables get lost the second time."""

    @pytest.mark.parametrize("word", [r"ab\#cd", r"ab\!cd", "ab${_HASH}cd", "ab${_BANG}cd", "ab${X}cd"])
    def test_outside_quotes_they_begin_a_comment_but_in_global_defs(self, tmp_path: Path, word: str) -> None:
        text = (
            "$X=${_HASH}\nglobal_defs {\n router_id @\n}\nvrrp_instance V {\n authentication {\n auth_pass @\n }\n}\n"
        )
        found = read(tmp_path, text.replace("@", word))
        (router_id,) = found.statements[0].block or ()
        assert router_id.arguments[0].text in ("ab#cd", "ab!cd")
        assert found.outline.endswith("vrrp_instance V {authentication {auth_pass ab}}")
        assert "takes this # or ! for the beginning of a comment" in found.advice[0]

    def test_in_quotes_they_are_characters(self, tmp_path: Path) -> None:
        found = read(tmp_path, instance('authentication {\n auth_pass "ab${_BANG}cd"\n}'))
        assert found.outline == "vrrp_instance V {authentication {auth_pass ab!cd}}"
        assert not found.advice

    def test_nothing_may_be_left(self, tmp_path: Path) -> None:
        assert read(tmp_path, instance("authentication {\n auth_pass ${_BANG}cd\n}")).status == 2
        assert read(tmp_path, instance("${_HASH} priority 7")).outline == "vrrp_instance V {}"


class TestUnknownKeywords:
    def test_one_is_left_out_with_a_hint(self, tmp_path: Path) -> None:
        found = read(tmp_path, instance("Priority 7\npriorty 7\ngarp-master-delay 7\npriority 8"))
        assert found.outline == "vrrp_instance V {priority 8}"
        assert found.problems == [
            '2:1 vrrp_instance.V: unknown keyword "Priority" (did you mean "priority"?)',
            '3:1 vrrp_instance.V: unknown keyword "priorty" (did you mean "priority"?)',
            '4:1 vrrp_instance.V: unknown keyword "garp-master-delay" (did you mean "garp_master_delay"?)',
        ]
        assert found.status == 5

    def test_its_place_is_named_when_it_has_another(self, tmp_path: Path) -> None:
        found = read(tmp_path, instance("auth_type PASS") + "priority 7\n")
        assert found.problems == [
            '2:1 vrrp_instance.V: unknown keyword "auth_type", which belongs in authentication',
            '4:1: unknown keyword "priority", which belongs in vrrp_instance',
        ]

    @pytest.mark.parametrize("block", ["foo { bar }", "foo bar {\n baz\n}", "foo\n{\n bar {\n {\n baz\n}\n}\n }"])
    def test_a_block_is_left_out_as_a_whole(self, tmp_path: Path, block: str) -> None:
        # keepalived ends the instance at the block's }, and runs it without its addresses
        found = read(tmp_path, instance(f"{block}\n{VIP}") + block)
        assert found.outline == "vrrp_instance V {virtual_ipaddress {10.0.0.1}}"
        assert [each.split(": ", 1)[1] for each in found.problems] == [
            'unknown keyword "foo"; left out with its block'
        ] * 2

    def test_what_may_be_a_password_is_not_shown(self, tmp_path: Path) -> None:
        text = instance('authentication {\n auth_type PASS\n auth_pass\n s3cret\n "s3cret x" s3cret\n s3cret {\n }\n }')
        found = read(tmp_path, text)
        assert found.problems
        assert not [each for each in (*found.problems, *found.advice) if "s3cret" in each]

    def test_unprintable_words_are_shown_in_a_printable_way(self, tmp_path: Path) -> None:
        found = read(tmp_path, b"a\x1b[31m\xff\n")
        assert found.problems == ['1:1: unknown keyword "a\\u001b[31m\\udcff"']

    def test_suggestions_for_a_wrong_file_take_no_time(self, tmp_path: Path) -> None:
        begin = time.process_time()
        found = read(tmp_path, "".join(f"vrrp_instanc{n} x\n" for n in range(20_000)))
        assert len(found.problems) == 20_000
        assert time.process_time() - begin < 5


class TestParameters:
    @pytest.mark.parametrize("line", ["interface", "interface # eth0", "priority", "notify", "auth"])
    def test_a_line_without_its_parameter_is_left_out(self, tmp_path: Path, line: str) -> None:
        # keepalived ends at once, also on reload
        text = instance(f"{'authentication { auth_pass }' if line == 'auth' else line}\n{VIP}")
        found = read(tmp_path, text)
        assert "virtual_ipaddress {10.0.0.1}" in found.outline
        assert found.status == 2
        assert "a parameter is missing" in found.problems[0]

    def test_a_block_without_its_name_is_left_out(self, tmp_path: Path) -> None:
        found = read(tmp_path, "vrrp_script {\n script /bin/true\n}\n" + instance(VIP))
        assert found.outline == "vrrp_instance V {virtual_ipaddress {10.0.0.1}}"
        assert found.status == 2

    def test_empty_quotes_are_a_parameter(self, tmp_path: Path) -> None:
        assert read(tmp_path, instance('interface ""')).status == 0

    @pytest.mark.parametrize("line", ["virtual_ipaddress x {\n}", "track_interface x y {\n}", "unicast_peer x\n{\n}"])
    def test_a_list_takes_no_words(self, tmp_path: Path, line: str) -> None:
        found = read(tmp_path, instance(line))
        assert found.status == 5
        assert "no meaning before the {" in found.problems[0]

    @pytest.mark.parametrize("line", ["priority 77 88", "nopreempt foo", "authentication x {\n}"])
    def test_further_words_are_the_next_stage_s_matter(self, tmp_path: Path, line: str) -> None:
        assert read(tmp_path, instance(line)).status == 0

    def test_a_keyword_among_further_words_is_noted(self, tmp_path: Path) -> None:
        found = read(tmp_path, instance("virtual_router_id 51 priority 77"))
        assert found.status == 0
        assert found.advice[0].startswith("2:22 vrrp_instance.V.virtual_router_id: priority is only a word")


class TestBracesThatAreMissing:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            # keepalived: V gets the VRID of W, and W does not exist
            (
                instance("virtual_ipaddress {\n 10.0.0.1\n priority 77"),
                "vrrp_instance V {virtual_ipaddress {10.0.0.1}; priority 77}",
            ),
            (
                instance("virtual_ipaddress {\n 10.0.0.1\n virtual_routes {\n 10.1.0.0/16\n }"),
                "vrrp_instance V {virtual_ipaddress {10.0.0.1}; virtual_routes {10.1.0.0/16}}",
            ),
            (
                instance(f"authentication {{\n auth_type PASS\n{VIP}"),
                "vrrp_instance V {authentication {auth_type PASS}; virtual_ipaddress {10.0.0.1}}",
            ),
            (
                instance(f"{VIP} authentication {{\n auth_type PASS"),
                "vrrp_instance V {virtual_ipaddress {10.0.0.1}; authentication {auth_type PASS}}",
            ),
            (
                f"vrrp_instance V {{\n{VIP}",
                "vrrp_instance V {virtual_ipaddress {10.0.0.1}}",
            ),
            (
                instance(f"foo {{\n bar\n{VIP}"),
                "vrrp_instance V {virtual_ipaddress {10.0.0.1}}",
            ),
            (
                instance(f"priority 77 {{\n{VIP}"),
                "vrrp_instance V {priority 77; virtual_ipaddress {10.0.0.1}}",
            ),
        ],
    )
    def test_a_missing_end_costs_no_instance(self, tmp_path: Path, text: str, expected: str) -> None:
        found = read(tmp_path, text + OTHER)
        assert found.outline == f"{expected}; {W}"
        assert found.status == 5
        assert any("missing" in each for each in found.problems)

    def test_it_is_said_where_and_of_which_block(self, tmp_path: Path) -> None:
        found = read(tmp_path, f"\nvrrp_instance V {{\n{VIP}{OTHER}")
        assert found.problems == [
            '6:1 vrrp_instance.V: the } of "vrrp_instance", begun in line 2, is missing before this'
        ]

    def test_the_last_block_of_the_file(self, tmp_path: Path) -> None:
        found = read(tmp_path, f"vrrp_instance V {{\n{VIP}")
        assert found.outline == "vrrp_instance V {virtual_ipaddress {10.0.0.1}}"
        assert found.problems == ['1:1 vrrp_instance.V: the } of "vrrp_instance" is missing']

    def test_a_word_of_a_list_may_be_a_keyword_where_all_braces_are_there(self, tmp_path: Path) -> None:
        found = read(tmp_path, instance("track_script {\n priority\n}\nnotification"))
        assert found.outline == "vrrp_instance V {track_script {priority}}"

    def test_a_misplaced_line_stays_an_unknown_keyword_where_all_braces_are_there(self, tmp_path: Path) -> None:
        found = read(tmp_path, instance(f"authentication {{\n priority 7\n auth_type PASS\n }}\n{VIP}"))
        assert found.outline == "vrrp_instance V {authentication {auth_type PASS}; virtual_ipaddress {10.0.0.1}}"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (f"vrrp_instance V\n priority 7\n{VIP}}}\n", "vrrp_instance V {priority 7; virtual_ipaddress {10.0.0.1}}"),
            (f"global_defs\n{instance(VIP)}", "global_defs {}; vrrp_instance V {virtual_ipaddress {10.0.0.1}}"),
            (instance(f"authentication\n{VIP}"), "vrrp_instance V {authentication {}; virtual_ipaddress {10.0.0.1}}"),
            (
                instance(f"authentication\n auth_type PASS\n }}\n{VIP}"),
                "vrrp_instance V {authentication {auth_type PASS}; virtual_ipaddress {10.0.0.1}}",
            ),
            (
                instance("virtual_ipaddress\n 10.0.0.1\n }\npriority 7"),
                "vrrp_instance V {virtual_ipaddress {10.0.0.1}; priority 7}",
            ),
            (instance("track_interface\npriority 7"), "vrrp_instance V {track_interface {}; priority 7}"),
        ],
    )
    def test_a_missing_beginning(self, tmp_path: Path, text: str, expected: str) -> None:
        found = read(tmp_path, text + OTHER)
        assert found.outline == f"{expected}; {W}"
        assert found.status == 5
        assert "its { is missing" in found.problems[0]


class TestBracesThatAreTooMany:
    def test_an_end(self, tmp_path: Path) -> None:
        found = read(tmp_path, f"}}\n{instance(VIP)}}}\n{OTHER}")
        assert found.outline == f"vrrp_instance V {{virtual_ipaddress {{10.0.0.1}}}}; {W}"
        assert found.problems == ["1:1: this } closes nothing", "8:1: this } closes nothing"]

    @pytest.mark.parametrize(
        "text",
        [
            instance(f"{{\n priority 7\n }}\n{VIP}"),
            f"{{\n{instance(f'priority 7{chr(10)}{VIP}')}}}\n",
            instance("priority 7\nvirtual_ipaddress {{\n 10.0.0.1\n }}"),
            instance(f"priority 7 {{\n foo bar\n }}\n{VIP}"),
            instance(f"priority 7\n{{\n }}\n{VIP}"),
            f"{{\n{instance(f'priority 7{chr(10)}{VIP}')}",
        ],
    )
    def test_a_beginning(self, tmp_path: Path, text: str) -> None:
        found = read(tmp_path, text + OTHER)
        assert found.outline == f"vrrp_instance V {{priority 7; virtual_ipaddress {{10.0.0.1}}}}; {W}"
        assert found.status == 5


class TestStatements:
    def test_context_place_and_arguments(self, tmp_path: Path) -> None:
        (statement,) = read(tmp_path, instance("  priority 7")).statements
        (priority,) = statement.block or ()
        assert (statement.context, priority.context) == ("root", "vrrp_instance")
        assert (statement.place.line, statement.place.column) == (1, 1)
        assert (priority.place.line, priority.place.column) == (2, 3)
        assert [word.text for word in priority.arguments] == ["7"]
        assert priority.block is None

    def test_comments_belong_to_the_statement_below_or_before(self, tmp_path: Path) -> None:
        text = """\
## The node in rack 7

! and its neighbour
vrrp_instance V { # main
    # low
    priority 7  ! for now
    virtual_ipaddress
    # of the service
    {
        10.0.0.1 # here
        # 10.0.0.2
    } # all
    # priority 8
}
#
# vim: tabstop=4
"""
        (statement,) = read(tmp_path, text).statements
        priority, addresses = statement.block or ()
        (entry,) = addresses.block or ()
        assert statement.comment == (
            *("The node in rack 7", "and its neighbour", "main"),
            *("priority 8", "vim: tabstop=4"),
        )
        assert priority.comment == ("low", "for now")
        assert addresses.comment == ("of the service", "10.0.0.2", "all")
        assert entry.comment == ("here",)

    def test_the_table_is_a_parameter(self, tmp_path: Path) -> None:
        file = tmp_path / "keepalived.conf"
        file.write_text("outer x {\n inner\n}\nvrrp_instance V {\n}\n")
        contexts = {
            "root": {"outer": Keyword("outer", Shape.BLOCK, Support.SAME, needs=1, opens="outer")},
            "outer": {"inner": Keyword("inner", Shape.LINE, Support.SAME)},
        }
        remarks = Remarks()
        assert outline(parse(str(file), None, remarks, contexts=contexts)) == "outer x {inner}"
        assert remarks.status == 5

    def test_an_empty_file_says_nothing(self, tmp_path: Path) -> None:
        assert read(tmp_path, "\n # only\n\n").statements == ()

    def test_no_repr_shows_a_password(self, tmp_path: Path) -> None:
        assert "s3cret" not in repr(read(tmp_path, instance("authentication {\n auth_pass s3cret\n}")).statements)

    def test_deep_nesting_is_only_a_mistake(self, tmp_path: Path) -> None:
        deep = 30_000
        found = read(tmp_path, instance("{" * deep + "priority 7" + "}" * deep))
        assert found.outline == "vrrp_instance V {priority 7}"
        assert read(tmp_path, instance("foo" + "{\n" * deep + "}\n" * deep + VIP)).status == 5
        assert read(tmp_path, "foo {\n" * deep).status == 5
        assert read(tmp_path, "vrrp_instance V {\n" * 50_000).status == 5


def test_a_thousand_instances_take_a_moment(tmp_path: Path) -> None:
    text = "".join(
        f"vrrp_instance VI_{n} {{\n    state BACKUP\n    interface eth0\n    virtual_router_id {n % 255 + 1}\n"
        "    priority 100\n    advert_int 1\n    nopreempt\n    authentication {\n        auth_type PASS\n"
        f"        auth_pass 1234\n    }}\n    virtual_ipaddress {{\n        10.{n // 250}.{n % 250}.1/24\n    }}\n}}\n"
        for n in range(1000)
    )
    times = []
    for _ in range(3):
        begin = time.process_time()
        assert len(read(tmp_path, text).statements) == 1000
        times.append(time.process_time() - begin)
    # 0.11 s on the machine that this was written on; the bound is for a busy one
    assert min(times) < 2.0
