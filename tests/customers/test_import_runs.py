"""Importing customers: nothing half done, within one's reach, and by the command."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Organization
from audit.models import AuditEvent
from audit.verbs import Verb
from customers.importing import loading
from customers.importing.limits import FileRefused
from customers.models import Customer, CustomerUserObjectPermission
from customers.services.account_managers import assign_account_manager
from customers.services.importing import ImportOvertaken, ImportReport
from lendconsole.errors import PermissionMissing
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.models import Member
from tests import factories
from tests.customers.import_support import (
    DATA,
    DIRTY,
    GOOD,
    HEADER,
    build_kudi,
    everything,
    line,
    load,
    member_who_may,
    reasons,
)


@pytest.fixture
def kudi(db: None) -> Iterator[Organization]:
    kudi = build_kudi()
    with organization_context(kudi.pk):
        yield kudi


@pytest.mark.parametrize("step", ["insert_assignments", "move_number_up", "insert_audit", "count_by_manager"])
def test_a_failure_in_the_middle_leaves_nothing(kudi: Organization, monkeypatch: Any, step: str) -> None:
    before = everything()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr(loading, step, fail)
    with pytest.raises(RuntimeError, match="pulled the plug"):
        load(kudi, line(**{"Account manager": "amaka.obi@kudi.example"}))
    assert everything() == before


def test_a_file_that_breaks_off_late_leaves_nothing(kudi: Organization) -> None:
    good = "\n".join(line(f"KM-{number}") for number in range(300))
    with pytest.raises(FileRefused, match="Line 302 is not UTF-8"):
        load(kudi, f"{HEADER}\n{good}\n".encode() + b"\xff\xff\n")
    assert not Customer.objects.exists()


def test_a_customer_who_appears_meanwhile_stops_the_import(kudi: Organization, monkeypatch: Any) -> None:
    office = Member.objects.first().office
    original = loading.insert_customers

    def overtaken(organization: Organization) -> int:
        factories.CustomerFactory(organization=organization, office=office, number="X-1", phone="+2348034129981")
        return original(organization)

    monkeypatch.setattr(loading, "insert_customers", overtaken)
    with pytest.raises(ImportOvertaken):
        load(kudi, line(Phone="08034129981"))
    assert not Customer.objects.exists()


def test_a_dry_run_tells_the_same_and_does_nothing(kudi: Organization) -> None:
    before = everything()
    report = load(kudi, DIRTY, dry_run=True)
    assert (report.loaded, report.refused) == (480, 20)
    assert everything() == before


def test_another_organization_is_neither_seen_nor_touched(db: None) -> None:
    kudi = build_kudi()
    rival = factories.OrganizationFactory(name="Rival", slug="rival")
    with organization_context(rival.pk):
        office = factories.OfficeFactory(organization=rival, name="Ikeja Branch")
        taken = {"number": "KM-1", "phone": "+2348034129981", "email": "grace@example.com"}
        factories.CustomerFactory(organization=rival, office=office, **taken)
        before = everything()
    with organization_context(kudi.pk):
        report = load(kudi, line("KM-1", Phone="08034129981", Email="grace@example.com"))
        assert (report.loaded, report.remarks) == (1, [])
    with organization_context(rival.pk):
        assert everything() == before
    rival.refresh_from_db()
    assert rival.last_customer_number == 0


def test_a_member_imports_into_the_offices_they_reach(kudi: Organization) -> None:
    actor = member_who_may(kudi, customers_create="office")
    mine, other = line("KM-1"), line("KM-2", Office="Kano Branch")
    managed = line("KM-3", **{"Account manager": "tunde.adeyemi@kudi.example"})
    report = load(kudi, f"{mine}\n{other}\n{managed}", actor=actor)
    assert report.loaded == 1
    assert reasons(report) == {
        3: ["There is no active office “Kano Branch” here."],
        4: ["Your role may not choose account managers."],
    }
    assert AuditEvent.objects.get(verb=Verb.CUSTOMER_IMPORTED).actor_id == actor.pk


def test_a_member_without_the_permission_imports_nothing(kudi: Organization) -> None:
    with pytest.raises(PermissionMissing, match="Add customers"):
        load(kudi, line(), actor=member_who_may(kudi, customers_view="organization"))
    assert not Customer.objects.exists()


def test_imported_customers_can_be_reassigned(kudi: Organization) -> None:
    load(kudi, line(**{"Account manager": "amaka.obi@kudi.example"}))
    actor = member_who_may(
        kudi,
        customers_find="organization",
        customers_view="organization",
        customers_assign="organization",
        customers_oversee="organization",
    )
    efe = Member.objects.get(user__email="efe.osagie@kudi.example")
    assign_account_manager(actor=actor, customer=Customer.objects.get(), manager=efe)
    assert [grant.user for grant in CustomerUserObjectPermission.objects.all()] == [efe.user]


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_load_each_customer_once() -> None:
    kudi = build_kudi()
    reports: list[ImportReport] = []

    def run() -> None:
        try:
            with organization_context(kudi.pk):
                reports.append(load(kudi, DIRTY))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.loaded for report in reports) == [0, 0, 480]
    assert sorted(report.already_there for report in reports) == [0, 480, 480]
    with organization_context(kudi.pk):
        assert Customer.objects.count() == 480


def run_command(*arguments: Any) -> str:
    output = io.StringIO()
    call_command("import_customers", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_lists_refused_rows_and_sums_up(db: None) -> None:
    build_kudi()
    text = run_command(DIRTY, "--organization", "kudi")
    lines = text.splitlines()
    assert lines[0] == "Line 65 (KM-000064): Last name is missing."
    assert lines[-1] == "480 loaded, 20 refused, 0 already there (0 of them with other data, not changed)."
    assert len(lines) == 21
    assert run_command(DIRTY, "--organization", "kudi").splitlines()[-1].startswith("0 loaded, 20 refused, 480 already")
    assert run_command(GOOD, "--organization", "kudi", "--dry-run").count("\n") > 480


@pytest.mark.parametrize(
    ("file", "organization", "sentence"),
    [
        (DIRTY, "nowhere", "There is no active organization “nowhere”."),
        (DATA, "kudi", "Is a directory"),
        (DATA / "missing.csv", "kudi", "No such file"),
        (Path("/dev/null"), "kudi", "The file is empty."),
    ],
)
def test_the_command_ends_in_one_sentence(db: None, file: Path, organization: str, sentence: str) -> None:
    build_kudi()
    with pytest.raises(CommandError, match=sentence) as refusal:
        run_command(file, "--organization", organization)
    assert "\n" not in str(refusal.value)


def test_the_command_can_stay_silent(db: None) -> None:
    kudi = build_kudi()
    run_command(GOOD, "--organization", "kudi", "--no-mail")
    with organization_context(kudi.pk):
        assert not OutgoingEmail.objects.exists()
