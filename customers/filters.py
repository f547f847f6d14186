"""The filters of the customer list: from the address to conditions, and to the words on the page.

Nothing in an address is trusted to be sensible. What cannot be understood is left out and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db.models import TextChoices

from accounts import parameters
from customers import columns
from customers.access import holds_over_all_found
from customers.attention import Attention, needing, without_working_manager
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from teams.capabilities import Capability
from teams.models import Member
from teams.office_tree import INDENT

NOBODY: Final = "nobody"
ME: Final = "me"
NOT_WORKING: Final = "not_working"
MANAGERS: Final = {NOBODY: "Nobody", ME: "Me", NOT_WORKING: "Not working"}
"""What the filter by account manager offers besides the members."""
ORDERS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("name_key", "id"),
    "-name": ("-name_key", "-id"),
    "joined": ("joined_on", "id"),
    "-joined": ("-joined_on", "-id"),
    "status": ("status", "name_key", "id"),
    "-status": ("-status", "-name_key", "-id"),
}
DEFAULT_SORT: Final = "name"
LONGEST_SEARCH: Final = 100
MOST_CHOSEN: Final = 100
"""More than a page has."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An office or a member that can be filtered by. `path` is the office's place in the tree."""

    pk: int
    name: str
    path: str = ""

    @property
    def indented(self) -> str:
        return INDENT * max(0, self.path.count("/") - 2) + self.name


@dataclass(frozen=True, slots=True)
class Choices:
    offices: list[Choice]
    managers: list[Choice]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, in words, and the parameter that holds it."""

    parameter: str
    label: str
    value: str


@dataclass(slots=True)
class Filters:
    """What the address asks for, as far as it can be understood; `ignored` says what could not be."""

    member: Member
    q: str = ""
    status: str = ""
    segment: str = ""
    office: Choice | None = None
    offices: tuple[int, ...] = ()
    """The office and those below it, as far as the member finds customers there."""
    account_manager: str | Choice = ""
    attention: str = ""
    joined_from: date | None = None
    joined_to: date | None = None
    chosen: tuple[int, ...] = ()
    sort: str = DEFAULT_SORT
    columns: tuple[str, ...] = ()
    """Those that the address asks for; none where it says nothing of them."""
    ignored: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, parameters: Mapping[str, Any], member: Member, choices: Choices) -> Filters:
        reader = _Reader(parameters)
        office = reader.choice("office", "Office", choices.offices)
        return cls(
            member=member,
            q=reader.text("q")[:LONGEST_SEARCH],
            status=reader.one_of("status", "Status", Customer.Status),
            segment=reader.one_of("segment", "Segment", Customer.Segment),
            office=office,
            offices=tuple(each.pk for each in choices.offices if office and each.path.startswith(office.path)),
            account_manager=reader.text("account_manager")
            if reader.text("account_manager") in MANAGERS
            else reader.choice("account_manager", "Account manager", choices.managers) or "",
            attention=reader.one_of("attention", "Attention", Attention),
            joined_from=reader.day("joined_from", "Joined from"),
            joined_to=reader.day("joined_to", "Joined until"),
            chosen=reader.keys("chosen", "Chosen"),
            sort=reader.text("sort") if reader.text("sort") in ORDERS else DEFAULT_SORT,
            columns=columns.known(reader.text("columns").split(",")),
            ignored=reader.ignored,
        )

    @property
    def order(self) -> tuple[str, ...]:
        return ORDERS[self.sort]

    @property
    def is_newest_first(self) -> bool:
        """Only then are the pages around this one newer and older ones."""
        return self.sort == "-joined"

    @property
    def need(self) -> str:
        """Attention, or NOT_WORKING, that is asked for."""
        return self.attention or (NOT_WORKING if self.account_manager == NOT_WORKING else "")

    def narrow(self, customers: CustomerQuerySet) -> CustomerQuerySet:
        if self.status:
            customers = customers.filter(status=self.status)
        if self.segment:
            customers = customers.filter(segment=self.segment)
            if sees_cards(self.member):  # the card does not show the segment, so a filter must not tell it
                opened = Customer.objects.permitted(self.member, Capability.CUSTOMERS_VIEW)
                customers = customers.filter(pk__in=opened.order_by().values("pk"))
        if self.office:
            customers = customers.filter(office__in=self.offices)
        customers = self._narrow_by_manager(customers)
        if self.joined_from:
            customers = customers.filter(joined_on__gte=self.joined_from)
        if self.joined_to:
            customers = customers.filter(joined_on__lte=self.joined_to)
        if self.chosen:
            customers = customers.filter(pk__in=self.chosen)
        return customers

    def _narrow_by_manager(self, customers: CustomerQuerySet) -> CustomerQuerySet:
        if self.account_manager == NOT_WORKING:
            customers = customers.filter(without_working_manager(self.member.organization))
        elif self.account_manager:
            customers = customers.filter(account_manager=self._manager_id)
        if self.attention:
            customers = customers.filter(needing(self.attention, self.member.organization))
        return customers

    @property
    def _manager_id(self) -> int | None:
        if isinstance(self.account_manager, Choice):
            return self.account_manager.pk
        return self.member.pk if self.account_manager == ME else None

    @property
    def chips(self) -> list[Chip]:
        """The filters that are on, without the search."""
        chips = []
        if self.status:
            chips.append(Chip("status", "Status", Customer.Status(self.status).label))
        if self.office:
            chips.append(Chip("office", "Office", self.office.name))
        if isinstance(self.account_manager, Choice):
            chips.append(Chip("account_manager", "Account manager", self.account_manager.name))
        elif self.account_manager:
            chips.append(Chip("account_manager", "Account manager", MANAGERS[self.account_manager]))
        if self.attention:
            chips.append(Chip("attention", "Attention", Attention(self.attention).label))
        if self.segment:
            chips.append(Chip("segment", "Segment", Customer.Segment(self.segment).label))
        if self.joined_from:
            chips.append(Chip("joined_from", "Joined from", written_day(self.joined_from)))
        if self.joined_to:
            chips.append(Chip("joined_to", "Joined until", written_day(self.joined_to)))
        if self.chosen:
            chips.append(Chip("chosen", "Chosen", f"{len(self.chosen)} by hand"))
        return chips

    @property
    def in_words(self) -> str:
        """ "“okafor”, Status: Active"; empty when nothing is filtered."""
        search = [f"“{self.q}”"] if self.q else []
        return ", ".join([*search, *(f"{chip.label}: {chip.value}" for chip in self.chips)])


class _Reader:
    """Reads single values from an address and remembers what made no sense."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters
        self.ignored: list[str] = []

    def text(self, name: str) -> str:
        return " ".join(str(self.parameters.get(name, "")).replace("\x00", " ").split())

    def one_of(self, name: str, label: str, values: type[TextChoices]) -> str:
        value = self.text(name)
        if value in values.values:
            return value
        self._ignore(label, value)
        return ""

    def choice(self, name: str, label: str, choices: list[Choice]) -> Choice | None:
        value = self.text(name)
        found = next((choice for choice in choices if str(choice.pk) == value), None)
        if found is None:
            self._ignore(label, value)
        return found

    def keys(self, name: str, label: str) -> tuple[int, ...]:
        """Numbers of records, parted by commas: all of them, or none, and that said, when one makes no sense."""
        if name not in self.parameters:
            return ()
        found = [parameters.number(part) for part in self.text(name).split(",")]
        if None in found or len(found) > MOST_CHOSEN:
            self._ignore(label, self.text(name) or "nobody")
            return ()
        return tuple(sorted({pk for pk in found if pk is not None}))

    def day(self, name: str, label: str) -> date | None:
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self._ignore(label, value)
            return None

    def _ignore(self, label: str, value: str) -> None:
        if value:
            self.ignored.append(f"{label} “{value[:40]}”")


def sees_cards(member: Member) -> bool:
    """Whether some of the customers that the member finds may be open to them as a card only."""
    return not holds_over_all_found(member, Capability.CUSTOMERS_VIEW)


def written_day(day: date) -> str:
    """ "12 Mar 2025"."""
    return f"{day.day} {day:%b %Y}"
