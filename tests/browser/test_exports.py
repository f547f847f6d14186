"""Taking the list of customers out of the console, with the worker making the file meanwhile."""

from __future__ import annotations

import csv
import re

from playwright.sync_api import expect

from tests.browser.conftest import Newcomer
from tests.browser.test_customers import BOTH, SEARCH
from tests.world import Lender


@BOTH
def test_the_list_as_a_file(kudi: Lender, browser: Newcomer, javascript: bool) -> None:
    ada = browser(javascript=javascript).sign_in(kudi["admin"])
    customer = kudi.customers["own"]
    ada.open(kudi.url("customers/?q=own"))
    expect(ada.page.get_by_label(SEARCH)).to_have_value("own")
    ada.follow("Export")
    ada.sees("1 customer, filtered by “own”.")
    ada.pick("CSV")
    ada.shoot("export")
    ada.press("Export", within=ada.place)
    ada.page.wait_for_url(re.compile(r"/customers/exports/\d+/$"))
    ready = ada.page.get_by_role("link", name="Download")
    for _ in range(40):
        if javascript or ready.is_visible():  # the page looks again by itself
            break
        ada.page.wait_for_timeout(500)
        ada.page.reload()
    expect(ready).to_be_visible(timeout=30_000)
    ada.shoot("export-ready")
    with ada.page.expect_download() as download:
        ready.click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        header, row, signature = csv.reader(file)
    assert (header[0], row[0]) == ("Customer number", customer.number)
    assert kudi["admin"].label in signature[0]
    ada.follow("Your exports")
    ada.sees("Ready")
