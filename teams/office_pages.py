"""The tree of offices as its page shows it. The same two statements for one office and for two hundred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from accounts import parameters
from lendconsole.errors import NotVisible
from teams.capabilities import Capability
from teams.models import Member, Office
from teams.office_tree import in_tree_order
from teams.policy import reaches_office

ACTIVE, DEACTIVATED = "active", "deactivated"
STATES: Final = {ACTIVE: "Active", DEACTIVATED: "Deactivated"}
OPEN, CLOSED = "open", "closed"
OPEN_UP_TO: Final = 50
"""A tree of more offices opens with the roots and those right below them."""
CUSTOMERS_COUNTED: Final = 200_000
"""In all. Beyond its share an office shows "1,000+": counting a million index entries takes longer than the page may."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How many there are, or that there are more than were counted."""

    counted: int
    is_more: bool = False

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.counted + other.counted, self.is_more or other.is_more)

    def __bool__(self) -> bool:
        return self.counted > 0

    def __str__(self) -> str:
        return f"{self.counted:,}{'+' if self.is_more else ''}"


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """`all_members` and `all_customers` include the offices below. `name` is cut at what was searched for."""

    office: Office
    members: Amount
    customers: Amount
    all_members: Amount
    all_customers: Amount
    name: tuple[str, str, str] = ("", "", "")
    is_wanted: bool = True
    is_open: bool = True
    has_below: bool = False
    toggled: str | None = None

    @property
    def key(self) -> str:
        """For addresses: a text, because templates take their time over numbers."""
        return str(self.office.pk)

    @property
    def head_is_elsewhere(self) -> bool:
        return self.office.head is not None and self.office.head.office_id != self.office.pk


@dataclass(frozen=True, slots=True)
class OfficeTree:
    q: str
    state: str
    rows: list[OfficeRow]
    counts: dict[str, int]
    can_fold: bool

    @property
    def found(self) -> int:
        return sum(row.is_wanted for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Filters:
    """What the address asks for, as far as it can be understood. `toggled`: the offices that differ from `fold`."""

    q: str
    state: str
    fold: str
    toggled: frozenset[int]

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> _Filters:
        toggled = map(parameters.number, query.get("toggled", "").split("."))
        return cls(
            q=parameters.text(query, "q"),
            state=parameters.option(query, "state", STATES) or ACTIVE,
            fold=parameters.option(query, "fold", (OPEN, CLOSED)),
            toggled=frozenset(pk for pk in toggled if pk is not None),
        )

    @property
    def is_search(self) -> bool:
        return bool(self.q) or self.state != ACTIVE

    def wants(self, office: Office) -> bool:
        return office.is_active == (self.state == ACTIVE) and self.q.casefold() in office.name.casefold()

    def opens(self, office: Office, offices: int) -> bool:
        """Whether those below it are shown."""
        by_itself = self.fold == OPEN or (not self.fold and (offices <= OPEN_UP_TO or office.depth == 0))
        return self.is_search or by_itself != (office.pk in self.toggled)

    def toggle(self, office: Office) -> str | None:
        """The parameter with this office the other way round."""
        return ".".join(map(str, sorted(self.toggled ^ {office.pk}))) or None

    def cut(self, name: str) -> tuple[str, str, str]:
        """Before, at and after the match. Folding may change a length; then nothing is marked."""
        start = name.casefold().find(self.q.casefold()) if self.q else -1
        if start < 0 or len(name.casefold()) != len(name):
            return name, "", ""
        end = start + len(self.q)
        return name[:start], name[start:end], name[end:]


def office_tree(member: Member, query: Mapping[str, str]) -> OfficeTree:
    """What is wanted, below what it belongs to; folded where nobody searches."""
    filters = _Filters.parse(query)
    reached = Office.objects.reached_by(member, Capability.OFFICES_VIEW)
    limit = max(1_000, min(10_000, CUSTOMERS_COUNTED // (reached.count() or 1)))
    offices = in_tree_order(reached.with_counts(limit).select_related("head__user", "head__office"))
    rows = list(_rows(offices, filters, limit))
    counts = Counter(ACTIVE if office.is_active else DEACTIVATED for office in offices)
    can_fold = not filters.is_search and any(row.has_below for row in rows)
    return OfficeTree(filters.q, filters.state, rows, {state: counts[state] for state in STATES}, can_fold)


def _rows(offices: list[Office], filters: _Filters, limit: int) -> Iterator[OfficeRow]:
    """The wanted ones and those that they belong to, as far as what is above them is open or out of reach."""
    wanted = {office.pk for office in offices if filters.wants(office)}
    context = {int(pk) for office in offices if office.pk in wanted for pk in office.path.strip("/").split("/")}
    below = Counter(office.parent_id for office in offices if office.pk in context)
    totals = _totals(offices, limit)
    open_paths = {"/"}
    for office in offices:
        above = office.path[: -len(f"{office.pk}/")]
        if office.pk not in context or not (above in open_paths or office.parent_id not in totals):
            continue
        is_open = filters.opens(office, len(offices))
        if is_open:
            open_paths.add(office.path)
        yield replace(
            totals[office.pk],
            name=filters.cut(office.name),
            is_wanted=office.pk in wanted,
            is_open=is_open,
            has_below=below[office.pk] > 0,
            toggled=filters.toggle(office),
        )


def _totals(offices: list[Office], limit: int) -> dict[int, OfficeRow]:
    """Each office with what it holds, and with what those below it hold."""
    rows: dict[int, OfficeRow] = {}
    for office in offices:
        counted: Any = office
        members = Amount(counted.member_count)
        customers = Amount(min(counted.customer_count, limit), counted.customer_count > limit)
        rows[office.pk] = OfficeRow(
            office, members=members, customers=customers, all_members=members, all_customers=customers
        )
    for office in offices:
        own = rows[office.pk]
        for pk in map(int, office.path.strip("/").split("/")[:-1]):
            if pk in rows:
                rows[pk] = replace(
                    rows[pk],
                    all_members=rows[pk].all_members + own.members,
                    all_customers=rows[pk].all_customers + own.customers,
                )
    return rows


def find_among_offices(member: Member, pk: int) -> tuple[Office, list[Office]]:
    """The office, and all of its organization for those who ask about the whole tree. Raises NotVisible."""
    offices = list(Office.objects.for_organization(member.organization))
    office = next((each for each in offices if each.pk == pk), None)
    if office is None or not reaches_office(member, office, Capability.OFFICES_VIEW):
        raise NotVisible
    return office, offices


def find_office(member: Member, pk: int) -> Office:
    """With the office above it and its head. Raises NotVisible."""
    reached = Office.objects.reached_by(member, Capability.OFFICES_VIEW)
    office: Office | None = reached.select_related("parent", "head__user", "head__office").filter(pk=pk).first()
    if office is None:
        raise NotVisible
    return office
