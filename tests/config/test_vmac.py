"""use_vmac in node.yaml: what it becomes, and where its addresses are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyvrrp.core.settings import InstanceSettings, Vmac
from tests.config import samples
from tests.config.samples import GOOD, loaded, problems

VI = "vrrp_instances.VI_1"


def with_lines(lines: str) -> str:
    """GOOD with more lines in its instance; they begin in line 9."""
    return samples.with_instance_lines(f"{lines}\n")


def only(folder: Path, lines: str) -> InstanceSettings:
    """The one instance, with these lines."""
    (found,) = loaded(folder, with_lines(lines)).settings.instances
    return found


RFC = bytes.fromhex("00005e00013c")


@pytest.mark.parametrize(
    ("value", "vmac"),
    [
        ("true", Vmac("vrrp.60", RFC)),
        ("vr1", Vmac("vr1", RFC)),
        ("{interface: vr1}", Vmac("vr1", RFC)),
        ('{mac: "02:00:00:00:00:1"}', Vmac("vrrp.60", bytes.fromhex("020000000001"))),
        ("{}", Vmac("vrrp.60", RFC)),
        ("no", None),
    ],
)
def test_its_forms(tmp_path: Path, value: str, vmac: Vmac | None) -> None:
    assert only(tmp_path, f"use_vmac: {value}").vmac == vmac


def test_the_addresses_are_on_it_unless_they_are_elsewhere(tmp_path: Path) -> None:
    lines = """\
        use_vmac: true
        virtual_ipaddress_excluded:
          - {address: 192.168.1.201, dev: eth0}
          - {address: 192.168.1.202, dev: eth1}
          - "2001:db8::1"
    """
    found = only(tmp_path, lines)
    assert found.interface == "eth0"
    assert [each.interface for each in found.held] == ["vrrp.60", "vrrp.60", "eth1", "eth0"]


def test_ipv6_has_a_mac_and_a_name_of_its_own(tmp_path: Path) -> None:
    (found,) = loaded(tmp_path, with_lines("use_vmac: true").replace("192.168.1.200", '"fe80::1"')).settings.instances
    assert found.vmac == Vmac("vrrp6.60", bytes.fromhex("00005e00023c"))


def test_unicast_leaves_by_the_interface_below(tmp_path: Path) -> None:
    found = only(tmp_path, "use_vmac: true\nunicast_peer: [192.168.1.2]")
    assert found.vmac == Vmac("vrrp.60", RFC, transmit_base=True)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("use_vmac: [a]", f"9:15: {VI}.use_vmac: keys and values are expected here, not a list"),
        ("use_vmac: a/b", f'9:15: {VI}.use_vmac: "a/b" is not an interface name'),
        ("use_vmac: {name: a}", f'9:16: {VI}.use_vmac: unknown key "name"'),
        ('use_vmac: {mac: "02:00"}', f'9:21: {VI}.use_vmac.mac: "02:00" is not a MAC address, as 02:00:5e:10:00:01'),
        ('use_vmac: {mac: "03:0:0:0:0:1"}', f"9:21: {VI}.use_vmac.mac: 03:0:0:0:0:1 is not the MAC address of one"),
        ("use_vmac: eth0", f"9:5: {VI}.use_vmac: eth0 is the interface of VI_1"),
        ("vmac_xmit_base: true", f"9:5: {VI}.vmac_xmit_base: has no effect without use_vmac"),
    ],
)
def test_a_mistake(tmp_path: Path, lines: str, expected: str) -> None:
    (found,) = problems(tmp_path, with_lines(lines))
    assert found.startswith(f"node.yaml:{expected}")


def test_two_of_one_name(tmp_path: Path) -> None:
    other = "  VI_2: {interface: eth1, virtual_router_id: 60, virtual_ipaddress: [10.0.0.1], use_vmac: true}\nchecks:\n"
    text = with_lines("use_vmac: true").replace("checks:\n", other, 1)
    assert "VI_2" in GOOD.replace("checks:\n", other, 1)
    (found,) = problems(tmp_path, text)
    assert found.endswith("vrrp_instances.VI_2.use_vmac: vrrp.60 is made for VI_1 already: give it a name of its own")
