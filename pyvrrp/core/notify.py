"""What scripts, pipes and people are told of virtual routers and sync groups, in keepalived's words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pyvrrp.core.effects import Mail, Notify
from pyvrrp.core.settings import Command, Notifications

INSTANCE: Final = "INSTANCE"
GROUP: Final = "GROUP"
VRRP: Final = "vrrp"  # the family of FIFOs that hear of both

# What is said beside the states' own names.
STOP: Final = "STOP"
DELETED: Final = "DELETED"
RECEIVED_LOWER: Final = "MASTER_RX_LOWER_PRI"
MASTER_PRIORITY: Final = "MASTER_PRIORITY"
BACKUP_PRIORITY: Final = "BACKUP_PRIORITY"

_STATES: Final = ("MASTER", "BACKUP", "FAULT")
_PIPES_ONLY: Final = (MASTER_PRIORITY, BACKUP_PRIORITY)


@dataclass(frozen=True, slots=True)
class News:
    """What happened to an instance or a group: `word` is its new state, or one of the words above.

    `priority` is the effective one, 0 for a group; `master` is the address of the master as far as it is known.
    """

    kind: str
    name: str
    word: str
    previous: str
    priority: int
    master: str
    reason: str


class Notifier:
    """Turns news into `Notify` effects, numbered in the order in which they come up."""

    def __init__(self, router_id: str) -> None:
        self.router_id = router_id
        self._sequence = 0

    def tell(self, news: News, whom: Notifications) -> Notify:
        """The effect that tells them. Who is deleted without wanting the word is told to be in FAULT."""
        renamed = news.word == DELETED and whom.deleted is None
        said = replace(news, word="FAULT") if renamed else news
        own = None if renamed else _own_command(said.word, whom)
        return Notify(
            subject=f"{said.kind} {said.name}",
            family=VRRP,
            line=f'{said.kind} "{said.name}" {said.word} {said.priority}',
            commands=tuple(each for each in (own, _general_command(said, whom)) if each is not None),
            environment=self._environment(said),
            mail=self._mail(said) if whom.smtp_alert else None,
        )

    def number(self) -> int:
        """The next number of the node's sequence."""
        self._sequence += 1
        return self._sequence

    def _environment(self, news: News) -> tuple[tuple[str, str], ...]:
        return (
            ("STATE", news.word),
            ("PREVIOUS", news.previous),
            ("PRIORITY", str(news.priority)),
            ("MASTER", news.master),
            ("REASON", news.reason),
            ("SEQUENCE", str(self.number())),
            ("KIND", news.kind),
            (news.kind, news.name),
        )

    def _mail(self, news: News) -> Mail | None:
        what = "Instance" if news.kind == INSTANCE else "Group"
        about = f"[{self.router_id}] VRRP {what} {news.name} -"
        if news.word == DELETED:
            return Mail(f"{about} Deleted", "=> VRRP Deleted at reload <=")
        if news.word not in _STATES:
            return None
        if news.kind == GROUP:
            body = f"=> All VRRP group instances are now in {news.word} state <="
        else:
            body = f"=> VRRP Instance is {'now' if news.word == 'MASTER' else 'no longer'} owning VRRP VIPs <="
        return Mail(f"{about} Entering {news.word} state", body)


def _own_command(word: str, whom: Notifications) -> Command | None:
    """The command for just this word. One without words only asks for the word DELETED."""
    command = {
        "MASTER": whom.master,
        "BACKUP": whom.backup,
        "FAULT": whom.fault,
        STOP: whom.stop,
        DELETED: whom.deleted,
        RECEIVED_LOWER: whom.master_rx_lower_pri,
    }.get(word)
    return command if command is not None and command.words else None


def _general_command(news: News, whom: Notifications) -> Command | None:
    """`notify`, which runs for every state, with what happened after its own arguments."""
    if whom.notify is None or news.word == RECEIVED_LOWER or news.word in _PIPES_ONLY:
        return None
    return replace(whom.notify, words=(*whom.notify.words, news.kind, news.name, news.word, str(news.priority)))
