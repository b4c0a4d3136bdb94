"""use_vmac and no_accept: what the RFCs have by default and servers on request."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.bench import Bench, expect
from tests.conformance.case import case, instance, v2, v3
from tests.conformance.cases.announcing import announcement_of
from tests.conformance.packets import SUBJECT, SUBJECT_MAC, VIP, VRID, Advert

V2, V3 = Advert(), Advert(version=3, interval=100)
VIRTUAL_MAC = f"00:00:5e:00:01:{VRID:02x}"

for plain, rfc, host_arp in ((V2, v2, "8.2"), (V3, v3, "8.1.2")):
    text = instance("use_vmac", version=plain.version)

    @case(
        f"version {plain.version}: with use_vmac adverts come from the virtual router's MAC",
        rfc("7.2-mac", "7.3"),
        text=text,
        peer=plain,
    )
    def adverts(bench: Bench) -> None:
        frame = bench.begin_as_master()
        expect(frame.source_mac == VIRTUAL_MAC, f"it comes from {frame.source_mac}")
        expect(frame.source == SUBJECT, f"its source is {frame.source}")

    @case(
        f"version {plain.version}: with use_vmac ARP for the address names the virtual router's MAC, asked or not",
        rfc("7.3", f"{host_arp}-vmac", f"{host_arp}-own"),
        text=text,
        peer=plain,
    )
    def arp(bench: Bench) -> None:
        bench.begin_as_master()
        frame = bench.next_frame(announcement_of(VIP), 3.0, "no gratuitous ARP within 3 s")
        expect(frame.source_mac == VIRTUAL_MAC, f"gratuitous ARP comes from {frame.source_mac}")
        expect(frame.data[22:28].hex(":") == VIRTUAL_MAC, f"gratuitous ARP names {frame.data[22:28].hex(':')}")
        answer = bench.answers_arp()
        expect(answer, "it does not answer ARP")
        named = answer.data[22:28].hex(":") if answer else ""
        expect(named == VIRTUAL_MAC, f"its ARP answer names {named}")
        expect(bench.answers_ping(mac=VIRTUAL_MAC), "it does not answer a ping to the virtual MAC")

    @case(
        f"version {plain.version}: with use_vmac BACKUP discards packets to the address at the virtual router's MAC",
        rfc("6.4.2-mac"),
        text=text,
        peer=plain,
    )
    def backup(bench: Bench) -> None:
        bench.begin()
        with bench.stream(bench.peer, every=0.5):
            expect(not bench.answers_ping(VIP, VIRTUAL_MAC), "it answers a ping to the address at the virtual MAC")
            expect(bench.answers_ping(SUBJECT), "it does not answer a ping at its own MAC either")

    @case(
        f"version {plain.version}: with use_vmac an owner that starts never names its physical MAC",
        v2("8.2-restart") if rfc is v2 else v3("8.1.2-own", "8.1.2-configure"),
        text=instance("use_vmac", version=plain.version, priority=255),
        peer=plain,
    )
    def restart(bench: Bench) -> None:
        bench.start()
        first = bench.next_advert(bench.started)
        frames = bench.frames(announcement_of(VIP), bench.started, first.at - bench.started + 1.5)
        expect(frames, "it announces nothing")
        names = {each.data[22:28].hex(":") for each in frames}
        expect(names == {VIRTUAL_MAC}, f"it names {', '.join(sorted(names))}")

    @case(
        f"version {plain.version}: with no_accept MASTER answers ARP for the address and no ping to it",
        rfc("6.4.3-arp", "6.4.3-no-accept", *(["6.1-accept"] if plain.version == 3 else [])),
        text=instance("no_accept", version=plain.version),
        peer=plain,
    )
    def no_accept(bench: Bench) -> None:
        bench.begin_as_master()
        expect(bench.answers_arp(), "it does not answer ARP")
        expect(not bench.answers_ping(), "it answers a ping")
        expect(bench.answers_ping(SUBJECT), "it does not answer a ping to its own address either")


@case("without use_vmac adverts and ARP have the interface's own MAC", ())
def own_mac(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.source_mac == SUBJECT_MAC, f"it comes from {frame.source_mac}")
    answer = bench.answers_arp()
    named = answer.data[22:28].hex(":") if answer else "nobody"
    expect(named == SUBJECT_MAC, f"its ARP answer names {named}")


@case("with vmac_xmit_base adverts leave by the interface below", (), text=instance("use_vmac", "vmac_xmit_base"))
def transmit_base(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.source_mac == SUBJECT_MAC, f"it comes from {frame.source_mac}")
    answer = bench.answers_arp()
    named = answer.data[22:28].hex(":") if answer else "nobody"
    expect(named == VIRTUAL_MAC, f"its ARP answer names {named}")


@case("with use_vmac MASTER yields to a better master", (), text=instance("use_vmac"))
def yields(bench: Bench) -> None:
    bench.begin_as_master()
    with bench.stream(replace(V2, priority=254), every=0.5):
        bench.until(lambda: not bench.holds(), "it keeps the address")
        expect(not bench.answers_arp(), "it answers ARP")
