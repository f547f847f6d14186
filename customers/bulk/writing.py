"""What account_managers and records write for one customer, written for many: each line here is one statement over a set.

Called with customers that the caller has locked and found allowed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from customers.models import MANAGE, Assignment, BulkChange, Customer, CustomerUserObjectPermission, FormerStatus
from lendconsole.many import AnyOf, as_array
from teams.models import Member, Office

Given = Mapping[int, int | None]
"""The account manager that each customer is to have, if any: ids."""

_PERIODS: Final = (
    "INSERT INTO {assignments}"
    " (organization_id, customer_id, manager_id, started_at, assigned_by_id, reason, end_reason, batch)"
    " SELECT %(organization)s, customer_id, manager_id, %(moment)s, %(actor)s, %(reason)s, '', %(batch)s"
    " FROM {given} WHERE manager_id IS NOT NULL ORDER BY customer_id"
)
_GRANTS: Final = (
    "INSERT INTO {grants} (organization_id, permission_id, user_id, content_object_id)"
    " SELECT %(organization)s, %(permission)s, manager.user_id, given.customer_id FROM {given}"
    " JOIN {members} AS manager ON manager.id = given.manager_id ORDER BY given.customer_id"
)
# A number written as it is: where no generated column of a row is made anew, PostgreSQL 18 reads the expressions of all
# of them from the catalog again, which costs a fifth of the statement.
_COLUMN: Final = (
    "UPDATE {customers} AS customer SET account_manager_id = given.manager_id, version = customer.version + 1,"
    " updated_at = statement_timestamp(), number = customer.number FROM {given}"
    " WHERE customer.id = given.customer_id AND customer.id = ANY (%(customers)s)"
)
_AUDIT: Final = (
    "INSERT INTO {audit} (organization_id, at, verb, actor_id, actor_label, target_type, target_id, target_label,"
    " before, after, reason, ip_address, request_id)"
    " SELECT %(organization)s, now(), {verb}, %(actor)s::bigint, %(actor_label)s, %(target_type)s, customer.id,"
    " customer.number, {before}, {after}, %(reason)s, %(ip_address)s::inet, %(request_id)s"
    " FROM {customers} AS customer {others} WHERE customer.organization_id = %(organization)s"
    " AND customer.id = ANY (%(customers)s) ORDER BY customer.id"
)
_PEOPLE: Final = (
    "JOIN {given} ON given.customer_id = customer.id"
    " LEFT JOIN {members} AS former ON former.id = customer.account_manager_id"
    " LEFT JOIN {users} AS former_user ON former_user.id = former.user_id"
    " LEFT JOIN {members} AS manager ON manager.id = given.manager_id"
    " LEFT JOIN {users} AS manager_user ON manager_user.id = manager.user_id"
    " LEFT JOIN {offices} AS office ON office.id = manager.office_id"
)
_REMEMBER: Final = (
    "INSERT INTO {former_statuses} (organization_id, change_id, customer_id, status, reason)"
    " SELECT organization_id, %(change)s, id, status, status_reason FROM {customers}"
    " WHERE organization_id = %(organization)s AND id = ANY (%(customers)s) ORDER BY id"
    " ON CONFLICT (organization_id, customer_id)"
    " DO UPDATE SET change_id = excluded.change_id, status = excluded.status, reason = excluded.reason"
)
_FORMER: Final = (
    "JOIN {former_statuses} AS former"
    " ON former.organization_id = customer.organization_id AND former.customer_id = customer.id"
)
_RESTORE: Final = (
    "UPDATE {customers} AS customer SET status = former.status, status_reason = former.reason,"
    " version = customer.version + 1, updated_at = statement_timestamp(), number = customer.number"
    " FROM {former_statuses} AS former WHERE former.organization_id = %(organization)s"
    " AND former.customer_id = customer.id AND customer.id = ANY (%(customers)s)"
)


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, why, and what the periods it begins and ends have in common."""

    actor: Member
    reason: str
    batch: UUID

    @property
    def facts(self) -> dict[str, Any]:
        """What the statements call it."""
        line = event(actor=self.actor, verb=Verb.CUSTOMERS_CHANGED, target=self.actor.organization)
        return {
            "organization": self.actor.organization.pk,
            "actor": line.actor_id,
            "actor_label": line.actor_label,
            "reason": self.reason,
            "batch": self.batch,
            "target_type": Customer._meta.label_lower,
            "ip_address": line.ip_address,
            "request_id": line.request_id,
        }


def give(act: Act, given: Given) -> None:
    """Period, grant, log and column of customers who all have another account manager, or none, than they are given."""
    ids = list(given)
    moment = _moment(ids)
    facts = {**act.facts, **parameters(given), "moment": moment, "permission": _manage().pk}
    _end_periods(act, ids, moment)
    run(
        _AUDIT,
        facts,
        verb=_either(sql.Literal(str(Verb.MANAGER_REMOVED)), sql.Literal(str(Verb.MANAGER_ASSIGNED))),
        before=sql.SQL("jsonb_build_object('account_manager', {})").format(name_of("former_user")),
        after=_either(
            sql.SQL("jsonb_build_object('account_manager', NULL)"),
            sql.SQL("jsonb_build_object('account_manager', {}, 'office', office.name)").format(name_of("manager_user")),
        ),
        others=formatted(_PEOPLE),
    )
    run(_PERIODS, facts)
    run(_GRANTS, facts)
    run(_COLUMN, facts)


def change_status(act: Act, ids: list[int], status: Customer.Status) -> None:
    facts = {**act.facts, "customers": as_array(ids), "after": Jsonb({"status": status.label})}
    _log_status(facts, after=sql.SQL("%(after)s"), others=sql.SQL(""))
    Customer.objects.filter(AnyOf("pk", ids)).update(
        status=status, status_reason=act.reason, version=F("version") + 1, updated_at=Now(), number=F("number")
    )


def remember_statuses(change: BulkChange, ids: list[int]) -> None:
    """Called before the change is written."""
    run(_REMEMBER, {"organization": change.organization_id, "change": change.pk, "customers": as_array(ids)})


def restore_statuses(act: Act, ids: list[int]) -> None:
    """Status and its reason of customers whose former ones are remembered."""
    facts = {**act.facts, "customers": as_array(ids)}
    _log_status(facts, after=_status_of("former"), others=formatted(_FORMER))
    run(_RESTORE, facts)
    FormerStatus.objects.filter(AnyOf("customer", ids), organization=act.actor.organization).delete()


def parameters(given: Given) -> dict[str, Any]:
    """For `{given}` in a statement."""
    return {"customers": as_array(given), "managers": as_array(given.values())}


def name_of(user: str) -> sql.Composed:
    """As User.name."""
    return sql.SQL("coalesce(nullif(btrim({0}.first_name || ' ' || {0}.last_name), ''), {0}.email)").format(
        sql.Identifier(user)
    )


def formatted(statement: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(statement).format(**_NAMES, **parts)


def run(statement: str, facts: Mapping[str, Any], **parts: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(formatted(statement, **parts), facts)


def _log_status(facts: Mapping[str, Any], *, after: sql.Composable, others: sql.Composable) -> None:
    verb = sql.Literal(str(Verb.CUSTOMER_STATUS_CHANGED))
    run(_AUDIT, facts, verb=verb, before=_status_of("customer"), after=after, others=others)


def _status_of(table: str) -> sql.Composed:
    """As the log writes it."""
    return sql.SQL("jsonb_build_object('status', {}::jsonb ->> {}.status)").format(_STATUSES, sql.Identifier(table))


def _either(nobody: sql.Composable, somebody: sql.Composable) -> sql.Composed:
    return sql.SQL("CASE WHEN given.manager_id IS NULL THEN {} ELSE {} END").format(nobody, somebody)


def _moment(ids: list[int]) -> datetime:
    """One for all, and never before a period began that it ends."""
    opened = Assignment.objects.filter(AnyOf("customer", ids), ended_at=None)
    latest = opened.aggregate(latest=Max("started_at"))["latest"]
    now = timezone.now()
    return max(now, latest) if latest else now


def _end_periods(act: Act, ids: list[int], moment: datetime) -> None:
    Assignment.objects.filter(AnyOf("customer", ids), ended_at=None).update(
        ended_at=moment, ended_by=act.actor, end_reason=act.reason, end_batch=act.batch
    )
    CustomerUserObjectPermission.objects.filter(AnyOf("content_object", ids), permission=_manage()).delete()


def _manage() -> Permission:
    return Permission.objects.get(content_type__app_label="customers", codename=MANAGE)


_STATUSES: Final = sql.Literal(json.dumps(dict(Customer.Status.choices)))
_NAMES: Final[dict[str, sql.Composable]] = {
    "given": sql.SQL("unnest(%(customers)s::bigint[], %(managers)s::bigint[]) AS given (customer_id, manager_id)"),
    **{
        name: sql.Identifier(model._meta.db_table)
        for name, model in {
            "assignments": Assignment,
            "grants": CustomerUserObjectPermission,
            "audit": AuditEvent,
            "former_statuses": FormerStatus,
            "customers": Customer,
            "members": Member,
            "offices": Office,
            "users": User,
        }.items()
    },
}
