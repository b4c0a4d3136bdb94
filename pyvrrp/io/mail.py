"""SMTP alerts, as keepalived words them.

A mail takes seconds where a server or a name server is slow: a thread sends them, one after the other. It does not keep
the daemon from ending.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pyvrrp.core.effects import Level, Mail
from pyvrrp.core.settings import MailSettings

if TYPE_CHECKING:
    from email.message import EmailMessage

WAITING: Final = 64  # mails; then the oldest is left out
MAILER: Final = "Keepalived"  # filters of alert mails look for it


class Mailer:
    """Sends alerts to where `settings` say. What does not go well goes to `report`, in the loop.

    To be made inside a running loop.
    """

    def __init__(self, settings: MailSettings, report: Callable[[Level, str], None]) -> None:
        self.settings = settings
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.Queue[Mail | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._finished = asyncio.Event()

    def send(self, mail: Mail) -> None:
        """Have it sent when those before it are. Never blocks."""
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="mail", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                self._report(Level.ERROR, f'mail "{mail.subject}" was not sent: {error}')
                return
            self._thread = thread
        if self._waiting.qsize() >= WAITING:
            with contextlib.suppress(queue.Empty):
                oldest = self._waiting.get_nowait()
                if oldest is not None:
                    self._report(Level.WARNING, f'mail "{oldest.subject}" was left out: {WAITING} wait to be sent')
        self._waiting.put(mail)

    async def drain(self, seconds: float) -> None:
        """Wait until everything is sent, `seconds` at most. Nothing can be sent after this."""
        if self._thread is None:
            return
        self._waiting.put(None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._finished.wait(), seconds)

    def _work(self) -> None:
        while (mail := self._waiting.get()) is not None:
            complaints = _send(self.settings, mail)
            for complaint in complaints:
                text = f'mail "{mail.subject}" to {self.settings.server}:{self.settings.port}: {complaint}'
                self._tell(Level.ERROR, text)
            if not complaints:
                self._tell(Level.DEBUG, f'mail "{mail.subject}" was sent')
        self._in_loop(self._finished.set)

    def _tell(self, level: Level, text: str) -> None:
        self._in_loop(lambda: self._report(level, text))

    def _in_loop(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the daemon has ended
            self._loop.call_soon_threadsafe(call)


def _send(settings: MailSettings, mail: Mail) -> list[str]:
    """Send one; what did not go well."""
    import smtplib  # megabytes that most nodes never need

    name = settings.helo_name or socket.gethostname()
    try:
        with smtplib.SMTP(settings.server, settings.port, name, settings.timeout) as server:
            server.helo(name)
            refused = server.send_message(_message(settings, mail))
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except smtplib.SMTPResponseException as error:
        return [_answer(error.smtp_code, error.smtp_error)]
    except Exception as error:  # noqa: BLE001  # also what a strange address raises: the next mail may be better
        return [(isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__]
    return [f"{recipient} is refused: {_answer(*answer)}" for recipient, answer in refused.items()]


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"


def _message(settings: MailSettings, mail: Mail) -> EmailMessage:
    from email.message import EmailMessage
    from email.utils import localtime

    message = EmailMessage()
    message["Date"] = localtime()
    message["From"] = settings.sender
    message["Subject"] = mail.subject
    message["X-Mailer"] = MAILER
    message["To"] = ", ".join(settings.recipients)
    message.set_content(mail.body)
    return message
