"""Everything held on one person, to be handed to them: one ZIP with all of it as JSON and, table by table, as CSV."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, BinaryIO, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import ForeignKey, Model
from django.utils import timezone

from accounts.models import User
from accounts.spreadsheets import safe_cell
from audit.lines import split_label
from customers.files import pieces
from customers.models import Customer
from customers.papers import files
from customers.personal_data import Table, about_customers
from lendconsole.encryption import decrypt
from teams.models import Member

IN_MEMORY: Final = 4 * 1024 * 1024
ENCRYPTED: Final = "_encrypted"
READ_ME: Final = """Everything that {lender} holds on the customer {number}, taken out on {day}.

all.json holds all of it. Each CSV file is one part of it, for spreadsheets. In files/ are documents and what came with notes.
Amounts are in minor units (kobo), times in the time zone {zone}.
"""


def write_bundle(customer: Customer) -> BinaryIO:
    """The file at its beginning, to be closed by the caller. One statement for each table."""
    parts = {table.name: rows_of(table, customer) for table in about_customers() if table.exported}
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # the caller closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        organization, now = customer.organization, timezone.localtime()
        facts = {"lender": organization.name, "number": customer.number, "day": f"{now:%Y-%m-%d}"}
        bundle.writestr("README.txt", READ_ME.format(**facts, zone=organization.time_zone))
        bundle.writestr("all.json", json.dumps(parts, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1))
        for name, rows in parts.items():
            if rows:
                bundle.writestr(f"{name.replace(' ', '-')}.csv", _table(rows))
        for stored in files(customer).order_by("pk"):
            with bundle.open(f"files/{stored.pk}-{stored.name}", "w") as copy:
                copy.writelines(pieces(stored))
    file.seek(0)
    return file  # type: ignore[return-value]  # it is one in all but name


def rows_of(table: Table, customer: Customer) -> list[dict[str, Any]]:
    """The person's rows of the table with all that is labelled personal or sensitive, as JSON values."""
    rows = table.of(customer).select_related(*_people(table)).order_by("pk")
    return [{_title(name): _written(row, name, customer) for name in table.exported} for row in rows]


def _people(table: Table) -> Iterable[str]:
    """The members that the rows name, with their logins."""
    for name in table.exported:
        field = table.model._meta.get_field(name) if not name.endswith("_id") else None
        if isinstance(field, ForeignKey):
            yield f"{name}__user" if field.related_model is Member else name


def _title(name: str) -> str:
    return name.removesuffix(ENCRYPTED)


def _written(row: Model, name: str, customer: Customer) -> Any:
    value = getattr(row, name)
    if name.endswith(ENCRYPTED):
        return decrypt(value) if value else ""
    if name == "actor_label":
        return split_label(value)[0]
    if name == "recipient" and value != customer.email:
        return "somebody else"  # a member, or an earlier address
    display = getattr(row, f"get_{name}_display", None)
    return display() if display else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Member | User):
        return value.name
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value


def _table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([safe_cell(_cell(value)) for value in row.values()])
    return "\ufeff" + text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
