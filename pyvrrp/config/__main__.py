"""`python -m pyvrrp.config FILE [-i ID] [-e]`: reads a configuration in a process that ends, so that a daemon need not.

Standard output gets a line with the shape of the classes (core/settings.py), then a pickle of `LoadedNode`, exit
status 0, or of a tuple of `Problem`, exit status 2.
"""

from __future__ import annotations

import argparse
import gc
import os
import pickle  # for our own parent, through a pipe
import sys

from pyvrrp.core.settings import LoadedNode, shape
from pyvrrp.errors import ConfigError, Problem


def main() -> int:
    """Read the file that the command line names, and answer on standard output."""
    parser = argparse.ArgumentParser(prog="python -m pyvrrp.config")
    parser.add_argument("file")
    parser.add_argument("-i", "--config-id")
    parser.add_argument("-e", "--all-config", action="store_true")
    given = parser.parse_args()
    # No plugin of somebody's takes part in reading a configuration; looking for them costs a tenth of the time, too.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    from pyvrrp.config.load import load

    answer: LoadedNode | tuple[Problem, ...]
    try:
        answer = load(given.file, given.config_id, all_config=given.all_config).without_tree()
    except ConfigError as error:
        answer = error.problems
    sys.stdout.buffer.write(shape().encode() + b"\n" + pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
    return 0 if isinstance(answer, LoadedNode) else 2


if __name__ == "__main__":
    # A daemon waits: neither collecting garbage nor taking the interpreter apart is worth its time, 20 ms of 140.
    gc.disable()
    try:
        status = main()
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # whoever asked is gone
        status = 1
    os._exit(status)
