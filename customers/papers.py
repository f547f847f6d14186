"""What is kept about a customer beside the record: read by those alone who see the customer in full."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Model, OuterRef, Prefetch, QuerySet, Window
from django.utils import timezone

from accounts.pagination import Keys, Page, paginate
from customers.models import Customer, Document, Note, NoteFile, NoteMention, RelatedPerson, StoredFile
from customers.policy import may, require
from customers.readers import name_of
from lendconsole.errors import NotVisible, PermissionMissing
from teams.capabilities import Capability
from teams.models import Member

NOTES_CHANGE_FOR: Final = timedelta(hours=24)
_AS_DUE: Final = ("due_on", "id")
Paper = TypeVar("Paper", bound=Model)


def waiting_documents(member: Member, *, after: str = "", before: str = "") -> Page:
    """What the member may review, and what of their own waits for somebody else; the oldest first."""

    def fetch(keys: Keys) -> QuerySet[Document]:
        rows: QuerySet[Document] = Document.objects.for_organization(member.organization).filter(pk__in=keys)
        return rows.select_related("file", "uploaded_by__user", "customer__office")

    rows = Document.objects.reviewable_by(member)
    return paginate(rows, order=("uploaded_at", "id"), after=after, before=before, fetch=fetch)


def documents(customer: Customer) -> QuerySet[Document]:
    """With who brought and who reviewed them; in no order."""
    rows: QuerySet[Document] = Document.objects.filter(organization=customer.organization_id, customer=customer)
    return rows.select_related("file", "uploaded_by__user", "reviewed_by__user")


def notes(customer: Customer) -> QuerySet[Note]:
    """With their files, and `notified`, the names of those they told; in no order."""
    told = NoteMention.objects.filter(note=OuterRef("pk")).order_by("pk").values(name=name_of("member__user"))
    rows: QuerySet[Note] = Note.objects.filter(organization=customer.organization_id, customer=customer)
    return (
        rows.select_related("author__user", "done_by__user")
        .prefetch_related(Prefetch("files", NoteFile.objects.select_related("file").order_by("pk")))
        .annotate(notified=ArraySubquery(told))
    )


def follow_ups(member: Member, *, after: str = "", before: str = "") -> Page:
    """What the member still has to do for customers; what is due first stands first."""
    rows = Note.objects.to_be_done_by(member)
    return paginate(rows, order=_AS_DUE, after=after, before=before, fetch=lambda keys: _listed(member, keys))


def first_follow_ups(member: Member, most: int) -> tuple[list[Note], int]:
    """The first few of them, and how many there are. The rule is asked once, of no more than the keys."""
    keyed = Note.objects.to_be_done_by(member).annotate(total=Window(Count("pk"))).order_by(*_AS_DUE)
    found = list(keyed.values_list("pk", "total")[:most])
    if not found:
        return [], 0
    return list(_listed(member, [pk for pk, _ in found]).order_by(*_AS_DUE)), found[0][1]


def _listed(member: Member, keys: Keys) -> QuerySet[Note]:
    rows: QuerySet[Note] = Note.objects.for_organization(member.organization).filter(pk__in=keys)
    return rows.select_related("customer", "author__user")


def related_people(customer: Customer) -> QuerySet[RelatedPerson]:
    """Next of kin and guarantors, as they were added."""
    rows = RelatedPerson.objects.filter(organization=customer.organization_id, customer=customer)
    return rows.order_by("pk")


def related_people_by_kind(customer: Customer) -> dict[str, list[RelatedPerson]]:
    """In one statement; every kind is there."""
    rows = list(related_people(customer))
    return {kind: [each for each in rows if each.kind == kind] for kind in RelatedPerson.Kind.values}


def files(customer: Customer) -> QuerySet[StoredFile]:
    """Everything that people brought about the customer, documents and files of notes."""
    brought = documents(customer).order_by().values("file")
    attached = NoteFile.objects.filter(organization=customer.organization_id, note__customer=customer).values("file")
    return StoredFile.objects.filter(organization=customer.organization_id, pk__in=brought.union(attached, all=True))


def find_document(member: Member, pk: int) -> Document:
    """Raises NotVisible."""
    people = ("file", "uploaded_by__user", "reviewed_by__user")
    return find_paper(Document.objects.for_organization(member.organization).select_related(*people), member, pk)


def find_note(member: Member, pk: int) -> Note:
    """Raises NotVisible."""
    people = ("author__user", "done_by__user", "organization")
    return find_paper(Note.objects.for_organization(member.organization).select_related(*people), member, pk)


def find_note_file(member: Member, pk: int) -> NoteFile:
    """Raises NotVisible."""
    rows = NoteFile.objects.for_organization(member.organization).select_related("file")
    return find_paper(rows, member, pk, through="note__customer")


def find_related_person(member: Member, pk: int) -> RelatedPerson:
    """Raises NotVisible."""
    return find_paper(RelatedPerson.objects.for_organization(member.organization), member, pk)


def find_paper(rows: QuerySet[Paper], member: Member, pk: int, *, through: str = "customer") -> Paper:
    """One of the rows, of a customer whom the member sees in full: on a card it does not exist. Raises NotVisible."""
    customer = (f"{through}__account_manager__user", f"{through}__office", f"{through}__organization")
    found: Any = rows.select_related(*customer).filter(pk=pk).first()
    if found is None or not may(member, Capability.CUSTOMERS_VIEW, found.customer):
        raise NotVisible
    paper: Paper = found
    return paper


def lock_paper(find: Callable[[Member, int], Paper], actor: Member, paper: Paper) -> Paper:
    """The row, locked until the transaction ends, as `find` finds it then: a statement that had to wait for the lock would
    still see the state of before. Raises NotVisible."""
    rows: Any = type(paper)._default_manager
    rows.for_organization(actor.organization).select_for_update().filter(pk=paper.pk).first()
    return find(actor, paper.pk)


def require_review(member: Member, document: Document) -> None:
    """Four eyes: nobody reviews what they brought. Raises PermissionMissing."""
    require(member, Capability.DOCUMENTS_REVIEW, document.customer)
    if document.uploaded_by_id == member.pk:
        raise PermissionMissing("Nobody reviews a document that they uploaded themselves. Somebody else has to.")


def require_removal(member: Member, document: Document) -> None:
    """Who brought it, while it waits; later those who review. Raises PermissionMissing."""
    if not (document.is_waiting and document.uploaded_by_id == member.pk):
        require(member, Capability.DOCUMENTS_REVIEW, document.customer)


def require_edit(member: Member, note: Note) -> None:
    """Its author, for a day: others may have acted on it by then. Raises PermissionMissing."""
    require(member, Capability.NOTES_WRITE, note.customer)
    if note.author_id != member.pk:
        raise PermissionMissing(f"This note is {note.author.name}’s. Nobody else changes it.")
    if not is_young(note):
        raise PermissionMissing("A note can be changed for 24 hours. Add another one.")


def is_young(note: Note) -> bool:
    return timezone.now() - note.created_at < NOTES_CHANGE_FOR


def require_deletion(member: Member, note: Note) -> None:
    """Its author, or who oversees the customer. Raises PermissionMissing."""
    require(member, Capability.NOTES_WRITE, note.customer)
    if note.author_id != member.pk:
        require(member, Capability.CUSTOMERS_OVERSEE, note.customer)
