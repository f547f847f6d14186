"""Importing a file step by step: bring it, say which column is which, have it checked, load it, and take it back.

Each step is the member's own; the work between them is the worker's (customers.importing.running).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, BinaryIO, Final

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from customers.errors import ImportMovedOn, TooManyImports
from customers.files import drop_files, safe_name, store
from customers.importing.columns import Column
from customers.importing.guessing import check_columns, guess_columns, signature
from customers.importing.limits import MAXIMUM_BYTES, FileRefused
from customers.importing.reading import read_rows
from customers.importing.running import start_work
from customers.models import CustomerImport, ImportMemory, StoredFile
from lendconsole.errors import NotVisible
from teams.capabilities import Capability
from teams.models import Member

DRAFT_KEPT: Final = timedelta(days=1)
MOST_OPEN: Final = 3
MOST_OPEN_TOGETHER: Final = 10
SAMPLES: Final = 3
LONGEST_SAMPLE: Final = 60
State = CustomerImport.State


@transaction.atomic
def begin_import(*, actor: Member, file: BinaryIO, name: str) -> CustomerImport:
    """Keep a file whose first rows can be read. The columns are as last time for such a file, else guessed.

    Raises PermissionMissing, TooManyImports or FileRefused.
    """
    actor.require(Capability.CUSTOMERS_CREATE)
    header, samples = _first_rows(file)
    memory = _memory(actor, header)
    stored = store(file, name=name)
    # Locked as late as that: the rest of the organization does not wait for a large file.
    Organization.objects.select_for_update(no_key=True).get(pk=actor.organization.pk)
    _refuse_too_many(actor)
    return CustomerImport.objects.create(
        organization=actor.organization,
        member=actor,
        file=stored,
        file_name=safe_name(name),
        header=header,
        samples=samples,
        columns=memory.columns if memory else guess_columns(header, actor.organization.currency),
        offices=memory.offices if memory else {},
        managers=memory.managers if memory else {},
        expires_at=timezone.now() + DRAFT_KEPT,
    )


def find_import(member: Member, pk: int) -> CustomerImport:
    """One of the member's own. Raises NotVisible."""
    found: CustomerImport | None = CustomerImport.objects.visible_to(member).filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


@transaction.atomic
def choose_columns(*, actor: Member, pk: int, columns: Sequence[str], updates: bool) -> CustomerImport:
    """Say which column is which, for this file and the next ones like it, and have the rows checked.

    Raises NotVisible, PermissionMissing, ColumnsWrong or ImportMovedOn.
    """
    customer_import = _lock(actor, pk, {State.DRAFT, State.CHECKED})
    check_columns(columns, updates=updates)
    customer_import.columns = list(columns)
    return _check(actor, customer_import, updates=updates)


@transaction.atomic
def choose_places(
    *, actor: Member, pk: int, offices: Mapping[str, int], managers: Mapping[str, int | None], updates: bool
) -> CustomerImport:
    """Say what is meant by names that only the file knows, and have the rows checked again. What the actor may not choose
    is left out by the check. Raises NotVisible, PermissionMissing, ColumnsWrong or ImportMovedOn.
    """
    customer_import = _lock(actor, pk, {State.CHECKED})
    check_columns(customer_import.columns, updates=updates)
    report = customer_import.report
    customer_import.offices = _chosen(customer_import.offices, report["unknown_offices"], offices)
    customer_import.managers = _chosen(customer_import.managers, report["unknown_managers"], managers)
    return _check(actor, customer_import, updates=updates)


@transaction.atomic
def start_import(*, actor: Member, pk: int, is_confirmed: bool) -> CustomerImport:
    """Have the checked rows loaded. Raises NotVisible, PermissionMissing or ImportMovedOn."""
    customer_import = _lock(actor, pk, {State.CHECKED})
    if not customer_import.to_import:
        raise ImportMovedOn("There is nothing in this file to import.")
    customer_import.is_confirmed = is_confirmed
    return _hand_over(customer_import, State.LOADING)


@transaction.atomic
def undo_import(*, actor: Member, pk: int) -> CustomerImport:
    """Have it taken back, but for the customers who were touched since. Raises NotVisible, PermissionMissing or ImportMovedOn."""
    return _hand_over(_lock(actor, pk, {State.DONE}), State.UNDOING)


@transaction.atomic
def discard_import(*, actor: Member, pk: int) -> None:
    """Forget a file that was not imported. Raises NotVisible, PermissionMissing or ImportMovedOn."""
    forget([_lock(actor, pk, {State.DRAFT, State.CHECKED, State.FAILED})])


def take_refusals(*, actor: Member, pk: int) -> StoredFile:
    """The rows that were refused. Raises NotVisible or PermissionMissing."""
    actor.require(Capability.CUSTOMERS_CREATE)
    customer_import = find_import(actor, pk)
    if customer_import.refusals is None:
        raise NotVisible
    return customer_import.refusals


def forget(imports: Collection[CustomerImport]) -> int:
    """With the files they hold. Returns how many."""
    CustomerImport.objects.filter(pk__in=[each.pk for each in imports]).delete()
    drop_files(pk for each in imports for pk in (each.file_id, each.refusals_id))
    return len(imports)


def _first_rows(file: BinaryIO) -> tuple[list[str], list[list[str]]]:
    """What the columns are called, and some of what stands in them. Raises FileRefused; leaves the file at its beginning."""
    if file.seek(0, 2) > MAXIMUM_BYTES:
        raise FileRefused(f"The file is larger than {MAXIMUM_BYTES // 1024**2} MB. Split it and import the parts.")
    file.seek(0)
    rows = [
        [" ".join(cell.split())[:LONGEST_SAMPLE] for cell in row.cells] for row in islice(read_rows(file), SAMPLES + 1)
    ]
    if len(rows) < 2:
        raise FileRefused("The file has a first line and no customers below it.")
    file.seek(0)
    return rows[0], rows[1:]


def _refuse_too_many(actor: Member) -> None:
    opened = CustomerImport.objects.for_organization(actor.organization).open()
    if opened.filter(member=actor).count() >= MOST_OPEN:
        raise TooManyImports(f"You have {MOST_OPEN} imports open. Finish or discard one of them first.")
    if opened.count() >= MOST_OPEN_TOGETHER:
        raise TooManyImports(
            f"{MOST_OPEN_TOGETHER} imports are open in your organization. Wait until one of them is finished."
        )


def _lock(actor: Member, pk: int, states: Collection[State]) -> CustomerImport:
    actor.require(Capability.CUSTOMERS_CREATE)
    mine = CustomerImport.objects.visible_to(actor).select_for_update(of=("self",))
    customer_import: CustomerImport | None = mine.filter(pk=pk).first()
    if customer_import is None:
        raise NotVisible
    if customer_import.state not in states:
        raise ImportMovedOn(f"This import has moved on: {customer_import.get_state_display().lower()}.")
    return customer_import


def _check(actor: Member, customer_import: CustomerImport, *, updates: bool) -> CustomerImport:
    if updates:
        actor.require(Capability.CUSTOMERS_EDIT)
    customer_import.updates = updates
    _remember(customer_import)
    return _hand_over(customer_import, State.CHECKING)


def _chosen(before: Mapping[str, Any], asked: Sequence[tuple[str, int]], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """In small letters; what was chosen for names that this file does not have stays for others like it."""
    names = {name.casefold() for name, _rows in asked}
    kept = {name: pk for name, pk in before.items() if name not in names}
    return kept | {name.casefold(): pk for name, pk in chosen.items()}


def _hand_over(customer_import: CustomerImport, state: State) -> CustomerImport:
    customer_import.state, customer_import.state_reason = state, ""
    customer_import.attempts = customer_import.progress = 0
    customer_import.leased_until = None
    customer_import.save()
    start_work(customer_import)
    return customer_import


def _memory(actor: Member, header: Sequence[str]) -> ImportMemory | None:
    """What was chosen for a file like this one, as far as there still are such columns."""
    rows = ImportMemory.objects.filter(organization=actor.organization, signature=signature(header))
    memory: ImportMemory | None = rows.first()
    known = {"", *Column}
    return memory if memory and len(memory.columns) == len(header) and known.issuperset(memory.columns) else None


def _remember(customer_import: CustomerImport) -> None:
    chosen: dict[str, Any] = {name: getattr(customer_import, name) for name in ("columns", "offices", "managers")}
    ImportMemory.objects.update_or_create(
        organization=customer_import.organization,
        signature=signature(customer_import.header),
        defaults={**chosen, "used_at": timezone.now()},
    )
