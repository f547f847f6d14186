"""Asking to see a customer in full for a time."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import BooleanField, Case, Q, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from customers.models.customer import Customer
from lendconsole.tenancy import SameOrganization, TenantModel
from teams.capabilities import Capability
from teams.models import Member
from teams.querysets import OrganizationRows


class AccessRequestQuerySet(OrganizationRows):
    def open(self) -> Self:
        """Those that wait for a decision. By the database's clock: nothing has to close those that nobody decided."""
        return self.filter(state="open", expires_at__gt=Now())

    def known_to(self, member: Member) -> Self:
        """In any state: of the member's own customers, or overseen, or asked by the member; `can_decide` says which are theirs."""
        visible = Customer.objects.visible_to(member).values("pk")
        overseen = Customer.objects.permitted(member, Capability.CUSTOMERS_OVERSEE).values("pk")
        kept = Q(customer__in=Customer.objects.kept_by(member).values("pk")) & ~Q(member=member)
        rows = self.for_organization(member.organization).filter(customer__in=visible)
        decides = Case(When(kept, then=Value(True)), default=Value(False), output_field=BooleanField())
        return rows.filter(kept | Q(customer__in=overseen) | Q(member=member)).annotate(can_decide=decides)

    def decidable_by(self, member: Member) -> Self:
        """Open ones of others, about customers that the member keeps."""
        return self.open().known_to(member).filter(can_decide=True)


class AccessRequest(TenantModel):
    """Somebody who sees the card alone asks those who keep the customer to open it for some hours."""

    class State(models.TextChoices):
        OPEN = "open", "Waiting"
        GRANTED = "granted", "Granted"
        DECLINED = "declined", "Declined"
        EXPIRED = "expired", "Expired"

    class Time(models.IntegerChoices):
        """In hours."""

        HOUR = 1, "1 hour"
        DAY = 24, "1 day"
        WEEK = 168, "7 days"

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, db_constraint=False, related_name="access_requests"
    )
    member = models.ForeignKey("teams.Member", models.PROTECT, related_name="access_requests")
    reason = models.CharField(max_length=500)
    hours = models.PositiveSmallIntegerField(choices=Time)
    state = models.CharField(max_length=20, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(help_text="after this nobody decides it anymore")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("teams.Member", models.PROTECT, null=True, related_name="+")
    answer = models.CharField(max_length=300, blank=True)
    access = models.ForeignKey("customers.TemporaryAccess", models.CASCADE, null=True, related_name="+")

    objects = AccessRequestQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_request_{field}_same_organization")
                for field in ("customer", "member", "decided_by", "access")
            ),
            models.UniqueConstraint(
                fields=["customer", "member"], condition=Q(state="open"), name="customers_request_one_open"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "created_at", "id"], condition=Q(state="open"), name="customers_request_open"
            ),
            models.Index(fields=["member", "-created_at"], name="customers_request_member"),
        ]

    def __str__(self) -> str:
        return f"{self.member}: {self.customer}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN and self.expires_at > timezone.now()

    @property
    def state_now(self) -> str:
        return self.State.EXPIRED if self.state == self.State.OPEN and not self.is_open else self.State(self.state)
