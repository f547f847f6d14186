"""Who may give what and touch whom: rules 3 to 5 of docs/architecture.md, "Behavior rules". Services and forms both ask here."""

from __future__ import annotations

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat

from accounts.models import Organization
from lendconsole.errors import NotVisible, PermissionMissing
from teams.capabilities import Capability, Reach
from teams.errors import (
    BuiltInRoleFixed,
    MemberAboveActor,
    OfficeNotReached,
    OwnMembership,
    OwnRole,
    RoleAboveActor,
    RoleNotGivable,
)
from teams.models import Member, Office, Role


def may_give(actor: Member, role: Role) -> bool:
    """Nobody gives a role that allows anything their own does not."""
    return not role.exceeds(actor.role)


def reaches(actor: Member, target: Member, capability: Capability) -> bool:
    """Member.objects.permitted, for one member whose office is at hand."""
    return reaches_office(actor, target.office, capability)


def reaches_office(actor: Member, office: Office, capability: Capability) -> bool:
    """Office.objects.reached_by, for one office."""
    if office.organization_id != actor.organization_id:
        return False
    match actor.reach(capability):
        case Reach.ORGANIZATION:
            return True
        case Reach.OFFICE:
            return office.path.startswith(actor.office.path)
    return False


def may_touch(actor: Member, target: Member, capability: Capability) -> bool:
    """Whether the capability holds over this very member: reached, not above the actor, not the actor."""
    return reaches(actor, target, capability) and target.pk != actor.pk and may_give(actor, target.role)


def require_touch(actor: Member, target: Member, capability: Capability) -> None:
    """Raises NotVisible (404) or PermissionMissing (403) with the reason why not."""
    if not reaches(actor, target, capability):
        if not reaches(actor, target, Capability.MEMBERS_VIEW):
            raise NotVisible
        actor.require(capability)
        raise PermissionMissing(
            f"{target.name} works in an office that your permission “{capability.label}” does not reach."
        )
    if target.pk == actor.pk:
        raise OwnMembership("Nobody changes their own role or office. Ask another admin to do it.")
    if not may_give(actor, target.role):
        raise MemberAboveActor(
            f"{target.name} has the role {target.role.name}, which allows more than yours. Ask a {target.role.name}."
        )


def roles_of(organization: Organization) -> list[Role]:
    """Every role with what it holds, in one statement and in the order of the roles page."""
    return _with_reaches(Role.objects.for_organization(organization))


def _with_reaches(rows: QuerySet[Role]) -> list[Role]:
    pairs = ArrayAgg(
        Concat("permissions__capability", Value("="), "permissions__reach"),
        filter=Q(permissions__isnull=False),
        default=Value([]),
    )
    roles: list[Role] = list(rows.annotate(pairs=pairs).order_by("pk"))
    for role in roles:
        role.read_reaches(role.pairs)  # type: ignore[attr-defined]  # annotated above
    return roles


def givable_roles(actor: Member) -> list[Role]:
    """The choices of a role field, each with what it holds."""
    return [role for role in roles_of(actor.organization) if may_give(actor, role)]


def find_role(actor: Member, pk: int) -> Role:
    """The role as it is now, with what it holds. Raises NotVisible."""
    role = next(iter(_with_reaches(Role.objects.for_organization(actor.organization).filter(pk=pk))), None)
    if role is None:
        raise NotVisible
    role.organization = actor.organization
    return role


def find_among_roles(actor: Member, pk: int) -> tuple[Role, list[Role]]:
    """The role, and the others of its organization. Raises NotVisible."""
    roles = roles_of(actor.organization)
    role = next((each for each in roles if each.pk == pk), None)
    if role is None:
        raise NotVisible
    role.organization = actor.organization
    return role, [each for each in roles if each != role]


def may_edit(actor: Member, role: Role) -> bool:
    """Whether `require_editable` would let the actor through."""
    return may_clone(actor, role) and not role.built_in and role.pk != actor.role_id


def may_clone(actor: Member, role: Role) -> bool:
    """Whether the actor may make a new role that allows what this one does."""
    return actor.may(Capability.ROLES_MANAGE) and may_give(actor, role)


def require_editable(actor: Member, role: Role) -> None:
    """Raises PermissionMissing (BuiltInRoleFixed, OwnRole, RoleAboveActor) with the reason why not."""
    actor.require(Capability.ROLES_MANAGE)
    if role.built_in:
        raise BuiltInRoleFixed(f"{role.name} is a built-in role and stays as it is. Clone it and change the clone.")
    if role.pk == actor.role_id:
        raise OwnRole(f"{role.name} is your own role. Nobody changes what they may do themselves: ask another admin.")
    if not may_give(actor, role):
        raise RoleAboveActor(f"The role {role.name} allows more than yours, so you cannot change it.")


def acting_member(organization_id: int, pk: int) -> Member | None:
    """For whom the worker does something: as they are now, with what they hold. None when they have no access anymore."""
    members = Member.objects.active().filter(organization=organization_id, pk=pk)
    related = members.select_related("user", "role", "office", "organization")
    member: Member | None = related.prefetch_related("role__permissions").first()
    return member


def reached_offices(actor: Member, capability: Capability) -> QuerySet[Office]:
    """The choices of an office field: where the actor holds the capability, without the closed ones."""
    offices: QuerySet[Office] = Office.objects.reached_by(actor, capability).active()
    return offices


def eligible_heads(actor: Member) -> QuerySet[Member]:
    """Whom the actor may make the head of an office: any active member they see, wherever that one works."""
    members: QuerySet[Member] = Member.objects.visible_to(actor).active().select_related("user", "office")
    return members


def require_givable(actor: Member, role: Role) -> Role:
    """The role as it is now. Raises RoleNotGivable, also for a role of another organization."""
    present = (
        Role.objects.for_organization(actor.organization).prefetch_related("permissions").filter(pk=role.pk).first()
    )
    if present is None:
        raise RoleNotGivable("This role is not available. Choose another one.")
    if not may_give(actor, present):
        raise RoleNotGivable(f"The role {present.name} allows more than yours, so you cannot give it.")
    return present


def require_reached(actor: Member, office: Office, capability: Capability) -> Office:
    """The office as it is now. Raises OfficeNotReached."""
    present = reached_offices(actor, capability).filter(pk=office.pk).first()
    if present is None:
        raise OfficeNotReached("This office is not available. Choose another one.")
    return present
