"""`manage.py show_demo_logins`: one login for each role of the demo lenders, and where to use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lendconsole import demo
from lendconsole.demo_data.lenders import LENDERS


class Command(BaseCommand):
    help = "Show the demo logins: one for each role, and the one that belongs to both lenders."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT or not demo.is_loaded():
            raise CommandError("There is no demo here. Load it with: DEVELOPMENT=1 manage.py load_demo")
        table = [("Lender", "Role", "Name", "E-mail"), *_logins()]
        widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
        lines = [
            "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        self.stdout.write(lines[0])
        self.stdout.write("-" * max(map(len, lines)))
        for line in lines[1:]:
            self.stdout.write(line)
        self.stdout.write(f"\nPassword of all of them: {demo.PASSWORD}")
        self.stdout.write(f"Console: {settings.BASE_URL}/    Sent e-mails: {settings.BASE_URL}/dev/mailbox/")
        self.stdout.write(f"A borrower's page: {settings.BASE_URL}/borrower/{LENDERS[0].slug}/")


def _logins() -> Iterator[tuple[str, str, str, str]]:
    """The first person of each role, and everybody who works for both."""
    addresses = [person.address(lender.slug) for lender in LENDERS for person in lender.people]
    for lender in LENDERS:
        shown: set[str] = set()
        for person in lender.people:
            email = person.address(lender.slug)
            is_shared = addresses.count(email) > 1
            if person.role in shown and not is_shared:
                continue
            shown.add(person.role)
            yield lender.name, person.role, person.name + (" (both lenders)" if is_shared else ""), email
