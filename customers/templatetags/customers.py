"""What pages of the apps below say about customers."""

from __future__ import annotations

from dataclasses import dataclass

from django import template

from accounts.models import Organization
from accounts.pagination import CappedCount, written_count
from customers.models import Cover, Customer
from customers.policy import require_cover
from customers.readers import covers
from lendconsole.errors import DomainError
from teams.capabilities import Capability
from teams.models import Member

register = template.Library()


@dataclass(frozen=True, slots=True)
class Seen:
    """ "312 customers", "1,000+ customers"; empty when there are none to find."""

    found: str
    opened: str


@register.simple_tag
def customers_seen(member: Member) -> Seen:
    """How many customers the member finds and opens in full now, by the rule itself: `{% customers_seen target as seen %}`."""
    found, opened = (
        CappedCount(Customer.objects.permitted(member, capability))
        for capability in (Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW)
    )
    counts = Organization.objects.filter(pk=member.organization_id).values_list(found, opened)
    return Seen(*(written_count(count, "customer") if count else "" for count in counts.get()))


@dataclass(frozen=True, slots=True)
class Covers:
    rows: list[Cover]
    may_change: bool


@register.simple_tag
def covers_of(target: Member, reader: Member) -> Covers:
    """Who stands in for the member and for whom they do: `{% covers_of target member as covers %}`."""
    try:
        require_cover(reader, target)
    except DomainError:
        return Covers(covers(target), False)
    return Covers(covers(target), target.status == Member.Status.ACTIVE and target.may(Capability.CUSTOMERS_VIEW))
