"""manage.py create_organization: a new lender, and the invitation of its first Super Admin."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lendconsole.errors import DomainError
from lendconsole.tenancy import organization_context
from teams.invitation_links import invitation_url
from teams.services import create_organization


class Command(BaseCommand):
    help = "Create a lender with its head office and built-in roles, and invite its first Super Admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="as people read it, such as “Kudi Microfinance”")
        parser.add_argument(
            "--slug", required=True, help="its part of the address, such as kudi: small letters, digits, hyphens"
        )
        parser.add_argument("--super-admin-email", required=True)
        parser.add_argument("--first-name", required=True)
        parser.add_argument("--last-name", required=True)
        parser.add_argument("--time-zone", default="Africa/Lagos")
        parser.add_argument("--currency", default="NGN")
        parser.add_argument(
            "--print-link", action="store_true", help="print the invitation's link (always in development)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        facts = ("name", "slug", "super_admin_email", "first_name", "last_name", "time_zone", "currency")
        try:
            invitation = create_organization(**{fact: options[fact] for fact in facts})
        except DomainError as error:
            raise CommandError(str(error)) from error
        organization = invitation.organization
        self.stdout.write(f"{organization.name} is ready at {settings.BASE_URL}/o/{organization.slug}/.")
        self.stdout.write(
            f"The invitation for {invitation.email} is on its way; it is valid for {organization.invitation_days} days."
        )
        if options["print_link"] or settings.DEVELOPMENT:
            with organization_context(organization.pk):
                self.stdout.write(invitation_url(invitation))
