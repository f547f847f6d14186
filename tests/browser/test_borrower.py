"""A borrower at a phone: sign in with the code, read who looks after them, and ask whether a caller is that person."""

from __future__ import annotations

import re

from customers.services.account_managers import assign_account_manager
from lendconsole.tenancy import organization_context
from tests.browser.conftest import Newcomer
from tests.browser.inspection import Inspection, name_of
from tests.browser.person import Person
from tests.stack import Mailbox, text_of
from tests.world import Lender


def look(person: Person, inspection: Inspection, name: str = "") -> None:
    inspection.look(person.page, name or name_of(person.page), person.page.content())


def test_a_borrower_signs_in_checks_a_code_and_reports_an_impostor(
    kudi: Lender, browser: Newcomer, mailbox: Mailbox, inspection: Inspection
) -> None:
    lender, customer, manager = kudi, kudi.customers["free"], kudi["other_manager"]
    with organization_context(lender.organization.pk):
        assign_account_manager(actor=lender["admin"], customer=customer, manager=manager)
    grace = browser(phone=True)
    grace.open(f"/borrower/{lender.organization.slug}/")
    grace.page.get_by_label("E-mail address").focus()
    grace.page.keyboard.type(customer.email)
    grace.page.keyboard.press("Enter")
    grace.heading("Look into your mailbox")
    look(grace, inspection)
    letter = text_of(mailbox.wait_for(customer.email, "Your link"))
    [code] = re.findall(r"\b\d{4} \d{4}\b", letter)
    with grace.refused(422):
        grace.fill("Code", "0000 0000")
        grace.press("Open my page")
    grace.sees("This code is wrong or no longer works.")
    grace.page.get_by_label("Code", exact=True).fill(code)
    grace.page.keyboard.press("Enter")
    grace.heading("Your account manager")
    grace.sees(f"{manager.name} became your account manager.")
    look(grace, inspection)

    letter = text_of(mailbox.wait_for(customer.email, "is now your account manager"))
    [address] = re.findall(r"http\S+/check/\S+", letter)
    caller = browser(phone=True, javascript=False)
    caller.open(address)
    caller.press("Check")
    caller.sees(f"Yes. {manager.name} of {manager.office.name} is your account manager at present.")
    grace.open(address)
    grace.press("Check")
    grace.sees("Yes.")
    look(grace, inspection, "yes")
    grace.follow("Report an impostor")
    grace.fill("What happened?", "Somebody else called and wanted my PIN.")
    grace.press("Send the report")
    grace.heading("Thank you")

    ada = browser().sign_in(lender["admin"])
    ada.menu.get_by_role("link", name=re.compile("^Impostor reports 1 open$")).click()
    ada.sees("Somebody else called and wanted my PIN.")
    ada.follow(customer.name)
    ada.page.go_back()
    ada.page.get_by_role("link", name=re.compile("^Close the report")).click()
    ada.fill("What did you find, and what was done?", "Told the police.")
    look(ada, inspection, "close the report")
    ada.press("Close the report")
    ada.is_told("The report is closed.")
    ada.sees("No report is open.")
