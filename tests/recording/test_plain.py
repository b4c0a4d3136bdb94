"""Everything that goes into the core and comes out of it has a JSON form that loses nothing.

The classes are found, not listed: an event, effect or setting that is added and has no form fails here.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass, replace
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from pyvrrp.core import effects, events, settings
from pyvrrp.core.events import AdvertReceived, CheckResult, LinkChanged
from pyvrrp.core.guard import Standing
from pyvrrp.recording.plain import Plainly

st.register_type_strategy(float, st.floats(allow_nan=False))
PLAINLY = Plainly()


def classes() -> Iterator[type]:
    """Every dataclass of the core's inputs, outputs and settings."""
    names = [f"{settings.__name__}.{each.name}" for each in pkgutil.iter_modules(settings.__path__)]
    for module in (events, effects, *map(importlib.import_module, names)):
        for each in vars(module).values():
            if isinstance(each, type) and is_dataclass(each) and each.__module__ == module.__name__:
                yield each


@pytest.mark.parametrize("cls", list(classes()), ids=lambda cls: cls.__name__)
@profile(max_examples=10)
@given(st.data())
def test_what_is_written_is_read_again(cls: type, data: st.DataObject) -> None:
    value = data.draw(st.from_type(cls))
    text = json.dumps(PLAINLY.encode(value), allow_nan=False)
    again = PLAINLY.decode(json.loads(text))
    assert again == value
    assert json.dumps(PLAINLY.encode(again), allow_nan=False) == text  # also what == does not look at


def test_the_form_can_be_read_by_people() -> None:
    result = CheckResult("mysql", ok=False, detail="refused", took=0.25)
    assert PLAINLY.encode(result) == {
        "is": "CheckResult",
        "check": "mysql",
        "ok": False,
        "detail": "refused",
        "took": 0.25,
        "conclusive": False,
        "value": 0,
    }
    address = ip_address("192.0.2.1")
    heard = PLAINLY.encode(AdvertReceived("eth0", address, ip_address("224.0.0.18"), 255, b"\x31\x3c"))
    assert (heard["source"], heard["payload"]) == ("192.0.2.1", "313c")


def test_other_frozen_data_of_the_core_has_a_form_too() -> None:
    standing = Standing((), ("the link is down",), (), 100, (("mysql", -20),), None, {"eth0": b"\2\0"})
    form = PLAINLY.encode(standing)
    assert form["is"] == "core.guard.Standing"
    assert form["macs"] == {"eth0": "0200"}
    assert PLAINLY.decode(form) == standing


def test_a_field_that_an_old_recording_has_not_gets_its_default() -> None:
    form = PLAINLY.encode(CheckResult("mysql", ok=True, detail="", took=0.0, conclusive=True))
    del form["conclusive"]
    assert PLAINLY.decode(form) == CheckResult("mysql", ok=True, detail="", took=0.0)


GOOD: dict[str, Any] = PLAINLY.encode(LinkChanged("eth0", present=True, up=True, mac=b"\2"))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (GOOD | {"mac": 5}, "LinkChanged.mac: 5 is not text"),
        (GOOD | {"mac": "xy"}, "LinkChanged.mac: non-hexadecimal"),
        (GOOD | {"up": "yes"}, "LinkChanged.up: 'yes' is not true or false"),
        (GOOD | {"speed": 1}, "LinkChanged.speed is not known to this version"),
        ({"is": "LinkChanged", "up": True}, "LinkChanged.interface is missing"),
        ({"is": "LinkMelted"}, '"LinkMelted" is not known to this version'),
        ({"is": "core.node.Node"}, "is not an object of the core"),
        ({"is": "os.system"}, '"os.system" is no name of a class'),
        ({"is": "core.settings.sys.exit"}, "not known"),
        ([1], r"\[1\] is not an object of the core"),
        ("LinkChanged", "'LinkChanged' is not an object of the core"),
    ],
)
def test_what_cannot_be_read_is_said(form: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PLAINLY.decode(form)


def test_a_class_that_reading_could_not_tell_apart_is_refused() -> None:
    @dataclass(frozen=True)
    class Ambiguous:
        value: str | bytes

    with pytest.raises(TypeError):
        PLAINLY.encode(Ambiguous("00"))


def test_a_veil_sees_every_byte_string_and_what_it_belongs_to() -> None:
    seen: list[str] = []

    def veil(field: str, value: bytes) -> bytes:
        seen.append(field)
        return b"*" * len(value)

    instance = settings.InstanceSettings("VI_1", "eth0", 60, (), auth_pass=b"4321")
    form = Plainly(veil).encode(settings.NodeSettings("node", (instance, replace(instance, auth_pass=None))))
    assert form["instances"][0]["auth_pass"] == "2a2a2a2a"
    assert form["instances"][1]["auth_pass"] is None
    assert seen == ["InstanceSettings.auth_pass"]
