"""The same keepalived.conf, once with keepalived and once with pyvrrpd, through the same story: what others see of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest

from tests.lab.agents import KEEPALIVED
from tests.lab.site import Site
from tests.lab.stage import MAKES, Recording, Stage
from tests.lab.stories import STORIES, Story

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(KEEPALIVED is None, reason="keepalived is not installed (apt-get install keepalived)"),
]

AT_A_TIME: Final = 8  # plays; more would keep the daemons from their time

# What keepalived says of virtual routers, groups, scripts and links.
SUBJECT: Final = re.compile(r"\((?P<instance>\w+)\)|VRRP_Group\(\w+\)|VRRP_Script\((?P<script>\w+)\)|Script `\w+`")


def perform(story: Story, make: str, directory: Path) -> Recording:
    """Play a story."""
    with Site(directory) as site:
        stage = Stage(site, make, directory, story.text, story.vips)
        try:
            story.tell(stage)
        except Exception as error:
            error.add_note(stage.program.log())
            raise
        finally:
            stage.close()
    return stage.recording


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Future[Recording]]]:
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {
            (name, make): pool.submit(perform, story, make, tmp_path_factory.mktemp("play"))
            for name, story in STORIES.items()
            for make in MAKES
        }
