"""The dashboard: its figures follow the rule and lead to the list that they count."""

from __future__ import annotations

import re

import pytest

from customers.models import Customer, CustomerUserObjectPermission
from lendconsole.tenancy import organization_context
from tests import factories
from tests.customers.pages import words
from tests.pages import statements
from tests.world import Lender, World


def figures(lender: Lender, role: str) -> dict[str, str]:
    response = lender.client(role).get(lender.url())
    assert response.status_code == 200
    return {figure.label: figure.text for figure in response.context["figures"]}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("admin", {"Customers": "4", "Unassigned": "2", "Mine": "0", "Pending invitations": "1"}),
        ("compliance", {"Customers": "4", "Unassigned": "2", "Mine": "0"}),
        ("account_manager", {"Your customers": "1"}),
        ("other_manager", {"Your customers": "1"}),
        ("no_users_unit", {}),
    ],
)
def test_each_role_sees_its_own_figures(world: World, role: str, expected: dict[str, str]) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        factories.InvitationFactory(
            organization=kudi.organization, role=kudi.roles["account_manager"], office=kudi.branch
        )
    assert figures(kudi, role) == expected


@pytest.mark.parametrize("role", ["admin", "account_manager", "customer_support"])
def test_every_figure_counts_the_list_it_leads_to(world: World, role: str) -> None:
    kudi, client = world.kudi, world.kudi.client(role)
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["own"].pk).update(status="active")
    context = client.get(kudi.url()).context
    counted = [*context["figures"], *context["statuses"], *context["loads"]]
    assert counted
    for figure in counted:
        if "customers/" in figure.url:
            assert len(client.get(figure.url).context["customers"]) == figure.count, figure


def test_the_workload_is_for_those_who_look_after_others(world: World) -> None:
    kudi = world.kudi
    for role, managers in (
        ("admin", 2),
        ("compliance", 2),
        ("account_manager", 0),
        ("customer_support", 0),
        ("no_users_unit", 0),
    ):
        assert len(kudi.client(role).get(kudi.url()).context["loads"]) == managers


def test_a_role_without_customers_gets_a_friendly_page(world: World) -> None:
    html = words(world.kudi.client("no_users_unit").get(world.kudi.url()))
    assert "does not work with customers" in html
    assert "T1-Borrower" not in html


def test_an_account_manager_sees_what_was_given_lately(world: World) -> None:
    kudi = world.kudi
    recent = kudi.client("account_manager").get(kudi.url()).context["recent"]
    assert [period.customer for period in recent] == [kudi.customers["own"]]
    with organization_context(kudi.organization.pk):
        CustomerUserObjectPermission.objects.filter(content_object=kudi.customers["own"]).delete()
    assert kudi.client("account_manager").get(kudi.url()).context["recent"] == []


def test_nothing_of_the_other_lender(world: World) -> None:
    assert "T-2" not in words(world.kudi.client("admin").get(world.kudi.url()))
    assert world.kudi.client("admin").get(world.rival.url()).status_code == 404


def test_large_figures_are_capped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lendconsole.dashboard.CAP", 3)
    assert figures(world.kudi, "admin")["Customers"] == "3+"


@pytest.mark.parametrize("role", ["admin", "account_manager", "customer_support", "no_users_unit"])
def test_a_dashboard_costs_ten_statements_at_most(world: World, role: str) -> None:
    kudi, client = world.kudi, world.kudi.client(role)
    client.get(kudi.url())
    few = statements(client, kudi.url())
    with organization_context(kudi.organization.pk):
        for _ in range(25):
            customer = factories.CustomerFactory(organization=kudi.organization, office=kudi.branch)
            factories.dedicate(customer, kudi["account_manager"])
    assert len(statements(client, kudi.url())) == len(few) <= 10


def test_bars_are_drawn_without_inline_styles(world: World) -> None:
    html = words(world.kudi.client("admin").get(world.kudi.url()))
    assert "style=" not in html
    assert re.search(r'<rect width="100" height="8" fill="currentColor" ?/>', html)
