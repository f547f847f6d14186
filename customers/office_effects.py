"""What a change of the tree does to people's sight of customers, counted by the access rule before anybody saves it.

The rule is asked twice of everybody whose own office comes to mean other places: with the offices it means now, and with
those it would mean. Both are told in offices as they are now (teams.rearrangement), so that nothing has to be moved first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import Organization
from customers.sight import COUNTED, SightChange, Standing, sight_changes
from teams.capabilities import Capability, Reach
from teams.models import Member
from teams.policy import roles_of
from teams.rearrangement import Rearrangement, Tree


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
    roles = {role.pk: role for role in roles_of(organization) if _is_bound(role)}
    rows: Any = Member.objects.active().for_organization(organization).filter(role__in=roles)
    members = list(rows.with_name_key().select_related("user", "office").order_by("name_key", "pk"))
    moves, people = change.members, []
    before = {office: tree.area(office) for office in {member.office_id for member in members}}
    after = {office: tree.area_after(moves.get(office, office), change.customers) for office in before}
    for member in members:
        member.role, member.organization = roles[member.role_id], organization
        people.append((Standing(member, before[member.office_id]), Standing(member, after[member.office_id])))
    return OfficeEffects(sight_changes(organization, people, tree.paths))


def _is_bound(role: Any) -> bool:
    deciding = (*COUNTED, Capability.CUSTOMERS_OVERSEE)
    return any(role.reach(capability) == Reach.OFFICE for capability in deciding)
