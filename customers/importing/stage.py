"""The temporary table in which the rows of a file are compared before they become customers.

COPY into a table with row-level security is refused, and a statement for each row would take minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db import connection
from psycopg import sql

from accounts.models import Organization
from audit.models import AuditEvent
from customers.bvn import bvn_columns
from customers.importing.checking import CheckedRow
from customers.models import Assignment, ChangedCustomer, Customer, CustomerUserObjectPermission, MadeCustomers
from teams.models import Member, Office

STAGE: Final = "customers_import"
PLAIN: Final = (
    *("number", "first_name", "last_name", "email", "phone", "date_of_birth", "gender", "address", "state"),
    *("employer", "employment_status", "monthly_income", "segment", "status", "office_id", "account_manager_id"),
    "joined_on",
)
SEALED: Final = ("bvn_encrypted", "bvn_fingerprint", "bvn_last_digits")
COPIED: Final = (*PLAIN, *SEALED)
"""Columns of a customer that come from the file; the stage calls them by the same names."""


def create(*, outlives_transaction: bool = False) -> None:
    """Empty. A table that outlives its transaction is dropped by the caller."""
    drop()
    run(
        "CREATE TEMPORARY TABLE {stage} ON COMMIT {end} AS"
        " SELECT NULL::integer AS line, {copied}, NULL::text[] AS reasons, NULL::text[] AS lacking,"
        " NULL::bigint AS given, NULL::text[] AS remarks, NULL::text[] AS repeated, NULL::text[] AS differences,"
        " NULL::bigint AS customer_id, false AS is_there FROM {customers} WHERE false",
        end=sql.SQL("PRESERVE ROWS" if outlives_transaction else "DROP"),
    )
    # The id that the row has once it is a customer, so that nobody has to look up afterwards which one it got.
    run(
        "ALTER TABLE {stage} ALTER customer_id SET DEFAULT nextval(pg_get_serial_sequence({table}, 'id'))",
        table=sql.Literal(Customer._meta.db_table),
    )


def drop() -> None:
    run("DROP TABLE IF EXISTS pg_temp.{stage}")


def add(rows: Iterable[CheckedRow]) -> None:
    """Also the refused ones: a later row must be compared with them too."""
    copy = format_(
        "COPY {stage} (line, {copied}, reasons, lacking, given, remarks, repeated, differences, is_there) FROM STDIN"
    )
    with connection.cursor() as cursor, cursor.copy(copy) as target:
        for line in _lines(rows):
            target.write_row(line)


def _lines(rows: Iterable[CheckedRow]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        values = row.values
        plain = (values.get(name) for name in PLAIN)
        bvn = bvn_columns(values["bvn"]) if values.get("bvn") else {}
        sealed = (bvn.get(name, "") for name in SEALED)
        yield (row.line, *plain, *sealed, row.reasons, row.lacking, row.given, [], [], [], False)


def renew_statistics() -> None:
    """For the planner, of what the comparisons look at."""
    run("ANALYZE {stage} (number, email, phone, bvn_fingerprint, reasons, is_there)")


def count_rows() -> dict[str, int]:
    """How many rows there are of each kind: all, new, there, differing, refused."""
    with connection.cursor() as cursor:
        cursor.execute(
            format_(
                "SELECT count(*), count(*) FILTER (WHERE {is_good} AND NOT is_there),"
                " count(*) FILTER (WHERE {is_good} AND is_there),"
                " count(*) FILTER (WHERE {is_good} AND differences <> '{{}}'),"
                " count(*) FILTER (WHERE NOT {is_good}) FROM {stage}"
            )
        )
        return dict(zip(("all", "new", "there", "differing", "refused"), cursor.fetchone(), strict=True))


def count_differences() -> list[tuple[str, int]]:
    """The fields in which good rows differ from the customers who are there, and how many rows do, most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            format_(
                "SELECT field, count(*) FROM {stage} CROSS JOIN unnest(differences) AS field"
                " WHERE {is_good} GROUP BY field ORDER BY 2 DESC, 1"
            )
        )
        return cursor.fetchall()


def list_rows(column: str, most: int) -> list[tuple[int, str, list[str]]]:
    """Line, customer number and what stands in `reasons`, `remarks` or `differences`, of the first rows that have some."""
    with connection.cursor() as cursor:
        cursor.execute(
            format_(
                "SELECT line, coalesce(number, ''), {column} FROM {stage} WHERE {column} <> '{{}}' ORDER BY line LIMIT %s",
                column=sql.Identifier(column),
            ),
            [most],
        )
        return cursor.fetchall()


def refused_lines() -> Iterator[tuple[int, list[str]]]:
    """Line and reasons of every refused row, in the order of the file and never all in memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(format_("SELECT line, reasons FROM {stage} WHERE NOT {is_good} ORDER BY line"))
        yield from cursor


_NAMES: Final[dict[str, sql.Composable]] = {
    "stage": sql.Identifier(STAGE),
    "alike": sql.Identifier("customers_alike"),
    "is_good": sql.SQL("(reasons = '{}')"),
    "is_new": sql.SQL("(reasons = '{}' AND NOT is_there)"),
    "copied": sql.SQL(", ").join(map(sql.Identifier, COPIED)),
    "customers": sql.Identifier(Customer._meta.db_table),
    "assignments": sql.Identifier(Assignment._meta.db_table),
    "grants": sql.Identifier(CustomerUserObjectPermission._meta.db_table),
    "changed_rows": sql.Identifier(ChangedCustomer._meta.db_table),
    "made_rows": sql.Identifier(MadeCustomers._meta.db_table),
    "audit": sql.Identifier(AuditEvent._meta.db_table),
    "audit_columns": sql.SQL(
        "organization_id, at, verb, actor_id, actor_label, target_type, target_id, target_label,"
        " before, after, reason, ip_address, request_id"
    ),
    "members": sql.Identifier(Member._meta.db_table),
    "offices": sql.Identifier(Office._meta.db_table),
    "users": sql.Identifier(Member._meta.get_field("user").related_model._meta.db_table),
    "organizations": sql.Identifier(Organization._meta.db_table),
}


def format_(statement: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(statement).format(**_NAMES, **parts)


def run(statement: str, parameters: list[Any] | None = None, **parts: sql.Composable) -> int:
    """Carry out one statement; `%s` are parameters, `{...}` names. Returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(format_(statement, **parts), parameters or [])
        return cursor.rowcount
