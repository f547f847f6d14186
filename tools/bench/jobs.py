"""What is measured of the worker: customers moved by the thousand, imported, exported, and back again.

The log cannot be cleaned by the console, so the owner of the tables removes what the jobs left: the data set stays as it was.
"""

from __future__ import annotations

import csv
import io
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import connections
from django.utils import timezone
from psycopg import sql

from accounts.models import Organization
from audit.models import AuditEvent
from customers.bulk.running import carry_out
from customers.exporting.making import make_export
from customers.filters import Filters
from customers.importing.columns import Column
from customers.importing.running import carry_on
from customers.list_frame import filter_choices
from customers.models import Assignment, BulkChange, Customer, CustomerImport, Export, ImportMemory
from customers.services.bulk import start_bulk_change, undo_bulk_change
from customers.services.exports import request_export
from customers.services.imports import begin_import, choose_columns, forget, start_import, undo_import
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.models import Member, Office
from tools.bench.dataset import BIGGEST, DAYS, DOMAIN, FIRST_DAY, FIRST_NAMES, LAST_NAMES
from tools.bench.floors import import_floor, move_floor
from tools.bench.measuring import median_ms, page, signed_in
from tools.bench.results import Result
from tools.bench.worker import Spent, work, working

EXPORTED: Final = 100_000
IMPORTED: Final = 100_000
MOVED: Final = 50_000
TIMES: Final = 15
_LEFT_BEHIND: Final = [
    sql.Identifier(model._meta.db_table) for model in (OutgoingEmail, Assignment, AuditEvent, BulkChange, ImportMemory)
]
_OPENED_AGAIN: Final = (
    "UPDATE customers_assignment SET ended_at = NULL, ended_by_id = NULL, end_reason = '', end_batch = NULL"
    " WHERE end_batch IS NOT NULL"
)


class Jobs:
    def __init__(self) -> None:
        self.organization = Organization.objects.get(slug=BIGGEST)
        with self._inside():
            self.size = Customer.objects.count()
            self.admin, self.manager = self._member("admin"), self._member("manager1")

    def results(self) -> Iterator[Result]:
        with _cleaned_up():
            yield self._export()
            yield from self._move()
            yield from self._import()

    def _export(self) -> Result:
        with self._inside():
            parameters = self._first_joined(EXPORTED)
            words = Filters.parse(parameters, self.admin, filter_choices(self.admin)).in_words
            facts: dict[str, Any] = {"parameters": parameters, "words": words, "count": "", "is_confirmed": True}
            export = request_export(actor=self.admin, format_=Export.Format.CSV, **facts)
        spent = work(_path(make_export), self.organization.pk, export.pk)
        with self._inside():
            export.refresh_from_db()
            export.delete()
        return Result(f"export of {export.rows:,} customers as CSV", "10000 ms", spent.total_ms)

    def _move(self) -> Iterator[Result]:
        """To one manager, from some 400 and from nobody; then back to each of them."""
        get = page(signed_in(self.admin.user.email), f"/o/{BIGGEST}/customers/")
        quiet = median_ms(get, TIMES)
        with self._inside():
            change = start_bulk_change(
                actor=self.admin,
                kind=BulkChange.Kind.ASSIGN,
                parameters=self._first_joined(MOVED),
                expected=self.size,
                seen_at=timezone.now(),
                manager=self.manager,
                reason="Measured",
            )
        floor = move_floor(self.organization.pk, self.manager, change.customer_ids)
        spent, during = _while_read(get, _path(carry_out), self.organization.pk, change.pk)
        moved = f"{change.size:,} customers"
        yield Result(f"move of {moved} to another manager", "10000 ms", spent.total_ms, floor)
        yield Result("list while they are moved", "1.5x", during, quiet)
        with self._inside():
            undo = undo_bulk_change(actor=self.admin, pk=change.pk)
        spent = work(_path(carry_out), self.organization.pk, undo.pk)
        yield Result(f"move of {moved} taken back", "10000 ms", spent.total_ms, floor)

    def _import(self) -> Iterator[Result]:
        """Of a CSV file with every column, as the browser brings it."""
        floor = import_floor(self.organization.pk, IMPORTED)
        with self._inside():
            row = begin_import(actor=self.admin, file=io.BytesIO(self._file()), name="measured.csv")
            choose_columns(actor=self.admin, pk=row.pk, columns=row.columns, updates=False)
        checking = self._carried_on(row, CustomerImport.State.CHECKED)
        with self._inside():
            start_import(actor=self.admin, pk=row.pk, is_confirmed=True)
        loading = self._carried_on(row, CustomerImport.State.DONE)
        with self._inside():
            undo_import(actor=self.admin, pk=row.pk)
        undoing = self._carried_on(row, CustomerImport.State.UNDONE)
        with self._inside():
            forget([row])
        name = f"import of {IMPORTED:,} rows"
        yield Result(f"{name}, database time", "15000 ms", checking.waited_ms + loading.waited_ms, floor)
        yield Result(f"{name}, memory in MB", "200 MB", max(checking.peak_mb, loading.peak_mb))
        yield Result(f"{name} taken back", "15000 ms", undoing.total_ms)

    def _carried_on(self, row: CustomerImport, state: CustomerImport.State) -> Spent:
        spent = work(_path(carry_on), self.organization.pk, row.pk)
        with self._inside():
            row.refresh_from_db()
        if row.state != state or row.report["refused"]:
            raise RuntimeError(f"The import is {row.state}: {row.state_reason} {row.report}")
        return spent

    def _file(self) -> bytes:
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(list(Column))
        with self._inside():
            offices = list(Office.objects.order_by("pk").values_list("name", flat=True))
        first_names, last_names = FIRST_NAMES.split(), LAST_NAMES.split()
        for i in range(IMPORTED):
            person = (first_names[i % len(first_names)], last_names[i // 7 % len(last_names)])
            reach = (f"imported{i}@mail.example", f"0809{i:07}", f"223{i:08}")
            facts = ("1988-04-12", "Female", f"{i} Broad Street", "Lagos", "Dangote", "Employed", "250000", "Standard")
            manager = f"manager{i % 300}@{BIGGEST}.{DOMAIN}" if i % 10 < 6 else ""
            joined = FIRST_DAY + timedelta(days=i % DAYS)
            place = ("Active", offices[i % len(offices)], manager, joined.isoformat())
            table.writerow([f"IM-{i:07}", *person, *reach, *facts, *place])
        return text.getvalue().encode()

    def _first_joined(self, count: int) -> dict[str, str]:
        """The filter for so many customers, or for all where there are fewer: the data set spreads the days evenly."""
        last = FIRST_DAY + timedelta(days=round(min(1, count / self.size) * DAYS) - 1)
        return {"joined_to": last.isoformat()}

    def _member(self, login: str) -> Member:
        people = Member.objects.select_related("organization", "role", "office", "user")
        member: Member = people.get(user__email=f"{login}@{BIGGEST}.{DOMAIN}")
        return member

    def _inside(self) -> Any:
        return organization_context(self.organization.pk)


def _while_read(get: Callable[[], None], job: str, organization_id: int, pk: int) -> tuple[Spent, float]:
    """The job, and the median of a page that somebody asks for again and again meanwhile."""
    readings = []
    with working(job, organization_id, pk) as future:
        while not future.done():
            began = time.time()
            get()
            readings.append((began, time.time()))
        spent = future.result()
    times = [(end - start) * 1000 for start, end in readings if spent.began <= start and end <= spent.ended]
    return spent, statistics.median(times)


@contextmanager
def _cleaned_up() -> Iterator[None]:
    with connections["owner"].cursor() as owner:
        highest = []
        for table in _LEFT_BEHIND:
            owner.execute(sql.SQL("SELECT coalesce(max(id), 0) FROM {}").format(table))
            highest.append(owner.fetchone()[0])
        try:
            yield
        finally:
            owner.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
            for table, last in zip(_LEFT_BEHIND, highest, strict=True):
                owner.execute(sql.SQL("DELETE FROM {} WHERE id > %s").format(table), [last])
            owner.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")
            owner.execute(_OPENED_AGAIN)
            owner.execute("VACUUM ANALYZE")


def _path(job: Callable[..., bool]) -> str:
    return f"{job.__module__}.{job.__name__}"
