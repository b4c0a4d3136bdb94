"""virtual_server, real_server and their checkers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.keepalived.mapped import TRUE, mapped

SECURE = "global_defs {\nscript_user root\nenable_script_security\n}\n"
HEAD = "192.0.2.1 3306"
LVS = "lb_algo rr\nlb_kind DR\nprotocol TCP"
TCP = "TCP_CHECK {\n}"
NAME = "[192.0.2.9]:3306/TCP_CHECK"
RIP = "virtual_server.192.0.2.1.real_server.192.0.2.9"


def real(lines: str = TCP, head: str = "192.0.2.9 3306") -> str:
    return f"real_server {head} {{\n{lines}\n}}\n"


def virtual(lines: str = "", servers: str = "", head: str = HEAD, lvs: str = LVS) -> str:
    """A virtual server that is sound, and these lines in it; they begin in line 5."""
    return f"virtual_server {head} {{\n{lvs}\n{lines}\n{servers or real()}}}\n"


def checker(block: str, above: str = "", further: str = "") -> str:
    """One with this checker, lines in its real_server before it and lines in the virtual_server."""
    return SECURE + virtual(further, real(f"{above}\n{block}"))


def test_a_virtual_server_in_full(tmp_path: Path) -> None:
    lines = f"""delay_loop 2
persistence_timeout 60
sorry_server 127.0.0.1
sorry_server_inhibit
quorum 2
hysteresis 1
quorum_up '{TRUE} up'
quorum_down {TRUE} root
omega
smtp_alert"""
    server = f"weight 3\nnotify_up {TRUE}\nnotify_down '{TRUE} down'\ninhibit_on_failure\nsmtp_alert off\n{TCP}"
    found = mapped(tmp_path, SECURE + virtual(lines, real(server)))
    assert found.server == {
        "address": "192.0.2.1",
        "port": "3306",
        "lb_algo": "rr",
        "lb_kind": "DR",
        "protocol": "TCP",
        "persistence_timeout": "60",
        "sorry_server": "127.0.0.1",
        "sorry_server_inhibit": "true",
        "quorum": "2",
        "hysteresis": "1",
        "quorum_up": f"{TRUE} up",
        "quorum_down": {"script": TRUE, "user": "root"},
        "omega": "true",
        "smtp_alert": "true",
        "real_servers": [
            {
                "address": "192.0.2.9",
                "port": "3306",
                "weight": "3",
                "notify_up": TRUE,
                "notify_down": f"{TRUE} down",
                "inhibit_on_failure": "true",
                "smtp_alert": "false",
                "checks": [NAME],
            }
        ],
    }
    assert found.tree["checks"].keys() == {NAME}
    assert found.status == 0


class TestHead:
    @pytest.mark.parametrize(
        ("head", "keys"),
        [
            ("192.0.2.1 3306", {"address": "192.0.2.1", "port": "3306"}),
            ("`192.0.2.1` 3306", {"address": "192.0.2.1", "port": "3306"}),
            ("192.0.2.1", {"address": "192.0.2.1", "persistence_timeout": "360"}),
            ("fwmark 3", {"fwmark": "3"}),
        ],
    )
    def test_which_service_it_is(self, tmp_path: Path, head: str, keys: dict[str, str]) -> None:
        found = mapped(tmp_path, virtual(head=head, lvs="lb_algo rr\nlb_kind NAT"))
        asked = {"address", "port", "fwmark", "group", "persistence_timeout"}
        assert {key: value for key, value in found.server.items() if key in asked} == keys

    @pytest.mark.parametrize(
        ("head", "error"),
        [
            ("192.0.2.300 3306", '"192.0.2.300" is not an IP address; it is left out'),
            ("192.0.2.1 99999", "99999 is outside 0..65535; it is left out"),
            ("192.0.2.1 mysql", '"mysql" is not a whole number; it is left out'),
            ("fwmark x", '"x" is not a whole number; it is left out'),
        ],
    )
    def test_one_that_is_none_is_left_out(self, tmp_path: Path, head: str, error: str) -> None:
        found = mapped(tmp_path, virtual(head=head))
        assert found.tree == {}
        assert [each.rpartition(": ")[2] for each in found.errors] == [error]

    def test_a_group(self, tmp_path: Path) -> None:
        group = "virtual_server_group G {\n192.0.2.1 80\n192.0.2.2-9 80\n192.0.2.0/28 80\nfwmark 3\n}\n"
        found = mapped(tmp_path, group + virtual(head="group G", lvs="lb_algo rr\nlb_kind NAT\nprotocol TCP"))
        assert found.server["group"] == "G"
        assert found.status == 0

    def test_a_group_that_is_not_there(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, virtual(head="group G"))
        assert found.tree == {}
        assert found.status == 0
        assert "1: virtual_server.group: there is no virtual_server_group G; it is left out" in found.advice

    @pytest.mark.parametrize("entries", ["", "192.0.2.300 80\n", "192.0.2.1 x\n", "fwmark\n", "fwmark x\n"])
    def test_a_group_of_nothing(self, tmp_path: Path, entries: str) -> None:
        found = mapped(tmp_path, f"virtual_server_group G {{\n{entries}}}")
        assert found.errors[0] == "1: virtual_server_group.G: has no entries; it is left out"


# lines of the virtual server → keys that it has, the end of the error
VALUES: list[tuple[str, dict[str, str], str]] = [
    ("lb_algo foo", {}, 'lb_algo: "foo" is not a scheduler; it is left out'),
    ("lvs_sched wlc", {"lb_algo": "wlc"}, ""),
    ("lb_kind FOO", {}, 'lb_kind: "FOO" is not NAT, DR or TUN; it is left out'),
    ("lb_kind TUN type gue port 6080", {"lb_kind": "TUN"}, ""),
    ("lvs_method TUN type foo", {}, 'lvs_method: "foo" is not ipip, gue, gre; it is left out'),
    ("protocol udp", {"protocol": "UDP"}, ""),
    ("protocol FOO", {}, 'protocol: "FOO" is not TCP, UDP or SCTP; it is left out'),
    ("persistence_timeout", {"persistence_timeout": "360"}, ""),
    ("persistence_timeout 0", {}, "persistence_timeout: 0 is outside 1..2678400; it is left out"),
    ("persistence_granularity x", {}, 'persistence_granularity: "x" is not a netmask; it is left out'),
    ("quorum 0", {}, "quorum: 0 is outside 1..4294967295; 1 is used"),
    ("quorum 5", {"quorum": "1"}, "quorum: 5 is more than all weights together; 1 is used"),
    ("hysteresis 1", {"hysteresis": "0"}, "hysteresis: it is not less than the quorum 1; 0 is used"),
    ("sorry_server 127.0.0.1 80", {"sorry_server": "127.0.0.1 3306"}, "which is used: DR does not change ports"),
    ("sorry_server x 80", {}, 'sorry_server: "x" is not an IP address; it is left out'),
    ("sorry_server 127.0.0.1 x", {}, 'sorry_server: "x" is not a whole number; it is left out'),
    ("sorry_server_inhibit", {}, "stands before or without a sorry_server; it is left out"),
    ("sh-port", {}, "sh-port: is for the scheduler sh only; it is left out"),
    ("ops", {}, "ops: is for UDP only; it is left out"),
    ("ip_family inet6", {}, "ip_family: 192.0.2.1 is of another family; it is left out"),
    ("ip_family foo", {}, 'ip_family: "foo" is not inet or inet6'),
    ("retry 0", {}, "retry: 0 is outside 1..4294967295; 1 is used"),
    ("delay_loop 0", {}, "delay_loop: 0 is outside 0.000001..18446744073709; 60 is used"),
    ("smtp_alert x", {}, 'smtp_alert: "x" is not on, off, true, false, yes or no; it is left out'),
]


@pytest.mark.parametrize(("lines", "keys", "error"), VALUES)
def test_values(tmp_path: Path, lines: str, keys: dict[str, str], error: str) -> None:
    found = mapped(tmp_path, virtual(lines))
    usual = {"address": "192.0.2.1", "port": "3306", "lb_algo": "rr", "lb_kind": "DR", "protocol": "TCP"}
    assert {key: value for key, value in found.server.items() if key != "real_servers"} == usual | keys
    assert len(found.errors) == bool(error)
    assert all(each.endswith(error) for each in found.errors)


def test_what_is_not_said_is_named(tmp_path: Path) -> None:
    found = mapped(tmp_path, virtual(lvs=""))
    assert [found.server[key] for key in ("lb_algo", "lb_kind", "protocol")] == ["wlc", "NAT", "UDP"]
    assert found.errors == [
        f"1: virtual_server.192.0.2.1: has no {key}; {usual} is used"
        for key, usual in (("lb_algo", "wlc"), ("lb_kind", "NAT"), ("protocol", "UDP"))
    ]


class TestRealServer:
    def test_without_one_there_is_no_service(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, f"virtual_server {HEAD} {{\n{LVS}\n}}")
        assert found.tree == {}
        assert found.errors == ["1: virtual_server.192.0.2.1: has no real_server; it is left out"]

    @pytest.mark.parametrize(
        ("head", "error"),
        [
            ("192.0.2.300 3306", '"192.0.2.300" is not an IP address; it is left out'),
            ("192.0.2.8 x", '"x" is not a whole number; it is left out'),
            ("2001:db8::1 3306", "2001:db8::1 is of another family than 192.0.2.1; it is left out"),
            ("192.0.2.9 3306", "192.0.2.9 stands there already; this is left out"),
        ],
    )
    def test_one_that_cannot_be(self, tmp_path: Path, head: str, error: str) -> None:
        found = mapped(tmp_path, virtual(servers=real() + real(head=head)))
        assert [each["address"] for each in found.server["real_servers"]] == ["192.0.2.9"]
        assert [each.rpartition(": ")[2] if "2001" not in each else error for each in found.errors] == [error]

    def test_backquotes_of_a_tutorial_are_taken_off(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, virtual(servers=real(head="`192.0.2.9` 3306")))
        assert found.server["real_servers"][0]["address"] == "192.0.2.9"
        assert found.errors[0].endswith("the backquotes around 192.0.2.9 are taken off; keepalived leaves it out")

    @pytest.mark.parametrize(("kind", "port", "status"), [("DR", "3306", 5), ("TUN", "3306", 5), ("NAT", "3307", 0)])
    def test_another_port_needs_nat(self, tmp_path: Path, kind: str, port: str, status: int) -> None:
        lvs = f"lb_algo rr\nlb_kind {kind}\nprotocol TCP"
        found = mapped(tmp_path, virtual(servers=real(head="192.0.2.9 3307"), lvs=lvs))
        assert found.server["real_servers"][0]["port"] == port
        assert found.check["port"] == "3307"
        assert found.status == status

    def test_without_a_port_it_has_the_service_s(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, virtual(servers=real(head="192.0.2.9")))
        assert found.server["real_servers"][0]["port"] == "3306"
        assert found.check["port"] == "3306"

    def test_the_virtual_server_has_its_usual_values(self, tmp_path: Path) -> None:
        lines = "weight 7\ninhibit_on_failure"
        servers = real() + real(f"weight 2\ninhibit_on_failure no\n{TCP}", "192.0.2.8 3306")
        found = mapped(tmp_path, virtual(lines, servers)).server["real_servers"]
        assert [(each["weight"], each["inhibit_on_failure"]) for each in found] == [("7", "true"), ("2", "false")]

    def test_a_weight_that_is_too_much_for_node_yaml(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, virtual("weight 70000")).server["real_servers"]
        assert found[0]["weight"] == "65535"

    @pytest.mark.parametrize(
        ("before", "alerts"),
        [
            ("", (None, "true")),
            ("smtp_alert", ("true", "true")),
            ("smtp_alert off", (None, None)),
            ("smtp_alert off\nsmtp_alert_checker", ("true", "true")),
        ],
    )
    def test_mail(self, tmp_path: Path, before: str, alerts: tuple[str | None, str | None]) -> None:
        found = mapped(tmp_path, f"global_defs {{\n{before}\n}}\n{virtual()}").server
        assert (found.get("smtp_alert"), found["real_servers"][0].get("smtp_alert")) == alerts


class TestTimers:
    """They are handed down: virtual_server, real_server, checker."""

    @pytest.mark.parametrize(
        ("above", "server", "lines", "keys"),
        [
            ("", "", "", {"interval": "60", "timeout": "5", "fall": "2", "retry_interval": "1"}),
            ("delay_loop 2", "", "", {"interval": "2"}),
            ("delay_loop 2", "delay_loop 3", "", {"interval": "3"}),
            ("delay_loop 2", "delay_loop 3", "delay_loop 4", {"interval": "4"}),
            ("connect_timeout 9", "", "", {"timeout": "9"}),
            ("retry 4", "", "", {"fall": "5"}),
            ("retry 4", "", "retry 0", {"fall": "1", "retry_interval": None}),
            ("delay_before_retry 7", "", "delay_before_retry 8.5", {"retry_interval": "8.5"}),
            ("warmup 3", "", "", {"warmup": "3"}),
            ("alpha", "", "", {"initial": "down"}),
            ("alpha no", "", "", {"initial": "down"}),  # there is no word behind it, for keepalived
            ("alpha", "alpha off", "", {}),
            ("", "alpha", "alpha no", {}),
            ("delay_loop x\nretry x", "", "", {}),
            ("delay_loop 0.001", "", "", {"interval": "0.05"}),
        ],
    )
    def test_of_a_tcp_check(
        self, tmp_path: Path, above: str, server: str, lines: str, keys: dict[str, str | None]
    ) -> None:
        found = mapped(tmp_path, checker(f"TCP_CHECK {{\n{lines}\n}}", server, above))
        usual = {"interval": "60", "timeout": "5", "fall": "2", "retry_interval": "1"}
        assert found.check == {"type": "tcp", "host": "192.0.2.9", "port": "3306"} | {
            key: value for key, value in (usual | keys).items() if value is not None
        }

    def test_nb_get_retry_is_what_tutorials_mean_with_it(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, checker("TCP_CHECK {\nnb_get_retry 3\n}"))
        assert found.check["fall"] == "4"
        assert found.status == 5
        assert "keepalived does not know this here; taken as retry" in found.errors[0]

    def test_a_second_check_of_a_kind_has_a_name_of_its_own(self, tmp_path: Path) -> None:
        found = mapped(tmp_path, checker(f"{TCP}\n{TCP}") + virtual(head="192.0.2.2 3306"))
        assert list(found.tree["checks"]) == [NAME, f"{NAME}#2", f"{NAME}#3"]


USUAL = {"host": "192.0.2.9", "port": "3306", "interval": "60", "timeout": "5", "fall": "2", "retry_interval": "1"}
HTTP = USUAL | {"retry_interval": "3"}
BIND = "bindto 192.0.2.6\nbind_port 999\nbind_if eth0\nfwmark 5"
URL = "url {\npath /\n}"
URLS = """url {
path /x
status_code 200 300-399
status_code 404
virtualhost b
regex "a b"
regex_no_match
}
url {
path /y
digest 9B3A0C85A887A256D6939DA88AABD8CD
}"""

KINDS: list[tuple[str, dict[str, Any]]] = [
    (
        f"TCP_CHECK {{\nconnect_ip 192.0.2.5\nconnect_port 3307\n{BIND}\n}}",
        {"type": "tcp"}
        | USUAL
        | {
            "host": "192.0.2.5",
            "port": "3307",
            "bind": {"address": "192.0.2.6", "port": "999", "interface": "eth0", "mark": "5"},
        },
    ),
    (f"HTTP_GET {{\n{URL}\n}}", {"type": "http", "urls": [{"path": "/"}]} | HTTP),
    (
        f"SSL_GET {{\nhttp_protocol 1.1\nvirtualhost a\nenable_sni\n{URLS}\n}}",
        {
            "type": "https",
            "http_version": "1.1",
            "virtualhost": "a",
            "sni": "true",
            "urls": [
                {
                    "path": "/x",
                    "status_code": ["200", "300-399", "404"],
                    "virtualhost": "b",
                    "regex": "a b",
                    "regex_no_match": "true",
                },
                {"path": "/y", "digest": "9b3a0c85a887a256d6939da88aabd8cd"},
            ],
        }
        | HTTP,
    ),
    ("SMTP_CHECK {\nhelo_name x\n}", {"type": "smtp", "helo_name": "x"} | USUAL),
    (
        "DNS_CHECK {\ntype a\nname example.com\n}",
        {"type": "dns", "query_type": "A", "name": "example.com"}
        | {key: value for key, value in USUAL.items() if key != "retry_interval"}
        | {"fall": "4"},
    ),
    (
        f"MISC_CHECK {{\nmisc_path '{TRUE} x'\nmisc_timeout 3\nmisc_dynamic\nuser root\ndelay_loop 9\n}}",
        {
            "type": "script",
            "script": {"script": f"{TRUE} x", "user": "root"},
            "dynamic": "true",
            "interval": "9",
            "timeout": "3",
            "fall": "1",
        },
    ),
    (
        f"MISC_CHECK {{\nmisc_path {TRUE}\n}}",
        {"type": "script", "script": TRUE, "interval": "60", "timeout": "60", "fall": "1"},
    ),
    ("PING_CHECK {\n}", {"type": "ping"} | {key: value for key, value in USUAL.items() if key != "port"}),
    (
        "UDP_CHECK {\npayload Ab12f 3 456\nrequire_reply A X3 xx\nmin_reply_length 2\nmax_reply_length 9\n}",
        {
            "type": "udp",
            "payload": "Ab120f034506",
            "require_reply": "true",
            "reply": "0a0300",
            "mask": "ff0f00",
            "min_length": "2",
            "max_length": "9",
        }
        | USUAL,
    ),
]


@pytest.mark.parametrize(("block", "check"), KINDS, ids=[block.split()[0] for block, _ in KINDS])
def test_a_checker(tmp_path: Path, block: str, check: dict[str, Any]) -> None:
    found = mapped(tmp_path, checker(block))
    assert found.check == check
    assert (found.errors, found.status) == ([], 0)


@pytest.mark.parametrize(
    ("block", "error"),
    [
        ("TCP_CHECK {\nconnect_ip x\n}", 'connect_ip: "x" is not an IP address; it is left out'),
        ("TCP_CHECK {\nconnect_port 0\n}", "connect_port: 0 is outside 1..65535; the server's is used"),
        ("TCP_CHECK {\nbindto x\n}", 'bindto: "x" is not an IP address; it is left out'),
        ("TCP_CHECK {\nbind_port x\n}", 'bind_port: "x" is not a whole number; it is left out'),
        ("TCP_CHECK {\nfwmark x\n}", 'fwmark: "x" is not a whole number; it is left out'),
        ("TCP_CHECK {\nretry x\n}", 'retry: "x" is not a whole number; 1 is used'),
        ("TCP_CHECK {\nalpha x\n}", 'alpha: "x" is not on, off, true, false, yes or no; it is left out'),
        ("TCP_CHECK {\nlog_all_failures x\n}", 'log_all_failures: "x" is not on, off, true, false, yes or no'),
        (f"HTTP_GET {{\n{URL}\nnb_get_retry 1\n}}", 'nb_get_retry: is outdated: say "retry" in place of it'),
        (f"HTTP_GET {{\n{URL}\nhttp_protocol 2.0\n}}", '"2.0" is not 1.0, 1.0C or 1.1; 1.0 is used'),
        (f"HTTP_GET {{\n{URL}\nurl {{\n}}\n}}", "url: has no path; it is left out"),
        ("HTTP_GET {\nurl {\npath /\nstatus_code 99\n}\n}", '"99" is not a status code or a range; it is left out'),
        ("HTTP_GET {\nurl {\npath /\nstatus_code 300-200\n}\n}", '"300-200" is not a status code or a range'),
        ("HTTP_GET {\nurl {\npath /\ndigest abc\n}\n}", "digest: has 3 characters, an MD5 has 32; it is left out"),
        ("HTTP_GET {\nurl {\npath /\nregex (\n}\n}", "regex: "),
        ("SMTP_CHECK {\nhelo_name\n}", "helo_name: needs a value; it is left out"),
        ("DNS_CHECK {\ntype PTR\n}", '"PTR" is not one of A, NS, CNAME, SOA, MX, TXT, AAAA; SOA is used'),
        (f"MISC_CHECK {{\nmisc_path {TRUE}\nmisc_timeout x\n}}", '"x" is not a whole number; delay_loop is used'),
        ("UDP_CHECK {\npayload zz\n}", "payload: needs bytes in hexadecimal; it is left out"),
        ("UDP_CHECK {\nrequire_reply zz\n}", "is not hexadecimal (or x for any digit); the bytes are not compared"),
        (
            "UDP_CHECK {\nmin_reply_length 9\nmax_reply_length 3\n}",
            "min_reply_length 9 is more than max_reply_length 3",
        ),
    ],
)
def test_what_is_wrong_with_a_checker(tmp_path: Path, block: str, error: str) -> None:
    found = mapped(tmp_path, checker(block))
    assert len(found.tree["checks"]) == 1
    (said,) = found.errors
    assert error in said
    assert found.status == 5


@pytest.mark.parametrize(
    ("block", "error"),
    [
        ("HTTP_GET {\n}", "HTTP_GET: has no url; it is left out"),
        ("MISC_CHECK {\nmisc_timeout 3\n}", "MISC_CHECK: has no misc_path; it is left out"),
        ("FILE_CHECK {\n}", "FILE_CHECK: has no track_file; it is left out"),
        ("FILE_CHECK {\ntrack_file f\n}", 'track_file: there is no track_file "f" above this line; it is left out'),
        ("TCP_CHECK {\nconnect_ip fe80::1\n}", "TCP_CHECK: a link-local address needs bind_if; it is left out"),
    ],
)
def test_a_checker_that_cannot_be(tmp_path: Path, block: str, error: str) -> None:
    found = mapped(tmp_path, checker(block))
    assert "checks" not in found.tree
    assert "checks" not in found.server["real_servers"][0]
    assert any(each.endswith(error) for each in found.errors)


def test_a_script_that_is_not_there_is_no_check(tmp_path: Path) -> None:
    found = mapped(tmp_path, checker("MISC_CHECK {\nmisc_path /nowhere/x\n}"))
    assert "checks" not in found.tree
    assert found.status == 0


def test_smtp_has_a_check_for_each_host(tmp_path: Path) -> None:
    block = "SMTP_CHECK {\nhelo_name x\nretry 3\nhost {\nconnect_ip 192.0.2.5\n}\nhost {\nconnect_port 26\n}\n}"
    found = mapped(tmp_path, checker(block)).tree["checks"]
    assert [(each["host"], each["port"], each["fall"], each["helo_name"]) for each in found.values()] == [
        ("192.0.2.9", "3306", "4", "x"),
        ("192.0.2.5", "3306", "4", "x"),
        ("192.0.2.9", "26", "4", "x"),
    ]


@pytest.mark.parametrize(("line", "checks"), [("weight 0", 1), ("", 0), ("weight 3", 0)])
def test_a_file_with_a_weight_moves_nothing_yet(tmp_path: Path, line: str, checks: int) -> None:
    found = mapped(tmp_path, "track_file f {\nfile /run/f\n}\n" + checker(f"FILE_CHECK {{\ntrack_file f\n{line}\n}}"))
    assert len(found.tree.get("checks", {})) == checks
    assert found.status == 0


def test_without_any_port_a_service_cannot_be_checked(tmp_path: Path) -> None:
    lvs = "lb_algo rr\nlb_kind NAT\nprotocol TCP\npersistence_timeout"
    found = mapped(tmp_path, virtual(head="192.0.2.1", servers=real(head="192.0.2.9"), lvs=lvs))
    assert "checks" not in found.tree
    assert found.status == 0
