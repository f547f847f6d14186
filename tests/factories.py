"""Rows for tests. Each factory makes one plausible row inside the organization it is given."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import factory
from allauth.account.models import EmailAddress
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import Organization, User
from customers.exporting.making import rights_of
from customers.files import store
from customers.models import (
    AccessRequest,
    Assignment,
    BulkChange,
    Cover,
    Customer,
    CustomerImport,
    CustomerUserObjectPermission,
    Document,
    Export,
    ImpostorReport,
    Note,
    NoteFile,
    RelatedPerson,
    StoredFile,
    TemporaryAccess,
)
from teams.models import Invitation, Member, Office, Role, RolePermission

PASSWORD = "correct horse battery 9"


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Lender {n}")
    slug = factory.Sequence(lambda n: f"lender-{n}")
    requires_second_factor = False


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    first_name = factory.Sequence(lambda n: f"First{chr(97 + n % 26)}")
    last_name = factory.Sequence(lambda n: f"Last{chr(97 + n // 26 % 26)}")
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def address(self, create: bool, extracted: None, **kwargs: Any) -> None:
        EmailAddress.objects.create(user=self, email=self.email, verified=True, primary=True)


class OfficeFactory(DjangoModelFactory):
    """Give `parent` for an office below another one."""

    class Meta:
        model = Office

    name = factory.Sequence(lambda n: f"Office {n}")

    @classmethod
    def _create(cls, model_class: type[Office], *args: Any, **kwargs: Any) -> Office:
        office: Office = super()._create(model_class, *args, **kwargs)
        office.path = f"{office.parent.path if office.parent else '/'}{office.pk}/"
        office.save(update_fields=["path"])
        return office


class RoleFactory(DjangoModelFactory):
    """`reaches` maps capabilities to reaches."""

    class Meta:
        model = Role
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Role {n}")

    @factory.post_generation
    def reaches(self, create: bool, extracted: dict[str, str] | None, **kwargs: Any) -> None:
        RolePermission.objects.bulk_create(
            RolePermission(organization=self.organization, role=self, capability=capability, reach=reach)
            for capability, reach in (extracted or {}).items()
        )


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = Member

    user = factory.SubFactory(UserFactory)


class InvitationFactory(DjangoModelFactory):
    class Meta:
        model = Invitation

    email = factory.Sequence(lambda n: f"invited{n}@example.com")
    first_name = "Ngozi"
    last_name = "Eze"
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=7))


class CustomerFactory(DjangoModelFactory):
    class Meta:
        model = Customer

    number = factory.Sequence(lambda n: f"C-{n:06d}")
    first_name = "Adaeze"
    last_name = factory.Sequence(lambda n: f"Okafor{chr(97 + n % 26)}")
    email = factory.Sequence(lambda n: f"customer{n}@example.com")
    phone = factory.Sequence(lambda n: f"+23480{30000000 + n}")


class ExportFactory(DjangoModelFactory):
    """Finished, of four bytes; give `member`."""

    class Meta:
        model = Export

    format = Export.Format.CSV
    is_confirmed = True
    state = Export.State.DONE
    rights = factory.LazyAttribute(lambda export: rights_of(export.member))
    rows = 4
    progress = 4
    file = factory.LazyAttribute(
        lambda export: stored_file("customers.csv", b"file") if export.state == Export.State.DONE else None
    )
    finished_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=24))


IMPORT_HEADER = ["Customer number", "First name", "Last name", "Office"]
IMPORT_REPORT = {
    "rows": 500,
    "new": 480,
    "updated": 0,
    "left": 0,
    "refused": 20,
    "fields": [],
    "refused_rows": [{"line": 65, "number": "KM-000064", "sentences": ["Last name is missing."]}],
    "remarks": [{"line": 70, "number": "KM-000069", "sentences": ["Line 65 has the same BVN."]}],
    "unknown_offices": [["Atlantis Branch", 12]],
    "unknown_managers": [["nobody.here@kudi.example", 7]],
}


class ImportFactory(DjangoModelFactory):
    """Brought and checked, unless another `state` is given."""

    class Meta:
        model = CustomerImport

    file_name = "borrowers.csv"
    header = IMPORT_HEADER
    samples = [["KM-1", "Grace", "Etim", "Ikeja Branch"], ["KM-2", "Uche", "Nnaji", "Head Office"]]
    columns = IMPORT_HEADER
    state = CustomerImport.State.CHECKED
    report = IMPORT_REPORT
    rows = 500
    progress = 500
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))


class BulkChangeFactory(DjangoModelFactory):
    """Done, of one customer; give `member` and `customer_ids`."""

    class Meta:
        model = BulkChange

    kind = BulkChange.Kind.REMOVE
    size = factory.LazyAttribute(lambda change: len(change.customer_ids))
    progress = factory.LazyAttribute(lambda change: change.size)
    changed = factory.LazyAttribute(lambda change: change.size)
    state = BulkChange.State.DONE
    finished_at = factory.LazyFunction(timezone.now)


def dedicate(customer: Customer, manager: Member) -> Customer:
    """What customers.services.assign_account_manager leaves behind: column, period and grant. Without mails and audit."""
    Assignment.objects.create(organization=customer.organization, customer=customer, manager=manager)
    grant(customer, manager)
    customer.account_manager = manager
    customer.save(update_fields=["account_manager"])
    return customer


def grant(customer: Customer, manager: Member) -> CustomerUserObjectPermission:
    row: CustomerUserObjectPermission = CustomerUserObjectPermission.objects.assign_perm(
        "manage_customer", manager.user, customer
    )
    return row


def emergency(customer: Customer, member: Member, **facts: Any) -> TemporaryAccess:
    """Used an hour ago, so that it opens nothing anymore."""
    began = timezone.now() - timedelta(hours=1)
    return TemporaryAccess.objects.create(
        organization=customer.organization,
        customer=customer,
        member=member,
        kind=TemporaryAccess.Kind.EMERGENCY,
        starts_at=began,
        ends_at=began + timedelta(minutes=30),
        reason=facts.pop("reason", "The customer stands at the counter"),
        **facts,
    )


def impostor_report(lender: Organization, **facts: Any) -> ImpostorReport:
    facts = {"what_happened": "A man asked for my PIN on the phone", **facts}
    return ImpostorReport.objects.create(organization=lender, **facts)


def request(customer: Customer, member: Member, **facts: Any) -> AccessRequest:
    """Open for seven days, for one day of access."""
    return AccessRequest.objects.create(
        organization=customer.organization,
        customer=customer,
        member=member,
        reason=facts.pop("reason", "Asks about a repayment"),
        hours=facts.pop("hours", 24),
        expires_at=facts.pop("expires_at", timezone.now() + timedelta(days=7)),
        **facts,
    )


def cover(covered: Member, substitute: Member, **facts: Any) -> Cover:
    """For two weeks, a month from now."""
    starts_at = facts.pop("starts_at", timezone.now() + timedelta(days=30))
    return Cover.objects.create(
        organization=covered.organization,
        covered=covered,
        substitute=substitute,
        starts_at=starts_at,
        ends_at=facts.pop("ends_at", starts_at + timedelta(days=14)),
        **facts,
    )


PDF = b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"


def stored_file(name: str = "passport.pdf", content: bytes = PDF) -> StoredFile:
    """Of the current organization."""
    return store(io.BytesIO(content), name=name)


def document(customer: Customer, uploaded_by: Member, *, name: str = "passport.pdf", **facts: Any) -> Document:
    """An identity card that waits for review."""
    return Document.objects.create(
        organization=customer.organization,
        customer=customer,
        file=stored_file(name),
        type=facts.pop("type", Document.Type.IDENTITY),
        uploaded_by=uploaded_by,
        **facts,
    )


def note(customer: Customer, author: Member, *, file: str = "", **facts: Any) -> Note:
    """`file`: the name of one that comes with it."""
    facts = {"text": "Called back, asks for a statement", **facts}
    row: Note = Note.objects.create(organization=customer.organization, customer=customer, author=author, **facts)
    if file:
        NoteFile.objects.create(organization=customer.organization, note=row, file=stored_file(file))
    return row


def related_person(customer: Customer, **facts: Any) -> RelatedPerson:
    """A guarantor."""
    facts = {"kind": "guarantor", "name": "Kemi Alabi", "relationship": "Sister", "phone": "+2348021110000", **facts}
    row: RelatedPerson = RelatedPerson.objects.create(organization=customer.organization, customer=customer, **facts)
    return row
