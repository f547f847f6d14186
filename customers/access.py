"""The access rule of customers, written once (docs/architecture.md, "Who may see a customer").

`branches` answers it as alternatives over one customer row. CustomerQuerySet joins them with UNION to select rows
(`permitted`) and with OR to describe the rows already selected (`with_access`); everything else derives from those.
customers.lens turns the same alternatives around: it asks them of all members at once, about one customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any, Final

from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from accounts.models import Organization
from customers.models.grants import MANAGE, Cover, CustomerUserObjectPermission, TemporaryAccess
from teams.capabilities import Capability, Reach
from teams.models import Member, Office

ON_A_CARD: Final = frozenset(
    {Capability.CUSTOMERS_ASSIGN, Capability.CUSTOMERS_CHANGE_STATUS, Capability.CUSTOMERS_OVERSEE}
)
"""What shows no more than the card does. Everything else takes a customer whom the member sees in full."""


class Rule(StrEnum):
    """By what a customer is open to somebody."""

    AREA = "area"
    MANAGER = "manager"
    COVER = "cover"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class AnyMember:
    """Whichever member the outer query is at, with a role of these reaches: the rule asked of many at once."""

    organization: Organization
    reaches: Mapping[Capability, Reach]

    def reach(self, capability: Capability) -> Reach:
        return self.reaches.get(capability, Reach.NONE)


Who = Member | AnyMember


def branches(who: Who, capability: Capability) -> list[Q]:
    """Alternatives under which the member holds the capability over a customer; none at all means never."""
    if place_reaches(who, capability) == (Reach.ORGANIZATION, Reach.ORGANIZATION):
        return [Q()]  # which includes all others
    return list(rules(who, capability).values())


def opens_everybody(who: Who) -> bool:
    """Whether every customer of the organization is open to the member in full."""
    return Q() in branches(who, Capability.CUSTOMERS_VIEW)


def holds_over_all_found(who: Who, capability: Capability) -> bool:
    """Whether the member holds the capability over every customer that they find: by the same place, or as their own."""
    found, _ = place_reaches(who, Capability.CUSTOMERS_FIND)
    free, dedicated = place_reaches(who, capability)
    return free >= found if found <= Reach.OWN else min(free, dedicated, key=attrgetter("rank")) >= found


def rules(who: Who, capability: Capability) -> dict[Rule, Q]:
    """The alternatives by name, also those that others include."""
    free, dedicated = place_reaches(who, capability)
    if free == Reach.NONE:
        return {}
    area = _area(who, free)
    if area is None:
        return _own(who)
    if dedicated != free:
        overseen = _area(who, dedicated)
        area &= Q(account_manager=None) if overseen is None else Q(account_manager=None) | overseen
    return {Rule.AREA: area, **_own(who)}


def reach_over_customers(who: Who, capability: Capability) -> Reach:
    """The reach of the role, which nothing carries beyond the customers whom the member finds and, mostly, opens."""
    first = {Capability.CUSTOMERS_FIND}
    if capability not in ON_A_CARD | first:
        first.add(Capability.CUSTOMERS_VIEW)
    return min((who.reach(each) for each in {*first, capability}), key=attrgetter("rank"))


def place_reaches(who: Who, capability: Capability) -> tuple[Reach, Reach]:
    """How far the member gets by place alone: among customers of nobody, and among those who are dedicated to somebody.

    With exclusive assignments the dedicated ones are opened by those with oversight. Where it is not none, the
    member's own customers come on top.
    """
    reach = reach_over_customers(who, capability)
    if capability == Capability.CUSTOMERS_FIND or not who.organization.exclusive_assignments:
        return reach, reach
    return reach, min(reach, who.reach(Capability.CUSTOMERS_OVERSEE))


def _area(who: Who, reach: Reach) -> Q | None:
    """The customers of a place. The empty Q is the whole organization; None is no place at all."""
    if reach == Reach.ORGANIZATION:
        return Q()
    if reach == Reach.OFFICE:
        return Q(office__in=_offices_below(who))
    return None


def _offices_below(who: Who) -> Sequence[int] | QuerySet[Office]:
    """Of one member by their keys, from which the planner learns how many customers they have."""
    if isinstance(who, Member):
        return who.area
    return Office.objects.for_organization(who.organization).filter(path__startswith=_of(who, "office.path", depth=2))


def _own(who: Who) -> dict[Rule, Q]:
    return _own_of(who) if isinstance(who, Member) else _own_of_anybody()


@cache
def _own_of_anybody() -> dict[Rule, Q]:
    """Of any member these are the same references, whatever the role reaches: put together once for the process."""
    return _own_of(AnyMember(Organization(), {}))


def _own_of(who: Who) -> dict[Rule, Q]:
    """Held by guardian's permission, covered for an absent colleague, or opened for a time. The clock is read by the query."""
    covers = Cover.objects.running().filter(substitute=_of(who, "pk", depth=2))
    opened = TemporaryAccess.objects.running().filter(member=_of(who, "pk", depth=2))
    granted = Exists(grants(who).filter(content_object=OuterRef("pk")))
    return {
        Rule.MANAGER: Q(account_manager=_of(who, "pk", depth=1)) & Q(granted),
        Rule.COVER: Q(account_manager__in=covers.values("covered")),
        Rule.TEMPORARY: Q(pk__in=opened.values("customer")),
    }


def grants(who: Who) -> QuerySet[CustomerUserObjectPermission]:
    """The member's guardian rows: one for each customer that is their own."""
    manage = Permission.objects.filter(content_type__app_label="customers", codename=MANAGE).values("pk")[:1]
    user = _of(who, "user_id", depth=2)
    return CustomerUserObjectPermission.objects.filter(user=user, permission=Subquery(manage))


def _of(who: Who, fact: str, *, depth: int) -> Any:
    """A fact of the member; of any member, a reference out of so many queries to the one that reads members."""
    if isinstance(who, Member):
        return attrgetter(fact)(who)
    reference: Any = fact.replace(".", "__")
    for _ in range(depth):
        reference = OuterRef(reference)
    return reference
