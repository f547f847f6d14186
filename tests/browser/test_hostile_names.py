"""Names and texts that try to be something else, on every page: nothing breaks, nothing runs, nothing becomes too wide."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from accounts.models import User
from accounts.validators import validate_person_name
from customers.models import Customer, Document, Note, RelatedPerson, StoredFile
from customers.services.account_managers import assign_account_manager
from lendconsole.tenancy import organization_context
from teams.models import Invitation, Office
from tests.browser import pages
from tests.browser.conftest import Newcomer
from tests.browser.inspection import Inspection
from tests.browser.site import Site, furnish
from tests.stack import Mailbox, text_of
from tests.world import World

NAMES = (
    'O\'Brien "Bobby" & Söhne',
    "W" * 80,
    "{{ 7|add:42 }} {% csrf_token %}",
    "محمد عبد الله بن‎ Ltd",
    "Ada 👩🏾‍💻 👨‍👩‍👧‍👦",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "javascript:alert(1)",
    "Robert'); DROP TABLE customers;--",
    "T̶͝e̸͒s̵̽ẗ̴ 漢字 ภาษาไทย",
    "Anne‑Marie van der Meer-Oluwaseun-Adebayo of the long and winding double name",
)
TEXTS = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<svg/onload=alert(1)>", "x" * 200)


@pytest.fixture
def site(world: World) -> Site:
    site, lender = furnish(world.kudi, world.rival), world.kudi
    for name in NAMES:
        validate_person_name(name)
    names, texts = cycle(NAMES), cycle(TEXTS)
    with organization_context(lender.organization.pk):
        for customer in Customer.objects.all():
            customer.first_name, customer.last_name = next(names), next(names)
            customer.address, customer.employer, customer.status_reason = next(texts), next(names), next(texts)
            customer.save()
        for member in lender.members.values():
            User.objects.filter(pk=member.user_id).update(first_name=next(names), last_name=next(names))
        for office in Office.objects.all():
            Office.objects.filter(pk=office.pk).update(name=f"{next(names)} {office.pk}"[-80:], description=next(texts))
        for kept, fields in (
            (Document, ("reason",)),
            (Note, ("text",)),
            (RelatedPerson, ("relationship", "address")),
            (StoredFile, ("name",)),
        ):
            for row in kept.objects.all():
                kept.objects.filter(pk=row.pk).update(**{field: next(texts)[:60] for field in fields})
        Invitation.objects.update(first_name=next(names), last_name=next(names))
    return site


def test_hostile_names_on_every_page(site: Site, browser: Newcomer, tmp_path: Path, mailbox: Mailbox) -> None:
    lender, inspection = site.lender, Inspection(tmp_path / "pages")
    sola, bola = browser().sign_in(lender["super_admin"]), browser().sign_in(lender["customer_support"])
    for person, wanted in ((sola, pages.OF_AN_ADMIN), (sola, pages.OF_ONESELF), (bola, pages.OF_SUPPORT)):
        for path, status in pages.addresses(wanted, site):
            inspection.visit(person, path, status, accessible=False)
    stranger = browser()
    for link in ("new_person", "sign_in", "borrower"):
        inspection.visit(stranger, site.links[link], accessible=False)

    sola.open(lender.url("customers/"))
    with organization_context(lender.organization.pk):
        free = Customer.objects.get(pk=lender.customers["remote"].pk)
        admin, manager = (
            type(lender["admin"]).objects.get(pk=lender[name].pk) for name in ("admin", "account_manager")
        )
        assign_account_manager(actor=admin, customer=free, manager=manager, reason=TEXTS[0])
    sola.page.set_viewport_size({"width": 390, "height": 844})
    sola.shoot("hostile-390")
    sola.open(lender.url(f"customers/{free.pk}/"))
    sola.heading(free.name)
    sola.shoot("hostile-profile-390")
    letter = mailbox.wait_for(free.email, "is now your account manager")
    assert manager.name in text_of(letter)
    html = text_of(letter, "html")
    assert not any(text in html for text in TEXTS[:3])
    inspection.end()


def test_the_watch_notices_what_runs(browser: Newcomer) -> None:
    """Otherwise the silence of all the other tests would say nothing."""
    somebody = browser()
    page = "<!doctype html><html><body style='color: red'><script>alert(1)</script><script src='/thrown.js'></script>"
    policy = "default-src 'none'; script-src 'self'"
    somebody.page.route(
        "**/run/",
        lambda route: route.fulfill(body=page, content_type="text/html", headers={"Content-Security-Policy": policy}),
    )
    somebody.page.route(
        "**/thrown.js",
        lambda route: route.fulfill(body="alert(2); throw new Error('x')", content_type="text/javascript"),
    )
    somebody.open("/run/")
    problems = " ".join(somebody.watch.problems)
    somebody.watch.problems.clear()
    for part in ("style-src", "script-src", "dialog: 2", "exception: x"):
        assert part in problems
