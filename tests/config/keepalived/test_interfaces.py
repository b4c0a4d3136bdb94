"""Interfaces that are not there, on the host that reads the file; every host has `lo`."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyvrrp.config.load import Loaded, load

FILE = """\
vrrp_instance V {
    interface nope0
    virtual_router_id 51
    track_interface {
        lo
        nope1 weight 5
    }
    virtual_ipaddress {
        192.0.2.1 dev nope2
        192.0.2.2 dev lo
    }
}
vrrp_sync_group G {
    group {
        V
    }
    track_interface {
        nope3
    }
}
"""


def loaded(folder: Path, text: str) -> Loaded:
    file = folder / "keepalived.conf"
    file.write_text(text)
    return load(str(file))


def missing(found: Loaded) -> list[str]:
    """What is said of interfaces."""
    return [f"{each.line}: {each.path}: {each.message}" for each in found.problems if "no interface" in each.message]


def test_each_is_an_error_and_what_needs_it_waits_for_it(tmp_path: Path) -> None:
    found = loaded(tmp_path, FILE)
    assert missing(found) == [
        '2: vrrp_instance.V.interface: there is no interface "nope0" at the moment',
        '6: vrrp_instance.V.track_interface: there is no interface "nope1" at the moment',
        '9: vrrp_instance.V.virtual_ipaddress: there is no interface "nope2" at the moment',
        '18: vrrp_sync_group.G.track_interface: there is no interface "nope3" at the moment',
    ]
    assert found.status == 5
    (instance,) = found.settings.instances
    assert [instance.interface, *(each.interface for each in instance.addresses)] == ["nope0", "nope2", "lo"]
    assert [each.check for each in instance.tracks] == ["interface/nope1"]


@pytest.mark.parametrize("line", ["global_defs {\ndynamic_interfaces\n}", "net_namespace elsewhere"])
def test_where_they_may_come_later_or_are_another_network_s_nothing_is_said(tmp_path: Path, line: str) -> None:
    assert not missing(loaded(tmp_path, f"{FILE}{line}\n"))
