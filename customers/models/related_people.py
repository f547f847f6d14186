from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.validators import validate_person_name
from lendconsole.tenancy import SameOrganization, TenantModel
from teams.querysets import OrganizationRows


class RelatedPerson(TenantModel):
    """Somebody who stands by a customer. Personal data of a third party: shown with the full profile, never searched."""

    class Kind(models.TextChoices):
        NEXT_OF_KIN = "next_of_kin", "Next of kin"
        GUARANTOR = "guarantor", "Guarantor"

    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, db_constraint=False, related_name="related_people"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(max_length=160, validators=[validate_person_name])
    relationship = models.CharField(max_length=60)
    phone = models.CharField(max_length=20, blank=True, help_text="E.164, such as +2348034129981")
    address = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OrganizationRows.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("customer", name="customers_relatedperson_customer_same_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.customer}"
