"""Everything that node.yaml can get wrong: one located line each, all of them in one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.samples import GOOD, problems, replaced, with_instance_lines

VI = "vrrp_instances.VI_1"


def test_the_sample_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


# Lines put into the instance, from line 9 on; column 5 is their key.
INSTANCE_LINES = [
    ("prioritty: 100", f'9:5: {VI}: unknown key "prioritty" (did you mean "priority"?)'),
    (
        "authentication: {auth_type: PASS, auth_pass:4321}",
        f"9:39: {VI}.authentication: unknown key (a space is missing",
    ),
    ("zzz: 1", f'9:5: {VI}: unknown key "zzz"'),
    ("priority: 90", f'9:5: {VI}: key "priority" was given before, in line 6'),
    ("state: slave", f'9:12: {VI}.state: "slave" is not BACKUP or MASTER'),
    ("state: master", f'9:12: {VI}.state: "master" is written MASTER'),
    ("state: [BACKUP]", f"9:12: {VI}.state: a single value is expected here, not a list"),
    ("state:", f"9:5: {VI}.state: has no value"),
    ("version: 4", f"9:14: {VI}.version: 4 is outside 2..3"),
    ("advert_int: 0", f"9:17: {VI}.advert_int: 0 s is outside 1..255 s, all that VRRPv2's packet can say"),
    ("advert_int: 256", f"9:17: {VI}.advert_int: 256 s is outside 1..255 s, all that VRRPv2's packet can say"),
    ("advert_int: -1", f"9:17: {VI}.advert_int: -1 is outside 0..3600"),
    ("advert_int: 0.5", f"9:17: {VI}.advert_int: 0.5 s is not whole seconds: VRRPv2 counts those (version: 3"),
    ("advert_int: soon", f'9:17: {VI}.advert_int: "soon" is not a duration: a number of seconds, or text like 50ms'),
    ("advert_int: 1:30", f'9:17: {VI}.advert_int: "1:30" is not a duration'),
    ('advert_int: "1"', f'9:17: {VI}.advert_int: "1" in quotes is text, not a number of seconds; leave the quotes'),
    (f"advert_int: {'9' * 400}", f'9:17: {VI}.advert_int: "{"9" * 60}…" has too many digits for a duration'),
    ("version: 3\nadvert_int: 41", f"10:17: {VI}.advert_int: 41 s is outside 0.01..40.95 s"),
    ("version: 3\nadvert_int: 15ms", f"10:17: {VI}.advert_int: 0.015 s is not a multiple of 0.01 s"),
    ("nopreempt: maybe", f'9:16: {VI}.nopreempt: "maybe" is not true or false'),
    ('nopreempt: "yes"', f'9:16: {VI}.nopreempt: "yes" in quotes is text, not true or false; leave the quotes away'),
    ("nopreempt: true\nstate: MASTER", f"9:5: {VI}.nopreempt: has no effect with state MASTER; write state: BACKUP"),
    ("vip_lease: 0", f"9:16: {VI}.vip_lease: 0 is outside 1..600"),
    ("vip_lease: 601", f"9:16: {VI}.vip_lease: 601 is outside 1..600"),
    ("vip_lease: 2s", f'9:16: {VI}.vip_lease: "2s" is not auto, off or a whole number of seconds'),
    ("garp_master_delay: 1001", f"9:24: {VI}.garp_master_delay: 1001 is outside 0..1000"),
    ("garp_master_repeat: 0", f"9:25: {VI}.garp_master_repeat: 0 is outside 1..100"),
    ("authentication: PASS", f"9:21: {VI}.authentication: keys and values are expected here, not a single value"),
    ("authentication: {auth_type: PASS}", f"9:5: {VI}.authentication: auth_pass or auth_pass_file is needed"),
    ("authentication: {auth_pass: x}", f'9:5: {VI}.authentication: required key "auth_type" is missing'),
    (
        "authentication: {auth_type: AH, auth_pass: x}",
        f"9:33: {VI}.authentication.auth_type: auth_type AH is not supported (RFC 3768 removed it); use PASS",
    ),
    ("authentication: {auth_type: none, auth_pass: x}", f"9:33: {VI}.authentication.auth_type: is not PASS"),
    (
        "authentication: {auth_type: PASS, auth_pass: x, auth_pass_file: y}",
        f"9:53: {VI}.authentication.auth_pass_file: auth_pass is given too; one of them is enough",
    ),
    (
        "authentication: {auth_type: PASS, auth_pass: 123456789}",
        f"9:50: {VI}.authentication.auth_pass: is 9 characters long, VRRPv2 carries 8 (keepalived cuts there",
    ),
    ("authentication: {auth_type: PASS, auth_pass: ''}", f"9:50: {VI}.authentication.auth_pass: is empty"),
    ("authentication: {auth_type: PASS, auth_pass: }", f"9:39: {VI}.authentication.auth_pass: has no value"),
    (
        "authentication: {auth_type: PASS, auth_pass: é}",
        f"9:50: {VI}.authentication.auth_pass: has a character that is not printable ASCII",
    ),
    (
        "authentication: {auth_type: PASS, auth_pas: x}",
        f'9:39: {VI}.authentication: unknown key (did you mean "auth_pass"?)',
    ),
    (
        "version: 3\nauthentication: {auth_type: PASS, auth_pass: x}",
        f"10:5: {VI}.authentication: VRRPv3 has no authentication; leave it away, or use version: 2",
    ),
]


@pytest.mark.parametrize(("lines", "expected"), INSTANCE_LINES)
def test_a_line_of_an_instance(tmp_path: Path, lines: str, expected: str) -> None:
    found = problems(tmp_path, with_instance_lines(f"{lines}\n"))
    assert any(each.startswith(f"node.yaml:{expected}") for each in found), found
    assert len(found) == 1


# What replaces a part of the sample.
REPLACED = [
    ("virtual_router_id: 60", "virtual_router_id: 300", f"5:24: {VI}.virtual_router_id: 300 is outside 1..255"),
    ("virtual_router_id: 60", "virtual_router_id: 0", f"5:24: {VI}.virtual_router_id: 0 is outside 1..255"),
    ("virtual_router_id: 60", "virtual_router_id: 256", f"5:24: {VI}.virtual_router_id: 256 is outside 1..255"),
    ("virtual_router_id: 60", "virtual_router_id: -1", f"5:24: {VI}.virtual_router_id: -1 is outside 1..255"),
    ("virtual_router_id: 60", "virtual_router_id: 6.5", f'5:24: {VI}.virtual_router_id: "6.5" is not a whole number'),
    ("virtual_router_id: 60", "virtual_router_id: 0x3c", f'5:24: {VI}.virtual_router_id: "0x3c" is not a whole number'),
    ("virtual_router_id: 60", "virtual_router_id: 060", f'5:24: {VI}.virtual_router_id: "060" begins with 0, which'),
    (
        "virtual_router_id: 60",
        f"virtual_router_id: {'9' * 5000}",
        f"5:24: {VI}.virtual_router_id: 999999999999… is outside 1..255",
    ),
    (
        "virtual_router_id: 60",
        'virtual_router_id: "60"',
        f'5:24: {VI}.virtual_router_id: "60" in quotes is text, not a whole number; leave the quotes away',
    ),
    ("    virtual_router_id: 60\n", "", f'3:3: {VI}: required key "virtual_router_id" is missing'),
    ("    interface: eth0\n", "", f'3:3: {VI}: required key "interface" is missing'),
    ("interface: eth0", "interface:", f"4:5: {VI}.interface: has no value"),
    ("interface: eth0", "interface: ''", f'4:16: {VI}.interface: "" is not an interface name'),
    ("interface: eth0", "interface: eth0:1", f'4:16: {VI}.interface: "eth0:1" is not an interface name'),
    ("interface: eth0", f"interface: {'e' * 16}", f'4:16: {VI}.interface: "{"e" * 16}" is not an interface name'),
    ("interface: eth0", "interface: lo", f"4:16: {VI}.interface: the loopback interface reaches no other router"),
    ("priority: 250", "priority: 0", f"6:15: {VI}.priority: 0 is outside 1..255"),
    ("priority: 250", "priority: 256", f"6:15: {VI}.priority: 256 is outside 1..255"),
    ("priority: 250", "priority: high", f'6:15: {VI}.priority: "high" is not a whole number'),
    (
        "priority: 250",
        "priority: 255\n    nopreempt: on",
        f"7:5: {VI}.nopreempt: has no effect with priority 255, the owner of an address takes it; lower the priority",
    ),
    ("192.168.1.200", "192.168.1.300", f'7:25: {VI}.virtual_ipaddress: "192.168.1.300" is not an IP address'),
    ("192.168.1.200", "192.168.1.200/33", f'7:25: {VI}.virtual_ipaddress: "192.168.1.200/33": the prefix length is'),
    ("192.168.1.200", "192.168.1.200/", f'7:25: {VI}.virtual_ipaddress: "192.168.1.200/": the prefix length is not'),
    ("192.168.1.200", "192.168.1.200/x", f'7:25: {VI}.virtual_ipaddress: "192.168.1.200/x": the prefix length is'),
    ("192.168.1.200", "1.2.3.4 dev eth1", f'7:25: {VI}.virtual_ipaddress: "1.2.3.4 dev eth1" is not an IP address'),
    ("192.168.1.200", "0.0.0.0", f"7:25: {VI}.virtual_ipaddress: 0.0.0.0 is no address at all"),
    ("192.168.1.200", "224.0.0.18", f"7:25: {VI}.virtual_ipaddress: 224.0.0.18 is a multicast address"),
    ("192.168.1.200", "127.0.0.1", f"7:25: {VI}.virtual_ipaddress: 127.0.0.1 is a loopback address"),
    ("192.168.1.200", "255.255.255.255", f"7:25: {VI}.virtual_ipaddress: 255.255.255.255 is a broadcast address"),
    ("192.168.1.200", "10.0.0.255/24", f"7:25: {VI}.virtual_ipaddress: 10.0.0.255 is a broadcast address"),
    ("192.168.1.200", "10.0.0.0/24", f"7:25: {VI}.virtual_ipaddress: 10.0.0.0 is the address of the network itself"),
    (
        "192.168.1.200",
        '"fe80::1/129"',
        f'7:25: {VI}.virtual_ipaddress: "fe80::1/129": the prefix length is not a whole',
    ),
    ("192.168.1.200", '"fe80::1%eth0"', f'7:25: {VI}.virtual_ipaddress: "fe80::1%eth0": the interface is not part of'),
    ("192.168.1.200", '"ff02::1"', f"7:25: {VI}.virtual_ipaddress: ff02::1 is a multicast address"),
    (
        "192.168.1.200",
        '"2001:db8::/64"',
        f"7:25: {VI}.virtual_ipaddress: 2001:db8:: is the address of the network itself",
    ),
    ("[192.168.1.200]", "[]", f"7:24: {VI}.virtual_ipaddress: at least one is needed"),
    ("[192.168.1.200]", "192.168.1.200", f"7:24: {VI}.virtual_ipaddress: a list is expected here ([a, b], or lines"),
    ("[192.168.1.200]", "{192.168.1.200}", f"7:24: {VI}.virtual_ipaddress: a list is expected here"),
    (
        "192.168.1.200",
        "192.168.1.200, 192.168.1.200/24",
        f"7:40: {VI}.virtual_ipaddress: 192.168.1.200 stands in this list already (line 7)",
    ),
    (
        "192.168.1.200",
        ", ".join(f"10.0.{n // 250}.{n % 250 + 1}" for n in range(256)),
        f"7:24: {VI}.virtual_ipaddress: 256 are too many, 255 fit",
    ),
    ("[mysql]", "[mysq]", f'8:20: {VI}.track_checks: there is no check "mysq" (did you mean "mysql"?)'),
    ("[mysql]", "[{mysq: {}}]", f'8:20: {VI}.track_checks: there is no check "mysq" (did you mean "mysql"?)'),
    ("[mysql]", "[mysql, mysql]", f'8:27: {VI}.track_checks: check "mysql" is named twice'),
    ("[mysql]", "[mysql: {weight: 255}]", f"8:36: {VI}.track_checks.mysql.weight: 255 is outside -254..254"),
    ("[mysql]", "{mysql: {weight: 255}}", f"8:36: {VI}.track_checks.mysql.weight: 255 is outside -254..254"),
    (
        "[mysql]",
        "[mysql: {weigth: 2}]",
        f'8:28: {VI}.track_checks.mysql: unknown key "weigth" (did you mean "weight"?)',
    ),
    ("[mysql]", "[mysql: 5]", f"8:27: {VI}.track_checks.mysql: keys and values are expected here, not a single value"),
    ("[mysql]", "mysql", f"8:19: {VI}.track_checks: a list is expected here"),
    ("{type: tcp}", "{type: mysql, socket: s, port: 3307}", "10:24: checks.mysql.socket: host or port is given too; a"),
    ("{type: tcp}", "{type: mysql, password_file: p}", "10:24: checks.mysql.password_file: user is missing: without"),
    (
        "{type: tcp}",
        "{type: mysql, user: u, password_file: p, defaults_file: d}",
        "10:51: checks.mysql.defaults_file: password_file is given too; one of them is enough",
    ),
    ("{type: tcp}", "{type: htp}", '10:17: checks.mysql.type: "htp" is not tcp or http'),
    ("{type: tcp}", "{type: http, script: /x}", '10:23: checks.mysql: unknown key "script"'),
    ("{type: tcp}", "{type: script}", '10:3: checks.mysql: required key "script" is missing'),
    ("{type: tcp}", "{type: telnet}", '10:17: checks.mysql.type: "telnet" is not tcp'),
    ("{type: tcp}", "{}", '10:3: checks.mysql: required key "type" is missing'),
    ("{type: tcp}", "tcp", "10:10: checks.mysql: keys and values are expected here, not a single value"),
    ("{type: tcp}", "{type: tcp, host: db1}", '10:28: checks.mysql.host: "db1" is not an IP address (names are not'),
    ("{type: tcp}", "{type: tcp, port: 65536}", "10:28: checks.mysql.port: 65536 is outside 1..65535"),
    ("{type: tcp}", "{type: tcp, interval: 10ms}", "10:32: checks.mysql.interval: 10ms is outside 0.05..100000"),
    ("{type: tcp}", "{type: tcp, timeout: 0}", "10:31: checks.mysql.timeout: 0 is outside 0.001..100000"),
    ("{type: tcp}", "{type: tcp, fall: 0}", "10:28: checks.mysql.fall: 0 is outside 1..100000"),
    ("{type: tcp}", "{type: tcp, rise: -1}", "10:28: checks.mysql.rise: -1 is outside 1..100000"),
    ("{type: tcp}", "{type: tcp, prot: 1}", '10:22: checks.mysql: unknown key "prot" (did you mean "port"?)'),
    ("router_id: node-a", 'router_id: " a"', '1:12: router_id: " a" is not a name: printable characters, no'),
    (
        "{type: tcp}",
        "{type: tcp, port:1}",
        '10:22: checks.mysql: unknown key "port" (a space is missing after "port:")',
    ),
    ("router_id: node-a", "router-id: node-a", '1:1: unknown key "router-id" (did you mean "router_id"?)'),
    ("VI_1", '"VI 1 "', '3:3: vrrp_instances.VI 1 : "VI 1 " is not a name: printable characters, no space at its ends'),
    ("VI_1", "V" * 129, f'3:3: vrrp_instances.{"V" * 129}: "{"V" * 60}…" is longer than 128 characters'),
]


@pytest.mark.parametrize(("old", "new", "expected"), REPLACED)
def test_a_value_in_place_of_a_good_one(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = problems(tmp_path, replaced(old, new))
    assert len(found) == 1, found
    assert found[0].startswith(f"node.yaml:{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", "node.yaml:1:1: keys and values are expected (vrrp_instances: …), not a single value"),
        ("[1]", "node.yaml:1:1: keys and values are expected (vrrp_instances: …), not a list"),
        ("router_id: a", 'node.yaml:1:1: required key "vrrp_instances" is missing'),
        ("vrrp_instances:", "node.yaml:1:1: vrrp_instances: has no value"),
        ("vrrp_instances: {}", "node.yaml:1:17: vrrp_instances: at least one is needed"),
        ("vrrp_instances: [VI_1]", "node.yaml:1:17: vrrp_instances: keys and values are expected here, not a list"),
        ("vrrp_instances: {VI_1: }", "node.yaml:1:18: vrrp_instances.VI_1: has no value"),
        ("vrrp_instances: {VI_1: 5}", f"node.yaml:1:24: {VI}: keys and values are expected here, not a single value"),
    ],
)
def test_a_file_without_instances(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path, text) == [expected]


def two_instances(first: str, second: str) -> str:
    return f"vrrp_instances:\n  A: {{interface: eth0, {first}}}\n  B: {{interface: eth0, {second}}}\n"


def test_one_virtual_router_id_on_one_interface(tmp_path: Path) -> None:
    text = two_instances(
        "virtual_router_id: 7, virtual_ipaddress: [10.0.0.1]",
        "virtual_router_id: 7, virtual_ipaddress: [10.0.0.2], version: 3",
    )
    assert problems(tmp_path, text) == [
        "node.yaml:3:43: vrrp_instances.B.virtual_router_id: 7 on eth0 is taken by A (line 2)"
    ]


def test_one_address_in_two_instances(tmp_path: Path) -> None:
    text = two_instances(
        "virtual_router_id: 7, virtual_ipaddress: [10.0.0.1]",
        "virtual_router_id: 8, virtual_ipaddress: [10.0.0.2, 10.0.0.1/24]",
    )
    assert problems(tmp_path, text) == [
        "node.yaml:3:76: vrrp_instances.B.virtual_ipaddress: 10.0.0.1 stands in A already (line 2)"
    ]


def test_all_problems_in_one_run_in_file_order(tmp_path: Path) -> None:
    text = """\
router_id: "a "
vrrp_instances:
  VI_1:
    state: slave
    interface: eth0
    virtual_router_id: 300
    prioritty: 100
    advert_int: 0.5
    nopreempt: true
    nopreempt: false
    virtual_ipaddress: [192.168.1.300, 10.0.0.1, 10.0.0.1]
    track_checks: [mysq, {mysql: {weigth: 5, weight: 999}}]
  VI_2:
    interface:
    virtual_ipaddress: [10.0.0.1]
checks:
  mysql: {type: htp, port: 0}
  mysql: {type: tcp}
"""
    places = [tuple(map(int, each.split(":")[1:3])) for each in problems(tmp_path, text)]
    assert places == [
        (1, 12),  # router_id
        (4, 12),  # state
        (6, 24),  # virtual_router_id
        (7, 5),  # prioritty
        (8, 17),  # advert_int
        (10, 5),  # nopreempt again
        (11, 25),  # not an address
        (11, 50),  # an address twice
        (12, 20),  # no such check
        (12, 35),  # weigth
        (12, 54),  # weight
        (13, 3),  # no virtual_router_id
        (14, 5),  # no interface
        (15, 25),  # an address of VI_1
        (17, 17),  # type
        (17, 28),  # port
        (18, 3),  # mysql again
    ]


def test_the_customary_sample_with_an_impossible_address(tmp_path: Path) -> None:
    text = replaced("[192.168.1.200]", "\n      - 192.168.1.200\n      - 192.168.1.300")
    assert problems(tmp_path, text) == [f'node.yaml:9:9: {VI}.virtual_ipaddress: "192.168.1.300" is not an IP address']


def test_a_problem_in_a_merged_mapping_is_where_it_is_written(tmp_path: Path) -> None:
    text = """\
vrrp_instances:
  A: &common {interface: eth0, virtual_router_id: 1, virtual_ipaddress: [10.0.0.1], priority: 0}
  B: {<<: *common, virtual_router_id: 2, virtual_ipaddress: [10.0.0.2]}
"""
    assert problems(tmp_path, text) == [
        f"node.yaml:2:95: vrrp_instances.{name}.priority: 0 is outside 1..255" for name in "AB"
    ]


def test_a_long_or_strange_value_is_shown_short_and_on_one_line(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, replaced("eth0", '"a\\nb\\e[31m' + "x" * 5000 + '"'))
    assert "\n" not in found
    assert "\x1b" not in found
    assert len(found) < 250
