"""Many customers at once, from ticked lines of the list to what became of it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from customers.models import Customer
from lendconsole.tenancy import organization_context
from tests import factories
from tests.browser.conftest import Newcomer
from tests.browser.test_customers import BOTH
from tests.world import Lender


@BOTH
def test_two_that_are_ticked_and_all_that_match(kudi: Lender, browser: Newcomer, javascript: bool) -> None:
    with organization_context(kudi.organization.pk):
        for number in range(60):
            factories.CustomerFactory(
                organization=kudi.organization, office=kudi.branch, first_name="Crowd", last_name=f"Number{number:02}"
            )
    ada = browser(javascript=javascript).sign_in(kudi["admin"])
    ada.open(kudi.url("customers/?q=borrower"))
    for key in ("own", "free"):
        ada.page.get_by_role("checkbox", name=f"Choose {kudi.customers[key].name}").press("Space")
    ada.shoot("bulk-ticked")
    if javascript:
        ada.sees("2 chosen")
    ada.press("Change status")
    ada.sees("2 customers, ticked in the list.")
    ada.choose("Status", "Active")
    ada.shoot("bulk-status")
    ada.press("Change status", within=ada.place)
    ada.page.wait_for_url(re.compile(r"/customers/changes/\d+/$"))
    ada.sees("2 customers are now active.")
    ada.follow("Take it back")
    ada.heading("Take back this change?")
    ada.shoot("bulk-status-undo")
    ada.press("Take it back", within=ada.place)
    ada.sees("2 customers are as before.")
    ada.open(kudi.url("customers/?q=crowd"))
    ada.page.get_by_role("checkbox", name="All 60 that match").check()
    ada.press("Account manager")
    ada.sees("60 customers: “crowd”.")
    ada.page.get_by_role("radio", name=kudi["account_manager"].name).check(force=True)
    ada.shoot("bulk-manager")
    ada.press("Change account manager", within=ada.place)
    ada.sees(f"60 customers now have {kudi['account_manager'].name} as account manager.")
    ada.shoot("bulk-done")
    ada.press("Take it back")
    ada.sees("60 customers are as before.")
    expect(ada.page.get_by_role("button", name="Take it back")).to_have_count(0)
    with organization_context(kudi.organization.pk):
        assert not Customer.objects.filter(status="active").exists()


def test_a_view_is_saved_and_opened(kudi: Lender, browser: Newcomer) -> None:
    ada = browser().sign_in(kudi["admin"])
    ada.open(kudi.url("customers/?account_manager=nobody&sort=-name"))
    ada.press("Columns")
    for label in ("Phone", "Joined"):
        ada.page.get_by_label(label, exact=True).uncheck()
    ada.press("Show these", within=ada.page.locator("#columns"))
    ada.is_told("The list shows these columns from now on.")
    ada.press("Saved views")
    ada.follow("Save this view")
    ada.heading("Save this view")
    ada.fill("Name", "Without anybody")
    ada.press("Save", within=ada.place)
    ada.is_told("The view “Without anybody” is saved.")
    ada.open(kudi.url("customers/"))
    ada.press("Saved views")
    ada.follow("Without anybody")
    ada.sees("Account manager: Nobody")
    expect(ada.page.get_by_role("columnheader", name="Office")).to_be_visible()
    expect(ada.page.get_by_role("columnheader", name="Phone")).to_have_count(0)
    expect(ada.rows).to_have_count(2)
