"""What is played with keepalived and with pyvrrpd: a keepalived.conf, and what happens to the daemon that reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.lab.agents import BACKUP, FAULT, MASTER
from tests.lab.stage import VRID, Stage

VIP: Final = "192.168.1.200"
VIPS_6: Final = ("fe80::200", "2001:db8::200", "2001:db8::210")
OTHER_VIP: Final = "192.168.1.210"
OTHER_VRID: Final = 52
OWNER: Final = 255

SECONDS: Final = ("version 2", "advert_int 1")
QUICK: Final = ("version 3", "advert_int 0.3")
CHECK: Final = 'vrrp_script good {\nscript "/usr/bin/test -e DIRECTORY/good"\ninterval 1\n}\n'


@dataclass(frozen=True)
class Story:
    """DIRECTORY in the text is the play's own. `vips` are all addresses that it speaks of."""

    text: str
    tell: Callable[[Stage], None]
    vips: tuple[str, ...] = (VIP,)


def global_defs(*lines: str) -> str:
    """The text of global_defs with these lines."""
    return "\n".join(["global_defs {", "router_id lab", "script_user root", *lines, "}", ""])


def instance(
    *lines: str, name: str = "VI_1", vrid: int = VRID, priority: int = 150, vips: tuple[str, ...] = (VIP,)
) -> str:
    """The text of an instance with these lines. The second burst of ARP follows after a second rather than five."""
    settings = (
        f"vrrp_instance {name} {{",
        "interface eth0",
        f"virtual_router_id {vrid}",
        f"priority {priority}",
        "garp_master_delay 1",
        "garp_lower_prio_delay 1",
        *lines,
        *("virtual_ipaddress {", *vips, "}"),
        "}",
    )
    return "\n".join(settings) + "\n"


def usual(stage: Stage) -> None:
    """With a peer, without a link, stopped."""
    with_a_peer(stage)
    stage.link("down")
    stage.becomes_faulty()
    stage.mark("without a link")
    stage.link("up")
    stage.enters(BACKUP)
    stage.becomes_master()
    stage.mark("with a link again")
    stage.stop()
    stage.mark("stopped")


def with_a_peer(stage: Stage) -> None:
    """Alone, beaten by a better peer, left alone again, challenged by a worse one."""
    stage.begin()
    stage.becomes_master()
    stage.mark("alone")
    with stage.peer(200):
        stage.becomes_backup()
        stage.mark("beaten")
    stage.becomes_master()
    stage.mark("left alone")
    stage.rest()
    stage.speak(100)
    stage.says("forcing new election")
    stage.announces(10)
    stage.mark("challenged")


def by_unicast(stage: Stage) -> None:
    """With a peer, and stopped. What unicast does without a link depends on what ARP had time for."""
    with_a_peer(stage)
    stage.stop()
    stage.mark("stopped")


def many_addresses(stage: Stage) -> None:
    """As usual, with a second interface."""
    _second_interface(stage)
    usual(stage)


def _second_interface(stage: Stage) -> None:
    stage.host("link add eth1 type veth peer name end-of-eth1")
    stage.host("link set end-of-eth1 up")
    stage.host("link set eth1 up")


def challenged_at_once(stage: Stage) -> None:
    """A worse peer speaks as soon as it has announced its address."""
    stage.begin()
    stage.becomes_master(times=4)
    stage.mark("alone")
    stage.speak(100)
    stage.says("forcing new election")
    stage.rest()
    stage.rest()
    stage.mark("challenged")
    stage.stop()


def waiting(stage: Stage) -> None:
    """Neither link nor address when it starts."""
    stage.link("down")
    stage.host("addr flush dev eth0")
    stage.start()
    stage.says("(VI_1) entering FAULT state")
    stage.link("up")
    stage.host("addr add 192.168.1.201/24 dev eth0")
    stage.enters(BACKUP)
    stage.becomes_master()
    stage.mark("alone")
    stage.host("addr del 192.168.1.201/24 dev eth0")
    stage.enters(FAULT)
    stage.loses()
    stage.stop()


def patient(stage: Stage) -> None:
    """It leaves a worse master alone until that is silent."""
    stage.begin()
    stage.becomes_master()
    with stage.peer(200):
        stage.becomes_backup()
    stage.becomes_master()
    with stage.peer(200, leaves=False):
        stage.becomes_backup()
    with stage.peer(100):
        stage.hears(5)
        stage.mark("beside a worse one")
    stage.becomes_master()
    stage.mark("left alone")
    stage.stop()


def delayed(stage: Stage) -> None:
    """It leaves a worse master alone for a while."""
    stage.begin()
    stage.becomes_master()
    with stage.peer(200, leaves=False):
        stage.becomes_backup()
    stage.speak(100)
    stage.says("start preempt delay")
    stage.becomes_master()
    stage.stop()


def owned(stage: Stage) -> None:
    """Its address belongs to it, and to somebody else, too."""
    stage.start()
    stage.becomes_master()
    stage.mark("alone")
    with stage.peer(OWNER):
        stage.becomes_backup()
        stage.hears(2)
        stage.mark("beside another owner")
    stage.becomes_master()
    stage.stop()


def self_willed(stage: Stage) -> None:
    """It says nothing to a worse master, says one word more to a better one, and waits for two adverts only."""
    stage.begin()
    stage.becomes_master()
    stage.rest()
    stage.speak(100)
    stage.says("Received advert from")
    stage.announces(10)
    stage.mark("challenged")
    with stage.peer(200, leaves=False):
        stage.becomes_backup()
    stage.becomes_master()
    stage.mark("left alone")
    stage.stop()


def refreshing(stage: Stage) -> None:
    """It announces its address again and again."""
    stage.begin()
    stage.becomes_master(times=3)
    stage.mark("once")
    for number in range(2):
        stage.announces(2)
        stage.mark(f"refreshed {number}")
    stage.stop()


def pacing(stage: Stage) -> None:
    """Its announcements leave one by one."""
    stage.begin()
    stage.enters(MASTER)
    stage.takes()
    stage.announces(1)
    stage.advertises(10)  # three seconds: whatever is to come has come
    stage.mark("announced")
    stage.stop()


def slow_to_start(stage: Stage) -> None:
    """It lets some time pass before it begins to wait, and hears what is said meanwhile."""
    stage.begin()
    stage.becomes_master()
    with stage.peer(200):
        stage.becomes_backup()
    stage.becomes_master()
    stage.mark("master")
    stage.stop()


def weighed(stage: Stage) -> None:
    """A script fails and costs priority, a peer takes over, the script succeeds."""
    stage.touch("good", there=True)
    stage.begin()
    stage.becomes_master()
    stage.mark("good")
    stage.touch("good", there=False)
    stage.says("Changing effective priority from 150 to 90")
    stage.advertises(2)
    with stage.peer(100, leaves=False):
        stage.becomes_backup()
        stage.mark("bad")
        stage.touch("good", there=True)
        stage.says("Changing effective priority from 90 to 150")
    stage.speak(100)
    stage.says("received lower priority (100) advert")
    stage.becomes_master()
    stage.mark("good again")
    stage.touch("good", there=False)
    stage.says("Changing effective priority from 150 to 90")
    stage.advertises(2)
    stage.stop()


def faulty(stage: Stage) -> None:
    """A script without weight fails from the start, later again while it is master."""
    stage.start()
    stage.says("VRRP_Script(good) failed")
    stage.touch("good", there=True)
    stage.enters(BACKUP)
    stage.becomes_master()
    stage.mark("good")
    stage.touch("good", there=False)
    stage.becomes_faulty()
    stage.mark("bad")
    stage.touch("good", there=True)
    stage.enters(BACKUP)
    stage.becomes_master()
    stage.mark("good again")
    stage.stop()


def together(stage: Stage) -> None:
    """Two instances: what befalls one befalls both."""
    stage.touch("good", there=True)
    stage.begin("VI_1", "VI_2")
    _both(stage, MASTER)
    stage.mark("alone")
    with stage.peer(200, vrids=(VRID, OTHER_VRID)):
        _both(stage, BACKUP)
        stage.mark("beaten")
    _both(stage, MASTER)
    stage.mark("left alone")
    stage.touch("good", there=False)
    _both(stage, FAULT)
    stage.mark("bad")
    stage.touch("good", there=True)
    _both(stage, BACKUP)
    _both(stage, MASTER)
    stage.mark("good again")
    stage.stop()


def _both(stage: Stage, state: str) -> None:
    for name in ("VI_1", "VI_2"):
        stage.enters(state, name)
    if state == MASTER:
        stage.takes()
        stage.announces(10)
    else:
        stage.loses()


def _quick_text(priority: int, *vips: str) -> str:
    return global_defs() + instance(*QUICK, priority=priority, vips=vips)


def rewritten(stage: Stage) -> None:
    """The file changes: less priority, one more address, one less."""
    stage.begin()
    stage.enters(MASTER)
    stage.takes(VIP)
    stage.announces(10, VIP)
    stage.mark("as it was")
    stage.write(_quick_text(90, VIP))
    stage.reload()
    with stage.peer(100):
        stage.becomes_backup()
        stage.mark("less priority")
        stage.write(_quick_text(90, VIP, OTHER_VIP))
        stage.reload()
    stage.becomes_master()
    stage.mark("one more address")
    stage.write(_quick_text(90, OTHER_VIP))
    stage.reload()
    stage.loses(VIP)
    stage.mark("one less")
    stage.stop()


def told(stage: Stage) -> None:
    """Scripts and a pipe hear of everything."""
    stage.touch("good", there=True)
    stage.script("notify.sh", 'to=$1; shift; echo "$*" >> DIRECTORY/$to.told')
    with stage.pipe("fifo"):
        stage.begin()
        stage.becomes_master()
        stage.tells("general", 2)
        stage.touch("good", there=False)
        stage.says("Changing effective priority from 150 to 140")
        with stage.peer(200):
            stage.becomes_backup()
            stage.tells("general", 3)
        stage.becomes_master()
        stage.tells("general", 4)
        stage.rest()
        stage.speak(100)
        stage.tells("lower", 1)
        stage.announces(10)
        stage.link("down")
        stage.becomes_faulty()
        stage.tells("general", 5)
        stage.link("up")
        stage.enters(BACKUP)
        stage.becomes_master()
        stage.tells("general", 7)
        stage.stop()
        stage.tells("general", 8)


def weighted_otherwise(stage: Stage) -> None:
    """A file and an interface count."""
    _second_interface(stage)
    stage.put("load", "2")
    stage.begin()
    stage.becomes_master()
    stage.put("load", "5")
    stage.says("Changing effective priority from 160 to 175")
    stage.advertises(2)
    stage.host("link set eth1 down")
    stage.says("Changing effective priority from 175 to 155")
    stage.advertises(2)
    stage.put("load", "0")
    stage.says("Changing effective priority from 155 to 130")
    stage.advertises(2)
    stage.stop()


_ADDRESSES = (
    "192.168.1.200/24 dev eth0 label eth0:vip",
    "10.0.0.200/8 brd 10.255.255.255 scope site",
    "192.168.1.210 dev eth1 scope link",
)

STORIES: Final = {
    "plain": Story(global_defs() + instance(*SECONDS), usual),
    "password": Story(
        global_defs() + instance("state MASTER", *SECONDS, "authentication {", "auth_type PASS", "auth_pass 4321", "}"),
        usual,
    ),
    "version 3": Story(global_defs() + instance("version 3", "advert_int 0.2"), usual),
    "IPv6": Story(global_defs() + instance(*QUICK, vips=VIPS_6), usual, vips=VIPS_6),
    "unicast": Story(
        global_defs()
        + instance(*QUICK, "unicast_src_ip 192.168.1.201", "unicast_peer {", "192.168.1.202 min_ttl 1", "}"),
        by_unicast,
    ),
    "unicast over IPv6": Story(
        global_defs() + instance(*QUICK, "unicast_src_ip fe80::201", "unicast_peer {", "fe80::202", "}", vips=VIPS_6),
        by_unicast,
        vips=VIPS_6,
    ),
    "addresses": Story(
        global_defs()
        + instance(*QUICK, "virtual_ipaddress_excluded {", "192.168.1.220/25 brd +", "}", vips=_ADDRESSES),
        many_addresses,
        vips=("192.168.1.200", "10.0.0.200", "192.168.1.220"),
    ),
    "announcements": Story(
        global_defs() + instance(*QUICK, "garp_master_repeat 2", "garp_lower_prio_repeat 3"), challenged_at_once
    ),
    "no link": Story(global_defs() + instance(*QUICK), waiting),
    "nopreempt": Story(global_defs() + instance("nopreempt", *QUICK), patient),
    "two owners": Story(global_defs() + instance("state MASTER", *QUICK, priority=OWNER), owned),
    "options of a master": Story(
        global_defs()
        + instance(*QUICK, "lower_prio_no_advert true", "higher_prio_send_advert true", "down_timer_adverts 2"),
        self_willed,
    ),
    "refresh": Story(
        global_defs()
        + instance(
            *QUICK,
            *("garp_master_delay 0", "garp_master_repeat 3", "garp_master_refresh 1", "garp_master_refresh_repeat 2"),
        ),
        refreshing,
    ),
    "paced": Story(
        global_defs("vrrp_garp_interval 0.2")
        + instance(*QUICK, "garp_master_delay 0", "garp_master_repeat 3", vips=(VIP, OTHER_VIP)),
        pacing,
        vips=(VIP, OTHER_VIP),
    ),
    "startup delay": Story(global_defs("vrrp_startup_delay 2") + instance(*QUICK), slow_to_start),
    "preempt_delay": Story(global_defs() + instance("preempt_delay 1", *QUICK), delayed),
    "script with weight": Story(
        global_defs() + CHECK + instance(*QUICK, "track_script {", "good weight -60", "}"), weighed
    ),
    "script without weight": Story(global_defs() + CHECK + instance(*QUICK, "track_script {", "good", "}"), faulty),
    "file and interface": Story(
        global_defs()
        + "vrrp_track_file load {\nfile DIRECTORY/load\n}\n"
        + instance(*QUICK, "track_file {", "load weight 5", "}", "track_interface {", "eth1 weight -20", "}"),
        weighted_otherwise,
    ),
    "sync group": Story(
        global_defs()
        + CHECK
        + "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n}\n"
        + instance(*QUICK, "track_script {", "good", "}")
        + instance(*QUICK, name="VI_2", vrid=OTHER_VRID, vips=(OTHER_VIP,)),
        together,
        vips=(VIP, OTHER_VIP),
    ),
    "reload": Story(_quick_text(150, VIP), rewritten, vips=(VIP, OTHER_VIP)),
    "notifications": Story(
        global_defs("vrrp_notify_fifo DIRECTORY/fifo", "vrrp_notify_priority_changes true")
        + CHECK
        + instance(
            *QUICK,
            "track_script {",
            "good weight 10",
            "}",
            'notify_master "DIRECTORY/notify.sh master"',
            "notify_backup \"DIRECTORY/notify.sh backup 'two words'\"",
            'notify_fault "DIRECTORY/notify.sh fault"',
            'notify_stop "DIRECTORY/notify.sh stop"',
            'notify_master_rx_lower_pri "DIRECTORY/notify.sh lower x"',
            'notify "DIRECTORY/notify.sh general"',
            priority=140,
        ),
        told,
    ),
}
