"""Importing customers: the good file whole, the dirty one row by row, each of them once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from accounts.models import Organization
from audit.models import AuditEvent
from audit.verbs import Verb
from customers.models import Assignment, Customer, CustomerUserObjectPermission
from lendconsole.encryption import decrypt
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.models import Member
from tests.customers.import_support import (
    DIRTY,
    GOOD,
    MANAGERS,
    REFUSED_LINES,
    build_kudi,
    everything,
    line,
    load,
    reasons,
    rows_of,
)


@pytest.fixture
def kudi(db: None) -> Iterator[Organization]:
    kudi = build_kudi()
    with organization_context(kudi.pk):
        yield kudi


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
