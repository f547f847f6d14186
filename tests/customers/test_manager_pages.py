"""The dialogs that give, change and remove an account manager."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from customers.models import Assignment, Customer
from lendconsole.tenancy import organization_context
from tests import factories
from tests.customers.pages import HTMX, fresh, traces, words
from tests.pages import statements
from tests.world import Lender, World


def url(lender: Lender, customer: Customer, page: str = "account-manager/") -> str:
    return lender.url(f"customers/{customer.pk}/{page}")


def assign(lender: Lender, key: str, manager: Any, role: str = "admin", **data: Any) -> Any:
    customer = fresh(lender, lender.customers[key])
    data = {
        "submission_key": str(uuid4()),
        "version": customer.version,
        "office": getattr(manager, "office_id", ""),
        "manager": getattr(manager, "pk", manager),
        **data,
    }
    return lender.client(role).post(url(lender, customer), data)


def test_the_dialog_begins_with_the_customers_office(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    html = words(kudi.client("admin").get(url(kudi, free)))
    assert f"Account manager for {free.name}" in html
    options = html.partition('name="office"')[2].partition("</select>")[0]
    assert options.index(kudi.branch.name) < options.index(kudi.head.name)
    assert options.count(kudi.branch.name) == 1
    assert kudi["account_manager"].name in html
    assert kudi["other_manager"].name not in html
    assert "1 customer" in html
    assert "lightest" not in html  # one account manager among other roles has nobody to be compared with
    first = html.partition('id="manager-list"')[2]
    assert first.index(kudi["account_manager"].name) < first.index(kudi["admin"].name)
    assert "Add account manager" in html
    assert f"{free.first_name} and the new account manager will get an e-mail." in html


def test_the_lightest_account_manager_is_marked(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    with organization_context(kudi.organization.pk):
        light = factories.MemberFactory(
            organization=kudi.organization, role=kudi.roles["account_manager"], office=kudi.branch
        )
    response = kudi.client("admin").get(url(kudi, free))
    assert response.context["form"].lightest_id == light.pk
    assert "lightest" in words(response)


def test_only_eligible_members_are_offered(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    context = kudi.client("admin").get(url(kudi, free)).context
    offered = {member.pk for member in context["form"].managers}
    assert kudi["no_users_unit"].pk not in offered
    assert kudi["deactivated"].pk not in offered
    assert kudi["account_manager"].pk in offered


@pytest.mark.parametrize("headers", [{}, {**HTMX, "HX-Target": "managers"}])
def test_another_office_brings_its_members(world: World, headers: dict[str, str]) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    response = kudi.client("admin").get(url(kudi, free), {"office": kudi.other_branch.pk}, headers=headers)
    html = words(response)
    assert kudi["other_manager"].name in html
    assert kudi["account_manager"].name not in html
    assert ("<html" in html) is not bool(headers)


def test_without_javascript_a_button_brings_the_members(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    data = {"office": kudi.other_branch.pk, "reason": "Because <b>", "refresh": "1", "version": free.version}
    html = words(kudi.client("admin").post(url(kudi, free), data))
    assert kudi["other_manager"].name in html
    assert "Because &lt;b&gt;" in html
    assert fresh(kudi, free).account_manager is None


def test_an_office_without_eligible_members_says_why_and_where_to_go(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    html = words(kudi.client("admin").get(url(kudi, free), {"office": kudi.head.pk}))
    assert f"Nobody in {kudi.head.name} can be an account manager now" in html


@pytest.mark.parametrize("office", ["0", "x", "99999999999999999999", "\x00", "-1"])
def test_a_hostile_office_in_the_address_is_no_office(world: World, office: str) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    response = kudi.client("admin").get(url(kudi, free), {"office": office})
    assert response.status_code == 200


def test_adding_says_what_happened_and_leads_to_the_profile(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    response = assign(kudi, "free", kudi["account_manager"], reason="Speaks Efik.")
    assert response.headers["Location"] == kudi.url(f"customers/{free.pk}/")
    assert fresh(kudi, free).account_manager == kudi["account_manager"]
    html = words(kudi.client("admin").get(url(kudi, free, "activity/")))
    assert "Speaks Efik." in html
    with organization_context(kudi.organization.pk):
        assert Assignment.objects.get(customer=free).reason == "Speaks Efik."


def test_from_a_dialog_on_the_list_one_stays_on_the_list(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    data = {"version": free.version, "office": kudi.branch.pk, "manager": kudi["account_manager"].pk}
    behind = f"http://testserver{kudi.url('customers/')}?account_manager=nobody"
    headers = {**HTMX, "HX-Target": "dialog-content", "HX-Current-URL": behind}
    response = kudi.client("admin").post(url(kudi, free), data, headers=headers)
    assert response.headers["HX-Redirect"] == kudi.url("customers/?account_manager=nobody")


@pytest.mark.parametrize(
    "behind",
    [
        "https://evil.example/o/kudi/customers/",
        "//evil.example/o/kudi/customers/",
        "http://testserver/o/rival/customers/",
        "javascript:alert(1)",
        "http://testserver/o/kudi/customers/?q=" + "x" * 400,
    ],
)
def test_nobody_is_led_elsewhere(world: World, behind: str) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    data = {
        "submission_key": str(uuid4()),
        "version": free.version,
        "office": kudi.branch.pk,
        "manager": kudi["account_manager"].pk,
    }
    headers = {**HTMX, "HX-Target": "dialog-content", "HX-Current-URL": behind}
    response = kudi.client("admin").post(url(kudi, free), data, headers=headers)
    assert response.headers["HX-Redirect"] == kudi.url(f"customers/{free.pk}/")


def test_editing_puts_another_one_in_place(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    html = words(kudi.client("admin").get(url(kudi, own)))
    assert "Edit account manager" in html
    assert "the present one" in html
    assert f"the new account manager and {kudi['account_manager'].name} will get an e-mail" in html
    assert assign(kudi, "own", kudi["other_manager"]).status_code == 302
    assert fresh(kudi, own).account_manager == kudi["other_manager"]


def test_a_double_press_assigns_once(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    key = str(uuid4())
    first = assign(kudi, "free", kudi["account_manager"], submission_key=key)
    mailed = traces(kudi)
    second = assign(kudi, "free", kudi["account_manager"], submission_key=key, version=free.version)
    assert (first.status_code, second.status_code) == (302, 302)
    assert traces(kudi) == mailed
    with organization_context(kudi.organization.pk):
        assert Assignment.objects.filter(customer=free).count() == 1


def test_members_who_cannot_be_chosen_are_refused_by_the_server(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    for manager in (
        kudi["no_users_unit"],
        kudi["deactivated"],
        world.rival["account_manager"],
        "99999999999999999999999",
        "x\x00",
        "",
    ):
        response = assign(kudi, "free", manager, office=kudi.branch.pk)
        assert response.status_code == 422
        assert "Nothing was saved yet" in words(response)
    assert assign(kudi, "free", kudi["other_manager"], office=kudi.branch.pk).status_code == 422
    assert fresh(kudi, free).account_manager is None
    assert traces(kudi) == (0, 0)


def test_a_stale_dialog_is_told(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    assert assign(kudi, "own", kudi["other_manager"]).status_code == 302
    before = traces(kudi)
    response = assign(kudi, "own", kudi["admin"], version=own.version)
    assert response.status_code == 422
    assert "while you were choosing" in words(response)
    assert fresh(kudi, own).account_manager == kudi["other_manager"]
    assert traces(kudi) == before


def test_removing_leaves_nobody(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    page = url(kudi, own, "account-manager/remove/")
    client = kudi.client("admin")
    html = words(client.get(page))
    assert f"Remove the account manager of {own.name}?" in html
    data = {"submission_key": str(uuid4()), "version": own.version, "reason": "Left."}
    assert client.post(page, data).status_code == 302
    assert fresh(kudi, own).account_manager is None
    before = traces(kudi)
    assert client.post(page, data).status_code == 302
    assert client.post(page, {**data, "submission_key": str(uuid4())}).status_code == 422
    assert traces(kudi) == before


@pytest.mark.parametrize("role", ["account_manager", "compliance", "customer_support", "loan_officer"])
def test_those_who_may_not_assign_change_nothing(world: World, role: str) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    assert assign(kudi, "own", kudi["other_manager"], role).status_code == 403
    response = kudi.client(role).post(url(kudi, own, "account-manager/remove/"), {"version": own.version})
    assert response.status_code == 403
    assert fresh(kudi, own).account_manager == kudi["account_manager"]
    assert traces(kudi) == (0, 0)


def test_the_dialog_costs_the_same_for_many_members(world: World) -> None:
    kudi, free = world.kudi, world.kudi.customers["free"]
    client = kudi.client("admin")
    client.get(url(kudi, free))
    few = len(statements(client, url(kudi, free)))
    with organization_context(kudi.organization.pk):
        for _ in range(25):
            factories.MemberFactory(
                organization=kudi.organization, role=kudi.roles["account_manager"], office=kudi.branch
            )
    assert len(statements(client, url(kudi, free))) == few


def test_the_new_customer_page_lists_the_members_of_the_office(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("admin")
    part = client.get(
        kudi.url("customers/new/"), {"office": kudi.other_branch.pk}, headers={**HTMX, "HX-Target": "managers"}
    ).content.decode()
    assert part.lstrip().startswith('<div id="managers">')
    assert kudi["other_manager"].name in part
    assert "Nobody yet" in part
    assert "Choose an office to see who works there." in words(client.get(kudi.url("customers/new/")))
