"""The access rule of customers, written once (docs/architecture.md, "Who may see a customer").

`branches` answers it as alternatives over one customer row. CustomerQuerySet joins them with UNION to select rows
(`permitted`) and with OR to describe the rows already selected (`with_access`); everything else derives from those.
"""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from customers.models.grants import MANAGE, Cover, CustomerUserObjectPermission, TemporaryAccess
from teams.capabilities import Capability, Reach
from teams.models import Member, Office


def branches(member: Member, capability: Capability) -> list[Q]:
    """Alternatives under which the member holds the capability over a customer; none at all means never."""
    free, dedicated = place_reaches(member, capability)
    if free == Reach.NONE:
        return []
    area = _area(member, free)
    if area is None:
        return _own(member)
    if dedicated != free:
        overseen = _area(member, dedicated)
        area &= Q(account_manager=None) if overseen is None else Q(account_manager=None) | overseen
    return [area, *_own(member)] if area else [area]


def place_reaches(member: Member, capability: Capability) -> tuple[Reach, Reach]:
    """How far the member gets by place alone: among customers of nobody, and among those who are dedicated to somebody.

    With exclusive assignments the dedicated ones are opened by those with oversight. Where it is not none, the
    member's own customers come on top.
    """
    reach = member.reach(capability)
    if capability == Capability.CUSTOMERS_FIND or not member.organization.exclusive_assignments:
        return reach, reach
    return reach, min(reach, member.reach(Capability.CUSTOMERS_OVERSEE))


def _area(member: Member, reach: Reach) -> Q | None:
    """The customers of a place. The empty Q is the whole organization; None is no place at all."""
    if reach == Reach.ORGANIZATION:
        return Q()
    if reach == Reach.OFFICE:
        return Q(office__in=Office.objects.below(member.office))
    return None


def _own(member: Member) -> list[Q]:
    """Held by guardian's permission, covered for an absent colleague, or opened for a time. The clock is read by the query."""
    return [
        Q(account_manager=member) & Q(Exists(grants(member).filter(content_object=OuterRef("pk")))),
        Q(account_manager__in=Cover.objects.running().filter(substitute=member).values("covered")),
        Q(pk__in=TemporaryAccess.objects.running().filter(member=member).values("customer")),
    ]


def grants(member: Member) -> QuerySet[CustomerUserObjectPermission]:
    """The member's guardian rows: one for each customer that is their own."""
    manage = Permission.objects.filter(content_type__app_label="customers", codename=MANAGE).values("pk")[:1]
    return CustomerUserObjectPermission.objects.filter(user=member.user_id, permission=Subquery(manage))
