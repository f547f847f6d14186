"""From ticked lines of the list to a page that says what will happen, and to what became of it."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import urlencode

import pytest

from customers.models import BulkChange, Customer, Export
from customers.tasks import make_export
from lendconsole.tenancy import organization_context
from tests.customers.bulk_support import by_hand, crowd, managers
from tests.customers.pages import HTMX, content_of, fresh, traces, words
from tests.pages import statements
from tests.world import Lender, World

ASSIGN, REMOVE, STATUS = (
    "customers/change/account-manager/",
    "customers/change/no-account-manager/",
    "customers/change/status/",
)


def ticked(lender: Lender, *keys: str) -> str:
    return "?" + urlencode([("customer", lender.customers[key].pk) for key in keys])


def posted(lender: Lender, address: str, role: str = "admin", **facts: Any) -> Any:
    """What the page would post if somebody filled these in."""
    client, url = lender.client(role), lender.url(address)
    form = client.get(url).context["form"]
    hidden = {name: form[name].value() for name in ("expected", "seen_at", "submission_key")}
    return client.post(url, {**hidden, **facts})


def test_the_list_offers_what_the_member_may_do_with_many(world: World) -> None:
    kudi = world.kudi

    def offered(role: str) -> list[str]:
        context = kudi.client(role).get(kudi.url("customers/")).context
        return [action.label for action in context["bulk_actions"]]

    assert offered("admin") == ["Account manager", "Remove account manager", "Change status", "Export"]
    assert offered("loan_officer") == ["Change status"]
    assert offered("compliance") == ["Export"]
    assert offered("customer_support") == []
    assert 'name="customer"' not in words(kudi.client("customer_support").get(kudi.url("customers/")))


def test_the_bar_says_how_many_match(world: World) -> None:
    kudi = world.kudi
    assert "that match" not in words(kudi.client("admin").get(kudi.url("customers/")))
    crowd(kudi, 60)
    html = words(kudi.client("admin").get(kudi.url("customers/?q=crowd")))
    assert "All 60 that match" in html
    assert 'name="list" value="q=crowd"' in html


def test_the_page_says_exactly_whom_it_is_about(world: World) -> None:
    kudi = world.kudi
    html = words(kudi.client("admin").get(kudi.url(f"{ASSIGN}?all=1&list=q%3Dborrower")))
    assert "<strong>4 customers</strong>: “borrower”." in html
    assert (
        f"Account manager now: Nobody (2), {kudi['account_manager'].name} (1), {kudi['other_manager'].name} (1)."
        in html
    )
    html = words(kudi.client("admin").get(kudi.url(STATUS + ticked(kudi, "own", "free"))))
    assert "<strong>2 customers</strong>, ticked in the list." in html
    assert "Status now: Pending (2)." in html


def test_nobody_is_chosen(world: World) -> None:
    kudi = world.kudi
    response = kudi.client("admin").get(kudi.url(f"{REMOVE}?list=status%3Dactive"))
    assert "Nobody is chosen" in words(response)
    assert "Remove account managers" not in words(response)
    before = managers(kudi)
    assert kudi.client("admin").post(kudi.url(REMOVE), {"expected": 9, "seen_at": 9e9}).status_code == 422
    assert managers(kudi) == before


def test_a_mixed_choice_is_refused_before_and_after_the_press(world: World) -> None:
    kudi = world.kudi
    address = STATUS + ticked(kudi, "free", "distant")
    html = words(kudi.client("loan_officer").get(kudi.url(address)))
    assert "1 of these 2 customers is not yours to change: Distant T1-Borrower. Nobody was changed." in html
    assert ">Change status</button>" not in html
    response = posted(kudi, address, role="loan_officer", status="active")
    assert response.status_code == 422
    assert fresh(kudi, kudi.customers["free"]).status == "pending"


def test_customers_that_are_not_visible_do_not_exist(world: World) -> None:
    kudi = world.kudi
    for lender, key in ((kudi, "distant"), (world.rival, "own")):
        address = kudi.url(STATUS + ticked(lender, key))
        assert kudi.client("account_manager").get(address).status_code == 404


@pytest.mark.parametrize("customer", ["", "x", "-1", "9" * 30, "1,2", "\x00"])
def test_numbers_that_make_no_sense(world: World, customer: str) -> None:
    kudi = world.kudi
    response = kudi.client("admin").get(kudi.url(REMOVE), {"customer": customer})
    assert response.status_code in {200, 404}
    assert "Remove account managers</button>" not in words(response)


def test_an_account_manager_for_two(world: World) -> None:
    kudi = world.kudi
    manager = kudi["account_manager"]
    address = ASSIGN + ticked(kudi, "free", "distant")
    response = posted(kudi, address, office=kudi.branch.pk, manager=manager.pk, reason="Plan")
    assert response.status_code == 302
    html = words(kudi.client("admin").get(response["Location"]))
    assert f"2 customers now have {manager.name} as account manager." in html
    assert "Take it back" in html
    undone = kudi.client("admin").post(f"{response['Location']}undo/", follow=True)
    assert "2 customers are as before." in words(undone)
    assert "Take it back" not in words(kudi.client("admin").get(response["Location"]))
    again = kudi.client("admin").post(f"{response['Location']}undo/", follow=True)
    assert "This can no longer be taken back." in words(again)


def test_the_members_of_another_office_come_without_the_rest(world: World) -> None:
    kudi = world.kudi
    address = kudi.url(f"{ASSIGN}?all=1&list=office%3D{kudi.branch.pk}&office={kudi.other_branch.pk}")
    html = words(kudi.client("admin").get(address, headers={**HTMX, "HX-Target": "managers"}))
    assert html.startswith('<div id="managers">')
    assert kudi["other_manager"].name in html
    posted_back = kudi.client("admin").post(
        address, {"refresh": "1", "office": kudi.branch.pk, "expected": 2, "seen_at": 1}
    )
    assert kudi["account_manager"].name in words(posted_back)


def test_more_than_the_page_said_are_not_changed_until_it_says_so(world: World) -> None:
    kudi = world.kudi
    address = kudi.url(f"{REMOVE}?all=1")
    client = kudi.client("admin")
    form = client.get(address).context["form"]
    facts = {name: form[name].value() for name in ("expected", "seen_at", "submission_key")}
    crowd(kudi, 2, kudi["other_manager"])
    refused = client.post(address, facts)
    assert refused.status_code == 422
    assert "There are now 6 customers, not 4 as this page said." in words(refused)
    form = refused.context["form"]
    facts = {name: form[name].value() for name in ("expected", "seen_at", "submission_key")}
    assert client.post(address, facts).status_code == 302


def test_a_reason_that_is_missing_keeps_what_was_typed(world: World) -> None:
    kudi = world.kudi
    before = traces(kudi)
    response = posted(kudi, f"{STATUS}?all=1", status="blacklisted")
    assert response.status_code == 422
    assert "Say why the customer becomes blacklisted." in words(response)
    assert response.context["form"]["status"].value() == "blacklisted"
    assert traces(kudi) == before


def test_a_second_press_does_it_once(world: World) -> None:
    kudi = world.kudi
    client, address = kudi.client("admin"), kudi.url(f"{REMOVE}?all=1")
    form = client.get(address).context["form"]
    facts = {name: form[name].value() for name in ("expected", "seen_at", "submission_key")}
    locations = {client.post(address, facts)["Location"] for _ in range(2)}
    assert len(locations) == 1
    with organization_context(kudi.organization.pk):
        assert BulkChange.objects.count() == 1


def test_the_page_of_a_change_is_its_owners_alone(world: World) -> None:
    kudi = world.kudi
    location = posted(kudi, f"{REMOVE}?all=1")["Location"]
    assert kudi.client("super_admin").get(location).status_code == 404
    assert kudi.client("super_admin").post(f"{location}undo/").status_code == 404
    assert world.rival.client("super_admin").get(location).status_code == 404


def test_a_change_that_waits_shows_how_far_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.services.bulk.AT_ONCE", 2)
    kudi = world.kudi
    location = posted(kudi, f"{REMOVE}?all=1")["Location"]
    html = words(kudi.client("admin").get(location))
    assert "The change waits for its turn." in html
    assert 'data-hx-trigger="every 1s"' in html


def test_those_that_are_ticked_are_exported(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("admin")
    address = kudi.url("customers/export/") + ticked(kudi, "own", "free") + "&list=status%3Dactive"
    assert "2 customers" in words(client.get(address))
    pk = int(client.post(address, {"format": "csv"})["Location"].rstrip("/").rpartition("/")[2])
    assert make_export(kudi.organization.pk, pk)
    with organization_context(kudi.organization.pk):
        export = Export.objects.get(pk=pk)
        assert export.words == "Chosen: 2 by hand"
        content = content_of(export)
    rows = list(csv.reader(io.StringIO(content)))
    assert {row[0] for row in rows[1:-1]} == {kudi.customers["own"].number, kudi.customers["free"].number}
    everybody = kudi.url("customers/export/?all=1&list=account_manager%3Dnobody")
    assert "2 customers</strong>, filtered by Account manager: Nobody" in words(client.get(everybody))


@pytest.mark.parametrize("role", ["admin", "loan_officer", "account_manager"])
@pytest.mark.parametrize("query", ["", "q=borrower", "status=pending", "account_manager=nobody", "attention=needed"])
def test_all_that_match_are_those_of_the_list(world: World, role: str, query: str) -> None:
    kudi = world.kudi
    listed = kudi.client(role).get(kudi.url(f"customers/?{query}")).context
    view = kudi.client(role).get(kudi.url(f"{STATUS}?{urlencode({'all': 1, 'list': query})}")).context
    with organization_context(kudi.organization.pk):
        allowed = Customer.objects.permitted(kudi[role], "customers.change_status")
        are_all = set(allowed.values_list("pk", flat=True)) >= {customer.pk for customer in listed["customers"]}
    assert bool(view["refusal"]) == (not are_all or not listed["customers"])
    assert view["count"] == len(listed["customers"])


def test_the_page_costs_as_much_for_many(world: World) -> None:
    kudi = world.kudi
    client, url = kudi.client("admin"), kudi.url(f"{ASSIGN}?all=1")
    client.get(url)
    few = len(statements(client, url))
    crowd(kudi, 60, kudi["account_manager"])
    assert len(statements(client, url)) == few


def test_chosen_by_hand_is_a_filter_of_the_list(world: World) -> None:
    kudi = world.kudi
    response = kudi.client("admin").get(kudi.url("customers/"), by_hand(kudi, "own", "free"))
    assert {customer.first_name for customer in response.context["customers"]} == {"Own", "Free"}
    assert "Remove the filter Chosen: 2 by hand" in words(response)
