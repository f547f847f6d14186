from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from customers.models.customer import Customer
from lendconsole.tenancy import SameOrganization, TenantModel
from teams.capabilities import Capability
from teams.models import Member
from teams.querysets import OrganizationRows


class DocumentQuerySet(OrganizationRows):
    def waiting(self) -> Self:
        """Those that nobody has reviewed yet."""
        return self.filter(state="waiting")

    def reviewable_by(self, member: Member) -> Self:
        """Those that wait, of customers whose documents the member decides; what they uploaded themselves is among them."""
        decided = Customer.objects.still_permitted(member, Capability.DOCUMENTS_REVIEW).values("pk")
        return self.for_organization(member.organization).waiting().filter(customer__in=decided)


class Document(TenantModel):
    """A paper of one customer. Never changed: it is uploaded, reviewed once by somebody else, and removed."""

    class Type(models.TextChoices):
        IDENTITY = "identity", "Identity card"
        ADDRESS = "address", "Proof of address"
        BANK_STATEMENT = "bank_statement", "Bank statement"
        PAYSLIP = "payslip", "Payslip"
        LOAN_AGREEMENT = "loan_agreement", "Loan agreement"
        GUARANTOR_FORM = "guarantor_form", "Guarantor’s form"
        OTHER = "other", "Other"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for review"
        APPROVED = "approved", "Approved"
        DECLINED = "declined", "Declined"

    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, db_constraint=False, db_index=False, related_name="documents"
    )
    file = models.OneToOneField("customers.StoredFile", models.PROTECT, related_name="+")
    type = models.CharField(max_length=20, choices=Type)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=300, blank=True, help_text="why it was declined")
    uploaded_by = models.ForeignKey("teams.Member", models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=timezone.now)
    reviewed_by = models.ForeignKey("teams.Member", models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)

    objects = DocumentQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_document_{field}_same_organization")
                for field in ("customer", "file", "uploaded_by", "reviewed_by")
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", reviewed_by=None) | ~Q(state="waiting") & Q(reviewed_by__isnull=False),
                name="customers_document_reviewed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("uploaded_by")),
                name="customers_document_four_eyes",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-uploaded_at", "-id"], name="customers_document_newest"),
            models.Index(fields=["customer"], condition=Q(state="waiting"), name="customers_document_waiting"),
            models.Index(
                fields=["organization", "uploaded_at", "id"],
                condition=Q(state="waiting"),
                name="customers_document_queue",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} of {self.customer}"

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING

    @property
    def tone(self) -> str:
        return {self.State.WAITING: "yellow", self.State.APPROVED: "green"}.get(self.State(self.state), "red")
