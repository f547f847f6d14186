"""Without a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Newcomer
from tests.browser.person import Person
from tests.world import Lender


def keys(person: Person, *names: str) -> None:
    for name in names:
        person.page.keyboard.press(name)


def tab_to(person: Person, role: str, name: str) -> None:
    """Tab until it has the focus; no more often than a patient person would."""
    target = person.place.get_by_role(role, name=name, exact=True)
    for _ in range(80):
        keys(person, "Tab")
        if target.evaluate("(element) => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not reach the {role} {name!r}.")


def test_signing_in_and_assigning_by_keyboard(kudi: Lender, browser: Newcomer) -> None:
    ada, customer, manager = browser(), kudi.customers["free"], kudi["account_manager"]
    ada.open("/")
    expect(ada.field("E-mail")).to_be_focused()
    ada.page.keyboard.type(kudi["admin"].user.email)
    keys(ada, "Tab")
    ada.page.keyboard.type("correct horse battery 9")
    keys(ada, "Enter")
    ada.heading("Dashboard")

    keys(ada, "/")
    expect(ada.page.get_by_label("Search customers", exact=True)).to_be_focused()
    ada.page.keyboard.type("Free")
    found = ada.page.get_by_role("search").get_by_role("link", name=customer.name)
    expect(found).to_be_visible()
    keys(ada, "ArrowDown")
    expect(found).to_be_focused()
    keys(ada, "Enter")
    ada.heading(customer.name)

    ada.open(kudi.url("customers/"))
    tab_to(ada, "button", f"More for {customer.name}")
    keys(ada, "Enter", "ArrowDown")
    expect(ada.page.get_by_role("link", name="Open", exact=True).locator("visible=true")).to_be_focused()
    keys(ada, "Escape")
    expect(ada.page.get_by_role("button", name=f"More for {customer.name}")).to_be_focused()

    open_dialog(ada, customer.name)
    keys(ada, "Escape")
    expect(ada.page.locator("dialog[open]")).to_have_count(0)
    expect(ada.page.get_by_role("button", name=f"More for {customer.name}")).to_be_focused()

    open_dialog(ada, customer.name)
    ada.settle()
    keys(ada, "Tab")
    for _ in range(20):
        chosen = ada.place.get_by_role("radio", name=re.compile(manager.name))
        if chosen.is_checked():
            break
        keys(ada, "ArrowDown" if ada.page.evaluate("document.activeElement.type") == "radio" else "Tab")
    tab_to(ada, "button", "Add account manager")
    keys(ada, "Enter")
    ada.is_told(f"{manager.name} is now the account manager of {customer.name}.")


def open_dialog(person: Person, customer: str) -> None:
    """From the focused button with the three dots."""
    person.page.get_by_role("button", name=f"More for {customer}").focus()
    keys(person, "Enter")
    item = person.page.get_by_role("link", name="Add account manager", exact=True).locator("visible=true")
    for _ in range(6):
        keys(person, "ArrowDown")
        if item.evaluate("(element) => element === document.activeElement"):
            break
    keys(person, "Enter")
    person.heading(f"Account manager for {customer}")
    expect(person.field("Office")).to_be_focused()


def test_the_first_tab_leads_past_the_menus(kudi: Lender, browser: Newcomer) -> None:
    ada = browser().sign_in(kudi["admin"])
    for path in ("", "customers/", "settings/members/"):
        ada.open(kudi.url(path))
        keys(ada, "Tab")
        skip = ada.page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        keys(ada, "Enter")
        expect(ada.page.get_by_role("main")).to_be_focused()


def test_escape_leaves_the_search(kudi: Lender, browser: Newcomer) -> None:
    ada = browser().sign_in(kudi["admin"])
    keys(ada, "/")
    ada.page.keyboard.type("Free")
    found = ada.page.get_by_role("search").get_by_role("link", name=kudi.customers["free"].name)
    expect(found).to_be_visible()
    keys(ada, "Escape")
    expect(found).to_be_hidden()
