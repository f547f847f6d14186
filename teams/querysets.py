"""Reads of offices, roles, members and invitations. Each starts from a member and never leaves that member's organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

from teams.capabilities import Capability, Reach

if TYPE_CHECKING:
    from accounts.models import Organization
    from teams.models import Member, Office


class OrganizationRows(models.QuerySet):  # type: ignore[type-arg]  # each subclass is bound to its model by as_manager
    """Rows of one organization. Row-level security holds the same line; the explicit filter lets the planner use the indexes."""

    def for_organization(self, organization: Organization) -> Self:
        return self.filter(organization=organization)


class OfficeQuerySet(OrganizationRows):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def below(self, office: Office) -> Self:
        """The office itself and all offices under it."""
        return self.filter(organization_id=office.organization_id, path__startswith=office.path)

    def reached_by(self, member: Member, capability: Capability) -> Self:
        """Offices in which the member holds the capability."""
        match member.reach(capability):
            case Reach.ORGANIZATION:
                return self.for_organization(member.organization)
            case Reach.OFFICE:
                return self.below(member.office)
        return self.none()


class RoleQuerySet(OrganizationRows):
    pass


class MemberQuerySet(OrganizationRows):
    def active(self) -> Self:
        """Those who can act: neither deactivated nor locked out of their login."""
        return self.filter(status="active", user__is_active=True)

    def permitted(self, member: Member, capability: Capability) -> Self:
        """Team members on whom the member holds the capability, by the office they sit in."""
        match member.reach(capability):
            case Reach.ORGANIZATION:
                return self.for_organization(member.organization)
            case Reach.OFFICE:
                return self.for_organization(member.organization).filter(office__path__startswith=member.office.path)
        return self.none()

    def visible_to(self, member: Member) -> Self:
        return self.permitted(member, Capability.MEMBERS_VIEW)


class InvitationQuerySet(OrganizationRows):
    def pending(self) -> Self:
        """Neither accepted nor revoked; expired ones among them."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> Self:
        """Those whose link works now."""
        return self.pending().filter(expires_at__gt=timezone.now())

    def expired(self) -> Self:
        return self.pending().filter(expires_at__lte=timezone.now())

    def visible_to(self, member: Member) -> Self:
        """Invitations into the offices over which the member may invite."""
        match member.reach(Capability.MEMBERS_INVITE):
            case Reach.ORGANIZATION:
                return self.for_organization(member.organization)
            case Reach.OFFICE:
                return self.for_organization(member.organization).filter(office__path__startswith=member.office.path)
        return self.none()
