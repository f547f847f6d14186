"""What of the outbox a member reads."""

from __future__ import annotations

from accounts.pages import Actor
from notifications.letters import hidden_apps
from notifications.models import OutgoingEmail
from notifications.querysets import OutgoingEmailQuerySet


def readable_emails(member: Actor) -> OutgoingEmailQuerySet:
    """Without the letters of apps that show theirs to others alone."""
    emails: OutgoingEmailQuerySet = OutgoingEmail.objects.visible_to(member)
    for app in hidden_apps(member):
        emails = emails.exclude(kind__startswith=f"{app}/")
    return emails
