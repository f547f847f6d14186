"""The worker's part of an export: claimed by a lease, written to the worker's own disk, offered only when it is whole.

A worker that is killed leaves nothing but its claim; when that lapses another one begins anew. Each portion of rows is
read in a transaction of its own, with the member and the rule as they are by then. Whatever narrows the member's
rights in the meantime stops the export; so does a lost claim.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from array import array
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils import timezone

from accounts.pagination import COUNT_CAP
from customers.errors import ExportStopped
from customers.exporting.files import MOST_XLSX_ROWS, Sheet, open_sheet
from customers.exporting.rows import ROWS_AT_ONCE, found_ids, header, read_rows
from customers.files import store
from customers.filters import Filters
from customers.list_frame import filter_choices
from customers.models import Export
from customers.models.export import LONGEST_WORDS
from lendconsole.errors import PermissionMissing
from lendconsole.tenancy import organization_context
from notifications.hints import publish_after_commit
from teams.capabilities import Capability
from teams.models import Member
from teams.policy import acting_member

logger = logging.getLogger(__name__)

MAKE_EXPORT: Final = "customers.tasks.make_export"
LEASE: Final = timedelta(seconds=90)
MOST_ATTEMPTS: Final = 3
KEPT_READY: Final = timedelta(hours=24)
CHANGED: Final = "What you may see was changed while the file was made. Export once more."


class _ClaimLost(Exception):
    """Another worker goes on, or the export was removed."""


def start_making(export: Export) -> None:
    publish_after_commit(MAKE_EXPORT, export.organization_id, export.pk)


def rights_of(member: Member) -> str:
    """Changes with everything that was decided about what the member sees.

    That is their place, role, being let go or let in; the role itself; where their office stands; exclusive assignments.
    """
    decided = (
        *(member.pk, member.version, member.role_id, member.role.version),
        *(member.office.path, member.organization.exclusive_assignments),
    )
    return hashlib.sha256(repr(decided).encode()).hexdigest()


def make_export(organization_id: int, export_id: int) -> bool:
    """Whether this call made the file. Called outside of any organization."""
    with organization_context(organization_id):
        export = _claim(organization_id, export_id)
    if export is None:
        return False
    try:
        _Making(export).run()
    except ExportStopped as reason:
        _stop(export, str(reason))
    except _ClaimLost:
        return False
    except Exception:
        logger.exception("Export %s was not made.", export.pk)
        _release(export)
    else:
        return True
    return False


def _claim(organization_id: int, export_id: int) -> Export | None:
    """The attempt is counted before the work, so that an export that kills its worker is given up like any other."""
    free = Export.objects.filter(organization=organization_id, pk=export_id).without_worker()
    claimed = free.update(
        state=Export.State.RUNNING,
        leased_until=timezone.now() + LEASE,
        attempts=F("attempts") + 1,
        progress=0,
        rows=None,
    )
    if not claimed:
        return None
    export = Export.objects.select_related("organization").get(pk=export_id)
    if export.attempts > MOST_ATTEMPTS:
        _write(export, state=Export.State.FAILED, state_reason=_GAVE_UP)
        return None
    return export


_GAVE_UP: Final = "It could not be made. Export once more; if that fails too, tell the operator of the console."


class _Making:
    """One attempt."""

    def __init__(self, export: Export) -> None:
        self.export = export
        self.organization_id: int = export.organization_id
        self.rights = ""
        self.author = ""
        self.columns: tuple[str, ...] = ()

    def run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="export-") as folder:
            path = Path(folder) / "file"
            ids = self._find()
            names = header(self.columns)
            with open_sheet(
                path, self.export.format, names, title=f"Customers of {self.export.organization}", author=self.author
            ) as sheet:
                written = self._write_rows(sheet, ids)
                sheet.sign(self._watermark(written))
            self._offer(path, written)

    def _find(self) -> array[int]:
        with organization_context(self.organization_id):
            member = self._member()
            self.rights, self.author = rights_of(member), member.label
            filters = Filters.parse(self.export.filters, member, filter_choices(member))
            if filters.in_words[:LONGEST_WORDS] != self.export.words:
                raise ExportStopped(
                    "Its filters name something that was changed since. Set them anew and export once more."
                )
            self.columns = filters.columns
            ids = found_ids(member, filters)
            if len(ids) > COUNT_CAP and not self.export.is_confirmed:
                raise ExportStopped(
                    f"They have become more than {COUNT_CAP:,} customers. Export once more and confirm that it is you."
                )
            if len(ids) > MOST_XLSX_ROWS and self.export.format == Export.Format.XLSX:
                raise ExportStopped(f"A spreadsheet ends after {MOST_XLSX_ROWS:,} customers. Export them as CSV.")
            self._note(rows=len(ids))
        return ids

    def _write_rows(self, sheet: Sheet, ids: array[int]) -> int:
        written = 0
        for start in range(0, len(ids), ROWS_AT_ONCE):
            with organization_context(self.organization_id):
                member = self._member()
                written += sheet.add(read_rows(member, ids[start : start + ROWS_AT_ONCE], self.columns))
                self._note(progress=min(start + ROWS_AT_ONCE, len(ids)))
        return written

    def _offer(self, path: Path, written: int) -> None:
        """The whole file and its being ready in one transaction."""
        with organization_context(self.organization_id), path.open("rb") as file:
            self._member()
            self._note()  # and holds the row, so that nobody removes it meanwhile
            now = timezone.now()
            self._note(
                state=Export.State.DONE,
                rows=written,
                progress=written,
                file=store(file, name=self._name(now)),
                rights=self.rights,
                finished_at=now,
                expires_at=now + KEPT_READY,
                leased_until=None,
            )

    def _member(self) -> Member:
        """The member as they are now. Raises ExportStopped."""
        member = acting_member(self.organization_id, self.export.member_id)
        try:
            if member is None:
                raise ExportStopped("Whoever asked for it has no access anymore.")
            member.require(Capability.CUSTOMERS_EXPORT)
            member.require(Capability.CUSTOMERS_FIND)
        except PermissionMissing as missing:
            raise ExportStopped(str(missing)[:300]) from None
        if self.rights and rights_of(member) != self.rights:
            raise ExportStopped(CHANGED)
        return member

    def _note(self, **changes: object) -> None:
        if not _write(self.export, **{"leased_until": timezone.now() + LEASE, **changes}):
            raise _ClaimLost

    def _name(self, made_at: datetime) -> str:
        organization = self.export.organization
        made = made_at.astimezone(ZoneInfo(organization.time_zone))
        return f"{organization.slug}-customers-{made:%Y-%m-%d-%H%M}.{self.export.format}"

    def _watermark(self, written: int) -> str:
        organization = self.export.organization
        now = timezone.now().astimezone(ZoneInfo(organization.time_zone))
        filters = f" Filters: {self.export.words}." if self.export.words else ""
        return (
            f"{written:,} customers of {organization.name}, exported by {self.author}"
            f" on {now.day} {now:%b %Y, %H:%M} ({organization.time_zone}).{filters}"
        )


def _write(export: Export, **changes: object) -> bool:
    """Only while this attempt is the latest one."""
    running = Export.objects.filter(pk=export.pk, attempts=export.attempts, state=Export.State.RUNNING)
    return running.update(**changes) > 0


def _stop(export: Export, reason: str) -> None:
    with organization_context(export.organization_id):
        _write(
            export,
            state=Export.State.FAILED,
            state_reason=reason[:300],
            finished_at=timezone.now(),
            leased_until=None,
        )


def _release(export: Export) -> None:
    """Let the next sweep try again, or give up."""
    if export.attempts >= MOST_ATTEMPTS:
        _stop(export, _GAVE_UP)
        return
    with organization_context(export.organization_id):
        _write(export, state=Export.State.WAITING, leased_until=None)
