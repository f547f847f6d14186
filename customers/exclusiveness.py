"""What it does to people when exclusive assignments are turned on or off, counted by the access rule itself.

The rule is asked twice: with the organization as it is, and as it would be. What is a member's own stays theirs either
way, so whoever has the same reach over the same place differs in nothing but that.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Organization
from customers.models import Customer
from customers.sight import Sight, SightChange, counted, own_customers, without_own
from lendconsole.errors import PermissionMissing
from teams.capabilities import Capability, Reach
from teams.models import Member

Place = tuple[Reach, Reach, int]


@dataclass(frozen=True, slots=True)
class ExclusivenessEffects:
    """`sights` is empty when nobody gains or loses anything."""

    sights: tuple[SightChange, ...]

    @property
    def text(self) -> str:
        """For the audit log."""
        return " ".join(change.sentence for change in self.sights) or "Nobody gained or lost sight of a customer."


def require_exclusiveness(actor: Member) -> None:
    """Only who sees every dedicated customer anyway decides: nobody opens customers to themselves. Raises PermissionMissing."""
    actor.require(Capability.ORGANIZATION_SETTINGS)
    if actor.reach(Capability.CUSTOMERS_OVERSEE) < Reach.ORGANIZATION:
        raise PermissionMissing(actor.missing(Capability.CUSTOMERS_OVERSEE))


def may_change_exclusiveness(member: Member) -> bool:
    oversees = member.reach(Capability.CUSTOMERS_OVERSEE) == Reach.ORGANIZATION
    return oversees and member.may(Capability.ORGANIZATION_SETTINGS)


def exclusiveness_effects(organization: Organization, *, exclusive: bool) -> ExclusivenessEffects:
    """Who starts or ceases to open how many customers in full."""
    rows = Member.objects.active().for_organization(organization).select_related("user", "role", "office")
    members = list(rows.prefetch_related("role__permissions").order_by("user__first_name", "user__last_name", "pk"))
    places: dict[Place, list[Member]] = defaultdict(list)
    for member in members:
        member.organization = organization
        if member.reach(Capability.CUSTOMERS_VIEW) > Reach.OWN:
            places[_place(member)].append(member)
    if organization.exclusive_assignments == exclusive or not places:
        return ExclusivenessEffects(())
    counts = _counts(places, exclusive=exclusive)
    found = tuple(Sight(member, counts[member.pk]) for member in members if counts.get(member.pk))
    return ExclusivenessEffects((SightChange(Capability.CUSTOMERS_VIEW, not exclusive, found),) if found else ())


def _place(member: Member) -> Place:
    """What decides which customers of others the member opens."""
    reaches = (member.reach(Capability.CUSTOMERS_VIEW), member.reach(Capability.CUSTOMERS_OVERSEE))
    return (*reaches, member.office_id if Reach.OFFICE in reaches else 0)


def _counts(places: dict[Place, list[Member]], *, exclusive: bool) -> dict[int, int]:
    differing = {
        str(number): _differing(without_own(members[0]), exclusive=exclusive)
        for number, members in enumerate(places.values())
    }
    totals = counted(differing)
    own = own_customers(member for members in places.values() for member in members)
    counts: dict[int, int] = {}
    for number, members in enumerate(places.values()):
        theirs = set().union(*(own[member.pk] for member in members))
        there = set(differing[str(number)].filter(pk__in=theirs).values_list("pk", flat=True)) if theirs else set()
        for member in members:
            counts[member.pk] = totals[str(number)] - len(own[member.pk] & there)
    return counts


def _differing(member: Member, *, exclusive: bool) -> QuerySet[Customer]:
    """What the rule gives to the member in one state of the organization and not in the other."""
    wide, narrow = (
        Customer.objects.permitted(_in(member, exclusive=state), Capability.CUSTOMERS_VIEW) for state in (False, True)
    )
    rows: QuerySet[Customer] = wide.filter(~Exists(narrow.filter(pk=OuterRef("pk")))).order_by()
    return rows


def _in(member: Member, *, exclusive: bool) -> Member:
    """The member in the organization as it is, or as it would be."""
    other, imagined = copy.copy(member), copy.copy(member.organization)
    imagined.exclusive_assignments = exclusive
    other.organization = imagined
    return other
