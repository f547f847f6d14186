"""Changing many customers at once, by a table whose `differences` say which of its columns are meant; and back again.

Used for the rows of a file (the stage) and, when an import is undone, for what the customers were before.
"""

from __future__ import annotations

from typing import Final

from psycopg import sql

from accounts.models import Organization
from audit.services import event
from audit.verbs import Verb
from customers.activity import WITHHELD
from customers.importing.comparing import NOT_CHANGED
from customers.importing.stage import PLAIN, SEALED, STAGE, run
from customers.models import Customer, CustomerImport
from teams.models import Member, Office

CHANGED: Final = (*(name for name in PLAIN[1:] if name not in NOT_CHANGED), *SEALED)
"""Columns of a customer that an import may change."""
_FROM_FILE: Final = sql.SQL("row.is_there AND row.reasons = '{}' AND row.differences <> '{}'")
_IN_CLEAR: Final = {
    "office_id": "(SELECT name FROM {offices} AS office WHERE office.id = {0}.office_id)",
    "joined_on": "{0}.joined_on::text",
}
_PRESENT: Final = "CASE WHEN coalesce({0}.{1}::text, '') = '' THEN '' ELSE {2} END"


def update_from_file(customer_import: CustomerImport, *, actor: Member, reason: str) -> None:
    """The customers who are there already, with what the file says of them."""
    organization = customer_import.organization
    run(
        "INSERT INTO {changed_rows} (organization_id, customer_import_id, customer_id, version, before)"
        " SELECT %s, %s, customer.id, customer.version + 1, (SELECT jsonb_object_agg(key, value)"
        " FROM jsonb_each(to_jsonb(customer)) WHERE key = ANY (row.differences)"
        " OR ('bvn' = ANY (row.differences) AND key = ANY (%s)))"
        " FROM {stage} AS row JOIN {customers} AS customer ON customer.id = row.customer_id WHERE {meant}",
        [organization.pk, customer_import.pk, list(SEALED)],
        meant=_FROM_FILE,
    )
    audit_changes(organization, actor=actor, reason=reason, table=STAGE, meant=_FROM_FILE)
    change_customers(table=STAGE, meant=_FROM_FILE)


def change_customers(*, table: str, meant: sql.SQL) -> int:
    """Write the columns that differ. Returns how many customers."""
    values = (
        sql.SQL("{0} = CASE WHEN {1} = ANY (row.differences) THEN row.{0} ELSE customer.{0} END").format(
            sql.Identifier(name), sql.Literal(_field(name))
        )
        for name in CHANGED
    )
    return run(
        "UPDATE {customers} AS customer SET {values}, version = customer.version + 1, updated_at = now()"
        " FROM {table} AS row WHERE customer.id = row.customer_id AND {meant}",
        values=sql.SQL(", ").join(values),
        table=sql.Identifier(table),
        meant=meant,
    )


def audit_changes(organization: Organization, *, actor: Member, reason: str, table: str, meant: sql.SQL) -> None:
    """One line for each customer, before they are changed. Personal values are withheld, as when a page changes them."""
    line = event(actor=actor, verb=Verb.CUSTOMER_CHANGED, target=organization, reason=reason)
    run(
        "INSERT INTO {audit} ({audit_columns})"
        " SELECT %s, now(), %s, %s, %s, %s, customer.id, customer.number,"
        " jsonb_strip_nulls(jsonb_build_object({before})), jsonb_strip_nulls(jsonb_build_object({after})), %s, %s::inet, %s"
        " FROM {table} AS row JOIN {customers} AS customer ON customer.id = row.customer_id"
        " WHERE {meant} ORDER BY customer.id",
        [
            *(organization.pk, line.verb, line.actor_id, line.actor_label, Customer._meta.label_lower),
            *(line.reason, line.ip_address, line.request_id),
        ],
        before=_written("customer"),
        after=_written("row"),
        table=sql.Identifier(table),
        meant=meant,
    )


def _written(alias: str) -> sql.Composed:
    """Key and value of each field that differs, for the log; absent where nothing does."""
    pairs = (
        sql.SQL("{}, CASE WHEN {} = ANY (row.differences) THEN {} END").format(
            sql.Literal(_field(name).removesuffix("_id")), sql.Literal(_field(name)), _value(alias, name)
        )
        for name in CHANGED
        if name not in SEALED[1:]
    )
    return sql.SQL(", ").join(pairs)


def _value(alias: str, name: str) -> sql.Composed:
    if name in _IN_CLEAR:
        return sql.SQL(_IN_CLEAR[name]).format(sql.Identifier(alias), offices=sql.Identifier(Office._meta.db_table))
    return sql.SQL(_PRESENT).format(sql.Identifier(alias), sql.Identifier(name), sql.Literal(WITHHELD))


def _field(column: str) -> str:
    """What the differences call it."""
    return "bvn" if column in SEALED else column
