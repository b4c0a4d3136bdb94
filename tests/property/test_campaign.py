"""Ten thousand clusters and what befalls them, each drawn from one number. scripts/simulate tries out more."""

from __future__ import annotations

from tests.simulation.__main__ import campaign, summary, told
from tests.simulation.campaign import scenario
from tests.simulation.story import Outcome, shrunk, tell

SEEDS = 10_000
JOBS = 2


def test_ten_thousand_clusters_keep_every_promise() -> None:
    total = Outcome()
    for outcome in campaign(0, SEEDS, JOBS):
        total.add(outcome)
    failed = next(iter(sorted(total.failures)), None)
    assert failed is None, f"{summary(total, 1.0)}\n\n{told(failed)}"
    assert total.transitions > 5 * SEEDS, "clusters that nothing happens to prove nothing"
    assert total.asked > SEEDS, "nor do those in which nobody has to ask for an address"
    assert total.mixed > SEEDS / 10, "nor those of nodes that are all alike"


def test_a_number_says_everything() -> None:
    first, second = tell(scenario(7)), tell(scenario(7))
    assert scenario(7) == scenario(7) != scenario(8)
    effects = [[machine.effects for machine in story.lan.machines.values()] for _, story in (first, second)]
    assert effects[0] == effects[1]


def test_what_fails_is_made_shorter() -> None:
    lines = ["cluster advert_int 1 lease off", "node a 192.168.1.201 priority 250", "node b 192.168.1.202 priority 240"]
    harmless = ["run 4s", "delete vip on a", "run 1s", "mysql on a fails", "run 1s"]
    failure = tell([*lines, *harmless, "isolate b", "run 5s", "rejoin b", "run 1s", "expect overlap at most 0s"])[0]
    assert failure is not None
    assert failure.sentence.startswith("it was")
    short = shrunk(
        [*lines, *harmless, "isolate b", "run 5s", "rejoin b", "run 1s", "expect overlap at most 0s"], failure.promise
    )
    assert "delete vip on a" not in short
    assert len(short) < 8
