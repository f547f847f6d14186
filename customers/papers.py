"""What is kept about a customer beside the record: read by those alone who see the customer in full."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from customers.models import Customer, Document
from customers.policy import may, require
from lendconsole.errors import NotVisible, PermissionMissing
from teams.capabilities import Capability
from teams.models import Member

Paper = TypeVar("Paper", bound=Model)


def documents(customer: Customer) -> QuerySet[Document]:
    """With who brought and who reviewed them; in no order."""
    rows: QuerySet[Document] = Document.objects.filter(organization=customer.organization_id, customer=customer)
    return rows.select_related("file", "uploaded_by__user", "reviewed_by__user")


def find_document(member: Member, pk: int) -> Document:
    """Raises NotVisible."""
    people = ("file", "uploaded_by__user", "reviewed_by__user")
    return find_paper(Document.objects.for_organization(member.organization).select_related(*people), member, pk)


def find_paper(rows: QuerySet[Paper], member: Member, pk: int) -> Paper:
    """One of the rows, of a customer whom the member sees in full: on a card it does not exist. Raises NotVisible."""
    found: Any = rows.select_related("customer__account_manager__user", "customer__office").filter(pk=pk).first()
    if found is None or not may(member, Capability.CUSTOMERS_VIEW, found.customer):
        raise NotVisible
    paper: Paper = found
    return paper


def require_review(member: Member, document: Document) -> None:
    """Four eyes: nobody reviews what they brought. Raises PermissionMissing."""
    require(member, Capability.DOCUMENTS_REVIEW, document.customer)
    if document.uploaded_by_id == member.pk:
        raise PermissionMissing("Nobody reviews a document that they uploaded themselves. Somebody else has to.")


def require_removal(member: Member, document: Document) -> None:
    """Who brought it, while it waits; later those who review. Raises PermissionMissing."""
    if not (document.is_waiting and document.uploaded_by_id == member.pk):
        require(member, Capability.DOCUMENTS_REVIEW, document.customer)
