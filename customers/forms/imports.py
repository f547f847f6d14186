"""The forms of an import: the file, its columns, names that only the file knows, and the two buttons that ask once more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.forms.boundfield import BoundField

from customers.importing.columns import Column
from customers.models import CustomerImport
from customers.policy import assignable_managers
from lendconsole.forms import ConsoleForm, SubmitOnce
from teams.capabilities import Capability
from teams.models import Member, Office
from teams.office_tree import in_tree_order

NOBODY: Final = "nobody"
UPDATES_LABEL: Final = "Update customers that are there already, by customer number"
Choices = list[tuple[str, str]]


class UploadForm(SubmitOnce, ConsoleForm):
    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        widget=forms.FileInput(
            {"accept": ".csv,.xlsx,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
        ),
        help_text="CSV (UTF-8) or XLSX of at most 50 MB. Its first line names the columns.",
    )


class _StepForm(SubmitOnce, ConsoleForm):
    """`customer_import`: what the form is about. Those who may not edit customers are not asked about updates."""

    updates = forms.BooleanField(label=UPDATES_LABEL, required=False)

    def __init__(self, *args: Any, member: Member, customer_import: CustomerImport, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        self.customer_import = customer_import
        if member.may(Capability.CUSTOMERS_EDIT):
            self.fields["updates"].initial = customer_import.updates
        else:
            del self.fields["updates"]

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        return {"updates": False, **facts}

    def _choose(self, prefix: str, names: Iterable[str], choices: Choices, chosen: list[str]) -> None:
        for number, name in enumerate(names):
            self.fields[f"{prefix}_{number}"] = forms.ChoiceField(
                label=name, choices=choices, required=False, initial=chosen[number]
            )

    def _chosen(self, prefix: str, count: int) -> list[str]:
        return [self.cleaned_data.get(f"{prefix}_{number}", "") for number in range(count)]


class ColumnsForm(_StepForm):
    """A choice for each column of the file. `cleaned_data["columns"]` is as customers.services.imports takes it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        source = self.customer_import
        choices = [("", "Leave this column out"), *((column.value, column.value) for column in Column)]
        self._choose("column", source.header, choices, source.columns)

    def clean(self) -> dict[str, Any]:
        return {**super().clean(), "columns": self._chosen("column", len(self.customer_import.header))}

    @property
    def rows(self) -> list[tuple[BoundField, list[str]]]:
        """Each column with what stands in it in the first rows."""
        samples = self.customer_import.samples
        return [
            (self[f"column_{number}"], [row[number] for row in samples if number < len(row) and row[number].strip()])
            for number in range(len(self.customer_import.header))
        ]


class PlacesForm(_StepForm):
    """A choice for each name of an office or an account manager that only the file knows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        source = self.customer_import
        self.offices: dict[str, int] = dict(source.report["unknown_offices"])
        self.managers: dict[str, int] = dict(source.report["unknown_managers"])
        self._offer_offices()
        self._offer_managers()

    def _offer_offices(self) -> None:
        if not self.offices:
            return
        reached = Office.objects.reached_by(self.member, Capability.CUSTOMERS_CREATE).active()
        choices = [(str(office.pk), office.name) for office in in_tree_order(reached)]
        chosen = [str(self.customer_import.offices.get(name.casefold(), "")) for name in self.offices]
        self._choose("office", self.offices, [("", "Leave these rows out"), *choices], chosen)

    def _offer_managers(self) -> None:
        if not self.managers:
            return
        members = assignable_managers(self.member).order_by("user__first_name", "user__last_name", "pk")
        choices = [(str(manager.pk), f"{manager.name} ({manager.office.name})") for manager in members]
        chosen = [_written(self.customer_import.managers, name.casefold()) for name in self.managers]
        first = [("", "Leave these rows out"), (NOBODY, "No account manager")]
        self._choose("manager", self.managers, [*first, *choices], chosen)

    def clean(self) -> dict[str, Any]:
        facts = super().clean()
        offices = dict(zip(self.offices, self._chosen("office", len(self.offices)), strict=True))
        managers = dict(zip(self.managers, self._chosen("manager", len(self.managers)), strict=True))
        return {
            **facts,
            "offices": {name: int(pk) for name, pk in offices.items() if pk},
            "managers": {name: None if pk == NOBODY else int(pk) for name, pk in managers.items() if pk},
        }

    @property
    def office_rows(self) -> list[tuple[BoundField, int]]:
        return self._rows("office", self.offices)

    @property
    def manager_rows(self) -> list[tuple[BoundField, int]]:
        return self._rows("manager", self.managers)

    def _rows(self, prefix: str, names: dict[str, int]) -> list[tuple[BoundField, int]]:
        return [(self[f"{prefix}_{number}"], rows) for number, rows in enumerate(names.values())]


class OnceMoreForm(SubmitOnce, ConsoleForm):
    """A button alone."""


def _written(managers: dict[str, int | None], name: str) -> str:
    if name not in managers:
        return ""
    return NOBODY if managers[name] is None else str(managers[name])
