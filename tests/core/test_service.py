"""core/service: real servers, quorum, and what is told of them; the lines are keepalived's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core.effects import Effect, Mail, Notify
from pyvrrp.core.events import CheckResult, ConfigReplaced, Stopping, TimerDue
from pyvrrp.core.node import Node
from pyvrrp.core.notify import Notifier
from pyvrrp.core.service import Services
from pyvrrp.core.settings import (
    CheckSettings,
    Command,
    DnsProbe,
    FileProbe,
    HttpProbe,
    HttpUrl,
    InterfaceProbe,
    NodeSettings,
    PingProbe,
    Probe,
    RealServerSettings,
    ScriptProbe,
    ServiceSettings,
    SmtpProbe,
    TcpProbe,
    UdpProbe,
)
from pyvrrp.core.snapshot import RealServerStatus, ServiceStatus
from tests.lone import Lone, only, texts, told
from tests.transcript import transcript

VS = "[192.168.1.200]:tcp:3306"
RS = "[192.168.1.201]:tcp:3306"
OTHER = "[192.168.1.202]:tcp:3306"
UP, DOWN, QUORUM_UP, QUORUM_DOWN = (
    Command((f"/bin/{name}", "now")) for name in ("up", "down", "quorum_up", "quorum_down")
)
CHECK = CheckSettings("mysql", TcpProbe("192.168.1.201", 3306), interval=60.0, fall=3)
OTHERS = replace(CHECK, name="others")


def server(address: str = "192.168.1.201", *checks: str, **changes: object) -> RealServerSettings:
    plain = RealServerSettings(address, 3306, 1, checks, notify_up=UP, notify_down=DOWN)
    return replace(plain, **changes)  # type: ignore[arg-type]


def service(*servers: RealServerSettings, **changes: object) -> ServiceSettings:
    plain = ServiceSettings(VS, servers, quorum_up=QUORUM_UP, quorum_down=QUORUM_DOWN)
    return replace(plain, **changes)  # type: ignore[arg-type]


def node(*services: ServiceSettings, checks: tuple[CheckSettings, ...] = (CHECK, OTHERS)) -> NodeSettings:
    return NodeSettings("N1", (), checks, services=services)


class Site(Lone):
    """A node of virtual servers only."""

    def __init__(self, *services: ServiceSettings, checks: tuple[CheckSettings, ...] = (CHECK, OTHERS)) -> None:
        super().__init__()
        self.node = Node(node(*services, checks=checks), self.now)

    def begin(self) -> list[Effect]:
        """What is told at the start."""
        assert self.node.next_deadline() == self.now
        return self.timer()

    def fail(self, name: str = "mysql", times: int = 3) -> list[Effect]:
        """So many failures in a row."""
        return [effect for _ in range(times) for effect in self.check(False, name)]

    def reload(self, settings: NodeSettings) -> list[Effect]:
        """SIGHUP, and what it brings about at once."""
        return self.give(ConfigReplaced(settings)) + self.timer()

    @property
    def service(self) -> ServiceStatus:
        (status,) = self.node.snapshot(self.now).services
        return status


def commands(effects: list[Effect]) -> list[str]:
    """What is run, in order."""
    return [str(command) for each in only(Notify, effects) for command in each.commands]


def pair(**changes: object) -> ServiceSettings:
    return service(server("192.168.1.201", "mysql"), server("192.168.1.202", "others"), **changes)


# --- the start --------------------------------------------------------------------------------------------------------


def test_servers_count_as_up_at_the_start_and_only_the_quorum_is_told() -> None:
    site = Site(pair())
    effects = site.begin()
    assert texts(effects) == [f"Gained quorum 1+0=1 <= 2 for VS {VS}"]
    assert told(effects) == [f"VS {VS} UP"]
    assert commands(effects) == ["/bin/quorum_up now"]
    effects = site.check(True)
    assert texts(effects) == [f"TCP connection to {RS} success."]
    assert told(effects) == []


def test_a_first_result_may_come_before_the_start() -> None:
    site = Site(pair())
    effects = site.check(False)
    assert told(effects) == [f"RS {RS} {VS} DOWN", f"VS {VS} UP"]
    assert dict(only(Notify, effects)[0].environment)["REASON"] == f"TCP_CHECK on service {RS} failed."
    assert site.give(TimerDue()) == []


def test_in_alpha_mode_they_are_down_until_a_check_passes() -> None:
    checks = (replace(CHECK, initial="down"), replace(OTHERS, initial="down"))
    site = Site(pair(), checks=checks)
    effects = site.begin()
    assert texts(effects) == [f"Starting with quorum down 1-0=1 > 0 for VS {VS}"]
    assert told(effects) == [f"VS {VS} DOWN"]
    assert commands(effects) == ["/bin/quorum_down now"]
    effects = site.check(True)
    assert texts(effects) == [
        f"TCP connection to {RS} success.",
        f"Adding service {RS} to VS {VS}",
        f"Gained quorum 1+0=1 <= 1 for VS {VS}",
    ]
    assert told(effects) == [f"RS {RS} {VS} UP", f"VS {VS} UP"]
    assert commands(effects) == ["/bin/up now", "/bin/quorum_up now"]


def test_in_alpha_mode_the_first_failure_is_told_though_nothing_is_taken_away() -> None:
    site = Site(pair(), checks=(replace(CHECK, initial="down"), OTHERS))
    site.begin()
    effects = site.check(False)
    assert texts(effects) == [f"TCP_CHECK on service {RS} failed."]
    assert told(effects) == [f"RS {RS} {VS} DOWN"]
    assert told(site.fail()) == []


def test_without_services_nothing_begins() -> None:
    services = Services(Notifier("N1"))
    assert services.next_deadline() is None
    services.want(node(), {}, 5.0)
    assert services.next_deadline() is None
    assert services.begin() == services.stop() == []


def test_services_begin_at_once_and_once() -> None:
    services = Services(Notifier("N1"))
    services.want(node(service(server())), {}, 5.0)
    assert services.next_deadline() == 5.0
    assert told(services.begin()) == [f"VS {VS} UP"]
    assert services.next_deadline() is None


def test_a_server_without_checks_is_up() -> None:
    site = Site(service(server()))
    assert told(site.begin()) == [f"VS {VS} UP"]


# --- up and down ------------------------------------------------------------------------------------------------------


def test_a_server_goes_down_and_comes_back() -> None:
    site = Site(pair())
    site.begin()
    site.check(True)
    effects = site.fail()
    assert texts(effects) == [
        f"TCP_CHECK on service {RS} failed after 2 retries.",
        f"Removing service {RS} from VS {VS}",
    ]
    assert told(effects) == [f"RS {RS} {VS} DOWN"]
    assert commands(effects) == ["/bin/down now"]
    assert site.service.why == (
        f"{VS} has quorum: its living servers weigh 1, and 1 is needed.",
        f"{RS} is down: check mysql fails: refused the connection (3 times in a row).",
    )
    effects = site.check(True)
    assert texts(effects) == [f"TCP connection to {RS} success.", f"Adding service {RS} to VS {VS}"]
    assert told(effects) == [f"RS {RS} {VS} UP"]
    assert [(each.name, each.up) for each in site.service.servers] == [(RS, True), (OTHER, True)]


def test_a_server_is_up_while_all_its_checks_pass() -> None:
    site = Site(service(server("192.168.1.201", "mysql", "others")))
    site.begin()
    assert told(site.check(False)) == [f"RS {RS} {VS} DOWN", f"VS {VS} DOWN"]
    assert told(site.check(False, "others")) == []
    assert told(site.check(True)) == []
    assert told(site.check(True, "others")) == [f"RS {RS} {VS} UP", f"VS {VS} UP"]


def test_inhibited_servers_stay_in_the_table() -> None:
    site = Site(service(server("192.168.1.201", "mysql", inhibit_on_failure=True)))
    site.begin()
    assert texts(site.check(False))[1] == f"Disabling service {RS} of VS {VS}"
    assert texts(site.check(True))[1] == f"Enabling service {RS} of VS {VS}"


def test_scripts_are_told_who_what_and_why() -> None:
    site = Site(service(server("192.168.1.201", "mysql")))
    site.begin()
    down, lost = only(Notify, site.check(False))
    assert (down.subject, down.family) == (lost.subject, lost.family) == (f"SERVICE {VS}", "lvs")
    assert dict(down.environment) == {
        "STATE": "DOWN",
        "PREVIOUS": "UP",
        "REASON": f"TCP_CHECK on service {RS} failed.",
        "SEQUENCE": "2",
        "KIND": "RS",
        "RS": RS,
        "VS": VS,
    }
    assert dict(lost.environment) == {
        "STATE": "DOWN",
        "PREVIOUS": "UP",
        "REASON": "Lost quorum 1-0=1 > 0",
        "SEQUENCE": "3",
        "KIND": "VS",
        "VS": VS,
    }


def test_mails_are_sent_where_they_are_asked_for() -> None:
    quiet = Site(pair())
    assert {each.mail for each in only(Notify, quiet.begin() + quiet.check(False))} == {None}
    site = Site(service(server("192.168.1.201", "mysql", smtp_alert=True), smtp_alert=True))
    assert [each.mail for each in only(Notify, site.begin() + site.check(False))] == [
        Mail(f"[N1] Virtualserver {VS} - UP", "=> Gained quorum 1+0=1 <= 1 <="),
        Mail(
            f"[N1] Realserver {RS} of virtual server {VS} - DOWN",
            f"=> TCP_CHECK on service {RS} failed. <=",
        ),
        Mail(f"[N1] Virtualserver {VS} - DOWN", "=> Lost quorum 1-0=1 > 0 <="),
    ]


# --- quorum -----------------------------------------------------------------------------------------------------------


def test_hysteresis_makes_the_way_back_longer() -> None:
    """keepalived's own sample: ten servers, quorum 7, hysteresis 2."""
    names = [f"c{number}" for number in range(10)]
    checks = tuple(replace(CHECK, name=name, initial="down") for name in names)
    servers = tuple(server(f"10.0.0.{number}", f"c{number}") for number in range(10))
    site = Site(service(*servers, quorum=7, hysteresis=2), checks=checks)
    site.begin()
    gained = [told(site.check(True, name))[1:] for name in names]
    assert gained == [[]] * 8 + [[f"VS {VS} UP"]] + [[]]
    lost = [told(site.fail(name))[1:] for name in names]
    assert lost == [[]] * 5 + [[f"VS {VS} DOWN"]] + [[]] * 4


def test_what_begins_with_a_reload_is_told_beside_what_is_overdue() -> None:
    site = Site(service(server("192.168.1.201", "mysql")))
    site.begin()
    site.now += 1000.0
    new = ServiceSettings("[192.168.1.200]:tcp:3307", (server("192.168.1.203"),))
    effects = site.reload(node(service(server("192.168.1.201", "mysql")), new))
    assert told(effects) == [f"RS {RS} {VS} DOWN", f"VS {VS} DOWN", f"VS {new.name} UP"]


def test_the_status_of_a_service() -> None:
    site = Site(service(server("192.168.1.201", "mysql", "others"), server("192.168.1.202"), quorum=2, hysteresis=1))
    site.begin()
    servers = (RealServerStatus(RS, True, 1, ("mysql", "others")), RealServerStatus(OTHER, True, 1, ()))
    lost = f"{VS} has no quorum: its living servers weigh 2, and 3 is needed."
    assert site.service == ServiceStatus(VS, False, 2, servers, (lost,))
    third = server("192.168.1.203")
    site.reload(node(service(*site.node.settings.services[0].real_servers, third, quorum=2, hysteresis=1)))
    assert site.service.quorum is True
    assert site.service.why == (f"{VS} has quorum: its living servers weigh 3, and 1 is needed.",)
    site.fail()
    site.fail("others")
    assert site.service.servers[0].up is False
    assert list(site.service.why)[1:] == [
        f"{RS} is down: "
        + "; ".join(f"check {name} fails: refused the connection (3 times in a row)" for name in ("mysql", "others"))
        + "."
    ]


def test_the_quorum_counts_weights() -> None:
    heavy = service(server("192.168.1.201", "mysql", weight=3), server("192.168.1.202", "others", weight=2), quorum=3)
    site = Site(heavy)
    site.begin()
    assert told(site.check(False, "others")) == [f"RS {OTHER} {VS} DOWN"]
    assert site.service.weight == 3
    site.check(True, "others")
    effects = site.check(False)
    assert told(effects) == [f"RS {RS} {VS} DOWN", f"VS {VS} DOWN"]
    assert texts(effects)[-1] == f"Lost quorum 3-0=3 > 2 for VS {VS}"
    assert not site.service.quorum


def test_a_dynamic_script_says_the_weight() -> None:
    probe = ScriptProbe(Command(("/bin/misc", "-v")), dynamic=True)
    site = Site(
        service(server("192.168.1.201", "misc", weight=5), quorum=2),
        checks=(CheckSettings("misc", probe, interval=60.0, fall=2),),
    )
    site.begin()

    def ends(status: int) -> list[Effect]:
        detail = f"exited with status {status}"
        return site.give(CheckResult("misc", status != 1, detail, 0.1, value=status))

    assert texts(ends(12))[-1] == f"Changing weight from 5 to 10 for active service {RS} of VS {VS}"
    effects = ends(3)
    assert texts(effects)[0] == f"Changing weight from 10 to 1 for active service {RS} of VS {VS}"
    assert told(effects) == [f"VS {VS} DOWN"], "it lives, but is not enough"
    assert told(ends(0)) == [f"VS {VS} UP"]
    assert site.service.weight == 5
    assert ends(1) == [], "a failure asks for no weight, and one alone takes nothing away"
    assert site.service.weight == 5


# --- the words for each check -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probe", "detail", "passes", "fails"),
    [
        (
            HttpProbe("192.168.1.201", 80, (HttpUrl("/"),)),
            "",
            f"Remote Web server {RS} succeed on service.",
            f"HTTP_CHECK on service {RS} failed after 1 retries.",
        ),
        (
            SmtpProbe("192.168.1.201", 25),
            "",
            f"Remote SMTP server {RS} succeed on service.",
            f"SMTP_CHECK on service {RS} failed after 1 retries.",
        ),
        (
            DnsProbe("192.168.1.201"),
            "no answer",
            f"DNS_CHECK ({RS}) success.",
            f"DNS_CHECK ({RS}) no answer after 1 retries",
        ),
        (
            PingProbe("192.168.1.201"),
            "",
            f"ICMP connection to {RS} success.",
            f"ICMP CHECK on service {RS} failed after 1 retries.",
        ),
        (
            UdpProbe("192.168.1.201", 53),
            "",
            f"UDP connection to {RS} success.",
            f"UDP_CHECK on service {RS} failed after 1 retries.",
        ),
        (
            ScriptProbe(Command(("/bin/misc", "{x}"))),
            "exited with status 1",
            f"Misc check for [{RS} VS {VS}] by [/bin/misc] succeeded.",
            f"Misc check for [{RS} VS {VS}] by [/bin/misc] failed after 1 retries (exited with status 1).",
        ),
        (
            ScriptProbe(Command(("/bin/misc",))),
            "timed_out",
            f"Misc check for [{RS} VS {VS}] by [/bin/misc] succeeded.",
            f"Misc check for [{RS} VS {VS}] by [/bin/misc] timed out after 1 retries.",
        ),
    ],
)
def test_words(probe: Probe, detail: str, passes: str, fails: str) -> None:
    checks = (CheckSettings("mysql", probe, interval=60.0, fall=2),)
    site = Site(service(server("192.168.1.201", "mysql")), checks=checks)
    site.begin()
    assert texts(site.check(True))[0] == passes
    failures = [site.give(CheckResult("mysql", False, detail, 0.1)) for _ in range(2)]
    assert texts(failures[0]) == []
    assert texts(failures[1])[0] == fails


@pytest.mark.parametrize(
    ("probe", "passes", "fails"),
    [
        (FileProbe("/run/f"), f"({RS}): tracked file c leaving FAULT state", f"({RS}): tracked file c now FAULT state"),
        (InterfaceProbe("eth1"), "check c passes", "check c fails: refused the connection"),
    ],
)
def test_words_of_what_is_not_sampled(probe: Probe, passes: str, fails: str) -> None:
    site = Site(service(server("192.168.1.201", "c")), checks=(CheckSettings("c", probe),))
    site.begin()
    assert [texts(site.check(ok, "c"))[0] for ok in (True, False, True)] == [passes, fails, passes]


# --- reload and end ---------------------------------------------------------------------------------------------------


def test_a_reload_of_the_same_tells_nothing() -> None:
    site = Site(pair())
    site.begin()
    site.check(False)
    assert site.reload(node(pair())) == []
    assert [each.up for each in site.service.servers] == [False, True]


def test_a_server_that_was_down_is_not_told_of_again_when_a_reload_changes_its_check() -> None:
    site = Site(pair())
    site.begin()
    site.check(False)
    changed = replace(CHECK, interval=30.0, initial="down")
    assert site.reload(node(pair(), checks=(changed, OTHERS))) == []
    assert told(site.check(True)) == [f"RS {RS} {VS} UP"]


def test_a_living_server_stays_so_when_a_reload_gives_it_a_check_that_is_assumed_to_fail() -> None:
    site = Site(pair())
    site.begin()
    new = replace(CHECK, name="new", initial="down")
    both = service(server("192.168.1.201", "mysql", "new"), server("192.168.1.202", "others"))
    assert told(site.reload(node(both, checks=(CHECK, OTHERS, new)))) == []
    assert told(site.check(False, "new")) == [f"RS {RS} {VS} DOWN"]


def test_a_reload_may_take_the_quorum_away() -> None:
    site = Site(pair())
    site.begin()
    assert told(site.reload(node(pair(quorum=3)))) == [f"VS {VS} DOWN"]
    assert told(site.reload(node(service(server("192.168.1.201", weight=9), quorum=3)))) == [f"VS {VS} UP"]


def test_a_service_that_a_reload_brings_begins() -> None:
    site = Site()
    assert site.node.next_deadline() == site.now + 123.0, "no check has news yet, and nothing begins"
    assert told(site.reload(node(pair()))) == [f"VS {VS} UP"]


def test_a_server_that_a_reload_brings_to_a_service_counts_as_up_and_is_not_told_of() -> None:
    site = Site(service(server("192.168.1.201", "mysql")))
    site.begin()
    assert site.reload(node(pair())) == []
    assert [(each.name, each.up) for each in site.service.servers] == [(RS, True), (OTHER, True)]


def test_at_the_end_nothing_is_told() -> None:
    site = Site(pair())
    site.begin()
    effects = site.give(Stopping("SIGTERM"))
    assert texts(effects) == [
        f"Shutting down service {RS} from VS {VS}",
        f"Shutting down service {OTHER} from VS {VS}",
    ]
    assert told(effects) == []
    assert site.check(False) == [], "it is over"


def test_with_omega_what_was_up_goes_down_at_the_end() -> None:
    site = Site(pair(omega=True))
    site.begin()
    site.check(False)
    effects = site.give(Stopping("SIGTERM"))
    assert told(effects) == [f"RS {OTHER} {VS} DOWN", f"VS {VS} DOWN"]
    assert commands(effects) == ["/bin/down now", "/bin/quorum_down now"]


# --- word for word ----------------------------------------------------------------------------------------------------


def lines(effects: list[Effect]) -> list[str]:
    """Everything that is said, told and run, with nothing left out."""
    return [line[14:] for line in transcript((0.0, "N1", each) for each in effects).splitlines()]


def environment(words: str, reason: str, number: int, who: str) -> str:
    state, previous = words.split()
    kind = "VS" if who.startswith("VS") else "RS"
    return f"STATE={state!r} PREVIOUS={previous!r} REASON={reason!r} SEQUENCE='{number}' KIND='{kind}' {who}"


def test_a_service_word_for_word() -> None:
    site = Site(service(server("192.168.1.201", "mysql"), omega=True))
    gained, end = "Gained quorum 1+0=1 <= 1", "the daemon ends"
    assert lines(site.begin()) == [
        f"NOTICE () {gained} for VS {VS}",
        f"tell lvs 'SERVICE {VS}': 'VS {VS} UP' {environment('UP DOWN', gained, 1, f'VS={VS!r}')}",
        "    run /bin/quorum_up now as '' ''",
    ]
    failed, lost = f"TCP_CHECK on service {RS} failed.", "Lost quorum 1-0=1 > 0"
    whose, server_down = f"RS={RS!r} VS={VS!r}", f"'RS {RS} {VS} DOWN'"
    assert lines(site.check(False)) == [
        f"WARNING () {failed}",
        f"WARNING () Removing service {RS} from VS {VS}",
        f"tell lvs 'SERVICE {VS}': {server_down} {environment('DOWN UP', failed, 2, whose)}",
        "    run /bin/down now as '' ''",
        f"WARNING () {lost} for VS {VS}",
        f"tell lvs 'SERVICE {VS}': 'VS {VS} DOWN' {environment('DOWN UP', lost, 3, f'VS={VS!r}')}",
        "    run /bin/quorum_down now as '' ''",
    ]
    passes = f"TCP connection to {RS} success."
    assert lines(site.check(True)) == [
        f"NOTICE () {passes}",
        f"NOTICE () Adding service {RS} to VS {VS}",
        f"tell lvs 'SERVICE {VS}': 'RS {RS} {VS} UP' {environment('UP DOWN', passes, 4, whose)}",
        "    run /bin/up now as '' ''",
        f"NOTICE () {gained} for VS {VS}",
        f"tell lvs 'SERVICE {VS}': 'VS {VS} UP' {environment('UP DOWN', gained, 5, f'VS={VS!r}')}",
        "    run /bin/quorum_up now as '' ''",
    ]
    assert lines(site.give(Stopping("SIGTERM"))) == [
        f"INFO () Shutting down service {RS} from VS {VS}",
        f"tell lvs 'SERVICE {VS}': {server_down} {environment('DOWN UP', end, 6, whose)}",
        "    run /bin/down now as '' ''",
        f"tell lvs 'SERVICE {VS}': 'VS {VS} DOWN' {environment('DOWN UP', end, 7, f'VS={VS!r}')}",
        "    run /bin/quorum_down now as '' ''",
    ]


def test_without_commands_nothing_is_run() -> None:
    bare = service(server("192.168.1.201", "mysql", notify_up=None, notify_down=None), quorum_up=None, quorum_down=None)
    site = Site(bare)
    effects = site.begin() + site.check(False)
    assert len(told(effects)) == 3
    assert [each.commands for each in only(Notify, effects)] == [(), (), ()]


def test_a_reload_is_the_reason_of_what_it_changes() -> None:
    site = Site(pair(), checks=(CHECK, replace(OTHERS, initial="down")))
    site.begin()
    (news,) = only(Notify, site.reload(node(service(server("192.168.1.202")))))
    assert news.line == f"RS {OTHER} {VS} UP"
    assert dict(news.environment)["REASON"] == "its configuration has changed"


@pytest.mark.parametrize(("status", "weight"), [(0, 5), (2, 0), (3, 1), (255, 253)])
def test_the_weight_that_a_status_asks_for(status: int, weight: int) -> None:
    """keepalived(5): 2 to 255 ask for the weight that is 2 less."""
    probe = ScriptProbe(Command(("/bin/misc",)), dynamic=True)
    site = Site(service(server("192.168.1.201", "misc", weight=5)), checks=(CheckSettings("misc", probe),))
    site.begin()
    effects = site.give(CheckResult("misc", True, f"exited with status {status}", 0.1, value=status))
    assert site.service.servers[0].weight == weight
    if weight != 5:
        changing = f"Changing weight from 5 to {weight} for active service {RS} of VS {VS}"
        assert f"NOTICE () {changing}" in lines(effects)


def test_the_weight_of_a_server_that_is_down_changes_too() -> None:
    probe = ScriptProbe(Command(("/bin/misc",)), dynamic=True)
    checks = (CheckSettings("misc", probe), CHECK)
    site = Site(service(server("192.168.1.201", "misc", "mysql", weight=5)), checks=checks)
    site.begin()
    site.check(False)
    effects = site.give(CheckResult("misc", True, "exited with status 9", 0.1, value=9))
    assert f"NOTICE () Changing weight from 5 to 7 for inactive service {RS} of VS {VS}" in lines(effects)
