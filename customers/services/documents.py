"""Documents of customers: brought, reviewed once by somebody else, taken along and removed."""

from __future__ import annotations

from typing import BinaryIO

from django.db import transaction
from django.utils import timezone

from audit.services import record
from audit.verbs import Verb
from customers.emails.documents import announce_decline
from customers.errors import AlreadyReviewed, DocumentThere, ReasonMissing
from customers.files import store
from customers.models import Customer, Document, StoredFile
from customers.papers import documents, find_document, lock_paper, require_removal, require_review
from customers.policy import lock_customer, require
from customers.uploads import check_upload
from teams.capabilities import Capability
from teams.models import Member


@transaction.atomic
def upload_document(*, actor: Member, customer: Customer, type_: str, file: BinaryIO, name: str) -> Document:
    """Raises NotVisible, PermissionMissing, FileRefused or DocumentThere. The audit log never holds the name of the file."""
    customer = lock_customer(actor, Capability.CUSTOMERS_VIEW, customer)
    require(actor, Capability.DOCUMENTS_UPLOAD, customer)
    check_upload(file, name=name)
    stored = store(file, name=name)
    if (
        documents(customer)
        .exclude(state=Document.State.DECLINED)
        .filter(file__digest=stored.digest, type=type_)
        .exists()
    ):
        raise DocumentThere(f"{customer.name} has this file already.")
    document = Document.objects.create(
        organization=actor.organization,
        customer=customer,
        file=stored,
        type=Document.Type(type_),
        uploaded_by=actor,
    )
    _record(actor, Verb.DOCUMENT_UPLOADED, document)
    return document


@transaction.atomic
def review_document(*, actor: Member, document: Document, is_approved: bool, reason: str = "") -> Document:
    """The first of two reviewers wins. Who uploaded what is declined gets an e-mail.

    Raises NotVisible, PermissionMissing, AlreadyReviewed or ReasonMissing.
    """
    document = lock_paper(find_document, actor, document)
    require_review(actor, document)
    if document.reviewed_by is not None:
        raise AlreadyReviewed(
            f"{document.reviewed_by.name} {document.get_state_display().lower()} this document already."
        )
    if not is_approved and not reason.strip():
        raise ReasonMissing("Say why the document is declined.")
    document.state = Document.State.APPROVED if is_approved else Document.State.DECLINED
    document.reason = "" if is_approved else reason
    document.reviewed_by, document.reviewed_at = actor, timezone.now()
    document.save(update_fields=["state", "reason", "reviewed_by", "reviewed_at"])
    _record(actor, Verb.DOCUMENT_APPROVED if is_approved else Verb.DOCUMENT_DECLINED, document, document.reason)
    if not is_approved:
        announce_decline(document=document)
    return document


@transaction.atomic
def remove_document(*, actor: Member, document: Document, reason: str = "") -> None:
    """The file goes too; the log keeps that it was there. Raises NotVisible or PermissionMissing."""
    document = lock_paper(find_document, actor, document)
    require_removal(actor, document)
    _record(actor, Verb.DOCUMENT_REMOVED, document, reason)
    document.delete()
    document.file.delete()


@transaction.atomic
def take_document(*, actor: Member, pk: int) -> StoredFile:
    """The file, to be handed out; each time is written down. Raises NotVisible."""
    document = find_document(actor, pk)
    _record(actor, Verb.DOCUMENT_DOWNLOADED, document)
    return document.file


def _record(actor: Member, verb: Verb, document: Document, reason: str = "") -> None:
    record(
        actor=actor,
        verb=verb,
        target=document.customer,
        after={"document": document.get_type_display()},
        reason=reason,
    )
