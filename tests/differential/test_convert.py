"""`config convert` over the corpus: the node.yaml means the same, or says why it does not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyvrrp.config.load import convert, load
from pyvrrp.core.diff import changes
from pyvrrp.errors import ConfigError
from tests.differential.files import path
from tests.differential.sandbox import Sandbox

pytestmark = pytest.mark.lab


def test_the_converted_file_means_the_same(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    if "random" in name:
        pytest.skip("every reading of it is another one")
    file = str(path(name, sandbox))
    try:
        before = sandbox.call(load, file)
    except ConfigError:
        return  # nothing to convert
    converted = sandbox.call(convert, file)
    written = tmp_path / "node.yaml"
    written.write_text(converted.text, errors="surrogateescape")
    written.chmod(0o600)
    if converted.objections:
        with pytest.raises(ConfigError) as refused:
            sandbox.call(load, str(written))
        assert [each.message for each in refused.value.problems] == [each.message for each in converted.objections]
        return
    after = sandbox.call(load, str(written))
    assert changes(before.settings, after.settings) == ()
    assert before.settings == after.settings
