"""Changing many customers at once: who may, what is written, what is refused and what is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from customers.errors import (
    ChangedMeanwhile,
    ManagerNotEligible,
    MoreThanShown,
    NotForAllCustomers,
    NothingChosen,
    NothingToUndo,
    ReasonMissing,
)
from customers.models import Assignment, BulkChange, Customer
from customers.services.account_managers import assign_account_manager
from customers.services.bulk import undo_bulk_change
from lendconsole.errors import NotVisible, PermissionMissing
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from notifications.tasks import sweep
from teams.models import Member
from tests.customers.bulk_support import ASSIGN, REMOVE, STATUS, by_hand, crowd, emails, managers, start
from tests.customers.pages import traces
from tests.world import Lender, World


def test_all_that_match_get_the_account_manager(world: World) -> None:
    kudi = world.kudi
    manager = kudi["account_manager"]
    change = start(kudi, ASSIGN, manager=manager, reason="New branch plan")
    assert (change.state, change.size, change.changed) == ("done", 4, 3)
    assert change.outcome == f"3 customers now have {manager.name} as account manager."
    assert set(managers(kudi).values()) == {"account-manager"}
    with organization_context(kudi.organization.pk):
        begun = Assignment.objects.filter(batch=change.batch)
        ended = Assignment.objects.get(end_batch=change.batch)
        assert {(period.manager_id, period.assigned_by_id, period.reason) for period in begun} == {
            (manager.pk, kudi["admin"].pk, "New branch plan")
        }
        assert begun.count() == 3
        assert (ended.manager, ended.ended_by, ended.end_reason) == (
            kudi["other_manager"],
            kudi["admin"],
            "New branch plan",
        )
        assert begun.get(customer=ended.customer).started_at == ended.ended_at


def test_each_customer_and_each_manager_gets_one_email_about_all(world: World) -> None:
    kudi = world.kudi
    crowd(kudi, 3, kudi["other_manager"])
    start(kudi, ASSIGN, manager=kudi["account_manager"])
    found = emails(kudi)
    customers = [recipient for kind, recipient in found if kind == "customers/manager_changed_customer"]
    assert len(customers) == len(set(customers)) == 6
    assert [pair for pair in found if "batch" in pair[0]] == [
        ("customers/manager_batch", kudi["account_manager"].user.email),
        ("customers/manager_batch_ended", kudi["other_manager"].user.email),
    ]
    with organization_context(kudi.organization.pk):
        former = OutgoingEmail.objects.get(kind="customers/manager_batch_ended")
        assert former.subject == "You are no longer the account manager of 4 customers"
        to_customer = OutgoingEmail.objects.filter(kind="customers/manager_changed_customer").first()
        assert to_customer.subject == f"{kudi['account_manager'].name} is now your account manager"
        assert to_customer.payload["customer_name"]


def test_a_customer_without_an_address_gets_none(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        Customer.objects.update(email="")
    start(kudi, ASSIGN, manager=kudi["account_manager"])
    assert {kind for kind, _ in emails(kudi)} == {"customers/manager_batch", "customers/manager_batch_ended"}


def test_waiting_emails_of_a_single_change_are_replaced(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        assign_account_manager(actor=kudi["admin"], customer=kudi.customers["distant"], manager=kudi["account_manager"])
    start(kudi, ASSIGN, query=by_hand(kudi, "distant"), manager=kudi["other_manager"])
    assert "customers/manager_changed_customer" not in {kind for kind, _ in emails(kudi)}


def test_the_log_has_a_line_for_each_and_one_for_all(world: World) -> None:
    kudi = world.kudi
    start(kudi, ASSIGN, query=by_hand(kudi, "free", "distant"), manager=kudi["account_manager"], reason="Plan")
    with organization_context(kudi.organization.pk):
        lines = {event.target_id: event for event in AuditEvent.objects.filter(verb="account_manager.assigned")}
        distant = lines[kudi.customers["distant"].pk]
        assert distant.before == {"account_manager": kudi["other_manager"].name}
        assert distant.after == {"account_manager": kudi["account_manager"].name, "office": "Ikeja T1"}
        assert (distant.reason, distant.actor_id) == ("Plan", kudi["admin"].pk)
        assert distant.target_label == kudi.customers["distant"].number
        assert lines[kudi.customers["free"].pk].before == {"account_manager": None}
        summary = AuditEvent.objects.get(verb="customers.changed")
        assert summary.after == {
            "customers": "2",
            "account manager": kudi["account_manager"].name,
            "filters": "Chosen: 2 by hand",
        }


def test_account_managers_are_taken_away(world: World) -> None:
    kudi = world.kudi
    change = start(kudi, REMOVE)
    assert change.outcome == "2 customers no longer have an account manager."
    assert set(managers(kudi).values()) == {""}


def test_the_status_is_changed_with_a_reason(world: World) -> None:
    kudi = world.kudi
    change = start(kudi, STATUS, query={"account_manager": "nobody"}, status="blacklisted", reason="Forged papers")
    assert change.outcome == "2 customers are now blacklisted."
    with organization_context(kudi.organization.pk):
        free = Customer.objects.get(pk=kudi.customers["free"].pk)
        assert (free.status, free.status_reason, free.version) == ("blacklisted", "Forged papers", 2)
        line = AuditEvent.objects.get(verb="customer.status_changed", target_id=free.pk)
        assert (line.before, line.after) == ({"status": "Pending"}, {"status": "Blacklisted"})
        assert Customer.objects.get(pk=kudi.customers["own"].pk).status == "pending"
    assert emails(kudi) == []


def test_who_is_so_already_stays_untouched(world: World) -> None:
    kudi = world.kudi
    change = start(kudi, STATUS, status="pending")
    assert (change.changed, change.unchanged) == (0, 4)
    with organization_context(kudi.organization.pk):
        assert set(Customer.objects.values_list("version", flat=True)) == {1}


@pytest.mark.parametrize("role", ["account_manager", "loan_officer", "customer_support", "compliance", "no_users_unit"])
def test_roles_without_the_permission(world: World, role: str) -> None:
    kudi = world.kudi
    before = traces(kudi)
    with pytest.raises(PermissionMissing):
        start(kudi, ASSIGN, role=role, manager=kudi["account_manager"])
    assert traces(kudi) == before


def test_a_mixed_list_is_refused_as_a_whole(world: World) -> None:
    kudi = world.kudi
    before = traces(kudi)
    with pytest.raises(
        NotForAllCustomers, match=r"3 of these 4 customers are not yours to change: .*Nobody was changed"
    ):
        start(kudi, STATUS, role="loan_officer", status="active")
    assert traces(kudi) == before
    assert start(kudi, STATUS, role="loan_officer", query=by_hand(kudi, "free"), status="active").changed == 1


def refusals(lender: Lender) -> Iterable[tuple[type[Exception], BulkChange.Kind, dict[str, Any]]]:
    manager, long_ago = lender["account_manager"], timezone.now() - timedelta(hours=1)
    yield NothingChosen, REMOVE, {"query": {"q": "nobody of this name"}}
    yield NothingChosen, REMOVE, {"query": {"status": "nonsense"}}
    yield NotVisible, REMOVE, {"query": {"chosen": "999999999"}}
    yield MoreThanShown, ASSIGN, {"manager": manager, "expected": 3}
    yield ChangedMeanwhile, ASSIGN, {"manager": manager, "query": by_hand(lender, "own"), "seen_at": long_ago}
    yield ManagerNotEligible, ASSIGN, {"manager": lender["deactivated"]}
    yield ManagerNotEligible, ASSIGN, {"manager": lender["no_users_unit"]}
    yield ReasonMissing, STATUS, {"status": "inactive"}


@pytest.mark.parametrize("number", range(8))
def test_what_is_refused_changes_nothing(world: World, number: int) -> None:
    kudi = world.kudi
    refusal, kind, facts = list(refusals(kudi))[number]
    before, held = traces(kudi), managers(kudi)
    with pytest.raises(refusal):
        start(kudi, kind, **facts)
    assert (traces(kudi), managers(kudi)) == (before, held)
    with organization_context(kudi.organization.pk):
        assert not BulkChange.objects.exists()


def test_customers_and_managers_of_another_lender_do_not_exist(world: World) -> None:
    kudi, rival = world.kudi, world.rival
    with pytest.raises(NotVisible):
        start(kudi, REMOVE, query=by_hand(rival, "own"))
    with pytest.raises(ManagerNotEligible):
        start(kudi, ASSIGN, manager=rival["account_manager"])


def test_a_change_is_taken_back(world: World) -> None:
    kudi = world.kudi
    before = managers(kudi)
    change = start(kudi, ASSIGN, manager=kudi["account_manager"])
    with organization_context(kudi.organization.pk):
        undone = undo_bulk_change(actor=kudi["admin"], pk=change.pk)
    assert undone.outcome == "3 customers are as before."
    assert managers(kudi) == before
    assert emails(kudi) == []  # all were still waiting
    with organization_context(kudi.organization.pk), pytest.raises(NothingToUndo):
        undo_bulk_change(actor=kudi["admin"], pk=change.pk)


def test_a_removal_is_taken_back(world: World) -> None:
    kudi = world.kudi
    before = managers(kudi)
    change = start(kudi, REMOVE)
    with organization_context(kudi.organization.pk):
        undo_bulk_change(actor=kudi["admin"], pk=change.pk)
    assert managers(kudi) == before


@pytest.mark.parametrize("kind", [ASSIGN, REMOVE])
def test_whom_somebody_touched_since_stays_as_they_are(world: World, kind: BulkChange.Kind) -> None:
    kudi = world.kudi
    admin, distant = kudi["admin"], kudi.customers["distant"]
    change = start(kudi, kind, manager=kudi["account_manager"] if kind == ASSIGN else None)
    with organization_context(kudi.organization.pk):
        assign_account_manager(actor=admin, customer=distant, manager=kudi["super_admin"])
        undo_bulk_change(actor=admin, pk=change.pk)
    after = managers(kudi)
    assert (after["distant"], after["free"], after["own"]) == ("super-admin", "", "account-manager")


def test_nobody_gets_customers_back_who_cannot_have_them(world: World) -> None:
    kudi = world.kudi
    change = start(kudi, ASSIGN, manager=kudi["account_manager"])
    with organization_context(kudi.organization.pk):
        Member.objects.filter(pk=kudi["other_manager"].pk).update(status=Member.Status.DEACTIVATED)
        undone = undo_bulk_change(actor=kudi["admin"], pk=change.pk)
    assert (undone.changed, undone.size) == (2, 4)
    assert managers(kudi)["distant"] == "account-manager"


def test_only_the_own_changes_of_the_last_day_are_taken_back(world: World) -> None:
    kudi = world.kudi
    change = start(kudi, REMOVE)
    with organization_context(kudi.organization.pk):
        with pytest.raises(NotVisible):
            undo_bulk_change(actor=kudi["super_admin"], pk=change.pk)
        BulkChange.objects.update(created_at=timezone.now() - timedelta(hours=25))
        with pytest.raises(NothingToUndo):
            undo_bulk_change(actor=kudi["admin"], pk=change.pk)


def test_the_number_of_statements_does_not_grow(world: World) -> None:
    kudi, counts = world.kudi, []
    for count in (1, 3, 60):
        crowd(kudi, count, kudi["other_manager"])
        with CaptureQueriesContext(connection) as captured:
            start(kudi, ASSIGN, manager=kudi["account_manager"])
        counts.append(len(captured.captured_queries))
        start(kudi, ASSIGN, manager=kudi["other_manager"])
    assert counts[1] == counts[2]  # the first fills caches


def test_the_emails_can_be_written(world: World, settings: Any) -> None:
    settings.ASSIGNMENT_MAIL_HOLD_SECONDS = 0
    kudi = world.kudi
    start(kudi, ASSIGN, manager=kudi["account_manager"])
    sweep()
    with organization_context(kudi.organization.pk):
        states = set(OutgoingEmail.objects.values_list("state", "state_reason"))
    assert states == {("sent", "")}
