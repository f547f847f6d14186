"""Importing customers: the good file whole, the dirty one row by row, hostile ones refused early, nothing half done."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
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
from customers.models import Assignment, Customer, CustomerUserObjectPermission
from customers.services.account_managers import assign_account_manager
from customers.services.importing import ImportOvertaken, ImportReport
from lendconsole.encryption import decrypt
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
    MANAGERS,
    build_kudi,
    everything,
    line,
    load,
    reasons,
    rows_of,
)

UNSAFE = "cannot be used. A name cannot contain < or >, a link, or begin with = + - or @."
FORMULA = f'First name “=HYPERLINK("http://evil.example","click"…” {UNSAFE}'
MARKUP = f"Last name “<script>alert(1)</script>” {UNSAFE}"
REFUSED_LINES = {
    65: ["Last name is missing."],
    118: ["Date of birth “31/02/1990” is not a calendar day written like 1990-02-28."],
    132: ["Date of birth 2031-01-01 lies in the future."],
    149: ["There is no active office “Atlantis Branch” here."],
    198: ["A BVN has 11 digits."],
    211: ["“nobody.here@kudi.example” is no team member who can be an account manager here."],
    230: [FORMULA],
    235: ["Date of birth 2031-01-01 lies in the future."],
    240: ["Monthly income “about 200k” is not a whole number."],
    249: [MARKUP],
    254: ["A BVN has 11 digits."],
    288: ["Line 51 has the same e-mail address."],
    319: [FORMULA],
    336: [MARKUP],
    355: ["A BVN has 11 digits."],
    391: ["Monthly income “about 200k” is not a whole number."],
    427: ["Line 60 has the same e-mail address."],
    436: ["Line 24 has the same e-mail address."],
    448: ["A BVN has 11 digits."],
    497: ["Status “Sleeping” is not known. Write Pending, Active, Inactive or Blacklisted."],
}


@pytest.fixture
def kudi(db: None) -> Iterator[Organization]:
    kudi = build_kudi()
    with organization_context(kudi.pk):
        yield kudi


# The two files


def test_the_good_file_is_loaded_whole_and_fast(kudi: Organization) -> None:
    started = time.perf_counter()
    report = load(kudi, GOOD)
    seconds = time.perf_counter() - started
    assert (report.rows, report.loaded, report.refused, report.already_there) == (10_000, 10_000, 0, 0)
    assert seconds < 20, f"{seconds:.1f} s; about 3 s on an idle machine"
    rows = rows_of(GOOD)
    customers = list(Customer.objects.select_related("office", "account_manager__user"))
    for column, read in (
        ("Status", lambda c: c.get_status_display()),
        ("Segment", lambda c: c.get_segment_display()),
        ("Gender", lambda c: c.get_gender_display()),
        ("Employment status", lambda c: c.get_employment_status_display()),
        ("Office", lambda c: c.office.name),
        ("Account manager", lambda c: c.account_manager.user.email if c.account_manager else ""),
        ("Date joined", lambda c: c.joined_on.isoformat()),
        ("Email", lambda c: c.email),
    ):
        assert Counter(row[column] for row in rows) == Counter(map(read, customers)), column


def test_one_row_arrives_field_by_field(kudi: Organization) -> None:
    load(kudi, GOOD)
    row = Customer.objects.get(number="KM-000002")
    assert (row.first_name, row.last_name, row.email) == ("Samuel", "Johnson", "samuel.johnson2@gmail.com")
    assert row.phone == "+2348183320480"
    assert (decrypt(row.bvn_encrypted), row.bvn_last_digits, len(row.bvn_fingerprint)) == ("22928193435", "3435", 64)
    assert (row.date_of_birth, row.joined_on) == (date(1960, 10, 9), date(2019, 1, 11))
    assert (row.gender, row.employment_status, row.segment, row.status) == ("male", "unemployed", "standard", "active")
    assert (row.address, row.state, row.employer) == ("131 Uzor Street", "Benue", "Market trader")
    assert row.monthly_income == 46_200_000
    assert row.name_key == "samuel johnson"


def test_an_imported_account_manager_has_column_period_grant_and_one_mail(kudi: Organization) -> None:
    report = load(kudi, GOOD)
    assigned = sum(1 for row in rows_of(GOOD) if row["Account manager"])
    assert Customer.objects.exclude(account_manager=None).count() == assigned
    periods = Assignment.objects.filter(batch=report.batch, ended_at=None)
    assert dict(periods.values_list("customer", "manager")) == dict(
        Customer.objects.exclude(account_manager=None).values_list("pk", "account_manager")
    )
    grants = CustomerUserObjectPermission.objects.values_list("content_object", "user")
    assert sorted(grants) == sorted(periods.values_list("customer", "manager__user"))
    tunde = Member.objects.get(user__email="tunde.adeyemi@kudi.example")
    customer = Customer.objects.filter(account_manager=tunde).first()
    assert tunde.user.has_perm("customers.manage_customer", customer)
    mails = OutgoingEmail.objects.order_by("recipient")
    assert [mail.recipient for mail in mails] == sorted(f"{name}@kudi.example" for name in MANAGERS)
    assert "You are now the account manager of 1,185 customers" in [mail.subject for mail in mails]


def test_the_audit_log_names_the_file_and_each_customer(kudi: Organization) -> None:
    load(kudi, line("KM-7", **{"Account manager": "amaka.obi@kudi.example", "BVN": "22928193435"}))
    whole = AuditEvent.objects.get(verb=Verb.CUSTOMERS_IMPORTED)
    assert whole.after == {"loaded": 1, "already_there": 0, "refused": 0}
    assert whole.reason == "Imported from customers.csv"
    each = AuditEvent.objects.get(verb=Verb.CUSTOMER_IMPORTED)
    customer = Customer.objects.get()
    assert (each.target_type, each.target_id) == ("customers.customer", customer.pk)
    assert each.target_label == "KM-7"
    assert each.after == {"office": "Ikeja Branch", "account_manager": "Amaka Obi"}


def test_the_dirty_file_reports_every_bad_row_and_loads_the_others(kudi: Organization) -> None:
    report = load(kudi, DIRTY)
    assert reasons(report) == REFUSED_LINES
    assert (report.rows, report.loaded, report.refused) == (500, 480, 20)
    numbers = set(Customer.objects.values_list("number", flat=True))
    refused = {row.number for row in report.refused_rows}
    assert len(numbers) == 480
    assert not numbers & refused
    assert Customer.objects.get(number="KM-000134").first_name == "Adébáyọ̀"
    assert Customer.objects.get(number="KM-000134").name_key == "adebayo afolabi"


@pytest.mark.parametrize("path", [GOOD, DIRTY], ids=["good", "dirty"])
def test_a_second_run_adds_nothing(kudi: Organization, path: Path) -> None:
    first = load(kudi, path)
    before = everything()
    second = load(kudi, path)
    assert (second.loaded, second.already_there, second.differing) == (0, first.loaded, 0)
    assert reasons(second) == reasons(first)
    assert everything() == before


def test_other_data_for_a_number_that_is_there_is_reported_and_not_taken(kudi: Organization) -> None:
    load(kudi, line("KM-1", Phone="08034129981"))
    report = load(kudi, line("km-1", Phone="08034129982", **{"Account manager": "amaka.obi@kudi.example"}))
    assert (report.loaded, report.refused, report.already_there, report.differing) == (0, 0, 1, 1)
    assert [row.sentences for row in report.differing_rows] == [["phone", "account manager"]]
    customer = Customer.objects.get()
    assert (customer.phone, customer.account_manager) == ("+2348034129981", None)


def test_a_shared_bvn_is_loaded_and_pointed_out(kudi: Organization) -> None:
    rows = "\n".join([line("KM-1", BVN="22928193435"), line("KM-2", BVN="22928193435")])
    report = load(kudi, rows)
    assert report.loaded == 2
    assert [(row.line, row.sentences) for row in report.remarks] == [(3, ["Line 2 has the same BVN."])]
    second = Customer.objects.get(number="KM-2")
    assert (decrypt(second.bvn_encrypted), second.bvn_fingerprint) == ("22928193435", "")
    assert load(kudi, rows).differing == 0
    third = load(kudi, line("KM-3", BVN="22928193435"))
    assert [row.sentences for row in third.remarks] == [["KM-1 has the same BVN already."]]


# Rows


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"Customer number": ""}, "Customer number is missing."),
        ({"Customer number": "KM 1"}, "Customer number “KM 1” may have letters, digits, - and / only."),
        ({"Customer number": "K" * 21}, "Customer number is longer than 20 characters."),
        ({"First name": "x" * 81}, "First name is longer than 80 characters."),
        ({"First name": "\x1b[31mGrace"}, "First name contains a control character."),
        ({"Email": "grace.etim"}, "“grace.etim” is not an e-mail address."),
        ({"Phone": "12345"}, "“12345” is not a phone number."),
        ({"BVN": "2292819343x"}, "A BVN has 11 digits."),
        ({"Date of birth": "1899-12-31"}, "Date of birth 1899-12-31 lies before the year 1900."),
        ({"Date of birth": "19900228"}, "Date of birth “19900228” is not a calendar day written like 1990-02-28."),
        ({"Date joined": "2999-01-01"}, "Date joined 2999-01-01 lies in the future."),
        (
            {"Date of birth": "2000-01-01", "Date joined": "1999-01-01"},
            "The date joined lies before the date of birth.",
        ),
        ({"Gender": "F"}, "Gender “F” is not known. Write Female or Male."),
        ({"Monthly income (NGN)": "-5"}, "Monthly income “-5” is not a whole number."),
        ({"Monthly income (NGN)": "٣"}, "Monthly income “٣” is not a whole number."),
        ({"Monthly income (NGN)": "9" * 30}, "Monthly income “999999999999999999999999999999” is too high."),
        ({"Office": ""}, "Office is missing."),
        ({"Address": "x" * 301}, "Address is longer than 300 characters."),
    ],
)
def test_a_bad_row_says_why(kudi: Organization, changes: dict[str, str], sentence: str) -> None:
    report = load(kudi, line(**changes))
    assert reasons(report) == {2: [sentence]}
    assert not Customer.objects.exists()


def test_all_reasons_of_a_row_are_told_at_once(kudi: Organization) -> None:
    good = line("KM-1", Email="grace@example.com", Phone="08034129981")
    bad = line("KM-1", Email="Grace@Example.com", Phone="+234 803 412 9981", BVN="1", Office="Nowhere")
    assert reasons(load(kudi, f"{good}\n{bad}")) == {
        3: [
            "A BVN has 11 digits.",
            "There is no active office “Nowhere” here.",
            "Line 2 has the same customer number.",
            "Line 2 has the same e-mail address.",
            "Line 2 has the same phone number.",
        ]
    }


def test_what_another_customer_has_is_refused(kudi: Organization) -> None:
    load(kudi, line("KM-1", Email="grace@example.com", Phone="08034129981"))
    report = load(kudi, line("KM-2", Email="GRACE@example.com", Phone="234 803 412 9981"))
    assert reasons(report) == {
        2: ["KM-1 has the same e-mail address already.", "KM-1 has the same phone number already."]
    }


def test_words_are_read_kindly(kudi: Organization) -> None:
    text = 'office,LAST NAME,first  name,Customer Number,status,Address\n"IKEJA  branch", Etim , Grace ,KM-9,active,"1 Main St\nIkeja"\n\n'
    assert load(kudi, text.encode()).loaded == 1
    row = Customer.objects.get()
    assert (row.name, row.office.name, row.status, row.address) == (
        "Grace Etim",
        "Ikeja Branch",
        "active",
        "1 Main St Ikeja",
    )
    assert (row.segment, row.monthly_income, row.date_of_birth, row.phone) == ("standard", None, None, "")


def test_lines_are_counted_as_in_the_file(kudi: Organization) -> None:
    two_lines = line("KM-1", Address="1 Main St\nIkeja")
    report = load(kudi, f"\n{two_lines}\n\n{line('KM-2', Office='Nowhere')}")
    assert (report.loaded, list(reasons(report))) == (1, [6])


def test_a_row_of_another_length_is_refused_alone(kudi: Organization) -> None:
    report = load(kudi, f"KM-1,Grace\n{line('KM-2')}")
    assert reasons(report) == {2: ["It has 2 values where the first line names 18 columns."]}
    assert report.loaded == 1


@pytest.mark.parametrize("change", ["deactivated", "locked", "no_view", "inactive_office", "foreign"])
def test_managers_and_offices_that_cannot_be_chosen(kudi: Organization, change: str) -> None:
    member = Member.objects.get(user__email="amaka.obi@kudi.example")
    email, office = "amaka.obi@kudi.example", "Ikeja Branch"
    if change == "deactivated":
        Member.objects.filter(pk=member.pk).update(status=Member.Status.DEACTIVATED)
    elif change == "locked":
        type(member.user).objects.filter(pk=member.user_id).update(is_active=False)
    elif change == "no_view":
        member.role.permissions.filter(capability="customers.view").delete()
    elif change == "inactive_office":
        type(member.office).objects.filter(name=office).update(is_active=False)
    else:
        email = "boss@rival.example"
        factories.UserFactory(email=email)
    report = load(kudi, line(Office=office, **{"Account manager": email}))
    assert report.refused == 1
    assert not Customer.objects.exists()


def test_the_next_number_by_hand_follows_the_imported_ones(kudi: Organization) -> None:
    load(kudi, "\n".join([line("KM-000041"), line("OLD-99"), line("km-7")]))
    kudi.refresh_from_db()
    assert kudi.last_customer_number == 41
    load(kudi, line("KM-000012"))
    kudi.refresh_from_db()
    assert kudi.last_customer_number == 41


# Nothing half done


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


# Other organizations and members


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


def member_who_may(kudi: Organization, **reaches: str) -> Member:
    role = factories.RoleFactory(
        organization=kudi, reaches={key.replace("_", ".", 1): reach for key, reach in reaches.items()}
    )
    office = Member.objects.get(user__email="tunde.adeyemi@kudi.example").office
    member: Member = factories.MemberFactory(organization=kudi, role=role, office=office)
    return member


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


# The command


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
