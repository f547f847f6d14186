"""Importing customers: what is wrong with a row, and what is read kindly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import Organization
from customers.models import Customer
from lendconsole.tenancy import organization_context
from teams.models import Member
from tests import factories
from tests.customers.import_support import (
    build_kudi,
    line,
    load,
    reasons,
)


@pytest.fixture
def kudi(db: None) -> Iterator[Organization]:
    kudi = build_kudi()
    with organization_context(kudi.pk):
        yield kudi


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
