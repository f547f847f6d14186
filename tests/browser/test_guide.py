"""The guides from end to end: invite somebody, give them a customer, tell everybody; with and without JavaScript."""

from __future__ import annotations

import re

import pytest

from teams.models import Member
from tests.browser.conftest import Newcomer
from tests.browser.person import Person
from tests.stack import Mailbox, text_of
from tests.world import Lender

PASSWORD = "seven quiet herons 42"
BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


def link_in(text: str) -> str:
    found = re.search(r"https?://\S+", text)
    assert found is not None, text
    return found[0]


@BOTH
def test_invited_by_an_admin_a_person_joins_the_team(
    kudi: Lender, browser: Newcomer, mailbox: Mailbox, javascript: bool
) -> None:
    ada, ngozi = browser(javascript=javascript), browser(javascript=javascript)

    ada.sign_in(kudi["admin"])
    ada.follow("Settings")
    ada.heading("Team members")
    ada.follow("Invite a member")
    ada.fill("First name", "Ngozi")
    ada.fill("Last name", "Eze")
    ada.fill("E-mail", "ngozi@mail.example")
    ada.choose("Select role", "Account Manager")
    ada.choose("Office", kudi.other_branch.name)
    ada.press("Submit")
    ada.is_told("Ngozi Eze is invited as Account Manager")
    ada.shoot("invitations")

    letter = text_of(mailbox.wait_for("ngozi@mail.example", "invites you"))
    assert kudi["admin"].name in letter
    ngozi.open(link_in(letter))
    ngozi.heading(f"Join {kudi.organization.name}")
    ngozi.sees(kudi["admin"].name)
    ngozi.sees("Account Manager")
    ngozi.sees(kudi.other_branch.name)
    ngozi.shoot("invitation")
    ngozi.fill("Password", PASSWORD)
    ngozi.fill("Password, once more", PASSWORD)
    ngozi.press("Accept invitation")
    ngozi.is_told(f"Welcome to {kudi.organization.name}")
    ngozi.follow("Customers", within=ngozi.menu)
    ngozi.sees("No customers yet")
    ngozi.shoot("no-customers")

    ngozi.press_in_own_menu("Sign out")
    ngozi.sign_in("ngozi@mail.example", PASSWORD)
    ngozi.heading("Dashboard")

    with ngozi.refused(410):
        ngozi.open(link_in(letter))
    ngozi.sees("An invitation works once")


@BOTH
def test_a_customer_gets_an_account_manager_and_then_another_one(
    kudi: Lender, browser: Newcomer, mailbox: Mailbox, javascript: bool
) -> None:
    customer, first, second = kudi.customers["free"], kudi["other_manager"], kudi["account_manager"]
    ada, efe, tunde = browser(javascript=javascript), browser(), browser()
    ada.sign_in(kudi["admin"])
    efe.sign_in(first)
    efe.follow("Customers", within=efe.menu)
    efe.sees_not(customer.name)

    assign(ada, customer.name, "Add account manager", first, "Lives near Kano")
    ada.is_told(f"{first.name} is now the account manager of {customer.name}.")
    ada.open(kudi.url(f"customers/{customer.pk}/"))
    assert_back_office(ada, first)
    ada.shoot("profile")

    told = text_of(mailbox.wait_for(customer.email, "is now your account manager"))
    assert f"{first.name} of {first.office.name}" in told
    assert customer.name in text_of(mailbox.wait_for(first.user.email, "You are now the account manager"))
    efe.page.reload()
    efe.follow(customer.name)
    assert_back_office(efe, first)

    assign(ada, customer.name, "Edit account manager", second, "")
    ada.is_told(f"{second.name} is now the account manager of {customer.name}.")
    letter = text_of(mailbox.wait_for(first.user.email, "no longer"))
    assert second.name in letter
    mailbox.wait_for(second.user.email, customer.name)
    with efe.refused(404):
        efe.page.reload()
    efe.open(kudi.url("customers/"))
    efe.sees_not(customer.name)
    tunde.sign_in(second)
    tunde.follow("Customers", within=tunde.menu)
    tunde.follow(customer.name)
    assert_back_office(tunde, second)


@BOTH
def test_the_borrower_sees_the_account_manager(
    kudi: Lender, browser: Newcomer, mailbox: Mailbox, javascript: bool
) -> None:
    customer, manager = kudi.customers["free"], kudi["account_manager"]
    ada, grace = browser(), browser(javascript=javascript, phone=True)
    ada.sign_in(kudi["admin"])
    assign(ada, customer.name, "Add account manager", manager, "")
    ada.is_told("is now the account manager")

    grace.open(link_in(text_of(mailbox.wait_for(customer.email, "is now your account manager"))))
    grace.sees_not(manager.name)
    grace.shoot("borrower-link")
    grace.press("Open my page")
    grace.heading("Your account manager")
    grace.sees(manager.name)
    grace.sees(manager.office.name)
    grace.sees(manager.user.email)
    grace.shoot("borrower-page")

    grace.open(kudi.url("customers/"))
    grace.heading("Sign in")


def assign(admin: Person, customer: str, item: str, manager: Member, reason: str) -> None:
    """From the customer's row: the office first, then who works there."""
    admin.follow("Customers", within=admin.menu)
    admin.more(customer, item)
    admin.heading(f"Account manager for {customer}")
    admin.choose("Office", manager.office.name)
    if not admin.javascript:
        admin.press("Show members")
    admin.pick(manager.name)
    admin.fill("Reason", reason)
    admin.shoot("assign")
    admin.press(item, within=admin.place)


def assert_back_office(person: Person, manager: Member) -> None:
    back_office = person.section("Back office")
    person.sees_in(back_office, manager.name)
    person.sees_in(back_office, manager.office.name)
