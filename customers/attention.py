"""Which customers need attention: dedicated to somebody who is not working, or who sits in another office than theirs."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, TextChoices

from accounts.models import Organization
from accounts.pagination import COUNT_CAP
from customers.models import Cover, Customer
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


def held_by_each(managers: QuerySet[Member], customers: QuerySet[Customer], *conditions: Q) -> QuerySet[Any, Any]:
    """`customer`: the keys of those of the managers' customers that fit one of the conditions, which no customer fits two
    of; COUNT_CAP + 1 at most.

    Manager by manager, because the planner would rather join, and read all customers of an organization in good order.
    """
    held = customers.filter(account_manager=OuterRef("pk")).order_by().values("pk")
    parts = (ArraySubquery(held.filter(condition)[: COUNT_CAP + 1]) for condition in conditions)
    ids = Func(*parts, function="unnest", arg_joiner=" || ", output_field=IntegerField())
    return managers.order_by().values(customer=ids)[: COUNT_CAP + 1]


def in_another_office(organization: Organization, customers: QuerySet[Customer]) -> QuerySet[Any, Any]:
    """The customers with an office mismatch, from `held_by_each`: an index has those of a manager in ranges by office."""
    below, above = Q(office__lt=OuterRef("office")), Q(office__gt=OuterRef("office"))
    return held_by_each(Member.objects.for_organization(organization), customers, below, above)


def few_in_need(kind: str, organization: Organization, customers: QuerySet[Customer]) -> list[int] | None:
    """The keys of all customers that an Attention means, or NOT_WORKING; nothing where there are more than COUNT_CAP.

    A list in its own order meets the many soon, and would read everybody in search of the few.
    """
    idle = not_working(organization)
    match kind:
        case Attention.MISMATCH:
            parts = [in_another_office(organization, customers)]
        case Attention.NEEDED:
            at_home = held_by_each(idle, customers, Q(office=OuterRef("office")))
            parts = [in_another_office(organization, customers), at_home]
        case _:
            parts = [held_by_each(idle, customers, Q())]
    first, *rest = parts
    found = list(first.union(*rest, all=True)[: COUNT_CAP + 1].values_list("customer", flat=True))
    return found if len(found) <= COUNT_CAP else None
