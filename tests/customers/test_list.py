"""The list of customers: who is on it, what it tells, its filters, its pages and its cost."""

from __future__ import annotations

import base64
import json
from datetime import date
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import Organization
from customers.models import Customer
from lendconsole.tenancy import organization_context
from teams.capabilities import Capability, Reach
from tests import factories
from tests.customers.pages import HTMX, WRITTEN_SECRETS, hide_secrets_in, words
from tests.pages import statements
from tests.world import Lender, World

PARTS = {**HTMX, "HX-Target": "results"}


def names(client: Client, lender: Lender, **parameters: str) -> list[str]:
    response = client.get(lender.url("customers/"), parameters)
    assert response.status_code == 200
    return [customer.name for customer in response.context["customers"]]


def test_a_list_shows_what_the_rule_shows(world: World) -> None:
    kudi = world.kudi
    expected = {
        "admin": {"Free", "Own", "Distant", "Remote"},
        "customer_support": {"Free", "Own", "Distant", "Remote"},
        "account_manager": {"Own"},
        "other_manager": {"Distant"},
    }
    for role, first_names in expected.items():
        assert {name.split()[0] for name in names(kudi.client(role), kudi)} == first_names


def test_a_role_without_the_users_unit_has_no_list(world: World) -> None:
    response = world.kudi.client("no_users_unit").get(world.kudi.url("customers/"))
    assert response.status_code == 403
    assert "T1-Borrower" not in words(response)


@pytest.mark.parametrize("role", ["customer_support", "loan_officer"])
def test_card_rows_tell_nothing_that_the_card_masks(world: World, role: str) -> None:
    kudi, client = world.kudi, world.kudi.client(role)
    customer = hide_secrets_in(kudi, "distant")
    for query, headers in (("", {}), ("?q=Distant", {}), ("?q=Distant", PARTS), ("?q=Distant&panel=quick", HTMX)):
        html = client.get(kudi.url(f"customers/{query}"), headers=headers).content.decode()
        assert customer.name in html.replace("<mark>", "").replace("</mark>", "")
        assert "0803 *** **81" in html
        results = html.partition('id="results"')[2] or html  # the filters above name every segment
        assert not [secret for secret in WRITTEN_SECRETS if secret in results]


def test_the_segment_filter_does_not_tell_the_segment_of_cards(world: World) -> None:
    kudi = world.kudi
    customer = hide_secrets_in(kudi, "distant")
    assert customer.name in names(kudi.client("compliance"), kudi, segment="special_risk")
    assert customer.name not in names(kudi.client("customer_support"), kudi, segment="special_risk")


def test_filters_combine_and_stand_as_chips(world: World) -> None:
    kudi, admin = world.kudi, world.kudi.client("admin")
    response = admin.get(
        kudi.url("customers/"), {"office": kudi.branch.pk, "account_manager": "nobody", "q": "borrower"}
    )
    assert [customer.first_name for customer in response.context["customers"]] == ["Free"]
    html = words(response)
    assert "Remove the filter Office: Ikeja T1" in html
    assert "Remove the filter Account manager: Nobody" in html
    assert "Clear all" in html


def test_an_office_includes_those_below_it(world: World) -> None:
    kudi = world.kudi
    assert len(names(kudi.client("admin"), kudi, office=str(kudi.head.pk))) == 4
    assert len(names(kudi.client("admin"), kudi, office=str(kudi.other_branch.pk))) == 2


def test_the_account_manager_filter(world: World) -> None:
    kudi, admin = world.kudi, world.kudi.client("admin")
    assert names(admin, kudi, account_manager=str(kudi["other_manager"].pk)) == [kudi.customers["distant"].name]
    assert names(admin, kudi, account_manager="me") == []
    assert len(names(admin, kudi, account_manager="nobody")) == 2
    assert names(kudi.client("account_manager"), kudi, account_manager="me") == [kudi.customers["own"].name]


def test_the_day_of_joining_filters_on_both_ends(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["free"].pk).update(joined_on=date(2020, 5, 1))
    admin = kudi.client("admin")
    assert names(admin, kudi, joined_from="2020-05-01", joined_to="2020-05-01") == [kudi.customers["free"].name]
    assert len(names(admin, kudi, joined_from="2020-05-02")) == 3


@pytest.mark.parametrize(
    "query",
    [
        "status=wrong",
        "status=%00",
        "segment=<script>",
        "office=99999999999999999999999999",
        "office=-1",
        "office=abc",
        "account_manager=0x10",
        "account_manager=%D9%A3",
        "joined_from=2024-13-45",
        "joined_to=yesterday",
        "joined_to=99999-01-01",
        "office=1&office=2&office=x",
    ],
)
def test_a_filter_that_makes_no_sense_is_left_out_and_said(world: World, query: str) -> None:
    response = world.kudi.client("admin").get(world.kudi.url(f"customers/?{query}"))
    assert response.status_code == 200
    if query != "status=%00":
        assert "Left out" in words(response)
    assert "<script>" not in words(response).split("<main")[1]


def test_an_office_or_member_of_another_lender_is_no_filter(world: World) -> None:
    kudi, rival = world.kudi, world.rival
    for parameter, row in (("office", rival.branch), ("account_manager", rival["account_manager"])):
        response = kudi.client("admin").get(kudi.url("customers/"), {parameter: row.pk})
        html = words(response)
        assert len(response.context["customers"]) == 4
        assert "T-2" not in html


def hostile_cursors() -> list[str]:
    def cursor(*values: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()

    return [
        "x",
        "\x00",
        "é" * 50,
        cursor(),
        cursor(1),
        cursor("a", "b"),
        cursor("a", 10**30),
        cursor("a", -(10**30)),
        cursor("\ud800", 1),
        cursor("a\x00", 1),
        cursor({"a": 1}, 1),
        cursor(None, 1),
        cursor(["a"], [1]),
        cursor(5, 5),
        cursor("2020-99-99", 5),
        base64.urlsafe_b64encode(b"[" * 50_000).decode(),
        base64.urlsafe_b64encode(b"9" * 10_000).decode(),
    ]


@pytest.mark.parametrize("cursor", hostile_cursors())
def test_a_broken_cursor_is_a_page_and_never_a_failure(world: World, cursor: str) -> None:
    admin = world.kudi.client("admin")
    for sort in ("name", "-joined"):
        for name in ("after", "before"):
            query = urlencode({"sort": sort, name: cursor, "page": "9" * 30})
            assert admin.get(world.kudi.url(f"customers/?{query}")).status_code == 200


@pytest.mark.parametrize(
    "text", ["%", "_", "'", '"; DROP', "\x00", "\\", "  ", "+", "+++++", "0" * 300, "é" * 300, "😀", "a" * 5000, "@"]
)
def test_any_search_is_answered(world: World, text: str) -> None:
    admin = world.kudi.client("admin")
    for headers, panel in (({}, {}), (PARTS, {}), (HTMX, {"panel": "quick"})):
        response = admin.get(world.kudi.url("customers/"), {"q": text, **panel}, headers=headers)
        assert response.status_code == 200


def many(lender: Lender, count: int) -> None:
    with organization_context(lender.organization.pk):
        for number in range(count):
            customer = factories.CustomerFactory(
                organization=lender.organization,
                office=lender.branch,
                first_name=f"Many{number:03d}",
                joined_on=date(2021, 1, 1 + number % 28),
                status=Customer.Status.values[number % 4],
            )
            if number % 2:
                factories.dedicate(customer, lender["account_manager"])


@pytest.mark.parametrize("role", ["admin", "customer_support", "loan_officer", "account_manager", "compliance"])
def test_a_list_costs_eight_statements_for_one_row_and_for_25(world: World, role: str) -> None:
    kudi, client = world.kudi, world.kudi.client(role)
    with organization_context(kudi.organization.pk):
        Customer.objects.exclude(pk=kudi.customers["own"].pk).update(first_name="Elsewhere")
    url = kudi.url("customers/?q=borrower&status=pending")
    client.get(url)
    few = statements(client, kudi.url("customers/?office="))
    found = statements(client, kudi.url("customers/?q=Own"))
    many(kudi, 50)
    assert len(few) == len(statements(client, kudi.url("customers/"))) <= 8
    assert len(found) == len(statements(client, kudi.url("customers/?q=many"))) <= 8
    assert len(statements(client, url)) <= 8
    assert len(statements(client, kudi.url("customers/?q=many"), headers=PARTS)) <= 8
    assert len(statements(client, kudi.url("customers/?q=many&panel=quick"), headers=HTMX)) <= 8


@pytest.mark.parametrize("sort", ["name", "-name", "joined", "-joined", "status", "-status"])
def test_the_pages_hold_every_row_once_in_order_and_lead_back(world: World, sort: str) -> None:
    kudi, admin = world.kudi, world.kudi.client("admin")
    many(kudi, 120)
    url, pages, seen = kudi.url(f"customers/?sort={sort}"), [], []
    while url:
        context = admin.get(url).context
        pages.append((context["range_text"], [customer.pk for customer in context["customers"]]))
        seen.extend(context["customers"])
        url = context["older_url"]
        back = context["newer_url"]
    assert [text for text, _ in pages] == ["1–50 of 124", "51–100 of 124", "101–124 of 124"]
    columns = {"name": ("name_key", "pk"), "joined": ("joined_on", "pk"), "status": ("status", "name_key", "pk")}
    keys = [tuple(getattr(c, column) for column in columns[sort.lstrip("-")]) for c in seen]
    assert keys == sorted(keys, reverse=sort.startswith("-"))
    assert len({customer.pk for customer in seen}) == 124
    middle = admin.get(back).context
    assert (middle["range_text"], [customer.pk for customer in middle["customers"]]) == pages[1]


@pytest.mark.parametrize(("sort", "word"), [("name", "Next"), ("joined", "Next"), ("-joined", "Older")])
def test_the_buttons_say_newer_and_older_where_the_newest_come_first(world: World, sort: str, word: str) -> None:
    many(world.kudi, 60)
    page = words(world.kudi.client("admin").get(world.kudi.url(f"customers/?sort={sort}")))
    assert [label for label in ("Next", "Older") if f">{label}<" in page] == [word]


def test_large_counts_are_capped_and_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    monkeypatch.setattr("customers.views.list.COUNT_CAP", 3)
    assert kudi.client("admin").get(kudi.url("customers/")).context["range_text"] == "1–4 of 3+"


def test_a_row_offers_what_the_member_may_do(world: World) -> None:
    kudi = world.kudi
    buttons = {"Add account manager", "Edit account manager", "Remove account manager", "Change status", "Edit<"}

    def offered(role: str, name: str) -> set[str]:
        html = words(kudi.client(role).get(kudi.url("customers/"), {"q": name}))
        table = html.partition("<tbody>")[2]
        return {button for button in buttons if button in table}

    assert offered("admin", "Own") == buttons - {"Add account manager"}
    assert offered("admin", "Free") == {"Add account manager", "Change status", "Edit<"}
    assert offered("account_manager", "Own") == {"Change status", "Edit<"}
    assert offered("customer_support", "Free") == set()
    assert offered("compliance", "Own") == set()
    assert offered("loan_officer", "Own") == set()


def test_the_links_of_a_row_lead_to_the_customer_whatever_the_lender_is_called(world: World) -> None:
    kudi, customer = world.kudi, world.kudi.customers["own"]
    Organization.objects.filter(pk=kudi.organization.pk).update(slug="lender-2010")
    page = kudi.client("admin").get("/o/lender-2010/customers/")
    addresses = {action.url for line in page.context["lines"] for action in line.actions if line.name == customer.name}
    assert addresses == {
        f"/o/lender-2010/customers/{customer.pk}/{part}"
        for part in ("", "edit/", "account-manager/", "account-manager/remove/", "notes/new/", "status/")
    }


def test_a_manager_of_another_office_is_marked(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["own"].pk).update(office=kudi.other_branch)
    html = words(kudi.client("admin").get(kudi.url("customers/?q=Own")))
    assert "in Ikeja T1" in html


def test_a_manager_who_cannot_act_any_more_is_marked(world: World) -> None:
    kudi = world.kudi
    kudi["other_manager"].status = "deactivated"
    with organization_context(kudi.organization.pk):
        kudi["other_manager"].save()
    assert "can no longer act here" in words(kudi.client("admin").get(kudi.url("customers/?q=Distant")))
    profile = kudi.client("admin").get(kudi.url(f"customers/{kudi.customers['distant'].pk}/"))
    assert "can no longer act here" in words(profile)


def test_an_empty_result_says_which_filters_are_on(world: World) -> None:
    kudi = world.kudi
    html = words(kudi.client("admin").get(kudi.url("customers/?q=zzz&status=blacklisted")))
    assert "Nobody fits “zzz”, Status: Blacklisted." in html
    assert "typed in full" not in html
    assert "typed in full" in words(kudi.client("customer_support").get(kudi.url("customers/?q=zzz")))


def test_a_lender_without_customers_is_told_how_to_begin(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        role = factories.RoleFactory(
            organization=kudi.organization,
            reaches={Capability.CUSTOMERS_FIND: Reach.OWN, Capability.CUSTOMERS_VIEW: Reach.OWN},
        )
        kudi.members["newcomer"] = factories.MemberFactory(
            organization=kudi.organization, role=role, office=kudi.branch
        )
    assert "dedicated to you" in words(kudi.client("newcomer").get(kudi.url("customers/")))


def test_searching_as_you_type_gets_the_results_alone_and_a_clean_address(world: World) -> None:
    kudi = world.kudi
    response = kudi.client("admin").get(kudi.url("customers/?q=own&status=&office="), headers=PARTS)
    html = words(response)
    assert html.lstrip().startswith('<div id="results">')
    assert response.headers["HX-Push-Url"] == kudi.url("customers/?q=own")


def test_the_quick_search_reads_out_the_manager(world: World) -> None:
    kudi = world.kudi
    own = kudi.customers["own"]
    response = kudi.client("customer_support").get(
        kudi.url("customers/"), {"q": own.phone, "panel": "quick"}, headers=HTMX
    )
    html = words(response)
    assert own.name in html
    assert kudi["account_manager"].name in html
    assert "Ikeja T1" in html
    assert "<html" not in html
    assert "Nobody found." in kudi.client("account_manager").get(
        kudi.url("customers/"), {"q": kudi.customers["distant"].phone, "panel": "quick"}, headers=HTMX
    ).content.decode()  # fmt: skip


def test_the_quick_search_shows_eight_at_most(world: World) -> None:
    kudi = world.kudi
    many(kudi, 12)
    response = kudi.client("admin").get(kudi.url("customers/?q=many&panel=quick"), headers=HTMX)
    assert words(response).count("<li>") == 8
