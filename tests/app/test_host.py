"""app/host: what a configuration asks of the host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.app.host import demand_interfaces, missing_interfaces
from pyvrrp.core.settings import LoadedNode
from pyvrrp.errors import ConfigError
from tests.simulation import instance, settings

ABSENT = settings(instance(interface="nowhere0"))
PLACES = {"VI_1": ("node.yaml", 3, 16)}


def test_an_interface_that_is_not_there_keeps_a_node_from_starting() -> None:
    with pytest.raises(ConfigError, match=r'^node\.yaml:3:16: .*there is no interface "nowhere0"'):
        demand_interfaces(LoadedNode(ABSENT, (), PLACES))


def test_with_dynamic_interfaces_it_is_waited_for() -> None:
    assert missing_interfaces(LoadedNode(replace(ABSENT, dynamic_interfaces=True), (), PLACES)) == ()


def test_what_a_keepalived_conf_lacks_is_waited_for() -> None:
    assert missing_interfaces(LoadedNode(ABSENT, (), PLACES, keepalived=True)) == ()
