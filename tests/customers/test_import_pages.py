"""The pages of an import: every step with and without mistakes, both demo files, hostile files, and what each page costs."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils.html import strip_tags

from accounts.models import Organization
from customers.importing.running import carry_on
from customers.models import Customer, CustomerImport, StoredFile
from lendconsole.tenancy import organization_context
from teams.models import Office
from tests import factories
from tests.customers.import_steps import Steps, person
from tests.customers.import_support import DIRTY, GOOD, HEADER, REFUSED_LINES, build_kudi, member_who_may
from tests.customers.pages import words
from tests.customers.test_import_steps import EVERYWHERE
from tests.factories import IMPORT_HEADER
from tests.pages import statements
from tests.world import Lender, World


class Browser:
    """Goes from page to page as a person without JavaScript does."""

    def __init__(self, client: Client, organization: Organization) -> None:
        self.client = client
        self.organization = organization
        self.place = ""

    def url(self, path: str = "") -> str:
        return f"/o/{self.organization.slug}/customers/import/{path}"

    def bring(self, content: bytes, name: str = "borrowers.csv") -> HttpResponse:
        file = SimpleUploadedFile(name, content)
        return self._went(self.client.post(self.url(), {"file": file}))

    def send(self, step: str, data: dict[str, Any] | None = None) -> HttpResponse:
        return self._went(self.client.post(f"{self.place}{step}/", data or {}))

    def columns(self, **changes: str) -> HttpResponse:
        """As guessed, but for some."""
        with organization_context(self.organization.pk):
            guessed = {f"column_{number}": name for number, name in enumerate(self.row().columns)}
        return self.send("columns", {**guessed, **changes})

    def work(self) -> None:
        carry_on(self.organization.pk, self.row().pk)

    def row(self) -> CustomerImport:
        with organization_context(self.organization.pk):
            return CustomerImport.objects.get(pk=int(re.findall(r"/(\d+)/", self.place)[0]))

    def sees(self, *texts: str) -> str:
        """The words of the page, without its marks."""
        seen = " ".join(unescape(strip_tags(words(self.client.get(self.place)))).split())
        for text in texts:
            assert text in seen, seen
        return seen

    def _went(self, response: HttpResponse) -> HttpResponse:
        if response.status_code == 302 and (found := re.match(r".*/customers/import/\d+/", response["Location"])):
            self.place = found[0]
        return response


@pytest.fixture
def ada(world: World) -> Browser:
    return Browser(world.kudi.client("admin"), world.kudi.organization)


@pytest.fixture
def kudi_browser(db: None) -> Browser:
    """At the lender that the demo files are for."""
    kudi = build_kudi()
    with organization_context(kudi.pk):
        actor = member_who_may(kudi, **EVERYWHERE)
    lender = Lender(kudi, actor.office, actor.office, actor.office, {}, {"importer": actor})
    return Browser(lender.client("importer"), kudi)


def steps_of(world: World) -> Steps:
    return Steps.of(world.kudi)


# The two files


def test_the_good_file_from_the_first_page_to_the_last(kudi_browser: Browser) -> None:
    browser = kudi_browser
    browser.bring(GOOD.read_bytes())
    assert "Check the rows" in words(browser.client.get(f"{browser.place}columns/"))
    assert browser.columns().status_code == 302
    browser.sees("The file waits for its turn.")
    browser.work()
    browser.sees("10,000 rows checked", "New 10,000", "Refused 0", "Import 10,000 customers")
    assert browser.send("start").status_code == 302
    browser.work()
    browser.sees("10,000 rows read", "Undo this import")
    with organization_context(browser.organization.pk):
        assert Customer.objects.count() == 10_000


def test_the_dirty_file_with_its_reasons(kudi_browser: Browser, settings: Any) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0  # as a large file comes
    browser = kudi_browser
    browser.bring(DIRTY.read_bytes())
    browser.columns()
    browser.work()
    reasons = [reason for each in REFUSED_LINES.values() for reason in each]
    browser.sees("New 480", "Refused 20", *reasons)
    browser.sees("Atlantis Branch", "nobody.here@kudi.example", "Leave these rows out", "No account manager")
    browser.send("names", {"office_0": str(browser_office(browser, "Kano Branch")), "manager_0": "nobody"})
    browser.work()
    seen = browser.sees("New 482", "Refused 18", "Import 482 customers")
    assert "There is no active office" not in seen
    browser.send("start")
    browser.work()
    answer = browser.client.get(f"{browser.place}refused/")
    assert answer["Content-Disposition"] == 'attachment; filename="borrowers-refused.csv"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    header, *rows = csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline=""))
    assert header == ["Line", "Why it was refused", *HEADER.split(",")]
    assert len(rows) == 18
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]


def browser_office(browser: Browser, name: str) -> int:
    with organization_context(browser.organization.pk):
        return int(Office.objects.get(name=name).pk)


# Files that nobody wants


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("page.csv", b"<!doctype html><script>alert(1)</script>", "web page, a picture or other markup"),
        ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "other markup"),
        ("list.csv", "Customer number,First name\n1,2".encode("utf-16"), "UTF-16"),
        ("list.csv", b"Customer number\x00,First name\n", "NUL"),
        ("list.csv", b"x," * 1_000_000, "too long"),
        ("list.csv", b"", "The file is empty."),
        ("list.xlsx", b"PK\x03\x04" + b"\x00" * 100, "no spreadsheet that can be read"),
        ("list.pdf", b"%PDF-1.7", "PDF"),
    ],
)
def test_hostile_files_are_answered_beside_the_field(ada: Browser, name: str, content: bytes, sentence: str) -> None:
    response = ada.bring(content, name)
    assert response.status_code == 422
    assert sentence in words(response)
    with organization_context(ada.organization.pk):
        assert not StoredFile.objects.exists()


def test_a_spreadsheet_goes_the_same_way(ada: Browser, world: World) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate((IMPORT_HEADER, ["N-1", "Grace", "Etim", world.kudi.branch.name])):
            sheet.write_row(line, 0, cells)
    ada.bring(content.getvalue(), "people.xlsx")
    ada.columns()
    ada.work()
    ada.sees("1 row checked", "Import 1 customer")
    ada.send("start")
    ada.work()
    with organization_context(ada.organization.pk):
        assert Customer.objects.get(number="N-1").office == world.kudi.branch


def test_nothing_chosen_is_said_beside_the_field(ada: Browser) -> None:
    response = ada.client.post(ada.url(), {})
    assert (response.status_code, "Fill this in." in words(response)) == (422, True)


def test_names_of_files_and_columns_are_shown_and_run_nothing(ada: Browser, world: World) -> None:
    steps = steps_of(world)
    steps.header = ("Customer number", "<script>alert(1)</script>", "=1+1")
    ada.bring(steps.file(["<b>1</b>", "<img src=x onerror=alert(1)>", "x"]), "../../etc/<i>passwd</i>.csv")
    html = ada.client.get(f"{ada.place}columns/").content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "/" not in ada.row().file_name


# The steps


def test_a_mistake_in_the_columns_keeps_what_was_chosen(ada: Browser, world: World) -> None:
    ada.bring(steps_of(world).file(person(steps_of(world))))
    response = ada.columns(column_1="Last name", column_3="Segment")
    assert response.status_code == 422
    text = response.content.decode()
    assert "Chosen for more than one column: Last name." in words(response)
    assert '<option value="Segment" selected>' in text
    assert ada.columns(column_1="Nonsense").status_code == 422
    assert ada.row().state == "draft"


def test_a_step_out_of_turn_leads_to_where_the_import_is(ada: Browser, world: World) -> None:
    ada.bring(steps_of(world).file(person(steps_of(world))))
    for step in ("names", "start", "undo"):
        for response in (ada.client.get(f"{ada.place}{step}/"), ada.send(step)):
            assert (response.status_code, response["Location"]) == (302, ada.place)
    assert ada.row().state == "draft"
    assert ada.client.get(f"{ada.place}refused/").status_code == 404


def test_pressing_twice_imports_once(ada: Browser, world: World) -> None:
    ada.bring(steps_of(world).file(person(steps_of(world))))
    ada.columns()
    ada.work()
    key = {"submission_key": "6f6f3d4e-54c5-4c0e-9d0c-0f6a3c6a8a11"}
    assert [ada.send("start", key).status_code for _ in range(2)] == [302, 302]
    ada.work()
    ada.work()
    with organization_context(ada.organization.pk):
        assert Customer.objects.filter(number="N-1").count() == 1


def test_undo_from_the_page(ada: Browser, world: World) -> None:
    steps = steps_of(world)
    ada.bring(steps.file(person(steps), person(steps, "N-2")))
    ada.columns(updates="on")
    ada.work()
    ada.send("start")
    ada.work()
    assert "2 new customers will be removed" in words(ada.client.get(f"{ada.place}undo/"))
    with organization_context(ada.organization.pk):
        Customer.objects.filter(number="N-2").update(version=2)
    assert ada.send("undo").status_code == 302
    ada.sees("The import is being undone.")
    ada.work()
    seen = ada.sees("Removed 1", "Left as they are 1", "Touched since: Grace Etim (N-2).")
    assert "Undo this import" not in seen


def test_discarding_forgets_the_file(ada: Browser, world: World) -> None:
    ada.bring(steps_of(world).file(person(steps_of(world))))
    response = ada.client.post(f"{ada.place}discard/", follow=True)
    assert "The file was discarded. Nothing of it was imported." in words(response)
    assert ada.client.get(ada.place).status_code == 404


def test_who_may_not_edit_is_not_offered_updates(world: World) -> None:
    with organization_context(world.kudi.organization.pk):
        world.kudi.roles["loan_officer"].permissions.filter(capability="customers.edit").delete()
    officer = Browser(world.kudi.client("loan_officer"), world.kudi.organization)
    officer.bring(steps_of(world).file(person(steps_of(world))))
    assert "Update customers" not in words(officer.client.get(f"{officer.place}columns/"))
    officer.columns(updates="on")
    assert (officer.row().state, officer.row().updates) == ("checking", False)


def test_many_rows_ask_who_sits_there(ada: Browser, world: World) -> None:
    with organization_context(world.kudi.organization.pk):
        row = factories.ImportFactory(
            organization=world.kudi.organization, member=world.kudi["admin"], file_name="many.csv", rows=1001
        )
    stale = Client()
    stale.force_login(world.kudi["admin"].user, backend="allauth.account.auth_backends.AuthenticationBackend")
    url = ada.url(f"{row.pk}/start/")
    assert stale.get(url)["Location"].startswith("/accounts/reauthenticate/")
    response = stale.post(url, {})
    assert (response.status_code, "Confirm that it is you" in words(response)) == (422, True)
    with organization_context(world.kudi.organization.pk):
        row.refresh_from_db()
        assert row.state == "checked"
        row.rows = 1000
        row.save()
    assert stale.get(url).status_code == 200


@pytest.mark.parametrize("page", ["", "columns/", "names/"])
def test_more_unknown_names_and_rows_cost_no_more_statements(ada: Browser, world: World, page: str) -> None:
    ada.client.get(ada.url())  # notes that she was seen
    counts = []
    for many in (1, 25):
        with organization_context(world.kudi.organization.pk):
            report = {
                **factories.IMPORT_REPORT,
                "unknown_offices": [[f"Office {number}", 1] for number in range(many)],
                "unknown_managers": [[f"m{number}@x.example", 1] for number in range(many)],
                "refused_rows": [{"line": number, "number": "", "sentences": ["No."]} for number in range(many)],
            }
            names = [f"c{number}" for number in range(many)]
            row = factories.ImportFactory(
                organization=world.kudi.organization,
                member=world.kudi["admin"],
                report=report,
                header=names,
                columns=[""] * many,
                samples=[names],
            )
        counts.append(len(statements(ada.client, ada.url(f"{row.pk}/{page}"))))
    assert counts[0] == counts[1] <= 8


def test_the_list_of_imports_costs_the_same_for_many(ada: Browser, world: World) -> None:
    ada.client.get(ada.url())  # notes that she was seen
    counts = []
    for many in (1, 24):
        with organization_context(world.kudi.organization.pk):
            facts = {"organization": world.kudi.organization, "member": world.kudi["admin"]}
            factories.ImportFactory.create_batch(many, **facts)
        counts.append(len(statements(ada.client, ada.url())))
    assert counts[0] == counts[1] <= 8


def test_the_list_of_customers_leads_here(world: World) -> None:
    for role, is_offered in (("admin", True), ("compliance", False)):
        seen = world.kudi.client(role).get(world.kudi.url("customers/")).content.decode()
        assert (f'href="{world.kudi.url("customers/import/")}"' in seen) == is_offered
