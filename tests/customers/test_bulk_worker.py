"""Changing many customers by the worker: portion by portion, after a crash, with rights that are lost, and so many at a time."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers import tasks
from customers.bulk import carrying, running
from customers.errors import TooManyChanges
from customers.models import Assignment, BulkChange
from customers.services import bulk
from customers.services.bulk import undo_bulk_change
from customers.tasks import carry_out_bulk_change, sweep_bulk_changes
from lendconsole.tenancy import organization_context
from teams.models import Member
from tests import factories
from tests.customers.bulk_support import ASSIGN, REMOVE, carried_out, crowd, emails, managers, start
from tests.world import World


@pytest.fixture(autouse=True)
def in_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(carrying, "PORTION", 3)


def test_many_are_changed_by_the_worker_portion_by_portion(world: World) -> None:
    kudi = world.kudi
    crowd(kudi, 7, kudi["other_manager"])
    change = start(kudi, ASSIGN, manager=kudi["account_manager"])
    assert (change.state, change.progress) == ("waiting", 0)
    change = carried_out(kudi, change)
    assert (change.state, change.progress, change.changed) == ("done", 11, 10)
    assert not carry_out_bulk_change(kudi.organization.pk, change.pk)
    assert set(managers(kudi).values()) == {"account-manager"}
    assert [kind for kind, _ in emails(kudi)].count("customers/manager_batch") == 1


def test_a_worker_that_dies_loses_its_portion_and_another_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kudi = world.kudi
    crowd(kudi, 7)
    change = start(kudi, ASSIGN, manager=kudi["account_manager"])
    write, calls = carrying.give, []

    def die_in_the_second(*args: Any) -> None:
        write(*args)
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(carrying, "give", die_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        carry_out_bulk_change(kudi.organization.pk, change.pk)
    with organization_context(kudi.organization.pk):
        change = BulkChange.objects.get(pk=change.pk)
        assert (change.state, change.progress) == ("running", 3)
        assert Assignment.objects.filter(batch=change.batch).count() == change.changed
    assert not carry_out_bulk_change(kudi.organization.pk, change.pk)  # the lease runs
    with organization_context(kudi.organization.pk):
        BulkChange.objects.update(leased_until=timezone.now())
    sent: list[tuple[Any, ...]] = []

    def publish(*message: Any) -> bool:
        sent.append(message)
        return True

    monkeypatch.setattr(tasks, "publish", publish)
    assert sweep_bulk_changes() == 1
    assert sent == [(running.CARRY_OUT, kudi.organization.pk, change.pk)]
    assert carried_out(kudi, change).changed == 10
    assert set(managers(kudi).values()) == {"account-manager"}


def test_what_fails_every_time_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    change = start(kudi, REMOVE)

    def fail(*args: Any) -> None:
        raise ValueError

    monkeypatch.setattr(carrying, "give", fail)
    for _ in range(running.MOST_ATTEMPTS):
        change = carried_out(kudi, change)
    assert (change.state, change.state_reason) == ("stopped", running.GAVE_UP)


@pytest.mark.parametrize("loss", ["member", "permission", "manager"])
def test_rights_that_are_lost_meanwhile_stop_it(world: World, loss: str) -> None:
    kudi = world.kudi
    change = start(kudi, ASSIGN, manager=kudi["account_manager"])
    with organization_context(kudi.organization.pk):
        if loss == "permission":
            kudi.roles["admin"].permissions.filter(capability="customers.assign").delete()
        else:
            lost = kudi["admin" if loss == "member" else "account_manager"]
            Member.objects.filter(pk=lost.pk).update(status=Member.Status.DEACTIVATED)
    change = carried_out(kudi, change)
    assert (change.state, change.changed) == ("stopped", 0)
    assert change.state_reason


def test_three_changes_at_a_time(world: World) -> None:
    for _ in range(3):
        start(world.kudi, REMOVE)
    with pytest.raises(TooManyChanges):
        start(world.kudi, REMOVE)


def test_the_number_of_statements_does_not_grow_with_the_former_managers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking back gives each customer to somebody else."""
    monkeypatch.setattr(carrying, "PORTION", 1_000)
    kudi, counts = world.kudi, []
    for count in (1, 3, 12):
        with organization_context(kudi.organization.pk):
            staff: dict[str, Any] = {"role": kudi.roles["account_manager"], "office": kudi.branch}
            people = [factories.MemberFactory(organization=kudi.organization, **staff) for _ in range(count)]
        for person in people:
            crowd(kudi, 1, person)
        before = managers(kudi)
        change = carried_out(kudi, start(kudi, ASSIGN, manager=kudi["account_manager"]))
        with organization_context(kudi.organization.pk):
            undone = undo_bulk_change(actor=kudi["admin"], pk=change.pk)
        with CaptureQueriesContext(connection) as captured:
            undone = carried_out(kudi, undone)
        assert undone.changed == change.changed
        assert managers(kudi) == before
        counts.append(len(captured.captured_queries))
    assert counts[1] == counts[2]  # the first fills caches
