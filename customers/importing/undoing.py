"""Taking an import back: what it made is removed, what it changed is as before, and what was touched since stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Model
from psycopg import sql

from audit.services import event
from audit.verbs import Verb
from customers.importing import updating
from customers.importing.comparing import Condition
from customers.importing.stage import COPIED, SEALED, format_, run
from customers.models import Assignment, Customer, CustomerImport, CustomerUserObjectPermission, ImportedRow
from teams.models import Member

UNDO: Final = "customers_undo"
SHOWN: Final = 50
_MADE_BY_THE_IMPORT: Final = frozenset({Assignment, CustomerUserObjectPermission, ImportedRow})
_RESTORED: Final = sql.SQL("row.differences IS NOT NULL")
_UNDO: Final = sql.Identifier(UNDO)


@dataclass(frozen=True, slots=True)
class Undone:
    removed: int
    restored: int
    kept: int
    kept_names: list[str]
    """Those of them whom the actor may see, as far as a page shows them."""


def undo(customer_import: CustomerImport, *, actor: Member) -> Undone:
    """Runs in one transaction, with the organization's row locked."""
    reason = f"Import of {customer_import.file_name} undone"[:300]
    _lock(customer_import)
    _find_untouched(customer_import)
    kept, names = _kept(customer_import, actor)
    removed = _remove(customer_import, actor=actor, reason=reason)
    organization = customer_import.organization
    updating.audit_changes(organization, actor=actor, reason=reason, table=UNDO, meant=_RESTORED)
    restored = updating.change_customers(table=UNDO, meant=_RESTORED)
    run("DELETE FROM {imported_rows} WHERE customer_import_id = %s", [customer_import.pk])
    return Undone(removed, restored, kept, names)


def _lock(customer_import: CustomerImport) -> None:
    run(
        "SELECT customer.id FROM {customers} AS customer JOIN {imported_rows} AS done ON done.customer_id = customer.id"
        " WHERE done.customer_import_id = %s ORDER BY customer.id FOR UPDATE OF customer",
        [customer_import.pk],
    )


def _find_untouched(customer_import: CustomerImport) -> None:
    """Of the same version as the import left them, with nothing new hanging on them; `differences` as in the stage."""
    run("DROP TABLE IF EXISTS pg_temp.{undo}", undo=_UNDO)
    run(
        "CREATE TEMPORARY TABLE {undo} ON COMMIT DROP AS"
        " SELECT done.customer_id, {former}, CASE WHEN done.before IS NOT NULL THEN (SELECT array_agg(DISTINCT"
        " CASE WHEN key = ANY (%s) THEN 'bvn' ELSE key END) FROM jsonb_object_keys(done.before) AS key) END AS differences"
        " FROM {imported_rows} AS done JOIN {customers} AS customer ON customer.id = done.customer_id"
        " CROSS JOIN LATERAL jsonb_populate_record(customer, coalesce(done.before, '{{}}')) AS former"
        " WHERE done.customer_import_id = %s AND customer.version = done.version"
        " AND CASE WHEN done.before IS NULL THEN {is_bare} ELSE {fits} END",
        [list(SEALED), customer_import.pk],
        undo=_UNDO,
        former=sql.SQL(", ").join(sql.SQL("former.{}").format(sql.Identifier(name)) for name in COPIED),
        is_bare=_is_bare(),
        fits=_fits(),
    )


def _is_bare() -> sql.Composable:
    """Nothing points at the customer but what the import made itself."""
    free = [
        sql.SQL("NOT EXISTS (SELECT FROM {} AS other WHERE other.{} = customer.id)").format(
            sql.Identifier(relation.related_model._meta.db_table), sql.Identifier(relation.field.attname)
        )
        for relation in Customer._meta.related_objects
        if relation.related_model not in _MADE_BY_THE_IMPORT
    ]
    other_import = sql.SQL(
        "NOT EXISTS (SELECT FROM {} AS other WHERE other.customer_id = customer.id"
        " AND other.customer_import_id <> done.customer_import_id)"
    ).format(sql.Identifier(ImportedRow._meta.db_table))
    return sql.SQL(" AND ").join([*free, other_import])


def _fits() -> sql.Composable:
    """What the customer had is still free, and the office is open."""
    taken = [
        sql.SQL(
            "NOT EXISTS (SELECT FROM {customers} AS other WHERE other.organization_id = customer.organization_id"
            " AND other.{name} = former.{name} AND former.{name} <> '' AND other.id <> customer.id)"
        ).format(customers=sql.Identifier(Customer._meta.db_table), name=sql.Identifier(name))
        for name in ("phone", "email", "bvn_fingerprint")
    ]
    offices = Customer._meta.get_field("office").related_model._meta.db_table
    is_open = sql.SQL(
        "EXISTS (SELECT FROM {} AS office WHERE office.id = former.office_id"
        " AND (office.is_active OR office.id = customer.office_id))"
    ).format(sql.Identifier(offices))
    return sql.SQL(" AND ").join([*taken, is_open])


def _kept(customer_import: CustomerImport, actor: Member) -> tuple[int, list[str]]:
    """How many stay as they are, and the names of some."""
    seen = Condition.among(Customer.objects.visible_to(actor))
    touched = (
        " FROM {imported_rows} AS done JOIN {customers} AS customer ON customer.id = done.customer_id"
        " WHERE done.customer_import_id = %s AND done.customer_id NOT IN (SELECT customer_id FROM {undo})"
    )
    names = " AND {seen} ORDER BY customer.number LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(format_(f"SELECT count(*){touched}", undo=_UNDO), [customer_import.pk])
        count: int = cursor.fetchone()[0]
        cursor.execute(
            format_(
                f"SELECT customer.first_name || ' ' || customer.last_name || ' (' || customer.number || ')'{touched}{names}",
                undo=_UNDO,
                seen=seen.text,
            ),
            [customer_import.pk, *seen.parameters, SHOWN],
        )
        return count, [name for (name,) in cursor.fetchall()]


def _remove(customer_import: CustomerImport, *, actor: Member, reason: str) -> int:
    """The customers that it made, with their account manager's period and grant. The log keeps that they were there."""
    line = event(actor=actor, verb=Verb.CUSTOMER_IMPORT_UNDONE, target=customer_import.organization, reason=reason)
    run(
        "INSERT INTO {audit} (organization_id, at, verb, actor_id, actor_label, target_type, target_id, target_label,"
        " before, after, reason, ip_address, request_id) SELECT %s, now(), %s, %s, %s, %s, customer_id,"
        " first_name || ' ' || last_name || ' (' || number || ')', '{{}}', '{{}}', %s, %s::inet, %s"
        " FROM {undo} WHERE differences IS NULL ORDER BY customer_id",
        [
            *(customer_import.organization_id, line.verb, line.actor_id, line.actor_label, Customer._meta.label_lower),
            *(line.reason, line.ip_address, line.request_id),
        ],
        undo=_UNDO,
    )
    hanging = {CustomerUserObjectPermission: "content_object_id", Assignment: "customer_id", ImportedRow: "customer_id"}
    for model, column in hanging.items():
        _delete(model, column)
    return _delete(Customer, "id")


def _delete(model: type[Model], column: str) -> int:
    return run(
        "DELETE FROM {table} WHERE {column} IN (SELECT customer_id FROM {undo} WHERE differences IS NULL)",
        table=sql.Identifier(model._meta.db_table),
        column=sql.Identifier(column),
        undo=_UNDO,
    )
