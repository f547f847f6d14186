"""The field matrix at every address of the console, asked for and posted to: what its answer, its headers and the message after it tell.

The addresses are the rows of tests/matrix.py, which names them all; test_field_matrix.py looks closer at the pages
that show much, and at files, e-mails, the log and the borrower's pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from customers.models import (
    AccessRequest,
    BulkChange,
    Cover,
    CustomerImport,
    Document,
    ImpostorReport,
    Note,
    NoteFile,
    RelatedPerson,
    SavedView,
    TemporaryAccess,
)
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from tests.customers.canaries import VALUES, given_away, told_by_emails, told_of_everything
from tests.customers.import_steps import Steps, person
from tests.customers.test_bulk_pages import ASSIGN, REMOVE, STATUS, posted, ticked
from tests.customers.test_field_matrix import HEADER, IN_MAILS, KIN, PAGES, REASONS, of
from tests.matrix import ROWS, Row
from tests.test_permission_matrix import FORM, payload, undone
from tests.world import Lender, World

KEY: Final = 123_454_321
"""Stands for the id of the one thing that an address is about."""
ELSEWHERE: Final = {
    *("customers:customer_export_progress", "customers:customer_export_file"),
    *("teams:members_invited", "teams:invitation_change", "teams:invitation_resend", "teams:invitation_revoke"),
}
"""Exports have tests of their own; invitations are about nobody's customer."""
FILE: Final = {"storedfile.name"}
SHOWN: Final[dict[str, set[str]]] = {
    "customers:customer_list": of("customer", "phone"),
    "customers:customer_bulk_progress": of("customer", "status_reason"),
    "customers:customer_profile": PAGES["customers/{pk}/"],
    "customers:customer_activity": PAGES["customers/{pk}/activity/"],
    "customers:customer_documents": PAGES["customers/{pk}/documents/"],
    **dict.fromkeys(("customers:document_review", "customers:document_remove", "customers:document_file"), FILE),
    **dict.fromkeys(("customers:note_file", "customers:customer_data_file"), FILE),
    "customers:related_person_edit": KIN,
    "customers:related_person_remove": of("relatedperson", "name"),
    "customers:customer_notes": PAGES["customers/{pk}/notes/"],
    "customers:note_delete": of("note", "text"),
    "customers:customer_access": HEADER,
    **dict.fromkeys(
        ("customers:access_request_list", "customers:access_request_grant", "customers:access_request_decline"),
        of("accessrequest", "reason"),
    ),
    "customers:emergency_list": of("temporaryaccess", "reason"),
    "customers:emergency_review": of("temporaryaccess", "reason"),
    "customers:impostor_report_close": of("impostorreport", "what_happened"),
    "customers:customer_data": PAGES["customers/{pk}/data/"],
    **dict.fromkeys(
        ("customers:customer_hold", "customers:customer_erase", "customers:customer_delete"),
        of("customer", "hold_reason"),
    ),
    "customers:customer_edit": PAGES["customers/{pk}/edit/"],
    "customers:customer_bvn": {"customer.bvn_encrypted"},
    "audit:event_list": REASONS,
    "notifications:email_list": of("customer", "email"),
}
"""What those who see the customer in full may read at the address. At all others nobody reads anything."""


@pytest.fixture
def kudi(world: World, caplog: pytest.LogCaptureFixture) -> Iterator[Lender]:
    yield from told_of_everything(world.kudi, caplog)


def keys(lender: Lender) -> dict[str, int]:
    """By the word before the id in addresses."""

    def first(model: Any, **facts: Any) -> int:
        return int(model.objects.filter(organization=lender.organization, **facts).earliest("pk").pk)

    with organization_context(lender.organization.pk):
        view = SavedView.objects.create(
            organization=lender.organization, member=lender["admin"], name="Mine", is_shared=True
        )
        return {
            "customers": lender.customers["own"].pk,
            "import": first(CustomerImport),
            "changes": first(BulkChange),
            "views": view.pk,
            "documents": first(Document),
            "people": first(RelatedPerson),
            "notes": first(Note),
            "note-files": first(NoteFile),
            "access-requests": first(AccessRequest, state="open"),
            "emergency-access": first(TemporaryAccess, kind="emergency"),
            "impostor-reports": first(ImpostorReport),
            "emails": first(OutgoingEmail),
            "members": lender["loan_officer"].pk,
            "covers": first(Cover),
            "offices": lender.branch.pk,
            "roles": lender.roles["no_users_unit"].pk,
        }


def address(lender: Lender, name: str, known: dict[str, int]) -> tuple[str, bool]:
    """And whether it is about one thing."""
    try:
        return reverse(name, args=[lender.organization.slug]), False
    except NoReverseMatch:
        url = reverse(name, args=[lender.organization.slug, KEY])
        return url.replace(str(KEY), str(known[url.split(f"/{KEY}")[0].rpartition("/")[2]])), True


def read(client: Client, row: Row, url: str, lender: Lender) -> set[str]:
    answer = client.generic(row.method, url, urlencode(payload(row, lender)), FORM)
    message = given_away(client.get(lender.url("membership/"))) if answer.status_code == 302 else set()
    return given_away(answer) | message


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_address(kudi: Lender, method: str) -> None:
    """Who reads least by a right of their own, and who sees the card alone, are asked where one thing is meant."""
    known = keys(kudi)
    clients = {role: kudi.client(role) for role in ("admin", "granted", "customer_support")}
    rows = {row.name: row for row in ROWS if row.method == method and row.name not in ELSEWHERE}
    for name, row in rows.items():
        url, is_of_one = address(kudi, name, known)
        for role in clients if is_of_one and not name.startswith("teams:") else ("admin",):
            with undone():
                seen = read(clients[role], row, url, kudi)
            shown = set() if role == "customer_support" else SHOWN.get(name, set())
            assert seen <= shown, (role, name)
            if (role, method) == ("admin", "GET"):
                assert seen == shown, (role, name)


def test_each_step_of_an_import_tells_what_was_in_its_file(kudi: Lender) -> None:
    """To who brought it and sees the customer as a card: what they typed, and never what there is already."""
    steps = Steps.of(kudi, "importer")
    client, typed = kudi.client("importer"), of("customer", "phone", "bvn_encrypted")
    phone, bvn = (VALUES[key] for key in sorted(typed, reverse=True))
    taken = person(steps, "N-9", phone=phone, bvn=bvn, Office="Nowhere")
    brought = steps.brought(steps.file(person(steps, kudi.customers["own"].number), taken, person(steps, "N-10")))
    url = kudi.url(f"customers/import/{brought.pk}/")
    assert given_away(client.get(f"{url}columns/")) == typed
    choices = {f"column_{number}": name for number, name in enumerate(brought.columns)}
    client.post(f"{url}columns/", {**choices, "updates": "on"})
    checked = steps.worked(brought)
    for page in ("", "columns/", "names/", "start/"):
        assert given_away(client.get(f"{url}{page}")) <= typed, page
    steps.worked(steps.start(checked))
    assert given_away(client.get(f"{url}refused/")) == typed
    steps.undone(checked)
    for page in ("", "undo/"):
        assert given_away(client.get(f"{url}{page}", follow=True)) <= typed, page
        assert kudi.client("admin").get(f"{url}{page}").status_code == 404


@pytest.mark.parametrize("touched", [False, True])
def test_undoing_an_import_tells_names_alone(kudi: Lender, touched: bool) -> None:
    with organization_context(kudi.organization.pk):
        done = CustomerImport.objects.get(state="done")
    if touched:
        posted(kudi, STATUS + ticked(kudi, "own"), status="active")
    client, url = kudi.client("admin"), kudi.url(f"customers/import/{done.pk}/")
    pages = [client.get(f"{url}undo/"), client.post(f"{url}undo/", follow=True)]
    undone_import = Steps.of(kudi).worked(done)
    result = client.get(url)
    assert set().union(*map(given_away, [*pages, result])) == set()
    assert (undone_import.state, kudi.customers["own"].number in result.content.decode()) == ("undone", touched)


@pytest.mark.parametrize("path", [ASSIGN, REMOVE, STATUS])
def test_a_change_of_many_and_back_tells_its_reason_alone(kudi: Lender, path: str) -> None:
    """On the page before it, on that of what became of it, on the way back, and in the e-mails of both."""
    client, chosen = kudi.client("admin"), path + ticked(kudi, "own", "free")
    facts = {"status": "pending", "office": kudi.other_branch.pk, "manager": kudi["other_manager"].pk}
    done = posted(kudi, chosen, **facts, reason=VALUES["customer.status_reason"])
    pages = [client.get(kudi.url(chosen)), done, client.get(done["Location"]), client.get(f"{done['Location']}undo/")]
    waiting = told_by_emails(kudi)
    back = client.post(f"{done['Location']}undo/", {"reason": "The wrong list"}, follow=True)
    assert "as before" in back.content.decode()
    assert set().union(*map(given_away, [*pages, back])) == of("customer", "status_reason")
    assert set().union(*waiting.values(), *told_by_emails(kudi).values()) <= IN_MAILS
