"""Importing customers from a CSV or XLSX file in one go, as operators do: all good rows with their account managers, or nothing.

Members go through customers.services.imports, step by step.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import BinaryIO, Final

from django.db import IntegrityError, connection, transaction

from accounts.models import Organization
from customers.importing import stage
from customers.importing.checking import CheckedRow, RowChecker
from customers.importing.columns import read_header
from customers.importing.directory import Directory
from customers.importing.limits import FileRefused, Row
from customers.importing.reading import read_rows
from customers.importing.reports import MAXIMUM_REPORTED, ImportReport, ReportedRow
from customers.importing.run import ImportOvertaken, ImportRun
from teams.capabilities import Capability
from teams.models import Member

__all__ = ["FileRefused", "ImportOvertaken", "ImportReport", "ReportedRow", "import_customers"]

_ADVISORY_LOCK: Final = 2026_11_22


def import_customers(
    *,
    actor: Member | None,
    organization: Organization,
    file: BinaryIO,
    file_name: str,
    dry_run: bool = False,
    notify: bool = True,
) -> ImportReport:
    """Load the rows of a file that are customers; report the others with every reason.

    `actor` None is an operator. A customer whose number is there already is left alone, so a second run adds nothing.
    With `notify` each account manager gets one mail about all their new customers. `dry_run` only checks. Runs inside
    organization_context. Raises FileRefused, PermissionMissing or ImportOvertaken; then nothing was loaded.
    """
    if actor is not None:
        actor.require(Capability.CUSTOMERS_CREATE)
    run = ImportRun(actor, organization, file_name[:120], uuid.uuid4())
    try:
        with transaction.atomic():
            _wait_for_other_imports(organization)
            directory = run.directory()
            stage.create()
            stage.add(_checked(file, directory))
            report = run.compare(directory)
            if report.loaded and not dry_run:
                run.load(report, notify=notify)
            return report
    except IntegrityError:
        raise ImportOvertaken(
            "Somebody changed customers of this organization while the file was loaded. Run the import again."
        ) from None


def _wait_for_other_imports(organization: Organization) -> None:
    """A second import of the organization waits here; other work is not held up while a file is read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_ADVISORY_LOCK, organization.pk % 2**31])


def _checked(file: BinaryIO, directory: Directory) -> Iterator[CheckedRow]:
    rows = read_rows(file)
    header: Row = next(rows)
    checker = RowChecker(read_header(header.cells, directory.currency), directory)
    refused = 0
    for line, cells in rows:
        row = checker.check(line, cells)
        refused += bool(row.reasons)
        if refused > MAXIMUM_REPORTED:
            raise FileRefused(
                f"More than {MAXIMUM_REPORTED:,} rows cannot be imported, so none was."
                f" Line {line}, for one: {row.reasons[0]}"
            )
        yield row
