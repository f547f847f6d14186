"""Moving, closing and merging offices. It lives with customers, because theirs are moved, and who sees them changes."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection, transaction
from psycopg import sql

from audit.models import AuditEvent
from audit.services import event
from audit.verbs import Verb
from customers.models import Customer
from customers.office_effects import office_effects
from teams import services
from teams.errors import OfficeClosed, OfficeNotReached
from teams.models import Member, Office
from teams.rearrangement import Rearrangement, require_passing_on
from teams.services import closing
from teams.services.closing import Piles, Targets
from teams.services.offices import lock_office, refuse_stale, require_room, require_target

_MOVE: Final = sql.SQL(
    "WITH moved AS (UPDATE {customers} SET office_id = %s, version = version + 1, updated_at = now()"
    " WHERE organization_id = %s AND office_id = %s RETURNING id, number)"
    " INSERT INTO {audit} (organization_id, at, verb, actor_id, actor_label, target_type, target_id, target_label,"
    " before, after, reason, ip_address, request_id)"
    " SELECT %s, now(), %s, %s::bigint, %s, %s, id, number,"
    " jsonb_build_object('office', %s::text), jsonb_build_object('office', %s::text), %s, %s::inet, %s FROM moved ORDER BY id"
)


@transaction.atomic
def move_office(*, actor: Member, office: Office, parent: Office | None, version: int) -> Office:
    """Raises what teams.services.move_office raises."""

    def effect_of(change: Rearrangement) -> str:
        return office_effects(actor.organization, change).text

    return services.move_office(actor=actor, office=office, parent=parent, version=version, effect_of=effect_of)


@transaction.atomic
def deactivate_office(*, actor: Member, office: Office, targets: Targets, version: int) -> Piles:
    """Move what the office holds to where the targets say, then close it. Closing again changes nothing.

    Returns what was moved. Raises NotVisible, PermissionMissing, StaleVersion, LastOffice, OfficeInUse, OfficeNotReached,
    OfficeCycle, OfficeTooDeep or PlaceNotHeld; then nothing was.
    """
    actor, present = lock_office(actor, office)
    if not present.is_active:
        return Piles(0, 0, 0, 0)
    refuse_stale(present, version)
    offices = list(Office.objects.for_organization(actor.organization))
    closing.keep_an_office(present, offices)
    piles = closing.piles_of(present)
    targets = closing.check_targets(actor, present, piles, targets)
    effect = _empty(actor, present, closing.rearrangement(present, offices, targets), targets)
    closing.close_office(actor, present, verb=Verb.OFFICE_DEACTIVATED, after={**_written(piles, targets), **effect})
    return piles


@transaction.atomic
def merge_office(*, actor: Member, office: Office, into: Office, version: int) -> Piles:
    """Everything of the office goes into the other one, deactivated members too; then it is closed with a note of that.

    Raises NotVisible, PermissionMissing, StaleVersion, OfficeClosed, OfficeNotReached, OfficeCycle, OfficeTooDeep or
    PlaceNotHeld; then nothing was moved.
    """
    actor, present = lock_office(actor, office)
    refuse_stale(present, version)
    if not present.is_active:
        raise OfficeClosed(f"{present.name} is not active. Reactivate it first.")
    into = require_target(actor, into, field="into")
    if into == present:
        raise OfficeNotReached("An office cannot be merged into itself. Choose another one.", field="into")
    require_room(present, into, field="into")
    piles, targets = closing.piles_of(present), Targets.all_into(into)
    offices = list(Office.objects.for_organization(actor.organization))
    change = closing.rearrangement(present, offices, targets)
    effect = _empty(actor, present, change, targets, deactivated_too=True)
    note = f"Merged into {into.name}. {present.description}".strip()[:500]
    after = {"into": into.name, "moved": piles.words, **effect}
    closing.close_office(actor, present, verb=Verb.OFFICE_MERGED, after=after, description=note)
    return piles


def _empty(
    actor: Member, office: Office, change: Rearrangement, targets: Targets, *, deactivated_too: bool = False
) -> dict[str, str]:
    """Move everything, customers first: who may see them is counted before anybody has gone."""
    require_passing_on(actor, change)
    effect = office_effects(actor.organization, change).text
    if targets.customers is not None:
        _move_customers(actor, office, targets.customers)
    closing.empty_office(actor, office, targets, deactivated_too=deactivated_too)
    return {"effect": effect} if effect else {}


def _move_customers(actor: Member, office: Office, target: Office) -> None:
    """In one statement, with a line in the log for each. Account managers keep their customers."""
    line = event(actor=actor, verb=Verb.CUSTOMER_CHANGED, target=office, reason=f"{office.name} was closed")
    values: list[Any] = [target.pk, office.organization_id, office.pk, office.organization_id]
    values += [line.verb, line.actor_id, line.actor_label, Customer._meta.label_lower, office.name, target.name]
    values += [line.reason, line.ip_address, line.request_id]
    tables = {"customers": Customer._meta.db_table, "audit": AuditEvent._meta.db_table}
    with connection.cursor() as cursor:
        cursor.execute(_MOVE.format(**{name: sql.Identifier(table) for name, table in tables.items()}), values)


def _written(piles: Piles, targets: Targets) -> dict[str, str]:
    """For the log: "12 to Kano Branch"."""
    return {
        kind: f"{count:,} to {getattr(targets, kind).name}"
        for kind, count in piles.counts.items()
        if count and getattr(targets, kind)
    }
