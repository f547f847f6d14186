"""An authenticator app: set up, used to sign in, asked for by the organization."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time

from playwright.sync_api import expect

from accounts.models import Organization
from tests.browser.conftest import Newcomer
from tests.browser.person import Person
from tests.factories import PASSWORD
from tests.world import Lender

STEP = 30


def code(secret: str, steps_ahead: int = 0) -> str:
    """What the app on the phone shows (RFC 6238)."""
    counter = int(time.time()) // STEP + steps_ahead
    padded = secret.replace(" ", "") + "=" * (-len(secret.replace(" ", "")) % 8)
    digest = hmac.new(base64.b32decode(padded), struct.pack(">Q", counter), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def set_up(person: Person) -> str:
    """From the page with the picture to the recovery codes. Returns the app's secret."""
    person.heading("Set up an authenticator app")
    person.page.get_by_text("You cannot scan it?").click()
    secret = person.page.locator("details code").inner_text()
    person.shoot("authenticator-app")
    person.fill("Code", "000000")
    person.press("Turn on")
    expect(person.field("Code")).to_have_accessible_description(re.compile("code"))
    person.fill("Code", code(secret))
    person.press("Turn on")
    person.heading("Recovery codes")
    person.shoot("recovery-codes")
    return secret


def test_an_app_is_set_up_and_signs_in(kudi: Lender, browser: Newcomer) -> None:
    ada, email = browser(), kudi["admin"].user.email
    ada.sign_in(email)
    ada.open(kudi.url())
    ada.page.get_by_role("button", name="your menu").click()
    ada.follow("Second factor")
    ada.page.get_by_role("link", name="Set up").click()
    secret = set_up(ada)
    recovery_code = ada.page.locator("ul.codes li").first.inner_text()

    ada.open(kudi.url())
    ada.press_in_own_menu("Sign out")
    ada.sign_in(email)
    ada.heading("One more step")
    ada.fill("Code", code(secret, steps_ahead=1))
    ada.press("Sign in")
    ada.heading("Dashboard")

    ada.press_in_own_menu("Sign out")
    ada.sign_in(email, PASSWORD)
    ada.fill("Code", recovery_code)
    ada.press("Sign in")
    ada.heading("Dashboard")


def test_an_organization_that_requires_it_sends_its_members_there_and_back(kudi: Lender, browser: Newcomer) -> None:
    ada = browser().sign_in(kudi["admin"])
    Organization.objects.filter(pk=kudi.organization.pk).update(requires_second_factor=True)
    ada.follow("Customers", within=ada.menu)
    ada.sees("asks for a second factor")
    set_up(ada)
    ada.follow("I have kept them, go on")
    ada.heading("Customers")
    ada.sees(kudi.customers["free"].name)
