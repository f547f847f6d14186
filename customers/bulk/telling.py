"""The e-mails of a bulk change: at most one for each customer, one for each account manager about all of theirs."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.db.models import Count

from customers.bulk.writing import Act, Given, formatted, name_of, parameters
from customers.emails.managers import TOLD_CUSTOMER, TOLD_FORMER_OF_BATCH, TOLD_MANAGER_OF_BATCH
from customers.models import Assignment, BulkChange
from notifications.services import OneOfMany, cancel_emails, cancel_many, pending_emails, queue_list, queue_many
from teams.models import Member

NOBODY: Final = 0
_TO_CUSTOMERS: Final = (
    "SELECT coalesce(given.manager_id, %(nobody)s) AS shared, 'batch:' || %(batch)s || ':' || customer.id AS dedupe_key,"
    " told.topic, customer.email AS recipient, told.name AS label, jsonb_build_object('customer_id', customer.id,"
    " 'customer_name', told.name, 'customer_number', customer.number,"
    " 'former_id', former.id, 'former_name', coalesce({former_name}, '')) AS payload"
    " FROM {given} JOIN {customers} AS customer ON customer.id = given.customer_id"
    " CROSS JOIN LATERAL (SELECT 'customer:' || customer.id || ':account_manager' AS topic,"
    " customer.first_name || ' ' || customer.last_name AS name) AS told"
    " LEFT JOIN unnest(%(topics)s::text[], %(believed)s::bigint[]) AS waiting (topic, former_id) USING (topic)"
    " CROSS JOIN LATERAL (SELECT CASE WHEN waiting.topic IS NULL THEN customer.account_manager_id"
    " ELSE waiting.former_id END AS former_id) AS believed"
    " LEFT JOIN {members} AS former ON former.id = believed.former_id"
    " LEFT JOIN {users} AS former_user ON former_user.id = former.user_id"
    " WHERE customer.id = ANY (%(customers)s) AND customer.email <> ''"
    " AND believed.former_id IS DISTINCT FROM given.manager_id"
)
"""Who is told, with the account manager they believe they have: the one before the first e-mail that still waits."""


def tell_customers(act: Act, given: Given) -> None:
    """As customers.emails.announce_change does for one: waiting mails are replaced, back and forth ends in no mail.

    Called before the change is written.
    """
    topics = [f"customer:{pk}:account_manager" for pk in given]
    waiting = pending_emails(*topics).order_by("-pk").values_list("topic", "payload__former_id")
    believed = dict(waiting)  # the earliest one last
    if believed:
        cancel_many(list(believed), "Changed again before it was sent.")
    names = {member.pk: member.name for member in _members({pk for pk in given.values() if pk})}
    queue_many(
        kind=TOLD_CUSTOMER,
        shared={
            pk or NOBODY: {"manager_id": pk, "manager_name": names.get(pk or NOBODY, ""), "actor_name": act.actor.name}
            for pk in set(given.values())
        },
        each=formatted(_TO_CUSTOMERS, former_name=name_of("former_user")),
        parameters={
            **parameters(given),
            "batch": str(act.batch),
            "nobody": NOBODY,
            "topics": list(believed),
            "believed": list(believed.values()),
        },
        hold_seconds=_held(),
    )


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
        emails = [
            OneOfMany(
                dedupe_key=f"batch:{change.batch}:{key}:{pk}",
                recipient=told[pk].user.email,
                recipient_label=told[pk].name,
                payload={key: pk, "customers": counts[pk], "actor_name": actor.name, "is_bulk_change": True},
            )
            for pk in sorted(told.keys() & counts.keys())
        ]
        queue_list(kind=kind, topic=f"batch:{change.batch}", emails=emails, hold_seconds=_held())


def _held() -> int:
    seconds: int = settings.ASSIGNMENT_MAIL_HOLD_SECONDS
    return seconds


def _take_back(undone: BulkChange) -> set[int]:
    """To whom nothing has been sent yet about the change."""
    topic = f"batch:{undone.batch}"
    payloads = list(pending_emails(topic).values_list("payload", flat=True))
    cancel_emails(topic, "The change was taken back.")
    return {payload.get("manager_id") or payload["former_id"] for payload in payloads}


def _counts(periods: Any) -> dict[int, int]:
    return dict(periods.order_by().values_list("manager").annotate(count=Count("pk")))


def _members(pks: set[int]) -> Any:
    return Member.objects.filter(pk__in=pks).select_related("user")
