"""Every page, seen by those for whom it differs: accessible, valid, fitting, and free of complaints in the console."""

from __future__ import annotations

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from tests.browser import pages
from tests.browser.conftest import Newcomer
from tests.browser.inspection import Inspection, name_of
from tests.browser.person import Person
from tests.browser.site import Site, furnish
from tests.stack import Mailbox, text_of
from tests.world import World


@pytest.fixture
def site(world: World) -> Site:
    return furnish(world.kudi, world.rival)


def look_at(person: Person, wanted: pages.Pages, site: Site, inspection: Inspection, part: slice = slice(None)) -> None:
    for path, status in list(pages.addresses(wanted, site))[part]:
        inspection.visit(person, path, status)


def test_no_page_is_forgotten() -> None:
    listed = {name for group in pages.ALL for name in group} | pages.ON_THE_WAY | pages.NO_PAGES
    # Those of development machines are there in development only.
    assert set(pages.names()) | {"dev_mailbox", "dev_mailbox_html"} == listed


@pytest.mark.parametrize("first", [0, 1])
def test_pages_of_an_admin(site: Site, browser: Newcomer, inspection: Inspection, first: int) -> None:
    """Every second one each time: they are many, and two cores can share them."""
    look_at(browser().sign_in(site.lender["super_admin"]), pages.OF_AN_ADMIN, site, inspection, slice(first, None, 2))


def test_a_revealed_bvn(site: Site, browser: Newcomer, inspection: Inspection) -> None:
    """Pressed without the script's help, the button answers with a page."""
    sola = browser().sign_in(site.lender["super_admin"])
    sola.open(site.lender.url(f"customers/{site.lender.customers['free'].pk}/"))
    with sola.page.expect_navigation():
        sola.page.locator("form[action$='/bvn/']").evaluate("(form) => form.submit()")
    inspection.look(sola.page, "revealed BVN", sola.page.content())


def test_previews_of_lists(site: Site, browser: Newcomer, inspection: Inspection) -> None:
    """They answer the first of two buttons, so no address shows them."""
    sola, lender = browser().sign_in(site.lender["super_admin"]), site.lender
    sola.open(lender.url("settings/members/invite/several/"))
    sola.fill("People", f"Efe Osagie <efe@mail.example>\nnobody\n{lender['admin'].user.email}, Ada, Obi")
    sola.choose("Role", "Loan Officer")
    sola.choose("Office", lender.branch.name)
    sola.press("Preview")
    sola.heading("Preview: 1 of 3 can be invited")
    inspection.look(sola.page, "preview of invitations", sola.page.content())
    chosen = "&".join(f"member={lender[name].pk}" for name in ("loan_officer", "account_manager"))
    for role, heading in (
        (lender.roles["no_users_unit"].name, "1 of 2 cannot be changed"),
        ("Customer Support", "2 members become Customer Support"),
    ):
        sola.open(lender.url(f"settings/members/change/?{chosen}"))
        sola.choose("Role", role)
        sola.choose("Office", lender.other_branch.name)
        sola.press("Preview")
        sola.heading(heading)
        inspection.look(sola.page, f"preview of {role}", sola.page.content())


def test_pages_of_support(site: Site, browser: Newcomer, inspection: Inspection) -> None:
    look_at(browser().sign_in(site.lender["customer_support"]), pages.OF_SUPPORT, site, inspection)


def test_pages_of_everybody(site: Site, browser: Newcomer, inspection: Inspection, mailbox: Mailbox) -> None:
    somebody = browser()
    look_at(somebody, pages.OF_EVERYBODY, site, inspection)
    for name, link in site.links.items():
        inspection.visit(somebody, link, 410 if name in {"expired", "asked", "revoked"} else 200)
    somebody.press("Open my page")
    somebody.heading("Your account manager")
    inspection.look(somebody.page, name_of(somebody.page), somebody.page.content())

    somebody.open("/accounts/password/reset/")
    somebody.fill("E-mail", site.lender["admin"].user.email)
    somebody.press("Send the link")
    letter = text_of(mailbox.wait_for(site.lender["admin"].user.email, "Choose a new password"))
    link = next(word for word in letter.split() if "/reset/key/" in word)
    inspection.visit(somebody, link)
    somebody.heading("Choose a new password")


def test_pages_about_oneself(site: Site, browser: Newcomer, inspection: Inspection) -> None:
    sola, user = browser(), site.lender["super_admin"].user
    sola.sign_in(user.email)
    look_at(sola, pages.OF_ONESELF, site, inspection)
    sola.hold_passkeys()
    sola.open("/accounts/2fa/passkeys/add/")
    sola.fill("Name", "Laptop")
    sola.press("Add the passkey")
    sola.heading("Recovery codes")
    TOTP.activate(user, generate_totp_secret())
    look_at(sola, pages.OF_ONESELF_SECURED, site, inspection)
    for item in ("Rename", "Remove"):
        sola.open("/accounts/2fa/")
        sola.more("Laptop", item)
        sola.heading(f"{item} ")
        inspection.look(sola.page, name_of(sola.page), sola.page.content())
    sola.open("/accounts/logout/")
    sola.press("Sign out")
    sola.sign_in(user.email)
    inspection.look(sola.page, name_of(sola.page), sola.page.content())


def test_what_opens_over_a_page(site: Site, browser: Newcomer, inspection: Inspection) -> None:
    sola, customer = browser().sign_in(site.lender["super_admin"]), site.lender.customers["remote"]
    listed = site.lender.url("customers/")
    sola.open(listed)
    sola.press(f"More for {customer.name}")
    inspection.look(sola.page, "menu of a row", within=":popover-open")
    sola.page.keyboard.press("Escape")
    sola.page.keyboard.press("/")
    sola.page.keyboard.type("Remote")
    sola.page.get_by_role("search").get_by_role("link", name=customer.name).wait_for()
    inspection.look(sola.page, "quick search", within="#quick-results")
    sola.page.keyboard.press("Escape")
    sola.page.get_by_role("button", name="your menu").click()
    inspection.look(sola.page, "own menu", within=":popover-open")
    for item in ("Add account manager", "Change status"):
        sola.open(listed)
        sola.more(customer.name, item)
        sola.page.locator("dialog[open]").wait_for()
        inspection.look(sola.page, f"dialog {item}", within="dialog[open]")
    sola.open(site.lender.url("settings/members/"))
    sola.more(site.lender["loan_officer"].name, "Manage user")
    sola.page.locator("dialog[open]").wait_for()
    sola.choose("Role", "Customer Support")
    inspection.look(sola.page, "dialog Manage user", within="dialog[open]")
    sola.open(site.lender.url("settings/roles/"))
    sola.more(site.lender.roles["no_users_unit"].name, "Delete")
    sola.page.locator("dialog[open]").wait_for()
    sola.choose("Role that takes its place", "Account Manager")
    inspection.look(sola.page, "dialog Delete role", within="dialog[open]")
