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
from lendconsole.many import AnyOf
from lendconsole.tenancy import current_organization_id, outside_organizations
from notifications.hints import hint_after_commit
from notifications.letters import find_letter
from notifications.models import OutgoingEmail
from notifications.querysets import OutgoingEmailQuerySet
from notifications.rendering import SUBJECT_LENGTH, inline_styles, one_line, render_subject

ACCOUNT_KIND: Final = "account"
NO_ADDRESS: Final = "There is no e-mail address on record."


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


def queue_many(
    *,
    kind: str,
    shared: Mapping[int, Mapping[str, Any]],
    each: sql.Composable,
    parameters: Mapping[str, Any],
    hold_seconds: int = 0,
) -> None:
    """queue_email for thousands, in one statement.

    `each` selects them: dedupe_key, topic, recipient (not empty), label, payload, and in `shared` the key of the rest
    of the payload, from which alone the subject is made. `parameters` are those of `each`; names that end with an
    underscore are taken.
    """
    find_letter(kind)
    now = timezone.now()
    facts: dict[str, Any] = {
        "organization_": current_organization_id(),
        "kind_": kind,
        "now_": now,
        "available_": now + timedelta(seconds=hold_seconds),
        "keys_": list(shared),
        "subjects_": [render_subject(kind, payload) for payload in shared.values()],
        "payloads_": [json.dumps(payload, cls=DjangoJSONEncoder) for payload in shared.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE_MANY.format(emails=_EMAILS, each=each), {**parameters, **facts})
        written = cursor.fetchmany(2)
    for (pk,) in written:  # more than one makes the worker sweep, and then it finds all
        hint_after_commit(pk)


@dataclass(frozen=True, slots=True)
class OneOfMany:
    """What one of many e-mails has for itself; see queue_list."""

    dedupe_key: str
    recipient: str
    recipient_label: str
    payload: Mapping[str, Any]


def queue_list(*, kind: str, topic: str, emails: Sequence[OneOfMany], hold_seconds: int = 0) -> None:
    """queue_email for hundreds, in one statement."""
    queue_many(
        kind=kind,
        shared=dict(enumerate(email.payload for email in emails)),
        each=_LISTED,
        parameters={
            "places": list(range(len(emails))),
            "dedupe_keys": [email.dedupe_key for email in emails],
            "recipients": [email.recipient for email in emails],
            "labels": [one_line(email.recipient_label) for email in emails],
            "topic": topic,
        },
        hold_seconds=hold_seconds,
    )


_LISTED: Final = sql.SQL(
    "SELECT place AS shared, dedupe_key, %(topic)s AS topic, recipient, label, '{}'::jsonb AS payload"
    " FROM unnest(%(places)s::bigint[], %(dedupe_keys)s::text[], %(recipients)s::text[], %(labels)s::text[])"
    " AS listed (place, dedupe_key, recipient, label)"
)
_EMAILS: Final = sql.Identifier(OutgoingEmail._meta.db_table)
_QUEUE_MANY: Final = sql.SQL(
    "INSERT INTO {emails} (organization_id, kind, subject, available_at, created_at, dedupe_key, topic, recipient,"
    " recipient_label, payload, sealed_body, state, state_reason, attempts)"
    " SELECT %(organization_)s, %(kind_)s, common.subject, %(available_)s, %(now_)s, each.dedupe_key, each.topic,"
    " each.recipient, left(each.label, 200), common.payload || each.payload, '', 'pending', '', 0"
    " FROM ({each}) AS each JOIN unnest(%(keys_)s::bigint[], %(subjects_)s::text[], %(payloads_)s::jsonb[])"
    " AS common (key, subject, payload) ON common.key = each.shared"
    " ON CONFLICT (organization_id, dedupe_key) DO NOTHING RETURNING id"
)


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
    return pending.filter(AnyOf("topic", topics), organization_id=current_organization_id(), attempts=0)


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
