"""The tree of offices. Every change of it holds the organization's lock, so two moves cannot make a circle together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Max, Value
from django.db.models.functions import Concat, Length, Replace, Substr

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from lendconsole.errors import NotVisible, StaleVersion
from teams.capabilities import Capability
from teams.errors import (
    HeadNotEligible,
    NameTaken,
    OfficeClosed,
    OfficeCycle,
    OfficeNeedsParent,
    OfficeNotReached,
    OfficeTooDeep,
)
from teams.models import Member, Office
from teams.policy import eligible_heads
from teams.rearrangement import Rearrangement, require_passing_on
from teams.services.guards import lock_team

MAX_LEVELS: Final = 10


@transaction.atomic
def create_office(
    *,
    actor: Member,
    name: str,
    office_type: str,
    parent: Office | None,
    description: str = "",
    head: Member | None = None,
) -> Office:
    """Raises PermissionMissing, NameTaken, OfficeNeedsParent, OfficeNotReached, OfficeTooDeep or HeadNotEligible."""
    actor = lock_team(actor)
    actor.require(Capability.OFFICES_MANAGE)
    _refuse_taken_name(actor.organization, name)
    parent = require_parent(actor, office_type, parent)
    head = _require_head(actor, head) if head else None
    office = add_office(
        organization=actor.organization, name=name, office_type=office_type, parent=parent, description=description
    )
    facts = {"name": name, "type": office.get_type_display(), "parent": parent.name if parent else None}
    if head is not None:
        Office.objects.filter(pk=office.pk).update(head=head)
        office.head, facts["head"] = head, head.name
    record(actor=actor, verb=Verb.OFFICE_CREATED, target=office, after=facts)
    return office


def add_office(
    *, organization: Organization, name: str, office_type: str, parent: Office | None, description: str = ""
) -> Office:
    """Write the row and its path, which needs its id."""
    office = Office.objects.create(
        organization=organization, name=name, type=office_type, parent=parent, description=description
    )
    office.path = f"{parent.path if parent else '/'}{office.pk}/"
    office.save(update_fields=["path"])
    return office


@transaction.atomic
def change_office(
    *,
    actor: Member,
    office: Office,
    name: str,
    description: str,
    office_type: str,
    head: Member | None,
    version: int,
) -> Office:
    """Rename, describe, give another type or head. The same facts again change nothing.

    Raises NotVisible, PermissionMissing, NameTaken, OfficeNeedsParent, HeadNotEligible or StaleVersion.
    """
    actor, present = lock_office(actor, office)
    wanted = {"name": name, "description": description, "type": office_type, "head": head}
    changes: dict[str, Any] = {field: value for field, value in wanted.items() if value != getattr(present, field)}
    if not changes:
        return present
    refuse_stale(present, version)
    if "name" in changes:
        _refuse_taken_name(actor.organization, name, but=present)
    if "type" in changes and present.parent is None:
        require_parent(actor, office_type, None)
    if "head" in changes and head is not None:
        changes["head"] = _require_head(actor, head)
    before, after = _facts_of({field: getattr(present, field) for field in changes}), _facts_of(changes)
    write_office(present, **changes)
    record(actor=actor, verb=Verb.OFFICE_CHANGED, target=present, before=before, after=after)
    present.refresh_from_db()
    return present


@transaction.atomic
def move_office(
    *,
    actor: Member,
    office: Office,
    parent: Office | None,
    version: int,
    effect_of: Callable[[Rearrangement], str] | None = None,
) -> Office:
    """Hang the office, with everything below it, under another one. `effect_of` says for the log what that changes.

    Raises NotVisible, PermissionMissing, OfficeClosed, OfficeNeedsParent, OfficeNotReached, OfficeCycle, OfficeTooDeep,
    PlaceNotHeld or StaleVersion.
    """
    actor, present = lock_office(actor, office)
    former = present.parent
    if parent == former:
        return present
    refuse_stale(present, version)
    if not present.is_active:
        raise OfficeClosed(f"{present.name} is not active. Reactivate it first.")
    parent = require_parent(actor, present.type, parent, moving=present)
    offices = list(Office.objects.for_organization(actor.organization))
    change = Rearrangement(offices, parents={present.pk: parent.pk if parent else None})
    require_passing_on(actor, change)
    effect = effect_of(change) if effect_of else ""
    hang(present, parent)
    record(
        actor=actor,
        verb=Verb.OFFICE_MOVED,
        target=present,
        before={"belongs_to": former.name if former else None},
        after={"belongs_to": parent.name if parent else None, **({"effect": effect} if effect else {})},
    )
    present.refresh_from_db()
    return present


@transaction.atomic
def reactivate_office(*, actor: Member, office: Office) -> Office:
    """Open it again where it was, empty as it is. Raises NotVisible, PermissionMissing, or OfficeClosed below a closed one."""
    actor, present = lock_office(actor, office)
    if present.is_active:
        return present
    if present.parent is not None and not present.parent.is_active:
        raise OfficeClosed(
            f"{present.name} belongs to {present.parent.name}, which is not active. Reactivate that first."
        )
    write_office(present, is_active=True)
    record(
        actor=actor,
        verb=Verb.OFFICE_REACTIVATED,
        target=present,
        before={"status": "Deactivated"},
        after={"status": "Active"},
    )
    return present


def lock_office(actor: Member, office: Office) -> tuple[Member, Office]:
    """Both as they are now, the organization locked and the office too: nobody puts a customer into it meanwhile.

    Raises NotVisible or PermissionMissing.
    """
    actor = lock_team(actor)
    rows = Office.objects.reached_by(actor, Capability.OFFICES_VIEW).select_related("parent", "head__user")
    present: Office | None = rows.select_for_update(of=("self",), no_key=True).filter(pk=office.pk).first()
    if present is None:
        raise NotVisible
    actor.require(Capability.OFFICES_MANAGE)
    return actor, present


def refuse_stale(office: Office, version: int) -> None:
    if version != office.version:
        raise StaleVersion("Somebody changed this office while you had it open. Open it again to go on from there.")


def write_office(office: Office, **changes: Any) -> None:
    Office.objects.filter(pk=office.pk).update(**changes, version=F("version") + 1)
    for name, value in {**changes, "version": office.version + 1}.items():
        setattr(office, name, value)


def _refuse_taken_name(organization: Organization, name: str, but: Office | None = None) -> None:
    same = Office.objects.for_organization(organization).filter(name__iexact=name)
    if same.exclude(pk=but.pk if but else 0).exists():
        raise NameTaken(f"There is already an office called {name}.")


def _require_head(actor: Member, head: Member) -> Member:
    present = eligible_heads(actor).filter(pk=head.pk).first()
    if present is None:
        raise HeadNotEligible("Head of an office can be any active team member. Choose another one.")
    return present


def require_parent(
    actor: Member, office_type: str, parent: Office | None, *, moving: Office | None = None
) -> Office | None:
    """The parent as it is now. `moving`: the office that gets it, with everything below."""
    if parent is None:
        if office_type != Office.Type.HEAD_OFFICE:
            raise OfficeNeedsParent("Choose the office that this one belongs to. Only a head office stands on its own.")
        return None
    present = require_target(actor, parent, field="parent")
    if moving is not None:
        require_room(moving, present, field="parent", with_itself=True)
    elif present.depth + 1 >= MAX_LEVELS:
        raise _too_deep("parent")
    return present


def require_room(office: Office, target: Office, *, field: str, with_itself: bool = False) -> None:
    """Whether what lies below the office, or the office `with_itself`, fits below the target.

    Raises OfficeCycle or OfficeTooDeep.
    """
    if target.path.startswith(office.path):
        raise OfficeCycle(f"{target.name} lies below {office.name}. An office cannot lie below itself.", field=field)
    if target.depth + _levels_below(office) + with_itself >= MAX_LEVELS:
        raise _too_deep(field)


def _too_deep(field: str) -> OfficeTooDeep:
    return OfficeTooDeep(f"Offices can be {MAX_LEVELS} levels deep. Choose an office further up.", field=field)


def require_target(actor: Member, office: Office, *, field: str) -> Office:
    """An office that something is moved into, as it is now. Raises OfficeNotReached."""
    present: Office | None = Office.objects.for_organization(actor.organization).active().filter(pk=office.pk).first()
    if present is None:
        raise OfficeNotReached("This office is not available. Choose another one.", field=field)
    return present


def _levels_below(office: Office) -> int:
    below = Office.objects.below(office).aggregate(
        deepest=Max(Length("path") - Length(Replace("path", Value("/"), Value(""))))
    )
    return int(below["deepest"]) - 2 - office.depth


def hang(office: Office, parent: Office | None) -> None:
    """Give the office its new parent, and rewrite the paths of everything below it in one statement."""
    former_path, path = office.path, f"{parent.path if parent else '/'}{office.pk}/"
    Office.objects.below(office).update(path=Concat(Value(path), Substr("path", len(former_path) + 1)))
    write_office(office, parent=parent)
    office.path = path


def release_offices(actor: Member, member: Member) -> None:
    """Somebody whose access ends is head of no office anymore. Called with the organization locked."""
    for office in Office.objects.filter(organization=member.organization_id, head=member).order_by("pk"):
        write_office(office, head=None)
        record(actor=actor, verb=Verb.OFFICE_CHANGED, target=office, before={"head": member.name}, after={"head": None})


def _facts_of(values: dict[str, Any]) -> dict[str, Any]:
    facts = {field: value.name if isinstance(value, Member) else value for field, value in values.items()}
    if "type" in facts:
        facts["type"] = Office.Type(facts["type"]).label
    return facts
