"""no_accept: packets to virtual addresses are dropped by an nftables table of our own. Loaded only when configured.

The table is a function of the configuration. An address that is not here gets no packets anyway, so nothing changes
with mastership. It is replaced in one transaction and taken away at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pyvrrp import nft
from pyvrrp.core.settings import Address, InstanceSettings

PRIORITY: Final = -1  # before the filters of others, as in keepalived


def ruleset(table: str, instances: Iterable[InstanceSettings]) -> str:
    """What `nft` is to do, in its own language; "" when every address accepts. An owner's (priority 255) always do."""
    silent = [each for instance in instances if not instance.accept and not instance.owner for each in instance.held]
    everywhere = sorted({each.address for each in silent if not each.address.is_link_local}, key=str)
    # The same link-local address may be another host's on another link.
    on_link = sorted({(each.interface, each.address) for each in silent if each.address.is_link_local}, key=str)
    if not silent:
        return ""
    return nft.gone(table) + "\n".join(
        [
            f"table inet {table} {{",
            *_chain("input", "daddr", "iifname", everywhere, on_link),
            *_chain("output", "saddr", "oifname", everywhere, on_link),
            "}\n",
        ]
    )


def _chain(
    hook: str, end: str, link: str, everywhere: list[Address], on_link: list[tuple[str, Address]]
) -> Iterable[str]:
    yield f"\tchain {hook} {{"
    yield f"\t\ttype filter hook {hook} priority {PRIORITY}; policy accept;"
    # Without neighbour discovery nobody would find the address to send through it.
    yield "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
    for family, keyword in ((4, "ip"), (6, "ip6")):
        if addresses := ", ".join(str(each) for each in everywhere if each.version == family):
            yield f"\t\t{keyword} {end} {{ {addresses} }} drop"
    for interface, address in on_link:
        yield f'\t\t{link} "{interface}" {"ip6" if address.version == 6 else "ip"} {end} {address} drop'
    yield "\t}"


class Firewall:
    """The table `table`, which belongs to this daemon alone; `there`: a killed one has left it."""

    def __init__(self, table: str, *, there: bool = False) -> None:
        self._table = table
        self._there = there

    def want(self, instances: Iterable[InstanceSettings]) -> None:
        """Have the rules for these instances in force. Raises KernelError."""
        rules = ruleset(self._table, instances)
        if rules or self._there:  # those in force are set again: somebody may have flushed all tables
            self._run(rules or nft.gone(self._table))
        self._there = bool(rules)

    def close(self) -> None:
        """Take the table away. Raises KernelError."""
        self.want(())

    def _run(self, rules: str) -> None:
        nft.run(f"set the nftables table {self._table} (no_accept)", rules)
