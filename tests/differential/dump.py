"""The data that keepalived logs with `-d` → effective values, under the names of keywords.

Numbers are numbers, durations are seconds, on and off are booleans, a script is its words with user and group. What
says something of the moment or the machine (states, counters, MAC addresses) is left out.
"""

from __future__ import annotations

from tests.differential.dump_servers import attach_checkers, real_server, virtual_server
from tests.differential.dump_vrrp import SECTIONS, garp_group
from tests.differential.outline import outline
from tests.differential.readers import Values


def values(log: str) -> Values:
    """The effective values that a log of `keepalived -d`, of one of its processes, tells."""
    found: Values = {}
    servers: list[Values] = []
    for section in outline(log):
        if section.title == "Virtual server":
            servers.append(virtual_server(section))
        elif section.title == "Real server":
            servers[-1]["real_server"].append(real_server(section))
        elif section.title == "Health checkers":
            attach_checkers(section, servers)
        elif section.title.startswith("GARP delay group "):
            found.setdefault("garp_group", []).append(garp_group(section.records))
        elif section.title in SECTIONS:
            name, reader = SECTIONS[section.title]
            found[name] = reader(section.records)
    return found | ({"virtual_server": servers} if servers else {})
