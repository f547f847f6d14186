"""What an export holds: the customers of a list, in its order, as the member is shown them at the moment it runs."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

from django.db.models import QuerySet

from customers.columns import COLUMNS, DEFAULT
from customers.filters import Filters
from customers.models import Customer
from customers.querysets import FULL
from customers.text import SearchTerm, mask_email, mask_phone, national_phone
from teams.models import Member

Cell = str | date
ROWS_AT_ONCE: Final = 2_000
_IDS_AT_ONCE: Final = 10_000
_LABELS: Final = {key: column.label for key, column in COLUMNS.items()} | {"joined": "Date joined"}
_READ: Final = (
    "pk", "access", "number", "first_name", "last_name", "phone", "email", "segment", "office__name",
    "account_manager__user__first_name", "account_manager__user__last_name", "status", "joined_on",
)  # fmt: skip
_STATUSES: Final[dict[str, str]] = {str(value): str(label) for value, label in Customer.Status.choices}
_SEGMENTS: Final[dict[str, str]] = {str(value): str(label) for value, label in Customer.Segment.choices}
_TAIL: Final = 5


def header(columns: Sequence[str]) -> list[str]:
    """Number and name, then the columns as the list has them."""
    return ["Customer number", "First name", "Last name", *(_LABELS[key] for key in columns or DEFAULT)]


HEADER: Final = tuple(header(()))


def found_customers(member: Member, filters: Filters) -> QuerySet[Customer]:
    """Everything that the list has on all its pages."""
    rows = filters.narrow(Customer.objects.visible_to(member))
    term = SearchTerm.parse(filters.q, member.organization.phone_region)
    if term is not None:
        rows = rows.matching(member, term)
    ordered: QuerySet[Customer] = rows.order_by(*filters.order)
    return ordered


def found_ids(member: Member, filters: Filters) -> array[int]:
    """Their ids in order, eight bytes each, read through a server-side cursor."""
    ids = found_customers(member, filters).values_list("pk", flat=True)
    return array("q", ids.iterator(chunk_size=_IDS_AT_ONCE))


def read_rows(member: Member, ids: array[int], columns: Sequence[str] = ()) -> Iterator[list[Cell]]:
    """The lines of a few customers. The rule is asked again: who is no longer found is left out, who became a card is masked."""
    rows = Customer.objects.still_visible_to(member).filter(pk__in=list(ids)).with_access(member)
    by_id = {row[0]: row for row in rows.order_by().values_list(*_READ)}
    places = [_PLACES[key] for key in columns or DEFAULT]
    for pk in ids:
        if pk in by_id:
            cells = _cells(by_id[pk])
            yield [*cells[:3], *(cells[place] for place in places)]


_PLACES: Final = {key: place for place, key in enumerate(COLUMNS, start=3)}


def _cells(row: tuple[Any, ...]) -> list[Cell]:
    """Number and name, then every column of the list in its order; masked where, and just as, the list masks."""
    _, access, number, first_name, last_name, phone, email, segment, office, given, family, status, joined_on = row
    is_full = access == FULL
    return [
        number,
        first_name,
        last_name,
        _national(phone) if is_full else _masked(phone),
        email if is_full else mask_email(email),
        _SEGMENTS.get(segment, segment) if is_full else "",
        office,
        f"{given} {family}" if given is not None else "",
        _STATUSES.get(status, status),
        joined_on,
    ]


def _alike(write: Callable[[str], str]) -> Callable[[str], str]:
    """`write` for many phone numbers: those that differ in their last digits alone are written alike, and told apart once."""

    @lru_cache(maxsize=50_000)
    def pattern(head: str) -> tuple[str, int]:
        """What stands for the last digits is left open, as far as they are shown."""
        text = write(f"{head}{'0' * _TAIL}")
        shown = min(_TAIL, sum(map(str.isdigit, text.rpartition("*")[2])))
        return text, shown

    def written(phone: str) -> str:
        if not (phone.startswith("+") and len(phone) > _TAIL + 4):
            return write(phone)
        text, shown = pattern(phone[:-_TAIL])
        return _filled(text, phone[len(phone) - shown :])

    return written


def _filled(text: str, digits: str) -> str:
    """The text with its last digits exchanged for these."""
    letters, place = list(text), len(text)
    for digit in reversed(digits):
        place -= 1
        while not letters[place].isdigit():
            place -= 1
        letters[place] = digit
    return "".join(letters)


_national = _alike(national_phone)
_masked = _alike(mask_phone)
