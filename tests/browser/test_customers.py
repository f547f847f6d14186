"""Everyday work with customers: entering, changing, looking through the list."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Route, expect

from customers.models import Customer
from lendconsole.tenancy import organization_context
from tests import factories
from tests.browser.conftest import Newcomer
from tests.browser.person import Person
from tests.world import Lender

BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
SEARCH = "Search customers by name, e-mail, phone or number"


@pytest.fixture
def ada(kudi: Lender, browser: Newcomer) -> Person:
    return browser().sign_in(kudi["admin"])


def test_a_new_customer_with_office_and_account_manager(kudi: Lender, ada: Person) -> None:
    manager = kudi["other_manager"]
    ada.follow("Customers", within=ada.menu)
    ada.follow("New customer")
    ada.choose("Office", kudi.other_branch.name)
    ada.pick(manager.name)
    ada.fill("First name", "Adaeze")
    ada.fill("Last name", "Okafor")
    ada.fill("Phone", "12")
    ada.fill("E-mail", "not an address")
    ada.fill("Date of birth", "2090-01-01")
    ada.shoot("new-customer")
    with ada.refused(422):
        ada.press("Add customer")

    expect(ada.field("Phone")).to_have_accessible_description(re.compile("phone", re.IGNORECASE))
    expect(ada.field("E-mail")).to_have_accessible_description(re.compile("address"))
    expect(ada.field("Date of birth")).to_have_accessible_description(re.compile("future"))
    expect(ada.field("First name")).to_have_value("Adaeze")
    expect(ada.field("Phone")).to_have_value("12")
    expect(ada.field("E-mail")).to_have_value("not an address")
    expect(ada.page.get_by_role("radio", name=re.compile(manager.name))).to_be_checked()
    ada.shoot("new-customer-refused")

    ada.fill("Phone", "0803 412 9981")
    ada.fill("E-mail", "adaeze@mail.example")
    ada.fill("Date of birth", "1990-02-28")
    ada.press("Add customer")
    ada.is_told("Adaeze Okafor is now a customer with the number")
    ada.heading("Adaeze Okafor")
    ada.sees("0803 412 9981")
    ada.sees_in(ada.section("Back office"), manager.name)


def test_nobody_of_the_former_office_is_picked_while_the_new_one_loads(kudi: Lender, ada: Person) -> None:
    customer = kudi.customers["free"]
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    ada.open(kudi.url(f"customers/{customer.pk}/"))
    ada.follow("Add account manager")
    ada.heading(f"Account manager for {customer.name}")
    ada.page.route("**/account-manager/?*", hold)
    ada.field("Office").select_option(label=kudi.other_branch.name)
    before = ada.page.get_by_role("radio", name=re.compile(kudi["account_manager"].name))
    add = ada.place.get_by_role("button", name="Add account manager")
    expect(before).to_be_disabled()
    expect(add).to_be_disabled()
    expect(ada.page.locator("#managers")).to_have_attribute("aria-busy", "true")
    ada.shoot("managers-loading")
    held.pop().continue_()
    expect(ada.page.get_by_role("radio", name=re.compile(kudi["other_manager"].name))).to_be_enabled()
    expect(before).to_have_count(0)
    expect(add).to_be_enabled()


@BOTH
def test_a_double_click_makes_one_customer(kudi: Lender, browser: Newcomer, javascript: bool) -> None:
    ada = browser(javascript=javascript).sign_in(kudi["admin"])
    ada.open(kudi.url("customers/new/"))
    ada.choose("Office", kudi.branch.name)
    ada.fill("First name", "Adaeze")
    ada.fill("Last name", "Twice")
    ada.page.get_by_role("button", name="Add customer").dblclick()
    ada.heading("Adaeze Twice")
    with organization_context(kudi.organization.pk):
        assert Customer.objects.filter(last_name="Twice").count() == 1


def test_a_double_click_in_a_dialog_assigns_once(kudi: Lender, ada: Person) -> None:
    customer = kudi.customers["free"]
    ada.open(kudi.url(f"customers/{customer.pk}/"))
    ada.follow("Add account manager")
    ada.heading(f"Account manager for {customer.name}")
    ada.pick(kudi["account_manager"].name)
    ada.place.get_by_role("button", name="Add account manager").dblclick()
    ada.is_told("is now the account manager")
    with organization_context(kudi.organization.pk):
        assert customer.assignments.count() == 1


def test_changed_details(kudi: Lender, ada: Person) -> None:
    customer = kudi.customers["free"]
    ada.open(kudi.url("customers/"))
    ada.more(customer.name, "Edit")
    ada.fill("Phone", kudi.customers["own"].phone)
    ada.fill("Employer", "Kudi & Sons")
    with ada.refused(422):
        ada.press("Save")
    expect(ada.field("Phone")).to_have_accessible_description(re.compile("has this phone number"))
    expect(ada.field("Employer")).to_have_value("Kudi & Sons")
    ada.fill("Phone", customer.phone)
    ada.press("Save")
    ada.is_told(f"The details of {customer.name} are saved.")
    ada.sees("Kudi & Sons")


def test_two_people_who_edit_the_same_customer(kudi: Lender, ada: Person, browser: Newcomer) -> None:
    customer, sola = kudi.customers["free"], browser().sign_in(kudi["super_admin"])
    for person in (ada, sola):
        person.open(kudi.url(f"customers/{customer.pk}/edit/"))
    ada.fill("Employer", "Ada’s Bakery")
    sola.fill("Employer", "Sola’s Bakery")
    ada.press("Save")
    ada.is_told("are saved")
    with sola.refused(422):
        sola.press("Save")
    expect(sola.page.get_by_role("alert")).to_contain_text("changed")
    sola.shoot("stale-edit")
    sola.open(kudi.url(f"customers/{customer.pk}/"))
    sola.sees("Ada’s Bakery")


def test_another_status_with_its_reason(kudi: Lender, ada: Person) -> None:
    customer = kudi.customers["free"]
    ada.open(kudi.url(f"customers/{customer.pk}/"))
    ada.press("More")
    ada.follow("Change status")
    ada.heading(f"Status of {customer.name}")
    ada.choose("Status", "Blacklisted")
    with ada.refused(422):
        ada.press("Change status", within=ada.place)
    expect(ada.field("Reason")).to_have_accessible_description(re.compile("Say why"))
    ada.fill("Reason", "Three forged pay slips")
    ada.press("Change status", within=ada.place)
    ada.is_told(f"{customer.name} is now blacklisted.")
    ada.sees("Three forged pay slips")
    ada.shoot("blacklisted")


@BOTH
def test_an_account_manager_is_removed_after_a_question(kudi: Lender, browser: Newcomer, javascript: bool) -> None:
    ada, customer = browser(javascript=javascript).sign_in(kudi["admin"]), kudi.customers["own"]
    ada.open(kudi.url("customers/"))
    ada.more(customer.name, "Remove account manager")
    ada.heading(f"Remove the account manager of {customer.name}?")
    ada.press("Remove account manager", within=ada.place)
    ada.is_told(f"{customer.name} no longer has an account manager.")
    ada.open(kudi.url(f"customers/{customer.pk}/"))
    ada.sees_in(ada.section("Back office"), "No account manager yet")


def test_filters_chips_and_the_back_button(kudi: Lender, ada: Person) -> None:
    ada.open(kudi.url("customers/"))
    ada.choose("Office", kudi.branch.name)
    expect(ada.rows).to_have_count(2)
    ada.choose("Account manager", "Nobody")
    expect(ada.rows).to_have_count(1)
    ada.sees_in(ada.rows, kudi.customers["free"].name)
    expect(ada.page).to_have_url(re.compile(rf"/\?office={kudi.branch.pk}&account_manager=nobody$"))
    ada.shoot("filtered")
    ada.page.go_back()
    expect(ada.rows).to_have_count(2)
    ada.page.go_forward()
    expect(ada.rows).to_have_count(1)
    ada.page.get_by_role("link", name=re.compile("Office: ")).click()
    expect(ada.rows).to_have_count(2)
    ada.follow("Clear all")
    expect(ada.rows).to_have_count(4)


def test_what_a_search_found_is_said_aloud(kudi: Lender, ada: Person) -> None:
    heard = ada.page.locator("#live")
    ada.open(kudi.url("customers/"))
    ada.fill(SEARCH, kudi.customers["free"].name)
    expect(ada.rows).to_have_count(1)
    expect(heard).to_have_text("1 customer")
    ada.fill(SEARCH, "nobody of this name")
    ada.sees("No customer found")
    expect(heard).to_have_text("0 customers")
    ada.follow("Clear search and filters")
    expect(ada.rows).to_have_count(4)


def test_sorting(kudi: Lender, ada: Person) -> None:
    names = sorted(customer.name for customer in kudi.customers.values())
    ada.open(kudi.url("customers/"))
    ada.sees_in(ada.rows.first, names[0])
    ada.page.get_by_role("columnheader", name="Customer").get_by_role("link").click()
    ada.sees_in(ada.rows.first, names[-1])
    ada.page.get_by_role("columnheader", name="Joined").get_by_role("link").click()
    expect(ada.page).to_have_url(re.compile("sort=joined"))


def test_many_customers_page_by_page(kudi: Lender, ada: Person) -> None:
    many(kudi, 110)
    ada.open(kudi.url("customers/?q=Many"))
    ada.sees("1–50 of 110")
    ada.follow("Next")
    ada.sees("51–100 of 110")
    ada.follow("Next")
    ada.sees("101–110 of 110")
    expect(ada.rows).to_have_count(10)
    ada.follow("Previous")
    ada.sees("51–100 of 110")
    ada.shoot("second-page")


def many(lender: Lender, count: int) -> None:
    with organization_context(lender.organization.pk):
        for number in range(count):
            factories.CustomerFactory(
                organization=lender.organization,
                office=lender.branch,
                first_name="Many",
                last_name=f"Person {chr(97 + number // 26)}{chr(97 + number % 26)}",
                joined_on=date(2026, 1, 1) + timedelta(days=number),
            )
