"""Role, office and status of team members. In force on the member's next request: nothing of it is cached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.services import end_all_sessions
from audit.services import record
from audit.verbs import Verb
from lendconsole.errors import NotVisible, StaleVersion
from notifications.letters import label_of, switches
from teams.capabilities import Capability, Reach
from teams.emails import announce_deactivation, announce_role
from teams.errors import EmailAlwaysSent, OfficeClosed
from teams.models import Invitation, Member, Office, Role
from teams.policy import require_givable, require_reached, require_touch
from teams.services.guards import keep_a_super_admin, keep_customers_served, lock_member, lock_team
from teams.services.offices import release_offices


@transaction.atomic
def change_member(*, actor: Member, member: Member, role: Role, office: Office, version: int) -> Member:
    """Give the member this role and this office. The same ones again change nothing.

    Raises NotVisible, PermissionMissing (OwnMembership, MemberAboveActor), RoleNotGivable, OfficeNotReached,
    LastSuperAdmin, HoldsCustomers or StaleVersion.
    """
    actor, member = _lock_both(actor, member, Capability.MEMBERS_MANAGE)
    if (role, office) == (member.role, member.office):
        return member
    if version != member.version:
        raise StaleVersion(
            f"Somebody changed {member.name} while you had this open: now {member.role.name}, {member.office.name}. "
            "Open it again to go on from there."
        )
    former_role, former_office = member.role, member.office
    if role != former_role:
        role = require_givable(actor, role)
        _refuse_role(member, role)
    if office != former_office:
        office = require_reached(actor, office, Capability.MEMBERS_MANAGE)
    _write(member, role=role, office=office)
    if role != former_role:
        _record(actor, Verb.MEMBER_ROLE_CHANGED, member, role=(former_role.name, role.name))
        if member.is_active:
            announce_role(member=member, former=former_role, actor=actor)
    if office != former_office:
        _record(actor, Verb.MEMBER_OFFICE_CHANGED, member, office=(former_office.name, office.name))
    return member


@transaction.atomic
def deactivate_member(*, actor: Member, member: Member) -> Member:
    """End the member's access to this organization at once. What they did and held stays on record.

    Raises NotVisible, PermissionMissing, LastSuperAdmin, or HoldsCustomers while customers are dedicated to them.
    """
    actor, member = _lock_both(actor, member, Capability.MEMBERS_DEACTIVATE)
    if member.status == Member.Status.DEACTIVATED:
        return member
    keep_a_super_admin(member)
    keep_customers_served(member, because="a deactivated member cannot act for anybody")
    _write(member, status=Member.Status.DEACTIVATED, deactivated_at=timezone.now())
    release_offices(actor, member)
    _record(actor, Verb.MEMBER_DEACTIVATED, member, status=("Active", "Deactivated"))
    announce_deactivation(member=member)
    return member


@transaction.atomic
def reactivate_member(*, actor: Member, member: Member) -> Member:
    """Let the member back in with the role and office they had. Their open invitations are no longer needed and end.

    Raises NotVisible, PermissionMissing, or OfficeClosed when the office was closed meanwhile.
    """
    actor, member = _lock_both(actor, member, Capability.MEMBERS_DEACTIVATE)
    if member.status == Member.Status.ACTIVE:
        return member
    if not member.office.is_active:
        raise OfficeClosed(
            f"{member.office.name} is not active anymore. Choose another office for {member.name} first, under “Manage user”."
        )
    _write(member, status=Member.Status.ACTIVE, deactivated_at=None)
    now = timezone.now()
    Invitation.objects.pending().for_organization(actor.organization).filter(email=member.user.email).update(
        revoked_at=now, revoked_by=actor
    )
    _record(actor, Verb.MEMBER_REACTIVATED, member, status=("Deactivated", "Active"))
    return member


@transaction.atomic
def remove_member(*, actor: Member, member: Member) -> Member:
    """Take the member off the team: no access, no place in any list, only history. A new invitation brings them back.

    Removing again changes nothing. Raises NotVisible, PermissionMissing, LastSuperAdmin or HoldsCustomers.
    """
    actor, member = _lock_both(actor, member, Capability.MEMBERS_DEACTIVATE, removed_too=True)
    if member.status == Member.Status.REMOVED:
        return member
    was_active = member.status == Member.Status.ACTIVE
    status = member.get_status_display()
    _take_off(actor, member, because="somebody who was removed cannot act for anybody")
    _record(actor, Verb.MEMBER_REMOVED, member, status=(status, "Removed"))
    if was_active:
        announce_deactivation(member=member)
    return member


@transaction.atomic
def leave_organization(*, actor: Member) -> Member:
    """The actor's own way out. Raises PermissionMissing, LastSuperAdmin, or HoldsCustomers while customers are theirs."""
    actor = lock_team(actor)
    member = lock_member(actor.organization, actor)
    if member is None:
        raise NotVisible
    _take_off(actor, member, because="somebody who has left cannot act for anybody")
    record(actor=actor, verb=Verb.MEMBER_LEFT, target=actor.organization, before={"role": member.role.name})
    return member


@transaction.atomic
def choose_own_emails(*, actor: Member, muted: Sequence[str]) -> Member:
    """Which e-mails of this organization the actor does not want. Raises PermissionMissing or EmailAlwaysSent."""
    actor = lock_team(actor)
    wanted = sorted(set(muted))
    if set(wanted) - {kind for kind, _ in switches(personal_only=True)}:
        raise EmailAlwaysSent("E-mails of this kind are always sent.")
    before = sorted(actor.muted_emails)
    if wanted == before:
        return actor
    Member.objects.filter(pk=actor.pk).update(muted_emails=wanted)  # no new version: it is no admin's business
    actor.muted_emails = wanted
    former, present = ([label_of(kind) for kind in kinds] for kinds in (before, wanted))
    record(
        actor=actor,
        verb=Verb.MEMBER_EMAILS_CHANGED,
        target=actor,
        before={"muted_emails": former},
        after={"muted_emails": present},
    )
    return actor


@transaction.atomic
def export_members(*, actor: Member, count: int, filters: dict[str, str]) -> None:
    """Write down who took so many members out of the console, and by which filters. Raises PermissionMissing."""
    actor.require(Capability.MEMBERS_VIEW)
    record(
        actor=actor, verb=Verb.MEMBERS_EXPORTED, target=actor.organization, after={"members": count, "filters": filters}
    )


def _take_off(actor: Member, member: Member, *, because: str) -> None:
    keep_a_super_admin(member)
    keep_customers_served(member, because=because)
    _write(member, status=Member.Status.REMOVED, deactivated_at=timezone.now())
    release_offices(actor, member)


@transaction.atomic
def end_member_sessions(*, actor: Member, member: Member) -> Member:
    """Sign the member out in every browser; the login is theirs, so other lenders' consoles ask them to sign in too.

    Raises NotVisible or PermissionMissing.
    """
    actor, member = _lock_both(actor, member, Capability.MEMBERS_DEACTIVATE)
    end_all_sessions(user=member.user)
    record(actor=actor, verb=Verb.MEMBER_SESSIONS_ENDED, target=member)
    return member


def _lock_both(
    actor: Member, member: Member, capability: Capability, *, removed_too: bool = False
) -> tuple[Member, Member]:
    actor = lock_team(actor)
    present = lock_member(actor.organization, member)
    if present is None or (present.status == Member.Status.REMOVED and not removed_too):
        raise NotVisible
    require_touch(actor, present, capability)
    return actor, present


def _refuse_role(member: Member, role: Role) -> None:
    if not role.is_super_admin:
        keep_a_super_admin(member)
    if role.reach(Capability.CUSTOMERS_VIEW) == Reach.NONE:
        keep_customers_served(member, because=f"the role {role.name} does not open customers")


def _write(member: Member, **changes: Any) -> None:
    Member.objects.filter(pk=member.pk).update(**changes, version=F("version") + 1)
    for name, value in {**changes, "version": member.version + 1}.items():
        setattr(member, name, value)


def _record(actor: Member, verb: Verb, member: Member, **changes: tuple[str, str]) -> None:
    record(
        actor=actor,
        verb=verb,
        target=member,
        before={name: before for name, (before, _) in changes.items()},
        after={name: after for name, (_, after) in changes.items()},
    )
