"""Keyset pagination: the page after or before a row, at the same speed on page 1 and page 10,000."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import IntegerField, Lookup, Model, Q, QuerySet, Subquery

PAGE_SIZE = 50
COUNT_CAP = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order, and the cursors of its neighbors ("" where there is none)."""

    rows: list[Any]
    after: str
    before: str


Keys = QuerySet[Any] | list[int]
Parts = Sequence[QuerySet[Any]]
"""Querysets of the same rows between them, of which some may stand in several. The rows of each are bounded by an index."""
First = Callable[[Parts, int], Keys]
Fetch = Callable[[Keys], QuerySet[Any]]


def paginate(
    rows: QuerySet[Any] | Parts,
    *,
    order: Sequence[str],
    after: str = "",
    before: str = "",
    size: int = PAGE_SIZE,
    first: First | None = None,
    fetch: Fetch | None = None,
) -> Page:
    """`order` names unique-together columns, all ascending or all descending ("-at", "-id"). A broken cursor is the first page.

    `fetch` turns the keys of the page into its rows: joins and annotations are then worked out for the rows of the page
    alone, and not for all that had to be sorted. `first` picks those keys, where that takes more than the first rows.
    Rows that come in parts need a `fetch`.
    """
    parts = _parts(rows)
    model = parts[0].model
    backwards = False
    if cursor := _decode(after, order, model):
        parts = [part.filter(_beyond(order, cursor)) for part in parts]
    elif cursor := _decode(before, order, model):
        backwards = True
        parts = [part.filter(_beyond(_reverse(order), cursor)) for part in parts]
    direction = _reverse(order) if backwards else order
    ordered = [part.order_by(*direction) for part in parts]
    keys = (first or first_keys)(ordered, size + 1)
    wanted = fetch(keys).order_by(*direction) if fetch else ordered[0]
    found = list(wanted[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_next, has_previous = (bool(cursor), more) if backwards else (more, bool(cursor))
    return Page(
        rows=found,
        after=_encode(found[-1], order) if found and has_next else "",
        before=_encode(found[0], order) if found and has_previous else "",
    )


def first_keys(parts: Parts, size: int) -> QuerySet[Any]:
    """Keys among which the first rows are, so many: the first of all are among the first of each part."""
    first, *rest = (part.values("pk")[:size] for part in parts)
    return first.union(*rest) if rest else first


def _parts(rows: QuerySet[Any] | Parts) -> Parts:
    return [rows] if isinstance(rows, QuerySet) else rows


class OneOf(Lookup):
    """One of the keys that a query finds, which is asked first and looked up as a whole.

    With IN the planner looks them up one by one, or pairs them with all the offices before it does: twice the time.
    """

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        key, key_parameters = self.process_lhs(compiler, connection)
        keys, parameters = self.process_rhs(compiler, connection)
        return f"{key} = ANY (ARRAY{keys})", (*key_parameters, *parameters)


class CappedCount(Subquery):
    """How many rows a queryset has, counted inside another statement and no further than cap + 1; all of them without a cap."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any] | Parts, cap: int | None = COUNT_CAP) -> None:
        limit = None if cap is None else cap + 1
        first, *rest = (part.order_by().values("pk")[:limit] for part in _parts(rows))
        super().__init__(first.union(*rest)[:limit] if rest else first)


def capped_count(rows: QuerySet[Any] | Parts, cap: int = COUNT_CAP) -> int:
    """How many rows, counting no further than cap + 1; show more than `cap` as "1,000+"."""
    return first_keys([part.order_by() for part in _parts(rows)], cap + 1)[: cap + 1].count()


def written_number(count: int, cap: int = COUNT_CAP) -> str:
    """ "37", and "1,000+" where the counting ended."""
    return f"{min(count, cap):,}{'+' if count > cap else ''}"


def written_count(count: int, noun: str, cap: int = COUNT_CAP) -> str:
    """ "1 e-mail", "37 e-mails", "1,000+ e-mails"."""
    return f"{written_number(count, cap)} {noun}{'' if count == 1 else 's'}"


def _reverse(order: Sequence[str]) -> list[str]:
    return [name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in order]


def _beyond(order: Sequence[str], cursor: Sequence[Any]) -> Q:
    """(a, b) > (x, y), spelled a >= x and (a > x or b > y) so that the index of (a, b) bounds the scan."""
    (first, *rest), (value, *values) = order, cursor
    name, operator = first.removeprefix("-"), "lt" if first.startswith("-") else "gt"
    if not rest:
        return Q(**{f"{name}__{operator}": value})
    return Q(**{f"{name}__{operator}e": value}) & (Q(**{f"{name}__{operator}": value}) | _beyond(rest, values))


def _encode(row: Model, order: Sequence[str]) -> str:
    values = [_exact(getattr(row, name.removeprefix("-"))) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values, cls=DjangoJSONEncoder).encode()).decode().rstrip("=")


def _exact(value: Any) -> Any:
    """JSON's own spelling of a moment loses microseconds, and with them the rows between."""
    return value.isoformat() if isinstance(value, datetime) else value


def _decode(cursor: str, order: Sequence[str], model: type[Model]) -> list[Any] | None:
    """The values of a cursor as its columns hold them; None when it is not one of ours."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != len(order):
        return None
    if not all(isinstance(value, str | int) and "\x00" not in str(value) for value in values):
        return None
    try:
        "".join(map(str, values)).encode()  # half a surrogate pair is no text for the database
        columns: list[Any] = [model._meta.get_field(name.removeprefix("-")) for name in order]
        return [column.to_python(value) for column, value in zip(columns, values, strict=True)]
    except (ValidationError, ValueError, TypeError):
        return None
