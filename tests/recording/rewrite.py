"""`python -m tests.recording.rewrite FILE...`: the same events, with the decisions of this version."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyvrrp.recording.plain import Plainly
from pyvrrp.recording.reel import ending, fingerprint
from pyvrrp.recording.tape import OPEN, Tape


def rewritten(tape: Tape) -> str:
    """The text of a recording that begins with the start, decided anew."""
    encode = Plainly().encode
    lines = [tape.header | {"settings": encode(tape.settings), "shape": fingerprint()}]
    for turn in tape.turns():
        effects = [encode(each) for each in tape.node.handle(turn.event, turn.now)]
        line = {"now": turn.now, "event": encode(turn.event), "effects": effects}
        if turn.deadline is not OPEN:
            line["deadline"] = tape.node.next_deadline()
        lines.append(line)
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    return text + ending(tape.ended)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_text(rewritten(Tape(name, file.read_bytes().splitlines(keepends=True))))
