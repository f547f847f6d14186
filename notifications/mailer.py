"""From a rendered e-mail to the mail server: headers that nobody can inject into, and one connection for many e-mails."""

from __future__ import annotations

import re
import smtplib
import ssl
from email.headerregistry import Address
from email.utils import parseaddr
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection

from accounts.models import Organization
from lendconsole.encryption import fingerprint
from notifications.models import OutgoingEmail
from notifications.rendering import Body, one_line

SERVICE_CLOSING: Final = 421
NAME_LENGTH: Final = 100
_ADDRESS: Final = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")


class MailServerUnreachable(Exception):
    """No connection to the mail server: the next e-mail would fare no better. `__cause__` is what happened."""


def compose(email: OutgoingEmail, organization: Organization | None, body: Body) -> EmailMultiAlternatives:
    """The sender is the configured address under the lender's name; answers go where the lender wants them."""
    answers = (organization.reply_to or organization.contact_email) if organization else ""
    message = EmailMultiAlternatives(
        subject=email.subject,
        body=body.text,
        from_email=sender(organization),
        to=[mailbox(email.recipient_label, email.recipient)],
        reply_to=[mailbox("", answers)] if answers else None,
        headers={"Message-ID": message_id(email), "Auto-Submitted": "auto-generated"},
    )
    if body.html:
        message.attach_alternative(body.html, "text/html")
    return message


def message_id(email: OutgoingEmail) -> str:
    """The same at every attempt, and never that of another installation or of a database that was started anew."""
    tag = fingerprint(f"{email.pk}:{email.created_at.isoformat()}", purpose="message-id")[:16]
    return f"<outbox-{email.pk}.{tag}@{urlsplit(settings.BASE_URL).hostname}>"


def sender(organization: Organization | None) -> str:
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return mailbox((organization.sender_name or organization.name) if organization else name, address)


def mailbox(name: str, address: str) -> str:
    """`"Kudi, Lagos" <no-reply@example.com>`, whatever characters the name has."""
    user, _, host = one_line(address).rpartition("@")
    return str(Address(one_line(name)[:NAME_LENGTH], username=user, domain=host))


class Mailer:
    """A connection to the mail server that is opened for the first e-mail and kept for those that follow."""

    def __init__(self) -> None:
        self._connection: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, message: EmailMessage) -> None:
        """Raises MailServerUnreachable, or what the server answered (smtplib.SMTPException, OSError)."""
        was_open = self._is_alive()
        if not was_open:
            self._open()
        try:
            self._connection.send_messages([message])
        except smtplib.SMTPSenderRefused as refusal:
            self.close()
            if not (was_open and refusal.smtp_code == SERVICE_CLOSING):
                raise
            self._open()  # the server had enough of this connection before it took anything
            self._connection.send_messages([message])
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (OSError, smtplib.SMTPException):
                return  # the server had hung up already

    def _open(self) -> None:
        self.close()
        connection = get_connection()
        try:
            connection.open()
        except (OSError, smtplib.SMTPException) as error:
            raise MailServerUnreachable from error
        self._connection = connection

    def _is_alive(self) -> bool:
        """Asked before an e-mail is handed over: a connection lost in the middle of one would leave open whether it arrived."""
        if self._connection is None:
            return False
        session = getattr(self._connection, "connection", None)
        if not isinstance(session, smtplib.SMTP):
            return True
        try:
            return session.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False


def words_of(error: BaseException) -> str:
    """What went wrong, for admins: the mail server's own words without anybody's address."""
    if isinstance(error, MailServerUnreachable) and error.__cause__:
        error = error.__cause__
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError):
        error = error.__context__  # smtplib tells both alike
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        error = smtplib.SMTPResponseException(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return one_line(f"The mail server said: {error.smtp_code} {_ADDRESS.sub('(address)', words)}")[:300]
    return next((words for kind, words in _FAILURES.items() if isinstance(error, kind)), _unwritten(error))


_FAILURES: Final[dict[type[BaseException], str]] = {
    TimeoutError: "The mail server did not answer in time.",
    ConnectionRefusedError: "The mail server does not accept connections.",
    smtplib.SMTPServerDisconnected: "The mail server hung up.",
    ssl.SSLError: "There is no secure connection to the mail server.",
    smtplib.SMTPException: "The mail server did not take it.",
    OSError: "The mail server cannot be reached.",
}


def _unwritten(error: BaseException) -> str:
    return f"The e-mail could not be written ({type(error).__name__}). The operators find more in their logs."
