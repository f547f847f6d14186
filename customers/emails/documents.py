"""The e-mail to who uploaded a document that was declined. Which paper of whom, and where to read why: reasons are about people."""

from __future__ import annotations

from typing import Any, Final

from customers.emails.parts import customer_of, member_of, tell
from customers.models import Document
from customers.policy import may
from notifications.letters import Undeliverable, letter
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from teams.capabilities import Capability

TOLD_OF_DECLINE: Final = "customers/document_declined"


def announce_decline(*, document: Document) -> None:
    customer, reviewer = document.customer, document.reviewed_by
    tell(
        document.uploaded_by,
        TOLD_OF_DECLINE,
        event=f"document:{document.pk}:declined",
        payload={
            "customer_id": customer.pk,
            "customer_name": customer.name,
            "customer_number": customer.number,
            "document_id": document.pk,
            "document_type": document.get_type_display(),
            "reviewer_name": reviewer.name if reviewer else "",
        },
    )


@letter(
    TOLD_OF_DECLINE,
    label="Declined document",
    switch="To who uploaded a document of a customer: it was declined",
    is_personal=True,
)
def document_declined(email: OutgoingEmail) -> dict[str, Any]:
    member, customer = member_of(email, "member_id"), customer_of(email)
    if not Document.objects.filter(pk=email.payload["document_id"]).exists():
        raise Undeliverable("The document was removed.")
    if not may(member, Capability.CUSTOMERS_VIEW, customer):
        raise Undeliverable("The member no longer sees the customer in full.")
    documents_url = absolute_url(member.url("customers:customer_documents", customer.pk))
    return {"member": member, "document_url": f"{documents_url}?state=declined#document-{email.payload['document_id']}"}
