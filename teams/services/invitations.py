"""Offering a place in the team: invite, send again, revoke. Taking it up is in teams.services.admission."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Organization, User
from audit.models import AuditEvent
from audit.services import record
from audit.verbs import Verb
from lendconsole.errors import NotVisible, StaleVersion
from notifications.models import OutgoingEmail
from notifications.services import cancel_emails
from teams.capabilities import Capability
from teams.emails import INVITATION, announce_invitation, invitation_topic
from teams.errors import AlreadyInvited, AlreadyMember, InvitationClosed, MemberAboveActor, TooManyInvitations
from teams.models import Invitation, Member, Office, Role
from teams.policy import may_give, require_givable, require_reached
from teams.services.guards import lock_team

PER_INVITER_AND_HOUR: Final = 50
PER_RECIPIENT_AND_DAY: Final = 5


@transaction.atomic
def invite_member(
    *, actor: Member, email: str, first_name: str, last_name: str, role: Role, office: Office
) -> Invitation:
    """Offer the role and the office to the address, by e-mail.

    Raises PermissionMissing, RoleNotGivable, OfficeNotReached, AlreadyMember, AlreadyInvited or TooManyInvitations.
    """
    actor = lock_team(actor)
    actor.require(Capability.MEMBERS_INVITE)
    return offer_place(actor, email=email, first_name=first_name, last_name=last_name, role=role, office=office)


def offer_place(
    actor: Member, *, email: str, first_name: str, last_name: str, role: Role, office: Office
) -> Invitation:
    """The rules and the writing of `invite_member`, for an actor who was locked and may invite."""
    role = require_givable(actor, role)
    office = require_reached(actor, office, Capability.MEMBERS_INVITE)
    email = User.objects.normalize_email(email)
    _refuse_members(actor, email)
    _replace_expired(actor, email)
    _keep_limits(actor, email)
    return issue_invitation(
        organization=actor.organization,
        actor=actor,
        email=email,
        first_name=first_name,
        last_name=last_name,
        role=role,
        office=office,
    )


def issue_invitation(
    *,
    organization: Organization,
    actor: Member | None,
    email: str,
    first_name: str,
    last_name: str,
    role: Role,
    office: Office,
) -> Invitation:
    """Write the invitation and its letter. Without an actor an operator invites (create_organization)."""
    invitation = Invitation.objects.create(
        organization=organization,
        email=email,
        first_name=first_name,
        last_name=last_name,
        role=role,
        office=office,
        invited_by=actor,
        expires_at=_expiry(organization),
    )
    record(
        actor=actor,
        verb=Verb.MEMBER_INVITED,
        target=invitation,
        after={"email": email, "role": role.name, "office": office.name},
    )
    announce_invitation(invitation=invitation)
    return invitation


@transaction.atomic
def resend_invitation(*, actor: Member, invitation: Invitation) -> Invitation:
    """A new link and a new date; every link sent before is dead. From now on it is the actor who invites.

    Raises NotVisible, PermissionMissing, InvitationClosed, RoleNotGivable, OfficeNotReached, AlreadyMember or
    TooManyInvitations.
    """
    actor = lock_team(actor)
    invitation = _lock_pending(actor, invitation)
    require_givable(actor, invitation.role)
    require_reached(actor, invitation.office, Capability.MEMBERS_INVITE)
    _refuse_members(actor, invitation.email)
    _keep_limits(actor, invitation.email)
    invitation.renew_nonce()
    invitation.invited_by = actor
    invitation.sent_at, invitation.expires_at = timezone.now(), _expiry(actor.organization)
    invitation.times_sent += 1
    invitation.asked_at = None
    invitation.save(update_fields=["nonce", "invited_by", "sent_at", "expires_at", "times_sent", "asked_at"])
    record(actor=actor, verb=Verb.INVITATION_RESENT, target=invitation, after={"times_sent": invitation.times_sent})
    announce_invitation(invitation=invitation)
    return invitation


@transaction.atomic
def change_invitation(*, actor: Member, invitation: Invitation, role: Role, office: Office, version: int) -> Invitation:
    """Another role or office before anybody accepted; the link stays as it is. From now on it is the actor who invites.

    Raises NotVisible, PermissionMissing (MemberAboveActor), InvitationClosed, RoleNotGivable, OfficeNotReached or
    StaleVersion.
    """
    actor = lock_team(actor)
    invitation = _lock_pending(actor, invitation)
    _refuse_above(actor, invitation)
    if (role, office) == (invitation.role, invitation.office):
        return invitation
    if version != invitation.version:
        raise StaleVersion(
            f"Somebody changed this invitation while you had it open: now {invitation.role.name}, "
            f"{invitation.office.name}. Open it again to go on from there."
        )
    before = _place(invitation)
    invitation.role = require_givable(actor, role)
    invitation.office = require_reached(actor, office, Capability.MEMBERS_INVITE)
    invitation.invited_by = actor
    invitation.version += 1
    invitation.save(update_fields=["role", "office", "invited_by", "version"])
    after = {name: value for name, value in _place(invitation).items() if value != before[name]}
    record(
        actor=actor,
        verb=Verb.INVITATION_CHANGED,
        target=invitation,
        before={name: before[name] for name in after},
        after=after,
    )
    return invitation


def _place(invitation: Invitation) -> dict[str, str]:
    return {"role": invitation.role.name, "office": invitation.office.name}


@transaction.atomic
def revoke_invitation(*, actor: Member, invitation: Invitation) -> Invitation:
    """Make the link worthless. Revoking again changes nothing. Raises NotVisible, PermissionMissing or InvitationClosed."""
    actor = lock_team(actor)
    if invitation_of(actor, invitation.pk).revoked_at is not None:
        return invitation
    invitation = _lock_pending(actor, invitation)
    _refuse_above(actor, invitation)
    _revoke(actor, invitation)
    cancel_emails(invitation_topic(invitation), "The invitation was revoked.")
    return invitation


def _refuse_above(actor: Member, invitation: Invitation) -> None:
    if not may_give(actor, invitation.role):
        raise MemberAboveActor(
            f"This invitation is for the role {invitation.role.name}, which allows more than yours. "
            f"Ask a {invitation.role.name}."
        )


def invitation_of(actor: Member, pk: int) -> Invitation:
    """Raises NotVisible."""
    invitation = _visible(actor).filter(pk=pk).first()
    if invitation is None:
        raise NotVisible
    return invitation


def _visible(actor: Member) -> QuerySet[Invitation]:
    invitations: QuerySet[Invitation] = Invitation.objects.visible_to(actor).select_related(
        "organization", "role", "office", "invited_by__user"
    )
    return invitations


def _lock_pending(actor: Member, invitation: Invitation) -> Invitation:
    present = _visible(actor).select_for_update(of=("self",)).filter(pk=invitation.pk).first()
    if present is None:
        raise NotVisible
    if present.accepted_at is not None:
        raise InvitationClosed(f"{present.name} has already accepted this invitation.")
    if present.revoked_at is not None:
        raise InvitationClosed("This invitation was revoked. Invite the person again instead.")
    return present


def _revoke(actor: Member, invitation: Invitation, reason: str = "") -> None:
    invitation.revoked_at, invitation.revoked_by = timezone.now(), actor
    invitation.save(update_fields=["revoked_at", "revoked_by"])
    record(actor=actor, verb=Verb.INVITATION_REVOKED, target=invitation, reason=reason)


def _refuse_members(actor: Member, email: str) -> None:
    member = (
        Member.objects.for_organization(actor.organization)
        .select_related("user", "role")
        .prefetch_related("role__permissions")
        .filter(user__email=email)
        .first()
    )
    if member is None:
        return
    if member.status == Member.Status.ACTIVE:
        raise AlreadyMember(f"{email} is already a team member: {member.name}, {member.role.name}.")
    if not may_give(actor, member.role):
        raise MemberAboveActor(
            f"{member.name} was a {member.role.name}, a role that allows more than yours. "
            f"Ask a {member.role.name} to bring them back."
        )


def _replace_expired(actor: Member, email: str) -> None:
    """One address has one pending invitation. An expired one makes room for the new one."""
    pending = Invitation.objects.pending().for_organization(actor.organization).filter(email=email).first()
    if pending is None:
        return
    if not pending.is_expired:
        raise AlreadyInvited(f"{email} already has an open invitation. Send it again from the tab “Invited”.")
    _revoke(actor, pending, reason="Replaced by a new invitation")


def _keep_limits(actor: Member, email: str) -> None:
    """So that nobody floods a mailbox or uses the console to send spam."""
    now = timezone.now()
    sent_by_actor = AuditEvent.objects.filter(
        organization=actor.organization,
        actor_id=actor.pk,
        verb__in=[Verb.MEMBER_INVITED, Verb.INVITATION_RESENT],
        at__gt=now - timedelta(hours=1),
    )
    if sent_by_actor.count() >= PER_INVITER_AND_HOUR:
        raise TooManyInvitations(
            f"You have sent {PER_INVITER_AND_HOUR} invitations in the last hour. Go on in a while."
        )
    sent_to_address = OutgoingEmail.objects.filter(
        organization=actor.organization, kind=INVITATION, recipient=email, created_at__gt=now - timedelta(days=1)
    )
    if sent_to_address.count() >= PER_RECIPIENT_AND_DAY:
        raise TooManyInvitations(
            f"{email} got {PER_RECIPIENT_AND_DAY} invitations in the last 24 hours. Wait a day before the next one.",
            field="email",
        )


def _expiry(organization: Organization) -> datetime:
    return timezone.now() + timedelta(days=organization.invitation_days)
