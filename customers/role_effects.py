"""What a change of a role does to people, counted by the access rule itself before anybody saves it.

The rule is asked twice of everybody who holds the role: as they are, and as they would be with a role that exists in
memory alone. What the two answers differ by are the figures, so they cannot disagree with what is measured afterwards.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from customers.sight import SightChange, Standing, number_of_people, sight_changes
from teams.capabilities import Capability, Reach
from teams.models import Member, Role

Reaches = Mapping[Capability, Reach]


@dataclass(frozen=True, slots=True)
class ReachChange:
    """One permission of the role, for everybody who holds it."""

    capability: Capability
    before: Reach
    after: Reach

    def sentence(self, people: int) -> str:
        name = f"“{self.capability.label}”"
        if self.before == Reach.NONE:
            return f"{number_of_people(people)} {'gains' if people == 1 else 'gain'} {name}{self._how_far(self.after)}."
        if self.after == Reach.NONE:
            return (
                f"{number_of_people(people)} {'loses' if people == 1 else 'lose'} {name}{self._how_far(self.before)}."
            )
        verb = "widens" if self.after > self.before else "narrows"
        return f"{name} {verb} from {_far(self.before)} to {_far(self.after)} for {number_of_people(people)}."

    def _how_far(self, reach: Reach) -> str:
        return "" if self.capability.is_yes_no else f" ({_far(reach)})"


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
    people = [(Standing(_with(member, role.reaches)), Standing(_with(member, proposed))) for member in holders]
    return RoleEffects(holders, permissions, sight_changes(role.organization, people if permissions else ()))


def _with(member: Member, reaches: Reaches) -> Member:
    """The member as they would be with a role that allows this."""
    imagined = Role(pk=member.role_id, organization=member.organization)
    imagined.reaches = dict(reaches)
    other = copy.copy(member)
    other.role = imagined
    return other


def _far(reach: Reach) -> str:
    return "the whole organization" if reach == Reach.ORGANIZATION else reach.label.lower()
