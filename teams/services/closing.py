"""Closing an office: what it holds goes elsewhere, then it takes nothing anymore.

Customers are moved by customers.services.offices, which calls the steps here in one transaction with the organization
and the office locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F, QuerySet
from django.utils.text import get_text_list

from accounts.pagination import CappedCount
from audit.models import AuditEvent
from audit.services import event, record
from audit.verbs import Verb
from teams.errors import LastOffice, OfficeInUse
from teams.models import Invitation, Member, Office
from teams.rearrangement import Rearrangement
from teams.services.offices import hang, require_room, require_target, write_office

NOUNS: Final = {
    "members": ("active member", "active members"),
    "customers": ("customer", "customers"),
    "invitations": ("invitation", "invitations"),
    "offices": ("office below it", "offices below it"),
}


@dataclass(frozen=True, slots=True)
class Piles:
    """How much there is of each kind in an office itself."""

    members: int
    customers: int
    invitations: int
    offices: int

    @property
    def counts(self) -> dict[str, int]:
        return {kind: getattr(self, kind) for kind in NOUNS}

    def __bool__(self) -> bool:
        return any(self.counts.values())

    @property
    def words(self) -> str:
        parts = [f"{count:,} {NOUNS[kind][count != 1]}" for kind, count in self.counts.items() if count]
        return get_text_list(parts, "and") or "nothing"


@dataclass(frozen=True, slots=True)
class Targets:
    """Where each pile goes. None: nobody said, which is enough for a pile of nothing."""

    members: Office | None = None
    customers: Office | None = None
    invitations: Office | None = None
    offices: Office | None = None

    @classmethod
    def all_into(cls, office: Office) -> Targets:
        return cls(office, office, office, office)


def piles_of(office: Office) -> Piles:
    """What has to go before the office can be closed. Former and deactivated members stay in its history."""
    counted = (
        Member.objects.filter(office=office, status=Member.Status.ACTIVE),
        office.customers.all(),
        Invitation.objects.pending().filter(office=office),
        Office.objects.active().filter(parent=office),
    )
    counts = (CappedCount(rows, cap=None) for rows in counted)
    return Piles(*Office.objects.filter(pk=office.pk).values_list(*counts).get())


def keep_an_office(office: Office, offices: Iterable[Office]) -> None:
    """Raises LastOffice when no active one of the offices lies outside the one that closes and those below it."""
    if not any(other.is_active and not other.path.startswith(office.path) for other in offices):
        raise LastOffice(
            f"{office.name} is the top of the whole tree and cannot be deactivated. Add another head office first, "
            "or rename this one."
        )


def check_targets(actor: Member, office: Office, piles: Piles, targets: Targets) -> Targets:
    """Each one as it is now, and none for a pile of nothing.

    Raises OfficeInUse, OfficeNotReached, OfficeCycle or OfficeTooDeep, each beside the field of its pile.
    """
    found: dict[str, Office] = {}
    for kind, count in piles.counts.items():
        target: Office | None = getattr(targets, kind)
        if not count:
            continue
        if target is None or target.pk == office.pk:
            noun = NOUNS[kind][count != 1]
            raise OfficeInUse(f"{office.name} still has {count:,} {noun}. Choose where they go.", field=kind)
        found[kind] = require_target(actor, target, field=kind)
    if "offices" in found:
        require_room(office, found["offices"], field="offices")
    return Targets(**found)


def rearrangement(office: Office, offices: Sequence[Office], targets: Targets) -> Rearrangement:
    """What closing the office would do to people's places. `offices`: all of the organization."""

    def moves(target: Office | None) -> dict[int, int]:
        return {office.pk: target.pk} if target else {}

    below = [other.pk for other in offices if other.parent_id == office.pk]
    return Rearrangement(
        offices,
        parents=dict.fromkeys(below, targets.offices.pk) if targets.offices else {},
        members=moves(targets.members),
        customers=moves(targets.customers),
        invitations=moves(targets.invitations),
    )


def empty_office(actor: Member, office: Office, targets: Targets, *, deactivated_too: bool = False) -> None:
    """Move everything but the customers, set by set, with a line in the log for each."""
    if targets.members is not None:
        members = Member.objects.present().filter(office=office)
        members = members if deactivated_too else members.filter(status=Member.Status.ACTIVE)
        _move(actor, members.select_related("user"), Verb.MEMBER_OFFICE_CHANGED, office, targets.members)
    if targets.invitations is not None:
        invitations = Invitation.objects.pending().filter(office=office)
        _move(actor, invitations, Verb.INVITATION_CHANGED, office, targets.invitations)
    if targets.offices is not None:
        for child in Office.objects.filter(organization=office.organization_id, parent=office).order_by("pk"):
            hang(child, targets.offices)
            record(
                actor=actor,
                verb=Verb.OFFICE_MOVED,
                target=child,
                before={"belongs_to": office.name},
                after={"belongs_to": targets.offices.name},
            )


def close_office(
    actor: Member, office: Office, *, verb: Verb, after: dict[str, Any], description: str | None = None
) -> None:
    """The last step. It has no head anymore."""
    before = {"status": "Active", **({"head": office.head.name} if office.head else {})}
    changes = {} if description is None else {"description": description}
    write_office(office, is_active=False, head=None, **changes)
    record(actor=actor, verb=verb, target=office, before=before, after={"status": "Deactivated", **after})


def _move(actor: Member, rows: QuerySet[Any], verb: Verb, office: Office, target: Office) -> None:
    found = list(rows.order_by("pk").select_for_update(of=("self",)))
    AuditEvent.objects.bulk_create(
        event(actor=actor, verb=verb, target=row, before={"office": office.name}, after={"office": target.name})
        for row in found
    )
    moved = rows.model._default_manager.filter(pk__in=[row.pk for row in found])
    moved.update(office=target, version=F("version") + 1)
