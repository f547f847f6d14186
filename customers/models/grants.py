"""What makes a customer somebody's own: guardian's permission, cover for a colleague, and access for a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.utils import timezone
from guardian.models import UserObjectPermissionBase

from lendconsole.tenancy import CurrentOrganization, RowLevelSecurity, SameOrganization, TenantModel

MINUTE: Final = timedelta(minutes=1)
MANAGE: Final = "manage_customer"
"""guardian's permission on one customer; who holds it works that customer as their own."""


class CustomerUserObjectPermission(UserObjectPermissionBase):
    """guardian's row with a real foreign key. Written by customers.services alone, one for each assigned customer."""

    # As in TenantPart. The unique key of guardian begins with the user, and nobody looks for a permission alone.
    organization = models.ForeignKey(
        "accounts.Organization",
        models.PROTECT,
        db_default=CurrentOrganization(),
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, db_index=False)
    permission = models.ForeignKey("auth.Permission", models.CASCADE, db_index=False)
    content_object = models.ForeignKey(
        "customers.Customer", models.CASCADE, db_constraint=False, db_index=False, related_name="user_permissions"
    )

    class Meta(UserObjectPermissionBase.Meta):
        indexes = [models.Index(fields=["content_object", "user"], name="customers_grant_object")]
        constraints = [
            RowLevelSecurity("organization", name="customers_grant_tenant"),
            SameOrganization("content_object", name="customers_grant_same_organization"),
        ]


class TsTzRange(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class RunningQuerySet(models.QuerySet):
    def running(self) -> RunningQuerySet:
        """By the database's clock, so that a right ends on the minute without any job."""
        return self.filter(starts_at__lte=Now(), ends_at__gt=Now())


class TemporaryAccessQuerySet(RunningQuerySet):
    def emergencies(self) -> TemporaryAccessQuerySet:
        return self.filter(kind="emergency")

    def unreviewed(self) -> TemporaryAccessQuerySet:
        return self.emergencies().filter(reviewed_at=None)


class Cover(TenantModel):
    """`substitute` stands in for `covered` from `starts_at` to `ends_at` and works their customers as own."""

    covered = models.ForeignKey("teams.Member", models.PROTECT, related_name="covers_received")
    substitute = models.ForeignKey("teams.Member", models.PROTECT, related_name="covers_given")
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)

    objects = RunningQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("covered", name="customers_cover_covered_same_organization"),
            SameOrganization("substitute", name="customers_cover_substitute_same_organization"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="customers_cover_ends_after_start"),
            models.CheckConstraint(condition=~Q(covered=F("substitute")), name="customers_cover_of_somebody_else"),
            ExclusionConstraint(
                name="customers_cover_one_at_a_time",
                expressions=[
                    ("covered", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [models.Index(fields=["substitute", "ends_at"], name="customers_cover_substitute")]

    def __str__(self) -> str:
        return f"{self.substitute} for {self.covered}"

    @property
    def last_moment(self) -> datetime:
        """The last minute of it, whose day people name: it ends at midnight."""
        return self.ends_at - MINUTE


class TemporaryAccess(TenantModel):
    """One customer opened to one member for a time: an emergency, or a granted request."""

    class Kind(models.TextChoices):
        EMERGENCY = "emergency", "Emergency"
        REQUEST = "request", "Granted request"

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, db_constraint=False, related_name="temporary_accesses"
    )
    member = models.ForeignKey("teams.Member", models.PROTECT, related_name="temporary_accesses")
    kind = models.CharField(max_length=20, choices=Kind)
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    granted_by = models.ForeignKey("teams.Member", models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, help_text="emergencies: when somebody who oversees looked at it")
    reviewed_by = models.ForeignKey("teams.Member", models.PROTECT, null=True, related_name="+")

    objects = TemporaryAccessQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_temporary_{field}_same_organization")
                for field in ("customer", "member", "granted_by", "reviewed_by")
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="customers_temporary_ends_after_start"
            ),
        ]
        indexes = [
            models.Index(fields=["member", "ends_at"], name="customers_temporary_member"),
            models.Index(fields=["customer", "ends_at"], name="customers_temporary_customer"),
            models.Index(
                fields=["organization", "-starts_at", "-id"],
                condition=Q(kind="emergency"),
                name="customers_temporary_emergency",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member}: {self.customer} until {self.ends_at:%d %b %Y %H:%M}"
