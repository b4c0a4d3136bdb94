"""Virtual servers: a real server is up while its checks pass, and enough of them make a quorum. IPVS is not programmed.

What is logged, run, mailed and written to FIFOs, and when, is keepalived's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pyvrrp.core.effects import Effect, Level, Mail, Notify, Record
from pyvrrp.core.notify import Notifier
from pyvrrp.core.settings import (
    Command,
    DnsProbe,
    FileProbe,
    HttpProbe,
    NodeSettings,
    PingProbe,
    RealServerSettings,
    ScriptProbe,
    ServiceSettings,
    SmtpProbe,
    TcpProbe,
    UdpProbe,
)
from pyvrrp.core.tracking import TIMED_OUT, Change, CheckTrack, Health

Tracks = Mapping[str, CheckTrack]

_RELOAD: Final = "its configuration has changed"
_END: Final = "the daemon ends"


class RealServer:
    """One server of a service. `up` is None while only its checks' `initial` says that it is down (keepalived's alpha).

    `weight` is the configured one, or what its scripts make of it.
    """

    def __init__(self, settings: RealServerSettings, protocol: str, checks: Tracks) -> None:
        self.settings = settings
        self.name = f"[{settings.address}]:{protocol.lower()}:{settings.port}"
        self.up = None if self._failing(checks) else True
        self.weight = self._weigh(checks)

    def look(self, checks: Tracks) -> None:
        """See what its checks have come to."""
        failing = self._failing(checks)
        if not failing:
            self.up = True
        elif any(track.at is not None for track in failing):
            self.up = False
        self.weight = self._weigh(checks)

    def _failing(self, checks: Tracks) -> list[CheckTrack]:
        return [checks[name] for name in self.settings.checks if checks[name].health is Health.DOWN]

    def _weigh(self, checks: Tracks) -> int:
        """A dynamic script's exit status above 1 asks for the weight that is 2 less; several add what they ask for."""
        own = self.settings.weight
        scripts = (checks[name] for name in self.settings.checks if _dynamic(checks[name]))
        return max(0, own + sum(script.value - 2 - own for script in scripts if script.value > 1))


class Service:
    """One virtual server. `quorum` is whether it has it, None until it begins."""

    def __init__(self, settings: ServiceSettings, notifier: Notifier, checks: Tracks) -> None:
        self.settings = settings
        self.quorum: bool | None = None
        self.servers = [RealServer(each, settings.protocol, checks) for each in settings.real_servers]
        self._notifier = notifier

    def resume(self, before: Service) -> None:
        """Go on where the service was before a reload; a server that it had stays what it is until a check changes."""
        self.quorum = before.quorum
        known = {server.name: server.up for server in before.servers}
        for server in self.servers:
            server.up = known.get(server.name, server.up)

    @property
    def weight(self) -> int:
        """The sum over its living servers."""
        return sum(server.weight for server in self.servers if server.up)

    def hear(self, track: CheckTrack, change: Change, checks: Tracks) -> list[Effect]:
        """Take what a result changed of a check."""
        effects: list[Effect] = []
        for server in self.servers:
            if track.settings.name in server.settings.checks:
                verdict = _verdict(track, server.name, self.settings.name)
                if Change.HEALTH in change:
                    effects.append(_record(verdict, good=track.health is Health.UP))
                effects += self._look_at(server, checks, verdict)
        return effects + self._count()

    def review(self, checks: Tracks) -> list[Effect]:
        """Look at everything anew: to begin, or after a reload."""
        return [effect for server in self.servers for effect in self._look_at(server, checks)] + self._count()

    def stop(self) -> list[Effect]:
        """The daemon ends; with `omega` everything goes down."""
        name, omega = self.settings.name, self.settings.omega
        effects: list[Effect] = []
        for server in self.servers:
            effects.append(Record(Level.INFO, "", f"Shutting down service {server.name} from VS {name}"))
            effects += [self._tell_of(server, False, _END)] if omega and server.up else []
        return effects + ([self._tell(False, _END)] if omega and self.quorum else [])

    def _look_at(self, server: RealServer, checks: Tracks, verdict: str = "") -> list[Effect]:
        """Follow what its checks have come to; `verdict` is the sentence about the one that changed."""
        before, weight, name = server.up, server.weight, self.settings.name
        server.look(checks)
        effects: list[Effect] = []
        if server.weight != weight:
            active = "active" if server.up else "inactive"
            text = f"Changing weight from {weight} to {server.weight} for {active} service {server.name} of VS {name}"
            effects.append(_record(text, good=True))
        if server.up is before:
            return effects
        up = bool(server.up)
        if before or up:
            effects.append(_record(f"{_step(server)} VS {name}", good=up))
        return [*effects, self._tell_of(server, up, verdict or _RELOAD)]

    def _count(self) -> list[Effect]:
        """See whether the living servers are enough."""
        settings, weight = self.settings, self.weight
        gain, loss = settings.quorum + settings.hysteresis, settings.quorum - settings.hysteresis
        before, self.quorum = self.quorum, weight >= (loss if self.quorum else gain)
        if self.quorum is before:
            return []
        if self.quorum:
            text = f"Gained quorum {settings.quorum}+{settings.hysteresis}={gain} <= {weight}"
        else:
            begins = "Starting with quorum down" if before is None else "Lost quorum"
            text = f"{begins} {settings.quorum}-{settings.hysteresis}={loss} > {weight}"
        return [_record(f"{text} for VS {settings.name}", good=self.quorum), self._tell(self.quorum, text)]

    # --- telling ------------------------------------------------------------------------------------------------------

    def _tell_of(self, server: RealServer, up: bool, reason: str) -> Notify:
        settings, name = server.settings, self.settings.name
        command = settings.notify_up if up else settings.notify_down
        about = f"Realserver {server.name} of virtual server {name}" if settings.smtp_alert else ""
        return self._notify((("RS", server.name), ("VS", name)), up, reason, command, about)

    def _tell(self, up: bool, reason: str) -> Notify:
        command = self.settings.quorum_up if up else self.settings.quorum_down
        about = f"Virtualserver {self.settings.name}" if self.settings.smtp_alert else ""
        return self._notify((("VS", self.settings.name),), up, reason, command, about)

    def _notify(
        self, who: tuple[tuple[str, str], ...], up: bool, reason: str, command: Command | None, about: str
    ) -> Notify:
        """`who` begins with the one concerned; a mail is sent where it is `about` something."""
        kind = who[0][0]
        word, previous = ("UP", "DOWN") if up else ("DOWN", "UP")
        return Notify(
            subject=f"SERVICE {self.settings.name}",
            family="lvs",
            line=" ".join((kind, *(name for _, name in who), word)),
            commands=(command,) if command is not None else (),
            environment=(
                ("STATE", word),
                ("PREVIOUS", previous),
                ("REASON", reason),
                ("SEQUENCE", str(self._notifier.number())),
                ("KIND", kind),
                *who,
            ),
            mail=Mail(f"[{self._notifier.router_id}] {about} - {word}", f"=> {reason} <=") if about else None,
        )


class Services:
    """All virtual servers of a node."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._services: dict[str, Service] = {}
        self._begins: float | None = None
        self._stopped = False

    def want(self, settings: NodeSettings, checks: Tracks, now: float) -> None:
        """Have exactly these; what changes by that is told by `begin`, which is due at once."""
        before, self._checks = self._services, checks
        self._services = {each.name: Service(each, self._notifier, checks) for each in settings.services}
        for name in before.keys() & self._services.keys():
            self._services[name].resume(before[name])
        self._begins = now if self._services else None

    def next_deadline(self) -> float | None:
        """When `begin` is wanted."""
        return self._begins

    def begin(self) -> list[Effect]:
        """What keepalived tells at its start, or what a reload changed."""
        self._begins = None
        return [effect for service in self._services.values() for effect in service.review(self._checks)]

    def concerned(self, check: str) -> bool:
        """Whether a real server depends on the check."""
        return any(check in server.settings.checks for each in self._services.values() for server in each.servers)

    def hear(self, track: CheckTrack, change: Change) -> list[Effect]:
        """Take what a result changed of a check."""
        if self._stopped:
            return []
        return [effect for each in self._services.values() for effect in each.hear(track, change, self._checks)]

    def stop(self) -> list[Effect]:
        """The daemon ends."""
        self._stopped = True
        return [effect for each in self._services.values() for effect in each.stop()]

    def __iter__(self) -> Iterator[Service]:
        return iter(self._services.values())


def _dynamic(track: CheckTrack) -> bool:
    probe = track.settings.probe
    return isinstance(probe, ScriptProbe) and probe.dynamic


def _record(text: str, *, good: bool) -> Record:
    return Record(Level.NOTICE if good else Level.WARNING, "", text)


def _step(server: RealServer) -> str:
    """What keepalived now does in IPVS's table."""
    if server.settings.inhibit_on_failure:
        return f"{'Enabling' if server.up else 'Disabling'} service {server.name} of"
    return f"Adding service {server.name} to" if server.up else f"Removing service {server.name} from"


_PASSES: Final[dict[type, str]] = {
    TcpProbe: "TCP connection to {server} success.",
    HttpProbe: "Remote Web server {server} succeed on service.",
    SmtpProbe: "Remote SMTP server {server} succeed on service.",
    DnsProbe: "DNS_CHECK ({server}) success.",
    PingProbe: "ICMP connection to {server} success.",
    UdpProbe: "UDP connection to {server} success.",
    ScriptProbe: "Misc check for [{server} VS {service}] by [{check}] succeeded.",
    FileProbe: "({server}): tracked file {check} leaving FAULT state",
}
_FAILS: Final[dict[type, str]] = {
    TcpProbe: "TCP_CHECK on service {server} failed{retries}.",
    HttpProbe: "HTTP_CHECK on service {server} failed{retries}.",
    SmtpProbe: "SMTP_CHECK on service {server} failed{retries}.",
    DnsProbe: "DNS_CHECK ({server}) {detail}{retries}",
    PingProbe: "ICMP CHECK on service {server} failed{retries}.",
    UdpProbe: "UDP_CHECK on service {server} failed{retries}.",
    ScriptProbe: "Misc check for [{server} VS {service}] by [{check}] {how}.",
    FileProbe: "({server}): tracked file {check} now FAULT state",
}


def _verdict(track: CheckTrack, server: str, service: str) -> str:
    """A check's change of health in keepalived's words, for lack of any in our own."""
    probe = track.settings.probe
    sentences = _PASSES if track.health is Health.UP else _FAILS
    sentence = sentences.get(type(probe))
    if sentence is None:
        return track.sentence
    number = track.failures - 1
    retries = f" after {number} retries" if number > 0 else ""
    how = f"timed out{retries}" if track.detail == TIMED_OUT else f"failed{retries} ({track.detail})"
    check = probe.command.words[0] if isinstance(probe, ScriptProbe) else track.settings.name
    return sentence.format(server=server, service=service, check=check, retries=retries, how=how, detail=track.detail)
