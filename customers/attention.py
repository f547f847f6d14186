"""Which customers need attention: dedicated to somebody who is not working, or who sits in another office than theirs."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextChoices

from accounts.models import Organization
from customers.models import Cover
from teams.models import Member


class Attention(TextChoices):
    NEEDED = "needed", "Needed"
    MISMATCH = "mismatch", "Office mismatch"


def not_working(organization: Organization) -> QuerySet[Member]:
    """Deactivated, removed, locked out of their login, or absent while somebody stands in."""
    absences = Cover.objects.running().filter(organization=organization, covered=OuterRef("pk"))
    members: QuerySet[Member] = Member.objects.for_organization(organization).filter(
        ~Q(status=Member.Status.ACTIVE) | Q(user__is_active=False) | Exists(absences)
    )
    return members


def without_working_manager(organization: Organization) -> Q:
    return Q(account_manager__in=not_working(organization).values("pk"))


def needing(attention: str, organization: Organization) -> Q:
    """The condition of one Attention."""
    mismatch = Q(office__lt=F("account_manager__office")) | Q(office__gt=F("account_manager__office"))
    return mismatch if attention == Attention.MISMATCH else mismatch | without_working_manager(organization)
