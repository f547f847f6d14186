"""The e-mails page and "Send again"."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.pagination import PAGE_SIZE
from audit.models import AuditEvent
from audit.verbs import Verb
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from notifications.services import queue_account_email
from tests import factories
from tests.notifications.conftest import Queue
from tests.world import Lender, World

State = OutgoingEmail.State


def _queue(
    lender: Lender, queue: Queue, key: str = "once", *, changes: dict[str, Any] | None = None, **options: Any
) -> OutgoingEmail:
    with organization_context(lender.organization.pk):
        email = queue(key, **options)
        OutgoingEmail.objects.filter(pk=email.pk).update(**(changes or {"attempts": 0}))
        return email


def _failed(lender: Lender, queue: Queue, key: str = "failed") -> OutgoingEmail:
    failure = {"state": State.FAILED, "attempts": 5, "state_reason": "The mail server said: 554 No."}
    return _queue(lender, queue, key, changes=failure)


def _read(lender: Lender, email: OutgoingEmail) -> OutgoingEmail:
    with organization_context(lender.organization.pk):
        return OutgoingEmail.objects.get(pk=email.pk)


def _audited(lender: Lender) -> list[AuditEvent]:
    with organization_context(lender.organization.pk):
        return list(AuditEvent.objects.filter(verb=Verb.EMAIL_SENT_AGAIN))


def _page(client: Client, lender: Lender, query: str = "") -> str:
    response = client.get(lender.url(f"emails/{query}"))
    assert response.status_code == 200
    return response.content.decode().replace("<wbr>", "")  # where an address may break, which nobody reads


def test_admins_see_what_became_of_each_email_and_never_what_it_says(world: World, queue: Queue) -> None:
    _failed(world.kudi, queue)
    _queue(
        world.kudi,
        queue,
        "sent",
        recipient="bola@example.com",
        changes={"state": State.SENT, "sent_body": {"text": "canary", "html": ""}},
    )
    page = _page(world.kudi.client("admin"), world.kudi)
    assert "Ada Obi" in page
    assert "The mail server said: 554 No." in page
    assert "bola@example.com" in page
    assert "Send again" in page
    assert "canary" not in page


def test_nothing_of_another_lender_and_no_account_mail_is_seen(world: World, queue: Queue) -> None:
    _queue(world.rival, queue, recipient="canary@rival.example")
    queue_account_email(recipient="canary@account.example", subject="Reset", text="x")
    page = _page(world.kudi.client("super_admin"), world.kudi)
    assert "canary" not in page
    assert "No e-mail yet." in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=failed", {"failed"}),
        ("?state=nonsense", {"failed", "waiting"}),
        ("?q=BOLA", {"waiting"}),
        ("?q=bola@exa", {"waiting"}),
        ("?q=%00", {"failed", "waiting"}),
        ("?q=%ED%A0%80", set()),
        ("?q=100%25", set()),
        ("?kind=tests/plain", {"failed", "waiting"}),
        ("?kind=customers/manager_assigned", set()),
        ("?after=nonsense&before=AAAA", {"failed", "waiting"}),
        ("?state=failed&q=nobody", set()),
    ],
)
def test_filters(world: World, queue: Queue, query: str, found: set[str]) -> None:
    _failed(world.kudi, queue)
    _queue(world.kudi, queue, "waiting", recipient="bola@example.com", recipient_label="Bola Ade")
    page = _page(world.kudi.client("admin"), world.kudi, query)
    assert {
        name for name, mark in {"failed": "ada@example.com", "waiting": "bola@example.com"}.items() if mark in page
    } == found
    if not found:
        assert "No e-mail fits these filters." in page


def test_pages_lose_and_repeat_nothing(world: World, queue: Queue) -> None:
    """Rows a microsecond apart, on both sides of a page's end."""
    start = timezone.now() - timedelta(hours=1)
    for number in range(PAGE_SIZE + 5):
        moment = start + timedelta(microseconds=number // 2)
        _queue(
            world.kudi,
            queue,
            f"{number}",
            recipient=f"r{number:03d}@example.com",
            recipient_label="",
            changes={"created_at": moment},
        )
    client = world.kudi.client("admin")
    seen: list[str] = []
    query = ""
    for _ in range(2):
        response = client.get(world.kudi.url(f"emails/{query}"))
        page = response.context["page"]
        seen += [email.recipient for email in page.rows]
        query = f"?after={page.after}"
    assert seen == [f"r{number:03d}@example.com" for number in reversed(range(PAGE_SIZE + 5))]
    back = client.get(world.kudi.url(f"emails/?before={page.before}"))
    assert [email.recipient for email in back.context["page"].rows] == seen[:PAGE_SIZE]


def test_the_number_of_statements_does_not_grow(world: World, queue: Queue, django_assert_max_num_queries: Any) -> None:
    client = world.kudi.client("admin")
    _page(client, world.kudi)  # the first page of a session also writes the session
    counts = []
    for batch in range(2):
        for number in range(1 + 24 * batch):
            _failed(world.kudi, queue, f"{batch}:{number}")
        with django_assert_max_num_queries(14) as context:
            _page(client, world.kudi)
        counts.append(len(context))
    assert counts[0] == counts[1]


def test_send_again_gives_five_more_attempts_and_is_audited_once(world: World, queue: Queue) -> None:
    email = _failed(world.kudi, queue)
    client = world.kudi.client("admin")
    for _ in range(2):
        response = client.post(world.kudi.url(f"emails/{email.pk}/send-again/"), follow=True)
        assert "is on its way again." in response.content.decode()
    row = _read(world.kudi, email)
    assert (row.state, row.attempts, row.state_reason) == (State.PENDING, 0, "")
    assert row.available_at <= timezone.now()
    [event] = _audited(world.kudi)
    assert event.before == {"failure": "The mail server said: 554 No."}
    assert event.target_label == f"plain ({email.pk})"  # no subject and no address: they may be a customer's
    assert event.actor_id == world.kudi["admin"].pk


def test_what_was_sent_cannot_be_sent_again(world: World, queue: Queue) -> None:
    email = _queue(world.kudi, queue, changes={"state": State.SENT})
    response = world.kudi.client("admin").post(world.kudi.url(f"emails/{email.pk}/send-again/"), follow=True)
    assert "Only an e-mail that failed can be sent again." in response.content.decode()
    assert _read(world.kudi, email).state == State.SENT
    assert _audited(world.kudi) == []


def test_send_again_is_for_those_who_may(world: World, queue: Queue) -> None:
    email, foreign = _failed(world.kudi, queue), _failed(world.rival, queue)
    compliance = world.kudi.client("compliance")
    path = world.kudi.url(f"emails/{email.pk}/send-again/")
    if "emails.view" in {str(capability) for capability in world.kudi.roles["compliance"].reaches}:
        assert "Send again" not in _page(compliance, world.kudi)
    assert compliance.post(path).status_code == 403
    assert world.kudi.client("admin").get(path).status_code == 405
    assert world.kudi.client("admin").post(world.kudi.url(f"emails/{foreign.pk}/send-again/")).status_code == 404
    assert world.kudi.client("admin").post(world.kudi.url(f"emails/{10**25}/send-again/")).status_code == 404
    for lender, row in ((world.kudi, email), (world.rival, foreign)):
        assert _read(lender, row).state == State.FAILED
        assert _audited(lender) == []


def test_operators_can_requeue(world: World, queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = _failed(world.kudi, queue), _failed(world.rival, queue)
    sent = _queue(world.kudi, queue, "sent", changes={"state": State.SENT})
    account = queue_account_email(recipient="ada@example.com", subject="Reset", text="x")
    OutgoingEmail.objects.filter(pk=account.pk).update(state=State.FAILED, attempts=5)
    call_command("requeue_mail", organization="kudi")
    assert capsys.readouterr().out == "1 e-mail will be sent again.\n"
    assert _read(world.kudi, ours).state == State.PENDING
    assert _read(world.kudi, sent).state == State.SENT
    assert _read(world.rival, theirs).state == State.FAILED
    assert [event.actor_label for event in _audited(world.kudi)] == ["System"]
    call_command("requeue_mail")
    assert capsys.readouterr().out == "2 e-mails will be sent again.\n"
    assert OutgoingEmail.objects.get(pk=account.pk).state == State.PENDING
    with pytest.raises(CommandError, match="no organization nowhere"):
        call_command("requeue_mail", organization="nowhere")


def test_letters_about_customers_are_for_those_who_open_every_customer(world: World, queue: Queue) -> None:
    kudi = world.kudi
    letter = _failed(kudi, queue)
    with organization_context(kudi.organization.pk):
        OutgoingEmail.objects.filter(pk=letter.pk).update(kind="customers/borrower_link", recipient="efe@mail.example")
        reaches = dict.fromkeys(("emails.view", "emails.resend", "customers.find", "customers.view"), "organization")
        role = factories.RoleFactory(organization=kudi.organization, reaches=reaches)
        kudi.members["clerk"] = factories.MemberFactory(organization=kudi.organization, role=role, office=kudi.head)
    assert "efe@mail.example" in _page(kudi.client("compliance"), kudi)
    clerk = kudi.client("clerk")
    for query in ("", "?q=mail.example", "?kind=customers/borrower_link"):
        assert "efe@mail.example" not in _page(clerk, kudi, query)
    assert clerk.post(kudi.url(f"emails/{letter.pk}/send-again/")).status_code == 404
    kudi.organization.exclusive_assignments = False
    kudi.organization.save(update_fields=["exclusive_assignments"])
    assert "efe@mail.example" in _page(clerk, kudi)
