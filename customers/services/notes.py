"""Notes about customers: written, changed by their author for a day, pinned, completed and deleted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import Any, BinaryIO, Final, TypedDict

from django.db import transaction
from django.utils import timezone

from audit.services import record
from audit.verbs import Verb
from customers.activity import WITHHELD
from customers.emails.notes import announce_mentions, withdraw_mentions
from customers.errors import DueDateWrong, NotifiedSeesNothing
from customers.files import store
from customers.lens import holders
from customers.models import Customer, Note, NoteFile, NoteMention, StoredFile
from customers.papers import find_note, find_note_file, lock_paper, require_deletion, require_edit
from customers.policy import lock_customer, require
from customers.uploads import check_upload
from lendconsole.errors import StaleVersion
from teams.capabilities import Capability
from teams.models import Member

MOST_NOTIFIED: Final = 20
Files = Sequence[tuple[BinaryIO, str]]


class NoteFacts(TypedDict):
    """`due_on` counts for follow-ups alone."""

    kind: str
    text: str
    due_on: date | None


@transaction.atomic
def add_note(
    *, actor: Member, customer: Customer, facts: NoteFacts, people: Iterable[Member] = (), files: Files = ()
) -> Note:
    """Those chosen, and those named in the text as @First Last, get an e-mail.

    Raises NotVisible, PermissionMissing, DueDateWrong, NotifiedSeesNothing or FileRefused.
    """
    customer = lock_customer(actor, Capability.CUSTOMERS_VIEW, customer)
    require(actor, Capability.NOTES_WRITE, customer)
    columns = _columns(facts)
    _refuse_past(columns["due_on"])
    note = Note.objects.create(organization=actor.organization, customer=customer, author=actor, **columns)
    for file, name in files:
        check_upload(file, name=name)
        NoteFile.objects.create(organization=actor.organization, note=note, file=store(file, name=name))
    told = _notify(note, people)
    after = {"kind": note.get_kind_display(), "due": _day(note.due_on), "files": len(files) or ""}
    _record(actor, Verb.NOTE_ADDED, note, after={**after, "notified": ", ".join(each.name for each in told)})
    return note


@transaction.atomic
def change_note(*, actor: Member, note: Note, version: int, facts: NoteFacts, people: Iterable[Member] = ()) -> Note:
    """Whom the note names anew is told. Raises NotVisible, PermissionMissing, StaleVersion, and what add_note raises."""
    note = lock_paper(find_note, actor, note)
    require_edit(actor, note)
    columns = _columns(facts)
    changed = {name: value for name, value in columns.items() if getattr(note, name) != value}
    if changed and note.version != version:
        raise StaleVersion(
            "This note was changed after you opened this page, so nothing of yours was saved. Open it again to see the newest text."
        )
    if "due_on" in changed:
        _refuse_past(changed["due_on"])
    before = _written(note, changed)
    if changed:
        if columns["kind"] == Note.Kind.NOTE:
            changed |= {"done_at": None, "done_by": None}
        for name, value in changed.items():
            setattr(note, name, value)
        note.edited_at, note.version = timezone.now(), note.version + 1
        note.save(update_fields=[*changed, "edited_at", "version"])
    told = _notify(note, people)
    if changed or told:
        after = {**_written(note, before), **({"notified": ", ".join(each.name for each in told)} if told else {})}
        _record(actor, Verb.NOTE_CHANGED, note, before=before, after=after)
    return note


@transaction.atomic
def pin_note(*, actor: Member, note: Note, is_pinned: bool) -> Note:
    """Raises NotVisible or PermissionMissing. Pinned already changes nothing."""
    note = lock_paper(find_note, actor, note)
    require(actor, Capability.NOTES_WRITE, note.customer)
    if note.is_pinned != is_pinned:
        note.is_pinned = is_pinned
        note.save(update_fields=["is_pinned"])
        _record(actor, Verb.NOTE_PINNED if is_pinned else Verb.NOTE_UNPINNED, note)
    return note


@transaction.atomic
def complete_note(*, actor: Member, note: Note, is_done: bool) -> Note:
    """A follow-up that was made, an enquiry that was answered, or not yet after all. Raises NotVisible or PermissionMissing."""
    note = lock_paper(find_note, actor, note)
    require(actor, Capability.NOTES_WRITE, note.customer)
    if note.can_be_done and (note.done_at is not None) != is_done:
        note.done_at, note.done_by = (timezone.now(), actor) if is_done else (None, None)
        note.save(update_fields=["done_at", "done_by"])
        _record(actor, Verb.NOTE_COMPLETED if is_done else Verb.NOTE_REOPENED, note)
    return note


@transaction.atomic
def delete_note(*, actor: Member, note: Note) -> None:
    """Its files go too, and mails about it that still wait. Raises NotVisible or PermissionMissing."""
    note = lock_paper(find_note, actor, note)
    require_deletion(actor, note)
    withdraw_mentions(note=note)
    _record(actor, Verb.NOTE_DELETED, note, after={"kind": note.get_kind_display(), "author": note.author.name})
    files = list(note.files.values_list("file", flat=True))
    note.delete()
    StoredFile.objects.filter(organization=actor.organization, pk__in=files).delete()


@transaction.atomic
def take_note_file(*, actor: Member, pk: int) -> StoredFile:
    """The file, to be handed out; each time is written down. Raises NotVisible."""
    found = find_note_file(actor, pk)
    _record(actor, Verb.NOTE_FILE_DOWNLOADED, found.note)
    return found.file


def _columns(facts: NoteFacts) -> dict[str, Any]:
    kind = Note.Kind(facts["kind"])
    due_on = facts["due_on"] if kind == Note.Kind.FOLLOW_UP else None
    if kind == Note.Kind.FOLLOW_UP and due_on is None:
        raise DueDateWrong("Say when the follow-up is due.")
    return {"kind": kind, "text": facts["text"], "due_on": due_on}


def _refuse_past(due_on: date | None) -> None:
    if due_on is not None and not timedelta(0) <= due_on - timezone.localdate() <= timedelta(days=3650):
        raise DueDateWrong("This day lies in the past, or more than ten years ahead.")


def _notify(note: Note, people: Iterable[Member]) -> list[Member]:
    """Those who are told now: chosen or named, and not told of this note before. Never the author."""
    chosen = {each.pk for each in people}
    if not chosen and "@" not in note.text:
        return []
    readers = {each.pk: each for each in holders(note.customer, Capability.CUSTOMERS_VIEW)}
    if chosen - readers.keys():
        raise NotifiedSeesNothing("Somebody you chose does not see this customer in full. Choose again.")
    wanted = chosen | {each.pk for each in readers.values() if _names(note.text, each)}
    known = set(note.mentions.values_list("member", flat=True))
    told = [readers[pk] for pk in sorted(wanted - known - {note.author_id})]
    if len(told) > MOST_NOTIFIED:
        raise NotifiedSeesNothing(f"Notify at most {MOST_NOTIFIED} people at once.")
    NoteMention.objects.bulk_create(
        [NoteMention(organization=note.organization, note=note, member=each) for each in told]
    )
    announce_mentions(note=note, people=told)
    return told


def _names(text: str, member: Member) -> bool:
    return re.search(rf"@{re.escape(member.name)}(?!\w)", text, re.IGNORECASE) is not None


def _written(note: Note, names: Collection[str]) -> dict[str, Any]:
    """How the facts stand in the audit log: never the text."""
    written = {"kind": note.get_kind_display(), "text": WITHHELD, "due_on": _day(note.due_on)}
    return {name: written[name] for name in names}


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _record(
    actor: Member,
    verb: Verb,
    note: Note,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    after = {"kind": note.get_kind_display()} if after is None else after
    said = {key: value for key, value in after.items() if value != "" or key in (before or {})}
    record(actor=actor, verb=verb, target=note.customer, before=before, after=said)
