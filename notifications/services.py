"""Writing to the outbox, in the transaction of the fact that the e-mail announces."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils import timezone
from psycopg import sql

from accounts.models import Organization
from lendconsole.encryption import encrypt
from lendconsole.errors import DomainError
from lendconsole.tenancy import current_organization_id, outside_organizations
from notifications.hints import hint_after_commit
from notifications.letters import find_letter
from notifications.models import OutgoingEmail
from notifications.querysets import OutgoingEmailQuerySet
from notifications.rendering import SUBJECT_LENGTH, inline_styles, one_line, render_subject

ACCOUNT_KIND = "account"
NO_ADDRESS = "There is no e-mail address on record."


class NotParked(DomainError):
    """Only an e-mail that the program gave up on can be sent again."""


def queue_email(
    *,
    kind: str,
    dedupe_key: str,
    recipient: str,
    payload: Mapping[str, Any],
    recipient_label: str = "",
    topic: str = "",
    hold_seconds: int = 0,
    organization: Organization | None = None,
) -> OutgoingEmail:
    """One e-mail of the current organization, sent by the worker after the commit, `hold_seconds` later.

    `dedupe_key` names the event: the same key again is the same e-mail, as it was queued first. A recipient without
    an address leaves a canceled row behind, so that admins see why nothing arrived. Raises UnknownLetter.
    """
    find_letter(kind)
    return _write(
        OutgoingEmail(
            organization_id=organization.pk if organization else current_organization_id(),
            kind=kind,
            dedupe_key=dedupe_key,
            topic=topic,
            recipient=recipient,
            recipient_label=one_line(recipient_label)[:200],
            subject=render_subject(kind, payload),
            payload=dict(payload),
        ),
        hold_seconds,
    )


def queue_account_email(
    *, recipient: str, subject: str, text: str, html: str = "", kind: str = ACCOUNT_KIND, dedupe_key: str = ""
) -> OutgoingEmail:
    """A mail about a login rather than of an organization, written in full and kept encrypted until it is sent."""
    subject = one_line(subject)[:SUBJECT_LENGTH]
    body = {"subject": subject, "text": text, "html": inline_styles(html) if html else ""}
    with outside_organizations():
        return _write(
            OutgoingEmail(
                organization=None,
                kind=kind,
                dedupe_key=dedupe_key or uuid.uuid4().hex,
                recipient=recipient,
                subject=subject,
                sealed_body=encrypt(json.dumps(body)),
            )
        )


@dataclass(frozen=True, slots=True)
class OneOfMany:
    """What one of many e-mails has for itself; see queue_many."""

    dedupe_key: str
    recipient: str
    recipient_label: str
    topic: str
    payload: Mapping[str, Any]


def queue_many(*, kind: str, shared: Mapping[str, Any], emails: Sequence[OneOfMany], hold_seconds: int = 0) -> None:
    """queue_email for thousands, in one statement. The subject is that of the `shared` part of their payloads."""
    find_letter(kind)
    facts = [
        [email.dedupe_key, email.topic, email.recipient, one_line(email.recipient_label)[:200]] for email in emails
    ]
    payloads = [json.dumps({**shared, **email.payload}, cls=DjangoJSONEncoder) for email in emails]
    now = timezone.now()
    values: list[Any] = [
        current_organization_id(),
        kind,
        render_subject(kind, shared),
        now + timedelta(seconds=hold_seconds),
        now,
    ]
    with connection.cursor() as cursor:
        columns = [list(column) for column in zip(*facts, strict=True)]
        cursor.execute(_QUEUE_MANY, [*values, *columns, payloads])
        written = [pk for (pk,) in cursor.fetchall()]
    for pk in written[:2]:  # more than one makes the worker sweep, and then it finds all
        hint_after_commit(pk)


_QUEUE_MANY: Final = sql.SQL(
    "INSERT INTO {emails} (organization_id, kind, subject, available_at, created_at, dedupe_key, topic, recipient,"
    " recipient_label, payload, sealed_body, state, state_reason, attempts)"
    " SELECT %s, %s, %s, %s, %s, one.dedupe_key, one.topic, one.recipient, one.label, one.payload, '', 'pending', '', 0"
    " FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[])"
    " AS one (dedupe_key, topic, recipient, label, payload) ON CONFLICT DO NOTHING RETURNING id"
).format(emails=sql.Identifier(OutgoingEmail._meta.db_table))


def cancel_emails(topic: str, reason: str) -> int:
    """Take back what has not left yet; how many there were."""
    return cancel_many([topic], reason)


def cancel_many(topics: Sequence[str], reason: str) -> int:
    canceled = OutgoingEmail.State.CANCELED
    return pending_emails(*topics).update(state=canceled, state_reason=reason[:500], payload={}, sealed_body="")


def pending_emails(*topics: str) -> OutgoingEmailQuerySet:
    """What the current organization has queued under the topics and no worker has taken yet.

    A mail that was attempted, even in vain, may have arrived: it is neither taken back nor counted as unsaid.
    """
    pending = OutgoingEmail.objects.pending()
    return pending.filter(organization_id=current_organization_id(), topic__in=topics, attempts=0)


def requeue(email: OutgoingEmail) -> bool:
    """Give a failed e-mail its five attempts again; False when it already waits. Call with the row locked.

    Raises NotParked. The roof's `send_again` asks for the permission and writes the audit log.
    """
    if email.state == OutgoingEmail.State.PENDING:
        return False
    if email.state != OutgoingEmail.State.FAILED:
        raise NotParked("Only an e-mail that failed can be sent again.")
    email.state, email.state_reason = OutgoingEmail.State.PENDING, ""
    email.attempts, email.available_at = 0, timezone.now()
    email.save(update_fields=["state", "state_reason", "attempts", "available_at"])
    hint_after_commit(email.pk)
    return True


def _write(email: OutgoingEmail, hold_seconds: int = 0) -> OutgoingEmail:
    """Insert unless the event has its e-mail already, in two statements and without a savepoint."""
    email.available_at = timezone.now() + timedelta(seconds=hold_seconds)
    if not email.recipient:
        email.state, email.state_reason, email.payload = OutgoingEmail.State.CANCELED, NO_ADDRESS, {}
    OutgoingEmail.objects.bulk_create([email], ignore_conflicts=True)
    written: OutgoingEmail = OutgoingEmail.objects.get(organization=email.organization_id, dedupe_key=email.dedupe_key)
    if written.state == OutgoingEmail.State.PENDING:
        hint_after_commit(written.pk)
    return written
