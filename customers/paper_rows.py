"""Lines of the tabs of a profile, worked out before the template, with what the member may do about each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from customers.models import Customer, Document
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
