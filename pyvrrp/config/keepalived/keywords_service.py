"""Keywords of virtual servers, real servers and their checkers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyvrrp.config.keepalived.keyword import Keyword
from pyvrrp.config.keepalived.rows import accepted, better, different, not_yet, same

_IPVS: Final = "IPVS is not programmed yet"
_SNMP: Final = "there is no SNMP"
_BFD: Final = "there is no BFD; the server counts as up as far as this goes"
_NOTIFY: Final = "one script after the other, in order, with a time limit; more is said in its environment"
_REGEX: Final = "a whole page is searched, with Python's defaults"
_CERTIFICATE: Final = "SSL_GET uses no certificate of its own"

_TIMERS: Final = (
    same("delay_loop", 1),
    same("retry", 1),
    same("delay_before_retry", 1),
    same("warmup", 1),
    same("alpha"),
)
_INHERITED: Final = (*_TIMERS, same("connect_timeout", 1), same("virtualhost"))
_CHECKER: Final = (*_TIMERS, accepted("log_all_failures", 0, "the log has what changes, the status every result"))
_CONNECTION: Final = (
    same("connect_ip", 1),
    same("connect_port", 1),
    same("bindto", 1),
    same("bind_port", 1),
    same("bind_if", 1),
    same("fwmark", 1),
    same("connect_timeout", 1),
    *_CHECKER,
)
_HTTP: Final = (
    *_CONNECTION,
    same("nb_get_retry", 1, "the old name of retry"),
    same("url", opens="url"),
    same("virtualhost"),
    same("http_protocol"),
    accepted("fast_recovery", 0, "always so: every run asks for all pages"),
    same("enable_sni"),
)

SERVICE: Final[Mapping[str, tuple[Keyword, ...]]] = {
    "virtual_server": (
        same("real_server", 1, opens="real_server"),
        same("protocol", 1),
        *_INHERITED,
        same("weight", 1),
        same("quorum", 1),
        same("hysteresis", 1),
        better("quorum_up", 1, _NOTIFY),
        better("quorum_down", 1, _NOTIFY),
        same("omega"),
        same("smtp_alert"),
        not_yet("ha_suspend", 0, "the checkers run also while the address is elsewhere"),
        not_yet("lb_algo", 1, _IPVS),
        not_yet("lvs_sched", 1, _IPVS),
        not_yet("lb_kind", 1, _IPVS),
        not_yet("lvs_method", 1, _IPVS),
        not_yet("persistence_timeout", 0, _IPVS),
        not_yet("persistence_engine", 1, _IPVS),
        not_yet("persistence_granularity", 1, _IPVS),
        not_yet("sorry_server", 1, _IPVS),
        not_yet("sorry_server_inhibit", 0, _IPVS),
        not_yet("sorry_server_lvs_method", 1, _IPVS),
        not_yet("inhibit_on_failure", 0, _IPVS),
        not_yet("ip_family", 1, _IPVS),
        not_yet("ops", 0, _IPVS),
        not_yet("hashed", 0, _IPVS),
        not_yet("flag-1", 0, _IPVS),
        not_yet("flag-2", 0, _IPVS),
        not_yet("flag-3", 0, _IPVS),
        not_yet("sh-port", 0, _IPVS),
        not_yet("sh-fallback", 0, _IPVS),
        not_yet("mh-port", 0, _IPVS),
        not_yet("mh-fallback", 0, _IPVS),
        not_yet("snmp_name", 0, _SNMP),
    ),
    "real_server": (
        same("weight", 1, "its share of the quorum; IPVS is not programmed yet"),
        better("notify_up", 1, _NOTIFY),
        better("notify_down", 1, _NOTIFY),
        same("smtp_alert"),
        *_INHERITED,
        same("TCP_CHECK", opens="TCP_CHECK"),
        same("HTTP_GET", opens="HTTP_GET"),
        same("SSL_GET", opens="SSL_GET"),
        same("SMTP_CHECK", opens="SMTP_CHECK"),
        same("DNS_CHECK", opens="DNS_CHECK"),
        same("MISC_CHECK", opens="MISC_CHECK"),
        same("PING_CHECK", opens="PING_CHECK"),
        same("UDP_CHECK", opens="UDP_CHECK"),
        same("FILE_CHECK", opens="FILE_CHECK"),
        not_yet("BFD_CHECK", 0, _BFD, opens="BFD_CHECK"),
        not_yet("inhibit_on_failure", 0, _IPVS),
        not_yet("lvs_method", 1, _IPVS),
        not_yet("uthreshold", 1, _IPVS),
        not_yet("lthreshold", 1, _IPVS),
        not_yet("snmp_name", 0, _SNMP),
    ),
    "TCP_CHECK": (
        *_CONNECTION,
        better("nb_get_retry", 1, "taken as retry, as the tutorials that have it here mean it", since="never"),
    ),
    "HTTP_GET": _HTTP,
    "SSL_GET": (
        *_HTTP,
        not_yet("sni_name", 1, "the name that is sent is virtualhost", since="2.4"),
        accepted("tls_compliant", 0, "how the connection ends does not matter here", since="2.3"),
    ),
    "url": (
        same("path", 1),
        same("digest", 1),
        same("status_code"),
        same("virtualhost"),
        different("regex", 0, "Python's regular expressions, not PCRE's"),
        same("regex_no_match"),
        not_yet("regex_options", 0, _REGEX),
        not_yet("regex_min_offset", 0, _REGEX),
        not_yet("regex_max_offset", 0, _REGEX),
        accepted("regex_stack", 0, "Python's regular expressions have no stack of their own"),
        accepted("tls_compliant", 0, "how the connection ends does not matter here", since="2.3"),
    ),
    "SMTP_CHECK": (*_CONNECTION, same("helo_name"), same("host", opens="host")),
    "host": _CONNECTION,
    "DNS_CHECK": (*_CONNECTION, same("type", 1), same("name", 1)),
    "MISC_CHECK": (
        same("misc_path"),
        same("misc_timeout", 1),
        different("misc_dynamic", 0, "exit status 2 to 255 passes; the weight stays, as IPVS is not programmed yet"),
        same("user"),
        *_CHECKER,
    ),
    "PING_CHECK": _CONNECTION,
    "UDP_CHECK": (
        *_CONNECTION,
        same("payload"),
        same("require_reply"),
        same("min_reply_length", 1),
        same("max_reply_length", 1),
    ),
    "FILE_CHECK": (
        same("track_file", 1),
        different("weight", 0, "the number does not move the server's weight; another one than 0 takes it down"),
    ),
    "BFD_CHECK": (
        not_yet("name", 0, _BFD),
        not_yet("alpha", 0, _BFD),
    ),
    "SSL": (
        not_yet("password", 0, _CERTIFICATE),
        accepted("ca", 0, "a server's certificate is not verified, as in keepalived"),
        not_yet("certificate", 0, _CERTIFICATE),
        not_yet("key", 0, _CERTIFICATE),
    ),
}
