"""What a change of the tree does to people's sight of customers, counted by the access rule before anybody saves it.

The rule is asked twice of everybody whose own office comes to mean other places: with the offices it means now, and with
those it would mean. Both are told in offices as they are now (teams.rearrangement), so that nothing has to be moved first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from accounts.models import Organization
from customers.sight import DECIDING, SightChange, Standing, sight_changes
from teams.capabilities import Reach
from teams.models import Member, RolePermission
from teams.rearrangement import Rearrangement


@dataclass(frozen=True, slots=True)
class OfficeEffects:
    sights: tuple[SightChange, ...]

    @property
    def text(self) -> str:
        """For the audit log."""
        return " ".join(change.sentence for change in self.sights)


def office_effects(organization: Organization, change: Rearrangement) -> OfficeEffects:
    """Three statements, whatever the tree."""
    members = _bound_to_their_office(organization)
    moves = change.members
    before = {office: change.area(office) for office in {member.office_id for member in members}}
    after = {office: change.area_after(moves.get(office, office), change.customers) for office in before}
    return OfficeEffects(
        sight_changes(
            organization,
            [
                (Standing(member, before[member.office_id]), Standing(member, after[member.office_id]))
                for member in members
            ],
        )
    )


def _bound_to_their_office(organization: Organization) -> list[Member]:
    """Those whose sight ends at their own office in some respect, with what decides their sight."""
    bound = RolePermission.objects.filter(role=OuterRef("role"), capability__in=DECIDING, reach=Reach.OFFICE)
    rows: Any = Member.objects.active().for_organization(organization).filter(Exists(bound))
    members = list(rows.with_held(DECIDING).with_name_key().select_related("user").order_by("name_key", "pk"))
    for member in members:
        member.organization = organization
        member.read_held()
    return members
