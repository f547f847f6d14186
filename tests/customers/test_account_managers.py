"""Giving, changing and removing the account manager: column, period, grant, audit and mails move together or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEvent
from audit.verbs import Verb
from customers.errors import ManagerNotEligible, NoAccountManager
from customers.models import Assignment, Customer, CustomerUserObjectPermission
from customers.policy import assignable_managers, eligible_managers
from customers.services.account_managers import assign_account_manager, remove_account_manager
from lendconsole.errors import NotVisible, PermissionMissing, StaleVersion
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.models import Member
from tests.world import Lender, World, build_world


@pytest.fixture
def kudi(world: World) -> Any:
    with organization_context(world.kudi.organization.pk):
        yield world.kudi


def state(customer: Customer) -> dict[str, Any]:
    """Everything an assignment touches."""
    return {
        "column": Customer.objects.values_list("account_manager", flat=True).get(pk=customer.pk),
        "open": list(Assignment.objects.filter(customer=customer, ended_at=None).values_list("manager", flat=True)),
        "periods": Assignment.objects.filter(customer=customer).count(),
        "grants": list(
            CustomerUserObjectPermission.objects.filter(content_object=customer).values_list("user", flat=True)
        ),
        "mails": OutgoingEmail.objects.filter(state="pending").count(),
        "audit": AuditEvent.objects.count(),
    }


def waiting() -> set[tuple[str, str]]:
    return set(OutgoingEmail.objects.filter(state="pending").values_list("kind", "recipient"))


def test_assign_writes_column_period_grant_audit_and_mails(kudi: Lender) -> None:
    customer, manager = kudi.customers["free"], kudi["account_manager"]
    assignment = assign_account_manager(actor=kudi["admin"], customer=customer, manager=manager, reason="Lives nearby")
    after = state(customer)
    assert after["column"] == manager.pk
    assert after["open"] == [manager.pk]
    assert after["grants"] == [manager.user_id]
    assert manager.user.has_perm("customers.manage_customer", customer)
    assert (assignment.assigned_by, assignment.reason) == (kudi["admin"], "Lives nearby")
    event = AuditEvent.objects.get(verb=Verb.MANAGER_ASSIGNED)
    assert event.actor_id == kudi["admin"].pk
    assert event.before == {"account_manager": None}
    assert event.after == {"account_manager": manager.name, "office": manager.office.name}
    assert waiting() == {
        ("customers/manager_changed_customer", customer.email),
        ("customers/manager_assigned", manager.user.email),
    }


def test_change_ends_the_former_period_and_tells_the_former_manager(kudi: Lender) -> None:
    customer, former, manager = kudi.customers["own"], kudi["account_manager"], kudi["other_manager"]
    assign_account_manager(actor=kudi["admin"], customer=customer, manager=manager)
    after = state(customer)
    assert (after["column"], after["open"], after["grants"]) == (manager.pk, [manager.pk], [manager.user_id])
    ended = Assignment.objects.get(customer=customer, manager=former)
    assert ended.ended_at == Assignment.objects.get(customer=customer, ended_at=None).started_at
    assert ended.ended_by == kudi["admin"]
    assert ("customers/manager_ended", former.user.email) in waiting()
    assert not Customer.objects.visible_to(former).filter(pk=customer.pk).exists()
    assert Customer.objects.visible_to(manager).filter(pk=customer.pk).exists()


def test_remove_leaves_nobody(kudi: Lender) -> None:
    customer = kudi.customers["own"]
    remove_account_manager(actor=kudi["admin"], customer=customer, reason="On request")
    after = state(customer)
    assert (after["column"], after["open"], after["grants"]) == (None, [], [])
    assert Assignment.objects.get(customer=customer).end_reason == "On request"
    assert waiting() == {
        ("customers/manager_changed_customer", customer.email),
        ("customers/manager_ended", kudi["account_manager"].user.email),
    }
    with pytest.raises(NoAccountManager):
        remove_account_manager(actor=kudi["admin"], customer=customer)


def test_the_same_manager_again_changes_nothing(kudi: Lender) -> None:
    customer = kudi.customers["own"]
    before = state(customer)
    assign_account_manager(actor=kudi["admin"], customer=customer, manager=kudi["account_manager"])
    assert state(customer) == before


def test_back_and_forth_within_the_hold_ends_in_no_mail(kudi: Lender) -> None:
    customer = kudi.customers["own"]
    assign_account_manager(actor=kudi["admin"], customer=customer, manager=kudi["other_manager"])
    assign_account_manager(actor=kudi["admin"], customer=customer, manager=kudi["account_manager"])
    assert waiting() == set()
    assert OutgoingEmail.objects.filter(state="canceled").count() == 3


def test_a_second_change_within_the_hold_speaks_of_the_first_manager(kudi: Lender) -> None:
    customer = kudi.customers["own"]
    assign_account_manager(actor=kudi["admin"], customer=customer, manager=kudi["other_manager"])
    assign_account_manager(actor=kudi["admin"], customer=customer, manager=kudi["loan_officer"])
    assert waiting() == {
        ("customers/manager_changed_customer", customer.email),
        ("customers/manager_assigned", kudi["loan_officer"].user.email),
        ("customers/manager_ended", kudi["account_manager"].user.email),
    }


def test_a_mail_that_a_worker_has_taken_is_not_canceled(kudi: Lender) -> None:
    customer = kudi.customers["own"]
    assign_account_manager(actor=kudi["admin"], customer=customer, manager=kudi["other_manager"])
    OutgoingEmail.objects.update(attempts=1)
    assign_account_manager(actor=kudi["admin"], customer=customer, manager=kudi["account_manager"])
    assert ("customers/manager_assigned", kudi["account_manager"].user.email) in waiting()
    assert not OutgoingEmail.objects.filter(state="canceled").exists()


@pytest.mark.parametrize("role", ["account_manager", "loan_officer", "customer_support", "compliance"])
def test_without_the_permission_nothing_changes(kudi: Lender, role: str) -> None:
    customer = kudi.customers["own"] if role == "account_manager" else kudi.customers["free"]
    before = state(customer)
    with pytest.raises(PermissionMissing, match="Choose account managers"):
        assign_account_manager(actor=kudi[role], customer=customer, manager=kudi["other_manager"])
    assert state(customer) == before


@pytest.mark.parametrize("role", ["account_manager", "no_users_unit", "deactivated"])
def test_what_the_actor_cannot_see_does_not_exist(kudi: Lender, role: str) -> None:
    customer = kudi.customers["distant"]
    before = state(customer)
    with pytest.raises(NotVisible):
        assign_account_manager(actor=kudi[role], customer=customer, manager=kudi["account_manager"])
    assert state(customer) == before


@pytest.mark.parametrize("role", ["deactivated", "no_users_unit"])
def test_who_cannot_act_for_a_customer_is_refused(kudi: Lender, role: str) -> None:
    customer = kudi.customers["free"]
    before = state(customer)
    with pytest.raises(ManagerNotEligible):
        assign_account_manager(actor=kudi["admin"], customer=customer, manager=kudi[role])
    assert state(customer) == before


def test_a_member_of_another_lender_is_refused(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk), pytest.raises(ManagerNotEligible):
        assign_account_manager(
            actor=kudi["admin"], customer=kudi.customers["free"], manager=world.rival["account_manager"]
        )


def test_a_stale_choice_is_refused_and_told_who_it_is_now(kudi: Lender) -> None:
    customer = kudi.customers["free"]
    seen = customer.version
    assign_account_manager(actor=kudi["admin"], customer=customer, manager=kudi["account_manager"], version=seen)
    before = state(customer)
    with pytest.raises(StaleVersion, match=kudi["account_manager"].name):
        assign_account_manager(
            actor=kudi["super_admin"], customer=customer, manager=kudi["other_manager"], version=seen
        )
    assert state(customer) == before


def test_choices_are_active_members_whose_role_opens_customers_with_their_load(kudi: Lender) -> None:
    loads = {member.user.email.split("@")[0]: member.load for member in eligible_managers(kudi.organization)}
    assert loads == {
        "super-admin": 0,
        "admin": 0,
        "account-manager": 1,
        "loan-officer": 0,
        "customer-support": 0,
        "compliance": 0,
        "other": 1,
    }
    in_other_branch = assignable_managers(kudi["admin"], kudi.other_branch)
    assert [member.pk for member in in_other_branch] == [kudi["other_manager"].pk]


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_leave_one_manager_and_a_history_without_gaps() -> None:
    kudi = build_world().kudi
    customer = kudi.customers["free"]
    choices = [kudi["account_manager"], kudi["other_manager"], kudi["loan_officer"], kudi["customer_support"]]
    errors: list[Exception] = []

    def assign(manager: Member) -> None:
        try:
            with organization_context(kudi.organization.pk):
                assign_account_manager(actor=kudi["admin"], customer=customer, manager=manager)
        except Exception as error:  # collected and asserted below
            errors.append(error)
        finally:
            connection.close()

    run_all([lambda manager=manager: assign(manager) for manager in choices * 12 + choices[:2]])
    assert errors == []
    with organization_context(kudi.organization.pk):
        after = state(customer)
        assert len(after["open"]) == len(after["grants"]) == 1
        assert after["column"] == after["open"][0]
        periods = list(Assignment.objects.filter(customer=customer).order_by("started_at"))
        assert all(a.ended_at == b.started_at for a, b in pairwise(periods))


def run_all(jobs: list[Callable[[], None]], at_once: int = 10) -> None:
    """Each job in a thread of its own, `at_once` at a time."""
    for start in range(0, len(jobs), at_once):
        threads = [threading.Thread(target=job) for job in jobs[start : start + at_once]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
