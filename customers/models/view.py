from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from customers.querysets import SavedViewQuerySet
from lendconsole.tenancy import SameOrganization, TenantModel


class SavedView(TenantModel):
    """A list of customers to come back to: its filters, order and columns. The one without a name keeps a member's columns."""

    member = models.ForeignKey("teams.Member", models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60, blank=True)
    is_shared = models.BooleanField("shared with everybody here", default=False)
    query = models.CharField(max_length=2_000, blank=True, help_text="the parameters of the list's address")
    columns = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("member", name="customers_savedview_member_same_organization"),
            models.UniqueConstraint("organization", "member", Lower("name"), name="customers_savedview_name_once"),
            models.CheckConstraint(
                condition=~Q(name="") | Q(is_shared=False), name="customers_savedview_columns_are_own"
            ),
        ]
        indexes = [
            models.Index(fields=["organization"], condition=Q(is_shared=True), name="customers_savedview_shared")
        ]

    def __str__(self) -> str:
        return self.name
