"""Writing to the outbox, and the one hint per commit."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import DataError, transaction
from django.utils import timezone

from lendconsole.encryption import decrypt
from lendconsole.tenancy import OrganizationContextError, organization_context
from notifications import hints
from notifications.letters import UnknownLetter
from notifications.models import OutgoingEmail
from notifications.services import (
    NO_ADDRESS,
    NotParked,
    cancel_emails,
    pending_emails,
    queue_account_email,
    queue_email,
    requeue,
)
from tests.notifications.conftest import Queue
from tests.world import World

State = OutgoingEmail.State


@pytest.fixture
def sent_hints(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was published instead of a broker."""
    published: list[tuple[Any, ...]] = []
    monkeypatch.setattr(hints, "publish", lambda name, *args: published.append((name.rpartition(".")[2], *args)))
    monkeypatch.setattr(hints._local, "commit", None)
    return published


def test_the_same_event_is_one_email(inside: World, queue: Queue, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        first = queue("assignment:7:customer")
    again = queue("assignment:7:customer", payload={"name": "Somebody else"})
    assert again.pk == first.pk
    assert OutgoingEmail.objects.get().payload == {"name": "Ada"}


def test_the_same_event_of_another_lender_is_another_email(world: World, queue: Queue) -> None:
    for lender in (world.kudi, world.rival):
        with organization_context(lender.organization.pk):
            queue("assignment:7:customer")
            assert OutgoingEmail.objects.count() == 1


def test_a_held_email_is_not_due_yet(inside: World, queue: Queue) -> None:
    email = queue(hold_seconds=60)
    assert 59 < (email.available_at - timezone.now()).total_seconds() <= 60


@pytest.mark.parametrize("name", ["Ada\r\nBcc: eve@example.com", "Ada\u2028Bcc: x", "A" * 900])
def test_the_subject_is_one_short_line(inside: World, queue: Queue, name: str) -> None:
    subject = queue(payload={"name": name}).subject
    assert len(subject.splitlines()) == 1
    assert len(subject) <= 300


def test_the_subject_is_plain_text(inside: World, queue: Queue) -> None:
    assert queue(payload={"name": "<b>O'Neil & Sons</b>"}).subject == "Hello <b>O'Neil & Sons</b>"


def test_a_recipient_without_an_address_is_shown_to_admins(inside: World, queue: Queue) -> None:
    email = queue(recipient="")
    assert (email.state, email.state_reason, email.payload) == (State.CANCELED, NO_ADDRESS, {})


def test_an_unknown_letter_is_refused_at_once(inside: World) -> None:
    with pytest.raises(UnknownLetter):
        queue_email(kind="tests/nothing", dedupe_key="x", recipient="ada@example.com", payload={})


def test_an_organization_is_needed(db: None, queue: Queue) -> None:
    with pytest.raises(OrganizationContextError):
        queue()


def test_account_mails_are_sealed_and_belong_to_nobody(inside: World) -> None:
    email = queue_account_email(
        recipient="ada@example.com", subject="Reset\nBcc: x", text="secret link", html="<p>secret link</p>"
    )
    assert not OutgoingEmail.objects.filter(pk=email.pk).exists(), "an organization sees an account mail"
    assert email.organization_id is None
    assert email.subject == "Reset Bcc: x"
    assert "secret" not in email.sealed_body
    assert json.loads(decrypt(email.sealed_body))["text"] == "secret link"
    queue_email_after = OutgoingEmail.objects.count()  # the lender's context is back
    assert queue_email_after == 0


def test_the_context_comes_back_when_an_account_mail_fails(inside: World, queue: Queue) -> None:
    with pytest.raises(DataError):
        queue_account_email(recipient="ada@example.com", subject="x", text="x", dedupe_key="k" * 300)
    assert queue().organization_id == inside.kudi.organization.pk


def test_canceling_takes_back_what_no_worker_has_taken(inside: World, queue: Queue) -> None:
    waiting = queue("1", topic="customer:7")
    taken = queue("2", topic="customer:7")
    OutgoingEmail.objects.filter(pk=taken.pk).update(attempts=1)
    other = queue("3", topic="customer:8")
    assert cancel_emails("customer:7", "Changed again.") == 1
    states = dict(OutgoingEmail.objects.values_list("pk", "state"))
    assert states == {waiting.pk: State.CANCELED, taken.pk: State.PENDING, other.pk: State.PENDING}
    canceled = OutgoingEmail.objects.get(pk=waiting.pk)
    assert (canceled.state_reason, canceled.payload) == ("Changed again.", {})
    assert not pending_emails("customer:7").exists()


def test_requeueing_is_for_failed_emails_only(inside: World, queue: Queue) -> None:
    email = queue()
    assert requeue(email) is False
    OutgoingEmail.objects.filter(pk=email.pk).update(state=State.FAILED, attempts=5, state_reason="No.")
    email.refresh_from_db()
    assert requeue(email) is True
    email.refresh_from_db()
    assert (email.state, email.attempts, email.state_reason) == (State.PENDING, 0, "")
    email.state = State.SENT
    with pytest.raises(NotParked):
        requeue(email)


def test_one_hint_per_commit(
    world: World, queue: Queue, sent_hints: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True), organization_context(world.kudi.organization.pk):
        single = queue("single")
    assert sent_hints == [("deliver", single.pk)]
    sent_hints.clear()
    with django_capture_on_commit_callbacks(execute=True), organization_context(world.kudi.organization.pk):
        for number in range(30):
            with transaction.atomic():
                queue(f"many:{number}")
    assert sent_hints == [("sweep",)]


def test_a_rolled_back_email_is_not_hinted(
    world: World, queue: Queue, sent_hints: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with (
        django_capture_on_commit_callbacks(execute=True),
        contextlib.suppress(ZeroDivisionError),
        organization_context(world.kudi.organization.pk),
    ):
        queue()
        raise ZeroDivisionError
    assert sent_hints == []
    with django_capture_on_commit_callbacks(execute=True), organization_context(world.kudi.organization.pk):
        queue()
    assert len(sent_hints) == 1, "the next commit hints all the same"


@pytest.fixture
def broker_url(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(hints._Broker, "paused_until", 0.0)

    def use(path: Path) -> None:
        url = f"redis+socket://{path}?virtual_host=0"
        monkeypatch.setattr(current_app.conf, "broker_url", url)
        monkeypatch.setattr(current_app.conf, "broker_write_url", url)

    return use


@pytest.mark.parametrize("kind", ["nobody listens", "nobody answers", "no socket"])
def test_a_dead_broker_costs_a_request_next_to_nothing(
    tmp_path_factory: pytest.TempPathFactory, broker_url: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path_factory.mktemp("v") / "s"
    server = socket.socket(socket.AF_UNIX)
    if kind != "no socket":
        server.bind(str(path))
    if kind == "nobody answers":
        server.listen(100)
    broker_url(path)
    with caplog.at_level(logging.WARNING), server:
        started = time.perf_counter()
        for _ in range(5):
            hints._Broker.paused_until = 0.0
            assert hints.publish(hints.SWEEP) is False
        assert time.perf_counter() - started < 5, "35 ms of patience each, and not the seconds of a retry"
        assert len(caplog.records) == 5
        assert hints.publish(hints.SWEEP) is False
        assert len(caplog.records) == 5, "while it is paused, the broker is not asked at all"
