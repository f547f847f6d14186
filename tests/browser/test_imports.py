"""Bringing customers into the console from a file, with the worker at it meanwhile."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Newcomer
from tests.browser.test_customers import BOTH
from tests.customers.import_steps import Steps, person
from tests.world import Lender


def wait_for(page: Page, name: str, *, javascript: bool) -> None:
    """The link that the page shows once the worker is through; without JavaScript one looks again by hand."""
    link = page.get_by_role("link", name=name)
    for _ in range(40):
        if javascript or link.is_visible():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(link).to_be_visible(timeout=30_000)


@BOTH
def test_a_file_from_the_list_to_the_list_and_back(
    kudi: Lender, browser: Newcomer, tmp_path: Path, javascript: bool
) -> None:
    steps = Steps.of(kudi)
    file = tmp_path / "people.csv"
    lost = person(steps, "N-2", office="Atlantis")
    file.write_bytes(steps.file(person(steps), lost, person(steps, "N-3", bvn="=1+1")))
    ada = browser(javascript=javascript, phone=not javascript).sign_in(kudi["admin"])
    ada.open(kudi.url("customers/"))
    ada.follow("Import")
    ada.page.get_by_label("File", exact=True).set_input_files(file)
    ada.press("Continue")
    expect(ada.page.get_by_label("BVN")).to_have_value("BVN")
    ada.shoot("import-columns")
    ada.page.get_by_role("button", name="Check the rows").focus()
    ada.page.keyboard.press("Enter")
    wait_for(ada.page, "Import 1 customer", javascript=javascript)
    ada.sees("There is no active office “Atlantis” here.")
    ada.choose("Atlantis", kudi.other_branch.name)
    ada.shoot("import-review")
    ada.press("Check again")
    wait_for(ada.page, "Import 2 customers", javascript=javascript)
    ada.follow("Import 2 customers")
    ada.shoot("import-start")
    ada.press("Import 2 customers", within=ada.place)
    wait_for(ada.page, "Undo this import", javascript=javascript)
    with ada.page.expect_download() as download:
        ada.follow("Download them as CSV")
    with download.value.path().open(encoding="utf-8-sig", newline="") as result:
        _header, row = csv.reader(result)
    assert row[:3] == ["4", "A BVN has 11 digits.", "N-3"]
    assert "'=1+1" in row
    ada.shoot("import-result")
    ada.follow("Undo this import")
    ada.press("Undo this import", within=ada.place)
    ada.page.wait_for_url(re.compile(r"/customers/import/\d+/$"))
    wait_for(ada.page, "See the customers", javascript=javascript)
    ada.sees("Removed")
    ada.shoot("import-undone")
