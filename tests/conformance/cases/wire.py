"""What an advertisement looks like on the wire."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.bench import Bench, expect
from tests.conformance.case import case, instance, v2, v3
from tests.conformance.packets import GROUP4, IPV4, SUBJECT, VIP, Advert, Frame, checksum

V2, V3 = Advert(), Advert(version=3, interval=100)
PASS = Advert(auth_type=1, auth_data=b"4321\0\0\0\0")
SECOND = "192.168.1.101"

AUTHENTICATED = instance("authentication {", "auth_type PASS", "auth_pass 4321", "}")


def headers(frame: Frame) -> None:
    """Ethernet and IP header of every version over IPv4."""
    expect(frame.kind == IPV4, "it is not IPv4")
    expect(frame.destination_mac == "01:00:5e:00:00:12", f"sent to {frame.destination_mac}")
    expect(frame.destination == GROUP4, f"sent to {frame.destination}")
    expect(frame.source == SUBJECT, f"its source is {frame.source}, which is not the primary address")
    expect(frame.ttl == 255, f"its TTL is {frame.ttl}")
    expect(frame.protocol == 112, f"its protocol is {frame.protocol}")
    expect(checksum(frame.data[14 : 14 + (frame.data[14] & 15) * 4]) == 0, "the IP header does not sum up")


@case(
    "an advert of version 2 is right in every field",
    v2("5.1", "5.2.1", "5.2.2", "5.2.3-sent", "5.2.4", "5.3.1", "5.3.2", "5.3.3", "5.3.4", "5.3.5", "5.3.6-none"),
    v2("5.3.7", "5.3.8", "5.3.9", "5.3.10", "7.2-fields", "7.2-checksum", "7.2-source", "7.2-protocol"),
)
def version2(bench: Bench) -> None:
    frame = bench.begin_as_master()
    headers(frame)
    wanted = replace(V2, priority=100, source=SUBJECT).payload
    expect(frame.payload == wanted, f"its bytes are {frame.payload.hex()}, not {wanted.hex()}")


@case(
    "an advert of version 3 is right in every field",
    v3("5.1", "5.1.1.1", "5.1.1.2", "5.1.1.3-sent", "5.1.1.4", "5.2.1", "5.2.2", "5.2.3", "5.2.4", "5.2.5"),
    v3("5.2.6-sent", "5.2.7", "5.2.9", "7.2-fields", "7.2-checksum", "7.2-source", "7.2-protocol"),
    ("5798:5.2.8-sent",),
    peer=V3,
)
def version3(bench: Bench) -> None:
    frame = bench.begin_as_master()
    headers(frame)
    wanted = replace(V3, priority=100, source=SUBJECT).payload
    expect(frame.payload == wanted, f"its bytes are {frame.payload.hex()}, not {wanted.hex()}")


@case(
    "a password of version 2 goes out padded with zeros",
    v2("5.3.6-other"),
    text=AUTHENTICATED,
    peer=PASS,
)
def password(bench: Bench) -> None:
    frame = bench.begin_as_master()
    wanted = replace(PASS, priority=100, source=SUBJECT).payload
    expect(frame.payload == wanted, f"its bytes are {frame.payload.hex()}, not {wanted.hex()}")


@case(
    "an advert has all addresses of its virtual router",
    v2("5.3.5", "5.3.9"),
    text=instance(vips=(VIP, SECOND)),
    peer=replace(V2, addresses=(VIP, SECOND)),
)
def two_addresses(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.count == 2, f"it counts {frame.count} addresses")
    expect(set(frame.addresses) == {VIP, SECOND}, f"it has {', '.join(frame.addresses)}")
    expect(len(frame.payload) == 24, f"it has {len(frame.payload)} bytes")


@case("adverts are marked as internetwork control", v2("5.2-tos"))
def traffic_class(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.traffic_class == 0xC0, f"its type of service is {frame.traffic_class:#04x}")


@case(
    "an interval of a third of a second is counted in centiseconds",
    v3("5.2.7"),
    text=instance(version=3, advert_int=0.33),
    peer=replace(V3, interval=33),
)
def centiseconds(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.interval == 33, f"the field says {frame.interval}")


@case("version 3 has no authentication even where one is configured", v3("9"), text="", peer=V3)
def no_authentication(bench: Bench) -> None:
    bench.write(instance("authentication {", "auth_type PASS", "auth_pass 4321", "}", version=3))
    frame = bench.begin_as_master()
    expect(len(frame.payload) == 12, f"it has {len(frame.payload)} bytes")


@case(
    "with v3_checksum_as_v2 the checksum is of the message alone",
    ("9568:5.2.8-sent",),
    text=instance("v3_checksum_as_v2", version=3),
    peer=replace(V3, pseudo_header=False),
    unfit={"keepalived": "the keyword is 2.2.8's"},
)
def message_alone(bench: Bench) -> None:
    frame = bench.begin_as_master()
    expect(frame.sums_up(pseudo=False), "it does not sum up")


TWENTY = tuple(f"192.168.1.{number}" for number in range(100, 120))


@case(
    "an advert of twenty addresses has them all, in order",
    v2("5.3.5", "5.3.9"),
    text=instance(vips=TWENTY),
    peer=replace(V2, addresses=TWENTY),
)
def twenty(bench: Bench) -> None:
    frame = bench.begin_as_master()
    wanted = replace(bench.peer, priority=100, source=SUBJECT).payload
    expect(frame.payload == wanted, f"it has {', '.join(frame.addresses)}")
