"""Offices in the order in which people think of them: each before those under it, sisters by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django import forms
from django.forms.models import ModelChoiceIterator

from teams.models import Office

INDENT: Final = "\N{NO-BREAK SPACE}" * 3


def in_tree_order(offices: Iterable[Office]) -> list[Office]:
    """Where an office further up is not among them, those below it stand at its place all the same."""
    listed = list(offices)
    names = {str(office.pk): (office.name.casefold(), office.pk) for office in listed}
    return sorted(listed, key=lambda office: [names.get(pk, ("", int(pk))) for pk in office.path.strip("/").split("/")])


def indented(office: Office) -> str:
    return INDENT * office.depth + office.name


class _TreeIterator(ModelChoiceIterator):
    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        for office in in_tree_order(self.queryset):
            yield self.choice(office)


class OfficeField(forms.ModelChoiceField):
    """A select box that shows the tree. Every form gives its own queryset, scoped by the actor."""

    iterator = _TreeIterator

    def label_from_instance(self, obj: Any) -> str:
        return indented(obj)
