"""The reasons of all differences, as docs/keepalived.md has them."""

from __future__ import annotations

from collections.abc import Iterable

from tests.differential.differences import BY_TOPIC, Difference
from tests.lab.differences import DIFFERENCES as LIVE


def document() -> str:
    """A heading and a list for each topic, in Markdown."""
    topics = {**BY_TOPIC, "While it runs": LIVE}
    return "\n\n".join(_section(topic, differences) for topic, differences in topics.items()) + "\n"


def _section(topic: str, differences: Iterable[Difference]) -> str:
    reasons = dict.fromkeys(each.reason for each in differences)
    return "\n".join([f"### {topic}", "", *(f"* {reason}" for reason in reasons)])
