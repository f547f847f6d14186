"""`manage.py import_customers FILE --organization SLUG`: loads customers from a CSV or XLSX file and reports every refused row."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Organization
from customers.importing.limits import MAXIMUM_BYTES
from customers.services.importing import ImportReport, ReportedRow, import_customers
from lendconsole.errors import DomainError
from lendconsole.tenancy import organization_context


class Command(BaseCommand):
    help = (
        "Load customers from a CSV or XLSX file. Rows that cannot be loaded are listed with their line and every reason;"
        " customers whose number is there already are left as they are."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV (UTF-8) or XLSX, its first line names the columns")
        parser.add_argument("--organization", required=True, metavar="SLUG", help="as in the console's addresses")
        parser.add_argument("--dry-run", action="store_true", help="check the file and load nothing")
        parser.add_argument("--no-mail", action="store_true", help="do not tell account managers about new customers")

    def handle(self, *args: Any, file: Path, organization: str, dry_run: bool, no_mail: bool, **options: Any) -> None:
        lender = Organization.objects.active().filter(slug=organization).first()
        if lender is None:
            raise CommandError(f"There is no active organization “{organization}”.")
        try:
            if file.stat().st_size > MAXIMUM_BYTES:
                raise CommandError(
                    f"{file} is larger than {MAXIMUM_BYTES // 1024**2} MB. Split it and import the parts."
                )
            with file.open("rb") as source, organization_context(lender.pk):
                report = import_customers(
                    actor=None,
                    organization=lender,
                    file=source,
                    file_name=file.name,
                    dry_run=dry_run,
                    notify=not no_mail,
                )
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as problem:
            raise CommandError(f"{file} cannot be read: {problem.strerror}.") from None
        self._print(report, dry_run=dry_run)

    def _print(self, report: ImportReport, *, dry_run: bool) -> None:
        for row in report.refused_rows:
            self._line(row, " ".join(row.sentences))
        for row in report.remarks:
            self._line(row, f"Loaded, but please check: {' '.join(row.sentences)}")
        for row in report.differing_rows:
            self._line(row, f"Already there with another {', '.join(row.sentences)}. Not changed.")
        loaded = "would be loaded" if dry_run else "loaded"
        self.stdout.write(
            f"{report.loaded:,} {loaded}, {report.refused:,} refused, {report.already_there:,} already there"
            f" ({report.differing:,} of them with other data, not changed)."
        )

    def _line(self, row: ReportedRow, text: str) -> None:
        number = f" ({row.number})" if row.number else ""
        self.stdout.write(f"Line {row.line}{number}: {text}")
