"""From checked rows to tables, set by set: copied into a temporary table, compared there, then inserted.

COPY into a table with row-level security is refused, and a statement for each row would take minutes; the temporary
table lives until the transaction ends. Every INSERT below stands under the policies of its table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import connection
from psycopg import sql

from accounts.models import Organization
from audit.models import AuditEvent
from audit.services import event
from audit.verbs import Verb
from customers.bvn import bvn_columns
from customers.importing.checking import CheckedRow
from customers.models import MANAGE, Assignment, Customer, CustomerUserObjectPermission
from teams.models import Member, Office

STAGE: Final = "customers_import"
MAXIMUM_REPORTED: Final = 10_000
"""Rows of each kind that a report names; further ones are counted."""

_PLAIN: Final = (
    *("number", "first_name", "last_name", "email", "phone", "date_of_birth", "gender", "address", "state"),
    *("employer", "employment_status", "monthly_income", "segment", "status", "office_id", "account_manager_id"),
    "joined_on",
)
_SEALED: Final = ("bvn_encrypted", "bvn_fingerprint", "bvn_last_digits")
COPIED: Final = (*_PLAIN, *_SEALED)
"""Columns of a customer that come from the file; the stage calls them by the same names."""

# What makes two rows the same borrower: column of the stage, how it is compared, how people call it.
UNIQUE: Final = (
    ("number", "lower({})", "customer number"),
    ("email", "{}", "e-mail address"),
    ("phone", "{}", "phone number"),
)
_DIFFERS: Final = "CASE WHEN customer.{0} IS DISTINCT FROM row.{0} THEN {1} END"
# The encrypted form differs each time and a shared BVN has no fingerprint; see remark_shared_bvn.
_BVN_DIFFERS: Final = (
    "CASE WHEN customer.bvn_last_digits <> row.bvn_last_digits"
    " OR (customer.bvn_fingerprint <> row.bvn_fingerprint AND customer.bvn_fingerprint <> '') THEN 'BVN' END"
)


def stage(rows: Iterable[CheckedRow]) -> None:
    """Copy all rows, also the refused ones: a later row must be compared with them too."""
    with connection.cursor() as cursor:
        cursor.execute(_format("DROP TABLE IF EXISTS pg_temp.{stage}"))
        cursor.execute(
            _format(
                "CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS"
                " SELECT NULL::integer AS line, {copied}, NULL::text[] AS reasons, NULL::text[] AS remarks,"
                " NULL::text[] AS repeated, NULL::text[] AS differences, NULL::bigint AS customer_id, false AS is_there"
                " FROM {customers} WHERE false"
            )
        )
        copy = _format("COPY {stage} (line, {copied}, reasons, remarks, repeated, is_there) FROM STDIN")
        with cursor.copy(copy) as target:
            for line in _lines(rows):
                target.write_row(line)
        cursor.execute(_format("ANALYZE {stage}"))


def _lines(rows: Iterable[CheckedRow]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        values = row.values
        plain = (values.get(name) for name in _PLAIN)
        bvn = bvn_columns(values["bvn"]) if values.get("bvn") else {}
        yield (row.line, *plain, *(bvn.get(name, "") for name in _SEALED), row.reasons, [], [], False)


def refuse_repeated(organization: Organization) -> None:
    """A value that belongs to one borrower alone, twice in the file: the later row is refused and names the earlier one."""
    for column, form, label in UNIQUE:
        _run(
            "UPDATE {stage} AS row SET repeated = row.repeated || {column}::text,"
            " reasons = row.reasons || format('Line %%s has the same {label}.', earlier.line)"
            " FROM (SELECT line AS this, min(line) OVER (PARTITION BY {key}) AS line FROM {stage} WHERE {name} <> '')"
            " AS earlier WHERE row.line = earlier.this AND earlier.line < row.line",
            column=sql.Literal(column),
            name=sql.Identifier(column),
            key=sql.SQL(form).format(sql.Identifier(column)),
            label=sql.SQL(label),
        )


def recognize_existing(organization: Organization) -> None:
    """Mark the good rows whose number is taken, and in what they differ from the customer who has it."""
    columns = {field.attname: str(field.verbose_name) for field in Customer._meta.concrete_fields}
    plain = (sql.SQL(_DIFFERS).format(sql.Identifier(name), sql.Literal(columns[name])) for name in _PLAIN[1:])
    differences = sql.SQL(", ").join([*plain, sql.SQL(_BVN_DIFFERS)])
    _run(
        "UPDATE {stage} AS row SET is_there = true, customer_id = customer.id,"
        " differences = array_remove(ARRAY[{differences}]::text[], NULL)"
        " FROM {customers} AS customer WHERE customer.organization_id = %s AND {is_good}"
        " AND lower(customer.number) = lower(row.number)",
        [organization.pk],
        differences=differences,
    )


def refuse_taken(organization: Organization) -> None:
    """A phone number or an e-mail address that another customer already has."""
    for column, _form, label in UNIQUE[1:]:
        _run(
            "UPDATE {stage} AS row"
            " SET reasons = row.reasons || format('%%s has the same {label} already.', customer.number)"
            " FROM {customers} AS customer WHERE customer.organization_id = %s AND customer.{name} = row.{name}"
            " AND row.{name} <> '' AND NOT row.is_there AND NOT {column} = ANY (row.repeated)"
            " AND lower(customer.number) IS DISTINCT FROM lower(row.number)",
            [organization.pk],
            column=sql.Literal(column),
            name=sql.Identifier(column),
            label=sql.SQL(label),
        )


def remark_shared_bvn(organization: Organization) -> None:
    """A BVN that two borrowers claim: which of them is wrong, only people can find out.

    The later one is loaded with the number as it stands in the file and reported. The fingerprint, which belongs to
    one customer alone, stays with the earlier one.
    """
    _run(
        "UPDATE {stage} AS row SET bvn_fingerprint = '',"
        " remarks = row.remarks || format('Line %%s has the same BVN.', earlier.line)"
        " FROM (SELECT line AS this, min(line) OVER (PARTITION BY bvn_fingerprint) AS line FROM {stage}"
        " WHERE {is_good} AND bvn_fingerprint <> '') AS earlier"
        " WHERE row.line = earlier.this AND earlier.line < row.line AND NOT row.is_there"
    )
    _run(
        "UPDATE {stage} AS row SET bvn_fingerprint = '',"
        " remarks = row.remarks || format('%%s has the same BVN already.', customer.number)"
        " FROM {customers} AS customer WHERE customer.organization_id = %s AND row.bvn_fingerprint <> ''"
        " AND customer.bvn_fingerprint = row.bvn_fingerprint AND NOT row.is_there AND {is_good}",
        [organization.pk],
    )


def insert_customers(organization: Organization) -> int:
    """The good new rows. Returns how many."""
    return _run(
        "WITH loaded AS (INSERT INTO {customers}"
        " (organization_id, {copied}, status_reason, created_at, updated_at, version)"
        " SELECT %s, {copied}, '', now(), now(), 1 FROM {stage}"
        " WHERE {is_good} AND NOT is_there ORDER BY line RETURNING id, number)"
        " UPDATE {stage} AS row SET customer_id = loaded.id FROM loaded"
        " WHERE row.number = loaded.number AND {is_good}",
        [organization.pk],
    )


def insert_assignments(organization: Organization, *, actor: Member | None, batch: UUID, reason: str) -> None:
    """The period and guardian's grant of every new customer with an account manager; the column came with the row."""
    _run(
        "INSERT INTO {assignments}"
        " (organization_id, customer_id, manager_id, started_at, assigned_by_id, reason, end_reason, batch)"
        " SELECT %s, customer_id, account_manager_id, now(), %s::bigint, %s, '', %s FROM {stage}"
        " WHERE {is_new} AND account_manager_id IS NOT NULL ORDER BY customer_id",
        [organization.pk, actor.pk if actor else None, reason, batch],
    )
    permission = Permission.objects.get(content_type__app_label="customers", codename=MANAGE)
    _run(
        "INSERT INTO {grants} (organization_id, permission_id, user_id, content_object_id)"
        " SELECT %s, %s, member.user_id, row.customer_id FROM {stage} AS row"
        " JOIN {members} AS member ON member.id = row.account_manager_id WHERE {is_new} ORDER BY row.customer_id",
        [organization.pk, permission.pk],
    )


def insert_audit(organization: Organization, *, actor: Member | None, reason: str) -> None:
    """One line for each new customer, with the actor and the origin of the request."""
    line = event(actor=actor, verb=Verb.CUSTOMER_IMPORTED, target=organization, reason=reason)
    _run(
        "INSERT INTO {audit} (organization_id, at, verb, actor_id, actor_label, target_type, target_id, target_label,"
        " before, after, reason, ip_address, request_id)"
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


def move_number_up(organization: Organization) -> None:
    """The next customer made by hand gets a number after the highest imported one of the organization's own kind."""
    _run(
        "UPDATE {organizations} SET last_customer_number = greatest(last_customer_number, highest.number)"
        " FROM (SELECT max(substring(number FROM %s)::bigint) AS number FROM {stage} WHERE {is_new}) AS highest"
        " WHERE id = %s AND highest.number IS NOT NULL",
        [f"(?i)^{re.escape(organization.customer_number_prefix)}([0-9]{{1,15}})$", organization.pk],
    )


def renew_statistics() -> None:
    """Let the planner see the tables as they are now: for the checks of foreign keys, which run at commit, and all that follows.

    A connection that checked them while the tables were empty would go on scanning them whole, once for each row.
    The restricted login may do this by the MAINTAIN right of lendconsole.grants.
    """
    with connection.cursor() as cursor:
        for model in (Customer, Assignment, CustomerUserObjectPermission):
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(model._meta.db_table)))


def count_rows() -> dict[str, int]:
    """How many rows there are of each kind: all, new, there, differing, refused."""
    with connection.cursor() as cursor:
        cursor.execute(
            _format(
                "SELECT count(*), count(*) FILTER (WHERE {is_good} AND NOT is_there),"
                " count(*) FILTER (WHERE is_there), count(*) FILTER (WHERE differences <> '{{}}'),"
                " count(*) FILTER (WHERE NOT {is_good}) FROM {stage}"
            )
        )
        return dict(zip(("all", "new", "there", "differing", "refused"), cursor.fetchone(), strict=True))


def list_rows(column: str) -> list[tuple[int, str, list[str]]]:
    """Line, customer number and sentences of the rows that have `reasons`, `remarks` or `differences`."""
    with connection.cursor() as cursor:
        cursor.execute(
            _format(
                "SELECT line, coalesce(number, ''), {column} FROM {stage} WHERE {column} <> '{{}}' ORDER BY line LIMIT %s",
                column=sql.Identifier(column),
            ),
            [MAXIMUM_REPORTED],
        )
        return cursor.fetchall()


def count_by_manager() -> dict[int, int]:
    """How many new customers each account manager gets."""
    with connection.cursor() as cursor:
        cursor.execute(
            _format(
                "SELECT account_manager_id, count(*) FROM {stage}"
                " WHERE {is_new} AND account_manager_id IS NOT NULL GROUP BY 1 ORDER BY 1"
            )
        )
        return dict(cursor.fetchall())


_NAMES: Final[dict[str, sql.Composable]] = {
    "stage": sql.Identifier(STAGE),
    "is_good": sql.SQL("(reasons = '{}')"),
    "is_new": sql.SQL("customer_id IS NOT NULL AND NOT is_there"),
    "copied": sql.SQL(", ").join(map(sql.Identifier, COPIED)),
    "customers": sql.Identifier(Customer._meta.db_table),
    "assignments": sql.Identifier(Assignment._meta.db_table),
    "grants": sql.Identifier(CustomerUserObjectPermission._meta.db_table),
    "audit": sql.Identifier(AuditEvent._meta.db_table),
    "members": sql.Identifier(Member._meta.db_table),
    "offices": sql.Identifier(Office._meta.db_table),
    "users": sql.Identifier(Member._meta.get_field("user").related_model._meta.db_table),
    "organizations": sql.Identifier(Organization._meta.db_table),
}


def _format(statement: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(statement).format(**_NAMES, **parts)


def _run(statement: str, parameters: list[Any] | None = None, **parts: sql.Composable) -> int:
    """Carry out one statement; `%s` are parameters, `{...}` names. Returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(_format(statement, **parts), parameters or [])
        return cursor.rowcount
