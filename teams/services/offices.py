"""The tree of offices. Every change of it holds the organization's lock, so two moves cannot make a circle together."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F, Max, Value
from django.db.models.functions import Concat, Length, Replace, Substr

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from lendconsole.errors import NotVisible, StaleVersion
from teams.capabilities import Capability
from teams.errors import NameTaken, OfficeCycle, OfficeInUse, OfficeNeedsParent, OfficeNotReached, OfficeTooDeep
from teams.models import Invitation, Member, Office
from teams.services.guards import lock_team

MAX_LEVELS = 10


@transaction.atomic
def create_office(
    *, actor: Member, name: str, office_type: str, parent: Office | None, description: str = ""
) -> Office:
    """Raises PermissionMissing, NameTaken, OfficeNeedsParent, OfficeNotReached or OfficeTooDeep."""
    actor = lock_team(actor)
    actor.require(Capability.OFFICES_MANAGE)
    _refuse_taken_name(actor.organization, name)
    parent = _require_parent(actor, office_type, parent)
    office = add_office(
        organization=actor.organization, name=name, office_type=office_type, parent=parent, description=description
    )
    record(
        actor=actor,
        verb=Verb.OFFICE_CREATED,
        target=office,
        after={"name": name, "type": office.get_type_display(), "parent": parent.name if parent else None},
    )
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
    parent: Office | None,
    is_active: bool,
    version: int,
) -> Office:
    """Rename, describe, move with everything below it, close or open. The same facts again change nothing.

    Raises NotVisible, PermissionMissing, NameTaken, OfficeNeedsParent, OfficeNotReached, OfficeCycle, OfficeTooDeep,
    OfficeInUse or StaleVersion.
    """
    actor = lock_team(actor)
    present = (
        Office.objects.reached_by(actor, Capability.OFFICES_VIEW).select_related("parent").filter(pk=office.pk).first()
    )
    if present is None:
        raise NotVisible
    actor.require(Capability.OFFICES_MANAGE)
    wanted = {"name": name, "description": description, "type": office_type, "parent": parent, "is_active": is_active}
    changes: dict[str, Any] = {field: value for field, value in wanted.items() if value != getattr(present, field)}
    if not changes:
        return present
    if version != present.version:
        raise StaleVersion("Somebody changed this office while you had it open. Open it again to go on from there.")
    before, after = _facts(present, changes), _facts_of(changes)
    _check(actor, present, changes)  # also puts the parent as it is now into `changes`
    former_path = present.path
    Office.objects.filter(pk=present.pk).update(**changes, version=F("version") + 1)
    if "parent" in changes:
        _move(present, former_path, changes["parent"])
    record(actor=actor, verb=Verb.OFFICE_CHANGED, target=present, before=before, after=after)
    present.refresh_from_db()
    return present


def _check(actor: Member, office: Office, changes: dict[str, Any]) -> None:
    if "name" in changes:
        _refuse_taken_name(actor.organization, changes["name"], but=office)
    office_type = changes.get("type", office.type)
    if "parent" in changes:
        changes["parent"] = _require_parent(actor, office_type, changes["parent"], moving=office)
    elif "type" in changes and office.parent is None:
        _require_parent(actor, office_type, None)
    if changes.get("is_active") is False:
        _refuse_in_use(office)


def _refuse_taken_name(organization: Organization, name: str, but: Office | None = None) -> None:
    same = Office.objects.for_organization(organization).filter(name__iexact=name)
    if same.exclude(pk=but.pk if but else 0).exists():
        raise NameTaken(f"There is already an office called {name}.")


def _require_parent(
    actor: Member, office_type: str, parent: Office | None, *, moving: Office | None = None
) -> Office | None:
    """The parent as it is now. `moving`: the office that gets it, with everything below."""
    if parent is None:
        if office_type != Office.Type.HEAD_OFFICE:
            raise OfficeNeedsParent("Choose the office that this one belongs to. Only a head office stands on its own.")
        return None
    present = Office.objects.for_organization(actor.organization).active().filter(pk=parent.pk).first()
    if present is None:
        raise OfficeNotReached("This office is not available. Choose another one.", field="parent")
    if moving is not None and present.path.startswith(moving.path):
        raise OfficeCycle(f"{present.name} lies below {moving.name}. An office cannot lie below itself.")
    if present.depth + 1 + (_levels_below(moving) if moving else 0) >= MAX_LEVELS:
        raise OfficeTooDeep(f"Offices can be {MAX_LEVELS} levels deep. Choose an office further up.")
    return present


def _levels_below(office: Office) -> int:
    below = Office.objects.below(office).aggregate(
        deepest=Max(Length("path") - Length(Replace("path", Value("/"), Value(""))))
    )
    return int(below["deepest"]) - 2 - office.depth


def _move(office: Office, former_path: str, parent: Office | None) -> None:
    """Rewrite the paths of the office and of everything below it in one statement."""
    path = f"{parent.path if parent else '/'}{office.pk}/"
    Office.objects.below(office).update(path=Concat(Value(path), Substr("path", len(former_path) + 1)))


def _refuse_in_use(office: Office) -> None:
    counts = {
        "office below it": Office.objects.below(office).active().exclude(pk=office.pk).count(),
        "active member": Member.objects.active().filter(office=office).count(),
        "open invitation": Invitation.objects.open().filter(office=office).count(),
        "customer": office.customers.count(),
    }
    parts = [f"{count:,} {_plural(noun, count)}" for noun, count in counts.items() if count]
    if parts:
        listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        raise OfficeInUse(f"{office.name} still has {listed}. Move them first.")


def _plural(noun: str, count: int) -> str:
    if count == 1:
        return noun
    return noun.replace("office below", "offices below") if noun.startswith("office") else f"{noun}s"


def _facts(office: Office, fields: dict[str, Any]) -> dict[str, Any]:
    return _facts_of({field: getattr(office, field) for field in fields})


def _facts_of(values: dict[str, Any]) -> dict[str, Any]:
    facts = {field: value.name if isinstance(value, Office) else value for field, value in values.items()}
    if "type" in facts:
        facts["type"] = Office.Type(facts["type"]).label
    return facts
