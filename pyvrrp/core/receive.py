"""May this virtual router listen to an advert that is well formed? (RFC 3768 section 7.1, RFC 5798 section 7.1)

An advert that is turned away changes nothing but a counter: no timer moves, so a stranger's packets can neither
silence a master nor keep a dead one alive.
"""

from __future__ import annotations

from pyvrrp.core import const
from pyvrrp.core.settings import InstanceSettings
from pyvrrp.core.wire import Advert


def auth_of(settings: InstanceSettings) -> tuple[int, bytes]:
    """The authentication type and data that this virtual router sends and expects."""
    if settings.version != 2:
        return const.AUTH_NONE, b""
    if settings.auth_pass is None:
        return const.AUTH_NONE, bytes(const.AUTH_DATA_SIZE)
    return const.AUTH_PASS, settings.auth_pass.ljust(const.AUTH_DATA_SIZE, b"\0")


def objection(advert: Advert, settings: InstanceSettings) -> tuple[str, str] | None:
    """Why the advert does not count for this virtual router: a counter's name and a sentence; None when it counts."""
    if advert.version != settings.version:
        return "version", f"it speaks VRRP version {advert.version}, we speak {settings.version}"
    return _authentication(advert, settings) or _interval(advert, settings) or _addresses(advert, settings)


_AUTH_NAMES = {const.AUTH_NONE: "no authentication", const.AUTH_PASS: "PASS", const.AUTH_AH: "AH"}


def _authentication(advert: Advert, settings: InstanceSettings) -> tuple[str, str] | None:
    expected_type, expected_data = auth_of(settings)
    if advert.auth_type != expected_type:
        found, ours = _AUTH_NAMES[advert.auth_type], _AUTH_NAMES[expected_type]
        return "authentication_type", f"it uses {found}, we use {ours}"
    # Without authentication the eight bytes are to be ignored (RFC 3768 section 5.3.10).
    if expected_type == const.AUTH_PASS and advert.auth_data != expected_data:
        return "password", "its password is not ours"
    return None


def _interval(advert: Advert, settings: InstanceSettings) -> tuple[str, str] | None:
    # Version 3 adopts the master's interval instead (RFC 5798 section 6.4.2).
    if settings.version == 2 and advert.seconds != settings.advert_int:
        return "interval", f"its advert_int is {advert.seconds:g} s, ours {settings.advert_int:g} s"
    return None


def _addresses(advert: Advert, settings: InstanceSettings) -> tuple[str, str] | None:
    theirs = frozenset(advert.addresses)
    ours = frozenset(virtual.address for virtual in settings.addresses)
    if theirs != ours:
        return "addresses", f"it advertises {_listed(theirs)}, we have {_listed(ours)}"
    return None


def _listed(addresses: frozenset[object]) -> str:
    return ", ".join(sorted(str(address) for address in addresses)) or "no address"
