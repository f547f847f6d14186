"""What it does to people when exclusive assignments are turned on or off, counted by the access rule itself.

The rule is asked twice: with the organization as it is, and as it would be.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from accounts.models import Organization
from customers.sight import SightChange, Standing, sight_changes
from lendconsole.errors import PermissionMissing
from teams.capabilities import Capability, Reach
from teams.models import Member
from teams.policy import roles_of


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
    roles = {role.pk: role for role in roles_of(organization) if role.reach(Capability.CUSTOMERS_VIEW) > Reach.OWN}
    rows = Member.objects.active().for_organization(organization).filter(role__in=roles)
    people = []
    for member in rows.select_related("user", "office").order_by("user__first_name", "user__last_name", "pk"):
        member.role, member.organization = roles[member.role_id], organization
        people.append((Standing(member), Standing(_in(member, exclusive=exclusive))))
    return ExclusivenessEffects(sight_changes(organization, people))


def _in(member: Member, *, exclusive: bool) -> Member:
    """The member in the organization as it is, or as it would be."""
    other, imagined = copy.copy(member), copy.copy(member.organization)
    imagined.exclusive_assignments = exclusive
    other.organization = imagined
    return other
