"""Who sees what, as it looks on the screen; and that a change is in force on the very next click."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Newcomer
from tests.browser.person import Person
from tests.world import Lender, World


def manage(admin: Person, member: str, *, role: str = "", office: str = "") -> None:
    admin.follow("Settings")
    admin.more(member, "Manage user")
    admin.heading(f"Manage {member}")
    if role:
        admin.choose("Role", role)
    if office:
        admin.choose("Office", office)
    admin.shoot("manage-user")
    admin.press("Update", within=admin.place)


def test_another_role_is_in_force_on_the_next_click(kudi: Lender, browser: Newcomer) -> None:
    ada, femi = browser(), browser()
    officer = kudi["loan_officer"]
    ada.sign_in(kudi["admin"])
    femi.sign_in(officer)
    femi.follow("Customers", within=femi.menu)
    femi.follow("New customer")

    manage(ada, officer.name, role="Customer Support")
    ada.is_told(f"{officer.name} is now Customer Support in {officer.office.name}.")

    with femi.refused(403):
        femi.press("Add customer")
    femi.sees("permission")
    femi.follow("Customers", within=femi.menu)
    expect(femi.page.get_by_role("link", name="New customer")).to_have_count(0)


def test_another_office_is_in_force_on_the_next_click(kudi: Lender, browser: Newcomer) -> None:
    ada, femi = browser(), browser()
    officer, here, there = kudi["loan_officer"], kudi.customers["free"], kudi.customers["remote"]
    ada.sign_in(kudi["admin"])
    femi.sign_in(officer)
    femi.open(kudi.url(f"customers/{there.pk}/"))
    femi.sees("You see the card of this customer")
    femi.open(kudi.url(f"customers/{here.pk}/"))
    femi.follow("General details")

    manage(ada, officer.name, office=there.office.name)
    ada.is_told(f"{officer.name} is now Loan Officer in {there.office.name}.")

    femi.page.reload()
    femi.sees("You see the card of this customer")
    femi.sees_not(here.address)
    femi.open(kudi.url(f"customers/{there.pk}/"))
    femi.sees(there.address)


def test_a_deactivated_member_is_out_on_the_next_click(kudi: Lender, browser: Newcomer) -> None:
    ada, femi = browser(), browser()
    officer = kudi["loan_officer"]
    ada.sign_in(kudi["admin"])
    femi.sign_in(officer)

    ada.follow("Settings")
    ada.more(officer.name, "Deactivate")
    ada.heading(f"Deactivate {officer.name}?")
    ada.shoot("deactivate")
    ada.press("Deactivate", within=ada.place)
    ada.is_told(f"{officer.name} is deactivated")

    with femi.refused(404):
        femi.follow("Customers", within=femi.menu)
    femi.heading("There is nothing here")
    femi.follow("Go to the start page")
    femi.sees("your access was ended")
    femi.shoot("no-organization")


def test_a_member_who_still_holds_customers_is_not_deactivated(kudi: Lender, browser: Newcomer) -> None:
    ada, manager = browser(), kudi["account_manager"]
    ada.sign_in(kudi["admin"])
    ada.follow("Settings")
    ada.more(manager.name, "Deactivate")
    ada.sees(f"{manager.name} is still the account manager of 1 customer")
    expect(ada.place.get_by_role("button", name="Deactivate", exact=True)).to_have_count(0)
    ada.follow(kudi.customers["own"].name, within=ada.place)
    ada.heading(kudi.customers["own"].name)


def test_support_finds_the_account_manager_by_phone(kudi: Lender, browser: Newcomer) -> None:
    bola, customer, manager = browser(), kudi.customers["distant"], kudi["other_manager"]
    national = f"0{customer.phone[4:]}"
    bola.sign_in(kudi["customer_support"])
    bola.follow("Customers", within=bola.menu)
    for spelling in (customer.phone, national, f"{national[:4]} {national[4:7]}-{national[7:]}"):
        bola.fill("Search customers by name, e-mail, phone or number", spelling)
        expect(bola.rows).to_have_count(1)
        bola.sees_in(bola.rows, customer.name)
        bola.sees_in(bola.rows, manager.name)
        bola.fill("Search customers by name, e-mail, phone or number", "")
        expect(bola.rows).to_have_count(4)

    bola.open(kudi.url())
    bola.page.keyboard.press("/")
    bola.page.keyboard.type(national)
    found = bola.page.get_by_role("search").get_by_role("link", name=customer.name)
    bola.sees_in(found, f"{manager.name}, {manager.office.name}")
    bola.sees_not(national)
    bola.shoot("quick-search")
    found.click()

    bola.heading(customer.name)
    back_office = bola.section("Back office")
    bola.sees_in(back_office, manager.name)
    bola.sees_in(back_office, manager.office.name)
    bola.sees(f"Dedicated to {manager.name}")
    for secret in (customer.address, customer.email, national, customer.phone):
        assert secret not in bola.page.content()
    expect(bola.page.get_by_role("link", name="Edit account manager")).to_have_count(0)
    bola.shoot("card")


def test_a_role_without_the_users_unit_sees_no_customers(kudi: Lender, browser: Newcomer) -> None:
    ife = browser().sign_in(kudi["no_users_unit"])
    expect(ife.menu.get_by_role("link", name="Customers")).to_have_count(0)
    expect(ife.page.get_by_label("Search customers")).to_have_count(0)
    for path, status in (
        ("customers/", 403),
        ("customers/new/", 403),
        (f"customers/{kudi.customers['free'].pk}/", 404),
    ):
        with ife.refused(status):
            ife.open(kudi.url(path))
        ife.sees_not(kudi.customers["free"].last_name)


@pytest.mark.parametrize("role", ["super_admin", "customer_support"])
def test_the_second_lender_sees_nothing_of_the_first(world: World, browser: Newcomer, role: str) -> None:
    kudi, rival, customer = world.kudi, world.rival, world.kudi.customers["free"]
    stranger = browser().sign_in(rival[role])
    stranger.follow("Customers", within=stranger.menu)
    expect(stranger.rows).to_have_count(4)
    for text in (customer.name, customer.email, customer.phone, customer.number):
        stranger.fill("Search customers by name, e-mail, phone or number", text)
        stranger.sees("No customer found")
    paths = ["", "customers/", f"customers/{customer.pk}/", "settings/members/", "audit/", "emails/"]
    paths += [f"customers/{customer.pk}/account-manager/", f"settings/members/{kudi['admin'].pk}/"]
    for path in paths:
        with stranger.refused(404):
            stranger.open(kudi.url(path))
        stranger.sees_not("T1-")
    for path in (f"customers/{customer.pk}/", f"customers/{customer.pk}/edit/"):
        with stranger.refused(404):
            stranger.open(rival.url(path))
        stranger.sees_not("T1-")
