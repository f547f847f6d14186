"""A real SMTP server on loopback for tests: it keeps what arrives and refuses or dawdles when told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class MailServer:
    """`answer` is what it says to each e-mail, `seconds` how long it thinks first."""

    ACCEPTED = "250 OK"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.answer = self.ACCEPTED
        self.recipient_answer = self.ACCEPTED
        self.seconds = 0.0
        self.sessions = 0
        self.offered = 0
        self._arrived: list[Message] = []

    async def handle_EHLO(  # noqa: N802  # the library looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802  # the library looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient_answer == self.ACCEPTED:
            envelope.rcpt_tos.append(address)
        return self.recipient_answer.format(address=address)

    async def handle_DATA(  # noqa: N802  # the library looks for this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.offered += 1
        await asyncio.sleep(self.seconds)
        if self.answer == self.ACCEPTED and isinstance(envelope.content, bytes):
            with self._lock:
                self._arrived.append(message_from_bytes(envelope.content))
        return self.answer

    @property
    def arrived(self) -> list[Message]:
        with self._lock:
            return list(self._arrived)

    @property
    def message_ids(self) -> list[str]:
        return [message["Message-ID"] for message in self.arrived]


class _AnyPort(Controller):
    """Listens on a port that the system chooses."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[tuple[MailServer, int]]:
    """The server and its port."""
    handler = MailServer()
    controller = _AnyPort(handler, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield handler, controller.port
    finally:
        controller.stop()
