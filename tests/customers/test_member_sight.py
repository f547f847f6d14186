"""The member page says how many customers the permissions come to, by the rule itself."""

from __future__ import annotations

import pytest

from tests.teams.support import inside
from tests.world import World


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("admin", "4 customers to find and 4 customers to open in full"),
        ("loan_officer", "4 customers to find and 1 customer to open in full"),
        ("customer_support", "4 customers to find and 2 customers to open in full"),
        ("account_manager", "1 customer to find and 1 customer to open in full"),
        ("no_users_unit", ""),
        ("deactivated", ""),
    ],
)
def test_counts(world: World, who: str, sentence: str) -> None:
    kudi = world.kudi
    with inside(kudi):
        path = kudi.url(f"settings/members/{kudi[who].pk}/profile/")
    page = " ".join(kudi.client("super_admin").get(path).content.decode().split())
    assert ("to open in full" in page) is bool(sentence)
    assert sentence in page
    without = kudi.client("no_users_unit").get(path).content.decode()
    assert "to open in full" not in without
