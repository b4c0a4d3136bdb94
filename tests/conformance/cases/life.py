"""What happens to the daemon and to its host: start, stop, link, addresses, reload; and who is told."""

from __future__ import annotations

import signal
from dataclasses import replace
from functools import partial

from tests.conformance.bench import SETTLED, Bench, expect
from tests.conformance.case import case, global_defs, instance, skew, v2, v3
from tests.conformance.packets import SUBJECT, TESTER_MAC, VIP, Advert

V2, V3 = Advert(), Advert(version=3, interval=100)
SECOND = "192.168.1.101"
TELLING = global_defs() + instance('notify "DIRECTORY/tell"', version=3, advert_int=0.3)

for plain, rfc in ((V2, v2), (V3, v3)):

    @case(
        f"version {plain.version}: a master that is stopped says priority 0 and gives the address up",
        rfc("6.4.3-shutdown"),
        peer=plain,
    )
    def stopped(bench: Bench) -> None:
        first = bench.begin_as_master()
        bench.stop()
        last = bench.adverts(first.at - 0.01)[-1]
        expect(last.priority == 0, f"its last advert has priority {last.priority}")
        expect(not bench.holds(), "it left the address behind")

    @case(
        f"version {plain.version}: a backup that is stopped says nothing",
        rfc("6.4.2-shutdown"),
        peer=plain,
    )
    def stopped_backup(bench: Bench) -> None:
        bench.begin()
        bench.send(bench.peer)
        bench.stop()
        bench.stays_backup_for(bench.now() - bench.started + SETTLED, bench.started)

    @case(
        f"version {plain.version}: BACKUP neither answers ARP for the address nor a ping to it",
        rfc("6.4.2-arp", "6.4.2-accept"),
        peer=plain,
    )
    def backup_is_silent(bench: Bench) -> None:
        bench.begin()
        with bench.stream(bench.peer, every=1.0):
            expect(not bench.answers_arp(), "it answers ARP")
            expect(not bench.answers_ping(), "it answers a ping")
            expect(bench.answers_ping(SUBJECT), "it does not answer a ping to its own address either")

    @case(
        f"version {plain.version}: MASTER answers ARP for the address and a ping to it",
        rfc("6.4.3-arp", "6.4.3-accept"),
        peer=plain,
    )
    def master_answers(bench: Bench) -> None:
        bench.begin_as_master()
        expect(bench.answers_arp(), "it does not answer ARP")
        expect(bench.answers_ping(), "it does not answer a ping")


@case("an address that an earlier life left is removed at the start", v2("6.4.2-accept"), v3("6.4.2-accept"))
def stale(bench: Bench) -> None:
    bench.host.ip(f"addr add {VIP}/32 dev eth0")
    bench.begin()
    bench.until(lambda: not bench.holds(), "the address of an earlier life stays", 3.0)


@case("a master whose link goes has no address, and waits anew when it is back", v2("6.4.1-backup"), v3("6.4.1-backup"))
def link(bench: Bench) -> None:
    bench.begin_as_master()
    bench.link("down")
    bench.until(lambda: not bench.holds(), "it keeps the address without a link")
    bench.link("up")
    since = bench.now()
    bench.stays_backup_for(2.8, since)
    bench.takes_over_after(since, 3 + skew(100))


@case("a backup whose link goes and comes waits for the whole time", v2("6.4.1-backup"), v3("6.4.1-backup"))
def backup_link(bench: Bench) -> None:
    bench.begin()
    bench.link("down")
    bench.says("(VI_1) Entering FAULT STATE")
    bench.link("up")
    since = bench.now()
    bench.stays_backup_for(2.8, since)
    bench.takes_over_after(since, 3 + skew(100))


@case("on an interface without an address it takes nothing, and elects when one comes", v2("7.2-source"))
def without_address(bench: Bench) -> None:
    bench.host.ip("addr flush dev eth0")
    bench.start()
    bench.says("(VI_1) entering FAULT state")
    bench.stays_backup_for(4.2, bench.now())
    bench.host.ip(f"addr add {SUBJECT}/24 dev eth0")
    since = bench.now()
    frame = bench.takes_over_after(since, 3 + skew(100))
    expect(frame.source == SUBJECT, f"its source is {frame.source}")


@case("an address that somebody deletes on a master is back within 0.2 s, and the adverts go on", v2("6.4.3-arp"))
def deleted(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.host.ip(f"addr del {VIP}/32 dev eth0")
    bench.until(bench.holds, "the address is not back", 0.2)
    bench.stays_master_for(2.2, first.at, 1.0, 100)


@case("a reload without a change keeps address and cadence", v2("6.4.3-timer"))
def reload(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.reload()
    bench.stays_master_for(3.2, first.at, 1.0, 100)


@case("a reload adds an address and keeps the other", ())
def reload_adds(bench: Bench) -> None:
    bench.begin_as_master()
    bench.write(instance(vips=(VIP, SECOND)))
    bench.reload()
    bench.until(lambda: bench.holds(SECOND), "the new address did not come")
    expect(bench.holds(), "the old address went")
    bench.next_frame(lambda each: each.is_advert and each.count == 2, 3.0, "no advert has both addresses")


@case("a backup follows a master with one address more while both are being reconfigured", ())
def other_list(bench: Bench) -> None:
    bench.write(instance(vips=(VIP, SECOND)))
    bench.peer = replace(V2, addresses=(VIP, SECOND))
    bench.begin()
    since = bench.send(bench.peer)
    with bench.stream(replace(V2, addresses=(VIP,)), every=1.0):
        bench.stays_backup_for(5.0, since)


@case("BACKUP follows a master whose adverts this host's firewall drops, and names it", ())
def firewall(bench: Bench) -> None:
    wall = "add table inet wall; add chain inet wall input { type filter hook input priority 0; }; "
    bench.host.run("nft", wall + "add rule inet wall input meta l4proto 112 drop")
    bench.begin()
    with bench.stream(bench.peer, every=1.0):
        bench.stays_backup_for(5.0, bench.now())
    expect("firewall" in bench.log(), "it does not say why")


@case("an address that another host answers for is left alone, and the host is named", ())
def another_holder(bench: Bench) -> None:
    bench.outside.ip(f"addr add {VIP}/32 dev eth0")
    bench.begin()
    bench.stays_backup_for(5.0, bench.now())
    expect(not bench.holds(), "it took the address")
    bench.until(lambda: TESTER_MAC in bench.log(), "it does not say who has it", 3.0)


@case("a killed master's address is gone before another could take it", ())
def killed(bench: Bench) -> None:
    bench.begin_as_master()
    bench.kill()
    bench.until(lambda: not bench.holds(), "the address is there for ever", 3 + skew(254))


@case("scripts are told of every state in order", (), text=TELLING, peer=replace(V3, interval=30))
def told(bench: Bench) -> None:
    bench.script("tell", 'echo "$1 $2 $3" >>DIRECTORY/told')
    wanted = [f"INSTANCE VI_1 {state}" for state in ("BACKUP", "MASTER", "BACKUP", "MASTER", "STOP")]
    bench.begin_as_master()
    bench.send(bench.peer)
    bench.until(lambda: len(bench.told()) >= 3, "it does not tell that it is BACKUP again")
    bench.until(lambda: len(bench.told()) >= 4, "it does not tell that it is MASTER again")
    bench.stop()
    bench.until(lambda: len(bench.told()) >= 5, f"it told {', '.join(bench.told())}")
    expect(bench.told() == wanted, f"it told {', '.join(bench.told())}")


@case("a script is told of FAULT when the link goes", (), text=TELLING, peer=replace(V3, interval=30))
def told_of_fault(bench: Bench) -> None:
    bench.script("tell", 'echo "$1 $2 $3" >>DIRECTORY/told')
    bench.begin_as_master()
    bench.link("down")
    bench.until(lambda: "INSTANCE VI_1 FAULT" in bench.told(), "it does not tell of FAULT")


@case(
    "excluded addresses follow the state, are announced, and are in no advert",
    (),
    text=instance("virtual_ipaddress_excluded {", SECOND, "}"),
)
def excluded(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.addresses == (VIP,), f"it advertises {', '.join(frame.addresses)}")
    bench.until(lambda: bench.holds(SECOND), "the excluded address did not come")
    bench.next_frame(lambda each: each.is_announcement and each.source == SECOND, 3.0, "it is not announced")
    with bench.stream(replace(V2, priority=254), every=0.5):
        bench.until(lambda: not bench.holds(SECOND), "the excluded address stays")


@case(
    "members of a sync group give way together",
    (),
    text="vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n}\n"
    + instance()
    + instance(name="VI_2", vrid=52, vips=(SECOND,)),
)
def together(bench: Bench) -> None:
    bench.begin()
    bench.until(lambda: bench.holds() and bench.holds(SECOND), "the addresses did not come")
    with bench.stream(replace(V2, priority=254), every=0.5):
        bench.until(lambda: not bench.holds(), "it keeps the address of the member that was beaten")
        bench.until(lambda: not bench.holds(SECOND), "it keeps the address of the other member")


@case(
    "a master that is stopped answers until its successor speaks", (), unfit={"keepalived": "its address goes at once"}
)
def hand_over(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.program.terminate()
    bench.next_advert(first.at, priority=0)
    expect(bench.answers_arp(), "it does not answer ARP after priority 0")
    bench.send(bench.peer)
    bench.until(lambda: not bench.holds(), "it keeps the address beside its successor", 2.0)


@case("a reload with a mistake changes nothing", ())
def mistaken_reload(bench: Bench) -> None:
    first = bench.begin_as_master()
    bench.write(instance().replace("interface eth0", "interface"))
    bench.program.send(signal.SIGHUP)
    bench.stays_master_for(3.2, first.at, 1.0, 100)
    expect(bench.program.process.poll() is None, "it ended")


@case(
    "vrrp_startup_delay 2 lets the election wait", (), text=global_defs("vrrp_startup_delay 2") + instance(priority=200)
)
def startup_delay(bench: Bench) -> None:
    bench.start()
    bench.stays_backup_for(2 + 3 + skew(200) - 0.1, bench.started)
    bench.next_advert(bench.started)


@case("the first and the last VRID, side by side", v2("5.3.3", "7.1-vrid"))
def first_and_last(bench: Bench) -> None:
    bench.write(instance(name="VI_1", vrid=1) + instance(name="VI_255", vrid=255, vips=(SECOND,)))
    bench.begin("VI_255")
    for vrid, address in ((1, VIP), (255, SECOND)):
        bench.until(partial(advertised, bench, vrid, (address,)), f"no advert of VRID {vrid} with {address}")


def advertised(bench: Bench, vrid: int, addresses: tuple[str, ...]) -> bool:
    """Whether the subject has advertised these addresses for this virtual router."""
    return any(each.vrid == vrid and each.addresses == addresses for each in bench.adverts())
