"""What must hold when people take each other's rights away at the same moment: a Super Admin is left, and nobody hands on
what they have just lost. A hundred pairs each, with connections of their own; nothing is rolled back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice, product
from typing import Final

import pytest

from audit.models import AuditEvent
from customers.models import Customer
from teams import services
from teams.built_in_roles import BuiltInRole
from teams.capabilities import Capability, Reach
from teams.models import Member, Role
from tests.factories import RoleFactory
from tests.teams.support import at_once, extra_member, fresh, inside, together
from tests.world import Lender, build_lender

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[..., object]
PAIRS: Final = 100
FIND, AUDIT = Capability.CUSTOMERS_FIND, Capability.AUDIT_VIEW
ADMINISTRATION: Final = dict.fromkeys(
    (
        Capability.ROLES_MANAGE,
        Capability.MEMBERS_VIEW,
        Capability.MEMBERS_INVITE,
        Capability.MEMBERS_MANAGE,
        Capability.MEMBERS_DEACTIVATE,
    ),
    Reach.ORGANIZATION,
)
LITTLE: Final = {FIND: Reach.ORGANIZATION}
MUCH: Final = {**LITTLE, AUDIT: Reach.ORGANIZATION}


@pytest.fixture
def kudi(transactional_db: None) -> Lender:
    return build_lender("kudi", "T1")


def new_role(lender: Lender, reaches: dict[Capability, Reach]) -> Role:
    role: Role = RoleFactory(organization=lender.organization, reaches=reaches)
    return role


def place(member: Member, role: Role) -> Member:
    Member.objects.filter(pk=member.pk).update(status=Member.Status.ACTIVE, role=role, version=1)
    return fresh(member)


def edit(actor: Member, role: Role, reaches: dict[Capability, Reach]) -> object:
    return services.change_role_permissions(
        actor=actor, role=role, name=role.name, description="", reaches=reaches, version=role.version
    )


def give(actor: Member, target: Member, role: Role) -> object:
    return services.change_member(actor=actor, member=target, role=role, office=target.office, version=target.version)


@dataclass
class Duel:
    """Two Super Admins, a role of the lender's own, and whom it was given."""

    actor: Member
    target: Member
    custom: Role
    plain: Role

    def demote(self) -> object:
        return give(self.actor, self.target, self.custom)

    def deactivate(self) -> object:
        return services.deactivate_member(actor=self.actor, member=self.target)

    def remove(self) -> object:
        return services.remove_member(actor=self.actor, member=self.target)

    def leave(self) -> object:
        return services.leave_organization(actor=self.actor)

    def narrow_role(self) -> object:
        return edit(self.actor, self.custom, LITTLE)

    def delete_role(self) -> object:
        return services.delete_role(actor=self.actor, role=self.custom, replacement=self.plain)


def test_super_admins_against_each_other_leave_one_each_time(kudi: Lender) -> None:
    """Demote, deactivate, remove, leave and role edits in every mixture, with the same two people brought back each time."""
    ways = (Duel.demote, Duel.deactivate, Duel.remove, Duel.leave, Duel.narrow_role, Duel.delete_role)
    with inside(kudi):
        plain, pair = new_role(kudi, {}), [kudi["super_admin"], extra_member(kudi, "super_admin")]
    violations, rounds = [], list(product(ways, ways)) * 3
    for mine, theirs in islice(rounds, PAIRS):
        with inside(kudi):
            one, other = (place(member, kudi.roles["super_admin"]) for member in pair)
            custom = new_role(kudi, MUCH)
        calls = partial(mine, Duel(one, other, custom, plain)), partial(theirs, Duel(other, one, custom, plain))
        outcomes = together(kudi, *calls)
        with inside(kudi):
            supers = Member.objects.active().filter(role__built_in=BuiltInRole.SUPER_ADMIN).count()
            stranded = Member.objects.filter(role__deleted_at__isnull=False).count()
        if supers < 1 or stranded or not outcomes["done"]:
            violations.append((mine.__name__, theirs.__name__, supers, stranded, outcomes))
    assert violations == []


@dataclass
class Grant:
    """`lead` hands on what their role holds, while `chief` takes it away or puts it out of their reach."""

    chief: Member
    lead: Member
    target: Member
    role: Role
    plain: Role

    # What the chief does.

    def narrow(self) -> object:
        return edit(self.chief, self.lead.role, {**ADMINISTRATION, **LITTLE})

    def replace(self) -> object:
        return services.delete_role(actor=self.chief, role=self.lead.role, replacement=self.plain)

    def demote(self) -> object:
        return give(self.chief, self.lead, self.plain)

    def remove(self) -> object:
        return services.remove_member(actor=self.chief, member=self.lead)

    def lift(self) -> object:
        return edit(self.chief, self.role, {**MUCH, Capability.EMAILS_VIEW: Reach.ORGANIZATION})

    # What the lead hands on.

    def give(self) -> object:
        return give(self.lead, self.target, self.role)

    def widen(self) -> object:
        return edit(self.lead, self.role, {**MUCH, Capability.MEMBERS_VIEW: Reach.ORGANIZATION})

    def create(self) -> object:
        return services.create_role(actor=self.lead, name=f"New {self.role.pk}", description="", reaches=MUCH)


def test_nobody_hands_on_what_is_taken_from_them_at_that_moment(kudi: Lender) -> None:
    """Whichever came first, by the order of the audit log: after the chief's change the lead gives only what is left."""
    taking = (Grant.narrow, Grant.replace, Grant.demote, Grant.remove, Grant.lift)
    giving = (Grant.give, Grant.widen, Grant.create)
    with inside(kudi):
        plain, lead, target = new_role(kudi, LITTLE), extra_member(kudi, "compliance"), kudi["account_manager"]
        Customer.objects.update(account_manager=None)
    violations, outcomes, rounds = [], Counter[str](), list(product(taking, giving)) * 7
    for number, (take, hand_on) in enumerate(islice(rounds, PAIRS)):
        with inside(kudi):
            custom = new_role(kudi, MUCH)
            lead, target = place(lead, new_role(kudi, {**ADMINISTRATION, **MUCH})), place(target, plain)
            mark = AuditEvent.objects.latest("pk").pk if number else 0
        duel = Grant(kudi["super_admin"], lead, target, custom, plain)
        calls = [partial(take, duel), partial(hand_on, duel)]
        took, handed_on = at_once(kudi, *calls) if number % 2 else at_once(kudi, *calls[::-1])[::-1]
        outcomes[handed_on] += 1
        with inside(kudi):
            order = AuditEvent.objects.filter(pk__gt=mark).order_by("pk").values_list("actor_id", flat=True)
            came_second = handed_on == "done" and list(order)[-1] == lead.pk
            if came_second and not covers(held_by(lead), given(hand_on, fresh(custom))):
                violations.append((take.__name__, hand_on.__name__, took, handed_on))
    assert violations == []
    assert outcomes["done"], outcomes
    assert len(outcomes) > 1, outcomes


def held_by(member: Member) -> dict[Capability, Reach]:
    present = fresh(member)
    return dict(present.role.reaches) if present.is_active else {}


def given(hand_on: Act, role: Role) -> dict[Capability, Reach]:
    return MUCH if hand_on is Grant.create else dict(role.reaches)


def covers(more: dict[Capability, Reach], less: dict[Capability, Reach]) -> bool:
    return all(reach <= more.get(each, Reach.NONE) for each, reach in less.items())
