"""Exports of customers: what is in the file, who may have it, for how long, and what becomes of a worker that dies."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organization
from audit.models import AuditEvent
from customers import tasks
from customers.exporting import making
from customers.exporting.rows import HEADER, _masked, _national
from customers.files import store
from customers.models import Customer, Export, StoredChunk, StoredFile
from customers.services.exports import forget
from customers.tasks import forget_exports, make_export, sweep_exports
from customers.text import mask_phone, national_phone
from lendconsole.tenancy import organization_context
from teams.models import Member, Office, Role, RolePermission
from tests import factories
from tests.customers.pages import HTMX, WRITTEN_SECRETS, hide_secrets_in, words
from tests.world import Lender, World


def ask(lender: Lender, role: str = "admin", query: str = "", format_: str = "csv") -> Export:
    response = lender.client(role).post(lender.url(f"customers/export/{query}"), {"format": format_})
    assert response.status_code == 302, words(response)
    with organization_context(lender.organization.pk):
        export: Export = Export.objects.get(pk=int(response["Location"].rstrip("/").rpartition("/")[2]))
    return export


def made(lender: Lender, role: str = "admin", query: str = "", format_: str = "csv") -> Export:
    export = ask(lender, role, query, format_)
    assert make_export(lender.organization.pk, export.pk)
    return again(lender, export)


def again(lender: Lender, export: Export) -> Export:
    with organization_context(lender.organization.pk):
        return Export.objects.get(pk=export.pk)


def download(lender: Lender, export: Export, role: str = "admin") -> Any:
    return lender.client(role).get(lender.url(f"customers/exports/{export.pk}/file/"))


def content(lender: Lender, export: Export, role: str = "admin") -> bytes:
    response = download(lender, export, role)
    assert response.status_code == 200
    return bytes(response.getvalue())


def lines(lender: Lender, role: str = "admin", query: str = "") -> list[list[str]]:
    """Without the header and the last line, which are looked at."""
    text = content(lender, made(lender, role, query), role).decode("utf-8-sig")
    header, *rows, signature = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == HEADER
    assert lender[role].label in signature[0]
    return rows


def give(lender: Lender, role: str, capability: str, reach: str = "organization") -> None:
    with organization_context(lender.organization.pk):
        RolePermission.objects.update_or_create(
            organization=lender.organization,
            role=lender.roles[role],
            capability=capability,
            defaults={"reach": reach},
        )


def numbers(rows: list[list[str]]) -> list[str]:
    return [row[0] for row in rows]


def number(lender: Lender, key: str) -> str:
    return lender.customers[key].number


# What is in the file


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
        customer.email,
        kudi.branch.name,
        manager,
        "Pending",
        customer.joined_on.isoformat(),
    ]


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
    rows = lines(kudi, "loan_officer")
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
    row = next(row for row in lines(kudi) if "calc" in row[1])
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


# Who may have it


def test_only_the_one_who_asked_downloads_it(world: World) -> None:
    kudi = world.kudi
    export = made(kudi)
    for role in ("super_admin", "compliance"):
        assert download(kudi, export, role).status_code == 404
        assert kudi.client(role).get(kudi.url(f"customers/exports/{export.pk}/")).status_code == 404
        assert words(kudi.client(role).get(kudi.url("customers/exports/"))).count("exports/") == 0
    assert download(kudi, export).status_code == 200


def test_it_ends_after_a_day(world: World) -> None:
    kudi = world.kudi
    export = made(kudi)
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
        assert download(kudi, export).status_code == 404
        assert kudi.client("admin").get(kudi.url(f"customers/exports/{export.pk}/")).status_code == 404
        assert forget_exports() == 1
    with organization_context(kudi.organization.pk):
        assert not Export.objects.exists()
        assert not StoredFile.objects.exists()


def test_what_an_earlier_version_made_is_closed(world: World) -> None:
    kudi = world.kudi
    export = made(kudi)
    with organization_context(kudi.organization.pk):
        Export.objects.update(file=None)
        StoredFile.objects.all().delete()
    assert download(kudi, export).status_code == 404
    assert "This file is closed." in words(kudi.client("admin").get(kudi.url(f"customers/exports/{export.pk}/")))


def test_its_pieces_in_the_table_of_an_earlier_version_end_with_it(world: World) -> None:
    kudi = world.kudi
    export = made(kudi)
    count = "SELECT count(*) FROM customers_exportchunk"
    with organization_context(kudi.organization.pk), connection.cursor() as cursor:
        piece = (
            "INSERT INTO customers_exportchunk (organization_id, export_id, number, content) VALUES (%s, %s, 0, 'x')"
        )
        cursor.execute(piece, [kudi.organization.pk, export.pk])
        forget([Export.objects.get()])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert cursor.execute(count).fetchone() == (0,)


def test_it_ends_with_the_member(world: World) -> None:
    kudi = world.kudi
    export = made(kudi)
    kudi.client("super_admin").post(kudi.url(f"settings/members/{kudi['admin'].pk}/deactivate/"))
    assert download(kudi, export).status_code == 404
    kudi.client("super_admin").post(kudi.url(f"settings/members/{kudi['admin'].pk}/reactivate/"))
    assert kudi.client("admin").get(kudi.url("customers/")).status_code == 200
    assert download(kudi, export).status_code == 404
    assert "This file is closed." in words(kudi.client("admin").get(kudi.url(f"customers/exports/{export.pk}/")))


def test_files_of_deactivated_people_are_removed(world: World) -> None:
    kudi = world.kudi
    made(kudi)
    made(kudi, "super_admin")
    with organization_context(kudi.organization.pk):
        Member.objects.filter(pk=kudi["admin"].pk).update(status="deactivated")
    assert forget_exports() == 1
    with organization_context(kudi.organization.pk):
        assert Export.objects.get().member_id == kudi["super_admin"].pk


def test_the_permission_is_asked_again_at_the_download(world: World) -> None:
    kudi = world.kudi
    export = made(kudi)
    with organization_context(kudi.organization.pk):
        RolePermission.objects.filter(role=kudi.roles["admin"], capability="customers.export").delete()
    assert download(kudi, export).status_code == 403


@pytest.mark.parametrize("what", ["role", "office", "exclusive"])
def test_what_narrows_the_members_sight_closes_the_file(world: World, what: str) -> None:
    kudi = world.kudi
    export = made(kudi)
    with organization_context(kudi.organization.pk):
        if what == "role":
            Role.objects.filter(pk=kudi.roles["admin"].pk).update(version=7)
        elif what == "office":
            Office.objects.filter(pk=kudi.branch.pk).update(path=f"{kudi.other_branch.path}{kudi.branch.pk}/")
    if what == "exclusive":
        other = not kudi.organization.exclusive_assignments
        Organization.objects.filter(pk=kudi.organization.pk).update(exclusive_assignments=other)
    assert download(kudi, export).status_code == 404


def test_an_unfinished_file_is_not_offered(world: World) -> None:
    kudi = world.kudi
    assert download(kudi, ask(kudi)).status_code == 404


def test_without_the_permission_nothing_offers_it(world: World) -> None:
    kudi = world.kudi
    assert "customers/export" not in kudi.client("customer_support").get(kudi.url("customers/")).content.decode()
    response = kudi.client("customer_support").post(kudi.url("customers/export/"), {"format": "csv"})
    assert response.status_code == 403
    with organization_context(kudi.organization.pk):
        assert not Export.objects.exists()
        assert set(AuditEvent.objects.values_list("verb", flat=True)) <= {"access.refused"}


def test_request_and_download_are_written_down(world: World) -> None:
    kudi = world.kudi
    content(kudi, made(kudi, query="?status=pending&q=borrower"))
    with organization_context(kudi.organization.pk):
        events = list(AuditEvent.objects.order_by("pk").values_list("verb", "actor_id", "after"))
    facts = {"customers": "4", "format": "CSV", "filters": "“borrower”, Status: Pending"}
    assert events == [
        ("customers.export_requested", kudi["admin"].pk, facts),
        ("customers.exported", kudi["admin"].pk, facts),
    ]


# Many, and at once


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if three customers were more than a thousand."""
    for module in ("customers.views.exports", "customers.exporting.making", "accounts.pagination"):
        monkeypatch.setattr(f"{module}.COUNT_CAP", 3)


def test_many_customers_ask_who_sits_here(world: World, many: None) -> None:
    kudi = world.kudi
    client = kudi.client("admin")
    client.get(kudi.url())
    with time_machine.travel(timezone.now() + timedelta(seconds=400), tick=False):
        response = client.get(kudi.url("customers/export/"), headers={**HTMX, "HX-Target": "dialog-content"})
        assert response["HX-Redirect"].startswith("/accounts/reauthenticate/")
        response = client.post(kudi.url("customers/export/"), {"format": "csv"})
        assert response.status_code == 422
        assert "Confirm that it is you" in words(response)
        with organization_context(kudi.organization.pk):
            assert not Export.objects.exists()
        assert client.post(kudi.url("customers/export/?q=own"), {"format": "csv"}).status_code == 302


def test_what_became_many_meanwhile_is_not_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)
    monkeypatch.setattr(making, "COUNT_CAP", 3)
    assert not make_export(kudi.organization.pk, export.pk)
    export = again(kudi, export)
    assert (export.state, export.file) == (Export.State.FAILED, None)
    assert "confirm that it is you" in words(kudi.client("admin").get(kudi.url(f"customers/exports/{export.pk}/")))


def test_three_at_once_and_no_more(world: World) -> None:
    kudi = world.kudi
    first = ask(kudi)
    ask(kudi)
    ask(kudi)
    response = kudi.client("admin").post(kudi.url("customers/export/"), {"format": "csv"})
    assert response.status_code == 422
    assert "3 of your exports are still being made" in words(response)
    ask(kudi, "super_admin")
    make_export(kudi.organization.pk, first.pk)
    ask(kudi)


def test_one_press_is_one_export(world: World) -> None:
    kudi = world.kudi
    client, data = kudi.client("admin"), {"format": "csv", "submission_key": "6a1c8f8e-5f0e-4c6a-8d65-0c3f5f1f7b11"}
    places = {client.post(kudi.url("customers/export/"), data)["Location"] for _ in range(2)}
    assert len(places) == 1
    with organization_context(kudi.organization.pk):
        assert Export.objects.count() == 1


# The worker


def test_a_killed_worker_leaves_nothing_and_another_begins_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)

    def die(*args: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(making._Making, "_offer", die)
        with pytest.raises(SystemExit):
            make_export(kudi.organization.pk, export.pk)
    assert again(kudi, export).state == Export.State.RUNNING
    assert download(kudi, export).status_code == 404
    assert not make_export(kudi.organization.pk, export.pk), "its claim still holds"
    sent: list[tuple[Any, ...]] = []

    def publish(*message: Any) -> bool:
        sent.append(message)
        return True

    monkeypatch.setattr(tasks, "publish", publish)
    assert sweep_exports() == 0
    with time_machine.travel(timezone.now() + making.LEASE, tick=False):
        assert sweep_exports() == 1
        assert sent == [(making.MAKE_EXPORT, kudi.organization.pk, export.pk)]
        assert make_export(kudi.organization.pk, export.pk)
    assert again(kudi, export).rows == 4


def test_a_worker_that_dies_while_the_file_is_kept_leaves_no_piece(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kudi = world.kudi
    export = ask(kudi)

    def die(*args: Any, **options: Any) -> None:
        store(*args, **options)
        raise SystemExit

    monkeypatch.setattr(making, "store", die)
    with pytest.raises(SystemExit):
        make_export(kudi.organization.pk, export.pk)
    with organization_context(kudi.organization.pk):
        assert not StoredFile.objects.exists()
    assert again(kudi, export).state == Export.State.RUNNING


def test_one_that_fails_each_time_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)

    def break_(*args: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(making._Making, "_write_rows", break_)
    for _ in range(making.MOST_ATTEMPTS + 1):
        assert not make_export(kudi.organization.pk, export.pk)
    export = again(kudi, export)
    assert (export.state, export.attempts) == (Export.State.FAILED, making.MOST_ATTEMPTS)
    assert "disk full" not in export.state_reason


def test_one_whose_worker_dies_each_time_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)
    with organization_context(kudi.organization.pk):
        Export.objects.update(attempts=making.MOST_ATTEMPTS, state=Export.State.RUNNING)
    assert not make_export(kudi.organization.pk, export.pk)
    assert again(kudi, export).state == Export.State.FAILED


def test_rights_lost_in_the_middle_stop_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)
    read = making.read_rows

    def demoted(member: Member, ids: Any, columns: Any) -> Any:
        Member.objects.filter(pk=member.pk).update(role=kudi.roles["customer_support"], version=member.version + 1)
        return read(member, ids)

    monkeypatch.setattr(making, "read_rows", demoted)
    assert not make_export(kudi.organization.pk, export.pk)
    with organization_context(kudi.organization.pk):
        assert Export.objects.get().state == Export.State.FAILED
        assert not StoredFile.objects.exists()


def test_a_member_who_is_gone_gets_no_file(world: World) -> None:
    kudi = world.kudi
    export = ask(kudi)
    with organization_context(kudi.organization.pk):
        Member.objects.filter(pk=kudi["admin"].pk).update(status="removed")
    assert not make_export(kudi.organization.pk, export.pk)
    assert again(kudi, export).state == Export.State.FAILED


def test_a_filter_that_means_nothing_any_more_does_not_widen_it(world: World) -> None:
    kudi = world.kudi
    export = ask(kudi, query=f"?office={kudi.other_branch.pk}")
    with organization_context(kudi.organization.pk):
        type(kudi.branch).objects.filter(pk=kudi.other_branch.pk).update(name="Renamed")
    assert not make_export(kudi.organization.pk, export.pk)
    assert "Set them anew" in again(kudi, export).state_reason


def test_nothing_is_left_on_the_workers_disk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made(world.kudi, format_="xlsx")
    assert list(tmp_path.iterdir()) == []


# The pages


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


def test_an_export_that_was_removed_meanwhile_leaves_no_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)
    read = making.read_rows

    def removed(member: Member, ids: Any, columns: Any) -> Any:
        Export.objects.filter(pk=export.pk).delete()
        return read(member, ids)

    monkeypatch.setattr(making, "read_rows", removed)
    assert not make_export(kudi.organization.pk, export.pk)
    with organization_context(kudi.organization.pk):
        assert not StoredFile.objects.exists()
