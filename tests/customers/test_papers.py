"""All papers of a customer together: what is read for an export of everything, and what erasing leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from customers.models import Customer, Document, Note, NoteFile, NoteMention, RelatedPerson, StoredChunk, StoredFile
from customers.papers import documents, files, notes, related_people
from customers.services.notes import add_note
from customers.services.papers import erase_papers
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from tests import factories
from tests.world import Lender, World

KEPT = (Document, Note, NoteFile, NoteMention, RelatedPerson, StoredFile, StoredChunk)


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk):
        for key in ("own", "free"):
            furnish(world.kudi, key)
        yield world.kudi


def furnish(lender: Lender, key: str) -> None:
    customer: Customer = lender.customers[key]
    factories.document(customer, lender["account_manager"])
    factories.note(customer, lender["account_manager"], file="statement.pdf")
    factories.related_person(customer)
    add_note(
        actor=lender["admin"],
        customer=customer,
        facts={"kind": "note", "text": "See this", "due_on": None},
        people=[lender["compliance"]],
    )


def counts() -> list[int]:
    return [model.objects.count() for model in KEPT]


def test_everything_that_is_kept_of_one_customer(kudi: Lender) -> None:
    own = kudi.customers["own"]
    assert [documents(own).count(), notes(own).count(), related_people(own).count()] == [1, 2, 1]
    assert sorted(file.name for file in files(own)) == ["passport.pdf", "statement.pdf"]


def test_erasing_leaves_nothing_of_one_customer_and_everything_of_others(kudi: Lender) -> None:
    before = counts()
    assert erase_papers(customer=kudi.customers["own"]) == 6
    assert counts() == [count // 2 for count in before]
    assert not files(kudi.customers["own"]).exists()
    assert files(kudi.customers["free"]).count() == 2
    states = OutgoingEmail.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["canceled", "pending"]
    kudi.customers["remote"].delete()
