"""Customers whose account manager is not working or sits elsewhere: the filters, the cards above the list, the dashboard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.filters import Choices, Filters
from customers.list_frame import list_frame
from customers.models import Customer
from customers.readers import customer_count
from customers.views.list import list_cards
from lendconsole.tenancy import organization_context
from teams.models import Member
from tests import factories
from tests.customers.pages import words
from tests.world import Lender, World, add_branch_head

ROLES = [
    *("super_admin", "compliance", "loan_officer", "customer_support", "account_manager", "other_manager"),
    "branch_head",
]


def first_names(lender: Lender, query: str, role: str = "admin") -> set[str]:
    response = lender.client(role).get(lender.url(f"customers/?{query}"))
    assert response.status_code == 200
    return {customer.first_name for customer in response.context["customers"]}


def furnish(lender: Lender) -> None:
    """One whose manager sits elsewhere, one whose manager is absent, one of somebody deactivated, one of somebody locked out."""
    organization = lender.organization
    with organization_context(organization.pk):
        add_branch_head(lender)

        def customer(name: str, manager: Member, **facts: object) -> Customer:
            row = factories.CustomerFactory(
                **{"organization": organization, "office": manager.office, "first_name": name, **facts}
            )
            return factories.dedicate(row, manager)

        now = timezone.now()
        customer("Mismatch", lender["other_manager"], office=lender.branch)
        customer("Covered", lender["loan_officer"])
        factories.cover(lender["loan_officer"], lender["account_manager"], starts_at=now - timedelta(hours=1))
        factories.cover(lender["account_manager"], lender["loan_officer"], starts_at=now + timedelta(days=3))
        customer("Left", lender["deactivated"])
        locked = factories.MemberFactory(
            organization=organization, role=lender.roles["account_manager"], office=lender.head
        )
        locked.user.is_active = False
        locked.user.save()
        customer("Locked", locked)
        customer("Both", lender["deactivated"], office=lender.other_branch, status=Customer.Status.ACTIVE)


def test_not_working_means_deactivated_locked_out_or_absent(world: World) -> None:
    furnish(world.kudi)
    assert first_names(world.kudi, "account_manager=not_working") == {"Covered", "Left", "Locked", "Both"}


def test_a_mismatch_is_another_office_than_the_customers(world: World) -> None:
    furnish(world.kudi)
    assert first_names(world.kudi, "attention=mismatch") == {"Mismatch", "Both"}
    assert first_names(world.kudi, "attention=mismatch&account_manager=not_working") == {"Both"}
    assert first_names(world.kudi, f"attention=mismatch&office={world.kudi.branch.pk}") == {"Mismatch"}


def test_attention_is_needed_for_either(world: World) -> None:
    furnish(world.kudi)
    assert first_names(world.kudi, "attention=needed") == {"Mismatch", "Covered", "Left", "Locked", "Both"}


@pytest.mark.parametrize("query", ["attention=needed", "attention=mismatch", "account_manager=not_working"])
@pytest.mark.parametrize("role", ["admin", "branch_head"])
def test_the_many_are_found_as_the_few_are(
    world: World, monkeypatch: pytest.MonkeyPatch, role: str, query: str
) -> None:
    furnish(world.kudi)
    few = first_names(world.kudi, query, role)
    monkeypatch.setattr("customers.attention.COUNT_CAP", 0)
    assert first_names(world.kudi, query, role) == few != set()


def test_the_filters_stand_as_chips_and_absence_in_the_row(world: World) -> None:
    kudi = world.kudi
    furnish(kudi)
    html = words(kudi.client("admin").get(kudi.url("customers/?attention=mismatch&account_manager=not_working")))
    assert "Remove the filter Attention: Office mismatch" in html
    assert "Remove the filter Account manager: Not working" in html
    assert "absent, somebody stands in" in words(kudi.client("admin").get(kudi.url("customers/?q=covered")))


@pytest.mark.parametrize("role", ROLES)
def test_each_card_says_how_many_its_list_has(world: World, role: str) -> None:
    kudi = world.kudi
    furnish(kudi)
    shown = kudi.client(role).get(kudi.url("customers/")).context["cards"]
    assert [card.label for card in shown][-1] == "Needing attention"
    for card in shown:
        context = kudi.client(role).get(card.url).context
        assert card.count == str(len(context["customers"])) == context["count_text"]


@pytest.mark.parametrize("role", ROLES)
def test_the_parts_of_attention_are_counted_once_each(world: World, role: str) -> None:
    kudi = world.kudi
    furnish(kudi)
    with organization_context(kudi.organization.pk):
        member = kudi[role]
        filters = Filters.parse({"attention": "needed"}, member, Choices([], []))
        assert list_frame(member, with_cards=True).cards["attention"] == customer_count(member, filters).total


def test_who_works_their_own_has_no_card_of_the_unassigned(world: World) -> None:
    with organization_context(world.kudi.organization.pk):
        manager = world.kudi["account_manager"]
        labels = [card.label for card in list_cards(manager, list_frame(manager, with_cards=True).cards)]
    assert labels == ["Your customers", "Active", "Needing attention"]


def test_cards_beyond_the_cap_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.views.list.COUNT_CAP", 3)
    assert world.kudi.client("admin").get(world.kudi.url("customers/")).context["cards"][0].count == "3+"


def test_the_dashboard_leads_to_customers_of_managers_who_are_not_working(world: World) -> None:
    kudi = world.kudi
    assert "Manager not working" not in words(kudi.client("admin").get(kudi.url()))
    furnish(kudi)
    figures = {figure.label: figure for figure in kudi.client("admin").get(kudi.url()).context["figures"]}
    figure = figures["Manager not working"]
    assert figure.text == "4"
    assert len(kudi.client("admin").get(figure.url).context["customers"]) == 4
