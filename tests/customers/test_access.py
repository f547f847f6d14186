"""The access rule, role by role (docs/architecture.md, "Who may see a customer")."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Cover, Customer, CustomerUserObjectPermission, TemporaryAccess
from customers.text import SearchTerm
from lendconsole.tenancy import organization_context
from teams.capabilities import Capability, Reach
from tests import factories
from tests.customers.pages import words
from tests.world import Lender, World

ALL = {"free", "own", "distant", "remote"}


def keys(lender: Lender, role: str, capability: Capability) -> set[str]:
    with organization_context(lender.organization.pk):
        found = set(Customer.objects.permitted(lender[role], capability).values_list("pk", flat=True))
    return {key for key, customer in lender.customers.items() if customer.pk in found}


@pytest.mark.parametrize(
    ("role", "find", "view"),
    [
        ("super_admin", ALL, ALL),
        ("admin", ALL, ALL),
        ("compliance", ALL, ALL),
        ("customer_support", ALL, {"free", "remote"}),
        ("loan_officer", ALL, {"free"}),
        ("account_manager", {"own"}, {"own"}),
        ("other_manager", {"distant"}, {"distant"}),
        ("no_users_unit", set(), set()),
        ("deactivated", set(), set()),
    ],
)
def test_each_role_finds_and_opens(world: World, role: str, find: set[str], view: set[str]) -> None:
    assert keys(world.kudi, role, Capability.CUSTOMERS_FIND) == find
    assert keys(world.kudi, role, Capability.CUSTOMERS_VIEW) == view


def test_without_exclusive_assignments_reach_alone_decides(world: World) -> None:
    world.kudi.organization.exclusive_assignments = False
    assert keys(world.kudi, "customer_support", Capability.CUSTOMERS_VIEW) == ALL
    assert keys(world.kudi, "loan_officer", Capability.CUSTOMERS_VIEW) == {"free", "own"}


def test_the_grant_alone_decides_what_is_own(world: World) -> None:
    with organization_context(world.kudi.organization.pk):
        CustomerUserObjectPermission.objects.filter(content_object=world.kudi.customers["own"]).delete()
    assert keys(world.kudi, "account_manager", Capability.CUSTOMERS_VIEW) == set()


def test_cover_counts_as_own_while_it_runs(world: World) -> None:
    kudi, now = world.kudi, timezone.now()
    with organization_context(kudi.organization.pk):
        cover = Cover.objects.create(
            covered=kudi["other_manager"], substitute=kudi["account_manager"], ends_at=now + timedelta(hours=1)
        )
    assert keys(kudi, "account_manager", Capability.CUSTOMERS_VIEW) == {"own", "distant"}
    with organization_context(kudi.organization.pk):
        Cover.objects.filter(pk=cover.pk).update(starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1))
    assert keys(kudi, "account_manager", Capability.CUSTOMERS_VIEW) == {"own"}


def test_temporary_access_widens_where_never_what(world: World) -> None:
    kudi, now = world.kudi, timezone.now()
    with organization_context(kudi.organization.pk):
        for role in ("customer_support", "no_users_unit"):
            TemporaryAccess.objects.create(
                customer=kudi.customers["own"],
                member=kudi[role],
                kind=TemporaryAccess.Kind.EMERGENCY,
                ends_at=now + timedelta(minutes=30),
                reason="The manager is on the road.",
            )
    assert keys(kudi, "customer_support", Capability.CUSTOMERS_VIEW) == {"free", "remote", "own"}
    assert keys(kudi, "customer_support", Capability.CUSTOMERS_EDIT) == set()
    assert keys(kudi, "no_users_unit", Capability.CUSTOMERS_FIND) == set()


def test_office_reach_covers_the_offices_below(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        team = factories.OfficeFactory(organization=kudi.organization, parent=kudi.branch)
        kudi.customers["team"] = factories.CustomerFactory(organization=kudi.organization, office=team)
    assert keys(kudi, "loan_officer", Capability.CUSTOMERS_VIEW) == {"free", "team"}


def hire(lender: Lender, **reaches: Reach) -> None:
    """Somebody "new" in the branch whose role reaches so far over customers."""
    with organization_context(lender.organization.pk):
        held = {f"customers.{name}": reach for name, reach in reaches.items()}
        role = factories.RoleFactory(organization=lender.organization, reaches=held)
        lender.members["new"] = factories.MemberFactory(
            organization=lender.organization, role=role, office=lender.branch
        )


def test_oversight_of_an_office_opens_its_dedicated_customers(world: World) -> None:
    hire(world.kudi, find=Reach.ORGANIZATION, view=Reach.ORGANIZATION, oversee=Reach.OFFICE)
    assert keys(world.kudi, "new", Capability.CUSTOMERS_VIEW) == {"free", "own", "remote"}


def test_what_shows_more_than_the_card_reaches_no_farther_than_full_profiles(world: World) -> None:
    kudi = world.kudi
    everywhere = dict.fromkeys(("edit", "reveal", "data", "erase", "assign", "change_status"), Reach.ORGANIZATION)
    hire(kudi, find=Reach.ORGANIZATION, view=Reach.OFFICE, oversee=Reach.ORGANIZATION, **everywhere)
    for capability in (Capability.CUSTOMERS_EDIT, Capability.CUSTOMERS_REVEAL, Capability.CUSTOMERS_DATA):
        assert keys(kudi, "new", capability) == {"free", "own"}
    assert (
        keys(kudi, "new", Capability.CUSTOMERS_ASSIGN) == keys(kudi, "new", Capability.CUSTOMERS_CHANGE_STATUS) == ALL
    )
    client, remote = kudi.client("new"), kudi.customers["remote"]
    for path in ("edit/", "data/"):
        answer = client.get(kudi.url(f"customers/{remote.pk}/{path}"))
        assert answer.status_code == 403
        assert "your permission “Open full profiles” does not reach" in words(answer)
        assert remote.address not in words(answer)
    assert client.post(kudi.url(f"customers/{remote.pk}/bvn/")).status_code == 403
    assert client.get(kudi.url(f"customers/{kudi.customers['own'].pk}/edit/")).status_code == 200


def test_nothing_reaches_customers_who_are_not_found(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        paper = factories.document(kudi.customers["free"], kudi["admin"])
    hire(kudi, find=Reach.OWN, view=Reach.ORGANIZATION, assign=Reach.ORGANIZATION)
    assert keys(kudi, "new", Capability.CUSTOMERS_VIEW) == keys(kudi, "new", Capability.CUSTOMERS_ASSIGN) == set()
    assert kudi.client("new").get(kudi.url(f"documents/{paper.pk}/file/")).status_code == 404


@pytest.mark.parametrize("role", ["super_admin", "customer_support", "loan_officer", "account_manager", "compliance"])
def test_the_description_of_a_row_agrees_with_the_rule(world: World, role: str) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        member = kudi[role]
        rows = Customer.objects.visible_to(member).with_access(member)
        assert {row.pk for row in rows if row.access == "full"} == set(
            Customer.objects.permitted(member, Capability.CUSTOMERS_VIEW).values_list("pk", flat=True)
        )
        assert {row.pk for row in rows if row.can_edit} == set(
            Customer.objects.permitted(member, Capability.CUSTOMERS_EDIT).values_list("pk", flat=True)
        )


def _term(text: str) -> SearchTerm:
    term = SearchTerm.parse(text, "NG")
    assert term is not None
    return term


def test_search_finds_every_spelling(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        customer = factories.CustomerFactory(
            organization=kudi.organization,
            office=kudi.branch,
            first_name="Adébáyọ̀",
            last_name="Ɗanjuma",
            phone="+2348034129981",
            email="bayo.d@mail.example",
            number="KM-000412",
        )
        for text in (
            "adebayo", "DANJUMA adeb", "bayo.d@", "bayo.d@mail.example", "0803 412 9981", "+234 803 412 9981",
            "234-803-4129981", "8034129981", "9981", "0803", "+234803", "km-000412", "000412", "ad",
        ):  # fmt: skip
            found = Customer.objects.visible_to(kudi["admin"]).matching(kudi["admin"], _term(text))
            assert customer in found, text


def test_the_last_digits_may_look_like_the_country_code(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        ending = factories.CustomerFactory(organization=kudi.organization, office=kudi.branch, phone="+2348034122345")
        other = factories.CustomerFactory(organization=kudi.organization, office=kudi.branch, phone="+2348034129985")
        found = Customer.objects.visible_to(kudi["admin"]).matching(kudi["admin"], _term("2345"))
        assert ending in found
        assert other not in found


def test_search_of_those_who_may_only_find_does_not_tell_what_the_card_masks(world: World) -> None:
    kudi = world.kudi
    support, own = kudi["customer_support"], kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        visible = Customer.objects.visible_to(support)
        assert own in visible.matching(support, _term("Own Borrower"))
        assert own in visible.matching(support, _term(own.phone))
        assert own in visible.matching(support, _term(own.email))
        assert own not in visible.matching(support, _term(own.phone[-5:]))
        assert own not in visible.matching(support, _term(own.email[:6]))
        assert kudi.customers["free"] in visible.matching(support, _term(kudi.customers["free"].email[:8]))


def test_no_rows_outside_the_own_organization(world: World) -> None:
    with organization_context(world.kudi.organization.pk):
        assert not Customer.objects.filter(pk=world.rival.customers["free"].pk).exists()
        assert set(Customer.objects.values_list("organization", flat=True)) == {world.kudi.organization.pk}
    assert not Customer.objects.exists()
