"""Exports of customers: asking for one, and taking the finished file."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from audit.services import record
from audit.verbs import Verb
from customers.errors import TooManyExports
from customers.exporting.making import rights_of, start_making
from customers.files import drop_files
from customers.models import Export, StoredFile
from customers.models.export import LONGEST_WORDS
from lendconsole.errors import NotVisible
from teams.capabilities import Capability
from teams.models import Member

KEPT: Final = timedelta(hours=24)
MOST_AT_ONCE: Final = 3


@transaction.atomic
def request_export(
    *, actor: Member, format_: str, parameters: dict[str, str], words: str, count: str, is_confirmed: bool
) -> Export:
    """Have the worker write down the customers of a list. `count` is what the list says, for the audit log.

    Raises PermissionMissing or TooManyExports.
    """
    actor.require(Capability.CUSTOMERS_EXPORT)
    Member.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if Export.objects.visible_to(actor).unfinished().count() >= MOST_AT_ONCE:
        raise TooManyExports(
            f"{MOST_AT_ONCE} of your exports are still being made. Wait until one of them is ready, then export once more."
        )
    export = Export.objects.create(
        organization=actor.organization,
        member=actor,
        format=format_,
        filters=parameters,
        words=words[:LONGEST_WORDS],
        is_confirmed=is_confirmed,
        expires_at=timezone.now() + KEPT,
    )
    record(
        actor=actor,
        verb=Verb.CUSTOMERS_EXPORT_REQUESTED,
        target=actor.organization,
        after=_facts(export, count),
    )
    start_making(export)
    return export


def find_export(member: Member, pk: int) -> Export:
    """One of the member's own. Raises NotVisible."""
    export: Export | None = Export.objects.visible_to(member).select_related("file").filter(pk=pk).first()
    if export is None:
        raise NotVisible
    return export


def take_export(*, actor: Member, pk: int) -> StoredFile:
    """The file; that it leaves the console is written down. The permission is asked again, and that it was made under
    present rights.

    Raises PermissionMissing; NotVisible for a file of somebody else, an unfinished, an expired or an outdated one.
    """
    actor.require(Capability.CUSTOMERS_EXPORT)
    export = find_export(actor, pk)
    if export.file is None or is_outdated(actor, export):
        raise NotVisible
    record(
        actor=actor,
        verb=Verb.CUSTOMERS_EXPORTED,
        target=actor.organization,
        after=_facts(export, f"{export.rows:,}"),
    )
    return export.file


def is_outdated(member: Member, export: Export) -> bool:
    """Whether the member's role or place was changed since the file was made: it may hold more than they see now."""
    return export.is_done and export.rights != rights_of(member)


def forget(exports: Collection[Export]) -> int:
    """With their files. Returns how many."""
    Export.objects.filter(pk__in=[export.pk for export in exports]).delete()
    drop_files(export.file_id for export in exports)
    return len(exports)


def _facts(export: Export, count: str) -> dict[str, Any]:
    return {"customers": count, "format": export.get_format_display(), "filters": export.words or "none"}
