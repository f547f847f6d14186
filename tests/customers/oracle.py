"""Who may see whom, said once more: plain Python over a drawn lender, written from the words of the rule.

docs/architecture.md, "Who may see a customer", has those words. Nothing here asks customers.access or the database.
"""

from __future__ import annotations

from typing import Final

from django.utils import timezone

from customers.models import Cover, Customer, TemporaryAccess
from teams.capabilities import Capability, Reach
from teams.models import Member, Office
from tests.customers.scenes import Scene

NOTHING, CARD, FULL = "", "card", "full"
FIND, VIEW, OVERSEE = Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW, Capability.CUSTOMERS_OVERSEE
ON_A_CARD: Final = frozenset({OVERSEE, Capability.CUSTOMERS_ASSIGN, Capability.CUSTOMERS_CHANGE_STATUS})
"""What needs no more than the card shows. Everything else is done with the full profile."""


class Oracle:
    def __init__(self, scene: Scene) -> None:
        self.scene, self.now = scene, timezone.now()
        self.parents = {office.pk: office.parent_id for office in scene.offices}

    def level(self, member: Member, customer: Customer) -> str:
        if not self.holds(member, FIND, customer):
            return NOTHING
        return FULL if self.holds(member, VIEW, customer) else CARD

    def visible(self, member: Member) -> list[Customer]:
        """As the list has them: by name."""
        found = [each for each in self.scene.customers if self.level(member, each)]
        return sorted(found, key=lambda each: (each.name.lower(), each.pk))

    def holds(self, member: Member, capability: Capability, customer: Customer) -> bool:
        """Who cannot act holds nothing; who does not find a customer can do nothing with it, nor much with a card."""
        first = {FIND} if capability == FIND or capability in ON_A_CARD else {FIND, VIEW}
        return self.acts(member) and all(self._gets_to(member, each, customer) for each in first | {capability})

    def keeps(self, member: Member, customer: Customer) -> bool:
        """May open it to others for a time: the account manager, who stands in, who may choose the account manager."""
        stands_in = customer.account_manager_id and self._is_own_by_duty(member, customer)
        return bool(stands_in and self.holds(member, VIEW, customer)) or self.holds(
            member, Capability.CUSTOMERS_ASSIGN, customer
        )

    def acts(self, member: Member) -> bool:
        return member.status == Member.Status.ACTIVE and member.user.is_active

    def is_working(self, member: Member) -> bool:
        """Can act, and nobody stands in."""
        return self.acts(member) and not any(each.covered_id == member.pk for each in self._running_covers())

    def _gets_to(self, member: Member, capability: Capability, customer: Customer) -> bool:
        reach = member.role.reach(capability)
        if reach == Reach.NONE:
            return False
        if self._is_own(member, customer):
            return True
        closed = self.scene.organization.exclusive_assignments and customer.account_manager_id and capability != FIND
        return self._covers(member, reach, customer) and (
            not closed or self._covers(member, member.role.reach(OVERSEE), customer)
        )

    def _covers(self, member: Member, reach: Reach, customer: Customer) -> bool:
        """By place alone."""
        return reach == Reach.ORGANIZATION or (reach == Reach.OFFICE and self.lies_below(customer, member.office))

    def lies_below(self, customer: Customer, office: Office) -> bool:
        place: int | None = customer.office_id
        while place is not None and place != office.pk:
            place = self.parents[place]
        return place is not None

    def _is_own(self, member: Member, customer: Customer) -> bool:
        opened = (each for each in self.scene.openings if each.member_id == member.pk)
        return self._is_own_by_duty(member, customer) or any(
            each.customer_id == customer.pk and self._runs(each) for each in opened
        )

    def _is_own_by_duty(self, member: Member, customer: Customer) -> bool:
        """Dedicated to the member, or to somebody for whom the member stands in now."""
        absent = {each.covered_id for each in self._running_covers() if each.substitute_id == member.pk}
        return customer.account_manager_id in {member.pk, *absent}

    def _running_covers(self) -> list[Cover]:
        return [each for each in self.scene.covers if self._runs(each)]

    def _runs(self, window: Cover | TemporaryAccess) -> bool:
        return window.starts_at <= self.now < window.ends_at
