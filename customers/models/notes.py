from __future__ import annotations

from typing import Final, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from customers.models.customer import Customer
from customers.models.grants import Cover
from lendconsole.tenancy import SameOrganization, TenantModel
from teams.capabilities import Capability
from teams.models import Member
from teams.querysets import OrganizationRows

LONGEST_NOTE: Final = 4000


class NoteQuerySet(OrganizationRows):
    def open(self) -> Self:
        """Follow-ups and enquiries that nobody has completed."""
        return self.filter(done_at=None).exclude(kind="note")

    def to_be_done_by(self, member: Member) -> Self:
        """Open follow-ups that the member wrote or was told of, and those about customers that they hold or cover, as far
        as they see the customer in full and write notes. Each part has an index of its own."""
        due = self.for_organization(member.organization).filter(kind="follow_up", done_at=None)
        covered = Cover.objects.running().filter(substitute=member).values("covered")
        parts = (
            Q(author=member),
            Q(mentions__member=member),
            Q(customer__account_manager=member),
            Q(customer__account_manager__in=covered),
        )
        first, *rest = (due.filter(part).values("pk") for part in parts)
        seen = Customer.objects.still_permitted(member, Capability.NOTES_WRITE).values("pk")
        return due.filter(pk__in=first.union(*rest, all=True), customer__in=seen)


class Note(TenantModel):
    """What a member writes down about a customer. Pinned ones stand first. `due_on`: follow-ups alone, and always."""

    class Kind(models.TextChoices):
        NOTE = "note", "Note"
        FOLLOW_UP = "follow_up", "Follow-up"
        ENQUIRY = "enquiry", "Enquiry"

    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, db_constraint=False, db_index=False, related_name="notes"
    )
    author = models.ForeignKey("teams.Member", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.NOTE)
    text = models.TextField(max_length=LONGEST_NOTE)
    due_on = models.DateField(null=True, blank=True)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey("teams.Member", models.PROTECT, null=True, related_name="+")
    is_pinned = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = NoteQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_note_{field}_same_organization")
                for field in ("customer", "author", "done_by")
            ),
            models.CheckConstraint(
                condition=Q(kind="follow_up", due_on__isnull=False) | ~Q(kind="follow_up") & Q(due_on=None),
                name="customers_note_follow_ups_are_due",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-is_pinned", "-created_at", "-id"], name="customers_note_newest"),
            *(
                models.Index(
                    fields=["organization", field, "due_on", "id"],
                    condition=Q(kind="follow_up", done_at=None),
                    name=f"customers_note_{field}_due",
                )
                for field in ("customer", "author")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} about {self.customer}"

    @property
    def can_be_done(self) -> bool:
        return self.kind != self.Kind.NOTE

    @property
    def is_overdue(self) -> bool:
        return self.due_on is not None and self.done_at is None and self.due_on < timezone.localdate()


class NoteMention(TenantModel):
    """A member who was told of the note."""

    note = models.ForeignKey(Note, models.CASCADE, db_index=False, related_name="mentions")
    member = models.ForeignKey("teams.Member", models.PROTECT, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_notemention_{field}_same_organization")
                for field in ("note", "member")
            ),
            models.UniqueConstraint(fields=["note", "member"], name="customers_notemention_once"),
        ]


class NoteFile(TenantModel):
    """A file that came with the note."""

    note = models.ForeignKey(Note, models.CASCADE, related_name="files")
    file = models.OneToOneField("customers.StoredFile", models.PROTECT, related_name="+")

    objects = OrganizationRows.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_notefile_{field}_same_organization")
                for field in ("note", "file")
            ),
        ]

    @property
    def customer(self) -> models.Model:
        return self.note.customer
