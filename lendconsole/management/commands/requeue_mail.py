"""`manage.py requeue_mail`: what an operator runs once the mail server is well again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from notifications.services import requeue


class Command(BaseCommand):
    help = (
        "Give every e-mail that failed its five attempts again: of one organization, or of all and the account mails."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG")

    def handle(self, *args: Any, organization: str | None, **options: Any) -> None:
        organizations = Organization.objects.order_by("pk")
        if organization is not None:
            organizations = organizations.filter(slug=organization)
            if not organizations:
                raise CommandError(f"There is no organization {organization}.")
        total = 0
        for each in organizations:
            with organization_context(each.pk):
                total += _requeue(each)
        if organization is None:
            with transaction.atomic():
                total += _requeue(None)
        self.stdout.write(f"{total:,} e-mail{'' if total == 1 else 's'} will be sent again.")


def _requeue(organization: Organization | None) -> int:
    """Account mails belong to no organization, so no log speaks of them."""
    failed = OutgoingEmail.objects.filter(organization=organization, state=OutgoingEmail.State.FAILED)
    emails = list(failed.select_for_update().order_by("pk"))
    for email in emails:
        reason = email.state_reason
        requeue(email)
        if organization is not None:
            record(actor=None, verb=Verb.EMAIL_SENT_AGAIN, target=email, before={"failure": reason})
    return len(emails)
