"""Models of checks → the core's settings of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from pyvrrp.config.build_mysql import account
from pyvrrp.config.model.checks import (
    AnyCheck,
    Bind,
    DnsCheck,
    FileCheck,
    HttpCheck,
    InterfaceCheck,
    MysqlCheck,
    PingCheck,
    ProcessCheck,
    ScriptCheck,
    SmtpCheck,
    TcpCheck,
    TimedCheck,
    UdpCheck,
)
from pyvrrp.config.model.section import Script
from pyvrrp.core.settings import (
    CheckSettings,
    Command,
    DnsProbe,
    FileProbe,
    HttpProbe,
    HttpUrl,
    InterfaceProbe,
    MysqlProbe,
    PingProbe,
    Probe,
    ProcessProbe,
    ScriptProbe,
    SmtpProbe,
    Source,
    TcpProbe,
    UdpProbe,
)

_HTTP, _HTTPS = 80, 443
CommandOf = Callable[[Script], Command]


def check(name: str, model: AnyCheck, command: CommandOf, folder: Path) -> CheckSettings:
    """The settings of one check. `command` makes a Command of a script; `folder` is where the configuration is."""
    probe = _probe(model, command, folder)
    if not isinstance(model, TimedCheck):
        initial = model.initial if isinstance(model, FileCheck) else "unknown"
        return CheckSettings(name, probe, fall=1, initial=initial)
    return CheckSettings(
        name=name,
        probe=probe,
        interval=model.interval,
        timeout=model.timeout,
        fall=model.fall,
        rise=model.rise,
        retry_interval=model.retry_interval,
        initial=model.initial,
        warmup=model.warmup,
    )


def _probe(model: AnyCheck, command: CommandOf, folder: Path) -> Probe:
    if isinstance(model, ScriptCheck):
        return ScriptProbe(command(model.script), model.dynamic)
    if isinstance(model, MysqlCheck):
        return MysqlProbe(account(model, folder))
    return _MAKERS[type(model)](model)


def _tcp(model: TcpCheck) -> TcpProbe:
    return TcpProbe(model.host, model.port, _source(model.bind))


def _http(model: HttpCheck) -> HttpProbe:
    tls = model.type == "https"
    urls = tuple(
        HttpUrl(each.path, each.virtualhost, tuple(each.status_code), each.digest, each.regex, each.regex_no_match)
        for each in model.urls
    )
    port = model.port or (_HTTPS if tls else _HTTP)
    source = _source(model.bind)
    return HttpProbe(model.host, port, urls, tls, model.http_version, model.virtualhost, model.sni, source)


def _smtp(model: SmtpCheck) -> SmtpProbe:
    return SmtpProbe(model.host, model.port, model.helo_name, _source(model.bind))


def _dns(model: DnsCheck) -> DnsProbe:
    return DnsProbe(model.host, model.port, model.query_type, model.name, _source(model.bind))


def _ping(model: PingCheck) -> PingProbe:
    return PingProbe(model.host, _source(model.bind))


def _udp(model: UdpCheck) -> UdpProbe:
    return UdpProbe(
        host=model.host,
        port=model.port,
        payload=model.payload,
        require_reply=model.require_reply,
        reply=model.reply,
        mask=model.mask,
        min_length=model.min_length,
        max_length=model.max_length,
        source=_source(model.bind),
    )


def _file(model: FileCheck) -> FileProbe:
    return FileProbe(model.file)


def _process(model: ProcessCheck) -> ProcessProbe:
    return ProcessProbe(model.process, model.arguments, model.full_command, model.quorum, model.quorum_max)


def _interface(model: InterfaceCheck) -> InterfaceProbe:
    return InterfaceProbe(model.interface)


def _source(bind: Bind) -> Source:
    return Source(bind.address, bind.port, bind.interface, bind.mark)


_MAKERS: Final[dict[type, Callable[..., Probe]]] = {
    TcpCheck: _tcp,
    HttpCheck: _http,
    SmtpCheck: _smtp,
    DnsCheck: _dns,
    PingCheck: _ping,
    UdpCheck: _udp,
    FileCheck: _file,
    ProcessCheck: _process,
    InterfaceCheck: _interface,
}
