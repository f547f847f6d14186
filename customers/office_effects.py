"""What a change of the tree does to people's sight of customers, counted by the access rule before anybody saves it.

The rule is asked twice of everybody whose own office comes to mean other places: with the offices it means now, and with
those it would mean. Both are told in offices as they are now (teams.rearrangement), so that nothing has to be moved first.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Organization
from customers.models import Customer
from customers.sight import COUNTED, Sight, SightChange, counted, own_customers, without_own
from teams.capabilities import Capability, Reach
from teams.models import Member
from teams.policy import roles_of
from teams.rearrangement import Area, Rearrangement, Tree


@dataclass(frozen=True, slots=True)
class OfficeEffects:
    sights: tuple[SightChange, ...]

    @property
    def text(self) -> str:
        """For the audit log."""
        return " ".join(change.sentence for change in self.sights)


def office_effects(organization: Organization, change: Rearrangement) -> OfficeEffects:
    """A constant number of statements, whatever the tree."""
    tree = Tree(organization, change)
    rows = _bound_members(organization, tree)
    own = own_customers(member for members in rows.values() for member in members)
    parts: dict[str, QuerySet[Customer]] = {}
    for number, (place, members) in enumerate(rows.items()):
        for capability in COUNTED:
            for gain in (True, False):
                parts[f"{number}/{capability}/{gain}"] = _differing(without_own(members[0]), place, capability, gain)
    counts = counted(parts)
    everybodys = {pk for customers in own.values() for pk in customers}
    sights = []
    for capability in COUNTED:
        for gain in (True, False):
            found: list[Sight] = []
            for number, members in enumerate(rows.values()):
                name = f"{number}/{capability}/{gain}"
                found += _sights(parts[name], counts[name], members, own if everybodys else {})
            if found:
                sights.append(SightChange(capability, gain, tuple(found)))
    return OfficeEffects(tuple(sights))


Place = tuple[int, Area, Area]


def _bound_members(organization: Organization, tree: Tree) -> dict[Place, list[Member]]:
    """Active members whose office will mean other places, by role and by what it means before and after."""
    roles = {role.pk: role for role in roles_of(organization) if _is_bound(role)}
    rows: Any = Member.objects.active().for_organization(organization).filter(role__in=roles)
    moves, customers = tree.change.members, tree.change.customers
    found: dict[Place, list[Member]] = defaultdict(list)
    for member in rows.with_name_key().select_related("user", "office").order_by("name_key", "pk"):
        before = tree.area(member.office_id)
        after = tree.area_after(moves.get(member.office_id, member.office_id), customers)
        if before != after:
            member.role, member.organization = roles[member.role_id], organization
            found[member.role_id, before, after].append(member)
    return found


def _is_bound(role: Any) -> bool:
    deciding = (*COUNTED, Capability.CUSTOMERS_OVERSEE)
    return any(role.reach(capability) == Reach.OFFICE for capability in deciding)


def _differing(member: Member, place: Place, capability: Capability, is_gain: bool) -> QuerySet[Customer]:
    """The customers that the rule gives to the member with the one area and not with the other."""
    _, before, after = place
    former, present = (Customer.objects.permitted(_reaching(member, area), capability) for area in (before, after))
    there, gone = (present, former) if is_gain else (former, present)
    rows: QuerySet[Customer] = there.filter(~Exists(gone.filter(pk=OuterRef("pk")))).order_by()
    return rows


def _reaching(member: Member, area: Area) -> Member:
    other = copy.copy(member)
    other.imagined_area = area
    return other


def _sights(rows: QuerySet[Customer], count: int, members: list[Member], own: dict[int, set[int]]) -> list[Sight]:
    """Of each member, without what is their own: that stays theirs wherever it is."""
    theirs = set().union(*(own.get(member.pk, set()) for member in members))
    among = set(rows.filter(pk__in=theirs).values_list("pk", flat=True)) if count and theirs else set()
    found = [Sight(member, count - len(own.get(member.pk, set()) & among)) for member in members]
    return [sight for sight in found if sight.count]
