"""DNS checks; scapy reads the questions and writes the answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scapy.layers.dns import DNS, DNSRR, dnstypes

from pyvrrp.core.settings import DnsProbe
from tests.io.checks.answering import answering
from tests.io.checks.running import found
from tests.netns import Namespace

pytestmark = pytest.mark.lab

WHO = "dns 127.0.0.1:53 SOA ."


def answer(question: bytes, rcode: int = 0) -> list[bytes]:
    """A well formed answer."""
    asked = DNS(question)
    record = DNSRR(rrname=asked.qd[0].qname, rdata="192.0.2.1")
    return [bytes(DNS(id=asked.id, qr=1, rd=1, ra=1, rcode=rcode, qd=asked.qd, an=record))]


@pytest.mark.parametrize(
    ("query_type", "name"),
    [
        ("SOA", "."),
        ("A", "db.example.com"),
        ("AAAA", "db.example.com."),
        ("NS", "example.com"),
        ("CNAME", "www.example.com"),
        ("MX", "example.com"),
        ("TXT", "_dmarc.example.com"),
        ("A", "x" * 63 + ".example"),
    ],
)
def test_a_question_is_asked_and_answered(host: Namespace, query_type: str, name: str) -> None:
    asked = []

    def note(question: bytes) -> list[bytes]:
        asked.append(DNS(question))
        return answer(question)

    with host.inside(), answering(note, 53):
        result = found(DnsProbe("127.0.0.1", 53, query_type, name))
    assert (result.ok, result.detail) == (True, f"dns 127.0.0.1:53 {query_type} {name} was answered")
    (question,) = asked
    assert (question.qr, question.opcode, question.rd, question.qdcount, question.ancount) == (0, 0, 1, 1, 0)
    assert dnstypes[question.qd[0].qtype] == query_type
    assert question.qd[0].qname.decode() == name.rstrip(".") + "."
    assert not question.haslayer("Raw")


def test_over_ipv6(host: Namespace) -> None:
    with host.inside(), answering(answer, 5353, "::1"):
        assert found(DnsProbe("::1", 5353)).ok


@pytest.mark.parametrize(("rcode", "name"), [(2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (11, "error 11")])
def test_an_error_is_no_answer(host: Namespace, rcode: int, name: str) -> None:
    with host.inside(), answering(lambda question: answer(question, rcode), 53):
        result = found(DnsProbe("127.0.0.1"))
    assert (result.ok, result.detail) == (False, f"{WHO} was answered with {name}")


@pytest.mark.parametrize(
    "misbehave",
    [
        lambda _question: [],
        lambda _question: [b"", b"x", bytes(12), b"\xff" * 100],
        lambda question: [question],  # not a response
        lambda question: [bytes([question[0] ^ 1]) + answer(question)[0][1:]],  # to another question
        lambda question: [answer(question)[0][:11]],
    ],
)
def test_garbage_is_no_answer(host: Namespace, misbehave: Callable[[bytes], list[bytes]]) -> None:
    with host.inside(), answering(misbehave, 53):
        result = found(DnsProbe("127.0.0.1"), timeout=0.2)
    assert (result.ok, result.detail) == (False, f"{WHO} did not answer in 0.2 s")


def test_garbage_does_not_hide_an_answer(host: Namespace) -> None:
    with host.inside(), answering(lambda question: [b"x", bytes(40), *answer(question)], 53):
        assert found(DnsProbe("127.0.0.1")).ok


def test_nobody_listens(host: Namespace) -> None:
    with host.inside():
        result = found(DnsProbe("127.0.0.1"))
    assert (result.ok, result.detail) == (False, f"{WHO} refused the connection")


@pytest.mark.parametrize("name", ["a..b", ".a", "x" * 64, "gr\u00fcn.example", ""])
def test_a_name_that_is_none_fails_the_check(host: Namespace, name: str) -> None:
    with host.inside():
        result = found(DnsProbe("127.0.0.1", name=name))
    assert not result.ok
    assert result.detail.startswith(f"dns 127.0.0.1:53 SOA {name} cannot be asked: ")
