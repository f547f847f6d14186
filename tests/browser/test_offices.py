"""The tree of offices at work: one is added below another, moved, closed by keyboard with what it holds, and merged."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from accounts.models import User
from tests.browser.conftest import Newcomer
from tests.browser.person import Person
from tests.browser.test_keyboard import keys, tab_to
from tests.factories import RoleFactory
from tests.teams.support import extra_member, inside
from tests.world import Lender

BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


def row(person: Person, office: str) -> Locator:
    return person.rows.filter(has=person.page.get_by_role("button", name=f"More for {office}", exact=True))


@BOTH
def test_an_office_is_added_and_moved(kudi: Lender, browser: Newcomer, password_hash: str, javascript: bool) -> None:
    with inside(kudi):
        role = RoleFactory(organization=kudi.organization, reaches={"customers.find": "office"})
        lead = extra_member(kudi, "", role=role, office=kudi.other_branch)
        User.objects.filter(pk=lead.user_id).update(password=password_hash)
    ada = browser(javascript=javascript).sign_in(kudi["admin"])
    ada.open(kudi.url("settings/offices/"))
    ada.more(kudi.branch.name, "New office below")
    ada.heading("New office")
    ada.fill("Name", "Recovery Team")
    ada.choose("Type", "Team")
    ada.choose("Head of office", f"{kudi['loan_officer'].name}, {kudi.branch.name}")
    ada.press("Add office", within=ada.place)
    ada.is_told("The office Recovery Team is there.")
    ada.sees_in(row(ada, "Recovery Team"), "Level 3: Recovery Team")
    ada.sees_in(row(ada, "Recovery Team"), f"works in {kudi.branch.name}")

    ada.more(kudi.branch.name, "Move")
    ada.heading(f"Move {kudi.branch.name}")
    ada.choose("Belongs to", kudi.other_branch.name)
    if not javascript:
        ada.press("Preview")
    ada.sees("2 more customers become visible to 1 person.")
    ada.shoot("office-move")
    ada.press("Move office", within=ada.place)
    ada.is_told(f"{kudi.branch.name} now belongs to {kudi.other_branch.name}.")
    ada.sees_in(row(ada, "Recovery Team"), "Level 4: Recovery Team")

    kofi = browser().sign_in(lead)
    kofi.follow("Customers", within=kofi.menu)
    expect(kofi.rows).to_have_count(4)


@BOTH
def test_the_tree_folds_and_is_searched(kudi: Lender, browser: Newcomer, javascript: bool) -> None:
    ada = browser(javascript=javascript).sign_in(kudi["admin"])
    ada.open(kudi.url("settings/offices/"))
    expect(ada.rows).to_have_count(3)
    toggle = ada.page.get_by_role("link", name=f"Offices below {kudi.head.name}")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    toggle.focus()
    keys(ada, "Enter")
    expect(ada.rows).to_have_count(1)
    expect(toggle).to_have_attribute("aria-expanded", "false")
    if javascript:
        expect(toggle).to_be_focused()
    ada.page.reload()
    expect(ada.rows).to_have_count(1)
    ada.follow("Expand all")
    expect(ada.rows).to_have_count(3)

    ada.fill("Search offices by name", "kano")
    if not javascript:
        ada.press("Search", within=ada.page.get_by_role("search", name="Offices"))
    expect(ada.rows).to_have_count(2)
    expect(ada.page.locator("mark")).to_have_text("Kano")


def test_an_office_is_closed_by_keyboard(kudi: Lender, browser: Newcomer) -> None:
    ada = browser().sign_in(kudi["admin"])
    ada.open(kudi.url("settings/offices/"))
    tab_to(ada, "button", f"More for {kudi.other_branch.name}")
    keys(ada, "Enter")
    item = ada.page.get_by_role("link", name="Deactivate", exact=True).locator("visible=true")
    for _ in range(8):
        keys(ada, "ArrowDown")
        if item.evaluate("(element) => element === document.activeElement"):
            break
    keys(ada, "Enter")
    ada.heading(f"Deactivate {kudi.other_branch.name}?")
    ada.sees(f"{kudi.other_branch.name} still has 1 active member and 2 customers.")
    for label in ("Members go to", "Customers go to"):
        field = ada.field(label)
        for _ in range(10):
            if field.evaluate("(element) => element === document.activeElement"):
                break
            keys(ada, "Tab")
        ada.page.keyboard.type("Ike" if label.startswith("Customers") else "Head")
        ada.settle()
    expect(ada.page.locator("#id_members option:checked")).to_have_text("Head Office T1")
    expect(ada.page.locator("#id_customers option:checked")).to_contain_text("Ikeja T1")
    ada.sees("1 more customer can be opened in full by 1 person.")
    ada.shoot("office-deactivate")
    tab_to(ada, "button", "Move and deactivate")
    keys(ada, "Enter")
    ada.is_told(f"{kudi.other_branch.name} is deactivated. 1 active member and 2 customers moved.")
    expect(ada.rows).to_have_count(2)
    ada.page.get_by_role("link", name="Deactivated").click()
    ada.more(kudi.other_branch.name, "Reactivate")
    ada.press("Reactivate", within=ada.place)
    ada.is_told(f"{kudi.other_branch.name} is active again.")
    expect(ada.rows).to_have_count(3)


@BOTH
def test_two_offices_become_one(kudi: Lender, browser: Newcomer, javascript: bool) -> None:
    ada = browser(javascript=javascript).sign_in(kudi["admin"])
    ada.open(kudi.url("settings/offices/"))
    ada.more(kudi.branch.name, "Merge into another")
    ada.heading(f"Merge {kudi.branch.name} into another office")
    ada.choose("Merge into", kudi.other_branch.name)
    tick = f"Move 7 active members and 2 customers and deactivate {kudi.branch.name}"
    ada.place.get_by_label(tick).check()
    ada.shoot("office-merge")
    with ada.page.expect_navigation():
        ada.press("Merge offices", within=ada.place)
    ada.is_told(f"{kudi.branch.name} is merged into {kudi.other_branch.name}.")
    ada.sees_in(row(ada, kudi.other_branch.name), "8")
    ada.page.get_by_role("link", name="Deactivated").click()
    ada.sees(f"Merged into {kudi.other_branch.name}.")
