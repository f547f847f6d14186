"""What the tests of the import share: the lender that the two demo files are for, and files made of a few words."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.models import Organization
from audit.models import AuditEvent
from customers.models import Assignment, Customer, CustomerUserObjectPermission
from customers.services.importing import ImportReport, import_customers
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.models import Member
from tests import factories

DATA = Path(settings.BASE_DIR) / "lendconsole" / "demo_data"
GOOD, DIRTY = DATA / "borrowers.csv", DATA / "borrowers-dirty.csv"
HEADER = GOOD.read_text(encoding="utf-8-sig").splitlines()[0]
OFFICES = (
    *("Head Office", "Ikeja Branch", "Lekki Branch", "Kano Branch"),
    *("Port Harcourt Branch", "Abuja Branch", "Ibadan Branch", "SME Team"),
)
MANAGERS = ("tunde.adeyemi", "amaka.obi", "halima.bello", "efe.osagie", "ngozi.eze", "musa.ibrahim")
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


def build_kudi() -> Organization:
    """The offices and account managers that the two files name."""
    kudi: Organization = factories.OrganizationFactory(
        name="Kudi Microfinance", slug="kudi", customer_number_prefix="KM-"
    )
    with organization_context(kudi.pk):
        head = factories.OfficeFactory(organization=kudi, name=OFFICES[0])
        offices = [head, *(factories.OfficeFactory(organization=kudi, name=name, parent=head) for name in OFFICES[1:])]
        role = factories.RoleFactory(
            organization=kudi, name="Account Manager", reaches={"customers.find": "own", "customers.view": "own"}
        )
        for number, name in enumerate(MANAGERS):
            first, last = name.title().split(".")
            user = factories.UserFactory(email=f"{name}@kudi.example", first_name=first, last_name=last)
            factories.MemberFactory(organization=kudi, user=user, role=role, office=offices[number + 1])
    return kudi


def load(kudi: Organization, source: Path | bytes | str, **options: Any) -> ImportReport:
    """The file at a path, the bytes of one, or lines below the usual header."""
    if isinstance(source, str):
        source = f"{HEADER}\n{source}".encode()
    file = source.open("rb") if isinstance(source, Path) else io.BytesIO(source)
    with file:
        return import_customers(
            actor=options.pop("actor", None), organization=kudi, file=file, file_name="customers.csv", **options
        )


def line(number: str = "KM-1", **changes: str) -> str:
    """One good row, with some of its words replaced."""
    words = {
        **dict.fromkeys(HEADER.split(","), ""),
        "Customer number": number,
        "First name": "Grace",
        "Last name": "Etim",
        "Office": "Ikeja Branch",
        "Status": "Active",
    }
    words.update(changes)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(words.values())
    return text.getvalue().removesuffix("\n")


def reasons(report: ImportReport) -> dict[int, list[str]]:
    return {row.line: row.sentences for row in report.refused_rows}


def everything() -> dict[str, int]:
    models = (Customer, Assignment, CustomerUserObjectPermission, AuditEvent, OutgoingEmail)
    return {model.__name__: model.objects.count() for model in models}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def member_who_may(kudi: Organization, **reaches: str) -> Member:
    role = factories.RoleFactory(
        organization=kudi, reaches={key.replace("_", ".", 1): reach for key, reach in reaches.items()}
    )
    office = Member.objects.get(user__email="tunde.adeyemi@kudi.example").office
    member: Member = factories.MemberFactory(organization=kudi, role=role, office=office)
    return member
