"""`python -m labkit` is what netns-lab/lab runs."""

from __future__ import annotations

import sys

from labkit.main import main

sys.exit(main(sys.argv[1:]))
