"""How many customers somebody starts or ceases to see by a change that nobody has made yet: counting, and saying it.

The access rule is asked twice of everybody: as they are, and as they would be. By place it tells customers apart by
nothing but their office and whether they are dedicated to somebody, so these lots are counted once for all members;
what is a member's own is counted beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from django.contrib.auth.models import Permission
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, Subquery

from accounts.models import Organization
from customers.access import place_reaches
from customers.models import MANAGE, Cover, Customer, CustomerUserObjectPermission, TemporaryAccess
from teams.capabilities import Capability, Reach
from teams.models import Member

COUNTED: Final = (Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW)
DECIDING: Final = (*COUNTED, Capability.CUSTOMERS_OVERSEE)
Area = frozenset[int]
Lot = tuple[int, bool]
"""The customers of an office that are dedicated to somebody, or those of it that are not."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How many customers one member starts or ceases to find, or to open in full."""

    member: Member
    count: int


@dataclass(frozen=True, slots=True)
class SightChange:
    capability: Capability
    is_gain: bool
    rows: tuple[Sight, ...]

    @property
    def sentence(self) -> str:
        counts = sorted(row.count for row in self.rows)
        few, many = counts[0], counts[-1]
        number = f"{many:,}" if few == many else f"{few:,} to {many:,}"
        to_whom = number_of_people(len(counts)) if few == many else f"each of {number_of_people(len(counts))}"
        things = "customer" if many == 1 else "customers"
        verb = "is" if many == 1 else "are"
        if self.capability == Capability.CUSTOMERS_FIND:
            if self.is_gain:
                return f"{number} more {things} {'becomes' if many == 1 else 'become'} visible to {to_whom}."
            return f"{number} {things} {verb} no longer visible to {to_whom}."
        if self.is_gain:
            return f"{number} more {things} can be opened in full by {to_whom}."
        return f"{number} {things} can no longer be opened in full by {to_whom}."


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides how much a member sees: how far the rule lets them get, and from where."""

    member: Member
    area: Area | None = None
    """The offices that the member's own office stands for; None is the office itself and those below it now."""


@dataclass(frozen=True, slots=True)
class _Seen:
    own: bool
    lots: frozenset[Lot]


_Change = tuple[Member, _Seen, _Seen]


def sight_changes(organization: Organization, people: Iterable[tuple[Standing, Standing]]) -> tuple[SightChange, ...]:
    """Of everybody as they are and as they would be, each with user and office. Two statements, however many they are."""
    pairs, census = list(people), _Census(organization)
    changes = {capability: list(_changes(census, pairs, capability)) for capability in COUNTED}
    own = _own_customers({member.pk for rows in changes.values() for member, _, _ in rows})
    found = []
    for capability, rows in changes.items():
        for is_gain in (True, False):
            sights = tuple(_sights(census, rows, own, is_gain=is_gain))
            if sights:
                found.append(SightChange(capability, is_gain, sights))
    return tuple(found)


def _changes(census: _Census, pairs: Iterable[tuple[Standing, Standing]], capability: Capability) -> Iterator[_Change]:
    for before, after in pairs:
        former, present = (place_reaches(standing.member, capability) for standing in (before, after))
        if former == present and (before.area == after.area or Reach.OFFICE not in former):
            continue
        seen = census.seen(*former, *_place(before)), census.seen(*present, *_place(after))
        if seen[0] != seen[1]:
            yield (before.member, *seen)


def _place(standing: Standing) -> tuple[str, Area | None]:
    return standing.member.office.path, standing.area


class _Census:
    """The customers of an organization, counted by lots."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self._below = cache(self._find_below)
        self.seen = cache(self._seen)
        self.differing = cache(self._differing)

    @cached_property
    def _counts(self) -> list[tuple[int, str, bool, int]]:
        """Office, its path, whether they are dedicated, and how many."""
        is_dedicated = ExpressionWrapper(Q(account_manager__isnull=False), output_field=BooleanField())
        rows = Customer.objects.for_organization(self.organization).order_by().annotate(is_dedicated=is_dedicated)
        lot = ("office", "office__path", "is_dedicated")
        return list(rows.values(*lot).annotate(n=Count("pk")).values_list(*lot, "n"))

    @cached_property
    def sizes(self) -> dict[Lot, int]:
        return {(office, is_dedicated): count for office, _, is_dedicated, count in self._counts}

    @cached_property
    def _paths(self) -> dict[int, str]:
        """Of the offices that have customers; the others make no difference."""
        return {office: path for office, path, _, _ in self._counts}

    def _find_below(self, start: str) -> Area:
        return frozenset(pk for pk, path in self._paths.items() if path.startswith(start))

    def _seen(self, free: Reach, dedicated: Reach, path: str, area: Area | None) -> _Seen:
        there = self._below(path) if area is None else area
        reached: Mapping[Reach, Iterable[int]] = {Reach.ORGANIZATION: self._paths.keys(), Reach.OFFICE: there}
        lots = {(pk, False) for pk in reached.get(free, ())} | {(pk, True) for pk in reached.get(dedicated, ())}
        return _Seen(free > Reach.NONE, frozenset(lots & self.sizes.keys()))

    def _differing(self, there: _Seen, gone: _Seen) -> tuple[frozenset[Lot], int]:
        """What is seen in one state and not in the other, and how many customers that is."""
        lots = there.lots - gone.lots
        return lots, sum(self.sizes[lot] for lot in lots)


def _sights(
    census: _Census, rows: list[_Change], own: Mapping[int, Mapping[int, Lot]], *, is_gain: bool
) -> Iterator[Sight]:
    for member, former, present in rows:
        there, gone = (present, former) if is_gain else (former, present)
        lots, count = census.differing(there, gone)
        theirs = own[member.pk].values()
        count -= sum(lot in lots for lot in theirs)
        if there.own and not gone.own:
            count += len(theirs)
        if count:
            yield Sight(member, count)


def _own_customers(members: set[int]) -> dict[int, dict[int, Lot]]:
    """Each member's own customers, with their lot, for many members in one statement; customers.access has it for one."""
    own: dict[int, dict[int, Lot]] = {member: {} for member in members}
    manage = Permission.objects.filter(content_type__app_label="customers", codename=MANAGE).values("pk")[:1]
    granted = CustomerUserObjectPermission.objects.filter(
        permission=Subquery(manage), user=OuterRef("account_manager__user"), content_object=OuterRef("pk")
    )
    held = Customer.objects.filter(account_manager__in=own).filter(Exists(granted))
    covered = Cover.objects.running().filter(substitute__in=own).exclude(covered__customers=None)
    opened = TemporaryAccess.objects.running().filter(member__in=own)
    of_covered = ("covered__customers", "covered__customers__office", "covered__customers__account_manager")
    rows = held.values_list("account_manager", "pk", "office", "account_manager").union(
        covered.values_list("substitute", *of_covered),
        opened.values_list("member", "customer", "customer__office", "customer__account_manager"),
        all=True,
    )
    for member, customer, office, manager in rows:
        own[member][customer] = office, manager is not None
    return own


def number_of_people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
