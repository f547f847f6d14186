"""What is kept about a customer beside the record, as two colleagues work with it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Newcomer
from tests.factories import PDF
from tests.stack import Mailbox, text_of
from tests.world import Lender


def test_a_document_is_reviewed_and_a_colleague_is_told(
    kudi: Lender, browser: Newcomer, mailbox: Mailbox, tmp_path: Path
) -> None:
    customer, manager, admin = kudi.customers["own"], kudi["account_manager"], kudi["admin"]
    page, paper = tmp_path / "page.pdf", tmp_path / "passport.pdf"
    page.write_text("<script>alert(1)</script>")
    paper.write_bytes(PDF)
    musa, ada = browser(phone=True).sign_in(manager), browser().sign_in(admin)

    musa.open(kudi.url(f"customers/{customer.pk}/"))
    musa.follow("Documents")
    musa.follow("Upload a document")
    musa.choose("Type", "Identity card")
    musa.field("File").set_input_files(page)
    with musa.refused(422):
        musa.press("Upload", within=musa.place)
    expect(musa.field("File")).to_have_accessible_description(re.compile("“page.pdf” does not hold what its name says"))
    expect(musa.field("Type")).to_have_value("identity")
    musa.field("File").set_input_files(paper)
    musa.press("Upload", within=musa.place)
    musa.is_told("waits for review by somebody else")
    musa.shoot("documents-phone")

    ada.open(kudi.url())
    ada.menu.get_by_role("link", name="Document review 1 to review").click()
    ada.follow(f"Review the Identity card of {customer.name}")
    with ada.page.expect_download() as download:
        ada.follow("passport.pdf", within=ada.place)
    assert download.value.path().read_bytes() == PDF
    ada.pick("Approve")
    ada.shoot("review")
    ada.press("Save decision", within=ada.place)
    ada.is_told("is approved")
    ada.sees("No document waits for you.")

    ada.open(kudi.url(f"customers/{customer.pk}/"))
    ada.follow("Add note")
    ada.choose("Kind", "Enquiry")
    ada.fill("Text", f"Asks for a statement. @{manager.name}, can you?")
    ada.shoot("add-note")
    ada.press("Add note", within=ada.place)
    ada.is_told("The enquiry about")
    letter = text_of(mailbox.wait_for(manager.user.email, "wants you to read"))
    assert "statement" not in letter
    musa.open(next(word for word in letter.split() if "/notes/#note-" in word))
    musa.sees("Asks for a statement")
    musa.press("Mark as done")
    musa.sees(f"Done by {manager.name}")
    musa.shoot("notes-phone")
    ada.follow("Activity")
    ada.sees("approved a document of")
    ada.sees("completed something to be done about")
