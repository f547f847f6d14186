"""What the tests of customers' pages share."""

from __future__ import annotations

from datetime import date
from typing import Any

from audit.models import AuditEvent
from customers.files import pieces
from customers.models import Customer, Export
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from tests.world import Lender

HTMX = {"HX-Request": "true"}
SECRETS = {
    "phone": "+2348034129981",
    "email": "secret.canary@mail.example",
    "address": "17 Canary Close",
    "employer": "Canary Mills",
    "state": "Canary State",
    "bvn_last_digits": "7788",
    "status_reason": "Canary reason",
    "date_of_birth": date(1987, 3, 29),
    "monthly_income": 123_456_00,
    "segment": "special_risk",
}
"""What the card does not show, in the column it stands in."""
WRITTEN_SECRETS = [
    "8034129981",
    "803 412 9981",
    "412 9981",
    "secret.canary",
    "Canary",
    "7788",
    "29 Mar 1987",
    "1987-03-29",
    "123,456",
    "Special risk",
]
"""The same as pages would write them."""


def hide_secrets_in(lender: Lender, key: str) -> Customer:
    """Give a customer of the world a value in every field that the card hides."""
    with organization_context(lender.organization.pk):
        Customer.objects.filter(pk=lender.customers[key].pk).update(**SECRETS)
        lender.customers[key].refresh_from_db()
    return lender.customers[key]


def traces(lender: Lender) -> tuple[int, int]:
    """How many audit lines (refusals aside) and e-mails there are."""
    with organization_context(lender.organization.pk):
        return AuditEvent.objects.exclude(verb="access.refused").count(), OutgoingEmail.objects.count()


def fresh(lender: Lender, customer: Customer) -> Customer:
    with organization_context(lender.organization.pk):
        return Customer.objects.select_related("account_manager__user", "office").get(pk=customer.pk)


def content_of(export: Export) -> str:
    """The file as text, without the mark at its beginning."""
    assert export.file is not None
    return b"".join(pieces(export.file)).decode("utf-8-sig")


def words(response: Any) -> str:
    """The page with every run of white space as one blank, as a browser shows it."""
    return " ".join(response.content.decode().split())
