from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from customers.models.grants import TsTzRange
from lendconsole.tenancy import SameOrganization, TenantModel, TenantPart


class Assignment(TenantPart):
    """A period in which one member was the account manager of one customer. Open while `ended_at` is null; never rewritten."""

    # No index of their own: the rows are many, and each is looked for by the customer or, while it is open, by the manager.
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, db_constraint=False, db_index=False, related_name="assignments"
    )
    manager = models.ForeignKey(
        "teams.Member", models.PROTECT, db_constraint=False, db_index=False, related_name="assignments"
    )
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    assigned_by = models.ForeignKey(
        "teams.Member",
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        help_text="none: the system",
    )
    ended_by = models.ForeignKey(
        "teams.Member", models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)
    batch = models.UUIDField(null=True, help_text="shared by the periods that one import or bulk change began")
    end_batch = models.UUIDField(null=True, help_text="shared by the periods that one bulk change ended")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_assignment_{field}_same_organization")
                for field in ("customer", "manager", "assigned_by", "ended_by")
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="customers_assignment_ends_after_start",
            ),
            # Two open periods overlap too, so that there is one at most.
            ExclusionConstraint(
                name="customers_assignment_no_overlap",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    (TsTzRange("started_at", "ended_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "manager", "customer"],
                condition=Q(ended_at=None),
                name="customers_assignment_open",
            ),
            models.Index(fields=["customer", "-started_at"], name="customers_assignment_history"),
            models.Index(
                fields=["organization", "batch", "customer"],
                condition=Q(batch__isnull=False),
                name="customers_assignment_batch",
            ),
            models.Index(
                fields=["organization", "end_batch", "customer"],
                condition=Q(end_batch__isnull=False),
                name="customers_assignment_end_batch",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.manager} for {self.customer}"
