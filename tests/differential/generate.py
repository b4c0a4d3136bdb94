"""Texts of keepalived.conf by chance: statements, good and bad, in every shape that the language allows.

What ends keepalived before it has an opinion (another user for a script, a track_file that is not defined) is not made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

Draw = st.DrawFn


@dataclass(frozen=True)
class Values:
    """What may stand behind a keyword; an empty text is the keyword alone."""

    good: Sequence[str]
    bad: Sequence[str] = ()


Keywords = Mapping[str, Values]

_BOOLEAN: Final = Values(["", "on", "off", "true", "false", "yes", "no"], ["1", "maybe", "ON"])
_COUNT: Final = Values(["1", "2", "10"], ["-1", "x", "1.5", "0x5"])
_DELAY: Final = Values(["0", "1", "7"], ["-1", "x", "1.5"])
_ALONE: Final = Values([""])

INSTANCE: Final[Keywords] = {
    "state": Values(["MASTER", "BACKUP"], ["master", "SLAVE"]),
    "priority": Values(["1", "100", "150", "254", "255"], ["0", "256", "abc", "= 120", "1.5", "-1"]),
    "advert_int": Values(["1", "2", "10"], ["0", "256", "x", "1,5"]),
    "version": Values(["2", "3"], ["4", "two"]),
    "nopreempt": _ALONE,
    "preempt": _ALONE,
    "preempt_delay": Values(["0", "2", "2.5", "1000"], ["1001", "x", "-1"]),
    "garp_master_delay": _DELAY,
    "garp_master_repeat": _COUNT,
    "garp_master_refresh": _DELAY,
    "garp_master_refresh_repeat": _COUNT,
    "garp_lower_prio_delay": _DELAY,
    "garp_lower_prio_repeat": _COUNT,
    "down_timer_adverts": Values(["1", "3", "100"], ["0", "101", "x"]),
    "lower_prio_no_advert": _BOOLEAN,
    "higher_prio_send_advert": _BOOLEAN,
    "smtp_alert": _BOOLEAN,
    "skip_check_adv_addr": _BOOLEAN,
    "debug": Values(["0", "4"], ["x"]),
    "promote_secondaries": _ALONE,
    "dont_track_primary": _ALONE,
    "accept": _ALONE,
    "no_accept": _ALONE,
    "strict_mode": Values(["off"], ["maybe"]),
    "use_vmac": Values(["", "02:00:00:00:00:01", "02:00:00:00:00"], ["02:00:00", "01:00:5e:00:00:01", "a/b"]),
    "vmac_xmit_base": _ALONE,
    "mcast_src_ip": Values(["10.9.0.1", "10.9.0.77"], ["10.9.0.300", "foo"]),
    "mcast_dst_ip": Values(["224.0.0.18", "224.0.0.99"], ["10.9.0.1", "foo"]),
    "unicast_src_ip": Values(["10.9.0.1"], ["foo"]),
    "unicast_ttl": Values(["0", "64", "255"], ["256", "x"]),
    "unicast_fault_no_peer": _ALONE,
    "check_unicast_src": _ALONE,
    "track_src_ip": _ALONE,
    "prioritty": Values([], ["100"]),
    "nat_mask": Values([], ["255.255.255.0"]),
}
GLOBAL: Final[Keywords] = {
    "router_id": Values(["lab", '"lab one"', "lab#1", "'x'"]),
    "vrrp_version": Values(["2", "3"], ["1"]),
    "vrrp_garp_master_delay": _DELAY,
    "vrrp_garp_master_repeat": _COUNT,
    "vrrp_garp_lower_prio_repeat": _COUNT,
    "vrrp_garp_interval": Values(["0.001", "1"], ["0", "x"]),
    "vrrp_down_timer_adverts": Values(["3", "5"], ["0"]),
    "vrrp_skip_check_adv_addr": _BOOLEAN,
    "vrrp_lower_prio_no_advert": _BOOLEAN,
    "smtp_server": Values(["192.0.2.25", "192.0.2.25 2525"], ["192.0.2.300"]),
    "smtp_connect_timeout": Values(["10", "30"], ["x"]),
    "dynamic_interfaces": Values(["", "allow_if_changes"], ["foo"]),
    "vrrp_mcast_group4": Values(["224.0.0.18", "224.0.0.99"], ["10.9.0.1", "ff02::1"]),
    "vrrp_mcast_group6": Values(["ff02::12"], ["224.0.0.18"]),
    "vrrp_gna_interval": Values(["0.001", "1"], ["0", "x"]),
    "vmac_prefix": Values(["vm"]),
    "vrrp_garp_masterdelay": Values([], ["1"]),
}
SCRIPT: Final[Keywords] = {
    "interval": Values(["1", "2", "10"], ["0", "x", "0.5"]),
    "timeout": Values(["1", "5"], ["x"]),
    "weight": Values(["0", "10", "-20", "253", "5 reverse"], ["254", "x", "5 backwards"]),
    "rise": _COUNT,
    "fall": _COUNT,
    "init_fail": _ALONE,
    "retries": Values([], ["3"]),
}
VIRTUAL_SERVER: Final[Keywords] = {
    "delay_loop": Values(["1", "2.5", "60"], ["0", "x"]),
    "lb_algo": Values(["rr", "wrr", "wlc"], ["xyz"]),
    "lb_kind": Values(["NAT", "DR", "TUN"], ["nat"]),
    "protocol": Values(["TCP", "UDP", "tcp"], ["ICMP"]),
    "persistence_timeout": Values(["", "60"], ["0"]),
    "quorum": Values(["1", "2"], ["0"]),
    "hysteresis": Values(["0", "1"], ["x"]),
    "alpha": _ALONE,
    "omega": _ALONE,
    "ha_suspend": _ALONE,
    "sorry_server": Values(["10.9.0.9 3306"], ["10.9.0.300 3306"]),
}
REAL_SERVER: Final[Keywords] = {
    "weight": Values(["0", "1", "3"], ["-1", "x"]),
    "inhibit_on_failure": _BOOLEAN,
    "alpha": _BOOLEAN,
}
TIMERS: Final[Keywords] = {
    "connect_timeout": Values(["1", "2.5"], ["0", "x"]),
    "retry": Values(["1", "3"], ["0", "x"]),
    "delay_before_retry": Values(["1", "0.5"], ["x"]),
    "warmup": Values(["0", "2"], ["x"]),
}
TCP_CHECK: Final[Keywords] = {
    **TIMERS,
    "connect_port": Values(["3306", "65535"], ["0", "65536"]),
    "connect_ip": Values(["10.9.0.5"], ["10.9.0.300"]),
    "nb_get_retry": Values([], ["3"]),
}
ADDRESS_OPTIONS: Final = Values(
    ["", "/24", "/32", "/24 dev eth0", "/24 dev eth1", "/24 label eth0:1", "/24 scope link", "/24 brd 10.9.0.255"],
    ["/33", "/255.255.255.0", "/24 foo", "/24 dev", "/24 label eth0:123456789012345", "/24 scope nosuch"],
)
PEER_OPTIONS: Final = Values(
    ["", " min_ttl 254", " min_ttl 1 max_ttl 255"], [" min_ttl 256", " min_ttl", " foo 1", " min_ttl 9 max_ttl 8"]
)
BAD_ADDRESSES: Final = ("192.168.1.300", "localhost", "10.9.0", "`10.9.0.1`")
TRACK_OPTIONS: Final = Values(["", " weight 5", " weight -5", " weight 5 reverse"], [" weight x", " foo"])

_BLANKS: Final = st.sampled_from([" ", "  ", "\t", " \t "])
_COMMENTS: Final = st.sampled_from(["", "", "", " # note", " ! note", "#", "  "])
_LINES_BETWEEN: Final = st.sampled_from(["", "", "", "\n", "# comment\n", "\n! comment { }\n"])


@dataclass(frozen=True)
class Chance:
    """Draws, with or without mistakes."""

    draw: Draw
    sound: bool

    def rarely(self) -> bool:
        """Whether to make a mistake now."""
        return not self.sound and self.draw(st.integers(0, 15)) == 0

    def one(self, values: Values) -> str:
        """A value, rarely a bad one."""
        good = values.good and (not values.bad or not self.rarely())
        return self.draw(st.sampled_from(values.good if good else values.bad))

    def statements(self, keywords: Keywords, at_most: int = 6) -> list[str]:
        """Some statements; keywords may come twice."""
        known = [keyword for keyword, values in keywords.items() if values.good or self.rarely()]
        chosen = self.draw(st.lists(st.sampled_from(known), max_size=at_most))
        return [self.line(keyword, self.one(keywords[keyword])) for keyword in chosen]

    def line(self, *words: str, here: bool = False) -> str:
        """Words with blanks between and a comment behind, perhaps for one host only; `here`: for this one."""
        others = [] if here else ["@other "]
        condition = self.draw(st.sampled_from([""] * 12 + ["@lab ", "@^other ", *others]))
        blank = self.draw(_BLANKS)
        return f"{condition}{blank.join(word for word in words if word)}{self.draw(_COMMENTS)}\n"

    def block(self, head: str, body: Sequence[str]) -> str:
        """A block with its braces in one of the usual places."""
        opened = self.draw(st.sampled_from([" {\n", "{\n", "\n{\n", " { # note\n", " {\t\n\n"]))
        closed = self.draw(st.sampled_from(["}\n", "}\n", "} # note\n", "\t}\n\n"]))
        indent = self.draw(st.sampled_from(["", "    ", "\t"]))
        return f"{head}{opened}{''.join(indent + line for line in body)}{closed}{self.draw(_LINES_BETWEEN)}"

    def list(self, head: str, entries: Sequence[str]) -> str:
        """A list, on one line where it has one entry."""
        if len(entries) == 1 and self.draw(st.booleans()):
            return f"{head} {{ {entries[0]} }}\n"
        return self.block(head, [f"{entry}{self.draw(_COMMENTS)}\n" for entry in entries])


@st.composite
def configurations(draw: Draw, *, sound: bool = False) -> str:
    """A whole file; `sound`: without mistakes of a keyword's or the language's own."""
    chance = Chance(draw, sound)
    scripts = draw(st.lists(st.sampled_from(["chk", "chk2"]), unique=True))
    parts = [_definitions(chance)] if draw(st.booleans()) else []
    secure = ["script_user root\n", "enable_script_security\n"] if draw(st.integers(0, 3)) else []
    parts.append(chance.block("global_defs", secure + chance.statements(GLOBAL)))
    parts += [_script(chance, name) for name in scripts]
    names = draw(st.lists(st.sampled_from(["V", "VI_1", "W"]), min_size=1, max_size=3, unique=not chance.rarely()))
    parts += [_instance(chance, name, number, scripts) for number, name in enumerate(names, 1)]
    if len(names) > 1 and draw(st.booleans()):
        parts.append(chance.block("vrrp_sync_group G", [chance.block("group", [f"{name}\n" for name in names])]))
    if draw(st.booleans()):
        parts.append(_virtual_server(chance))
    text = draw(_LINES_BETWEEN).join(parts)
    return text.replace("\n", "\r\n") if draw(st.integers(0, 9)) == 0 else text


def _definitions(chance: Chance) -> str:
    """Variables that nobody uses, and one that instances may."""
    return "$PRIORITY=" + chance.one(INSTANCE["priority"]) + "\n$UNUSED=  a b c \n"


def _script(chance: Chance, name: str) -> str:
    program = chance.draw(st.sampled_from(["/bin/true", '"/bin/true x"', "'/bin/true'", "\"/bin/sh -c 'exit 0'\""]))
    return chance.block(f"vrrp_script {name}", [f"script {program}\n", *chance.statements(SCRIPT)])


def _instance(chance: Chance, name: str, number: int, scripts: Sequence[str]) -> str:
    draw = chance.draw
    # Without these keepalived ends.
    body = [chance.line("interface", "eth0", here=True), chance.line("virtual_router_id", str(50 + number), here=True)]
    body += chance.statements(INSTANCE)
    if draw(st.booleans()):
        password = draw(st.sampled_from(["4321", '"a b"', "eight888", "ab!cd", "'x'"]))
        body.append(chance.block("authentication", ["auth_type PASS\n", f"auth_pass {password}\n"]))
    tracked = draw(st.lists(st.sampled_from(scripts), unique=True)) if scripts else []
    if tracked:
        body.append(chance.list("track_script", [f"{each}{chance.one(TRACK_OPTIONS)}" for each in tracked]))
    if draw(st.integers(0, 3)) == 0:
        body.append(chance.list("unicast_peer", [f"10.9.0.2{chance.one(PEER_OPTIONS)}"]))
    body.append(chance.list("virtual_ipaddress", _addresses(chance, number)))
    if draw(st.integers(0, 3)) == 0:
        body.append(chance.list("virtual_ipaddress_excluded", [f"2001:db8::{number}", f"10.9.{number}.200"]))
    return chance.block(f"vrrp_instance {name}", body)


def _addresses(chance: Chance, number: int) -> list[str]:
    entries = [
        f"10.9.{number}.{host}{chance.one(ADDRESS_OPTIONS)}" for host in range(1, chance.draw(st.integers(1, 3)) + 1)
    ]
    if chance.draw(st.integers(0, 4)) == 0:
        entries.append(f"~SEQ(N{number}, 100, 102) 10.9.{number}.${{N{number}}}/24")
    if chance.draw(st.integers(0, 4)) == 0:
        entries.append(f"~LST(L{number}, 7, 9) 10.9.{number}.${{L{number}}}")
    if chance.rarely():
        entries.append(chance.draw(st.sampled_from(BAD_ADDRESSES)))
    return entries


def _virtual_server(chance: Chance) -> str:
    # Without these keepalived complains of every other one.
    body = [] if chance.rarely() else ["protocol TCP\n", "lb_algo rr\n", "lb_kind DR\n"]
    body += chance.statements({**VIRTUAL_SERVER, **TIMERS})
    for host in range(1, chance.draw(st.integers(1, 2)) + 1):
        check = chance.block("TCP_CHECK", chance.statements(TCP_CHECK))
        body.append(chance.block(f"real_server 10.9.0.{host} 3306", [*chance.statements(REAL_SERVER), check]))
    return chance.block("virtual_server 10.9.0.100 3306", body)


@st.composite
def damaged(draw: Draw) -> str:
    """A file with a line lost, doubled, or of somebody else."""
    lines = draw(configurations()).splitlines(keepends=True)
    place = draw(st.integers(0, len(lines) - 1))
    added = draw(st.sampled_from(["", lines[place], "foo bar\n", "foo {\n    bar 1\n}\n", "}\n", 'router_id "lab\n']))
    lines[place : place + (not added)] = [added]
    return "".join(lines)
