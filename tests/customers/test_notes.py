"""Notes about a customer: who writes, changes and deletes them, who is told, and what never leaves them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from audit.models import AuditEvent
from customers.errors import DueDateWrong, NotifiedSeesNothing
from customers.models import Customer, Note, NoteFile, NoteMention, StoredChunk, StoredFile
from customers.services.account_managers import assign_account_manager
from customers.services.notes import (
    add_note,
    change_note,
    complete_note,
    delete_note,
    pin_note,
    take_note_file,
)
from customers.uploads import FileRefused
from lendconsole.errors import DomainError, NotVisible, PermissionMissing, StaleVersion
from lendconsole.tenancy import organization_context
from notifications.letters import Undeliverable, find_letter
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from tests import factories
from tests.customers.pages import traces, words
from tests.factories import PDF
from tests.pages import statements
from tests.world import Lender, World

CANARY = "T1-Said-in-confidence"


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk), timezone.override(world.kudi.organization.time_zone):
        yield world.kudi


def write(lender: Lender, role: str = "account_manager", key: str = "own", **facts: Any) -> Note:
    options = {name: facts.pop(name) for name in ("people", "files") if name in facts}
    facts = {"kind": "note", "text": CANARY, "due_on": None, **facts}
    return add_note(actor=lender[role], customer=lender.customers[key], facts=facts, **options)


def rewrite(lender: Lender, note: Note, role: str = "account_manager", **facts: Any) -> Note:
    version = facts.pop("version", note.version)
    facts = {"kind": note.kind, "text": f"{CANARY} anew", "due_on": note.due_on, **facts}
    return change_note(actor=lender[role], note=note, version=version, facts=facts)


def refused(lender: Lender, error: type[DomainError], act: Callable[[], Any]) -> str:
    """Nothing is kept, changed, mailed or written down."""

    def state() -> list[Any]:
        kept = [list(model.objects.order_by("pk").values()) for model in (Note, NoteMention, NoteFile)]
        return [traces(lender), kept, StoredFile.objects.count()]

    before = state()
    with pytest.raises(error) as caught, transaction.atomic():
        act()
    assert state() == before
    return str(caught.value)


def told() -> set[str]:
    return set(OutgoingEmail.objects.filter(kind="customers/note_mention").values_list("recipient", flat=True))


def last_event() -> AuditEvent:
    event = AuditEvent.objects.order_by("-pk").first()
    assert event is not None
    return event


def test_who_writes_notes(kudi: Lender) -> None:
    for role, key in (
        ("account_manager", "own"),
        ("loan_officer", "free"),
        ("customer_support", "remote"),
        ("admin", "own"),
    ):
        note = write(kudi, role, key)
        event = last_event()
        assert (event.verb, event.target_id, event.after) == ("note.added", note.customer_id, {"kind": "Note"})
    for role, key, error in (
        ("customer_support", "own", PermissionMissing),
        ("loan_officer", "remote", PermissionMissing),
        ("compliance", "free", PermissionMissing),
        ("other_manager", "own", NotVisible),
        ("no_users_unit", "own", NotVisible),
        ("deactivated", "own", NotVisible),
    ):
        refused(kudi, error, lambda role=role, key=key: write(kudi, role, key))


def test_a_follow_up_has_a_day_to_come(kudi: Lender) -> None:
    for due_on in (None, kudi.today - timedelta(days=1), kudi.today + timedelta(days=4000)):
        refused(kudi, DueDateWrong, lambda due_on=due_on: write(kudi, kind="follow_up", due_on=due_on))
    note = write(kudi, kind="follow_up", due_on=kudi.today)
    assert last_event().after == {"kind": "Follow-up", "due": kudi.today.isoformat()}
    assert not note.is_overdue
    assert write(kudi, kind="note", due_on=kudi.today).due_on is None


def test_who_is_chosen_or_named_is_told_once(kudi: Lender) -> None:
    admin, compliance = kudi["admin"], kudi["compliance"]
    note = write(kudi, text=f"{CANARY} @{compliance.name.upper()}, see this", people=[admin])
    assert told() == {admin.user.email, compliance.user.email}
    assert last_event().after["notified"] == f"{admin.name}, {compliance.name}"
    rewrite(kudi, note, text=f"{CANARY} @{compliance.name} @{kudi['super_admin'].name}.")
    assert told() == {admin.user.email, compliance.user.email, kudi["super_admin"].user.email}
    assert OutgoingEmail.objects.count() == 3


def test_nobody_is_told_of_a_customer_they_do_not_see(kudi: Lender) -> None:
    support = kudi["customer_support"]
    for other in (support, kudi["other_manager"], kudi["deactivated"]):
        refused(kudi, NotifiedSeesNothing, lambda other=other: write(kudi, people=[other]))
    write(kudi, text=f"@{support.name} @{kudi['account_manager'].name} @{kudi['admin'].name}x @")
    assert told() == set()
    write(kudi, "admin", "free", text=f"@{support.name}")
    assert told() == {support.user.email}


def test_the_letter_says_where_and_not_what(kudi: Lender) -> None:
    note = write(kudi, kind="enquiry", people=[kudi["admin"]])
    email = OutgoingEmail.objects.get()
    body = render_body(email, kudi.organization)
    for text in (body.text, body.html):
        assert kudi.customers["own"].name in text
        assert kudi.url(f"customers/{note.customer_id}/notes/#note-{note.pk}") in text
    assert CANARY not in f"{email.subject} {body.text} {body.html} {email.payload}"


def test_the_letter_looks_again_before_it_leaves(kudi: Lender) -> None:
    support, free = kudi["customer_support"], kudi.customers["free"]
    write(kudi, "admin", "free", people=[support])
    email = OutgoingEmail.objects.get()
    assign_account_manager(actor=kudi["admin"], customer=free, manager=kudi["account_manager"])
    with pytest.raises(Undeliverable, match="no longer sees"):
        find_letter(email.kind).build(email)


def test_a_deleted_note_is_not_announced(kudi: Lender) -> None:
    note = write(kudi, people=[kudi["admin"]])
    delete_note(actor=kudi["account_manager"], note=note)
    assert OutgoingEmail.objects.get().state == OutgoingEmail.State.CANCELED
    write(kudi, people=[kudi["admin"]])
    email = OutgoingEmail.objects.get(state=OutgoingEmail.State.PENDING)
    Note.objects.all().delete()
    with pytest.raises(Undeliverable, match="deleted"):
        find_letter(email.kind).build(email)


def test_the_author_changes_a_note_for_a_day(kudi: Lender) -> None:
    note = write(kudi)
    changed = rewrite(kudi, note, kind="follow_up", due_on=kudi.today)
    assert (changed.text, changed.version) == (f"{CANARY} anew", 2)
    assert changed.edited_at is not None
    event = last_event()
    assert event.verb == "note.changed"
    assert event.before == {"kind": "Note", "text": "withheld", "due_on": ""}
    assert event.after == {"kind": "Follow-up", "text": "withheld", "due_on": kudi.today.isoformat()}
    before = traces(kudi)
    rewrite(kudi, changed, version=1)
    assert traces(kudi) == before
    refused(kudi, StaleVersion, lambda: rewrite(kudi, changed, text="mine", version=1))
    for role in ("admin", "super_admin", "compliance"):
        refused(kudi, PermissionMissing, lambda role=role: rewrite(kudi, changed, role, text="mine"))
    for role in ("customer_support", "other_manager"):
        refused(kudi, NotVisible, lambda role=role: rewrite(kudi, changed, role, text="mine"))
    Note.objects.update(created_at=timezone.now() - timedelta(hours=25))
    refused(kudi, PermissionMissing, lambda: rewrite(kudi, changed, text="late"))


def test_a_passed_day_may_stay(kudi: Lender) -> None:
    note = write(kudi, kind="follow_up", due_on=kudi.today)
    Note.objects.update(due_on=kudi.today - timedelta(days=3))
    note.refresh_from_db()
    rewrite(kudi, note)
    note.refresh_from_db()
    refused(kudi, DueDateWrong, lambda: rewrite(kudi, note, text="x", due_on=kudi.today - timedelta(days=2)))


def test_pinning_and_completing(kudi: Lender) -> None:
    plain, enquiry = write(kudi), write(kudi, kind="enquiry")
    assert pin_note(actor=kudi["admin"], note=plain, is_pinned=True).is_pinned
    assert complete_note(actor=kudi["admin"], note=enquiry, is_done=True).done_by == kudi["admin"]
    before = traces(kudi)
    pin_note(actor=kudi["admin"], note=plain, is_pinned=True)
    complete_note(actor=kudi["super_admin"], note=enquiry, is_done=True)
    complete_note(actor=kudi["super_admin"], note=plain, is_done=True)
    assert traces(kudi) == before
    enquiry.refresh_from_db()
    assert enquiry.done_by == kudi["admin"]
    complete_note(actor=kudi["account_manager"], note=enquiry, is_done=False)
    pin_note(actor=kudi["account_manager"], note=plain, is_pinned=False)
    verbs = AuditEvent.objects.order_by("-pk").values_list("verb", flat=True)[:4]
    assert list(verbs) == ["note.unpinned", "note.reopened", "note.completed", "note.pinned"]
    for role, error in (("compliance", PermissionMissing), ("customer_support", NotVisible)):
        refused(kudi, error, lambda role=role: pin_note(actor=kudi[role], note=plain, is_pinned=True))
        refused(kudi, error, lambda role=role: complete_note(actor=kudi[role], note=enquiry, is_done=True))


def test_a_note_becomes_plain_and_is_open_no_longer(kudi: Lender) -> None:
    note = complete_note(actor=kudi["account_manager"], note=write(kudi, kind="enquiry"), is_done=True)
    assert rewrite(kudi, note, kind="note").done_at is None


def test_the_author_deletes_it_or_who_oversees(kudi: Lender) -> None:
    note = write(kudi, "customer_support", "free", files=[(io.BytesIO(PDF), "statement.pdf")])
    for role, error in (
        ("loan_officer", PermissionMissing),
        ("compliance", PermissionMissing),
        ("account_manager", NotVisible),
    ):
        refused(kudi, error, lambda role=role: delete_note(actor=kudi[role], note=note))
    delete_note(actor=kudi["admin"], note=note)
    assert not Note.objects.exists()
    assert not StoredChunk.objects.exists()
    event = last_event()
    assert event.after == {"kind": "Note", "author": kudi["customer_support"].name}
    refused(kudi, NotVisible, lambda: delete_note(actor=kudi["admin"], note=note))


def test_files_of_a_note(kudi: Lender) -> None:
    refused(kudi, FileRefused, lambda: write(kudi, files=[(io.BytesIO(b"<svg/>"), "a.png")]))
    refused(kudi, FileRefused, lambda: write(kudi, files=[(io.BytesIO(PDF), "a.pdf"), (io.BytesIO(PDF), "a.html")]))
    write(kudi, files=[(io.BytesIO(PDF), f"{CANARY}.pdf"), (io.BytesIO(PDF), "b.pdf")])
    assert last_event().after == {"kind": "Note", "files": 2}
    kept = NoteFile.objects.order_by("pk").first()
    assert kept is not None
    assert take_note_file(actor=kudi["compliance"], pk=kept.pk) == kept.file
    assert last_event().verb == "note.file_downloaded"
    for role in ("customer_support", "loan_officer", "other_manager"):
        refused(kudi, NotVisible, lambda role=role: take_note_file(actor=kudi[role], pk=kept.pk))


def page(lender: Lender, role: str, path: str = "notes/", key: str = "own") -> str:
    response = lender.client(role).get(lender.url(f"customers/{lender.customers[key].pk}/{path}"))
    assert response.status_code == 200
    return words(response)


def test_the_way_of_a_note(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    manager, new = kudi.client("account_manager"), kudi.url(f"customers/{own.pk}/notes/new/")
    form = words(manager.get(new))
    assert f"{kudi['admin'].name}, Admin" in form
    assert kudi["customer_support"].name not in form
    data: dict[str, Any] = {
        "submission_key": str(uuid4()),
        "kind": "follow_up",
        "text": f"{CANARY}\n<b>bold</b>",
        "due_on": "",
    }
    answer = manager.post(new, data)
    assert answer.status_code == 422
    assert "Say when the follow-up is due." in words(answer)
    assert CANARY in words(answer)
    foreign = {**data, "due_on": kudi.today, "people": world.rival["admin"].pk}
    assert manager.post(new, foreign).status_code == 422
    files = [SimpleUploadedFile(name, PDF) for name in ("a.pdf", "b.pdf")]
    data |= {"due_on": kudi.today, "people": kudi["admin"].pk, "file": files}
    for _ in range(2):
        assert manager.post(new, data).status_code == 302
    with organization_context(kudi.organization.pk):
        note = Note.objects.get()
        assert told() == {kudi["admin"].user.email}
    html = page(kudi, "compliance")
    for text in (f"{CANARY}<br>&lt;b&gt;bold", "a.pdf", "b.pdf", "Due ", f"Notified: {kudi['admin'].name}"):
        assert text in html
    assert "Mark as done" not in html
    assert manager.post(kudi.url(f"notes/{note.pk}/done/"), {"on": "1"}).status_code == 302
    assert f"Done by {kudi['account_manager'].name}" in page(kudi, "account_manager", "notes/?show=follow_up")
    assert CANARY not in page(kudi, "account_manager", "notes/?show=open")
    assert CANARY in page(kudi, "account_manager", "notes/?show=nonsense")
    activity = page(kudi, "admin", "activity/")
    assert "added a note about" in activity
    assert "completed something to be done about" in activity
    assert CANARY not in activity


def test_nothing_of_a_note_leaves_the_full_profile(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        note = write(kudi, files=[(io.BytesIO(PDF), f"{CANARY}.pdf")], people=[kudi["admin"]])
        delete = write(kudi)
        rewrite(kudi, delete)
        delete_note(actor=kudi["account_manager"], note=delete)
        logged = [*AuditEvent.objects.all(), *OutgoingEmail.objects.all()]
        assert CANARY not in str([row.__dict__ for row in logged])
    for role, status in (("customer_support", 403), ("loan_officer", 403), ("other_manager", 404)):
        client = kudi.client(role)
        assert client.get(kudi.url(f"customers/{own.pk}/notes/")).status_code == status
        assert client.get(kudi.url(f"notes/{note.pk}/edit/")).status_code == 404
    assert CANARY not in page(kudi, "customer_support", path="")
    assert world.rival.client("super_admin").get(world.rival.url(f"notes/{note.pk}/edit/")).status_code == 404
    with organization_context(world.rival.organization.pk):
        assert not Note.objects.exists()
        assert not NoteFile.objects.exists()


def test_pinned_ones_first_and_the_same_statements_for_many(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    client, url = kudi.client("admin"), kudi.url(f"customers/{own.pk}/notes/")

    def more(count: int, **facts: Any) -> None:
        with organization_context(kudi.organization.pk):
            for _ in range(count):
                row = factories.note(Customer.objects.get(pk=own.pk), kudi["account_manager"], file="a.pdf", **facts)
                NoteMention.objects.create(note=row, member=kudi["admin"])

    more(1, is_pinned=True)
    client.get(url)
    few = statements(client, url)
    assert len(few) <= 8
    more(29)
    assert len(statements(client, url)) == len(few)
    shown: list[Any] = []
    while url:
        context = client.get(url).context
        shown += [line.note for line in context["lines"]]
        url = context["older_url"]
    assert len(shown) == len({each.pk for each in shown}) == 30
    assert [each.is_pinned for each in shown] == [True] + [False] * 29


def test_the_list_offers_to_add_a_note_where_it_is_allowed(world: World) -> None:
    kudi = world.kudi
    html = words(kudi.client("customer_support").get(kudi.url("customers/")))
    assert f"customers/{kudi.customers['free'].pk}/notes/new/" in html
    assert f"customers/{kudi.customers['own'].pk}/notes/new/" not in html
