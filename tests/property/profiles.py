"""How long hypothesis looks: a short run that is the same every time, and a hunt for rare things.

HYPOTHESIS_PROFILE=hunt pytest tests/property
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink)

settings.register_profile(
    "base", deadline=None, phases=PHASES, report_multiple_bugs=False, suppress_health_check=SLOW_IS_FINE
)
BASE = settings.get_profile("base")
settings.register_profile("gate", BASE, derandomize=True, database=None, max_examples=200)
settings.register_profile("hunt", BASE, max_examples=5000, print_blob=True)

NAME = os.environ.get("HYPOTHESIS_PROFILE", "gate")
HUNTING = NAME == "hunt"


def load() -> None:
    """Take the profile that the environment names."""
    settings.load_profile(NAME)
