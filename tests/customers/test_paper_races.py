"""Two people at the same paper at the same moment. Threads with connections of their own; nothing is rolled back."""

from __future__ import annotations

from functools import partial

import pytest

from customers.models import Document
from customers.services.documents import review_document
from tests import factories
from tests.teams.support import inside, together, verbs
from tests.world import Lender, build_lender

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kudi(transactional_db: None) -> Lender:
    return build_lender("kudi", "T1")


def test_one_of_two_reviewers_wins(kudi: Lender) -> None:
    with inside(kudi):
        document = factories.document(kudi.customers["own"], kudi["account_manager"])
    approve = partial(review_document, actor=kudi["admin"], document=document, is_approved=True)
    decline = partial(
        review_document, actor=kudi["super_admin"], document=document, is_approved=False, reason="Too dark"
    )
    outcomes = together(kudi, *[approve, decline] * 5)
    assert outcomes == {"done": 1, "AlreadyReviewed": 9}
    with inside(kudi):
        assert len(verbs()) == 1
        assert verbs()[0].removeprefix("document.") == Document.objects.get().state
