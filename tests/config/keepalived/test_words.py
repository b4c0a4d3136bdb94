"""Characters → words. What keepalived 2.2.7 does was seen in its dump; where pyvrrp differs, the test says so."""

from __future__ import annotations

import time

import pytest

from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.keepalived.words import Line, comment_at, script_words, tokens, unescape_marks


def split(text: str, column: int = 0) -> tuple[list[list[str]], Remarks]:
    """The statements and braces of a line."""
    remarks = Remarks()
    found = tokens(Line("f", 7, text, column), remarks)
    return [[token.brace] if token.brace else [word.text for word in token.words] for token in found], remarks


def one(text: str) -> list[str]:
    """The words of a line that has one statement and nothing to remark."""
    (found,), remarks = split(text)
    assert not remarks.problems()
    assert not remarks.advice()
    return found


def messages(remarks: Remarks) -> list[str]:
    return [f"{each.line}:{each.column} {each.message}" for each in (*remarks.problems(), *remarks.advice())]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("priority 100", ["priority", "100"]),
        ("\t priority\t 100 \r", ["priority", "100"]),
        ("a\vb\fc\rd", ["a", "b", "c", "d"]),
        ("priority = 100;", ["priority", "=", "100;"]),
        ('router_id "a b"', ["router_id", "a b"]),
        ('router_id "a#b!"', ["router_id", "a#b!"]),
        ('router_id ""', ["router_id", ""]),
        ('"priority" 77', ["priority", "77"]),
        ("router_id it's", ["router_id", "it's"]),
        (r'router_id "a\tb\x41"', ["router_id", r"a\tb\x41"]),
        ("router_id caf\u00e9\u00a0x", ["router_id", "caf\u00e9\u00a0x"]),
        ('virtual_ipaddress_note "{x}"', ["virtual_ipaddress_note", "{x}"]),
        ("auth_pass a$b", ["auth_pass", "a$b"]),
        ("auth_pass $", ["auth_pass", "$"]),
    ],
)
def test_ordinary_words(text: str, words: list[str]) -> None:
    assert one(text) == words


def test_a_brace_is_a_word_of_its_own_wherever_it_stands() -> None:
    found, _ = split("vrrp_instance V{virtual_ipaddress{10.0.0.1}priority 77 }")
    assert found == [
        ["vrrp_instance", "V"],
        ["{"],
        ["virtual_ipaddress"],
        ["{"],
        ["10.0.0.1"],
        ["}"],
        ["priority", "77"],
        ["}"],
    ]


def test_places_are_those_of_the_file() -> None:
    (token,) = tokens(Line("f", 7, '  auth_pass  "a b"'), Remarks())
    assert [(word.place, word.quoted) for word in token.words] == [(("f", 7, 3), False), (("f", 7, 14), True)]
    (token,) = tokens(Line("f", 7, 'notify  "/bin/x y"  root'), Remarks())
    assert [(word.place.column, word.quoted) for word in token.words] == [(1, False), (9, True), (21, False)]


def test_words_of_a_variable_stand_where_the_line_stands() -> None:
    (token,) = tokens(Line("f", 7, "priority 100", column=5), Remarks())
    assert {word.place for word in token.words} == {("f", 7, 5)}


def test_a_quote_within_a_word_splits_it() -> None:
    found, remarks = split('auth_pass ab"cd"ef')
    assert found == [["auth_pass", "ab", "cd", "ef"]]
    assert messages(remarks) == ["7:17 a quote within a word splits it: what follows is a word of its own"]


def test_single_quotes_hold_nothing_together() -> None:
    found, remarks = split("auth_pass 'a b'")
    assert found == [["auth_pass", "'a", "b'"]]
    assert messages(remarks) == ["7:11 a single quote is an ordinary character here; use double quotes"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('10.0.0.8 "10.0.0.9', [["10.0.0.8"]]),
        ('"10.0.0.8', []),
        ('virtual_ipaddress "x {', [["virtual_ipaddress"]]),
        ('a { b "c }', [["a"], ["{"], ["b"]]),
        ('notify /bin/x "y', []),
        ("notify '/bin/x", []),
        ("notify /bin/it's", []),
    ],
)
def test_a_quote_that_is_not_closed_takes_the_rest_of_its_line(text: str, kept: list[list[str]]) -> None:
    found, remarks = split(text)
    assert found == kept
    assert [each.message for each in remarks.problems()] == ["a quote is opened here and not closed"]
    assert remarks.status == 5


def test_a_variable_that_is_not_defined_keeps_its_braces() -> None:
    # keepalived reads a block here, whose } closes the one around it
    found, remarks = split("priority ${PRIO}0 x")
    assert found == [["priority", "${PRIO}0", "x"]]
    assert remarks.status == 5
    assert one('notify "/bin/sh -c ${X}"') == ["notify", "/bin/sh -c ${X}"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('abcd" efg h jkl "mnop', ["abcd efg h jkl mnop"]),
        ('abcd "efg h jkl" mnop', ["abcd", "efg h jkl", "mnop"]),
        ("'a \"b\" c'", ['a "b" c']),
        ("\"a 'b' c\"", ["a 'b' c"]),
        (r'"a \"b\" c"', ['a "b" c']),
        (r"a\ b \'c", ["a b", "'c"]),
        (r"\a\b\f\n\r\t\v\E", ["\a\b\f\n\r\t\v\x1b"]),
        (r"\101\1012\8", ["AA28"]),
        (r"\x41 \x4142 \xg", ["A", "B", "xg"]),  # all hexadecimal digits belong to it, and the last two count
        (r"\cA\cz\c", ["\x01\x1ac"]),
        (r"\xc3\xa9 \777", ["\u00e9", "\udcff"]),
        (r"a\0b c", ["a", "c"]),
        ("a\\", ["a\\"]),
        ("'' \"\"", ["", ""]),
        ("", []),
    ],
)
def test_words_of_a_script(text: str, words: list[str]) -> None:
    found, opened = script_words(text)
    assert [word.text for word in found] == words
    assert opened == -1


def test_a_script_is_read_by_its_own_rules() -> None:
    assert one("""notify_master "/bin/x 'a b' \\x41" root""") == ["notify_master", "/bin/x 'a b' A", "root"]
    assert one("misc_path '/bin/x a'") == ["misc_path", "/bin/x a"]
    found, _ = split("notify /bin/x{ y")
    assert found == [["notify", "/bin/x"], ["{"], ["y"]]


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("a # b", 2),
        ("a#b", 1),
        ("a!b", 1),
        ('"a#b" # c', 6),
        ('a "b', -1),
        ("'a#b'", 2),
        (r"a\#b#c", 4),
        (r"a\\#b", 3),
        (r'"a\"#" b', -1),
        ("a\\", -1),
    ],
)
def test_where_a_comment_begins(text: str, begin: int) -> None:
    assert comment_at(text)[0] == begin


def test_escaped_comment_signs_are_characters_outside_quotes() -> None:
    assert unescape_marks(r'ab\#cd\!e "\#" \\ \x') == r'ab#cd!e "\#" \\ \x'


@pytest.mark.parametrize(
    "text", ['"' * 60_000, "${" * 30_000, "$" + "{a" * 30_000, "\\" * 60_000, "'\"" * 30_000, " \t" * 30_000]
)
def test_strange_lines_take_no_time(text: str) -> None:
    begin = time.process_time()
    split(text)
    split(f"notify {text}")
    comment_at(text)
    unescape_marks(text)
    assert time.process_time() - begin < 2.0
