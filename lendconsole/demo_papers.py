"""What the demo keeps beside the records of a few customers of one account manager, made as people make it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Final

from django.utils import timezone

from accounts.models import Organization
from customers.importing.running import carry_on
from customers.models import Customer, CustomerImport, Document, Note, RelatedPerson
from customers.services.documents import review_document, upload_document
from customers.services.imports import begin_import, choose_columns, start_import
from customers.services.impostors import report_impostor
from customers.services.notes import add_note, pin_note
from customers.services.related_people import add_related_person
from customers.services.views import save_view
from lendconsole.errors import DomainError
from teams.models import Member

CUSTOMERS: Final = 3
Type, Kind = Document.Type, Note.Kind


class PapersIncomplete(DomainError):
    """The demo's people or customers no longer fit what is told about them here."""


@dataclass(frozen=True, slots=True)
class Desk:
    """`manager` works the customers, `admin` reviews what the manager brings; `phones` takes two digits."""

    organization: Organization
    admin: Member
    manager: Member
    phones: str


def keep_papers(desk: Desk) -> None:
    """Raises PapersIncomplete."""
    held = Customer.objects.for_organization(desk.organization).filter(account_manager=desk.manager)
    customers = list(held.filter(status=Customer.Status.ACTIVE).order_by("number")[:CUSTOMERS])
    if len(customers) < CUSTOMERS:
        raise PapersIncomplete(f"{desk.manager.name} has fewer than {CUSTOMERS} active customers.")
    _documents(desk, *customers)
    _notes(desk, *customers)
    _related_people(desk, customers)
    report_impostor(
        organization=desk.organization,
        what_happened="A man called, said that he was my account manager, and asked for the PIN of my card.",
        customer=customers[0],
    )
    save_view(
        actor=desk.admin,
        name="High value, nobody looks after them",
        is_shared=True,
        query="segment=high_value&account_manager=nobody",
    )
    _import_employers(desk, customers)


def _documents(desk: Desk, first: Customer, second: Customer, third: Customer) -> None:
    """Some wait for the admin, one waits for the manager; one is approved and one declined."""
    approved = _upload(desk.manager, first, Type.IDENTITY)
    review_document(actor=desk.admin, document=approved, is_approved=True)
    _upload(desk.manager, first, Type.ADDRESS)
    _upload(desk.admin, second, Type.BANK_STATEMENT)
    declined = _upload(desk.manager, second, Type.PAYSLIP)
    review_document(
        actor=desk.admin, document=declined, is_approved=False, reason="The stamp of the employer is not readable."
    )
    _upload(desk.manager, third, Type.LOAN_AGREEMENT)


def _upload(actor: Member, customer: Customer, type_: Document.Type) -> Document:
    file = pdf(f"{type_.label} of {customer.number}")
    return upload_document(
        actor=actor, customer=customer, type_=type_, file=file, name=f"{type_}-{customer.number}.pdf"
    )


def _notes(desk: Desk, first: Customer, second: Customer, third: Customer) -> None:
    """Follow-ups for the manager, an enquiry with a file, and a pinned note that names the admin."""
    admin, manager, today = desk.admin, desk.manager, timezone.localdate()
    for actor, customer, days, text in (
        (manager, first, 3, "Call about the first installment."),
        (admin, second, 1, f"@{manager.name}, please ask for a payslip with a readable stamp."),
    ):
        due_on = today + timedelta(days=days)
        add_note(actor=actor, customer=customer, facts={"kind": Kind.FOLLOW_UP, "text": text, "due_on": due_on})
    add_note(
        actor=manager,
        customer=third,
        facts={"kind": Kind.ENQUIRY, "text": "Asks for a statement of last year. The form is signed.", "due_on": None},
        files=[(pdf(f"Request of {third.number}"), "request.pdf")],
    )
    wish = f"Wants to be called after 5 pm only. @{admin.name}, please keep to that."
    note = add_note(actor=manager, customer=first, facts={"kind": Kind.NOTE, "text": wish, "due_on": None})
    pin_note(actor=manager, note=note, is_pinned=True)


def _related_people(desk: Desk, customers: list[Customer]) -> None:
    numbers = iter(range(80, 100))
    for customer in customers:
        for kind, first_name, relationship in (
            (RelatedPerson.Kind.NEXT_OF_KIN, "Grace", "Sister"),
            (RelatedPerson.Kind.GUARANTOR, "Peter", "Uncle"),
        ):
            add_related_person(
                actor=desk.manager,
                customer=customer,
                kind=kind,
                facts={
                    "name": f"{first_name} {customer.last_name}",
                    "relationship": relationship,
                    "phone": desk.phones.format(next(numbers)),
                    "address": customer.address,
                },
            )


def _import_employers(desk: Desk, customers: list[Customer]) -> None:
    """A finished import: it changed these customers and refused a row about somebody unknown."""
    rows = [f"{customer.number},Unity Textiles" for customer in customers]
    file = BytesIO("\n".join(["Customer number,Employer", *rows, "NOBODY-1,Unity Textiles"]).encode())
    begun = begin_import(actor=desk.admin, file=file, name="employers.csv")
    choose_columns(actor=desk.admin, pk=begun.pk, columns=begun.columns, updates=True)
    carry_on(desk.organization.pk, begun.pk)
    start_import(actor=desk.admin, pk=begun.pk, is_confirmed=True)
    carry_on(desk.organization.pk, begun.pk)
    begun.refresh_from_db()
    if begun.state != CustomerImport.State.DONE:
        raise PapersIncomplete(f"employers.csv: {begun.state_reason}")


def pdf(line: str) -> BytesIO:
    """One page with one line of plain letters on it."""
    text = f"BT /F1 24 Tf 72 720 Td ({line}) Tj ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    content, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(f"{len(content):010} 00000 n \n")
        content += f"{number} 0 obj\n{body}\nendobj\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{''.join(places)}"
    end = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF\n"
    return BytesIO(f"{content}{table}{end}".encode("ascii"))
