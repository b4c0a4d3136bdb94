"""The corpus itself: that it is what the other tests believe."""

from __future__ import annotations

from unittest.mock import ANY

import pytest

from tests.differential import files, manpage, samples
from tests.differential.differences import DIFFERENCES, Difference


def test_every_file_says_first_what_it_shows() -> None:
    silent = [
        name
        for name in files.corpus()
        if (b"#" not in (first := (files.CORPUS / f"{name}.conf").read_bytes().split(b"\n")[0]) and name != "seed")
        or not first
    ]
    assert not silent


@pytest.mark.skipif(not samples.DIRECTORY.exists(), reason=samples.MISSING)
def test_the_package_has_its_samples() -> None:
    assert len(samples.samples()) == 25


@pytest.mark.skipif(not manpage.PAGE.exists(), reason=manpage.MISSING)
def test_the_manual_has_its_examples() -> None:
    texts = manpage.examples()
    assert len(texts) == 25
    assert any("~SEQ(SUBNET, 0, 3) ip_address 10.0.${SUBNET}.1" in text for text in texts.values())
    assert any("$INSTANCE= \\\n" in text for text in texts.values())


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda each: f"{each.files} {each.what}")
def test_every_entry_of_the_table_is_about_a_file(difference: Difference) -> None:
    theirs, ours = difference.theirs, difference.ours
    assert theirs is ANY or ours is ANY or theirs != ours
    assert any(difference.needed_by(name) for name in files.names())
