"""Which marked field can be read on which surface, by whom: seen where the table says so, and nowhere else.

The fields are those that customers/personal_data.py calls personal or sensitive; canaries.py has a word for each.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.conf import settings
from django.test import Client

from audit.models import AuditEvent
from customers.exporting.making import make_export
from customers.models import Customer, Export
from customers.services.borrowers import borrower_page_url
from customers.services.verification import new_code
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from tests.customers.canaries import (
    BVN,
    NAMES,
    ON_THE_CARD,
    SHOWN_WITH_IT,
    VALUES,
    given_away,
    marked_fields,
    told,
    told_by_emails,
    told_of_everything,
)
from tests.customers.import_steps import Steps, person, refusals
from tests.customers.pages import HTMX
from tests.world import Lender, World

FULL: Final = ("admin", "account_manager", "loan_officer", "granted", "taker")
"""By reach and oversight, by assignment, by cover, by a granted request, by an emergency."""
CARD: Final = ("auditor", "customer_support", "finder", "asker")
NOTHING: Final = ("other_manager", "no_users_unit")
"""The one was the account manager before."""


def of(table: str, *names: str) -> set[str]:
    return {f"{table}.{name}" for name in names}


HEADER: Final = of("customer", "email", "phone", "segment", "status_reason")
TYPED: Final = of("customer", "email", "phone", "date_of_birth", "monthly_income", "address", "state", "employer")
CHOSEN: Final = of("customer", "gender", "employment_status")
MASKED: Final = {"customer.bvn_encrypted"}
"""Its last four digits, until somebody reveals the number."""
KIN: Final = of("relatedperson", "name", "relationship", "phone", "address")
REASONS: Final = {
    *of("assignment", "reason"), *of("accessrequest", "reason", "answer"), *of("customer", "status_reason", "hold_reason"),
    "temporaryaccess.reason", "document.reason", "formerstatus.reason",
}  # fmt: skip
"""What members typed for others to read, which the log keeps."""
PAGES: Final[dict[str, set[str]]] = {
    "customers/{pk}/": HEADER | TYPED | CHOSEN | KIN | MASKED,
    "customers/{pk}/edit/": TYPED,
    "customers/{pk}/documents/": HEADER | {"storedfile.name", "document.reason"},
    "customers/{pk}/notes/": HEADER | {"storedfile.name", "note.text"},
    "customers/{pk}/activity/": HEADER | REASONS | {"assignment.end_reason"},
    "customers/{pk}/access/": HEADER,
    "customers/{pk}/data/": HEADER | {"customer.hold_reason"},
    "customers/{pk}/status/": set(),
    "customers/{pk}/account-manager/": set(),
    "customers/{pk}/request-access/": set(),
    "customers/?columns=phone,email,segment": of("customer", "email", "phone", "segment"),
    "customers/?q=own&columns=email": of("customer", "email"),
    "": set(),
    "audit/": REASONS,
    "access-requests/": {"accessrequest.reason"},
    "emergency-access/": {"temporaryaccess.reason"},
    "impostor-reports/?show=all": of("impostorreport", "what_happened", "contact", "outcome"),
    "emails/": of("customer", "email"),
    "customers/exports/": set(),
}
"""What the admin reads there; who else sees the customer in full reads nothing more, and the same on the first tabs."""
TABS: Final = tuple(PAGES)[:5]
ON_CARDS: Final = {
    "asker": {"access-requests/": of("accessrequest", "reason", "answer")},
    "auditor": {"audit/": REASONS},
}
"""Their own words, and those that the log keeps for whoever may read it."""
IN_MAILS: Final = of("accessrequest", "reason", "answer") | {"temporaryaccess.reason"}
IN_LISTS: Final = of("customer", "email", "phone", "segment")
FOUND_AS_A_WHOLE: Final = of("customer", "email", "phone")


@pytest.fixture
def kudi(world: World, caplog: pytest.LogCaptureFixture) -> Iterator[Lender]:
    yield from told_of_everything(world.kudi, caplog)


def read(client: Client, url: str, **options: Any) -> set[str]:
    return given_away(client.get(url, **options))


def pages(lender: Lender) -> dict[str, str]:
    return {page: lender.url(page.format(pk=lender.customers["own"].pk)) for page in PAGES}


def test_every_marked_field_has_its_word() -> None:
    """A field that this names gets a value in canaries.py, and a place in the tables here."""
    assert marked_fields() - ON_THE_CARD - SHOWN_WITH_IT == set(VALUES)


def test_pages_for_those_who_see_the_customer_in_full(kudi: Lender) -> None:
    for role in FULL:
        client = kudi.client(role)
        for page, url in pages(kudi).items():
            response = client.get(url)
            seen = given_away(response)
            assert seen <= PAGES[page], (role, page)
            if role == "admin" or (page in TABS and response.status_code == 200):
                assert seen == PAGES[page], (role, page)


def test_pages_for_everybody_else(world: World, kudi: Lender) -> None:
    clients = {role: kudi.client(role) for role in (*CARD, *NOTHING, "deactivated")}
    clients["rival"] = world.rival.client("super_admin")
    profile = kudi.url(f"customers/{kudi.customers['own'].pk}/")
    for role, client in clients.items():
        assert client.get(profile).status_code == (200 if role in CARD else 404), role
        for page, url in pages(kudi).items():
            expected = ON_CARDS.get(role, {}).get(page, set())
            assert read(client, url) == expected, (role, page)
            if "?" in page:
                assert read(client, url, headers={**HTMX, "HX-Target": "results"}) == expected, (role, page)


def finds(lender: Lender, role: str, text: str) -> bool:
    """In the list, or in the search of the top bar."""
    client, own = lender.client(role), lender.customers["own"]
    part = {**HTMX, "HX-Target": "results"}
    listed = client.get(lender.url("customers/"), {"q": text}, headers=part).context["customers"]
    quick = client.get(lender.url("customers/"), {"q": text, "panel": "quick"}, headers=HTMX)
    assert (own in listed) == any(line.url.endswith(f"/{own.pk}/") for line in quick.context["lines"])
    return own in listed


def test_no_search_finds_by_what_is_hidden(kudi: Lender) -> None:
    """Who sees the card alone finds by the whole address or number; nobody finds by what is on no list."""
    for key, value in VALUES.items():
        assert finds(kudi, "customer_support", str(value)) == (key in FOUND_AS_A_WHOLE), key
    for key in (*FOUND_AS_A_WHOLE, "customer.address", "note.text"):
        assert finds(kudi, "admin", str(VALUES[key])) == (key in FOUND_AS_A_WHOLE), key
    for part in ("qzmail", "@qzhost.example", "8034129981"[:-1], "129981", BVN[-4:]):
        assert not finds(kudi, "customer_support", part), part
    assert finds(kudi, "customer_support", kudi.customers["own"].number)


def test_filters_and_figures_count_nothing_hidden(kudi: Lender) -> None:
    for role, count in (("admin", 1), ("customer_support", 0), ("other_manager", 0)):
        context = kudi.client(role).get(kudi.url("customers/?segment=special_risk")).context
        assert (len(context["customers"]), context["count_text"]) == (count, str(count))


@pytest.mark.parametrize(("role", "expected"), [("admin", IN_LISTS), ("finder", set())])
@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_exports(kudi: Lender, role: str, expected: set[str], format_: str) -> None:
    client = kudi.client(role)
    asked = client.post(kudi.url("customers/export/?columns=phone,email,segment,status"), {"format": format_})
    with organization_context(kudi.organization.pk):
        export = Export.objects.get()
    make_export(kudi.organization.pk, export.pk)
    file = client.get(f"{asked['Location']}file/")
    content = file.getvalue()
    text = unpacked(content) if format_ == "xlsx" else content.decode()
    assert kudi.customers["own"].number in text
    assert told(text) == expected
    assert told(f"{file.headers} {asked.headers}") == set()
    assert read(client, asked["Location"]) == set()


def unpacked(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return " ".join(name + archive.read(name).decode(errors="replace") for name in archive.namelist())


def test_everything_held_is_for_those_who_may_take_it(kudi: Lender) -> None:
    url = kudi.url(f"customers/{kudi.customers['own'].pk}/data/file/")
    assert told(unpacked(kudi.client("admin").get(url).getvalue())) == set(VALUES)
    for role in (*FULL, *CARD, *NOTHING):
        if role != "admin":
            assert kudi.client(role).get(url).status_code in (403, 404)


def test_an_import_tells_only_what_was_in_its_file(kudi: Lender) -> None:
    """Of somebody whom the importer sees as a card: a row about them, and one with their phone and their BVN."""
    steps = Steps.of(kudi, "importer")
    own = kudi.customers["own"].number
    typed = of("customer", "phone", "bvn_encrypted")
    rows = [person(steps, own), person(steps, "N-9", phone=VALUES["customer.phone"], bvn=BVN), person(steps, "N-10")]
    checked = steps.checked(steps.file(*rows), updates=True)
    client, url = kudi.client("importer"), kudi.url(f"customers/import/{checked.pk}/")
    assert read(client, url) <= typed
    assert told(json.dumps(checked.report)) <= typed
    done = steps.worked(steps.start(checked))
    assert done.report["refused"] == 2
    assert told(str(refusals(steps, done))) == typed
    assert read(client, url) <= typed


def test_no_mail_says_more_than_who_and_why(kudi: Lender) -> None:
    said = told_by_emails(kudi)
    assert set().union(*said.values()) == IN_MAILS, said
    assert {kind.rpartition("/")[2] for kind in said} >= {
        *("manager_changed_customer", "manager_assigned", "manager_ended", "borrower_link", "note_mention"),
        *("access_requested", "access_decided", "emergency_access", "impostor_reported", "import_done"),
    }


def test_the_log_withholds(kudi: Lender) -> None:
    client = kudi.client("admin")
    client.post(kudi.url(f"customers/{kudi.customers['own'].pk}/bvn/"))
    with organization_context(kudi.organization.pk):
        OutgoingEmail.objects.update(state=OutgoingEmail.State.FAILED)
        keys = list(OutgoingEmail.objects.values_list("pk", flat=True))
    for pk in keys:
        client.post(kudi.url(f"emails/{pk}/send-again/"))
    with organization_context(kudi.organization.pk):
        rows = list(AuditEvent.objects.values())
    written = json.dumps(rows, default=str)
    assert told(written) == REASONS
    assert [each for each in NAMES if each in written] == []


def test_a_revealed_number_is_on_one_answer_alone(kudi: Lender) -> None:
    url = kudi.url(f"customers/{kudi.customers['own'].pk}/bvn/")
    assert BVN in kudi.client("admin").post(url).content.decode()
    for role in (*CARD, *NOTHING, "granted"):
        answer = kudi.client(role).post(url)
        assert answer.status_code in (403, 404)
        assert told(answer.content.decode()) == set()


def test_the_borrowers_page_and_the_public_check(kudi: Lender) -> None:
    """With the code of the very customer, for the borrower and for whoever else got hold of it."""
    with organization_context(kudi.organization.pk):
        customer = Customer.objects.get(pk=kudi.customers["own"].pk)
        link = borrower_page_url(customer).removeprefix(settings.BASE_URL)
        code = new_code(customer.assignments.get(ended_at=None))
    borrower, start = Client(), f"/borrower/{kudi.organization.slug}/"
    assert borrower.post(link).status_code == 302
    assert kudi["account_manager"].name in borrower.get(f"{start}account-manager/").content.decode()
    for client in (borrower, Client()):
        for path in ("", "account-manager/", "check/", f"check/{code}/", "check/ABCD-EFGH/", "report/"):
            assert read(client, f"{start}{path}", follow=True) == set(), path
        confirmed = client.post(f"{start}check/", {"code": code}, follow=True)
        assert kudi["account_manager"].name in confirmed.content.decode()
        assert given_away(confirmed) == set()
