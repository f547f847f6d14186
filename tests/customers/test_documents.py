"""Documents of a customer: who brings, reviews, takes and removes them, and what a file must be."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from PIL import Image

from audit.models import AuditEvent
from customers.errors import AlreadyReviewed, DocumentThere, ReasonMissing
from customers.models import Customer, Document, StoredChunk, StoredFile
from customers.services.documents import remove_document, review_document, take_document, upload_document
from customers.uploads import MOST_BYTES, FileRefused
from lendconsole.errors import DomainError, NotVisible, PermissionMissing
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from teams.capabilities import Capability, Reach
from teams.models import Member
from tests import factories
from tests.customers.pages import traces, words
from tests.factories import PDF
from tests.pages import statements
from tests.world import Lender, World

CANARY = "T1-Passport-7f3a"


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk):
        yield world.kudi


def picture(format_: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(content, format_)
    return content.getvalue()


def upload(lender: Lender, role: str = "account_manager", key: str = "own", **facts: Any) -> Document:
    facts = {"type_": "identity", "file": io.BytesIO(facts.pop("content", PDF)), "name": f"{CANARY}.pdf", **facts}
    return upload_document(actor=lender[role], customer=lender.customers[key], **facts)


def refused(lender: Lender, error: type[DomainError], act: Callable[[], Any]) -> str:
    """Nothing is kept, changed, mailed or written down."""

    def state() -> list[Any]:
        return [traces(lender), list(Document.objects.order_by("pk").values()), StoredFile.objects.count()]

    before = state()
    with pytest.raises(error) as caught, transaction.atomic():
        act()
    assert state() == before
    return str(caught.value)


def last_event() -> AuditEvent:
    event = AuditEvent.objects.order_by("-pk").first()
    assert event is not None
    return event


def test_an_upload_waits_for_review(kudi: Lender) -> None:
    document = upload(kudi)
    assert document.state == Document.State.WAITING
    assert (document.file.name, document.file.size) == (f"{CANARY}.pdf", len(PDF))
    event = last_event()
    assert (event.verb, event.target_id, event.after) == (
        "document.uploaded",
        kudi.customers["own"].pk,
        {"document": "Identity card"},
    )
    assert CANARY not in str(event.__dict__)


def test_who_may_not_upload(kudi: Lender) -> None:
    for role, key, error in (
        ("customer_support", "own", PermissionMissing),
        ("customer_support", "free", PermissionMissing),
        ("loan_officer", "own", PermissionMissing),
        ("loan_officer", "remote", PermissionMissing),
        ("compliance", "own", PermissionMissing),
        ("other_manager", "own", NotVisible),
        ("account_manager", "free", NotVisible),
        ("no_users_unit", "own", NotVisible),
        ("deactivated", "own", NotVisible),
    ):
        refused(kudi, error, lambda role=role, key=key: upload(kudi, role, key))
    upload(kudi, "loan_officer", "free")


def test_the_permission_alone_opens_no_customer(kudi: Lender) -> None:
    """Documents are seen with the full profile: a role that finds customers and reviews everything gets nothing."""
    reaches = dict.fromkeys(
        (Capability.CUSTOMERS_FIND, Capability.DOCUMENTS_UPLOAD, Capability.DOCUMENTS_REVIEW), Reach.ORGANIZATION
    )
    role = factories.RoleFactory(organization=kudi.organization, reaches=reaches)
    kudi.members["clerk"] = factories.MemberFactory(organization=kudi.organization, role=role, office=kudi.branch)
    document = upload(kudi)
    refused(kudi, PermissionMissing, lambda: upload(kudi, "clerk", "free"))
    refused(kudi, NotVisible, lambda: review_document(actor=kudi["clerk"], document=document, is_approved=True))
    refused(kudi, NotVisible, lambda: take_document(actor=kudi["clerk"], pk=document.pk))


@pytest.mark.parametrize("name", ["a.pdf", "a.PDF", "../../etc/a.pdf", "C:\\papers\\a.pdf", "invoice.exe.pdf"])
def test_names_lose_their_path(kudi: Lender, name: str) -> None:
    kept = upload(kudi, name=name).file.name
    assert "/" not in kept
    assert "\\" not in kept
    assert kept.lower().endswith(".pdf")


@pytest.mark.parametrize(("format_", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("JPEG", "JPEG"), ("WEBP", "webp")])
def test_pictures_are_papers(kudi: Lender, format_: str, ending: str) -> None:
    assert upload(kudi, content=picture(format_), name=f"card.{ending}").file.size


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("word/document.xml", "<w/>")
    return content.getvalue()


HOSTILE = [
    ("page.html", b"<script>alert(1)</script>"),
    ("page.pdf", b"<script>alert(1)</script>"),
    ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    ("drawing.png", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    ("letter.docx", archive()),
    ("letter.pdf", archive()),
    ("card.jpg", picture("PNG")),
    ("card.png", picture("PNG")[:40]),
    ("card.gif", picture("GIF")),
    ("cut.pdf", b"%PDF-1.7\n"),
    ("late.pdf", b"GIF89a <html> %PDF-1.7 %%EOF"),
    ("nothing.pdf", b""),
    ("pdf", PDF),
    ("a.pdf.exe", PDF),
    ("a.pdf\x00.html", PDF),
    ("\u202efdp.html", PDF),
]


@pytest.mark.parametrize(("name", "content"), HOSTILE, ids=[repr(name) for name, _ in HOSTILE])
def test_what_is_no_paper_is_refused(kudi: Lender, name: str, content: bytes) -> None:
    assert "“" in refused(kudi, FileRefused, lambda: upload(kudi, name=name, content=content))


def test_a_file_has_at_most_ten_megabytes(kudi: Lender) -> None:
    most = PDF + b" " * (MOST_BYTES - len(PDF) - 6) + b"%%EOF\n"
    assert upload(kudi, content=most).file.size == MOST_BYTES
    assert "10 MB" in refused(kudi, FileRefused, lambda: upload(kudi, content=most + b" "))


def test_the_same_file_comes_once_unless_it_was_declined(kudi: Lender) -> None:
    document = upload(kudi)
    refused(kudi, DocumentThere, lambda: upload(kudi, "admin"))
    upload(kudi, type_="other")
    review_document(actor=kudi["admin"], document=document, is_approved=False, reason="Too dark")
    upload(kudi)


def test_somebody_else_reviews_it_once(kudi: Lender) -> None:
    document = upload(kudi)
    refused(
        kudi,
        PermissionMissing,
        lambda: review_document(actor=kudi["account_manager"], document=document, is_approved=True),
    )
    for role, error in (
        ("compliance", PermissionMissing),
        ("customer_support", NotVisible),
        ("loan_officer", NotVisible),
        ("other_manager", NotVisible),
        ("deactivated", NotVisible),
    ):
        refused(
            kudi,
            error,
            lambda role=role: review_document(actor=kudi[role], document=document, is_approved=True),
        )
    reviewed = review_document(actor=kudi["admin"], document=document, is_approved=True, reason="ignored")
    assert (reviewed.state, reviewed.reviewed_by, reviewed.reason) == ("approved", kudi["admin"], "")
    assert last_event().verb == "document.approved"
    said = refused(
        kudi,
        AlreadyReviewed,
        lambda: review_document(actor=kudi["super_admin"], document=document, is_approved=False, reason="No"),
    )
    assert said == f"{kudi['admin'].name} approved this document already."


def test_declining_says_why(kudi: Lender) -> None:
    document = upload(kudi)
    for reason in ("", "   "):
        refused(
            kudi,
            ReasonMissing,
            lambda reason=reason: review_document(
                actor=kudi["admin"], document=document, is_approved=False, reason=reason
            ),
        )
    review_document(actor=kudi["admin"], document=document, is_approved=False, reason="Expired in 2019")
    assert (last_event().verb, last_event().reason) == ("document.declined", "Expired in 2019")


def test_the_database_holds_four_eyes_too(kudi: Lender) -> None:
    document = upload(kudi)
    for facts in ({"state": "approved"}, {"state": "approved", "reviewed_by": document.uploaded_by}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Document.objects.filter(pk=document.pk).update(**facts)


def test_each_download_is_written_down(kudi: Lender) -> None:
    document = upload(kudi)
    for role in ("account_manager", "compliance"):
        assert take_document(actor=kudi[role], pk=document.pk) == document.file
    events = AuditEvent.objects.filter(verb="document.downloaded")
    assert [event.actor_id for event in events.order_by("pk")] == [kudi["account_manager"].pk, kudi["compliance"].pk]
    for role in ("customer_support", "loan_officer", "other_manager", "deactivated"):
        refused(kudi, NotVisible, lambda role=role: take_document(actor=kudi[role], pk=document.pk))


def test_removing_deletes_the_file_and_is_written_down(kudi: Lender) -> None:
    document = upload(kudi)
    for role, error in (("compliance", PermissionMissing), ("loan_officer", NotVisible)):
        refused(kudi, error, lambda role=role: remove_document(actor=kudi[role], document=document))
    remove_document(actor=kudi["account_manager"], document=document, reason="Wrong customer")
    assert not Document.objects.exists()
    assert not StoredChunk.objects.exists()
    event = last_event()
    assert (event.verb, event.reason, event.after) == (
        "document.removed",
        "Wrong customer",
        {"document": "Identity card"},
    )
    refused(kudi, NotVisible, lambda: remove_document(actor=kudi["admin"], document=document))


def test_who_uploaded_it_removes_it_only_while_it_waits(kudi: Lender) -> None:
    document = upload(kudi, "loan_officer", "free")
    reviewer = factories.RoleFactory(
        organization=kudi.organization,
        reaches=dict.fromkeys(
            (Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW, Capability.DOCUMENTS_UPLOAD), Reach.ORGANIZATION
        ),
    )
    clerk: Member = factories.MemberFactory(organization=kudi.organization, role=reviewer, office=kudi.branch)
    own = upload_document(
        actor=clerk, customer=kudi.customers["free"], type_="other", file=io.BytesIO(PDF), name="a.pdf"
    )
    refused(kudi, PermissionMissing, lambda: remove_document(actor=clerk, document=document))
    review_document(actor=kudi["admin"], document=own, is_approved=True)
    refused(kudi, PermissionMissing, lambda: remove_document(actor=clerk, document=own))
    remove_document(actor=kudi["admin"], document=own)


def page(lender: Lender, role: str, path: str = "documents/", key: str = "own") -> str:
    response = lender.client(role).get(lender.url(f"customers/{lender.customers[key].pk}/{path}"))
    assert response.status_code == 200
    return words(response)


def post(lender: Lender, role: str, path: str, **data: Any) -> Any:
    return lender.client(role).post(lender.url(path), {"submission_key": str(uuid4()), **data})


def test_the_way_of_a_document(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    assert "No documents yet" in page(kudi, "compliance")
    path = f"customers/{own.pk}/documents/upload/"
    file = SimpleUploadedFile(f"{CANARY}.pdf", b"<html>", "application/pdf")
    again = post(kudi, "account_manager", path, type="payslip", file=file)
    assert again.status_code == 422
    assert "does not hold what its name says" in words(again)
    assert '<option value="payslip" selected>' in words(again)
    file = SimpleUploadedFile(f"{CANARY}.pdf", PDF, "text/html")
    assert post(kudi, "account_manager", path, type="payslip", file=file).status_code == 302
    with organization_context(kudi.organization.pk):
        document = Document.objects.get()
    assert "Approve or decline" not in page(kudi, "account_manager")
    html = page(kudi, "admin")
    for text in (CANARY, "Approve or decline", '1<span class="visually-hidden"> waiting for review', "Payslip"):
        assert text in html
    assert "waiting for review" in page(kudi, "compliance", path="")
    answer = kudi.client("compliance").get(kudi.url(f"documents/{document.pk}/file/"))
    assert b"".join(answer) == PDF
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"
    review = f"documents/{document.pk}/review/"
    assert post(kudi, "admin", review, decision="decline").status_code == 422
    assert post(kudi, "admin", review, decision="decline", reason="Too dark").status_code == 302
    assert "“Too dark”" in page(kudi, "account_manager")
    assert "waiting for review" not in page(kudi, "compliance", path="")
    assert "No document in this state." in page(kudi, "admin", path="documents/?state=approved")
    assert "Too dark" in page(kudi, "admin", path="documents/?state=nonsense")
    activity = page(kudi, "admin", path="activity/")
    for text in ("uploaded a document of", "declined a document of", "downloaded a document of", "Document: Payslip"):
        assert text in activity


def test_nothing_of_a_document_leaves_the_full_profile(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        document = upload(kudi)
        review_document(actor=kudi["admin"], document=document, is_approved=False, reason="Blurred")
    for role, status in (("customer_support", 403), ("loan_officer", 403), ("other_manager", 404)):
        client = kudi.client(role)
        for path in ("documents/", "documents/upload/"):
            assert client.get(kudi.url(f"customers/{own.pk}/{path}")).status_code == status
        assert client.get(kudi.url(f"documents/{document.pk}/file/")).status_code == 404
    card = page(kudi, "customer_support", path="")
    assert CANARY not in card
    assert "Documents" not in card
    assert world.rival.client("super_admin").get(world.rival.url(f"documents/{document.pk}/file/")).status_code == 404
    with organization_context(kudi.organization.pk):
        logged = str([event.__dict__ for event in AuditEvent.objects.all()])
        email = OutgoingEmail.objects.get()
        mailed = f"{email.__dict__} {render_body(email, kudi.organization)}"
        for text in (CANARY, "Blurred"):
            assert text not in mailed
        assert CANARY not in logged
    with organization_context(world.rival.organization.pk):
        assert not Document.objects.exists()


def test_the_tab_asks_the_same_for_few_and_many(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    client, url = kudi.client("admin"), kudi.url(f"customers/{own.pk}/documents/")

    def more(count: int) -> None:
        with organization_context(kudi.organization.pk):
            for _ in range(count):
                factories.document(Customer.objects.get(pk=own.pk), kudi["account_manager"])

    more(1)
    client.get(url)
    few = statements(client, url)
    assert len(few) <= 8
    more(29)
    assert len(statements(client, url)) == len(few)
    first = client.get(url)
    assert len(first.context["lines"]) == 25
    assert len(client.get(first.context["older_url"]).context["lines"]) == 5
