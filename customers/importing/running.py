"""The worker's part of an import: checking the file, loading it, undoing it. Each is one attempt under a claim.

The file is read in portions, each with a short transaction that notes how far it is and that the worker lives. What
counts comes after: the rows are compared, written and the import marked as done in one transaction, which holds the
import's row. A worker that is killed leaves nothing of that; another one begins anew when the claim lapses, and can
not while the first one still holds the row.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from itertools import islice
from typing import Any, BinaryIO, Final

from django.db import IntegrityError
from django.utils import timezone

from accounts.models import Organization
from accounts.pagination import COUNT_CAP
from audit.services import record
from audit.verbs import Verb
from customers.emails.imports import announce_import
from customers.errors import ImportStopped
from customers.files import CHUNK_BYTES, drop_files, opened
from customers.importing import stage
from customers.importing.checking import RowChecker
from customers.importing.directory import Choices
from customers.importing.guessing import check_columns
from customers.importing.reading import read_rows
from customers.importing.refusals import store_refusals
from customers.importing.reports import SHOWN, ImportReport, as_json
from customers.importing.run import ImportOvertaken, ImportRun
from customers.importing.undoing import undo
from customers.importing.workbooks import is_workbook
from customers.models import CustomerImport, StoredFile
from lendconsole.errors import DomainError
from lendconsole.tenancy import organization_context
from notifications.hints import publish_after_commit
from notifications.services import cancel_emails
from teams.capabilities import Capability
from teams.models import Member
from teams.policy import acting_member

logger = logging.getLogger(__name__)

CARRY_ON: Final = "customers.tasks.carry_on_import"
LEASE: Final = timedelta(seconds=90)
MOST_ATTEMPTS: Final = 3
ROWS_AT_ONCE: Final = 2_000
KEPT: Final = timedelta(days=30)
_GAVE_UP: Final = (
    "It could not be done. Import the file once more; if that fails too, tell the operator of the console."
)
State = CustomerImport.State


class _ClaimLost(Exception):
    """Another worker goes on, or the import was removed."""


def start_work(customer_import: CustomerImport) -> None:
    publish_after_commit(CARRY_ON, customer_import.organization_id, customer_import.pk)


def carry_on(organization_id: int, import_id: int) -> bool:
    """Do what the import waits for. Whether this call did it. Called outside of any organization."""
    with organization_context(organization_id):
        claimed = _claim(organization_id, import_id)
    if claimed is None:
        return False
    try:
        if claimed.state == State.UNDOING:
            _undo(claimed)
        else:
            _Reading(claimed).run()
    except (ImportOvertaken, IntegrityError):
        _release(claimed, "Customers, offices or team members were changed each time it was tried. Try again.")
    except DomainError as reason:
        _stop(claimed, str(reason))
    except _ClaimLost:
        return False
    except Exception:
        logger.exception("Import %s was not carried out.", claimed.pk)
        _release(claimed, _GAVE_UP)
    else:
        return True
    return False


def _claim(organization_id: int, import_id: int) -> CustomerImport | None:
    """The attempt is counted before the work, so that an import that kills its worker is given up like any other."""
    waiting = CustomerImport.objects.filter(organization=organization_id, pk=import_id).without_worker()
    free = waiting.select_related("organization", "file").select_for_update(of=("self",), skip_locked=True)
    found: CustomerImport | None = free.first()
    if found is None:
        return None
    found.claim, found.attempts, found.progress = uuid.uuid4(), found.attempts + 1, 0
    found.leased_until = timezone.now() + LEASE
    found.save(update_fields=["claim", "attempts", "progress", "leased_until"])
    if found.attempts > MOST_ATTEMPTS:
        _stop(found, _GAVE_UP)
        return None
    return found


class _Reading:
    """One attempt at checking or loading."""

    def __init__(self, customer_import: CustomerImport) -> None:
        self.customer_import = customer_import
        self.checker: RowChecker

    def run(self) -> None:
        file = self.customer_import.file
        if file is None:
            raise ImportStopped("The file is no longer kept. Import it once more.")
        try:
            with opened(file) as content:
                self._read(content)
                self._settle(content)
        finally:
            stage.drop()

    def _read(self, content: BinaryIO) -> None:
        """The rows into the stage, judged one by one."""
        with _context(self.customer_import):
            directory = self._begin(_member(self.customer_import), self.customer_import.organization).directory()
            stage.create(outlives_transaction=True)
            _note(self.customer_import, rows=self.customer_import.rows or _estimated_rows(content))
        columns = check_columns(self.customer_import.columns, updates=self.customer_import.updates)
        self.checker = RowChecker(columns, directory, updates=self.customer_import.updates)
        rows = read_rows(content)
        next(rows)  # the header
        read = 0
        while portion := list(islice(rows, ROWS_AT_ONCE)):
            checked = [self.checker.check(*row) for row in portion]
            read += len(portion)
            with _context(self.customer_import):
                stage.add(checked)
                _note(self.customer_import, progress=read)

    def _settle(self, content: BinaryIO) -> None:
        """Everything that lasts, in one transaction."""
        with _context(self.customer_import):
            _hold(self.customer_import)
            member = _member(self.customer_import)
            run = self._begin(member, member.organization)
            report = run.compare(self.checker.directory, most=SHOWN)
            refusals = self._store_refusals(content, report)
            facts = {"rows": report.rows, "report": self._report(report), "refusals": refusals, "leased_until": None}
            if self.customer_import.state == State.LOADING:
                facts |= self._load(run, report, member)
            _note(self.customer_import, **{"state": State.CHECKED, **facts})

    def _begin(self, actor: Member, organization: Organization) -> ImportRun:
        source = self.customer_import
        choices = Choices(source.offices, source.managers)
        return ImportRun(actor, organization, source.file_name[:120], source.batch, choices, source)

    def _load(self, run: ImportRun, report: ImportReport, member: Member) -> dict[str, Any]:
        """What there is to note of it."""
        if report.rows > COUNT_CAP and not self.customer_import.is_confirmed:
            raise ImportStopped(f"More than {COUNT_CAP:,} rows need a fresh sign-in. Import the file once more.")
        run.load(report)
        drop_files([self.customer_import.file_id])
        announce_import(customer_import=self.customer_import, member=member, report=self._report(report))
        now = timezone.now()
        return {"state": State.DONE, "finished_at": now, "expires_at": now + KEPT, "samples": [], "file": None}

    def _store_refusals(self, content: BinaryIO, report: ImportReport) -> StoredFile | None:
        """In place of those that an earlier look at the file found."""
        drop_files([self.customer_import.refusals_id])
        source = self.customer_import
        return store_refusals(content, source.header, file_name=source.file_name) if report.refused else None

    def _report(self, report: ImportReport) -> dict[str, Any]:
        return {
            **as_json(report, updates=self.customer_import.updates),
            "unknown_offices": self.checker.unknown_offices.listed(),
            "unknown_managers": self.checker.unknown_managers.listed(),
        }


def _undo(customer_import: CustomerImport) -> None:
    with _context(customer_import):
        _hold(customer_import)
        member = _member(customer_import)
        Organization.objects.select_for_update(no_key=True).get(pk=customer_import.organization_id)
        done = undo(customer_import, actor=member)
        facts = {"removed": done.removed, "restored": done.restored, "kept": done.kept}
        cancel_emails(f"import:{customer_import.batch}", "The import was undone.")
        record(
            actor=member,
            verb=Verb.CUSTOMERS_IMPORT_UNDONE,
            target=member.organization,
            after=facts,
            reason=f"Import of {customer_import.file_name} undone"[:300],
        )
        report = {**customer_import.report, **facts, "kept_names": done.kept_names}
        _note(customer_import, state=State.UNDONE, leased_until=None, finished_at=timezone.now(), report=report)


def _context(customer_import: CustomerImport) -> Any:
    return organization_context(customer_import.organization_id)


def _member(customer_import: CustomerImport) -> Member:
    """The member as they are now. Raises ImportStopped or PermissionMissing."""
    member = acting_member(customer_import.organization_id, customer_import.member_id)
    if member is None:
        raise ImportStopped("Whoever began it has no access anymore.")
    member.require(Capability.CUSTOMERS_CREATE)
    if customer_import.updates:
        member.require(Capability.CUSTOMERS_EDIT)
    return member


def _estimated_rows(content: BinaryIO) -> int | None:
    """Of a text as many as it has lines; a spreadsheet does not say."""
    if is_workbook(content):
        return None
    portions = iter(lambda: content.read(CHUNK_BYTES), b"")
    lines = sum(portion.count(b"\n") for portion in portions)
    content.seek(0)
    return max(lines - 1, 1)


def _hold(customer_import: CustomerImport) -> None:
    """The row of the import, until the transaction ends. Raises _ClaimLost."""
    held = CustomerImport.objects.select_for_update(of=("self",)).filter(
        pk=customer_import.pk, claim=customer_import.claim
    )
    if held.filter(state=customer_import.state).first() is None:
        raise _ClaimLost


def _note(customer_import: CustomerImport, **changes: Any) -> None:
    if not _write(customer_import, **{"leased_until": timezone.now() + LEASE, **changes}):
        raise _ClaimLost


def _write(customer_import: CustomerImport, **changes: Any) -> bool:
    """Only while this attempt is the latest one."""
    own = CustomerImport.objects.filter(pk=customer_import.pk, claim=customer_import.claim)
    return own.update(**changes) > 0


def _stop(customer_import: CustomerImport, reason: str) -> None:
    """What cannot be undone is still imported."""
    state = State.DONE if customer_import.state == State.UNDOING else State.FAILED
    with _context(customer_import):
        _write(
            customer_import,
            state=state,
            state_reason=reason[:300],
            leased_until=None,
            claim=None,
        )


def _release(customer_import: CustomerImport, reason: str) -> None:
    """Let the next sweep try again, or give up."""
    if customer_import.attempts >= MOST_ATTEMPTS:
        _stop(customer_import, reason)
        return
    with _context(customer_import):
        _write(customer_import, leased_until=None)
