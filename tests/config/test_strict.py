"""strict_mode and accept in node.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyvrrp.core.settings import InstanceSettings
from tests.config import samples
from tests.config.samples import loaded, problems

VI = "vrrp_instances.VI_1"


def strict(lines: str = "") -> str:
    """A strict instance with these lines from line 10 on."""
    return samples.with_instance_lines(f"strict_mode: true\n{lines}\n")


def only(folder: Path, text: str) -> InstanceSettings:
    """The one instance of a file with this text."""
    (found,) = loaded(folder, text).settings.instances
    return found


def test_what_strictness_changes(tmp_path: Path) -> None:
    found = only(tmp_path, strict())
    assert (found.accept, found.lower_prio_no_advert, found.garp_lower_prio_repeat) == (False, True, 0)


@pytest.mark.parametrize(
    ("text", "accepts"),
    [
        (samples.GOOD, True),
        (samples.with_instance_lines("accept: false\n"), False),
        (strict("version: 3\naccept: true"), True),
        (strict().replace("priority: 250", "priority: 255"), True),
        (strict("accept: false").replace("priority: 250", "priority: 255"), False),
    ],
)
def test_accept(tmp_path: Path, text: str, accepts: bool) -> None:
    assert only(tmp_path, text).accept is accepts


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("unicast_peer: [192.168.1.2]", "unicast_peer: strict_mode: VRRP is multicast"),
        (
            'authentication: {auth_type: PASS, auth_pass: "1"}',
            "authentication: strict_mode: RFC 3768 took authentication out",
        ),
        ("state: MASTER", "state: strict_mode: MASTER where the priority is 255, and only there"),
        ("preempt_delay: 5", "preempt_delay: strict_mode: no RFC has it"),
        (
            "accept: true",
            "accept: strict_mode: RFC 3768 has only the owner of an address, priority 255, accept packets",
        ),
        ("garp_lower_prio_repeat: 2", "garp_lower_prio_repeat: strict_mode: a master does not announce again"),
        ("lower_prio_no_advert: false", "lower_prio_no_advert: strict_mode: a master does not answer a lower priority"),
        ("higher_prio_send_advert: true", "higher_prio_send_advert: strict_mode: a master that hears a better one is"),
    ],
)
def test_what_it_forbids(tmp_path: Path, lines: str, expected: str) -> None:
    (found,) = problems(tmp_path, strict(lines))
    assert found.startswith(f"node.yaml:10:5: {VI}.{expected}")


def test_adverts_that_do_not_come_from_the_virtual_mac(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, strict("use_vmac: true\nvmac_xmit_base: true"))
    assert found == f"node.yaml:11:5: {VI}.vmac_xmit_base: strict_mode: adverts come from the virtual MAC"


def test_ipv6_begins_with_a_link_local_address(tmp_path: Path) -> None:
    assert problems(tmp_path, strict().replace("192.168.1.200", '"fe80::1", "2001:db8::1"')) == []
    (found,) = problems(tmp_path, strict().replace("192.168.1.200", '"2001:db8::1", "fe80::1"'))
    assert found.startswith(
        f"node.yaml:7:5: {VI}.virtual_ipaddress: strict_mode: the first IPv6 address is link-local (RFC 5798 section"
    )


@pytest.mark.parametrize(("value", "wait"), [("forever", None), ("0", 0.0), ("2m", 120.0)])
def test_own_keys(tmp_path: Path, value: str, wait: float | None) -> None:
    found = only(tmp_path, samples.with_instance_lines(f"duplicate_wait: {value}\nvip_list_tolerance: 10s\n"))
    assert (found.duplicate_wait, found.list_tolerance) == (wait, 10.0)
