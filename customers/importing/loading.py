"""From the stage to tables, set by set. Every INSERT stands under the policies of its table."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import connection
from psycopg import sql

from accounts.models import Organization
from audit.services import event
from audit.verbs import Verb
from customers.importing.stage import format_, run
from customers.models import MANAGE, Assignment, Customer, CustomerImport, CustomerUserObjectPermission
from teams.models import Member

REMEMBERED_AT_ONCE: Final = 5_000
KNOWN: Final = 5
"""A table with so many times the rows that are loaded is as the planner knows it."""


def insert_customers(organization: Organization) -> int:
    """The good new rows. Returns how many."""
    return run(
        "INSERT INTO {customers} (id, organization_id, {copied}, status_reason, created_at, updated_at, version)"
        " SELECT customer_id, %s, {copied}, '', now(), now(), 1 FROM {stage} WHERE {is_new} ORDER BY line",
        [organization.pk],
    )


def insert_assignments(organization: Organization, *, actor: Member | None, batch: UUID, reason: str) -> None:
    """The period and guardian's grant of every new customer with an account manager; the column came with the row."""
    run(
        "INSERT INTO {assignments}"
        " (organization_id, customer_id, manager_id, started_at, assigned_by_id, reason, end_reason, batch)"
        " SELECT %s, customer_id, account_manager_id, now(), %s::bigint, %s, '', %s FROM {stage}"
        " WHERE {is_new} AND account_manager_id IS NOT NULL ORDER BY customer_id",
        [organization.pk, actor.pk if actor else None, reason, batch],
    )
    permission = Permission.objects.get(content_type__app_label="customers", codename=MANAGE)
    run(
        "INSERT INTO {grants} (organization_id, permission_id, user_id, content_object_id)"
        " SELECT %s, %s, member.user_id, row.customer_id FROM {stage} AS row"
        " JOIN {members} AS member ON member.id = row.account_manager_id WHERE {is_new} ORDER BY row.customer_id",
        [organization.pk, permission.pk],
    )


def insert_audit(organization: Organization, *, actor: Member | None, reason: str) -> None:
    """One line for each new customer, with the actor and the origin of the request."""
    line = event(actor=actor, verb=Verb.CUSTOMER_IMPORTED, target=organization, reason=reason)
    run(
        "INSERT INTO {audit} ({audit_columns})"
        " SELECT %s, now(), %s, %s::bigint, %s, %s, row.customer_id, row.number, '{{}}',"
        " jsonb_strip_nulls(jsonb_build_object('office', office.name, 'account_manager', user_name.name)), %s, %s::inet, %s"
        " FROM {stage} AS row JOIN {offices} AS office ON office.id = row.office_id"
        " LEFT JOIN {members} AS member ON member.id = row.account_manager_id"
        " LEFT JOIN LATERAL (SELECT first_name || ' ' || last_name AS name FROM {users} WHERE id = member.user_id)"
        " AS user_name ON true WHERE {is_new} ORDER BY row.customer_id",
        [
            *(organization.pk, line.verb, line.actor_id, line.actor_label, Customer._meta.label_lower),
            *(line.reason, line.ip_address, line.request_id),
        ],
    )


def remember_new(customer_import: CustomerImport) -> None:
    """So that they can be taken back."""
    run(
        "INSERT INTO {made_rows} (organization_id, customer_import_id, customer_ids)"
        " SELECT %s, %s, array_agg(customer_id) FROM (SELECT customer_id,"
        " row_number() OVER (ORDER BY customer_id) / %s AS portion FROM {stage} WHERE {is_new}) AS new GROUP BY portion",
        [customer_import.organization_id, customer_import.pk, REMEMBERED_AT_ONCE],
    )


def move_number_up(organization: Organization) -> None:
    """The next customer made by hand gets a number after the highest imported one of the organization's own kind."""
    run(
        "UPDATE {organizations} SET last_customer_number = greatest(last_customer_number, highest.number)"
        " FROM (SELECT max(substring(number FROM %s)::bigint) AS number FROM {stage} WHERE {is_new}) AS highest"
        " WHERE id = %s AND highest.number IS NOT NULL",
        [f"(?i)^{re.escape(organization.customer_number_prefix)}([0-9]{{1,15}})$", organization.pk],
    )


def renew_statistics(loaded: int) -> None:
    """Let the planner see the tables as they are now: for the checks of foreign keys, which run at commit, and all that follows.

    A connection that checked them while the tables were empty would go on scanning them whole, once for each row. Where
    most rows were there before, nothing is new to the planner. The restricted login may do this by the MAINTAIN right
    of lendconsole.grants.
    """
    models = (Customer, Assignment, CustomerUserObjectPermission)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY (%s) AND relkind = 'r' AND reltuples < %s",
            [[model._meta.db_table for model in models], loaded * KNOWN],
        )
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


def count_by_manager() -> dict[int, int]:
    """How many new customers each account manager gets."""
    with connection.cursor() as cursor:
        cursor.execute(
            format_(
                "SELECT account_manager_id, count(*) FROM {stage}"
                " WHERE {is_new} AND account_manager_id IS NOT NULL GROUP BY 1 ORDER BY 1"
            )
        )
        return dict(cursor.fetchall())
