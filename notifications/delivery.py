"""Sending what the outbox holds: at least once on the wire, exactly once as seen (the Message-ID stays the same).

An e-mail is claimed by a lease. The claim counts the attempt and is committed before anything is sent, so that an
e-mail that kills its worker is given up after five attempts like any other. Nothing is sent inside a transaction.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organization
from lendconsole.encryption import decrypt
from lendconsole.tenancy import organization_context
from notifications.letters import Undeliverable, find_letter
from notifications.mailer import Mailer, MailServerUnreachable, compose, words_of
from notifications.models import OutgoingEmail
from notifications.rendering import Body, render_body

logger = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 5
FIRST_BACKOFF_SECONDS: Final = 60  # then 5, 25 and 120 minutes
LONGEST_BACKOFF_SECONDS: Final = 2 * 60 * 60
# A conversation with a slow server has about ten steps, each of which may take EMAIL_TIMEOUT.
LEASE_TIMEOUTS: Final = 12

SWITCHED_OFF: Final = "The organization has switched off e-mails of this kind."

State = OutgoingEmail.State


@dataclass(frozen=True, slots=True)
class Claim:
    """An e-mail that this process alone may send for the length of the lease."""

    email_id: int
    organization_id: int | None


def claim(email_id: int | None = None) -> Claim | None:
    """The e-mail that has been due for longest, or the given one if it is due."""
    lease = LEASE_TIMEOUTS * settings.EMAIL_TIMEOUT
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, organization_id FROM notifications_claim(1, %s, %s)", [lease, email_id])
        row = cursor.fetchone()
    return Claim(*row) if row else None


def next_due() -> datetime | None:
    """When the next e-mail of any organization can be claimed; None when nothing waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT notifications_next_due()")
        due: datetime | None = cursor.fetchone()[0]
    return due


def deliver(claimed: Claim, mailer: Mailer) -> None:
    """Send one claimed e-mail and write down what became of it. Raises MailServerUnreachable after doing so."""
    with _inside(claimed.organization_id):
        letter = _prepare(claimed)
    if letter is None:
        return
    email, body, message = letter
    try:
        mailer.send(message)
    except Exception as error:  # whatever goes wrong with one e-mail, the others pass
        logger.warning("E-mail %s (%s) was not sent: %s", email.pk, email.kind, words_of(error))
        with _inside(claimed.organization_id):
            _failed(email, error)
        if isinstance(error, MailServerUnreachable):
            raise
    else:
        with _inside(claimed.organization_id):
            _sent(email, body)


def _prepare(claimed: Claim) -> tuple[OutgoingEmail, Body, EmailMultiAlternatives] | None:
    """Read the row again, look whether it should still leave, and write it. None when that settled it."""
    email = OutgoingEmail.objects.pending().select_related("organization").filter(pk=claimed.email_id).first()
    if email is None:
        return None
    if email.attempts > MAX_ATTEMPTS:
        _park(email, "The worker stopped in the middle of sending it, each time.")
        return None
    try:
        with transaction.atomic():
            body = _body(email, email.organization)
            return email, body, compose(email, email.organization, body)
    except Undeliverable as reason:
        _update(email, state=State.CANCELED, state_reason=str(reason)[:500], payload={}, sealed_body="")
    except Exception as error:
        logger.exception("E-mail %s (%s) could not be written.", email.pk, email.kind)
        _failed(email, error)
    return None


def _body(email: OutgoingEmail, organization: Organization | None) -> Body:
    if email.sealed_body:
        sealed = json.loads(decrypt(email.sealed_body))
        return Body(text=sealed["text"], html=sealed["html"])
    if organization is not None and not organization.is_active:
        raise Undeliverable("The organization is suspended.")
    if organization is not None and email.kind in organization.muted_emails and find_letter(email.kind).switch:
        raise Undeliverable(SWITCHED_OFF)
    return render_body(email, organization)


def _sent(email: OutgoingEmail, body: Body) -> None:
    """Also when it was canceled meanwhile: it has left."""
    kept = asdict(body) if settings.KEEP_SENT_BODIES else None
    OutgoingEmail.objects.filter(pk=email.pk).update(
        state=State.SENT, sent_at=timezone.now(), state_reason="", payload={}, sealed_body="", sent_body=kept
    )


def _failed(email: OutgoingEmail, error: BaseException) -> None:
    if email.attempts >= MAX_ATTEMPTS:
        _park(email, words_of(error))
    else:
        _update(email, state_reason=words_of(error), available_at=timezone.now() + backoff(email.attempts))


def _park(email: OutgoingEmail, reason: str) -> None:
    _update(email, state=State.FAILED, state_reason=reason)


def _update(email: OutgoingEmail, **changes: object) -> None:
    """Only while this attempt is the latest one: after a lapsed lease another worker may have sent it."""
    OutgoingEmail.objects.pending().filter(pk=email.pk, attempts=email.attempts).update(**changes)


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts, a quarter more or less, so that what failed together is not tried together."""
    seconds = min(FIRST_BACKOFF_SECONDS * 5 ** (attempts - 1), LONGEST_BACKOFF_SECONDS)
    return timedelta(seconds=seconds * (750 + secrets.randbelow(501)) / 1000)


@contextlib.contextmanager
def _inside(organization_id: int | None) -> Iterator[None]:
    """Account mails belong to no organization."""
    if organization_id is None:
        with transaction.atomic():
            yield
    else:
        with organization_context(organization_id):
            yield
