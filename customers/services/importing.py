"""Importing customers from a CSV or XLSX file: all good rows with their account managers, or nothing at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import IntegrityError, connection, transaction

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from customers.importing import loading
from customers.importing.checking import CheckedRow, Directory, RowChecker
from customers.importing.columns import read_header
from customers.importing.limits import FileRefused, Row
from customers.importing.reading import read_rows
from lendconsole.errors import DomainError
from notifications.services import queue_email
from teams.capabilities import Capability
from teams.models import Member

__all__ = ["FileRefused", "ImportOvertaken", "ImportReport", "ReportedRow", "import_customers"]

MANAGER_BATCH = "customers/manager_batch"
_ADVISORY_LOCK = 2026_11_22


class ImportOvertaken(DomainError):
    """What the file was checked against was changed by somebody else before it could be loaded. Nothing was loaded."""


@dataclass(frozen=True, slots=True)
class ReportedRow:
    line: int
    number: str
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of each row. The lists name at most loading.MAXIMUM_REPORTED rows; the counts are exact."""

    batch: uuid.UUID
    rows: int
    loaded: int
    already_there: int
    differing: int
    refused: int
    refused_rows: list[ReportedRow]
    remarks: list[ReportedRow]
    """Loaded, but somebody should look at them."""
    differing_rows: list[ReportedRow]
    """Already there with other data, which was not changed; the sentences name the fields."""


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
    try:
        with transaction.atomic():
            return _Import(actor, organization, file_name[:120]).run(file, dry_run=dry_run, notify=notify)
    except IntegrityError:
        raise ImportOvertaken(
            "Somebody changed customers of this organization while the file was loaded. Run the import again."
        ) from None


class _Import:
    def __init__(self, actor: Member | None, organization: Organization, file_name: str) -> None:
        self.actor = actor
        self.organization = organization
        self.reason = f"Imported from {file_name}"
        self.batch = uuid.uuid4()

    def run(self, file: BinaryIO, *, dry_run: bool, notify: bool) -> ImportReport:
        self._wait_for_other_imports()
        directory = Directory.of(self.organization, self.actor)
        loading.stage(self._checked(file, directory))
        # From here on nobody else adds customers: the number of each new one is given under the same lock.
        organization = Organization.objects.select_for_update(no_key=True).get(pk=self.organization.pk)
        if Directory.of(organization, self.actor) != directory:
            raise ImportOvertaken("Offices or team members were changed while the file was read. Run the import again.")
        loading.refuse_repeated(organization)
        loading.recognize_existing(organization)
        loading.refuse_taken(organization)
        loading.remark_shared_bvn(organization)
        report = self._report()
        if report.loaded and not dry_run:
            self._load(organization, report, notify=notify)
        return report

    def _wait_for_other_imports(self) -> None:
        """A second import of the organization waits here; other work is not held up while a file is read."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_ADVISORY_LOCK, self.organization.pk % 2**31])

    def _checked(self, file: BinaryIO, directory: Directory) -> Iterator[CheckedRow]:
        rows = read_rows(file)
        header: Row = next(rows)
        checker = RowChecker(read_header(header.cells, directory.currency), directory)
        refused = 0
        for line, cells in rows:
            row = checker.check(line, cells)
            refused += bool(row.reasons)
            if refused > loading.MAXIMUM_REPORTED:
                raise FileRefused(
                    f"More than {loading.MAXIMUM_REPORTED:,} rows cannot be imported, so none was."
                    f" Line {line}, for one: {row.reasons[0]}"
                )
            yield row

    def _report(self) -> ImportReport:
        counts = loading.count_rows()
        return ImportReport(
            batch=self.batch,
            rows=counts["all"],
            loaded=counts["new"],
            already_there=counts["there"],
            differing=counts["differing"],
            refused=counts["refused"],
            refused_rows=_reported("reasons"),
            remarks=_reported("remarks"),
            differing_rows=_reported("differences"),
        )

    def _load(self, organization: Organization, report: ImportReport, *, notify: bool) -> None:
        loading.insert_customers(organization)
        loading.insert_assignments(organization, actor=self.actor, batch=self.batch, reason=self.reason)
        loading.move_number_up(organization)
        loading.insert_audit(organization, actor=self.actor, reason=self.reason)
        loading.renew_statistics()
        record(
            actor=self.actor,
            verb=Verb.CUSTOMERS_IMPORTED,
            target=organization,
            after={"loaded": report.loaded, "already_there": report.already_there, "refused": report.refused},
            reason=self.reason,
        )
        if notify:
            self._tell_managers(loading.count_by_manager())

    def _tell_managers(self, customers: dict[int, int]) -> None:
        members = Member.objects.filter(pk__in=customers).select_related("user").order_by("pk")
        for member in members:
            payload: dict[str, Any] = {
                "manager_id": member.pk,
                "customers": customers[member.pk],
                "actor_name": self.actor.name if self.actor else "",
            }
            queue_email(
                kind=MANAGER_BATCH,
                dedupe_key=f"batch:{self.batch}:{member.pk}",
                recipient=member.user.email,
                recipient_label=member.name,
                payload=payload,
            )


def _reported(column: str) -> list[ReportedRow]:
    return [ReportedRow(*row) for row in loading.list_rows(column)]
