"""200 assignments while the worker is killed and Valkey goes away: nothing lost, nothing untrue, nobody kept waiting. Beat never runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from audit.models import AuditEvent
from audit.verbs import Verb
from customers.models import Customer
from customers.services.account_managers import assign_account_manager
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from tests import factories
from tests.faults.conftest import StartWorker
from tests.faults.stack import Broker, until
from tests.mail_server import MailServer
from tests.world import Lender, World

ASSIGNMENTS = 200
WORKER_DIES, VALKEY_STOPS, VALKEY_RETURNS = 60, 100, 160
PROCESSES = 2
pytestmark = pytest.mark.faults


class _ChangedMind(Exception):
    """Rolls an assignment back."""


def _make_customers(lender: Lender) -> list[Customer]:
    with organization_context(lender.organization.pk):
        return [
            factories.CustomerFactory(
                organization=lender.organization, office=lender.branch, email=f"borrower{number}@mail.example"
            )
            for number in range(ASSIGNMENTS)
        ]


def _assign(lender: Lender, customer: Customer, *, change_of_mind: bool = False) -> float:
    """One assignment as a request makes it; how long it took, with what happens after the commit."""
    started = time.perf_counter()
    with organization_context(lender.organization.pk):
        assign_account_manager(actor=lender["admin"], customer=customer, manager=lender["account_manager"])
        if change_of_mind:
            raise _ChangedMind
    return time.perf_counter() - started


def _percentile(seconds: list[float], percent: int) -> float:
    return sorted(seconds)[len(seconds) * percent // 100]


def test_two_hundred_assignments(  # one story, told in order
    world: World,
    server: MailServer,
    broker: Broker,
    start_worker: StartWorker,
    states: Callable[[], list[str]],
    record_property: Callable[[str, Any], None],
) -> None:
    lender = world.kudi
    customers = _make_customers(lender)
    admin = lender.client("admin")
    admin.get(lender.url("emails/"))
    server.seconds = 0.01
    worker = start_worker()
    calm: list[float] = []
    without_valkey: list[float] = []
    for number, customer in enumerate(customers):
        if number == WORKER_DIES:
            until(lambda: len(server.arrived) > WORKER_DIES // 2, seconds=20, what="the worker is busy")
            worker.kill()
        if number == VALKEY_STOPS:
            broker.stop()
        if number % 20 == 10:
            with pytest.raises(_ChangedMind), transaction.atomic():
                _assign(lender, customer, change_of_mind=True)
        (without_valkey if VALKEY_STOPS <= number < VALKEY_RETURNS else calm).append(_assign(lender, customer))
        if number == VALKEY_RETURNS - 1:
            started = time.perf_counter()
            assert admin.get(lender.url("emails/")).status_code == 200, "the console works without Valkey"
            assert time.perf_counter() - started < 2
            broker.start()
            broker.empty()  # whatever the queue still knew is gone
    assert _percentile(without_valkey, 95) < _percentile(calm, 95) + 0.25
    before_restart = len(server.arrived)
    worker = start_worker()

    expected = {f"borrower{number}@mail.example" for number in range(ASSIGNMENTS)}
    until(lambda: set(states()) == {"sent"}, seconds=100, what="every e-mail is sent")
    assert before_restart < 2 * ASSIGNMENTS
    told = Counter(message["To"].rpartition("<")[2].rstrip(">") for message in server.arrived)
    assert expected <= set(told), "a borrower was not told"
    assert len(set(server.message_ids)) == 2 * ASSIGNMENTS == len(states()), (
        "an e-mail about nothing, or none about something"
    )
    duplicates = len(server.message_ids) - 2 * ASSIGNMENTS
    record_property("duplicates", duplicates)
    assert duplicates <= PROCESSES, (
        "only what was under way when the worker died may arrive twice, under the same Message-ID"
    )
    with organization_context(lender.organization.pk):
        assert AuditEvent.objects.filter(verb=Verb.MANAGER_ASSIGNED).count() == ASSIGNMENTS
        assert OutgoingEmail.objects.exclude(payload={}).count() == 0, "sent texts are erased"
    worker.kill()


def test_a_worker_finds_its_way_back_to_valkey(
    world: World, server: MailServer, broker: Broker, start_worker: StartWorker
) -> None:
    lender = world.kudi
    first, *customers = _make_customers(lender)[:6]
    worker = start_worker()
    _assign(lender, first)
    until(lambda: len(server.arrived) == 2, seconds=20, what="the worker is at work")
    time.sleep(1)  # and done with the sweep that it begins with
    broker.stop()
    for customer in customers:
        _assign(lender, customer)
    time.sleep(1)
    assert len(server.arrived) == 2
    broker.start()
    until(lambda: len(server.arrived) == 2 + 2 * len(customers), seconds=20, what="the worker comes back")
    worker.kill()
