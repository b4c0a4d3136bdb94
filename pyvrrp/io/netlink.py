"""The kernel's links and addresses through rtnetlink.

rtnetlink carries a request out inside `send`, so its answer waits when `send` returns: nothing here blocks or is
awaited. Requests are encoded once and kept as bytes. Linux asks for CAP_NET_ADMIN when addresses change.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from errno import EADDRNOTAVAIL, EEXIST, ENOBUFS, ENODEV
from ipaddress import ip_address
from typing import Final

from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from pyvrrp import bpf
from pyvrrp.core.effects import Action, Operation, RenewLease
from pyvrrp.core.events import AddressesChanged, LinkChanged
from pyvrrp.core.settings import Address, VirtualAddress
from pyvrrp.errors import KernelError
from pyvrrp.rtnetlink import (
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_REPLACE,
    Channel,
    body_of,
    messages,
    open_socket,
    request,
)

PORT_ID_OFFSET: Final = 12  # in a netlink header

# linux/rtnetlink.h, linux/if_addr.h, linux/if.h
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100
INDEX: Final = struct.Struct("=I")
INDEX_OFFSET: Final = 20  # of the interface index in struct ifinfomsg and struct ifaddrmsg, the header included
IFA_F_NODAD, IFA_F_OPTIMISTIC, IFA_F_DADFAILED, IFA_F_TENTATIVE = 0x02, 0x04, 0x08, 0x40
FOREVER: Final = 0xFFFFFFFF
IFF_UP, IFF_RUNNING, IFF_LOWER_UP = 0x1, 0x40, 0x10000
RTEXT_FILTER_SKIP_STATS: Final = 8


@dataclass(frozen=True, slots=True)
class _Renewal:
    """What an effect asks for, ready to send. Every message carries the same sequence number."""

    effect: RenewLease
    sequence: int
    requests: bytes


_Exactly = tuple[Operation, str, int, Address | None]  # with what does not make it another address


class Kernel:
    """Reads and changes addresses, and hears when somebody else changes them."""

    def __init__(self) -> None:
        """Raises KernelError when the sockets cannot be opened."""
        try:
            self._requests = Channel()
            self._monitor = open_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
            bpf.attach(self._monitor, _all_but(self._requests.port_id))
        except OSError as error:
            number = error.errno or 0
            raise KernelError("open a netlink socket", number, os.strerror(number)) from error
        self._names: dict[int, str] = {}
        self._bodies: dict[_Exactly, bytes] = {}
        self._undo: dict[VirtualAddress, bytes] = {}  # what removes an address from the link that it was added to
        self._renewals: dict[str, _Renewal] = {}

    def monitor_fileno(self) -> int:
        """The descriptor to watch for reading; then call `changes`."""
        return self._monitor.fileno()

    def close(self) -> None:
        """Close both sockets."""
        self._requests.close()
        self._monitor.close()

    # --- changing -------------------------------------------------------------------------------------------------

    def prepare(self, operations: Iterable[Operation]) -> None:
        """Encode these now, so that `apply` and `renew` need not when it matters. A missing interface is skipped."""
        for operation in operations:
            try:
                self._body(operation)
            except KernelError:
                continue

    def apply(self, operations: Sequence[Operation]) -> list[KernelError | None]:
        """Carry out the operations in order; one result for each, None when it is done."""
        results: list[KernelError | None] = [None] * len(operations)
        asked: dict[int, int] = {}  # positions by the sequence numbers that are not answered yet
        messages: list[bytes] = []
        for position, operation in enumerate(operations):
            try:
                bodies = self._removals(operation) if operation.action is Action.REMOVE else [self._body(operation)]
            except KernelError as error:
                results[position] = error
                continue
            for body in bodies:
                sequence = self._requests.next_sequence()
                asked[sequence] = position
                messages.append(_request(operation.action, body, sequence, NLM_F_ACK))
        with contextlib.suppress(OSError):  # out of memory
            for sequence, number in self._requests.exchange(messages):
                if sequence in asked:
                    position = asked.pop(sequence)
                    results[position] = results[position] or self._judge(operations[position], number)
        for position in asked.values():
            results[position] = _refusal(operations[position], ENOBUFS, "the kernel gave no answer")
        for operation, result in zip(operations, results, strict=True):
            if result is None:
                self._note(operation)
        return results

    def _removals(self, operation: Operation) -> list[bytes]:
        """From the interface of that name, and from the link that had the name when the address was added.

        None when there is neither: then there is no address either.
        """
        bodies = {self._undo[operation.address]} if operation.address in self._undo else set()
        with contextlib.suppress(KernelError):
            bodies.add(self._body(operation))
        return list(bodies)

    def _note(self, done: Operation) -> None:
        if done.action is Action.REMOVE:
            self._undo.pop(done.address, None)
        else:
            with contextlib.suppress(KernelError):
                self._undo[done.address] = self._body(Operation(Action.REMOVE, done.address))

    def renew(self, effects: Sequence[RenewLease]) -> list[KernelError]:
        """Prolong the leases of all effects in as few system calls as they fit; returns what was refused."""
        refused: list[KernelError] = []
        batches: list[bytes] = []
        for effect in effects:
            try:
                batches.append(self._renewal(effect).requests)
            except KernelError as error:
                refused.append(error)
        try:
            answers = {(sequence, number) for sequence, number in self._requests.exchange(batches) if number}
        except OSError as error:
            number = error.errno or 0
            return [*refused, KernelError("renew leases", number, os.strerror(number))]
        if answers:
            by_sequence = {renewal.sequence: renewal for renewal in self._renewals.values()}
            for sequence, number in sorted(answers):
                renewal = by_sequence.get(sequence)
                addresses = ", ".join(map(str, renewal.effect.addresses)) if renewal else "an address"
                refused.append(KernelError(f"renew the lease of {addresses}", number, os.strerror(number)))
            if any(number == ENODEV for _, number in answers):
                self._forget()
        return refused

    def _renewal(self, effect: RenewLease) -> _Renewal:
        known = self._renewals.get(effect.instance)
        if known is not None and known.effect is effect:  # a router asks with the same one for as long as it can
            return known
        sequence = self._requests.next_sequence()
        bodies = [self._body(Operation(Action.ADD, address, effect.lease)) for address in effect.addresses]
        requests = b"".join(_request(Action.ADD, body, sequence) for body in bodies)
        renewal = _Renewal(effect, sequence, requests)
        self._renewals[effect.instance] = renewal
        return renewal

    def _body(self, operation: Operation) -> bytes:
        exactly = _exactly(operation)
        known = self._bodies.get(exactly)
        if known is not None:
            return known
        try:
            index = socket.if_nametoindex(operation.address.interface)
        except OSError as error:
            raise _refusal(operation, ENODEV, os.strerror(ENODEV)) from error
        self._remember(index, operation.address.interface)
        body = _encode_address(operation, index)
        self._bodies[exactly] = body
        return body

    def _judge(self, operation: Operation, number: int) -> KernelError | None:
        if number == ENODEV:
            self._forget()
        done = {0, EEXIST} if operation.action is Action.ADD else {0, EADDRNOTAVAIL, ENODEV}
        return None if number in done else _refusal(operation, number, os.strerror(number))

    # --- looking --------------------------------------------------------------------------------------------------

    def observe(self, interface: str) -> tuple[LinkChanged, AddressesChanged]:
        """The interface as it is now. Raises KernelError when the kernel does not say."""
        try:
            link = self._link(interface)
            addresses = self._addresses(link["index"])
        except KernelError as error:
            # A link may also go between the two questions.
            if error.errno == ENODEV:
                return LinkChanged(interface, False, False, b""), AddressesChanged(interface, ())
            raise
        self._remember(link["index"], interface)
        # IFF_RUNNING follows the operational state, which lags; IFF_LOWER_UP is the carrier itself.
        needed = IFF_UP | IFF_RUNNING | IFF_LOWER_UP
        mac = bytes.fromhex((link.get_attr("IFLA_ADDRESS") or "").replace(":", ""))
        up = link["flags"] & needed == needed
        return LinkChanged(interface, True, up, mac, _is_router(link)), AddressesChanged(interface, addresses)

    def _link(self, interface: str) -> ifinfmsg:
        request = ifinfmsg()
        request["attrs"] = [("IFLA_IFNAME", interface), ("IFLA_EXT_MASK", RTEXT_FILTER_SKIP_STATS)]
        operation = f"look up {interface}"
        for answer in self._requests.ask(operation, RTM_GETLINK, 0, body_of(request)):
            link = ifinfmsg(answer)
            link.decode()
            return link
        raise KernelError(operation, ENOBUFS, "the kernel gave no answer")

    def _addresses(self, index: int) -> tuple[tuple[Address, int], ...]:
        request = ifaddrmsg()
        request["index"] = index
        addresses: list[tuple[Address, int]] = []
        for answer in self._requests.ask("list the addresses", RTM_GETADDR, NLM_F_DUMP, body_of(request)):
            message = ifaddrmsg(answer)
            message.decode()
            # While duplicate address detection runs, or has found one, an IPv6 address is not to be used.
            usable = message["flags"] & IFA_F_OPTIMISTIC or not message["flags"] & (IFA_F_TENTATIVE | IFA_F_DADFAILED)
            if message["index"] == index and usable:
                text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
                addresses.append((ip_address(text), message["prefixlen"]))
        return tuple(addresses)

    def changes(self) -> set[str] | None:
        """Interfaces observed before that something else than this object changed since the last call.

        New, renamed and deleted links are named too. None: more happened than could be kept; observe everything again.
        """
        touched: set[str] = set()
        try:
            for kind, _, _, message in messages(self._monitor):
                (index,) = INDEX.unpack_from(message, INDEX_OFFSET)
                if kind in (RTM_NEWLINK, RTM_DELLINK):
                    touched |= self._follow_link(index)
                elif index in self._names:
                    touched.add(self._names[index])
        except OSError as error:
            if error.errno != ENOBUFS:
                raise
            # What still waits is older than what was lost. Links may have come, gone and changed their names.
            with contextlib.suppress(OSError):
                for _ in messages(self._monitor):
                    pass
            self._names.clear()
            self._forget()
            return None
        return touched

    def _follow_link(self, index: int) -> set[str]:
        """The names that a link had and has."""
        before = self._names.get(index)
        try:
            now = socket.if_indextoname(index)
        except OSError:
            now = None
        if now is not None:
            self._remember(index, now)
        elif before is not None:
            del self._names[index]
            self._forget()
        return {name for name in (before, now) if name is not None}

    def _remember(self, index: int, interface: str) -> None:
        if self._names.get(index) == interface:
            return
        stale = [known for known, name in self._names.items() if known == index or name == interface]
        for known in stale:
            del self._names[known]
        if stale:
            self._forget()
        self._names[index] = interface

    def _forget(self) -> None:
        """Drop what was encoded: it carries interface indexes."""
        self._bodies.clear()
        self._renewals.clear()


def _is_router(link: ifinfmsg) -> bool:
    """Whether the interface forwards IPv6; one whose IPv6 is switched off has nothing to say of it."""
    families = link.get_attr("IFLA_AF_SPEC")
    six = families.get_attr("AF_INET6") if families is not None else None
    settings = six.get_attr("IFLA_INET6_CONF") if six is not None else None
    return settings is not None and bool(settings["forwarding"])


def _all_but(port_id: int) -> list[bpf.Instruction]:
    """A filter for notifications of what other sockets than `port_id` caused."""
    # The header is in the byte order of the machine, and BPF loads big-endian.
    swapped = int.from_bytes(struct.pack("=I", port_id), "big")
    return [(bpf.LOAD_WORD, 0, 0, PORT_ID_OFFSET), (bpf.JUMP_EQUAL, 0, 1, swapped), bpf.DROP, bpf.PASS]


def _verb(action: Action) -> tuple[int, int]:
    return (RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE) if action is Action.ADD else (RTM_DELADDR, 0)


def _request(action: Action, body: bytes, sequence: int, flags: int = 0) -> bytes:
    verb, usual = _verb(action)
    return request(verb, usual | flags, body, sequence)


def _exactly(operation: Operation) -> _Exactly:
    address = operation.address
    return operation, address.label, address.scope, address.broadcast


def _encode_address(operation: Operation, index: int) -> bytes:
    address = operation.address
    message = ifaddrmsg()
    message["family"] = socket.AF_INET if address.address.version == 4 else socket.AF_INET6
    message["prefixlen"] = address.prefixlen
    message["scope"] = address.scope
    message["index"] = index
    attributes: list[tuple[str, object]] = [
        ("IFA_LOCAL", str(address.address)),
        ("IFA_ADDRESS", str(address.address)),
    ]
    # Asked to remove an address with a label, the kernel would leave one that has another label.
    if operation.action is Action.ADD:
        if address.address.version == 6:
            # The other node may have it still: duplicate address detection would keep it from being used.
            message["flags"] = IFA_F_NODAD
        lifetime = FOREVER if operation.lease is None else operation.lease
        # An address whose preferred lifetime is over is deprecated: not used as a source. That is right for one of IPv6
        # without a network of its own, or this host would speak to others from an address that moves.
        preferred = 0 if address.address.version == 6 and address.prefixlen == 128 else lifetime
        lease = {"ifa_preferred": preferred, "ifa_valid": lifetime, "cstamp": 0, "tstamp": 0}
        attributes.append(("IFA_CACHEINFO", lease))
        if address.label:
            attributes.append(("IFA_LABEL", address.label))
        if address.broadcast is not None:
            attributes.append(("IFA_BROADCAST", str(address.broadcast)))
    message["attrs"] = attributes
    return body_of(message)


def _refusal(operation: Operation, number: int, message: str) -> KernelError:
    preposition = "to" if operation.action is Action.ADD else "from"
    words = f"{operation.action.value} {operation.address} {preposition} {operation.address.interface}"
    return KernelError(words, number, message)
