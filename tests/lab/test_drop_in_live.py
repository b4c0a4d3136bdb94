"""The same keepalived.conf with keepalived and with pyvrrpd, through the same story: what others see of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.differential.comparison import Pair
from tests.lab.agents import KEEPALIVED
from tests.lab.differences import needless, unexplained
from tests.lab.sightings import differing
from tests.lab.site import Site
from tests.lab.stage import Recording, Stage
from tests.lab.stories import STORIES, Story

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(KEEPALIVED is None, reason="keepalived is not installed (apt-get install keepalived)"),
]

AT_A_TIME: Final = 8  # plays; more would keep the daemons from their time


@dataclass(frozen=True)
class Plays:
    """One story with either make, maybe still being played."""

    keepalived: Future[Recording]
    pyvrrpd: Future[Recording]

    def differing(self) -> dict[str, Pair]:
        """What is not the same. Raises whatever kept one of them from its end."""
        return differing(self.keepalived.result(), self.pyvrrpd.result())


def play(story: Story, make: str, directory: Path) -> Recording:
    """Tell a story to a daemon of this make."""
    with Site(directory) as site:
        stage = Stage(site, make, directory, story.text, story.vips)
        try:
            story.tell(stage)
        except Exception as error:
            error.add_note(stage.log())
            raise
        finally:
            stage.close()
    return stage.recording


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Plays]]:
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {
            name: Plays(
                pool.submit(play, story, "keepalived", tmp_path_factory.mktemp("keepalived")),
                pool.submit(play, story, "pyvrrpd", tmp_path_factory.mktemp("pyvrrpd")),
            )
            for name, story in STORIES.items()
        }


@pytest.mark.parametrize("name", STORIES)
def test_pyvrrpd_does_what_keepalived_does_or_the_difference_has_a_reason(plays: dict[str, Plays], name: str) -> None:
    assert unexplained(name, plays[name].differing()) == {}


def test_every_entry_of_the_table_is_needed(plays: dict[str, Plays]) -> None:
    assert needless({name: each.differing() for name, each in plays.items()}) == []
