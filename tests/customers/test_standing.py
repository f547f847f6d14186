"""What is put together once for a member's standing is asked anew as soon as anything of it changes, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from customers import list_frame, readers
from customers.filters import Choices, Filters
from customers.list_frame import filter_choices
from customers.models import Customer
from customers.readers import customer_page
from lendconsole.tenancy import organization_context
from teams.built_in_roles import BuiltInRole
from teams.models import Member, Office
from tests.world import Lender, World

KEPT: list[Callable[[Member], Any]] = [
    list_frame._frame,
    list_frame._frame_with_cards,
    list_frame._offered,
    readers._lines,
    readers.profiles,
]


def present(lender: Lender, role: str) -> Member:
    people = Member.objects.select_related("organization", "office", "role", "user")
    return people.get(pk=lender[role].pk)


def accesses(member: Member) -> dict[str, str]:
    page = customer_page(member, Filters.parse({}, member, Choices([], []))).page
    return {customer.first_name: customer.access for customer in page.rows}


def statement(built: Any) -> tuple[Any, ...]:
    if isinstance(built, readers.Together):
        return built._statement, built._parameters
    compiled: tuple[Any, ...] = built.query.sql_with_params()
    return compiled


@pytest.mark.parametrize("build", KEPT)
@pytest.mark.parametrize("role", list(BuiltInRole))
def test_nothing_but_the_standing_is_asked(world: World, role: str, build: Callable[[Member], Any]) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        one, other = present(kudi, role), present(kudi, role)
        other.phone, other.last_seen_at, other.version = "+2348030000000", timezone.now(), 99
        other.organization.name, other.organization.phone_region, other.organization.currency = "Else", "GH", "GHS"
        other.organization.time_zone, other.user.first_name, other.role.name = "UTC", "Else", "Else"
        other.office = Office(pk=one.office_id, organization_id=one.organization_id, path=one.office.path)
        assert one.standing == other.standing
        afresh = build.__wrapped__
        assert statement(afresh(one)) == statement(afresh(other)) == statement(build(one))


def test_a_new_role_is_noticed_at_once(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        member = present(kudi, "account_manager")
        assert accesses(member).keys() == {"Own"}
        own = filter_choices(member)
        member.role = kudi.roles["admin"]
        assert accesses(member).keys() == {"Free", "Own", "Distant", "Remote"}
        assert len(filter_choices(member).managers) > len(own.managers)


def test_another_reach_of_the_same_role_is_noticed_at_once(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        member = present(kudi, "admin")
        assert set(accesses(member).values()) == {"full"}
        member.role.permissions.filter(capability="customers.view").update(reach="none")
        assert set(accesses(present(kudi, "admin")).values()) == {"card"}


def test_another_office_and_its_move_are_noticed_at_once(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        role = kudi.roles["admin"]
        role.permissions.filter(capability__startswith="customers.").update(reach="office")
        near = accesses(present(kudi, "admin"))
        Member.objects.filter(pk=kudi["admin"].pk).update(office=kudi.other_branch)
        assert accesses(present(kudi, "admin")) != near
        Customer.objects.update(office=kudi.branch)
        assert accesses(present(kudi, "admin")) == {}
        Office.objects.filter(pk=kudi.branch.pk).update(parent=kudi.other_branch, path=f"{kudi.other_branch.path}9/")
        assert accesses(present(kudi, "admin")).keys() == {"Free", "Own", "Distant", "Remote"}


def test_exclusive_assignments_are_noticed_at_once(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        member = present(kudi, "loan_officer")
        was = member.organization.exclusive_assignments
        before = accesses(member)
        member.organization.exclusive_assignments = not was
        assert accesses(member) != before
        member.organization.exclusive_assignments = was
        assert accesses(member) == before
