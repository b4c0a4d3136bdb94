"""`python -m tests.differential verdicts|values [NAME…]`: what keepalived makes of the files, for people.

`verdicts` prints exit statuses with what was said, each line once; `values` prints effective values as JSON. `reasons`
prints where pyvrrp differs, as docs/keepalived.md has it.
"""

from __future__ import annotations

import json
import sys

from tests.differential import files, reasons
from tests.differential.keepalived import data, verdict
from tests.differential.sandbox import Sandbox


def main() -> int:
    """Print what the command line asks for."""
    what, *chosen = sys.argv[1:] or ["verdicts"]
    if what == "reasons":
        sys.stdout.write(reasons.document())
        return 0
    names = chosen or files.names()
    with Sandbox() as sandbox:
        if what == "verdicts":
            for name in names:
                outcome = sandbox.call(verdict, files.path(name, sandbox))
                print(f"{outcome.status:3}  {name}")
                for line in dict.fromkeys(outcome.lines):
                    print(f"         {line}")
        elif what == "values":
            everything = {name: sandbox.call(data, files.path(name, sandbox)) for name in names}
            json.dump(everything, sys.stdout, indent=1, ensure_ascii=False)
        else:
            print(__doc__, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
