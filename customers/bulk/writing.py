"""What account_managers and records write for one customer, written for many: each line here is one statement over a set.

Called with customers that the caller has locked and found allowed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils import timezone
from psycopg import sql
from psycopg.types.json import Jsonb

from accounts.models import User
from audit.models import AuditEvent
from audit.services import event
from audit.verbs import Verb
from customers.models import MANAGE, Assignment, Customer, CustomerUserObjectPermission
from teams.models import Member

_PERIODS: Final = (
    "INSERT INTO {assignments}"
    " (organization_id, customer_id, manager_id, started_at, assigned_by_id, reason, end_reason, batch)"
    " SELECT %s, id, %s, %s, %s, %s, '', %s FROM unnest(%s::bigint[]) AS id ORDER BY id"
)
_GRANTS: Final = (
    "INSERT INTO {grants} (organization_id, permission_id, user_id, content_object_id)"
    " SELECT %s, %s, %s, id FROM unnest(%s::bigint[]) AS id ORDER BY id"
)
_AUDIT: Final = (
    "INSERT INTO {audit} (organization_id, at, verb, actor_id, actor_label, target_type, target_id, target_label,"
    " before, after, reason, ip_address, request_id)"
    " SELECT %s, now(), %s, %s::bigint, %s, %s, customer.id, customer.number,"
    " jsonb_build_object({fact}, {before}), %s, %s, %s::inet, %s FROM {customers} AS customer"
    " LEFT JOIN {members} AS former ON former.id = customer.account_manager_id"
    " LEFT JOIN {users} AS person ON person.id = former.user_id"
    " WHERE customer.organization_id = %s AND customer.id = ANY(%s) ORDER BY customer.id"
)
_FORMER_MANAGER: Final = sql.SQL("person.first_name || ' ' || person.last_name")
_FORMER_STATUS: Final = sql.SQL("{}::jsonb ->> customer.status").format(
    sql.Literal(json.dumps(dict(Customer.Status.choices)))
)


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, why, and what the periods it begins and ends have in common."""

    actor: Member
    reason: str
    batch: UUID

    @property
    def organization_id(self) -> int:
        return int(self.actor.organization.pk)


def give(act: Act, ids: list[int], manager: Member | None) -> None:
    """The customers, who have another account manager or none, get this one, or none: period, grant, log, column."""
    _end_periods(act, ids, moment := _moment(ids))
    verb = Verb.MANAGER_ASSIGNED if manager else Verb.MANAGER_REMOVED
    after: dict[str, Any] = {"account_manager": manager.name if manager else None}
    if manager is not None:
        after["office"] = manager.office.name
    _log(act, ids, verb, "account_manager", _FORMER_MANAGER, after)
    if manager is not None:
        _run(
            _PERIODS,
            [act.organization_id, manager.pk, moment, act.actor.pk, act.reason, act.batch, ids],
        )
        _run(_GRANTS, [act.organization_id, _manage().pk, manager.user_id, ids])
    _change(ids, account_manager=manager)


def change_status(act: Act, ids: list[int], status: Customer.Status) -> None:
    _log(act, ids, Verb.CUSTOMER_STATUS_CHANGED, "status", _FORMER_STATUS, {"status": status.label})
    _change(ids, status=status, status_reason=act.reason)


def _moment(ids: list[int]) -> datetime:
    """One for all, and never before a period began that it ends."""
    latest = Assignment.objects.filter(customer__in=ids, ended_at=None).aggregate(latest=Max("started_at"))["latest"]
    now = timezone.now()
    return max(now, latest) if latest else now


def _end_periods(act: Act, ids: list[int], moment: datetime) -> None:
    Assignment.objects.filter(customer__in=ids, ended_at=None).update(
        ended_at=moment, ended_by=act.actor, end_reason=act.reason, end_batch=act.batch
    )
    CustomerUserObjectPermission.objects.filter(content_object__in=ids, permission=_manage()).delete()


def _change(ids: list[int], **columns: Any) -> None:
    Customer.objects.filter(pk__in=ids).update(**columns, version=F("version") + 1, updated_at=Now())


def _log(act: Act, ids: list[int], verb: Verb, fact: str, before: sql.Composable, after: dict[str, Any]) -> None:
    """Before the column is written, because the former value is read from it."""
    line = event(actor=act.actor, verb=verb, target=act.actor.organization, reason=act.reason)
    values = [act.organization_id, line.verb, line.actor_id, line.actor_label, Customer._meta.label_lower]
    values += [Jsonb(after), line.reason, line.ip_address, line.request_id, act.organization_id, ids]
    _run(_AUDIT, values, fact=sql.Literal(fact), before=before)


def _manage() -> Permission:
    return Permission.objects.get(content_type__app_label="customers", codename=MANAGE)


_NAMES: Final[dict[str, sql.Composable]] = {
    name: sql.Identifier(model._meta.db_table)
    for name, model in {
        "assignments": Assignment,
        "grants": CustomerUserObjectPermission,
        "audit": AuditEvent,
        "customers": Customer,
        "members": Member,
        "users": User,
    }.items()
}


def _run(statement: str, values: list[Any], **parts: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**_NAMES, **parts), values)
