"""What the tests of changes of many customers share: asking for one, carrying it out, and how everybody is afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from customers.consistency import find_differences
from customers.models import BulkChange, Customer
from customers.services.bulk import start_bulk_change
from customers.tasks import carry_out_bulk_change
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.models import Member
from tests import factories
from tests.world import Lender

ASSIGN, REMOVE, STATUS = BulkChange.Kind.ASSIGN, BulkChange.Kind.REMOVE, BulkChange.Kind.STATUS


def start(lender: Lender, kind: BulkChange.Kind, role: str = "admin", query: Any = None, **facts: Any) -> BulkChange:
    """By default of everybody."""
    with organization_context(lender.organization.pk):
        return start_bulk_change(
            actor=lender[role],
            kind=kind,
            parameters=query or {},
            expected=facts.pop("expected", 10_000),
            seen_at=facts.pop("seen_at", timezone.now() + timedelta(minutes=1)),
            **facts,
        )


def by_hand(lender: Lender, *keys: str) -> dict[str, str]:
    return {"chosen": ",".join(str(lender.customers[key].pk) for key in keys)}


def managers(lender: Lender) -> dict[str, str]:
    """Who holds each customer of the world, and proof that column, period and grant agree."""
    with organization_context(lender.organization.pk):
        assert not list(find_differences(lender.organization))
        rows = Customer.objects.select_related("account_manager__user")
        held = {row.pk: row.account_manager.user.email.partition("@")[0] if row.account_manager else "" for row in rows}
    return {key: held[customer.pk] for key, customer in lender.customers.items()}


def emails(lender: Lender) -> list[tuple[str, str]]:
    with organization_context(lender.organization.pk):
        rows = OutgoingEmail.objects.filter(state="pending")
        return sorted(rows.values_list("kind", "recipient"))


def crowd(lender: Lender, count: int, manager: Member | None = None) -> list[Customer]:
    with organization_context(lender.organization.pk):
        rows: list[Customer]
        facts = {"organization": lender.organization, "office": lender.branch, "first_name": "Crowd"}
        rows = [factories.CustomerFactory(**facts) for _ in range(count)]
        for row in rows if manager else ():
            factories.dedicate(row, manager)
        return rows


def carried_out(lender: Lender, change: BulkChange) -> BulkChange:
    carry_out_bulk_change(lender.organization.pk, change.pk)
    with organization_context(lender.organization.pk):
        return BulkChange.objects.select_related("manager__user").get(pk=change.pk)
