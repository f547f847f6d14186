from __future__ import annotations

import secrets

from django.db import models
from django.utils import timezone

from lendconsole.tenancy import SameOrganization, TenantModel


def _nonce() -> str:
    return secrets.token_urlsafe(24)


class BorrowerLink(TenantModel):
    """A link that signs the borrower in to their page: signed over `nonce`, for one use, until `expires_at`."""

    customer = models.ForeignKey("customers.Customer", models.CASCADE, related_name="borrower_links")
    nonce = models.CharField(max_length=40, default=_nonce, editable=False, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("customer", name="customers_borrowerlink_same_organization"),
        ]

    def __str__(self) -> str:
        return f"Link for {self.customer}"
