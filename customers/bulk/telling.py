"""The e-mails of a bulk change: at most one for each customer, one for each account manager about all of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import Count

from customers.bulk.writing import Act
from customers.emails.managers import TOLD_CUSTOMER, TOLD_FORMER_OF_BATCH, TOLD_MANAGER_OF_BATCH
from customers.models import Assignment, BulkChange, Customer
from notifications.services import OneOfMany, cancel_emails, cancel_many, pending_emails, queue_email, queue_many
from teams.models import Member


def tell_customers(*, act: Act, customers: Sequence[Customer], manager: Member | None) -> None:
    """As customers.emails.announce_change does for one: waiting mails are replaced, back and forth ends in no mail.

    Called before the change is written.
    """
    topics = {f"customer:{customer.pk}:account_manager": customer for customer in customers}
    believed = {topic: customer.account_manager_id for topic, customer in topics.items()}
    waiting = pending_emails(*topics).order_by("-pk").values_list("topic", "payload__former_id")
    believed.update(waiting)  # the earliest one last
    cancel_many(list(topics), "Changed again before it was sent.")
    names = _names(pk for pk in believed.values() if pk)
    present = manager.pk if manager else None
    emails = [
        OneOfMany(
            dedupe_key=f"batch:{act.batch}:{customer.pk}",
            recipient=customer.email,
            recipient_label=customer.name,
            topic=topic,
            payload={
                "customer_id": customer.pk,
                "customer_name": customer.name,
                "customer_number": customer.number,
                "former_id": believed[topic],
                "former_name": names.get(believed[topic] or 0, ""),
            },
        )
        for topic, customer in topics.items()
        if customer.email and believed[topic] != present
    ]
    shared = {"manager_id": present, "manager_name": manager.name if manager else "", "actor_name": act.actor.name}
    if emails:
        queue_many(kind=TOLD_CUSTOMER, shared=shared, emails=emails, hold_seconds=settings.ASSIGNMENT_MAIL_HOLD_SECONDS)


def tell_managers(change: BulkChange, actor: Member) -> None:
    """Those who got customers and those who gave some away. Who was not yet told of a change that is taken back is told nothing."""
    unaware = _take_back(change.undoes) if change.undoes else set()
    periods = Assignment.objects.filter(organization=change.organization)
    sides = (
        (TOLD_MANAGER_OF_BATCH, "manager_id", _counts(periods.filter(batch=change.batch))),
        (TOLD_FORMER_OF_BATCH, "former_id", _counts(periods.filter(end_batch=change.batch))),
    )
    told = {member.pk: member for member in _members({pk for *_, counts in sides for pk in counts} - unaware)}
    for kind, key, counts in sides:
        for pk in sorted(told.keys() & counts.keys()):
            queue_email(
                kind=kind,
                dedupe_key=f"batch:{change.batch}:{key}:{pk}",
                recipient=told[pk].user.email,
                recipient_label=told[pk].name,
                payload={key: pk, "customers": counts[pk], "actor_name": actor.name, "is_bulk_change": True},
                topic=f"batch:{change.batch}",
                hold_seconds=settings.ASSIGNMENT_MAIL_HOLD_SECONDS,
            )


def _take_back(undone: BulkChange) -> set[int]:
    """To whom nothing has been sent yet about the change."""
    topic = f"batch:{undone.batch}"
    payloads = list(pending_emails(topic).values_list("payload", flat=True))
    cancel_emails(topic, "The change was taken back.")
    return {payload.get("manager_id") or payload["former_id"] for payload in payloads}


def _counts(periods: Any) -> dict[int, int]:
    return dict(periods.order_by().values_list("manager").annotate(count=Count("pk")))


def _names(pks: Any) -> dict[int, str]:
    return {member.pk: member.name for member in _members(set(pks))}


def _members(pks: set[int]) -> Any:
    return Member.objects.filter(pk__in=pks).select_related("user")
