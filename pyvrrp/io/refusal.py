"""New TCP connections to an address whose server is being closed are answered with a reset, not left to wait.

Loaded only when an instance has a database. An nftables table of our own has the rules from the start, and a set of
addresses for each family that is usually empty. On the way of a failover only elements are added to these, by netlink:
0.2 ms, where the program nft takes 3 to 8. That they are gone again the kernel says after 8 to 16 ms, by either way.
Whoever connects from this host itself is refused, too.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from typing import Final

from pyvrrp import nft
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.errors import KernelError
from pyvrrp.nfnetlink import Request, change, open_socket, text
from pyvrrp.rtnetlink import NLM_F_CREATE, attribute

PRIORITY: Final = -2  # before the filters of others, and before no_accept
_SETS: Final = {4: "refused", 6: "refused6"}
_TYPES: Final = {4: "ipv4_addr", 6: "ipv6_addr"}
_DESTINATIONS: Final = {4: "ip daddr", 6: "ip6 daddr"}

# linux/netfilter/nf_tables.h
_NFT_MSG_NEWSETELEM, _NFT_MSG_DELSETELEM = 12, 14
_NFTA_SET_ELEM_LIST_TABLE, _NFTA_SET_ELEM_LIST_SET, _NFTA_SET_ELEM_LIST_ELEMENTS = 1, 2, 3
_NFTA_LIST_ELEM, _NFTA_SET_ELEM_KEY, _NFTA_DATA_VALUE = 1, 1, 1
_NESTED: Final = 0x8000


def ruleset(table: str, refused: Iterable[Address] = ()) -> str:
    """The whole table, in place of one that is there, in nft's language."""
    addresses = sorted(set(refused), key=str)
    lines = [f"table inet {table} {{"]
    for family, name in _SETS.items():
        elements = ", ".join(str(each) for each in addresses if each.version == family)
        lines += [f"\tset {name} {{", f"\t\ttype {_TYPES[family]}"]
        lines += [f"\t\telements = {{ {elements} }}"] if elements else []
        lines += ["\t}"]
    lines += ["\tchain input {", f"\t\ttype filter hook input priority {PRIORITY}; policy accept;"]
    lines += [
        f"\t\t{_DESTINATIONS[family]} @{name} tcp flags & (syn | ack) == syn reject with tcp reset"
        for family, name in _SETS.items()
    ]
    return nft.gone(table) + "\n".join([*lines, "\t}", "}\n"])


class Refusals:
    """The table `table`, which belongs to this daemon alone; `there`: a killed one has left it.

    Everything here waits for the kernel, and perhaps for a program: it is for threads, which may be several.
    """

    def __init__(self, table: str, *, there: bool = False) -> None:
        self._table = table
        self._there = there
        self._refused: dict[str, frozenset[Address]] = {}
        self._lock = threading.Lock()
        self._operation = f"refuse new connections (nftables table {table})"

    def prepare(self, instances: Iterable[InstanceSettings]) -> None:
        """Be ready to refuse for those of these instances that have a database. Raises KernelError.

        What a killed daemon refused is refused no longer; what this one refuses for instances that stay still is.
        """
        bound = {each.name for each in instances if each.database is not None}
        with self._lock:
            self._refused = {name: each for name, each in self._refused.items() if name in bound}
            if bound:
                self._load()
            else:
                self._remove()

    def refuse(self, instance: str, addresses: Iterable[Address]) -> None:
        """Refuse new connections to these addresses of an instance and to no others of it. Raises KernelError."""
        with self._lock:
            before, after = self._refused.get(instance, frozenset()), frozenset(addresses)
            self._refused[instance] = after
            if self._there:
                # The sets, or the table, are gone where somebody flushed all rules; then they are made anew.
                with contextlib.suppress(KernelError):
                    self._change(
                        [*self._elements(before - after, add=False), *self._elements(after - before, add=True)]
                    )
                    return
            if self._there or after:
                self._load()

    def close(self) -> None:
        """Refuse nothing any more, and take the table away. Raises KernelError."""
        self.prepare(())

    def _load(self) -> None:
        nft.run(self._operation, ruleset(self._table, frozenset().union(*self._refused.values())))
        self._there = True

    def _remove(self) -> None:
        if self._there:
            nft.run(self._operation, nft.gone(self._table))
            self._there = False

    def _change(self, requests: list[Request]) -> None:
        if requests:
            try:
                with open_socket() as asking:
                    change(asking, self._operation, requests)
            except OSError as error:
                raise KernelError(self._operation, error.errno or 0, error.strerror or str(error)) from error

    def _elements(self, addresses: Iterable[Address], *, add: bool) -> Iterable[Request]:
        """The request for each family that has any."""
        verb, flags = (_NFT_MSG_NEWSETELEM, NLM_F_CREATE) if add else (_NFT_MSG_DELSETELEM, 0)
        for family, name in _SETS.items():
            if elements := b"".join(_element(each) for each in addresses if each.version == family):
                yield (
                    verb,
                    flags,
                    b"".join(
                        [
                            text(_NFTA_SET_ELEM_LIST_TABLE, self._table),
                            text(_NFTA_SET_ELEM_LIST_SET, name),
                            attribute(_NFTA_SET_ELEM_LIST_ELEMENTS | _NESTED, elements),
                        ]
                    ),
                )


def _element(address: Address) -> bytes:
    key = attribute(_NFTA_SET_ELEM_KEY | _NESTED, attribute(_NFTA_DATA_VALUE, address.packed))
    return attribute(_NFTA_LIST_ELEM | _NESTED, key)
