"""Running many cases at a time: most of them wait for three seconds in which nothing happens."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conformance.bench import Bench, UnmetError
from tests.conformance.case import Case

AT_ONCE: Final = 8  # benches; more of them only wait for the processor while their daemons start
FEW_AT_ONCE: Final = 3
START_PAUSE: Final = 0.25  # seconds between the starts of two daemons


@dataclass(frozen=True)
class Outcome:
    """How a case went: `unmet` is empty when all was as asked; `log` is what the daemon wrote."""

    case: str
    make: str
    unmet: str = ""
    log: str = ""


def run(case: Case, make: str) -> Outcome:
    """Run one case on a bench of its own."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as directory:
        try:
            with Bench(make, Path(directory), case.text, case.peer) as bench:
                try:
                    case.run(bench)
                except UnmetError as error:
                    return Outcome(case.name, make, str(error), bench.log())
        except Exception as error:  # noqa: BLE001 - a bench that broke is an outcome as well, of this case alone
            return Outcome(case.name, make, f"the bench broke: {error!r}")
    return Outcome(case.name, make)


def run_all(
    pairs: Iterable[tuple[Case, str]],
    tell: Callable[[Outcome], None] = lambda _: None,
    expected: Callable[[Outcome], bool] = lambda _: False,
) -> list[Outcome]:
    """Run cases beside each other. What fails in the crowd is run again with few beside it.

    A busy machine is no finding. What is `expected` to fail needs no second look.
    """
    pairs = list(pairs)
    outcomes = _beside(pairs, AT_ONCE, tell)
    failed = [number for number, outcome in enumerate(outcomes) if outcome.unmet and not expected(outcome)]
    for number, outcome in zip(failed, _beside([pairs[each] for each in failed], FEW_AT_ONCE, tell), strict=True):
        outcomes[number] = outcome
    return outcomes


def _beside(pairs: Sequence[tuple[Case, str]], at_once: int, tell: Callable[[Outcome], None]) -> list[Outcome]:
    def begin(number: int, case: Case, make: str) -> Outcome:
        if number < at_once:
            time.sleep(number * START_PAUSE)
        outcome = run(case, make)
        tell(outcome)
        return outcome

    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(begin, number, *pair) for number, pair in enumerate(pairs)]
        return [each.result() for each in futures]
