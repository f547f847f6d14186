"""`manage.py check_access`: proves that column, open period and guardian's grant agree for every customer."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Organization
from customers.consistency import find_differences
from lendconsole.tenancy import organization_context


class Command(BaseCommand):
    help = "Compare who the account manager is with the open periods and with who has access. Exit code 1 when they differ."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="this one only")

    def handle(self, *args: Any, organization: str | None, **options: Any) -> None:
        lenders = Organization.objects.order_by("pk")
        if organization is not None:
            lenders = lenders.filter(slug=organization)
            if not lenders:
                raise CommandError(f"There is no organization “{organization}”.")
        found = 0
        for lender in lenders:
            with organization_context(lender.pk):
                differences = find_differences(lender)
            for difference in differences:
                self.stdout.write(f"{lender}: {difference}")
            found += len(differences)
        if found:
            self.stderr.write(f"Customers whose records differ: {found:,}.")
            sys.exit(1)
        self.stdout.write("Account managers, periods and access agree for every customer.")
