"""manage.py suspend_organization: close a lender's console at once, or open it again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Organization
from teams.services import resume_organization, suspend_organization


class Command(BaseCommand):
    help = (
        "Close a lender's console to all of its members at once (nothing is deleted), or open it again with --resume."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the lender's part of the address")
        parser.add_argument("--resume", action="store_true", help="open it again")
        parser.add_argument("--reason", default="", help="for the lender's audit log")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(slug=options["slug"]).first()
        if organization is None:
            raise CommandError(f"There is no organization with the slug “{options['slug']}”.")
        carry_out = resume_organization if options["resume"] else suspend_organization
        carry_out(organization=organization, reason=options["reason"])
        self.stdout.write(f"{organization.name} is {'open again' if options['resume'] else 'suspended'}.")
