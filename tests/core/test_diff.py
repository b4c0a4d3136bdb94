"""core/diff and core/succession: what a reload changes, and what goes on."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core.diff import changes
from pyvrrp.core.settings import (
    Account,
    ChannelSettings,
    Command,
    DatabaseSettings,
    Fifo,
    GarpGroup,
    HttpProbe,
    HttpUrl,
    InstanceSettings,
    MailSettings,
    NodeSettings,
    Notifications,
    Probe,
    RealServerSettings,
    ScriptProbe,
    ServiceSettings,
    SyncGroupSettings,
    TcpProbe,
    UnicastPeer,
    VirtualAddress,
    Vmac,
)
from pyvrrp.core.succession import predecessors
from tests.simulation import CHECK, INTERFACE, VIP, instance, settings

OTHER = VirtualAddress(INTERFACE, IPv4Address("192.168.1.199"), 32)
PLAIN = settings(instance(), checks=(CHECK,))


def test_diff_of_the_same_is_nothing() -> None:
    assert changes(PLAIN, PLAIN) == ()


def test_diff_of_fields() -> None:
    new = replace(
        PLAIN,
        router_id="other",
        instances=(instance(priority=90, addresses=(VIP, OTHER), vip_lease=None),),
        checks=(replace(CHECK, fall=5),),
    )
    assert changes(PLAIN, new) == (
        "node: router_id node -> other",
        "VI_1: priority 100 -> 90",
        "VI_1: vip_lease 2 -> off",
        "VI_1: 192.168.1.199/32 comes",
        "mysql: fall 3 -> 5",
    )


def test_diff_of_sections_has_their_names() -> None:
    old = DatabaseSettings(Account(socket="/run/s", user="pyvrrp"), Account(host="192.0.2.1", user="pyvrrp"))
    new = replace(
        old,
        account=replace(old.account, user="agent"),
        peer=Account(host="192.0.2.2", user="agent"),
        probe=replace(old.probe, timeout=0.7),
        demote=replace(old.demote, timeout=0.4),
    )
    channel = ChannelSettings("/etc/key.pem", "192.0.2.1", "192.0.2.2", 3112)
    before = replace(settings(instance(database=old)), channel=channel)
    after = replace(settings(instance(database=new)), channel=replace(channel, port=3113))
    assert changes(before, after) == (
        "node: channel: port 3112 -> 3113",
        "VI_1: mysql: user pyvrrp -> agent",
        "VI_1: mysql: peer: host 192.0.2.1 -> 192.0.2.2",
        "VI_1: mysql: probe: timeout 0.3 -> 0.7",
        "VI_1: mysql: demote: timeout 0.3 -> 0.4",
    )


def test_diff_of_how_adverts_travel() -> None:
    new = instance(
        source=IPv4Address("192.168.1.9"),
        unicast_peers=(UnicastPeer(IPv4Address("192.168.1.2")), UnicastPeer(IPv4Address("192.168.1.3"), min_ttl=254)),
        vmac=Vmac("vrrp.60", bytes.fromhex("00005e00013c"), transmit_base=True),
        duplicate_wait=None,
    )
    assert changes(PLAIN, settings(new, checks=(CHECK,))) == (
        "VI_1: source of adverts off -> 192.168.1.9",
        "VI_1: unicast_peer none -> 192.168.1.2, 192.168.1.3 (TTL 254 to 255)",
        "VI_1: use_vmac off -> vrrp.60 (00:00:5e:00:01:3c, adverts from below it)",
        "VI_1: duplicate_wait 0 -> forever",
    )
    other = replace(new, vmac=Vmac("vr1", bytes(6)), group=IPv4Address("224.0.0.99"))
    assert changes(settings(new), settings(other)) == (
        "VI_1: multicast group off -> 224.0.0.99",
        "VI_1: use_vmac vrrp.60 (00:00:5e:00:01:3c, adverts from below it) -> vr1 (00:00:00:00:00:00)",
    )


def test_diff_of_nothing_to_something() -> None:
    new = settings(instance(addresses=()), checks=(CHECK,))
    assert changes(PLAIN, new) == ("VI_1: 192.168.1.200/32 goes",)


def test_diff_of_what_comes_and_goes_in_the_order_of_the_file() -> None:
    names = ("zeta", "alpha", "mu", "beta", "omega")
    many = settings(
        *(instance(name=name, virtual_router_id=number) for number, name in enumerate(names, 1)), checks=(CHECK,)
    )
    assert changes(many, settings()) == (*(f"instance {name} is removed" for name in names), "check mysql is removed")
    assert changes(settings(), many) == (*(f"instance {name} is new" for name in names), "check mysql is new")


def test_diff_of_a_virtual_router_with_another_name() -> None:
    assert changes(settings(instance()), settings(instance(name="db"))) == ("db: name VI_1 -> db",)


def test_diff_of_an_address_that_moves() -> None:
    old = settings(instance(), instance(name="VI_2", virtual_router_id=2, addresses=()))
    new = settings(instance(addresses=()), instance(name="VI_2", virtual_router_id=2))
    assert changes(old, new) == ("192.168.1.200/32 moves from VI_1 to VI_2",)


def test_diff_of_an_address_that_adverts_do_not_name_any_more() -> None:
    new = settings(instance(addresses=(), excluded=(VIP,)))
    assert changes(settings(instance()), new) == ("VI_1: adverts name none",)


def test_diff_reaches_into_probes_scripts_and_real_servers() -> None:
    def node(port: int, program: str, weight: int) -> NodeSettings:
        server = RealServerSettings("192.0.2.1", 3306, weight)
        return replace(
            settings(
                instance(notifications=Notifications(master=Command((program, "up")))),
                checks=(replace(CHECK, probe=TcpProbe("127.0.0.1", port)),),
            ),
            services=(ServiceSettings("[192.0.2.9]:tcp:3306", (server,)),),
        )

    assert changes(node(3306, "/bin/true", 1), node(3307, "/bin/false", 2)) == (
        "VI_1: notify_master /bin/true up -> /bin/false up",
        "mysql: port 3306 -> 3307",
        "[192.0.2.9]:tcp:3306: real server [192.0.2.1]:3306: weight 1 -> 2",
    )


@pytest.mark.parametrize(("old", "new"), [(None, b"hunter2"), (b"hunter2", None), (b"hunter2", b"hunter3")])
def test_diff_never_shows_a_password(old: bytes | None, new: bytes | None) -> None:
    told = changes(settings(instance(auth_pass=old)), settings(instance(auth_pass=new)))
    assert told == ("VI_1: auth_pass is changed",)


def test_diff_of_an_address_on_another_interface() -> None:
    new = settings(instance(addresses=(replace(VIP, interface="eth1"),)))
    assert changes(settings(instance()), new) == (
        "VI_1: 192.168.1.200/32 goes",
        "VI_1: 192.168.1.200/32 dev eth1 comes",
    )


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (VIP, replace(VIP, label="eth0:1"), "label of 192.168.1.200/32 none -> eth0:1"),
        (replace(VIP, label="eth0:1"), replace(VIP, label="eth0:2"), "label of 192.168.1.200/32 eth0:1 -> eth0:2"),
        (VIP, replace(VIP, scope=253), "scope of 192.168.1.200/32 global -> link"),
        (replace(VIP, scope=9), VIP, "scope of 192.168.1.200/32 9 -> global"),
        (
            VIP,
            replace(VIP, broadcast=IPv4Address("192.168.1.255")),
            "broadcast of 192.168.1.200/32 none -> 192.168.1.255",
        ),
    ],
)
def test_diff_of_what_the_kernel_does_not_change_of_an_address(
    old: VirtualAddress, new: VirtualAddress, text: str
) -> None:
    told = changes(settings(instance(addresses=(old,))), settings(instance(addresses=(new,))))
    assert told == (f"VI_1: {text}, from when it is next taken",)


def test_diff_of_a_label_of_an_address_that_moves() -> None:
    old = settings(instance(), instance(name="VI_2", virtual_router_id=2, addresses=()))
    labelled = replace(VIP, label="eth0:1")
    new = settings(instance(addresses=()), instance(name="VI_2", virtual_router_id=2, addresses=(labelled,)))
    assert changes(old, new) == (
        "192.168.1.200/32 moves from VI_1 to VI_2",
        "VI_2: label of 192.168.1.200/32 none -> eth0:1, from when it is next taken",
    )


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ({"virtual_router_id": 61}, ("VI_1: virtual_router_id 60 -> 61",)),
        ({"version": 3, "advert_int": 0.5}, ("VI_1: version 2 -> 3", "VI_1: advert_int 1 -> 0.5")),
        (
            {"name": "db", "virtual_router_id": 61},
            ("instance VI_1 is removed", "instance db is new", "192.168.1.200/32 moves from VI_1 to db"),
        ),
    ],
)
def test_diff_of_another_virtual_router(new: dict[str, object], told: tuple[str, ...]) -> None:
    assert changes(settings(instance()), settings(instance(**new))) == told


def service(*servers: RealServerSettings, **changes: object) -> NodeSettings:
    """A node with one virtual server."""
    plain = ServiceSettings("[192.0.2.9]:tcp:3306", servers)
    return replace(settings(), services=(replace(plain, **changes),))  # type: ignore[arg-type]


def test_diff_of_virtual_servers() -> None:
    one, other = RealServerSettings("192.0.2.1", 3306), RealServerSettings("192.0.2.2", 3306)
    assert changes(settings(), service(one)) == ("virtual server [192.0.2.9]:tcp:3306 is new",)
    assert changes(service(one), settings()) == ("virtual server [192.0.2.9]:tcp:3306 is removed",)
    assert changes(service(one), service(other, quorum=2)) == (
        "[192.0.2.9]:tcp:3306: real server [192.0.2.1]:3306 is removed",
        "[192.0.2.9]:tcp:3306: real server [192.0.2.2]:3306 is new",
        "[192.0.2.9]:tcp:3306: quorum 1 -> 2",
    )


def test_diff_of_groups_fifos_and_mail() -> None:
    group, fifo = SyncGroupSettings("G", ("VI_1", "VI_2")), Fifo("/run/fifo")
    mail = MailSettings("192.0.2.25", 25, "node", ("dba",))
    old, new = settings(), replace(settings(), groups=(group,), fifos=(fifo,), mail=mail)
    assert changes(old, new) == (
        "node: mail off -> to dba through 192.0.2.25:25",
        "group G is new",
        "FIFO /run/fifo is new",
    )
    later = replace(
        new,
        groups=(replace(group, members=("VI_1",)),),
        fifos=(replace(fifo, user="mysql", group="adm"),),
        mail=replace(mail, timeout=5.0),
    )
    assert changes(new, later) == (
        "node: mail is changed",
        "G: group VI_1, VI_2 -> VI_1",
        "FIFO /run/fifo: user none -> mysql",
        "FIFO /run/fifo: group none -> adm",
    )


def test_diff_of_what_counts_at_the_start_only() -> None:
    later = replace(settings(), startup_delay=5.0, network_namespace="blue", delay_after_boot=60.0)
    assert changes(settings(), later) == (
        "node: startup_delay 0 -> 5, from when the daemon starts next",
        "node: network_namespace none -> blue, from when the daemon starts next",
        "node: delay_after_boot 0 -> 60, from when the daemon starts next",
    )


def http(url: HttpUrl) -> HttpProbe:
    return HttpProbe("127.0.0.1", 80, (url,))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (http(HttpUrl("/a")), http(HttpUrl("/b")), "mysql: urls /a -> /b"),
        (http(HttpUrl("/a")), http(HttpUrl("/a", regex="x")), "mysql: urls is changed"),
        (ScriptProbe(Command(("a", "b"))), ScriptProbe(Command(("a b",))), "mysql: command is changed"),
        (TcpProbe("127.0.0.1", 80), http(HttpUrl("/a")), "mysql: probe 127.0.0.1:80 -> http://127.0.0.1:80"),
    ],
)
def test_diff_of_probes(old: Probe, new: Probe, told: str) -> None:
    before, after = settings(checks=(replace(CHECK, probe=old),)), settings(checks=(replace(CHECK, probe=new),))
    assert changes(before, after) == (told,)


# --- succession ------------------------------------------------------------------------------------------------------


def named(name: str, vrid: int, interface: str = INTERFACE) -> InstanceSettings:
    return instance(name=name, virtual_router_id=vrid, interface=interface)


@pytest.mark.parametrize(
    ("new", "known"),
    [
        ((named("a", 1), named("b", 2)), {"a": 1, "b": 2}),
        ((named("b", 1), named("a", 2)), {"b": 1, "a": 2}),
        ((named("x", 1), named("b", 7)), {"x": 1, "b": 2}),
        ((named("a", 2), named("b", 7)), {"a": 2}),
        ((named("a", 1, "eth1"), named("x", 7)), {}),
    ],
    ids=["the same", "names swapped", "a new name and a new VRID", "the VRID of another", "another interface"],
)
def test_which_virtual_router_is_which(new: tuple[InstanceSettings, ...], known: dict[str, int]) -> None:
    found = predecessors((named("a", 1), named("b", 2)), new)
    assert {name: before.virtual_router_id for name, before in found.items()} == known


def test_the_pace_of_announcements() -> None:
    slow = replace(settings(), garp_interval=0.001, garp_groups=(GarpGroup(("eth0", "eth1"), 0.5, 0.25),))
    assert changes(settings(), slow) == (
        "node: garp_interval 0 -> 0.001",
        "node: garp_groups none -> eth0 eth1 (garp_interval 0.5, gna_interval 0.25)",
    )


def test_diff_of_what_is_on_or_off() -> None:
    quiet, loud = (settings(instance(lower_prio_no_advert=each)) for each in (False, True))
    assert changes(quiet, loud) == ("VI_1: lower_prio_no_advert off -> on",)
    assert changes(loud, quiet) == ("VI_1: lower_prio_no_advert on -> off",)


def test_diff_of_a_label_that_comes_and_goes() -> None:
    bare, labelled = (settings(instance(addresses=(replace(VIP, label=each),))) for each in ("", "eth0:1"))
    assert changes(bare, labelled) == ("VI_1: label of 192.168.1.200/32 none -> eth0:1, from when it is next taken",)
    assert changes(labelled, bare) == ("VI_1: label of 192.168.1.200/32 eth0:1 -> none, from when it is next taken",)
