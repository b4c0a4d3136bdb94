"""What a row is: figures, and a function that takes one sample of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.figures import Figure, Sample
from bench.stage import Stage
from bench.subjects import Subject


@dataclass(frozen=True, slots=True)
class Row:
    """`sample` is called as often as the user wants, but `most` times at most, for each subject in turn."""

    key: str
    figures: tuple[Figure, ...]
    sample: Callable[[Stage, Subject], Sample]
    most: int = 1000
