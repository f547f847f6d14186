"""Two hands at the saved views of one member at the same moment. Threads with connections of their own; nothing is rolled back."""

from __future__ import annotations

from functools import partial

import pytest

from customers.models import SavedView
from customers.services.views import change_view, save_view
from tests.teams.support import inside, together
from tests.world import Lender, build_lender

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kudi(transactional_db: None) -> Lender:
    return build_lender("kudi", "T1")


def test_a_name_is_taken_once(kudi: Lender) -> None:
    admin = kudi["admin"]
    with inside(kudi):
        views = [save_view(actor=admin, name=f"View {n}", is_shared=False, query="") for n in range(8)]
    outcomes = together(
        kudi, *(partial(change_view, actor=admin, view=view, name="Mine", is_shared=False) for view in views)
    )
    assert outcomes == {"done": 1, "ViewNameTaken": 7}
    with inside(kudi):
        assert SavedView.objects.filter(name="Mine").count() == 1
