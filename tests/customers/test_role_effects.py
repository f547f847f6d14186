"""The dry run of a role: its figures are those measured after saving."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from customers.models import Cover, Customer, TemporaryAccess
from customers.role_effects import RoleEffects, role_effects
from customers.services import roles
from customers.sight import COUNTED
from lendconsole.errors import DomainError
from teams import services
from teams.built_in_roles import BuiltInRole
from teams.capabilities import Capability, Reach
from teams.models import Member, Role
from teams.policy import find_role
from tests import factories
from tests.teams.support import extra_member, fresh, inside
from tests.world import Lender, World

Seen = dict[tuple[int, str], set[int]]


def crowd(lender: Lender, role: Role) -> list[Member]:
    """Holders in different offices: with customers of their own, covering, with temporary access, with nothing."""
    offices = (lender.head, lender.branch, lender.other_branch, lender.branch)
    people = [extra_member(lender, "", role=role, office=office) for office in offices]
    now = timezone.now()
    for number in range(8):
        customer = factories.CustomerFactory(
            organization=lender.organization, office=(lender.branch, lender.other_branch, lender.head)[number % 3]
        )
        if number < 3:
            factories.dedicate(customer, people[number])
        if number == 3:
            factories.dedicate(customer, lender["account_manager"])
    Cover.objects.create(
        organization=lender.organization,
        covered=lender["other_manager"],
        substitute=people[0],
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1),
    )
    TemporaryAccess.objects.create(
        organization=lender.organization,
        member=people[3],
        customer=lender.customers["own"],
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1),
    )
    return people


def measured(people: list[Member]) -> tuple[Seen, dict[int, dict[str, bool]]]:
    seen: Seen = {}
    may: dict[int, dict[str, bool]] = {}
    for row in people:
        member = fresh(row)
        may[member.pk] = {capability: member.may(capability) for capability in Capability}
        for capability in COUNTED:
            rows = Customer.objects.permitted(member, capability)
            seen[member.pk, capability] = set(rows.values_list("pk", flat=True))
    return seen, may


def foretold(effects: RoleEffects) -> dict[tuple[int, str, bool], int]:
    return {
        (row.member.pk, change.capability, change.is_gain): row.count
        for change in effects.sights
        for row in change.rows
    }


def difference(before: Seen, after: Seen) -> dict[tuple[int, str, bool], int]:
    counts = {(*key, True): len(after[key] - before[key]) for key in before}
    counts |= {(*key, False): len(before[key] - after[key]) for key in before}
    return {key: count for key, count in counts.items() if count}


def check(lender: Lender, role: Role, people: list[Member], proposed: Mapping[Capability, Reach]) -> None:
    present = find_role(lender["super_admin"], role.pk)
    effects = role_effects(present, proposed)
    before, could = measured(people)
    try:
        roles.change_role(
            actor=lender["super_admin"],
            role=present,
            name=present.name,
            description=present.description,
            reaches=proposed,
            version=present.version,
        )
    except DomainError:
        return
    after, can = measured(people)
    assert foretold(effects) == difference(before, after)
    gained = {each.capability for each in effects.permissions if each.before == Reach.NONE}
    lost = {each.capability for each in effects.permissions if each.after == Reach.NONE}
    for pk, held in can.items():
        assert {each for each in Capability if held[each] and not could[pk][each]} == gained
        assert {each for each in Capability if could[pk][each] and not held[each]} == lost
    if effects.permissions:
        assert AuditEvent.objects.latest("pk").after["effect"] == effects.text


@pytest.mark.parametrize("is_exclusive", [True, False], ids=["exclusive", "shared"])
@pytest.mark.parametrize("built_in", BuiltInRole)
def test_figures_equal_those_measured_after_saving(world: World, built_in: BuiltInRole, is_exclusive: bool) -> None:
    """A clone of each built-in role, edited at random again and again: 54 edits in all."""
    kudi, chance = world.kudi, random.Random(f"{built_in}{is_exclusive}")
    kudi.organization.exclusive_assignments = is_exclusive
    kudi.organization.save()
    with inside(kudi):
        role = services.clone_role(actor=kudi["super_admin"], role=kudi.roles[built_in], name="Clone")
        people = crowd(kudi, role)
        for _ in range(5 if is_exclusive else 4):
            reaches = dict(fresh(role).reaches)
            for capability in chance.sample(list(Capability)[:8], 3) + chance.sample(list(Capability)[8:], 1):
                reaches[capability] = chance.choice(capability.reaches)
            if chance.random() < 0.8:  # somebody holds customers, so closing them is refused
                reaches[Capability.CUSTOMERS_VIEW] = chance.choice([Reach.OWN, Reach.OFFICE, Reach.ORGANIZATION])
            check(kudi, role, people, {each: reach for each, reach in reaches.items() if reach > Reach.NONE})


def test_a_replacement_is_foretold_too(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        role = services.clone_role(actor=kudi["super_admin"], role=kudi.roles["account_manager"], name="Clone")
        people = crowd(kudi, role)
        replacement = find_role(kudi["super_admin"], kudi.roles["compliance"].pk)
        effects = role_effects(find_role(kudi["super_admin"], role.pk), replacement.reaches)
        before, _ = measured(people)
        roles.delete_role(actor=kudi["super_admin"], role=role, replacement=replacement)
        after, _ = measured(people)
        assert foretold(effects) == difference(before, after)
        assert AuditEvent.objects.get(verb="role.deleted").after["effect"] == effects.text


class TestSentences:
    def sentences(self, lender: Lender, before: Mapping[str, str], after: Mapping[Capability, Reach]) -> str:
        role = factories.RoleFactory(organization=lender.organization, reaches=before)
        for office in (lender.branch, lender.branch):
            extra_member(lender, "", role=role, office=office)
        return role_effects(find_role(lender["super_admin"], role.pk), after).text

    def test_name_people_permissions_and_customers(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            text = self.sentences(
                kudi,
                {"customers.find": "office", "customers.view": "office", "emails.view": "organization"},
                {
                    Capability.CUSTOMERS_FIND: Reach.ORGANIZATION,
                    Capability.AUDIT_VIEW: Reach.ORGANIZATION,
                },
            )
        assert text == (
            "“Find customers and see their card” widens from own office to the whole organization for 2 people. "
            "2 people lose “Open full profiles” (own office). "
            "2 people gain “Read the audit log”. "
            "2 people lose “See outgoing e-mails”. "
            "2 more customers become visible to 2 people. "
            "1 customer can no longer be opened in full by 2 people."
        )

    def test_of_a_role_that_nobody_holds(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = factories.RoleFactory(organization=kudi.organization)
            effects = role_effects(role, {Capability.AUDIT_VIEW: Reach.ORGANIZATION})
            assert (effects.text, effects.sights) == ("Nobody holds the role.", ())
            assert role_effects(role, {}).text == ""

    def test_of_different_numbers(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = services.clone_role(actor=kudi["admin"], role=kudi.roles["account_manager"], name="Clone")
            extra_member(kudi, "", role=role)
            Member.objects.filter(pk=kudi["account_manager"].pk).update(role=role)
            wider = {**fresh(role).reaches, Capability.CUSTOMERS_FIND: Reach.ORGANIZATION}
            text = role_effects(find_role(kudi["admin"], role.pk), wider).text
        assert text.endswith("3 to 4 more customers become visible to each of 2 people.")


def test_costs_the_same_for_few_holders_and_for_many(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        role = services.clone_role(actor=kudi["admin"], role=kudi.roles["loan_officer"], name="Clone")
        crowd(kudi, role)
        wider = {**fresh(role).reaches, Capability.CUSTOMERS_VIEW: Reach.ORGANIZATION}

        def statements() -> int:
            with CaptureQueriesContext(connection) as captured:
                role_effects(find_role(kudi["admin"], role.pk), wider)
            return len(captured)

        few = statements()
        for _ in range(12):
            extra_member(kudi, "", role=role)
        assert statements() == few
