"""Taking up an invitation: what the link means right now, and the one acceptance that it allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from accounts.services import create_login
from audit.services import record
from audit.verbs import Verb
from lendconsole.errors import DomainError
from lendconsole.tenancy import current_organization_id
from teams.capabilities import Capability
from teams.invitation_links import Ticket
from teams.models import Invitation, Member
from teams.policy import may_give, reached_offices
from teams.services.guards import lock_organization


class Standing(StrEnum):
    """What an invitation means to whoever holds its link. Each has a part of its own in templates/teams/invitation/."""

    NEW_PERSON = "new_person"
    EXISTING_LOGIN = "existing_login"
    FORMER_MEMBER = "former_member"
    SIGN_IN = "sign_in"
    OTHER_ACCOUNT = "other_account"
    ALREADY_MEMBER = "already_member"
    BROKEN = "broken"
    REPLACED = "replaced"
    EXPIRED = "expired"
    REVOKED = "revoked"
    USED = "used"
    WITHDRAWN = "withdrawn"

    @property
    def can_accept(self) -> bool:
        return self in {Standing.NEW_PERSON, Standing.EXISTING_LOGIN, Standing.FORMER_MEMBER}

    @property
    def is_over(self) -> bool:
        """No way of signing in makes this link work again."""
        return self in {
            Standing.BROKEN,
            Standing.REPLACED,
            Standing.EXPIRED,
            Standing.REVOKED,
            Standing.USED,
            Standing.WITHDRAWN,
        }


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What a person without a login says about themselves. The password is checked by the form."""

    first_name: str
    last_name: str
    password: str


class InvitationNotAcceptable(DomainError):
    """The invitation cannot be accepted like this; `standing` says why. Nothing was consumed."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        super().__init__(f"This invitation cannot be accepted: {standing}.")


def find_invitation(ticket: Ticket | None) -> Invitation | None:
    """The invitation of the current organization that the ticket names, whatever has become of it."""
    if ticket is None:
        return None
    return (
        Invitation.objects.filter(organization=current_organization_id(), pk=ticket.invitation_id)
        .select_related("organization", "role", "office", "invited_by__user", "accepted_by")
        .prefetch_related("role__permissions")
        .first()
    )


def standing_of(invitation: Invitation | None, ticket: Ticket | None, user: User | AnonymousUser) -> Standing:
    """The one rule; the page shows it and the acceptance obeys it."""
    if invitation is None or ticket is None or not invitation.organization.is_active:
        return Standing.BROKEN
    return end_of(invitation, ticket) or _standing_of_person(invitation, user)


def end_of(invitation: Invitation, ticket: Ticket) -> Standing | None:
    """Why this link works for nobody anymore; None while it does."""
    ends = {
        Standing.USED: invitation.accepted_at is not None,
        Standing.REVOKED: invitation.revoked_at is not None,
        Standing.REPLACED: not ticket.opens(invitation),
        Standing.EXPIRED: invitation.is_expired,
    }
    end = next((standing for standing, holds in ends.items() if holds), None)
    return end or (None if still_offered(invitation) else Standing.WITHDRAWN)


def still_offered(invitation: Invitation) -> bool:
    """Whether the inviter is still there and may still give this role in this office."""
    if invitation.invited_by_id is None:
        return invitation.office.is_active
    inviter = (
        Member.objects.active()
        .select_related("organization", "user", "office", "role")
        .prefetch_related("role__permissions")
        .filter(pk=invitation.invited_by_id)
        .first()
    )
    if inviter is None or not may_give(inviter, invitation.role):
        return False
    return reached_offices(inviter, Capability.MEMBERS_INVITE).filter(pk=invitation.office_id).exists()


def _standing_of_person(invitation: Invitation, user: User | AnonymousUser) -> Standing:
    if user.is_authenticated and not _is_addressed_to(invitation, user):
        return Standing.OTHER_ACCOUNT
    if not user.is_authenticated:
        has_login = User.objects.filter(email=invitation.email).exists()
        return Standing.SIGN_IN if has_login else Standing.NEW_PERSON
    member = _membership(invitation, user)
    if member is None:
        return Standing.EXISTING_LOGIN
    return Standing.ALREADY_MEMBER if member.status == Member.Status.ACTIVE else Standing.FORMER_MEMBER


def _is_addressed_to(invitation: Invitation, user: User) -> bool:
    """Only an address that the login has proven to own counts."""
    proven = EmailAddress.objects.filter(user=user, email=invitation.email, verified=True).exists()
    return user.email == invitation.email and proven


def _membership(invitation: Invitation, user: User) -> Member | None:
    member: Member | None = Member.objects.for_organization(invitation.organization).filter(user=user).first()
    return member


@transaction.atomic
def accept_invitation(*, ticket: Ticket, user: User | AnonymousUser, newcomer: Newcomer | None = None) -> Member:
    """Make the person a member, once, with the role and office of the invitation.

    A newcomer gets a login with a verified address; an existing login must be signed in as the invited address, and its
    password is never touched; a former member comes back. Raises InvitationNotAcceptable.
    """
    lock_organization(current_organization_id())
    Invitation.objects.select_for_update().filter(
        organization=current_organization_id(), pk=ticket.invitation_id
    ).first()
    invitation = find_invitation(ticket)
    standing = standing_of(invitation, ticket, user)
    if invitation is None or not standing.can_accept:
        raise InvitationNotAcceptable(standing)
    if isinstance(user, User):
        login = user
    elif newcomer is not None:
        login = _create_login(invitation, newcomer)
    else:
        raise InvitationNotAcceptable(standing)
    member = _admit(invitation, login)
    _close(invitation, member)
    record(
        actor=member,
        verb=Verb.INVITATION_ACCEPTED,
        target=invitation.organization,
        after={"role": invitation.role.name, "office": invitation.office.name, "outcome": standing.replace("_", " ")},
    )
    return member


def _create_login(invitation: Invitation, newcomer: Newcomer) -> User:
    """Another lender's invitation to the same address may have made the login a moment ago; then signing in is the way."""
    try:
        return create_login(
            email=invitation.email,
            first_name=newcomer.first_name,
            last_name=newcomer.last_name,
            password=newcomer.password,
        )
    except IntegrityError:
        raise InvitationNotAcceptable(Standing.SIGN_IN) from None


def _admit(invitation: Invitation, user: User) -> Member:
    place = {"role": invitation.role, "office": invitation.office}
    former = _membership(invitation, user)
    if former is None:
        return Member.objects.create(organization=invitation.organization, user=user, **place)
    Member.objects.filter(pk=former.pk).update(
        **place, status=Member.Status.ACTIVE, deactivated_at=None, version=F("version") + 1
    )
    former.refresh_from_db()
    return former


def _close(invitation: Invitation, member: Member) -> None:
    invitation.accepted_at, invitation.accepted_by = timezone.now(), member
    invitation.save(update_fields=["accepted_at", "accepted_by"])
