"""`python -m labkit` is what netns-lab/lab runs."""

from __future__ import annotations

import sys

try:
    from labkit.main import main

    status = main(sys.argv[1:])
except KeyboardInterrupt:  # before the handlers of the laboratory are there
    status = 130
sys.exit(status)
