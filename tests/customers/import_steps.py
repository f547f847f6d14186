"""What the tests of browser imports share: a file brought and taken through its steps."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from customers.files import opened
from customers.importing.running import carry_on
from customers.models import CustomerImport
from customers.services import imports
from lendconsole.tenancy import organization_context
from teams.models import Member, RolePermission
from tests.world import Lender

HEADER = ("Customer number", "First name", "Last name", "Email", "Phone", "BVN", "Office", "Account manager")


class Steps:
    """One member's way of importing; each call is one request, or one turn of the worker."""

    def __init__(self, actor: Member, header: tuple[str, ...] = HEADER) -> None:
        self.actor = actor
        self.header = header

    @classmethod
    def of(cls, lender: Lender, role: str = "admin") -> Steps:
        return cls(lender[role])

    def context(self) -> Any:
        return organization_context(self.actor.organization.pk)

    def member(self) -> Member:
        """With the rights of now."""
        member: Member = Member.objects.select_related("user", "role", "office", "organization").get(pk=self.actor.pk)
        return member

    def file(self, *rows: dict[str, str] | list[str]) -> bytes:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(self.header)
        for row in rows:
            table.writerow([row.get(name, "") for name in self.header] if isinstance(row, dict) else row)
        return text.getvalue().encode()

    def brought(self, content: bytes | Path, name: str = "people.csv") -> CustomerImport:
        data = content.read_bytes() if isinstance(content, Path) else content
        with self.context():
            return imports.begin_import(actor=self.member(), file=io.BytesIO(data), name=name)

    def checked(self, content: bytes | Path, *, updates: bool = False) -> CustomerImport:
        brought = self.brought(content)
        with self.context():
            imports.choose_columns(actor=self.member(), pk=brought.pk, columns=brought.columns, updates=updates)
        return self.worked(brought)

    def started(self, content: bytes | Path, *, updates: bool = False) -> CustomerImport:
        checked = self.checked(content, updates=updates)
        assert checked.state == "checked", checked.state_reason
        return self.start(checked)

    def start(self, checked: CustomerImport) -> CustomerImport:
        with self.context():
            return imports.start_import(actor=self.member(), pk=checked.pk, is_confirmed=True)

    def loaded(self, content: bytes | Path, *, updates: bool = False) -> CustomerImport:
        return self.worked(self.started(content, updates=updates))

    def undone(self, done: CustomerImport) -> CustomerImport:
        with self.context():
            imports.undo_import(actor=self.member(), pk=done.pk)
        return self.worked(done)

    def worked(self, row: CustomerImport) -> CustomerImport:
        carry_on(self.actor.organization.pk, row.pk)
        return self.again(row)

    def again(self, row: CustomerImport) -> CustomerImport:
        with self.context():
            return CustomerImport.objects.select_related("file", "refusals").get(pk=row.pk)


def person(steps: Steps, number: str = "N-1", **changes: str) -> dict[str, str]:
    return {
        "Customer number": number,
        "First name": "Grace",
        "Last name": "Etim",
        "Office": steps.actor.office.name,
        **{"BVN" if name == "bvn" else name.replace("_", " ").capitalize(): value for name, value in changes.items()},
    }


def refused(row: CustomerImport) -> dict[int, list[str]]:
    return {each["line"]: each["sentences"] for each in row.report["refused_rows"]}


def refusals(steps: Steps, row: CustomerImport) -> list[list[str]]:
    assert row.refusals is not None
    with opened(row.refusals) as file:
        return list(csv.reader(io.StringIO(file.read().decode("utf-8-sig"), newline="")))


def change_rights(steps: Steps, how: str) -> None:
    with steps.context():
        if how == "deactivated":
            Member.objects.filter(pk=steps.actor.pk).update(status="deactivated")
        else:
            RolePermission.objects.filter(role=steps.actor.role, capability=how).delete()
