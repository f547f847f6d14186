"""What the access lens says: by what somebody sees the customer, and what is missing to the others.

That it agrees with the rule is test_rule.py's to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers import lens
from customers.lens import look
from customers.models import Cover, Customer, TemporaryAccess
from customers.querysets import CARD, FULL
from customers.services.records import open_profile
from lendconsole.tenancy import organization_context
from teams.capabilities import Capability, Reach
from teams.models import Member
from tests import factories
from tests.customers.scenes import draw
from tests.world import Lender, World


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk):
        yield world.kudi


def sights(customer: Customer, **asked: Any) -> dict[int, lens.Sight]:
    rows = [*look(customer, **asked).rows, *look(customer, shown=lens.WHO_CANNOT, **asked).rows]
    return {each.member.pk: each for each in rows}


def level_by_the_rule(member: Member, customer: Customer) -> str:
    row = Customer.objects.visible_to(member).with_access(member).filter(pk=customer.pk).first()
    return row.access if row else lens.NOTHING


def fresh(member: Member) -> Member:
    return Member.objects.select_related("user", "role", "office", "organization").get(pk=member.pk)


def cure(member: Member, customer: Customer, missing: str) -> None:
    """Take away the one thing that the lens named, in memory or in the rows."""
    if "is deactivated" in missing:
        member.status = Member.Status.ACTIVE
    elif "login" in missing:
        member.user.is_active = True
    elif "Dedicated to" in missing:
        member.organization.exclusive_assignments = False
    else:
        named = next(each for each in Capability if f"“{each.label}”" in missing)
        member.role.reaches = {**member.role.reaches, named: Reach.ORGANIZATION}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_missing_is_all_that_is_missing(db: None, seed: int) -> None:
    """Cured step by step, each step as the lens names it, everybody sees everything, and no step is named twice."""
    scene = draw(100 + seed)
    with organization_context(scene.organization.pk):
        for customer in scene.customers[:4]:
            for sight in sights(customer).values():
                member, said = fresh(sight.member), []
                words, level = lens._Words(customer), sight.level
                while level != FULL:
                    said.append(words.missing(member, level))
                    assert said.count(said[-1]) == 1, said
                    cure(member, customer, said[-1])
                    level = level_by_the_rule(member, customer)


def test_the_words(kudi: Lender) -> None:
    customer, now = kudi.customers["own"], timezone.now()
    Cover.objects.create(
        covered=kudi["account_manager"], substitute=kudi["other_manager"], ends_at=now + timedelta(days=2)
    )
    for role, kind in (("customer_support", "emergency"), ("loan_officer", "request")):
        TemporaryAccess.objects.create(
            customer=customer,
            member=kudi[role],
            kind=kind,
            ends_at=now + timedelta(hours=1),
            reason="Because",
            granted_by=kudi["admin"] if kind == "request" else None,
        )
    open_profile(actor=kudi["compliance"], pk=customer.pk)
    seen = sights(Customer.objects.get(pk=customer.pk))
    reasons = {role: seen[kudi[role].pk].reasons for role in kudi.members if kudi[role].pk in seen}
    assert reasons["account_manager"] == ("Account manager",)
    assert reasons["other_manager"][0].startswith(f"Stands in for {kudi['account_manager'].name} until ")
    assert reasons["customer_support"][0].startswith("Emergency access until ")
    assert reasons["loan_officer"][0].endswith(f", granted by {kudi['admin'].name}")
    assert reasons["admin"] == ("Admin opens all customers, also those dedicated to others",)
    assert seen[kudi["compliance"].pk].opened_at is not None
    assert seen[kudi["admin"].pk].opened_at is None
    assert "does not have the permission" in seen[kudi["no_users_unit"].pk].missing
    assert seen[kudi["deactivated"].pk].missing == "Deactivated is deactivated."


def test_why_the_card_alone_and_why_nothing(kudi: Lender) -> None:
    dedicated, free = (sights(Customer.objects.get(pk=kudi.customers[key].pk)) for key in ("own", "free"))
    assert dedicated[kudi["customer_support"].pk].level == CARD
    assert dedicated[kudi["customer_support"].pk].missing == (
        f"Dedicated to {kudi['account_manager'].name}, and the role Customer Support does not oversee the customers of others."
    )
    manager = kudi["other_manager"]
    assert dedicated[manager.pk].missing == (
        "Account Manager has “Find customers and see their card” for own customers alone, "
        f"and this one is dedicated to {kudi['account_manager'].name}."
    )
    assert free[manager.pk].missing.endswith("this one is dedicated to nobody.")
    remote = sights(Customer.objects.get(pk=kudi.customers["remote"].pk))
    assert remote[kudi["loan_officer"].pk].missing == (
        f"Loan Officer has “Open full profiles” for {kudi.branch.name} and below, "
        f"and this customer belongs to {kudi.other_branch.name}."
    )


def test_the_number_of_statements_does_not_grow(kudi: Lender) -> None:
    customer = Customer.objects.select_related("office", "organization", "account_manager__user").get(
        pk=kudi.customers["own"].pk
    )
    few = count(customer)
    for _ in range(60):
        factories.MemberFactory(organization=kudi.organization, role=kudi.roles["admin"], office=kudi.head)
    assert count(customer) == few <= 3
    page = look(customer, page=2)
    assert (page.first, page.has_next) == (51, False)
    assert len(look(customer).rows) == lens.PAGE_SIZE


def count(customer: Customer) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        look(customer)
    return len(captured)
