"""What happens around the end of an invitation's days: one reminder before it, and one request for a new link after it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from lendconsole.tenancy import current_organization_id
from teams.emails import announce_request, remind_of_invitation
from teams.invitation_links import Ticket
from teams.models import Invitation
from teams.services.admission import InvitationNotAcceptable, Standing, end_of, find_invitation, still_offered

REMIND_BEFORE: Final = timedelta(days=2)


@transaction.atomic
def ask_for_invitation(*, ticket: Ticket) -> Invitation:
    """Note on an expired invitation that the holder of its latest link wants a new one, and tell the inviter once.

    Asking again changes nothing. Raises InvitationNotAcceptable for every link that is not just expired.
    """
    Invitation.objects.select_for_update().filter(
        organization=current_organization_id(), pk=ticket.invitation_id
    ).first()
    invitation = find_invitation(ticket)
    standing = end_of(invitation, ticket) if invitation and invitation.organization.is_active else Standing.BROKEN
    if invitation is None or standing != Standing.EXPIRED:
        raise InvitationNotAcceptable(standing or Standing.NEW_PERSON)
    if invitation.asked_at is not None:
        return invitation
    invitation.asked_at = timezone.now()
    invitation.save(update_fields=["asked_at"])
    record(actor=None, verb=Verb.INVITATION_ASKED_FOR, target=invitation)
    announce_request(invitation=invitation)
    return invitation


@transaction.atomic
def remind_invited(*, organization: Organization) -> int:
    """Queue one reminder for each link that ends within two days and would still be honored. How many there were.

    The key of the e-mail makes it one per link, however often this runs.
    """
    now = timezone.now()
    ending = (
        Invitation.objects.in_state(Invitation.State.WAITING)
        .for_organization(organization)
        .filter(expires_at__lte=now + REMIND_BEFORE, sent_at__lt=now - timedelta(days=1))
        .select_related("organization", "role", "office", "invited_by__user")
        .prefetch_related("role__permissions")
    )
    due = [invitation for invitation in ending if still_offered(invitation)]
    return sum(remind_of_invitation(invitation=invitation) for invitation in due)
