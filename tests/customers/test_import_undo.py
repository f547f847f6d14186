"""Undoing an import, and what becomes of a worker that dies in the middle of one."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from audit.models import AuditEvent
from audit.verbs import Verb
from customers import tasks
from customers.errors import ImportMovedOn
from customers.importing import running
from customers.models import (
    Assignment,
    ChangedCustomer,
    Customer,
    CustomerImport,
    CustomerUserObjectPermission,
    ImportMemory,
    MadeCustomers,
    StoredFile,
)
from customers.services import imports
from customers.services.account_managers import assign_account_manager
from customers.services.records import change_customer
from customers.tasks import forget_imports, sweep_imports
from notifications.models import OutgoingEmail
from teams.models import RolePermission
from tests import factories
from tests.customers.import_steps import Steps, change_rights, person
from tests.world import World, build_world


@pytest.fixture
def steps(world: World) -> Steps:
    return Steps.of(world.kudi)


# Undoing


def test_undoing_leaves_the_world_as_it_was(steps: Steps, world: World) -> None:
    manager = world.kudi["account_manager"]
    customer = world.kudi.customers["free"]
    with steps.context():
        before = {model: sorted(model.objects.values_list("pk", flat=True)) for model in LEFT_BEHIND}
        facts = Customer.objects.filter(pk=customer.pk).values(*COMPARED).get()
    row = steps.loaded(
        steps.file(
            person(steps, "N-1", account_manager=manager.user.email),
            {"Customer number": customer.number, "First name": "X", "Phone": "08031231234", "BVN": "22999999999"},
        ),
        updates=True,
    )
    assert (row.report["new"], row.report["updated"]) == (1, 1)
    row = steps.undone(row)
    assert (row.state, row.report["removed"], row.report["restored"], row.report["kept"]) == ("undone", 1, 1, 0)
    with steps.context():
        assert {model: sorted(model.objects.values_list("pk", flat=True)) for model in LEFT_BEHIND} == before
        assert Customer.objects.filter(pk=customer.pk).values(*COMPARED).get() == facts
        assert Customer.objects.get(pk=customer.pk).version == 3
        assert not MadeCustomers.objects.exists()
        assert not ChangedCustomer.objects.exists()
        verbs = list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True))
        undone = [Verb.CUSTOMER_IMPORT_UNDONE, Verb.CUSTOMER_CHANGED, Verb.CUSTOMERS_IMPORT_UNDONE]
        assert verbs[-3:] == undone
        whole = AuditEvent.objects.get(verb=Verb.CUSTOMERS_IMPORT_UNDONE)
        assert whole.after == {"removed": 1, "restored": 1, "kept": 0}
        told = OutgoingEmail.objects.filter(kind="customers/manager_batch")
        assert [mail.state for mail in told] == ["canceled"]
    with steps.context(), pytest.raises(ImportMovedOn):
        imports.undo_import(actor=steps.member(), pk=row.pk)


LEFT_BEHIND = (Customer, Assignment, CustomerUserObjectPermission)
COMPARED = ("first_name", "phone", "bvn_encrypted", "bvn_fingerprint", "bvn_last_digits", "office", "employer")


def test_what_was_touched_since_stays_and_is_named(steps: Steps, world: World) -> None:
    free, remote = world.kudi.customers["free"], world.kudi.customers["remote"]
    row = steps.loaded(
        steps.file(
            *(person(steps, f"N-{n}") for n in range(5)),
            {"Customer number": free.number, "First name": "X"},
            {"Customer number": remote.number, "Email": "new@mail.example"},
        ),
        updates=True,
    )
    with steps.context():
        actor = steps.member()
        edited, given, asked = (Customer.objects.get(number=f"N-{n}") for n in range(3))
        change_customer(actor=actor, customer=edited, version=1, facts={"employer": "Zenith"})
        assign_account_manager(actor=actor, customer=given, manager=world.kudi["account_manager"])
        factories.request(asked, world.kudi["customer_support"])
        change_customer(actor=actor, customer=free, version=2, facts={"employer": "Zenith"})
        factories.CustomerFactory(organization=free.organization, office=free.office, email=remote.email)
    row = steps.undone(row)
    assert (row.report["removed"], row.report["restored"], row.report["kept"]) == (2, 0, 5)
    names = [edited, given, asked]
    assert row.report["kept_names"][:3] == [str(each) for each in names]
    with steps.context():
        assert Customer.objects.get(pk=free.pk).first_name == "X"
        assert Customer.objects.get(pk=remote.pk).email == "new@mail.example"


def test_those_who_stay_are_named_to_whom_they_are_visible(world: World) -> None:
    kudi, steps = world.kudi, Steps.of(world.kudi, "loan_officer")
    row = steps.loaded(steps.file(person(steps, "N-1")))
    with steps.context():
        RolePermission.objects.filter(role=steps.actor.role, capability="customers.find").update(reach="office")
        made = Customer.objects.get(number="N-1")
        change_customer(actor=kudi["admin"], customer=made, version=1, facts={"office": kudi.other_branch})
    row = steps.undone(row)
    assert (row.report["kept"], row.report["kept_names"]) == (1, [])


# Workers


def test_a_worker_that_died_is_replaced_when_its_claim_lapses(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    row = steps.started(steps.file(person(steps)))

    def die(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(running.ImportRun, "load", die)
        with pytest.raises(KeyboardInterrupt):
            steps.worked(row)
    assert not running.carry_on(steps.actor.organization.pk, row.pk), "its claim runs still"
    sent: list[tuple[Any, ...]] = []

    def publish(*message: Any) -> bool:
        sent.append(message)
        return True

    monkeypatch.setattr(tasks, "publish", publish)
    assert sweep_imports() == 0
    with time_machine.travel(timezone.now() + running.LEASE + timedelta(seconds=1)):
        assert sweep_imports() == 1
        assert sent == [(running.CARRY_ON, steps.actor.organization.pk, row.pk)]
        row = steps.worked(row)
    assert (row.state, row.attempts, row.report["new"]) == ("done", 2, 1)
    with steps.context():
        assert Customer.objects.filter(number="N-1").count() == 1


def test_a_worker_that_wakes_up_late_writes_nothing(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    row = steps.started(steps.file(person(steps)))
    original = running._Reading._settle

    def late(self: Any, content: Any) -> None:
        monkeypatch.setattr(running._Reading, "_settle", original)
        with steps.context():
            CustomerImport.objects.filter(pk=row.pk).update(leased_until=None)
        running.carry_on(steps.actor.organization.pk, row.pk)  # the second one finishes it
        original(self, content)

    monkeypatch.setattr(running._Reading, "_settle", late)
    row = steps.worked(row)
    assert (row.state, row.attempts) == ("done", 2)
    with steps.context():
        assert Customer.objects.filter(number="N-1").count() == 1
        assert AuditEvent.objects.filter(verb=Verb.CUSTOMERS_IMPORTED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_import_load_it_once() -> None:
    steps = Steps.of(build_world().kudi)
    row = steps.started(steps.file(*(person(steps, f"N-{n}") for n in range(50))))
    done: list[bool] = []

    def work() -> None:
        try:
            done.append(running.carry_on(steps.actor.organization.pk, row.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, True]
    with steps.context():
        assert Customer.objects.filter(number__startswith="N-").count() == 50


def test_an_import_that_kills_every_worker_is_given_up(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    row = steps.started(steps.file(person(steps)))
    monkeypatch.setattr(running.ImportRun, "load", lambda *args, **kwargs: 1 / 0)
    for _ in range(running.MOST_ATTEMPTS):
        assert steps.again(row).state == "loading"
        steps.worked(row)
    assert (steps.again(row).state, steps.again(row).attempts) == ("failed", 3)


def test_drafts_die_and_so_do_those_of_people_who_left(steps: Steps, world: World) -> None:
    content = steps.file(person(steps))
    steps.brought(content)
    done = steps.loaded(content)
    colleague = Steps.of(world.kudi, "super_admin")
    colleague.brought(content)
    change_rights(colleague, "deactivated")
    assert forget_imports() == 1
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert forget_imports() == 1
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert forget_imports() == 1
    with steps.context():
        assert not CustomerImport.objects.filter(pk=done.pk).exists()
        assert not StoredFile.objects.exists()
        assert Customer.objects.filter(number="N-1").exists()
        assert ImportMemory.objects.count() == 1
