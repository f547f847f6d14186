"""A worker, a queue and a mail server that misbehave one at a time. Beat never runs here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from notifications.services import queue_account_email, queue_email
from tests.faults.conftest import StartWorker
from tests.faults.stack import Worker, until
from tests.letters import PLAIN
from tests.mail_server import MailServer
from tests.world import Lender, World

State = OutgoingEmail.State
pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def worker(start_worker: StartWorker) -> Iterator[Worker]:
    worker = start_worker()
    yield worker
    worker.kill()


def _queue(lender: Lender, key: str = "once", *, hold_seconds: int = 0, **payload: Any) -> OutgoingEmail:
    with organization_context(lender.organization.pk):
        return queue_email(
            kind=PLAIN,
            dedupe_key=key,
            recipient="ada@example.com",
            payload={"name": key, **payload},
            hold_seconds=hold_seconds,
        )


def _read(lender: Lender, email: OutgoingEmail) -> OutgoingEmail:
    with organization_context(lender.organization.pk):
        return OutgoingEmail.objects.get(pk=email.pk)


def _let_time_pass(lender: Lender, email: OutgoingEmail) -> None:
    """Ends the lease or the wait for the next attempt."""
    with organization_context(lender.organization.pk):
        OutgoingEmail.objects.filter(pk=email.pk).update(available_at=timezone.now() - timedelta(seconds=1))


def _give_up(lender: Lender, email: OutgoingEmail) -> OutgoingEmail:
    """Attempt after attempt until the program gives the e-mail up. Other e-mails are what makes the worker look again."""

    def is_parked() -> bool:
        row = _read(lender, email)
        if row.state == State.PENDING and row.attempts and row.available_at > timezone.now():
            time.sleep(0.3)  # the attempt under way
            _let_time_pass(lender, email)
        queue_account_email(recipient="other@example.com", subject="Other", text="x")
        return _read(lender, email).state != State.PENDING

    until(is_parked, seconds=30, what="the e-mail is given up")
    return _read(lender, email)


def test_a_commit_is_followed_by_its_email_and_a_rollback_by_none(
    world: World, worker: Worker, server: MailServer
) -> None:
    with transaction.atomic():
        _queue(world.kudi, "rolled back")
        transaction.set_rollback(True)
    started = time.monotonic()
    sent = _queue(world.kudi, "committed")
    account = queue_account_email(recipient="ada@example.com", subject="Reset", text="x")
    until(lambda: len(server.arrived) == 2, seconds=5, what="two e-mails arrive")
    took = time.monotonic() - started
    time.sleep(1)
    assert {message["Subject"] for message in server.arrived} == {"Hello committed", "Reset"}
    assert _read(world.kudi, sent).state == OutgoingEmail.objects.get(pk=account.pk).state == State.SENT
    assert took < 5


def test_held_emails_leave_without_beat(world: World, worker: Worker, server: MailServer) -> None:
    started = time.monotonic()
    _queue(world.kudi, "held", hold_seconds=2)
    _queue(world.rival, "held longer", hold_seconds=4)
    until(lambda: len(server.arrived) == 2, seconds=15, what="held e-mails arrive")
    assert time.monotonic() - started > 3.5


def test_an_email_that_kills_its_worker_is_parked_and_the_others_pass(
    world: World, worker: Worker, server: MailServer
) -> None:
    poison = _queue(world.kudi, "poison", kills_the_worker=True)
    _queue(world.kudi, "fine")
    until(lambda: "Hello fine" in {message["Subject"] for message in server.arrived}, seconds=10, what="the other one")
    row = _give_up(world.kudi, poison)
    assert row.state == State.FAILED
    assert "each time" in row.state_reason
    _queue(world.kudi, "afterwards")
    until(lambda: "Hello afterwards" in {m["Subject"] for m in server.arrived}, seconds=10, what="the next one")


def test_a_refused_email_is_parked_and_sent_again_by_hand(world: World, worker: Worker, server: MailServer) -> None:
    server.answer = "554 5.7.1 Not here"
    email = _queue(world.kudi, "refused")
    row = _give_up(world.kudi, email)
    assert (row.state, row.attempts) == (State.FAILED, 5)
    assert row.state_reason == "The mail server said: 554 5.7.1 Not here"
    server.answer = server.ACCEPTED
    client = world.kudi.client("admin")
    assert client.post(world.kudi.url(f"emails/{email.pk}/send-again/")).status_code == 302
    until(lambda: _read(world.kudi, email).state == State.SENT, seconds=10, what="the e-mail leaves")
    assert Counter(message["Subject"] for message in server.arrived)["Hello refused"] == 1


def test_a_recipient_who_should_not_get_it_anymore(world: World, worker: Worker, server: MailServer) -> None:
    email = _queue(world.kudi, "revoked", undeliverable="The invitation was revoked.")
    until(lambda: _read(world.kudi, email).state == State.CANCELED, seconds=10, what="the e-mail is canceled")
    assert server.offered == 0


def test_many_emails_of_one_commit(
    world: World, worker: Worker, server: MailServer, states: Callable[[], list[str]]
) -> None:
    with organization_context(world.kudi.organization.pk):
        for number in range(100):
            _queue(world.kudi, f"{number}")
    until(lambda: len(server.arrived) == 100, seconds=30, what="all arrive")
    until(lambda: set(states()) == {State.SENT}, seconds=5, what="all are written down as sent")
    assert len(set(server.message_ids)) == 100, "none twice"
