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
from tests import factories

DATA = Path(settings.BASE_DIR) / "lendconsole" / "demo_data"
GOOD, DIRTY = DATA / "borrowers.csv", DATA / "borrowers-dirty.csv"
HEADER = GOOD.read_text(encoding="utf-8-sig").splitlines()[0]
OFFICES = (
    *("Head Office", "Ikeja Branch", "Lekki Branch", "Kano Branch"),
    *("Port Harcourt Branch", "Abuja Branch", "Ibadan Branch", "SME Team"),
)
MANAGERS = ("tunde.adeyemi", "amaka.obi", "halima.bello", "efe.osagie", "ngozi.eze", "musa.ibrahim")


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
