"""The roles that an organization makes itself. In force on the next request of everybody who holds one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Organization
from audit.models import AuditEvent
from audit.services import event, record
from audit.verbs import Verb
from lendconsole.errors import PermissionMissing, StaleVersion
from teams.capabilities import Capability, Reach
from teams.emails import announce_role
from teams.errors import NameTaken, ReachAboveActor, ReachNotPossible, RoleInUse, RoleNotGivable
from teams.models import Invitation, Member, Role, RolePermission
from teams.policy import find_role, require_editable, require_givable
from teams.role_words import differences, holdings
from teams.services.guards import keep_all_customers_served, lock_holders, lock_team

Reaches = Mapping[Capability, Reach]


@transaction.atomic
def create_role(*, actor: Member, name: str, description: str, reaches: Reaches) -> Role:
    """A new role, which nobody holds yet. Raises PermissionMissing, NameTaken, ReachNotPossible or ReachAboveActor."""
    actor = lock_team(actor)
    actor.require(Capability.ROLES_MANAGE)
    _refuse_taken_name(actor.organization, name)
    _refuse_reaches(actor, reaches)
    role = _add(actor, name, description, reaches)
    record(actor=actor, verb=Verb.ROLE_CREATED, target=role, after={**_named(role), **holdings(reaches)})
    return role


@transaction.atomic
def clone_role(*, actor: Member, role: Role, name: str, description: str = "") -> Role:
    """A new role that allows exactly what this one does, also when this one is built in.

    Raises NotVisible, PermissionMissing, NameTaken or ReachAboveActor.
    """
    actor = lock_team(actor)
    source = find_role(actor, role.pk)
    actor.require(Capability.ROLES_MANAGE)
    _refuse_taken_name(actor.organization, name)
    _refuse_reaches(actor, source.reaches)
    clone = _add(actor, name, description or source.description, source.reaches)
    after = {**_named(clone), "clone_of": source.name, **holdings(source.reaches)}
    record(actor=actor, verb=Verb.ROLE_CREATED, target=clone, after=after)
    return clone


@transaction.atomic
def change_role_permissions(
    *, actor: Member, role: Role, name: str, description: str, reaches: Reaches, version: int, effect: str = ""
) -> Role:
    """Rename the role and change what it allows. The same facts again change nothing.

    `effect` says in words what that does to people, for the log. Raises NotVisible, PermissionMissing (BuiltInRoleFixed,
    OwnRole, RoleAboveActor), NameTaken, ReachNotPossible, ReachAboveActor, HoldsCustomers or StaleVersion.
    """
    actor = lock_team(actor)
    present = find_role(actor, role.pk)
    require_editable(actor, present)
    wanted = _held(reaches)
    if (name, description, wanted) == (present.name, present.description, present.reaches):
        return present
    if version != present.version:
        raise StaleVersion(
            f"Somebody changed the role {present.name} while you had this open. Open it again to go on from there."
        )
    _refuse_taken_name(actor.organization, name, but=present)
    _refuse_reaches(actor, wanted)
    if present.reach(Capability.CUSTOMERS_VIEW) > wanted.get(Capability.CUSTOMERS_VIEW, Reach.NONE) == Reach.NONE:
        keep_all_customers_served(
            lock_holders(present),
            because="the role would not open customers anymore",
            field=Capability.CUSTOMERS_VIEW.field_name,
        )
    _record_change(actor, present, name, description, wanted, effect)
    Role.objects.filter(pk=present.pk).update(name=name, description=description, version=F("version") + 1)
    _write_reaches(present, wanted)
    return find_role(actor, role.pk)


@transaction.atomic
def delete_role(*, actor: Member, role: Role, replacement: Role | None = None, effect: str = "") -> None:
    """Take the role away. Who holds it or is invited to it gets the replacement.

    Raises NotVisible, PermissionMissing (BuiltInRoleFixed, OwnRole, RoleAboveActor), RoleInUse, RoleNotGivable or
    HoldsCustomers.
    """
    actor = lock_team(actor)
    present = find_role(actor, role.pk)
    require_editable(actor, present)
    members = lock_holders(present)
    invitations = _lock_invitations(present)
    after: dict[str, Any] = {}
    if members or invitations:
        replacement = _require_replacement(actor, present, replacement, members)
        _move(actor, present, replacement, members, invitations)
        after = {
            "replacement": replacement.name,
            "members": [member.name for member in members],
            "invitations": [str(invitation) for invitation in invitations],
        }
    if effect:
        after["effect"] = effect
    before = {**_named(present), **holdings(present.reaches)}
    record(actor=actor, verb=Verb.ROLE_DELETED, target=present, before=before, after=after)
    present.permissions.all().delete()
    Role.objects.filter(pk=present.pk).update(deleted_at=timezone.now(), version=F("version") + 1)


def _held(reaches: Reaches) -> dict[Capability, Reach]:
    return {capability: reach for capability, reach in reaches.items() if reach > Reach.NONE}


def _named(role: Role) -> dict[str, str]:
    return {"name": role.name, "description": role.description}


def _refuse_taken_name(organization: Organization, name: str, but: Role | None = None) -> None:
    same = Role.objects.for_organization(organization).filter(name__iexact=name)
    if same.exclude(pk=but.pk if but else 0).exists():
        raise NameTaken(f"There is already a role called {name}.")


def _refuse_reaches(actor: Member, reaches: Reaches) -> None:
    """Nobody grants what they do not hold, and no permission reaches in a way that makes no sense for it."""
    for capability, reach in reaches.items():
        if reach not in capability.reaches:
            raise ReachNotPossible(
                f"“{capability.label}” has no reach “{reach.label}”. Choose another one.", field=capability.field_name
            )
        if reach > actor.role.reach(capability):
            raise ReachAboveActor(
                f"Your role, {actor.role.name}, does not hold “{capability.label}” that far, so you cannot give it.",
                field=capability.field_name,
            )


def _add(actor: Member, name: str, description: str, reaches: Reaches) -> Role:
    role: Role = Role.objects.create(organization=actor.organization, name=name, description=description)
    _write_reaches(role, _held(reaches))
    return role


def _write_reaches(role: Role, reaches: Reaches) -> None:
    role.permissions.exclude(capability__in=list(reaches)).delete()
    RolePermission.objects.bulk_create(
        [
            RolePermission(organization_id=role.organization_id, role=role, capability=capability, reach=reach)
            for capability, reach in reaches.items()
        ],
        update_conflicts=True,
        unique_fields=["role", "capability"],
        update_fields=["reach"],
    )
    role.reaches = dict(reaches)


def _record_change(actor: Member, role: Role, name: str, description: str, reaches: Reaches, effect: str) -> None:
    before, after = differences(role.reaches, reaches)
    for field, value in (("name", name), ("description", description)):
        if value != getattr(role, field):
            before[field], after[field] = getattr(role, field), value
    if effect:
        after["effect"] = effect
    record(actor=actor, verb=Verb.ROLE_CHANGED, target=role, before=before, after=after)


def _lock_invitations(role: Role) -> list[Invitation]:
    """Those that can still be accepted or sent again."""
    return list(
        Invitation.objects.pending()
        .for_organization(role.organization)
        .filter(role=role)
        .order_by("pk")
        .select_for_update(of=("self",))
    )


def _require_replacement(actor: Member, role: Role, replacement: Role | None, members: Sequence[Member]) -> Role:
    if replacement is None or replacement.pk == role.pk:
        raise RoleInUse(f"{role.name} is in use. Choose the role that takes its place.")
    try:
        replacement = require_givable(actor, replacement)
    except RoleNotGivable as error:
        raise RoleNotGivable(str(error), field="replacement") from error
    reached = Member.objects.permitted(actor, Capability.MEMBERS_MANAGE)
    if reached.filter(pk__in=[member.pk for member in members]).count() < len(members):
        actor.require(Capability.MEMBERS_MANAGE)
        raise PermissionMissing(
            f"Some who have the role {role.name} work in offices that your permission "
            f"“{Capability.MEMBERS_MANAGE.label}” does not reach."
        )
    if replacement.reach(Capability.CUSTOMERS_VIEW) == Reach.NONE:
        because = f"the role {replacement.name} does not open customers"
        keep_all_customers_served(members, because=because, field="replacement")
    return replacement


def _move(
    actor: Member, role: Role, replacement: Role, members: Sequence[Member], invitations: Sequence[Invitation]
) -> None:
    """An invitation whose inviter may not give the replacement is withdrawn by the rule of its acceptance."""
    Member.objects.filter(pk__in=[member.pk for member in members]).update(role=replacement, version=F("version") + 1)
    Invitation.objects.filter(pk__in=[invitation.pk for invitation in invitations]).update(role=replacement)
    lines = []
    for member in members:
        member.organization, member.role, member.version = actor.organization, replacement, member.version + 1
        lines.append(
            event(
                actor=actor,
                verb=Verb.MEMBER_ROLE_CHANGED,
                target=member,
                before={"role": role.name},
                after={"role": replacement.name},
                reason=f"The role {role.name} was deleted",
            )
        )
        if member.is_active:
            announce_role(member=member, former=role, actor=actor)
    AuditEvent.objects.bulk_create(lines)
