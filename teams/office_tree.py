"""Offices in the order in which people think of them: each before those under it, sisters by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol, TypeVar

from lendconsole.forms import RowChoiceField
from teams.models import Office

INDENT: Final = "\N{NO-BREAK SPACE}" * 3


class Node(Protocol):
    """An office, or what is known of one."""

    @property
    def pk(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...


AnyNode = TypeVar("AnyNode", bound=Node)


def in_tree_order(offices: Iterable[AnyNode]) -> list[AnyNode]:
    """Where an office further up is not among them, those below it stand at its place all the same."""
    listed = list(offices)
    names = {str(office.pk): (office.name.casefold(), office.pk) for office in listed}
    return sorted(listed, key=lambda office: [names.get(pk, ("", int(pk))) for pk in office.path.strip("/").split("/")])


def indented(office: Office) -> str:
    return INDENT * office.depth + office.name


class OfficeField(RowChoiceField):
    """A select box that shows the tree. Every form offers its own rows, scoped by the actor.

    `first_id`: the office at the top of the list, out of its place in the tree.
    """

    first_id: int | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Office.objects.none(), **kwargs)

    @property
    def rows(self) -> list[Office]:
        return sorted(in_tree_order(super().rows), key=lambda office: office.pk != self.first_id)

    def label_from_instance(self, obj: Any) -> str:
        office: Office = obj
        return office.name if office.pk == self.first_id else indented(office)
