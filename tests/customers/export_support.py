"""What the tests of exports share: one that is asked for, made, taken and read."""

from __future__ import annotations

import csv
import io
from typing import Any

from customers.exporting.rows import HEADER
from customers.models import Export
from customers.tasks import make_export
from lendconsole.tenancy import organization_context
from teams.models import RolePermission
from tests.customers.pages import words
from tests.world import Lender


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
    assert "columns=" in query or tuple(header) == HEADER
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
