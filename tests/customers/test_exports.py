"""Exports of customers: what is in the file, and the pages that lead to it."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.exporting import making
from customers.exporting.rows import _masked, _national
from customers.models import Customer, StoredChunk
from customers.tasks import make_export
from customers.text import mask_phone, national_phone
from lendconsole.tenancy import organization_context
from teams.models import Member
from tests import factories
from tests.customers.export_support import ask, content, give, lines, made, number, numbers
from tests.customers.pages import WRITTEN_SECRETS, hide_secrets_in, words
from tests.world import World


def test_the_file_holds_what_the_list_shows(world: World) -> None:
    kudi = world.kudi
    customer = kudi.customers["own"]
    rows = lines(kudi, query="?account_manager=nobody&sort=-name")
    assert numbers(rows) == [number(kudi, "remote"), number(kudi, "free")]
    (row,) = lines(kudi, query="?q=own")
    manager = kudi["account_manager"].name
    assert row == [
        customer.number,
        customer.first_name,
        customer.last_name,
        national_phone(customer.phone),
        kudi.branch.name,
        manager,
        "Pending",
        customer.joined_on.isoformat(),
    ]


@pytest.mark.parametrize("query", ["?q=ow%00n&x=%00", "?list=q%3Dow%2500n%26%2500%3D1"])
def test_nul_in_an_address_finds_nobody_and_breaks_nothing(world: World, query: str) -> None:
    assert lines(world.kudi, query=query) == []


@pytest.mark.parametrize("role", ["account_manager", "loan_officer", "customer_support", "compliance", "super_admin"])
def test_everybody_gets_the_customers_they_find_and_no_others(world: World, role: str) -> None:
    kudi = world.kudi
    give(kudi, role, "customers.export")
    with organization_context(kudi.organization.pk):
        member = Member.objects.get(pk=kudi[role].pk)
        found = Customer.objects.visible_to(member).order_by("name_key", "id")
        expected = list(found.values_list("number", flat=True))
    assert expected
    assert numbers(lines(kudi, role)) == expected


def test_cards_are_masked_as_on_the_list(world: World) -> None:
    kudi = world.kudi
    secret = hide_secrets_in(kudi, "distant")
    give(kudi, "loan_officer", "customers.export")
    rows = lines(kudi, "loan_officer", "?columns=phone,email")
    text = "\n".join(",".join(row) for row in rows)
    assert [each for each in WRITTEN_SECRETS if each in text] == []
    row = next(row for row in rows if row[0] == secret.number)
    assert row[3:5] == [mask_phone(secret.phone), secret.masked_email]
    full = next(row for row in rows if row[0] == number(kudi, "free"))
    assert full[4] == kudi.customers["free"].email


def test_the_rule_is_asked_when_it_runs(world: World) -> None:
    kudi = world.kudi
    give(kudi, "account_manager", "customers.export")
    export = ask(kudi, "account_manager")
    with organization_context(kudi.organization.pk):
        factories.dedicate(kudi.customers["free"], kudi["account_manager"])
        kudi.customers["own"].account_manager = None
        kudi.customers["own"].save()
    make_export(kudi.organization.pk, export.pk)
    text = content(kudi, export, "account_manager").decode("utf-8-sig")
    assert number(kudi, "free") in text
    assert number(kudi, "own") not in text


def test_formulas_are_defused_in_every_column(world: World) -> None:
    kudi = world.kudi
    hostile = "=cmd|'/C calc'!A1"
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["free"].pk).update(
            first_name=hostile, last_name="+1", email="@x", phone="-1", number="\t=2"
        )
        type(kudi.branch).objects.filter(pk=kudi.branch.pk).update(name="  =3")
    row = next(row for row in lines(kudi, query="?columns=phone,email,office") if "calc" in row[1])
    assert row[:6] == ["'\t=2", f"'{hostile}", "'+1", "'-1", "'@x", "'  =3"]


def test_a_spreadsheet_has_texts_and_dates_and_no_formula(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["free"].pk).update(first_name="=1+1", last_name="https://x.example")
    file = zipfile.ZipFile(io.BytesIO(content(kudi, made(kudi, format_="xlsx"))))
    sheet = file.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "<t>&#39;=1+1</t>" in sheet or "<t>'=1+1</t>" in sheet
    assert "<hyperlink" not in sheet
    assert len(re.findall("<row ", sheet)) == 6  # header, four customers, signature
    assert "exported by" in sheet
    assert kudi["admin"].user.email in file.read("docProps/core.xml").decode()


def test_the_last_line_says_who_when_and_what(world: World) -> None:
    kudi = world.kudi
    with time_machine.travel("2026-11-22T11:05:00Z", tick=False):
        text = content(kudi, made(kudi, query="?status=pending")).decode("utf-8-sig")
    assert text.splitlines()[-1] == (
        f'"4 customers of {kudi.organization.name}, exported by {kudi["admin"].label}'
        ' on 22 Nov 2026, 12:05 (Africa/Lagos). Filters: Status: Pending."'
    )


@pytest.mark.parametrize(
    "phone", ["+2348034129981", "+2347012345678", "+233244123456", "+12125550123", "+442079460018", "+4930901820", ""]
)
def test_phones_are_written_as_the_list_writes_them(phone: str) -> None:
    for _ in range(2):
        assert _national(phone) == national_phone(phone)
        assert _masked(phone) == mask_phone(phone)


def test_more_rows_cost_no_more_statements_each(world: World) -> None:
    kudi = world.kudi
    counts = []
    for more in (0, 30):
        with organization_context(kudi.organization.pk):
            factories.CustomerFactory.create_batch(more, organization=kudi.organization, office=kudi.branch)
        export = ask(kudi)
        with CaptureQueriesContext(connection) as captured:
            make_export(kudi.organization.pk, export.pk)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_many_rows_come_in_portions_and_one_row_of_each_is_in_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kudi = world.kudi
    monkeypatch.setattr(making, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr("customers.files.CHUNK_BYTES", 100)
    with organization_context(kudi.organization.pk):
        factories.CustomerFactory.create_batch(30, organization=kudi.organization, office=kudi.branch)
    tracemalloc.start()
    rows = lines(kudi)
    tracemalloc.stop()
    assert len(set(numbers(rows))) == 34
    with organization_context(kudi.organization.pk):
        assert StoredChunk.objects.count() > 10


def test_the_page_looks_again_until_it_is_over(world: World) -> None:
    kudi = world.kudi
    export = ask(kudi)
    url = kudi.url(f"customers/exports/{export.pk}/")
    page = words(kudi.client("admin").get(url))
    assert 'data-hx-trigger="every 1s"' in page
    assert "See how far it is" in page
    make_export(kudi.organization.pk, export.pk)
    page = words(kudi.client("admin").get(url))
    assert 'data-hx-trigger="every' not in page
    assert "<strong>4 customers</strong>" in page
    assert kudi.url(f"customers/exports/{export.pk}/file/") in page


def test_the_dialog_says_what_is_exported(world: World) -> None:
    kudi = world.kudi
    page = words(kudi.client("admin").get(kudi.url("customers/export/?q=own&status=nonsense")))
    assert "<strong>1 customer</strong>, filtered by “own”." in page
    assert "Status “nonsense”" in page
    page = words(kudi.client("admin").get(kudi.url("customers/?q=own&after=x")))
    assert 'customers/export/?q=own"' in page


def test_the_list_of_exports_costs_the_same_for_one_and_many(world: World) -> None:
    kudi = world.kudi
    client, counts = kudi.client("admin"), []
    client.get(kudi.url("customers/exports/"))
    for more in (1, 24):
        with organization_context(kudi.organization.pk):
            factories.ExportFactory.create_batch(more, organization=kudi.organization, member=kudi["admin"])
        with CaptureQueriesContext(connection) as captured:
            client.get(kudi.url("customers/exports/"))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_an_empty_list_offers_the_earlier_exports_alone(world: World) -> None:
    kudi = world.kudi
    page = words(kudi.client("admin").get(kudi.url("customers/?q=nobody+of+this+name")))
    assert "customers/export/" not in page
    assert "Your exports" in page
