"""The documents that wait for review, for those who review them; and the e-mail to who uploaded what is declined."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import Customer, Document
from customers.policy import may
from customers.services.account_managers import assign_account_manager
from customers.services.documents import remove_document, review_document
from lendconsole.tenancy import organization_context
from notifications.letters import Undeliverable, find_letter
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from teams.capabilities import Capability
from tests import factories
from tests.customers.pages import HTMX, words
from tests.pages import statements
from tests.world import ROLES, Lender, World

COUNT = '<span class="sidebar-count">'


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk):
        yield world.kudi


def bring(lender: Lender, key: str, role: str = "deactivated", count: int = 1) -> None:
    """Documents that wait; the later one is brought, the longer it has waited."""
    with organization_context(lender.organization.pk):
        for _ in range(count):
            waits = timedelta(hours=Document.objects.count())
            factories.document(lender.customers[key], lender[role], uploaded_at=timezone.now() - waits)


def listed(lender: Lender, role: str) -> list[Document]:
    response = lender.client(role).get(lender.url("documents/"))
    assert response.status_code == 200
    return [line.document for line in response.context["lines"]]


def declined(lender: Lender, role: str = "account_manager", key: str = "own") -> OutgoingEmail:
    document = factories.document(lender.customers[key], lender[role])
    review_document(actor=lender["admin"], document=document, is_approved=False, reason="BVN 22100000002 is not hers")
    return OutgoingEmail.objects.get()


def test_each_reviewer_finds_those_they_may_decide(world: World) -> None:
    kudi = world.kudi
    for key in kudi.customers:
        bring(kudi, key)
    bring(world.rival, "own")
    for role in ("super_admin", "admin", "account_manager", "other_manager", "loan_officer"):
        found = {document.pk for document in listed(kudi, role)}
        with organization_context(kudi.organization.pk):
            needed = (Capability.CUSTOMERS_VIEW, Capability.DOCUMENTS_REVIEW)
            expected = {
                document.pk
                for document in Document.objects.select_related("customer")
                if all(may(kudi[role], capability, document.customer) for capability in needed)
            }
        assert found == expected, role
        assert found
    for role in ("compliance", "customer_support", "no_users_unit"):
        assert kudi.client(role).get(kudi.url("documents/")).status_code == 403


def test_reaches_that_differ_are_all_asked(kudi: Lender) -> None:
    """Who reviews everywhere and opens their own customers alone finds the papers of those."""
    for key in ("own", "free"):
        bring(kudi, key)
    role = factories.RoleFactory(
        organization=kudi.organization,
        reaches={"customers.find": "organization", "customers.view": "own", "documents.review": "organization"},
    )
    reviewer = factories.MemberFactory(organization=kudi.organization, role=role, office=kudi.branch)
    assert not Document.objects.reviewable_by(reviewer).exists()
    assign_account_manager(actor=kudi["admin"], customer=kudi.customers["free"], manager=reviewer)
    assert [each.customer for each in Document.objects.reviewable_by(reviewer)] == [kudi.customers["free"]]


def test_reviewed_ones_wait_no_longer_and_the_oldest_comes_first(world: World) -> None:
    kudi = world.kudi
    bring(kudi, "own", count=3)
    first, *rest = listed(kudi, "admin")
    assert first.uploaded_at < rest[0].uploaded_at < rest[1].uploaded_at
    with organization_context(kudi.organization.pk):
        review_document(actor=kudi["admin"], document=first, is_approved=True)
    assert listed(kudi, "admin") == rest


def test_each_line_leads_to_the_document_and_to_its_review(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    bring(kudi, "own")
    client = kudi.client("admin")
    (line,) = client.get(kudi.url("documents/")).context["lines"]
    assert f'id="document-{line.document.pk}"' in words(client.get(line.url))
    assert line.url.partition("?")[0] == kudi.url(f"customers/{own.pk}/documents/")
    assert client.get(line.review_url).status_code == 200
    behind = {**HTMX, "HX-Current-URL": f"http://testserver{kudi.url('documents/')}"}
    answer = client.post(line.review_url, {"decision": "approve"}, headers=behind)
    assert answer["HX-Redirect"] == kudi.url("documents/")
    html = words(client.get(kudi.url("documents/")))
    assert "Identity card of Own T1-Borrower is approved." in html
    assert "No document waits for you." in html


def test_nobody_is_asked_to_review_what_they_uploaded(world: World) -> None:
    kudi = world.kudi
    bring(kudi, "own", "account_manager")
    html = words(kudi.client("account_manager").get(kudi.url("documents/")))
    assert "You uploaded this" in html
    assert "Review<" not in html
    assert COUNT not in html
    assert "You uploaded this" not in words(kudi.client("admin").get(kudi.url("documents/")))


@pytest.mark.parametrize(("role", "count"), [("admin", 3), ("account_manager", 2), ("loan_officer", 1)])
def test_the_menu_counts_what_the_member_can_decide(world: World, role: str, count: int) -> None:
    kudi = world.kudi
    for key in ("own", "own", "free"):
        bring(kudi, key)
    bring(kudi, "own", "admin" if role == "admin" else role)
    html = words(kudi.client(role).get(kudi.url("customers/")))
    assert f'{COUNT}{count}<span class="visually-hidden"> to review</span>' in html


@pytest.mark.parametrize("role", ROLES)
def test_what_waits_costs_reviewers_one_statement_more(world: World, role: str) -> None:
    kudi = world.kudi
    client, url = kudi.client(role), kudi.url("")
    client.get(url)
    few = len(statements(client, url))
    bring(kudi, "own")
    is_reviewer = role in ("super_admin", "admin", "account_manager", "loan_officer")
    assert len(statements(client, url)) == few + is_reviewer


def test_the_list_asks_the_same_for_few_and_many(world: World) -> None:
    kudi, client = world.kudi, world.kudi.client("loan_officer")
    bring(kudi, "free")
    client.get(kudi.url("documents/"))
    few = statements(client, kudi.url("documents/"))
    assert len(few) <= 8
    bring(kudi, "free", count=54)
    assert len(statements(client, kudi.url("documents/"))) == len(few)
    url, shown = kudi.url("documents/"), []
    while url:
        context = client.get(url).context
        shown += [line.document.pk for line in context["lines"]]
        url = context["older_url"]
    assert len(shown) == len(set(shown)) == 55
    assert shown == sorted(shown, reverse=True)


def test_the_list_reads_the_queue_by_its_index(kudi: Lender) -> None:
    rows = Document.objects.reviewable_by(kudi["loan_officer"]).order_by("uploaded_at", "id")[:50]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    assert "customers_document_queue" in rows.explain()


def test_a_decline_is_told_to_who_uploaded_it(kudi: Lender) -> None:
    email = declined(kudi)
    manager, own = kudi["account_manager"], kudi.customers["own"]
    assert (email.kind, email.recipient) == ("customers/document_declined", manager.user.email)
    body = render_body(email, kudi.organization)
    document = Document.objects.get()
    for text in (body.text, body.html):
        for said in (
            own.name,
            "Identity card",
            kudi["admin"].name,
            f"documents/?state=declined#document-{document.pk}",
        ):
            assert said in text.replace("&amp;", "&")
    assert "22100000002" not in f"{email.__dict__} {body}"


def test_an_approval_is_told_to_nobody(kudi: Lender) -> None:
    document = factories.document(kudi.customers["own"], kudi["account_manager"])
    review_document(actor=kudi["admin"], document=document, is_approved=True)
    assert not OutgoingEmail.objects.exists()


def test_the_letter_looks_again_before_it_leaves(kudi: Lender) -> None:
    email = declined(kudi, "loan_officer", "free")
    free: Customer = kudi.customers["free"]
    assign_account_manager(actor=kudi["admin"], customer=free, manager=kudi["account_manager"])
    with pytest.raises(Undeliverable, match="no longer sees"):
        find_letter(email.kind).build(email)
    remove_document(actor=kudi["admin"], document=Document.objects.get())
    with pytest.raises(Undeliverable, match="was removed"):
        find_letter(email.kind).build(email)


def test_who_does_not_want_the_letter_gets_none(kudi: Lender) -> None:
    email = declined(kudi)
    member = kudi["account_manager"]
    member.muted_emails = [email.kind]
    member.save(update_fields=["muted_emails"])
    with pytest.raises(Undeliverable, match="has switched off"):
        find_letter(email.kind).build(email)
