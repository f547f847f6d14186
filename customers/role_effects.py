"""What a change of a role does to people, counted by the access rule itself before anybody saves it.

The rule is asked twice of everybody who holds the role: as they are, and as they would be with a role that exists in
memory alone. What the two answers differ by are the figures, so they cannot disagree with what is measured afterwards.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.contrib.auth.models import Permission
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts.models import Organization
from customers.models import MANAGE, Cover, Customer, CustomerUserObjectPermission, TemporaryAccess
from teams.capabilities import Capability, Reach
from teams.models import Member, Role

Reaches = Mapping[Capability, Reach]
COUNTED: Final = (Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW)
_COUNTS_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class ReachChange:
    """One permission of the role, for everybody who holds it."""

    capability: Capability
    before: Reach
    after: Reach

    def sentence(self, people: int) -> str:
        name = f"“{self.capability.label}”"
        if self.before == Reach.NONE:
            return f"{_people(people)} {'gains' if people == 1 else 'gain'} {name}{self._how_far(self.after)}."
        if self.after == Reach.NONE:
            return f"{_people(people)} {'loses' if people == 1 else 'lose'} {name}{self._how_far(self.before)}."
        verb = "widens" if self.after > self.before else "narrows"
        return f"{name} {verb} from {_far(self.before)} to {_far(self.after)} for {_people(people)}."

    def _how_far(self, reach: Reach) -> str:
        return "" if self.capability.is_yes_no else f" ({_far(reach)})"


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
        to_whom = _people(len(counts)) if few == many else f"each of {_people(len(counts))}"
        things = "customer" if many == 1 else "customers"
        verb = "is" if many == 1 else "are"
        if self.capability == Capability.CUSTOMERS_FIND:
            if self.is_gain:
                return f"{number} more {things} {'becomes' if many == 1 else 'become'} visible to {to_whom}."
            return f"{number} {things} {verb} no longer visible to {to_whom}."
        if self.is_gain:
            return f"{number} more {things} can be opened in full by {to_whom}."
        return f"{number} {things} can no longer be opened in full by {to_whom}."


@dataclass(frozen=True)
class RoleEffects:
    """`holders` are the active members with the role; nothing changes for anybody else."""

    holders: tuple[Member, ...]
    permissions: tuple[ReachChange, ...]
    sights: tuple[SightChange, ...]

    @cached_property
    def permission_sentences(self) -> list[str]:
        return [change.sentence(len(self.holders)) for change in self.permissions] if self.holders else []

    @property
    def text(self) -> str:
        """For the audit log."""
        if not self.permissions:
            return ""
        if not self.holders:
            return "Nobody holds the role."
        return " ".join([*self.permission_sentences, *(change.sentence for change in self.sights)])


def role_effects(role: Role, proposed: Reaches) -> RoleEffects:
    """What happens when the role, as it is now, gets these reaches (or its holders a role with them)."""
    permissions = tuple(
        ReachChange(each, role.reach(each), proposed.get(each, Reach.NONE))
        for each in Capability
        if role.reach(each) != proposed.get(each, Reach.NONE)
    )
    rows = Member.objects.active().for_organization(role.organization).filter(role=role)
    holders = tuple(rows.select_related("user", "office").order_by("user__first_name", "user__last_name", "pk"))
    for member in holders:
        member.organization = role.organization
    sights: list[SightChange] = []
    if holders and permissions:
        for capability in COUNTED:
            sights += _sight_changes(_Comparison(role.organization, capability, role.reaches, proposed), holders)
    return RoleEffects(holders, permissions, tuple(sights))


def _sight_changes(comparison: _Comparison, holders: Iterable[Member]) -> Iterator[SightChange]:
    if not comparison.can_differ:
        return
    figures = comparison.figures(list(holders))
    for is_gain in (True, False):
        rows = tuple(Sight(member, counts[is_gain]) for member, counts in figures if counts[is_gain])
        if rows:
            yield SightChange(comparison.capability, is_gain, rows)


Figures = dict[bool, int]


@dataclass(frozen=True)
class _Comparison:
    """Two states of a role over one capability.

    What differs between two members of a role is their office and what is their own. So the places are compared once
    for each office (once for all where no reach is the office), and then corrected by each member's own customers.
    """

    organization: Organization
    capability: Capability
    before: Reaches
    after: Reaches

    @cached_property
    def _reaches(self) -> tuple[list[Reach], list[Reach]]:
        deciding = [self.capability]
        if self.capability != Capability.CUSTOMERS_FIND:
            deciding.append(Capability.CUSTOMERS_OVERSEE)
        former, present = ([side.get(each, Reach.NONE) for each in deciding] for side in (self.before, self.after))
        return former, present

    @property
    def can_differ(self) -> bool:
        former, present = self._reaches
        return former != present

    def figures(self, members: list[Member]) -> list[tuple[Member, Figures]]:
        places = self._of_places(members)
        own = self._of_own(members)
        return [
            (member, {way: places[self._place(member), way] + own[member.pk][way] for way in (True, False)})
            for member in members
        ]

    def _place(self, member: Member) -> int:
        """What decides the places that a member reaches: the office, or nothing that differs."""
        return member.office_id if Reach.OFFICE in self._reaches[0] + self._reaches[1] else 0

    def _of_places(self, members: list[Member]) -> dict[tuple[int, bool], int]:
        somebody = {self._place(member): without_own(member) for member in members}
        parts = {
            f"{place}_{int(way)}": self._differing(member, way)
            for place, member in somebody.items()
            for way in (True, False)
        }
        counts = counted(parts)
        return {(place, way): counts[f"{place}_{int(way)}"] for place in somebody for way in (True, False)}

    def _of_own(self, members: list[Member]) -> dict[int, dict[bool, int]]:
        """By how many each member's own customers change what the place alone says."""
        own = own_customers(members)
        counts = {
            member.pk: {way: self._opened(way) * len(own[member.pk]) for way in (True, False)} for member in members
        }
        for place in {self._place(member) for member in members}:
            there = [member for member in members if self._place(member) == place]
            theirs = list(set().union(*(own[member.pk] for member in there)))
            for way in (True, False) if theirs else ():
                rows = self._differing(without_own(there[0]), way).filter(pk__in=theirs)
                by_place = set(rows.values_list("pk", flat=True))
                for member in there:
                    counts[member.pk][way] -= len(own[member.pk] & by_place)
        return counts

    def _opened(self, is_gain: bool) -> bool:
        """Whether what is one's own comes or goes: it does with the first reach and with the last one."""
        former, present = (side.get(self.capability, Reach.NONE) > Reach.NONE for side in (self.before, self.after))
        return former < present if is_gain else present < former

    def _differing(self, member: Member, is_gain: bool) -> QuerySet[Customer]:
        """The customers that the rule gives to the member in one state of the role and not in the other."""
        former, present = (
            Customer.objects.permitted(_with(member, side), self.capability) for side in (self.before, self.after)
        )
        there, gone = (present, former) if is_gain else (former, present)
        rows: QuerySet[Customer] = there.filter(~Exists(gone.filter(pk=OuterRef("pk")))).order_by()
        return rows


def counted(querysets: Mapping[str, QuerySet[Customer]]) -> dict[str, int]:
    """Many counts in few statements. Joined as SQL: to nest them in one query costs Django more than the answers do."""
    found = dict.fromkeys(querysets, 0)
    compiled = [(name, *part) for name, rows in querysets.items() if (part := _compiled(rows))]
    for start in range(0, len(compiled), _COUNTS_AT_ONCE):
        parts = compiled[start : start + _COUNTS_AT_ONCE]
        counts = ", ".join(f"(SELECT count(*) FROM ({sql}) counted)" for _, sql, _ in parts)  # noqa: S608  # from Django
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {counts}", [value for *_, values in parts for value in values])
            found |= zip([name for name, *_ in parts], cursor.fetchone(), strict=True)
    return found


def _compiled(rows: QuerySet[Customer]) -> tuple[str, tuple[Any, ...]] | None:
    try:
        return rows.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return None


def _with(member: Member, reaches: Reaches) -> Member:
    """The member as they would be with a role that allows this."""
    imagined = Role(pk=member.role_id, organization=member.organization)
    imagined.reaches = dict(reaches)
    other = copy.copy(member)
    other.role = imagined
    return other


def without_own(member: Member) -> Member:
    """Somebody in the same office to whom nothing is dedicated, who covers for nobody and was opened nothing."""
    somebody, login = copy.copy(member), copy.copy(member.user)
    somebody.pk = login.pk = 0
    somebody.user = login
    return somebody


def own_customers(members: Iterable[Member]) -> dict[int, set[int]]:
    """The customers that are each member's own, for many members in three statements; customers.access has it for one."""
    own: dict[int, set[int]] = {member.pk: set() for member in members}
    manage = Permission.objects.filter(content_type__app_label="customers", codename=MANAGE).values("pk")[:1]
    granted = CustomerUserObjectPermission.objects.filter(
        permission=Subquery(manage), user=OuterRef("account_manager__user"), content_object=OuterRef("pk")
    )
    held = Customer.objects.filter(account_manager__in=own).filter(Exists(granted))
    covered = Cover.objects.running().filter(substitute__in=own)
    opened = TemporaryAccess.objects.running().filter(member__in=own)
    for rows in (
        held.values_list("account_manager", "pk"),
        covered.exclude(covered__customers=None).values_list("substitute", "covered__customers"),
        opened.values_list("member", "customer"),
    ):
        for member, customer in rows:
            own[member].add(customer)
    return own


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _far(reach: Reach) -> str:
    return "the whole organization" if reach == Reach.ORGANIZATION else reach.label.lower()
