"""Somebody at a browser, who finds things by the words on the screen, and a watch over what goes wrong behind it."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Request,
    Response,
    WebError,
    expect,
)

from teams.models import Member
from tests import factories

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation",
  (event) => console.error(`Violation of the content security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""
# The answers themselves are judged by their status.
SAID_BY_THE_STATUS = ("Failed to load resource: the server responded with a status of", "Response Status Error Code")
SHOTS = os.environ.get("BROWSER_SHOTS", "")


class Watch:
    """Console messages, violations of the policy, exceptions, refused and failed requests of one browser."""

    def __init__(self, context: BrowserContext, host: str) -> None:
        self.problems: list[str] = []
        self.refusals: list[tuple[int, str]] = []
        self._host = host
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._exception)
        context.on("requestfailed", self._failed)
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("dialog", self._dialog)

    def _console(self, message: ConsoleMessage) -> None:
        text = message.text
        if text.startswith(SAID_BY_THE_STATUS):
            return
        if message.type == "error" or "Content Security Policy" in text:
            self.problems.append(f"console: {text} ({message.location.get('url')})")

    def _exception(self, error: WebError) -> None:
        self.problems.append(f"exception: {error.error}")

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in {"http", "https", "ws", "wss"} and url.netloc != self._host:
            self.problems.append(f"request to another host: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # gone on to another page, or asked anew while typing
            self.problems.append(f"failed: {request.method} {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.refusals.append((response.status, f"{response.request.method} {response.url}"))

    def _dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()


class Person:
    """`page` is what they look at. The methods are what people do; each waits until it can be done."""

    def __init__(
        self, browser: Browser, base_url: str, *, javascript: bool = True, phone: bool = False, **options: Any
    ) -> None:
        options = {"viewport": PHONE if phone else DESKTOP, "color_scheme": "light", **options}
        self.javascript = javascript
        self._context = browser.new_context(base_url=base_url, java_script_enabled=javascript, **options)
        self._context.set_default_timeout(15_000)
        self.watch = Watch(self._context, urlsplit(base_url).netloc)
        self.page = self._context.new_page()

    def leave(self) -> None:
        for status, what in self.watch.refusals:
            self.watch.problems.append(f"answered {status}: {what}")
        self._context.close()

    @contextlib.contextmanager
    def refused(self, status: int) -> Iterator[None]:
        """What is done inside is answered with this status, and that is right."""
        before = len(self.watch.refusals)
        yield
        for _ in range(100):
            if len(self.watch.refusals) > before:
                break
            self.page.wait_for_timeout(50)
        answers = self.watch.refusals[before:]
        del self.watch.refusals[before:]
        assert {answer for answer, _ in answers} == {status}, answers

    # Going somewhere

    def open(self, url: str) -> Person:
        self.page.goto(url)
        return self

    def sign_in(self, member: Member | str, password: str = factories.PASSWORD) -> Person:
        self.open("/accounts/login/")
        self.fill("E-mail", member if isinstance(member, str) else member.user.email)
        self.fill("Password", password)
        self.press("Sign in")
        expect(self.page).not_to_have_url(re.compile("/accounts/login/"))
        return self

    def follow(self, name: str, within: Locator | Page | None = None) -> None:
        """Click on a link."""
        (within or self.page).get_by_role("link", name=name, exact=True).click()

    def press(self, name: str, within: Locator | Page | None = None) -> None:
        (within or self.page).get_by_role("button", name=name, exact=True).click()

    def more(self, name: str, item: str) -> None:
        """The three dots in somebody's row, and an item of that menu."""
        self.press(f"More for {name}")
        self.page.locator(":popover-open").get_by_role("link", name=item, exact=True).click()

    def press_in_own_menu(self, name: str) -> None:
        self.page.get_by_role("button", name=re.compile("your menu$")).click()
        self.press(name)

    @property
    def menu(self) -> Locator:
        """The menu at the left."""
        return self.page.get_by_role("navigation", name="Main", exact=True)

    def hold_passkeys(self) -> None:
        """From now on the device has a fingerprint reader, and the person's finger on it."""
        device = self._context.new_cdp_session(self.page)
        device.send("WebAuthn.enable")
        able = ("hasResidentKey", "hasUserVerification", "isUserVerified", "automaticPresenceSimulation")
        options = {"protocol": "ctap2", "transport": "internal", **dict.fromkeys(able, True)}
        device.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    # Filling in

    def fill(self, label: str, text: str) -> None:
        self.field(label).fill(text)

    def choose(self, label: str, option: str) -> None:
        """Of a select box; offices lower in the tree stand farther to the right."""
        field = self.field(label)
        found = field.locator("option", has_text=re.compile(rf"^\s*{re.escape(option)}\s*$"))
        expect(found).to_have_count(1)
        field.select_option(value=found.get_attribute("value"))
        self.settle()

    def settle(self) -> None:
        """What was just chosen may bring another part of the page."""
        expect(self.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)

    def pick(self, name: str) -> None:
        """One of several people or answers."""
        answer = self.page.get_by_role("radio", name=re.compile(re.escape(name)))
        self.page.locator("label").filter(has=answer).click()
        expect(answer).to_be_checked()

    def field(self, label: str) -> Locator:
        """The field of that label, with or without the words "(optional)"; of the dialog, if one is open."""
        return self.place.get_by_label(re.compile(rf"^\s*{re.escape(label)}(\s+\(optional\))?\s*$")).locator(
            "visible=true"
        )

    @property
    def place(self) -> Page | Locator:
        """The dialog, if one is open; what was fetched for it stands in the page a moment before it opens."""
        expect(self.page.locator(".htmx-swapping, .htmx-settling")).to_have_count(0)
        dialog = self.page.locator("dialog[open]")
        return dialog if dialog.count() else self.page

    # Seeing

    def sees(self, text: str) -> None:
        expect(self.page.locator("body")).to_contain_text(text)

    def sees_not(self, text: str) -> None:
        expect(self.page.locator("body")).not_to_contain_text(text)

    def sees_in(self, place: Locator, text: str) -> None:
        expect(place).to_contain_text(text)

    def is_told(self, text: str) -> None:
        """By the message that follows what they did."""
        expect(self.page.locator("#messages")).to_contain_text(text)

    def heading(self, text: str) -> None:
        """Of the page, or of a dialog that opens."""
        expect(self.page.get_by_role("heading", name=text).first).to_be_visible()

    def section(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    @property
    def rows(self) -> Locator:
        """Of the page's table, without its head."""
        return self.page.locator("tbody").get_by_role("row")

    def shoot(self, name: str) -> None:
        shoot(self.page, name)


def shoot(page: Page, name: str) -> None:
    """A picture for people, where the environment names a directory for them."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{re.sub('[^a-z0-9]+', '-', name.lower())[:80]}.png")
