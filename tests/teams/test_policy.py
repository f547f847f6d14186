"""Who may give what: the lattice of roles, pair by pair."""

from __future__ import annotations

import itertools

import pytest

from teams import policy
from teams.built_in_roles import DEFINITIONS, BuiltInRole
from teams.capabilities import Capability, Reach
from teams.models import Member, Office
from tests.factories import RoleFactory
from tests.teams.support import extra_member, fresh, inside
from tests.world import World

PAIRS = list(itertools.product(BuiltInRole, repeat=2))


def holds_all(actor: BuiltInRole, role: BuiltInRole) -> bool:
    """The definition of "does not exceed", spelled out over the data."""
    mine, theirs = DEFINITIONS[actor].reaches, DEFINITIONS[role].reaches
    return all(
        list(Reach).index(reach) <= list(Reach).index(mine.get(key, Reach.NONE)) for key, reach in theirs.items()
    )


@pytest.mark.parametrize(("actor", "role"), PAIRS, ids=lambda role: str(role.value))
def test_a_role_is_given_by_those_who_hold_all_of_it(world: World, actor: BuiltInRole, role: BuiltInRole) -> None:
    kudi = world.kudi
    with inside(kudi):
        given = {each.built_in for each in policy.givable_roles(kudi[actor])}
        assert (role in given) == holds_all(actor, role)
        assert policy.may_give(kudi[actor], fresh(kudi.roles[role])) == holds_all(actor, role)


def test_only_a_super_admin_gives_super_admin(world: World) -> None:
    with inside(world.kudi):
        super_admin = fresh(world.kudi.roles["super_admin"])
        givers = {role for role in BuiltInRole if policy.may_give(world.kudi[role], super_admin)}
    assert givers == {BuiltInRole.SUPER_ADMIN}


def test_two_roles_can_exceed_each_other(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        support, officer = fresh(kudi.roles["customer_support"]), fresh(kudi.roles["loan_officer"])
        assert support.exceeds(officer)
        assert officer.exceeds(support)


@pytest.mark.parametrize("reach", list(Reach))
def test_a_wider_reach_is_more(world: World, reach: Reach) -> None:
    kudi = world.kudi
    with inside(kudi):
        role = RoleFactory(organization=kudi.organization, reaches={Capability.CUSTOMERS_VIEW: Reach.OFFICE})
        other = RoleFactory(organization=kudi.organization, reaches={Capability.CUSTOMERS_VIEW: reach})
        assert policy.may_give(extra_member(kudi, "admin", role=role), other) == (reach <= Reach.OFFICE)


def test_roles_of_another_lender_are_no_choices(world: World) -> None:
    with inside(world.kudi):
        given = {role.pk for role in policy.givable_roles(world.kudi["super_admin"])}
        assert given == {role.pk for role in world.kudi.roles.values()}


def test_roles_of_reads_the_same_as_each_role(world: World) -> None:
    with inside(world.kudi):
        for role in policy.roles_of(world.kudi.organization):
            assert role.reaches == fresh(role).reaches


def test_office_reach_ends_at_the_offices_below(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        role = RoleFactory(
            organization=kudi.organization,
            reaches={Capability.MEMBERS_VIEW: Reach.OFFICE, Capability.MEMBERS_MANAGE: Reach.OFFICE},
        )
        lead = extra_member(kudi, "admin", role=role)
        simple = RoleFactory(organization=kudi.organization)
        near, far = extra_member(kudi, "", role=simple), extra_member(kudi, "", role=simple, office=kudi.other_branch)
        assert policy.may_touch(lead, near, Capability.MEMBERS_MANAGE)
        assert not policy.may_touch(lead, far, Capability.MEMBERS_MANAGE)
        assert not policy.may_touch(lead, kudi["account_manager"], Capability.MEMBERS_MANAGE)
        assert not policy.may_touch(lead, lead, Capability.MEMBERS_MANAGE)
        assert set(policy.reached_offices(lead, Capability.MEMBERS_MANAGE)) == {kudi.branch}


def test_reach_over_one_office_is_that_of_the_queryset(world: World) -> None:
    """policy.reaches_office and Office.objects.reached_by say the same of every office, from every place in the tree."""
    kudi, capability = world.kudi, Capability.OFFICES_VIEW
    with inside(kudi):
        for reach, office in itertools.product(Reach, (kudi.head, kudi.branch, kudi.other_branch)):
            actor = extra_member(
                kudi, "", role=RoleFactory(organization=kudi.organization, reaches={capability: reach}), office=office
            )
            reached = set(Office.objects.reached_by(actor, capability))
            assert {each for each in Office.objects.all() if policy.reaches_office(actor, each, capability)} == reached
            assert not policy.reaches_office(actor, world.rival.head, capability)


def test_reach_over_one_member_is_that_of_the_queryset(world: World) -> None:
    """policy.reaches and Member.objects.permitted say the same of everybody, from every place in the tree."""
    kudi = world.kudi
    capabilities = [each for each in Capability if each.startswith("members.")]
    with inside(kudi):
        role = RoleFactory(organization=kudi.organization, reaches=dict.fromkeys(capabilities, Reach.OFFICE))
        for office in (kudi.head, kudi.branch, kudi.other_branch):
            extra_member(kudi, "admin", role=role, office=office)
        everybody = list(Member.objects.select_related("user", "role", "office", "organization"))
        for actor in everybody:
            for capability in capabilities:
                permitted = set(Member.objects.permitted(actor, capability))
                assert {each for each in everybody if policy.reaches(actor, each, capability)} == permitted
        stranger = world.rival["admin"]
        assert not any(policy.reaches(actor, stranger, each) for actor in everybody for each in capabilities)
