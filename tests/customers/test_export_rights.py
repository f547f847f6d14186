"""Exports of customers: who may have the file and for how long, and how many are made at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Organization
from audit.models import AuditEvent
from customers.exporting import making
from customers.models import Export, StoredFile
from customers.tasks import forget_exports, make_export
from lendconsole.tenancy import organization_context
from teams.models import Member, Office, Role, RolePermission
from tests.customers.export_support import again, ask, content, download, made
from tests.customers.pages import HTMX, words
from tests.world import World


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
