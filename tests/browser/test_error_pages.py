"""The pages that are shown instead of a page, each reached the way people reach it: accessible, valid, with their style sheet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import connection

from audit.models import AuditEvent
from lendconsole.tenancy import as_owner
from teams.views.admission import BAD_LINKS_PER_HOUR
from tests.browser.conftest import Newcomer
from tests.browser.inspection import Inspection
from tests.browser.person import Person
from tests.world import World

SEND = "(form) => form.submit()"
ADD_TOO_MANY_FIELDS = """(form) => {
  for (let number = 0; number <= 500; number += 1) form.append(Object.assign(document.createElement("input"), { name: `more${number}` }));
}"""


@contextlib.contextmanager
def missing(table: str) -> Iterator[None]:
    """As in the minute between a new program and its migration."""
    _rename(table, f"{table}_away")
    try:
        yield
    finally:
        _rename(f"{table}_away", table)


def _rename(before: str, after: str) -> None:
    quote = connection.ops.quote_name
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {quote(before)} RENAME TO {quote(after)}")


def look_at_answer(person: Person, inspection: Inspection, status: int, heading: str) -> None:
    """To the form of the page, as it was sent."""
    with person.page.expect_navigation() as navigation:
        person.page.locator("form").first.evaluate(SEND)
    answer = navigation.value
    assert answer.status == status
    person.watch.refusals.clear()
    person.heading(heading)
    inspection.look(person.page, f"answer {status}", answer.text())


def test_refusals_that_follow_a_form(world: World, browser: Newcomer, inspection: Inspection) -> None:
    somebody = browser().open("/accounts/password/reset/")
    somebody.page.locator("form").first.evaluate(ADD_TOO_MANY_FIELDS)
    look_at_answer(somebody, inspection, 400, "This address is not complete")

    somebody.open("/accounts/password/reset/")
    somebody.page.context.clear_cookies()
    look_at_answer(somebody, inspection, 403, "This page was open for too long")


def test_what_is_not_there_is_not_allowed_or_is_tried_too_often(
    world: World, browser: Newcomer, inspection: Inspection
) -> None:
    somebody, lender = browser(), world.kudi
    inspection.visit(somebody, "/nothing/", 404)
    somebody.heading("There is nothing here")
    link = f"/invitation/{lender.organization.slug}/bogus/"
    for _ in range(BAD_LINKS_PER_HOUR):
        assert somebody.page.request.get(link, max_redirects=0).status == 302
    inspection.visit(somebody, link, 429)
    somebody.heading("Too many tries")

    ada = browser().sign_in(lender["customer_support"])
    inspection.visit(ada, lender.url("nothing/"), 404)
    inspection.visit(ada, lender.url("settings/members/"), 403)
    ada.heading("You cannot do this")


def test_what_broke_on_our_side(world: World, browser: Newcomer, inspection: Inspection) -> None:
    sola = browser().sign_in(world.kudi["super_admin"])
    with missing(AuditEvent._meta.db_table):
        inspection.visit(sola, world.kudi.url("audit/"), 500)
    sola.heading("Something broke on our side")
    assert sola.page.locator(".card").evaluate("(card) => getComputedStyle(card).borderTopStyle") == "solid"
    sola.open(world.kudi.url("audit/")).heading("Audit log")
