"""Documents: the tab of a customer with an upload, a review and the file; and what waits for review among all customers."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.http import HttpRequest, StreamingHttpResponse

from accounts import parameters
from accounts.pages import ConsoleMixin, ConsolePage, FormPage
from accounts.pagination import paginate
from customers.files import attachment
from customers.forms.documents import APPROVE, DocumentRemoveForm, DocumentReviewForm, DocumentUploadForm
from customers.models import Document
from customers.paper_rows import document_lines, waiting_lines
from customers.papers import documents, find_document, require_removal, require_review, waiting_documents
from customers.services.documents import remove_document, review_document, take_document, upload_document
from customers.services.records import open_profile
from customers.views.pages import FullCustomerPage, neighbors, page_behind
from teams.capabilities import Capability
from teams.models import Member

DOCUMENTS_A_PAGE: Final = 25


class CustomerDocumentsView(ConsolePage):
    template_name = "customers/customer_documents.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        customer = open_profile(actor=self.member, pk=kwargs["pk"], needed=Capability.CUSTOMERS_VIEW)
        rows, state = documents(customer), parameters.option(self.request.GET, "state", Document.State.values)
        page = paginate(
            rows.filter(state=state) if state else rows,
            order=("-uploaded_at", "-id"),
            size=DOCUMENTS_A_PAGE,
            **self.cursors,
        )
        return super().get_context_data(
            customer=customer,
            tab="documents",
            lines=document_lines(self.member, customer, page.rows),
            state=state,
            states=Document.State.choices,
            **neighbors(self.request, page),
            **kwargs,
        )


class WaitingDocumentsView(ConsolePage):
    """The oldest first."""

    capability = Capability.DOCUMENTS_REVIEW
    template_name = "customers/document_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = waiting_documents(self.member, **self.cursors)
        lines = waiting_lines(self.member, page.rows)
        return super().get_context_data(lines=lines, **neighbors(self.request, page), **kwargs)


class DocumentUploadView(FullCustomerPage):
    needed = Capability.DOCUMENTS_UPLOAD
    template_name = "customers/document_upload.html"
    form_class = DocumentUploadForm

    def carry_out(self, form: DocumentUploadForm) -> str:
        file = form.cleaned_data["file"]
        document = upload_document(
            actor=self.member, customer=self.customer, type_=form.cleaned_data["type"], file=file, name=file.name
        )
        return (
            f"{document.get_type_display()} of {self.customer.name} is uploaded and waits for review by somebody else."
        )

    def next_url(self) -> str:
        return documents_url(self.member, self.customer.pk)


class DocumentPage(FormPage):
    """A form about the document of the address."""

    document: Document

    def find(self) -> None:
        self.document = find_document(self.member, self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(document=self.document, customer=self.document.customer, **kwargs)

    def next_url(self) -> str:
        return documents_url(self.member, self.document.customer_id)


class DocumentReviewView(DocumentPage):
    template_name = "customers/document_review.html"
    form_class = DocumentReviewForm

    def find(self) -> None:
        super().find()
        require_review(self.member, self.document)

    def carry_out(self, form: DocumentReviewForm) -> str:
        document = review_document(
            actor=self.member,
            document=self.document,
            is_approved=form.cleaned_data["decision"] == APPROVE,
            reason=form.cleaned_data["reason"],
        )
        return f"{document.get_type_display()} of {document.customer.name} is {document.get_state_display().lower()}."

    def next_url(self) -> str:
        """Back to the list of waiting documents, if it was behind the dialog."""
        behind = page_behind(self.request)
        return behind if behind.startswith(self.member.url("customers:document_list")) else super().next_url()


class DocumentRemoveView(DocumentPage):
    template_name = "customers/document_remove.html"
    form_class = DocumentRemoveForm

    def find(self) -> None:
        super().find()
        require_removal(self.member, self.document)

    def carry_out(self, form: DocumentRemoveForm) -> str:
        remove_document(actor=self.member, document=self.document, reason=form.cleaned_data["reason"])
        return f"{self.document.get_type_display()} of {self.document.customer.name} is removed."


class DocumentFileView(ConsoleMixin):
    http_method_names: ClassVar[list[str]] = ["get", "options"]  # type: ignore[misc]  # View declares it mutable

    def get(self, request: HttpRequest, organization: str, pk: int) -> StreamingHttpResponse:
        return attachment(take_document(actor=self.member, pk=pk))


def documents_url(member: Member, customer_pk: int) -> str:
    return member.url("customers:customer_documents", customer_pk)
