"""From the outbox to the mail server: claims, attempts, refusals, and what stays in the row."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone

from lendconsole.tenancy import organization_context
from notifications import delivery, tasks
from notifications.mailer import Mailer, MailServerUnreachable, words_of
from notifications.models import OutgoingEmail
from notifications.services import cancel_emails, queue_account_email
from tests.mail_server import MailServer, mail_server
from tests.notifications.conftest import Queue
from tests.world import Lender, World

State = OutgoingEmail.State
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    """The program's mail server for one test."""
    with mail_server() as (server, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_TIMEOUT = 2
        yield server


@pytest.fixture(autouse=True)
def wakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """For when sweeps promised each other."""
    promised: list[float] = []

    def publish(name: str, *args: int, countdown: float = 0, patience: float = 0) -> bool:
        promised.append(countdown)
        return True

    monkeypatch.setattr(tasks, "publish", publish)
    cache.delete(tasks.WAKE_KEY)
    yield promised
    cache.delete(tasks.WAKE_KEY)


def _queue(lender: Lender, queue: Queue, key: str = "once", **options: Any) -> OutgoingEmail:
    with organization_context(lender.organization.pk):
        return queue(key, **options)


def _read(email: OutgoingEmail) -> OutgoingEmail:
    if email.organization_id is None:
        return OutgoingEmail.objects.get(pk=email.pk)
    with organization_context(email.organization_id):
        return OutgoingEmail.objects.get(pk=email.pk)


def _change(email: OutgoingEmail, **changes: Any) -> None:
    with organization_context(email.organization_id or 0):
        OutgoingEmail.objects.filter(pk=email.pk).update(**changes)


def _make_due(email: OutgoingEmail) -> None:
    _change(email, available_at=timezone.now() - timedelta(seconds=1))


def test_every_lenders_email_arrives_once(world: World, queue: Queue, server: MailServer) -> None:
    emails = [_queue(lender, queue, f"{n}") for n in range(3) for lender in (world.kudi, world.rival)]
    tasks.sweep()
    tasks.sweep()
    assert len(server.arrived) == len(set(server.message_ids)) == 6
    assert server.sessions == 1, "one connection serves them all"
    senders = {message["From"].partition("<")[0].strip() for message in server.arrived}
    assert senders == {world.kudi.organization.name, world.rival.organization.name}
    for email in emails:
        row = _read(email)
        assert (row.state, row.payload, row.attempts) == (State.SENT, {}, 1)
        assert row.sent_at is not None


def test_account_mails_arrive_and_are_erased(server: MailServer) -> None:
    email = queue_account_email(recipient="ada@example.com", subject="Reset", text="a link", html="<p>a link</p>")
    tasks.deliver(email.pk)
    row = _read(email)
    assert (row.state, row.sealed_body, row.sent_body) == (State.SENT, "", None)
    assert server.arrived[0]["From"] == "Console <no-reply@example.com>"
    assert [part.get_payload(decode=True) for part in server.arrived[0].walk()][1].strip() == b"a link"


@pytest.mark.parametrize("keep", [True, False])
def test_sent_texts_are_kept_in_development_only(
    world: World, queue: Queue, server: MailServer, settings: Any, keep: bool
) -> None:
    settings.KEEP_SENT_BODIES = keep
    email = _queue(world.kudi, queue)
    tasks.deliver(email.pk)
    kept: Any = _read(email).sent_body
    assert ("Hello Ada" in kept["text"] and "<h1" in kept["html"]) if keep else kept is None


def test_nothing_is_sent_inside_a_transaction(
    world: World, queue: Queue, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """Under test everything is in one; what may not be open is a block of the delivery's own."""
    _queue(world.kudi, queue)
    depth = len(connection.savepoint_ids)
    depths: list[int] = []
    monkeypatch.setattr(Mailer, "send", lambda self, message: depths.append(len(connection.savepoint_ids)))
    tasks.sweep()
    assert depths == [depth]


def test_the_attempt_counts_before_anything_is_sent(world: World, queue: Queue) -> None:
    email = _queue(world.kudi, queue)
    claimed = delivery.claim()
    assert claimed == delivery.Claim(email.pk, world.kudi.organization.pk)
    row = _read(email)
    assert row.attempts == 1
    lease = (row.available_at - timezone.now()).total_seconds()
    assert lease > 5 * configured.EMAIL_TIMEOUT
    assert delivery.claim() is None, "a second worker has to wait for the lease to end"


def test_a_refused_email_is_tried_five_times_then_parked(world: World, queue: Queue, server: MailServer) -> None:
    server.answer = "554 5.7.1 Message from <no-reply@example.com> rejected as spam"
    email = _queue(world.kudi, queue)
    waits = []
    for _ in range(5):
        tasks.sweep()
        row = _read(email)
        waits.append((row.available_at - timezone.now()).total_seconds())
        tasks.sweep()
        _make_due(email)
    assert server.offered == 5
    assert (row.state, row.attempts) == (State.FAILED, 5)
    assert row.state_reason == "The mail server said: 554 5.7.1 Message from (address) rejected as spam"
    for wait, expected in zip(waits[:4], [60, 300, 1500, 7200], strict=True):
        assert 0.74 * expected < wait <= 1.25 * expected
    tasks.sweep()
    assert server.offered == 5, "a parked e-mail rests"
    assert row.payload == {"name": "Ada"}, "it can be sent again"


def test_a_refused_recipient_is_not_named(world: World, queue: Queue, server: MailServer) -> None:
    server.recipient_answer = "550 <{address}>: no such user here"
    email = _queue(world.kudi, queue)
    tasks.sweep()
    assert _read(email).state_reason == "The mail server said: 550 (address): no such user here"


def test_a_silent_server_is_a_failed_attempt(world: World, queue: Queue, server: MailServer, settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 1
    server.seconds = 1.5
    email = _queue(world.kudi, queue)
    tasks.sweep()
    assert (_read(email).state, _read(email).state_reason) == (
        State.PENDING,
        "The mail server did not answer in time.",
    )


def test_one_bad_email_does_not_hold_up_the_others(world: World, queue: Queue, server: MailServer) -> None:
    broken = _queue(world.kudi, queue, "broken", payload={"broken": True})
    sick = _queue(world.kudi, queue, "sick", payload={"breaks_the_transaction": True})
    misaddressed = _queue(world.kudi, queue, "misaddressed", recipient="not an address")
    fine = _queue(world.kudi, queue, "fine")
    tasks.sweep()
    assert _read(fine).state == State.SENT
    for email in (broken, sick, misaddressed):
        row = _read(email)
        assert (row.state, row.attempts) == (State.PENDING, 1)
        assert row.state_reason
        assert "ada@example.com" not in row.state_reason
    assert _read(broken).state_reason.startswith("The e-mail could not be written (KeyError).")


def test_an_email_that_kills_its_worker_is_given_up(world: World, queue: Queue, server: MailServer) -> None:
    email = _queue(world.kudi, queue)
    for _ in range(5):  # claimed, and the worker died
        _make_due(email)
        assert delivery.claim() is not None
    _make_due(email)
    tasks.sweep()
    row = _read(email)
    assert row.state == State.FAILED
    assert "each time" in row.state_reason
    assert server.offered == 0


def test_the_recipient_is_looked_at_again(world: World, queue: Queue, server: MailServer) -> None:
    email = _queue(world.kudi, queue, payload={"undeliverable": "The invitation was revoked."})
    tasks.sweep()
    row = _read(email)
    assert (row.state, row.state_reason, row.payload) == (State.CANCELED, "The invitation was revoked.", {})
    assert server.offered == 0


def test_a_suspended_lender_sends_nothing(world: World, queue: Queue, server: MailServer) -> None:
    email = _queue(world.kudi, queue)
    world.kudi.organization.suspended_at = timezone.now()
    world.kudi.organization.save()
    tasks.sweep()
    assert _read(email).state == State.CANCELED
    assert server.offered == 0


def test_a_claim_takes_one_email_whatever_the_plan(world: World, queue: Queue) -> None:
    """Also a nested loop, which runs a subquery of WHERE again for each row."""
    emails = [_queue(world.kudi, queue, str(number)) for number in range(3)]
    for email in emails:
        _make_due(email)
    with connection.cursor() as cursor:
        for plan in ("hashagg", "hashjoin", "mergejoin", "material", "sort"):
            cursor.execute(f"SET LOCAL enable_{plan} = off")
    assert delivery.claim() is not None
    assert sorted(_read(email).attempts for email in emails) == [0, 0, 1]


def test_an_email_canceled_after_the_claim_stays_unsent(world: World, queue: Queue, server: MailServer) -> None:
    email = _queue(world.kudi, queue, topic="x")
    claimed = delivery.claim()
    _change(email, attempts=0)
    with organization_context(world.kudi.organization.pk):
        cancel_emails("x", "No longer.")
    with Mailer() as mailer:
        delivery.deliver(claimed, mailer)
    assert _read(email).state == State.CANCELED
    assert server.offered == 0


def test_a_late_failure_does_not_undo_a_later_success(world: World, queue: Queue, server: MailServer) -> None:
    """The lease of a slow worker lapses, another one sends the e-mail, then the first one gives up."""
    email = _queue(world.kudi, queue)

    class Slow(Mailer):
        def send(self, message: EmailMessage) -> None:
            _make_due(email)
            tasks.sweep()
            raise TimeoutError

    claimed = delivery.claim()
    with Slow() as mailer:
        delivery.deliver(claimed, mailer)
    assert _read(email).state == State.SENT


def test_an_unreachable_server_costs_one_email_its_attempt(
    world: World, queue: Queue, settings: Any, wakes: list[float]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = free.getsockname()
        emails = [_queue(world.kudi, queue, f"{n}") for n in range(3)]
        tasks.sweep()
    assert sorted(_read(email).attempts for email in emails) == [0, 0, 1]
    assert {_read(email).state for email in emails} == {State.PENDING}
    assert "The mail server does not accept connections." in {_read(email).state_reason for email in emails}
    assert wakes == [tasks.LONGEST_SLEEP_SECONDS, tasks.UNREACHABLE_SLEEP_SECONDS]


def test_a_server_that_closes_the_connection_is_called_again(world: World, queue: Queue, server: MailServer) -> None:
    _queue(world.kudi, queue, "1")
    _queue(world.kudi, queue, "2")
    with Mailer() as mailer:
        delivery.deliver(delivery.claim(), mailer)
        mailer._connection.connection.sock.shutdown(socket.SHUT_RDWR)
        delivery.deliver(delivery.claim(), mailer)
    assert (len(server.arrived), server.sessions) == (2, 2)


def test_held_emails_wait_and_the_sweep_comes_back_for_them(
    world: World, queue: Queue, server: MailServer, wakes: list[float]
) -> None:
    email = _queue(world.kudi, queue, hold_seconds=30)
    tasks.deliver(email.pk)
    assert server.offered == 0
    assert len(wakes) == 2
    assert wakes[0] == tasks.LONGEST_SLEEP_SECONDS, "in case this very sweep dies"
    assert 28 < wakes[1] <= 30
    for _ in range(5):
        tasks.sweep()
    assert len(wakes) == 2, "sweeps do not multiply"
    _queue(world.kudi, queue, "sooner", hold_seconds=5)
    tasks.sweep()
    assert len(wakes) == 3, "something due earlier gets an earlier sweep"
    tasks.sweep(fresh=True)
    assert len(wakes) == 5, "a worker that has just started trusts no promise of an earlier one"
    _make_due(email)
    tasks.sweep()
    assert _read(email).state == State.SENT


def test_far_off_emails_keep_the_sweeps_going(world: World, queue: Queue, wakes: list[float]) -> None:
    _queue(world.kudi, queue, hold_seconds=3600)
    tasks.sweep()
    assert wakes == [tasks.LONGEST_SLEEP_SECONDS]


def test_an_empty_outbox_wakes_nobody(wakes: list[float]) -> None:
    tasks.sweep()
    assert wakes == []


def test_old_rows_are_forgotten(world: World, queue: Queue) -> None:
    long_ago = timezone.now() - timedelta(days=31)
    kept: list[OutgoingEmail] = []
    gone: list[OutgoingEmail] = []
    for lender in (world.kudi, world.rival):
        with organization_context(lender.organization.pk):
            for state in State:
                for age in (long_ago, timezone.now()):
                    email = queue(f"{state} {age}")
                    OutgoingEmail.objects.filter(pk=email.pk).update(state=state, created_at=age)
                    old = age == long_ago and state in (State.SENT, State.CANCELED)
                    (gone if old else kept).append(email)
    account = queue_account_email(recipient="ada@example.com", subject="Reset", text="x")
    OutgoingEmail.objects.filter(pk=account.pk).update(state=State.SENT, created_at=long_ago)
    tasks.forget_old_emails()
    for email in kept:
        _read(email)
    for email in [*gone, account]:
        with pytest.raises(OutgoingEmail.DoesNotExist):
            _read(email)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (smtplib.SMTPServerDisconnected("x"), "The mail server hung up."),
        (ssl.SSLError("x"), "There is no secure connection to the mail server."),
        (socket.gaierror(2, "x"), "The mail server cannot be reached."),
        (smtplib.SMTPNotSupportedError("x"), "The mail server did not take it."),
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 no"), "The mail server said: 535 5.7.8 no"),
        (
            smtplib.SMTPResponseException(500, "two\nlines for eve@example.com, bye"),
            "The mail server said: 500 two lines for (address) bye",
        ),
    ],
)
def test_failures_are_told_in_words(error: Exception, words: str) -> None:
    assert words_of(error) == words
    wrapped = MailServerUnreachable()
    wrapped.__cause__ = error
    assert words_of(wrapped) == words
