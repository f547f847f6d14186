"""What borrowers and the public hold of ours: links and codes, stored so that nothing stored can be used."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

from lendconsole.tenancy import SameOrganization, TenantModel
from teams.querysets import OrganizationRows


def _nonce() -> str:
    return secrets.token_urlsafe(24)


class BorrowerLink(TenantModel):
    """What signs the borrower in to their page: a link signed over `nonce`, or a code for the browser that asked. For one use."""

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, db_constraint=False, related_name="borrower_links"
    )
    nonce = models.CharField(max_length=40, default=_nonce, editable=False, unique=True)
    browser = models.CharField(
        max_length=64,
        default="",
        db_default="",
        help_text="fingerprint of who asked, and for which address; none: no code",
    )
    code = models.CharField(max_length=64, default="", db_default="", help_text="fingerprint of the code")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="codes typed in that browser")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("customer", name="customers_borrowerlink_same_organization"),
        ]
        indexes = [models.Index(fields=["browser"], condition=~Q(browser=""), name="customers_borrowerlink_browser")]

    def __str__(self) -> str:
        return f"Link for {self.customer}"


class ManagerCode(TenantModel):
    """By this code, which an e-mail told the customer, anybody can ask whether the period's manager is still the account manager."""

    assignment = models.ForeignKey("customers.Assignment", models.CASCADE, related_name="codes")
    digest = models.CharField(max_length=64, help_text="fingerprint of the code")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("assignment", name="customers_managercode_same_organization"),
            models.UniqueConstraint(fields=["organization", "digest"], name="customers_managercode_once"),
        ]

    def __str__(self) -> str:
        return f"Code of {self.assignment}"


class ImpostorReport(TenantModel):
    """Somebody tells that a person passed as an account manager. `manager` and `customer` are there as far as a code or a sign-in tells."""

    what_happened = models.TextField(max_length=2000)
    contact = models.CharField(max_length=200, blank=True, help_text="how to reach who reported it")
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, db_constraint=False, null=True, related_name="impostor_reports"
    )
    manager = models.ForeignKey("teams.Member", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey("teams.Member", models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=500, blank=True, help_text="what was found and done")

    objects = OrganizationRows.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_impostorreport_{field}_same_organization")
                for field in ("customer", "manager", "closed_by")
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="customers_impostor_recent"),
            models.Index(
                fields=["organization", "-created_at", "-id"],
                condition=Q(closed_at=None),
                name="customers_impostor_open",
            ),
        ]

    def __str__(self) -> str:
        return f"Impostor report {self.pk}"
