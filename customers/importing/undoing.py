"""Taking an import back: what it made is removed, what it changed is as before, and what was touched since stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import ManyToOneRel, Model
from psycopg import sql

from audit.services import event
from audit.verbs import Verb
from customers.importing import updating
from customers.importing.comparing import Condition
from customers.importing.stage import COPIED, SEALED, format_, run
from customers.models import Assignment, Customer, CustomerImport, CustomerUserObjectPermission
from lendconsole.many import work_in_memory
from teams.models import Member

DONE, UNDO = "customers_done", "customers_undo"
SHOWN: Final = 50
_MADE_BY_THE_IMPORT: Final = frozenset({Assignment, CustomerUserObjectPermission})
_RESTORED: Final = sql.SQL("row.differences IS NOT NULL")
_DONE: Final = sql.Identifier(DONE)
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
    work_in_memory()
    reason = f"Import of {customer_import.file_name} undone"[:300]
    _find_done(customer_import)
    _find_untouched(customer_import)
    kept, names = _kept(actor)
    removed = _remove(customer_import, actor=actor, reason=reason)
    organization = customer_import.organization
    updating.audit_changes(organization, actor=actor, reason=reason, table=UNDO, meant=_RESTORED)
    restored = updating.change_customers(table=UNDO, meant=_RESTORED)
    customer_import.made_customers.all().delete()
    customer_import.changed_customers.all().delete()
    return Undone(removed, restored, kept, names)


def _find_done(customer_import: CustomerImport) -> None:
    """What the import made and changed, with the customers locked."""
    run("DROP TABLE IF EXISTS pg_temp.{done}", done=_DONE)
    run(
        "CREATE TEMPORARY TABLE {done} ON COMMIT DROP AS"
        " SELECT customer_id, version, before FROM {changed_rows} WHERE customer_import_id = %s"
        " UNION ALL SELECT unnest(customer_ids), 1, NULL FROM {made_rows} WHERE customer_import_id = %s",
        [customer_import.pk, customer_import.pk],
        done=_DONE,
    )
    run("ANALYZE {done}", done=_DONE)
    run(
        "SELECT customer.id FROM {customers} AS customer JOIN {done} AS done ON done.customer_id = customer.id"
        " ORDER BY customer.id FOR UPDATE OF customer",
        done=_DONE,
    )


def _find_untouched(customer_import: CustomerImport) -> None:
    """Of the same version as the import left them, with nothing new hanging on them; `differences` as in the stage."""
    run("DROP TABLE IF EXISTS pg_temp.{undo}", undo=_UNDO)
    run(
        "CREATE TEMPORARY TABLE {undo} ON COMMIT DROP AS"
        " SELECT done.customer_id, {former}, CASE WHEN done.before IS NOT NULL THEN (SELECT array_agg(DISTINCT"
        " CASE WHEN key = ANY (%s) THEN 'bvn' ELSE key END) FROM jsonb_object_keys(done.before) AS key) END AS differences"
        " FROM {done} AS done JOIN {customers} AS customer ON customer.id = done.customer_id"
        " CROSS JOIN LATERAL jsonb_populate_record(customer, coalesce(done.before, '{{}}')) AS former"
        " WHERE customer.version = done.version",
        [list(SEALED)],
        done=_DONE,
        undo=_UNDO,
        former=sql.SQL(", ").join(sql.SQL("former.{}").format(sql.Identifier(name)) for name in COPIED),
    )
    run("ANALYZE {undo}", undo=_UNDO)
    _leave_worked_with()
    _leave_overtaken(customer_import)


def _leave_worked_with() -> None:
    """New customers at whom something points that the import did not make itself."""
    for relation in Customer._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel) and relation.related_model not in _MADE_BY_THE_IMPORT:
            run(
                "DELETE FROM {undo} AS row USING {other} AS other"
                " WHERE row.differences IS NULL AND other.{column} = row.customer_id",
                undo=_UNDO,
                other=sql.Identifier(relation.related_model._meta.db_table),
                column=sql.Identifier(relation.field.attname),
            )


def _leave_overtaken(customer_import: CustomerImport) -> None:
    """Those of whose former values one is another customer's by now, or whose former office is closed."""
    for name in ("phone", "email", "bvn_fingerprint"):
        run(
            "DELETE FROM {undo} AS row USING {customers} AS other WHERE row.differences IS NOT NULL AND row.{name} <> ''"
            " AND other.organization_id = %s AND other.{name} = row.{name} AND other.id <> row.customer_id",
            [customer_import.organization_id],
            undo=_UNDO,
            name=sql.Identifier(name),
        )
    run(
        "DELETE FROM {undo} AS row USING {offices} AS office WHERE 'office_id' = ANY (row.differences)"
        " AND office.id = row.office_id AND NOT office.is_active",
        undo=_UNDO,
    )


def _kept(actor: Member) -> tuple[int, list[str]]:
    """How many stay as they are, and the names of some."""
    seen = Condition.among(Customer.objects.visible_to(actor))
    touched = (
        " FROM {done} AS done JOIN {customers} AS customer ON customer.id = done.customer_id"
        " WHERE done.customer_id NOT IN (SELECT customer_id FROM {undo})"
    )
    names = " AND {seen} ORDER BY customer.number LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(format_(f"SELECT count(*){touched}", done=_DONE, undo=_UNDO))
        count: int = cursor.fetchone()[0]
        cursor.execute(
            format_(
                f"SELECT customer.first_name || ' ' || customer.last_name || ' (' || customer.number || ')'{touched}{names}",
                done=_DONE,
                undo=_UNDO,
                seen=seen.text,
            ),
            [*seen.parameters, SHOWN],
        )
        return count, [name for (name,) in cursor.fetchall()]


def _remove(customer_import: CustomerImport, *, actor: Member, reason: str) -> int:
    """The customers that it made, with their account manager's period and grant. The log keeps that they were there."""
    line = event(actor=actor, verb=Verb.CUSTOMER_IMPORT_UNDONE, target=customer_import.organization, reason=reason)
    run(
        "INSERT INTO {audit} ({audit_columns}) SELECT %s, now(), %s, %s, %s, %s, customer_id, number,"
        " '{{}}', '{{}}', %s, %s::inet, %s"
        " FROM {undo} WHERE differences IS NULL ORDER BY customer_id",
        [
            *(customer_import.organization_id, line.verb, line.actor_id, line.actor_label, Customer._meta.label_lower),
            *(line.reason, line.ip_address, line.request_id),
        ],
        undo=_UNDO,
    )
    _delete(CustomerUserObjectPermission, "content_object_id")
    _delete(Assignment, "customer_id")
    return _delete(Customer, "id")


def _delete(model: type[Model], column: str) -> int:
    return run(
        "DELETE FROM {table} WHERE {column} IN (SELECT customer_id FROM {undo} WHERE differences IS NULL)",
        table=sql.Identifier(model._meta.db_table),
        column=sql.Identifier(column),
        undo=_UNDO,
    )
