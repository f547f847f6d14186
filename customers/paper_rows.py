"""Lines of the tabs of a profile, worked out before the template, with what the member may do about each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from customers.models import Customer, Document, Note
from customers.papers import is_young
from customers.rows import Action
from teams.models import Member


@dataclass(frozen=True, slots=True)
class DocumentLine:
    document: Document
    file_url: str
    actions: list[Action]

    @property
    def label(self) -> str:
        return f"{self.document.get_type_display()}, {self.document.file.name}"


def document_lines(member: Member, customer: Customer, documents: Iterable[Document]) -> list[DocumentLine]:
    return [
        DocumentLine(
            document,
            member.url("customers:document_file", document.pk),
            list(_document_actions(member, customer, document)),
        )
        for document in documents
    ]


def _document_actions(member: Member, customer: Customer, document: Document) -> Iterator[Action]:
    """The same rules as customers.papers.require_review and require_removal, for rows."""
    may_review = bool(customer.can_review) and document.uploaded_by_id != member.pk
    if may_review and document.is_waiting:
        url = member.url("customers:document_review", document.pk)
        yield Action("Approve or decline", "check", url, is_dialog=True)
    if customer.can_review or (document.is_waiting and document.uploaded_by_id == member.pk):
        yield Action("Remove", "trash", member.url("customers:document_remove", document.pk), is_dialog=True)


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """`url` leads to the document among the customer's others; there is nothing to decide without a `review_url`."""

    document: Document
    customer: Customer
    url: str
    customer_url: str
    review_url: str


def waiting_lines(member: Member, documents: Iterable[Document]) -> list[WaitingLine]:
    return [_waiting_line(member, document) for document in documents]


def _waiting_line(member: Member, document: Document) -> WaitingLine:
    tab = member.url("customers:customer_documents", document.customer_id)
    is_own = document.uploaded_by_id == member.pk
    return WaitingLine(
        document,
        document.customer,
        url=f"{tab}?state={Document.State.WAITING}#document-{document.pk}",
        customer_url=member.url("customers:customer_profile", document.customer_id),
        review_url="" if is_own else member.url("customers:document_review", document.pk),
    )


@dataclass(frozen=True, slots=True)
class NoteLine:
    """`can_note`: whether the member may pin and complete it."""

    note: Note
    can_note: bool
    notified: str
    files: list[tuple[str, str, int]]
    actions: list[Action]


def note_lines(member: Member, customer: Customer, notes: Iterable[Note]) -> list[NoteLine]:
    return [
        NoteLine(
            note,
            customer.can_note,
            ", ".join(note.notified),  # type: ignore[attr-defined]  # annotated by customers.papers.notes
            [(member.url("customers:note_file", each.pk), each.file.name, each.file.size) for each in note.files.all()],
            list(_note_actions(member, customer, note)),
        )
        for note in notes
    ]


def _note_actions(member: Member, customer: Customer, note: Note) -> Iterator[Action]:
    """The same rules as customers.papers.require_edit and require_deletion, for rows."""
    is_own = note.author_id == member.pk
    if customer.can_note and is_own and is_young(note):
        yield Action("Edit", "edit", member.url("customers:note_edit", note.pk), is_dialog=True)
    if customer.can_note and (is_own or customer.can_oversee):
        yield Action("Delete", "trash", member.url("customers:note_delete", note.pk), is_dialog=True)


@dataclass(frozen=True, slots=True)
class FollowUpLine:
    """`url` leads to the follow-up among the customer's other notes, `done_url` is for the button that completes it."""

    note: Note
    is_own: bool
    url: str
    customer_url: str
    done_url: str


def follow_up_lines(member: Member, notes: Iterable[Note]) -> list[FollowUpLine]:
    return [
        FollowUpLine(
            note,
            is_own=note.author_id == member.pk,
            url=f"{member.url('customers:customer_notes', note.customer_id)}?show=open#note-{note.pk}",
            customer_url=member.url("customers:customer_profile", note.customer_id),
            done_url=member.url("customers:note_done", note.pk),
        )
        for note in notes
    ]
