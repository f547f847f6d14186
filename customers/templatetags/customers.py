"""What pages of the apps below say about customers."""

from __future__ import annotations

from dataclasses import dataclass

from django import template

from customers.models import Customer
from teams.capabilities import Capability
from teams.models import Member

register = template.Library()


@dataclass(frozen=True, slots=True)
class Seen:
    found: int
    opened: int


@register.simple_tag
def customers_seen(member: Member) -> Seen:
    """How many customers the member finds and opens in full now, by the rule itself: `{% customers_seen target as seen %}`."""
    found, opened = (
        Customer.objects.permitted(member, capability).count()
        for capability in (Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW)
    )
    return Seen(found, opened)
