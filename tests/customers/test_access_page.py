"""The tab "Access" of a customer."""

from __future__ import annotations

import pytest

from lendconsole.tenancy import organization_context
from tests import factories
from tests.customers.pages import words
from tests.pages import statements
from tests.world import Lender, World


def url(lender: Lender, key: str = "own", query: str = "") -> str:
    return lender.url(f"customers/{lender.customers[key].pk}/access/{query}")


def test_those_who_oversee_see_who_sees_the_customer(world: World) -> None:
    kudi = world.kudi
    html = words(kudi.client("compliance").get(url(kudi)))
    assert "4 can open Own T1-Borrower in full, 2 see the card alone" in html
    assert f"{kudi['account_manager'].name}<span" in html
    assert "Account manager since " in html
    assert f"Dedicated to {kudi['account_manager'].name}" in html
    assert kudi["other_manager"].name not in html


def test_a_searched_name_learns_what_is_missing(world: World) -> None:
    kudi = world.kudi
    html = words(kudi.client("admin").get(url(kudi, query="?q=other")))
    assert "Nobody of this name sees this customer." in html
    others = html.partition("Cannot see this customer")[2]
    assert kudi["other_manager"].name in others
    assert "for own customers alone" in others


@pytest.mark.parametrize("query", ["?show=bogus&page=zzz", "?page=99999", "?page=0", "?q=%00", "?show=nobody&q=a"])
def test_strange_addresses_get_the_page(world: World, query: str) -> None:
    assert world.kudi.client("admin").get(url(world.kudi, query=query)).status_code == 200


def test_a_page_that_cannot_be_is_the_first(world: World) -> None:
    client = world.kudi.client("admin")
    first = words(client.get(url(world.kudi)))
    assert words(client.get(url(world.kudi, query="?page=0"))).count("<tr") == first.count("<tr") > 1


def test_the_tab_is_for_those_who_oversee_the_customer(world: World) -> None:
    kudi = world.kudi
    tab = f'href="{url(kudi)}"'
    profile = kudi.url(f"customers/{kudi.customers['own'].pk}/")
    assert tab in words(kudi.client("compliance").get(profile))
    assert tab not in words(kudi.client("account_manager").get(profile))


def test_the_page_asks_the_same_for_few_and_many(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("admin")
    client.get(url(kudi))
    few = statements(client, url(kudi))
    with organization_context(kudi.organization.pk):
        for _ in range(25):
            factories.MemberFactory(organization=kudi.organization, role=kudi.roles["compliance"], office=kudi.head)
    assert len(statements(client, url(kudi))) == len(few)
