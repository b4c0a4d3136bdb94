"""What the two agents of a pair tell each other about their servers, over their channel."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from pyvrrp.mysql.gtid import Gap

LONGEST: Final = 65536  # characters of a position; that of a server with many sources is long


@dataclass(frozen=True, slots=True)
class Published:
    """One server as its own agent sees it. Plain data.

    `writes`: open, closed, opening, closing; "" before anybody has looked. `position`: all that is in its binary log,
    as it says it itself, `age` seconds ago; `flavour` says in which language ("mariadb", "mysql", "file"). `ordered`:
    MariaDB's gtid_strict_mode.
    `semi_sync`: commits wait for the other.
    `beat`: the last heartbeat that it wrote, 0 for none. `failover`, `acknowledged`: when this pair last failed over by
    itself, and when the operator last said that it was seen, by the wall clock, 0 for never. `was_last`: whether it
    believes that its server was active last, "yes" or "no"; "" when it does not know, or is of an older version.
    `paused`: its operator has said that nothing is to be moved. `lent`: its writes are closed for a switchover that may
    give them back. `server_id`, `writer`: its server's, see Picture; 0 and "" before anybody has looked. `gaps`:
    the numbers of transactions that it has left out, see Gap: who has any of them, has them alone.
    """

    instance: str
    node: str
    writes: str
    verdict: str
    position: str
    flavour: str
    semi_sync: bool
    against: tuple[str, ...]
    beat: int
    failover: float = 0.0
    acknowledged: float = 0.0
    age: float = 0.0
    ordered: bool = False
    was_last: str = ""
    paused: bool = False
    lent: bool = False
    server_id: int = 0
    writer: str = ""
    gaps: tuple[str, ...] = ()

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Published:
        """What as_json wrote; unknown keys are a newer version's, and left out. Raises ValueError."""
        return cls.from_data(json.loads(text))

    @classmethod
    def from_data(cls, data: object) -> Published:
        """The same, already decoded. Raises ValueError."""
        if not isinstance(data, dict):
            raise ValueError("what was published is no object")  # noqa: TRY004  # it is the text that is wrong
        known = {each.name: data[each.name] for each in fields(cls) if each.name in data}
        known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        try:
            made = cls(**known)
        except TypeError as error:
            raise ValueError(f"what was published is incomplete: {error}") from None
        wrong = [name for name, value in known.items() if not _fits(value, KINDS[name])]
        if not wrong:
            for gap in made.gaps:
                Gap.parse(gap)
        if wrong or len(made.position) > LONGEST:
            raise ValueError(f"what was published has no right {wrong[0] if wrong else 'position'}")
        return made


KINDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("instance", "node", "writes", "verdict", "position", "flavour", "was_last", "writer"), str),
    **dict.fromkeys(("semi_sync", "ordered", "paused", "lent"), bool),
    **dict.fromkeys(("against", "gaps"), tuple),
    **dict.fromkeys(("beat", "server_id"), int),
    **dict.fromkeys(("failover", "acknowledged", "age"), (int, float)),
}


def _fits(value: object, kind: Any) -> bool:
    if isinstance(value, tuple):
        return kind is tuple and all(isinstance(each, str) for each in value)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
