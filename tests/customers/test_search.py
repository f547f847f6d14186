"""The steps of a search find what CustomerQuerySet.matching finds, in the same order, for everybody."""

from __future__ import annotations

import pytest

from customers import search
from customers.filters import Choices, Filters
from customers.models import Customer
from customers.readers import customer_page, quick_results
from customers.text import SearchTerm
from lendconsole.tenancy import organization_context
from teams.capabilities import Capability
from teams.models import RolePermission
from tests import factories
from tests.pages import statements
from tests.world import Lender, World, add_branch_head

ROLES = ["admin", "account_manager", "loan_officer", "customer_support", "branch_head"]
STEPS = [(3000, 1000), (20, 1000), (20, 40), (0, 10)]  # SOME and WALK
TERMS = ["ada okafor", "zainab", "ok", "c7@mail.example", "2345", "km-00", "_"]


@pytest.fixture
def borrowers(world: World) -> World:
    """Enough of them for several pages, a common first name at the far end of the alphabet, some held by the manager."""
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        for number in range(130):
            factories.CustomerFactory(
                organization=kudi.organization,
                office=kudi.branch if number % 3 else kudi.head,
                account_manager=kudi["account_manager"] if number % 5 == 0 else None,
                first_name="Zainab" if number > 60 else ("Ada", "Musa")[number % 2],
                last_name=("Okafor", "Bello", "Ibrahim")[number % 3],
                phone=f"+23480341{number:05}",
                email=f"c{number}@mail.example",
                number=f"KM-{number:06}",
            )
        add_branch_head(kudi)
        for customer in Customer.objects.filter(office=kudi.head, account_manager=None)[:10]:
            factories.dedicate(customer, kudi["branch_head"])
    return world


def _pages(lender: Lender, role: str, text: str, sort: str) -> list[int]:
    member, after, found = lender[role], "", []
    filters = Filters.parse({"q": text, "sort": sort}, member, Choices([], []))
    while True:
        page = customer_page(member, filters, after=after).page
        found += [customer.pk for customer in page.rows]
        after = page.after
        if not after:
            return found


@pytest.mark.parametrize("role", ROLES)
def test_every_step_finds_the_same(borrowers: World, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    kudi = borrowers.kudi
    member = kudi[role]
    with organization_context(kudi.organization.pk):
        for text in TERMS:
            term = SearchTerm.parse(text, "NG")
            assert term is not None
            rows = Customer.objects.visible_to(member).matching(member, term)
            for sort, order in {"name": ("name_key", "id"), "-joined": ("-joined_on", "-id")}.items():
                expected = list(rows.order_by(*order).values_list("pk", flat=True))
                for some, walk in STEPS:
                    monkeypatch.setattr(search, "SOME", some)
                    monkeypatch.setattr(search, "WALK", walk)
                    assert _pages(kudi, role, text, sort) == expected, (text, sort, some, walk)


def test_a_common_term_among_what_is_never_seen_finds_nobody(borrowers: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no customer opens in full, no segment is told."""
    monkeypatch.setattr(search, "SOME", 0)
    kudi = borrowers.kudi
    with organization_context(kudi.organization.pk):
        RolePermission.objects.filter(role=kudi["customer_support"].role, capability=Capability.CUSTOMERS_VIEW).delete()
    response = kudi.client("customer_support").get(kudi.url("customers/?q=zainab&segment=standard"))
    assert response.status_code == 200
    assert response.context["customers"] == []


def test_the_search_in_the_top_bar_takes_the_same_steps(borrowers: World, monkeypatch: pytest.MonkeyPatch) -> None:
    member = borrowers.kudi["customer_support"]
    with organization_context(borrowers.kudi.organization.pk):
        first = [customer.pk for customer in quick_results(member, "zainab")]
        assert len(first) == 8
        monkeypatch.setattr(search, "SOME", 0)
        assert [customer.pk for customer in quick_results(member, "zainab")] == first


def test_a_count_that_stopped_early_says_so(borrowers: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = borrowers.kudi
    address = kudi.url("customers/?q=zainab")
    assert kudi.client("admin").get(address).context["range_text"] == "1–50 of 69"
    monkeypatch.setattr(search, "SOME", 60)
    assert kudi.client("admin").get(address).context["range_text"] == "1–50 of 61+"


@pytest.mark.parametrize("role", ["customer_support", "branch_head"])
def test_a_common_term_takes_no_more_than_eight_statements(
    borrowers: World, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.setattr(search, "SOME", 0)
    kudi = borrowers.kudi
    client = kudi.client(role)
    client.get(kudi.url("customers/"))
    for walk in (10, 1000):
        monkeypatch.setattr(search, "WALK", walk)
        assert len(statements(client, kudi.url("customers/?q=zainab"))) <= 8
