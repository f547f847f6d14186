"""Letters to members and to those who are invited. Each looks again, when it is sent, whether it still holds."""

from __future__ import annotations

import zoneinfo
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from notifications.letters import Undeliverable, letter
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from notifications.services import cancel_emails, queue_email
from teams.invitation_links import invitation_url
from teams.models import Invitation, Member, Role

INVITATION: Final = "teams/invitation"
REMINDER: Final = "teams/invitation_reminder"
ASKED_FOR: Final = "teams/invitation_asked_for"
ROLE_CHANGED: Final = "teams/role_changed"
DEACTIVATED: Final = "teams/deactivated"


def respect_wishes(member: Member, email: OutgoingEmail) -> None:
    """Raises Undeliverable when the member has switched off e-mails of this kind."""
    if email.kind in member.muted_emails:
        raise Undeliverable(f"{email.recipient_label} has switched off e-mails of this kind.")


def invitation_topic(invitation: Invitation) -> str:
    return f"invitation:{invitation.pk}"


def announce_invitation(*, invitation: Invitation) -> None:
    """Queue the letter with the link, in place of one that was not sent yet."""
    topic = invitation_topic(invitation)
    cancel_emails(topic, "The invitation was sent again.")
    inviter = invitation.invited_by
    queue_email(
        kind=INVITATION,
        dedupe_key=f"{topic}:{invitation.times_sent}",
        recipient=invitation.email,
        recipient_label=invitation.name,
        payload={
            "invitation": invitation.pk,
            "times_sent": invitation.times_sent,
            "first_name": invitation.first_name,
            "inviter": inviter.name if inviter else "",
            "role": invitation.role.name,
            "office": invitation.office.name,
            "lender": invitation.organization.name,
        },
        topic=topic,
    )


@letter(INVITATION)
def invitation_letter(email: OutgoingEmail) -> dict[str, Any]:
    """The link is made here; a letter that was overtaken by a newer one or a revocation is not sent."""
    invitation = (
        Invitation.objects.open()
        .select_related("organization", "invited_by__user", "role", "office")
        .filter(pk=email.payload["invitation"], times_sent=email.payload["times_sent"])
        .first()
    )
    if invitation is None:
        raise Undeliverable("The invitation was accepted, revoked, sent again or expired.")
    return invitation_facts(invitation)


def invitation_facts(invitation: Invitation) -> dict[str, Any]:
    """As they are when the letter leaves: role and office may have changed since it was queued."""
    return {
        "link": invitation_url(invitation),
        "expires": _written(invitation),
        "inviter": invitation.invited_by.name if invitation.invited_by else "",
        "role": invitation.role.name,
        "office": invitation.office.name,
    }


def remind_of_invitation(*, invitation: Invitation) -> bool:
    """Once for each link that was sent. False when this link was reminded of already."""
    key = f"{invitation_topic(invitation)}:reminder:{invitation.times_sent}"
    if OutgoingEmail.objects.filter(organization=invitation.organization, dedupe_key=key).exists():
        return False
    queue_email(
        kind=REMINDER,
        dedupe_key=key,
        recipient=invitation.email,
        recipient_label=invitation.name,
        payload={
            "invitation": invitation.pk,
            "times_sent": invitation.times_sent,
            "first_name": invitation.first_name,
            "lender": invitation.organization.name,
        },
        topic=invitation_topic(invitation),
    )
    return True


@letter(REMINDER, label="Invitation reminder", switch="To invited people: the invitation is about to end")
def reminder_letter(email: OutgoingEmail) -> dict[str, Any]:
    return invitation_letter(email)


def announce_request(*, invitation: Invitation) -> None:
    """Tell the inviter, if there is still one, that the holder of an expired link asked for a new one."""
    inviter = invitation.invited_by
    if inviter is None or inviter.status != Member.Status.ACTIVE or not inviter.user.is_active:
        return
    queue_email(
        kind=ASKED_FOR,
        dedupe_key=f"{invitation_topic(invitation)}:asked:{invitation.times_sent}",
        recipient=inviter.user.email,
        recipient_label=inviter.name,
        payload={
            "invitation": invitation.pk,
            "times_sent": invitation.times_sent,
            "member": inviter.pk,
            "first_name": inviter.user.first_name,
            "person": invitation.name,
            "address": invitation.email,
            "lender": invitation.organization.name,
        },
        topic=invitation_topic(invitation),
    )


@letter(
    ASKED_FOR,
    label="New invitation asked for",
    switch="To the inviter: somebody asks for a new link",
    is_personal=True,
)
def request_letter(email: OutgoingEmail) -> dict[str, Any]:
    payload = email.payload
    expired = Invitation.objects.expired().filter(
        pk=payload["invitation"], times_sent=payload["times_sent"], asked_at__isnull=False
    )
    member = Member.objects.active().filter(pk=payload["member"]).select_related("organization").first()
    if member is None or not expired.exists():
        raise Undeliverable("The invitation was sent again or revoked, or the inviter has left.")
    respect_wishes(member, email)
    listed = reverse("teams:member_list", args=[member.organization.slug])
    return {"link": absolute_url(f"{listed}?status=invited&state=asked")}


def _written(invitation: Invitation) -> str:
    zone = invitation.organization.time_zone
    local = timezone.localtime(invitation.expires_at, zoneinfo.ZoneInfo(zone))
    return f"{date_format(local, 'j F Y, H:i')} ({zone.replace('_', ' ')} time)"


def announce_role(*, member: Member, former: Role, actor: Member) -> None:
    queue_email(
        kind=ROLE_CHANGED,
        dedupe_key=f"member:{member.pk}:role:{member.version}",
        recipient=member.user.email,
        recipient_label=member.name,
        payload={
            "member": member.pk,
            "role_id": member.role_id,
            "first_name": member.user.first_name,
            "former_role": former.name,
            "role": member.role.name,
            "actor": actor.name,
            "lender": member.organization.name,
        },
        topic=f"member:{member.pk}:role",
    )


@letter(ROLE_CHANGED)
def role_letter(email: OutgoingEmail) -> dict[str, Any]:
    member = (
        Member.objects.active()
        .filter(pk=email.payload["member"], role=email.payload["role_id"])
        .select_related("organization")
        .first()
    )
    if member is None:
        raise Undeliverable("The role changed again, or the member was deactivated.")
    return {"link": absolute_url(reverse("dashboard", args=[member.organization.slug]))}


def announce_deactivation(*, member: Member) -> None:
    queue_email(
        kind=DEACTIVATED,
        dedupe_key=f"member:{member.pk}:deactivated:{member.version}",
        recipient=member.user.email,
        recipient_label=member.name,
        payload={
            "member": member.pk,
            "first_name": member.user.first_name,
            "lender": member.organization.name,
        },
        topic=f"member:{member.pk}:access",
    )


@letter(DEACTIVATED)
def deactivation_letter(email: OutgoingEmail) -> dict[str, Any]:
    ended = (Member.Status.DEACTIVATED, Member.Status.REMOVED)
    gone = Member.objects.filter(pk=email.payload["member"], status__in=ended, user__is_active=True)
    if not gone.exists():
        raise Undeliverable("The member has access again.")
    return {}
