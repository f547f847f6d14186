"""The profile, the card, the activity of a customer, and the BVN."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from audit.verbs import Verb
from customers.models import Customer
from customers.services.account_managers import assign_account_manager
from customers.services.records import change_customer
from lendconsole.tenancy import organization_context
from tests import factories
from tests.customers.pages import HTMX, WRITTEN_SECRETS, fresh, hide_secrets_in, traces, words
from tests.pages import statements
from tests.world import Lender, World

BVN = "22406404018"


def page(lender: Lender, role: str, key: str, tab: str = "") -> str:
    response = lender.client(role).get(lender.url(f"customers/{lender.customers[key].pk}/{tab}"))
    assert response.status_code == 200
    return words(response)


def openings(lender: Lender) -> int:
    with organization_context(lender.organization.pk):
        return AuditEvent.objects.filter(verb="customer.opened").count()


def give_bvn(lender: Lender, key: str) -> Customer:
    with organization_context(lender.organization.pk):
        customer = lender.customers[key]
        change_customer(actor=lender["admin"], customer=customer, version=customer.version, facts={"bvn": BVN})
    return fresh(lender, customer)


@pytest.mark.parametrize("role", ["super_admin", "admin", "compliance", "account_manager"])
def test_a_profile_in_full(world: World, role: str) -> None:
    own = hide_secrets_in(world.kudi, "own")
    html = page(world.kudi, role, "own")
    for text in ("Personal information", "Employment", "Address", "Back office", "General details", "Activity"):
        assert text in html
    for text in (own.email, "0803 412 9981", "17 Canary Close", "29 Mar 1987", "₦123,456.00", "Special risk", "7788"):
        assert text in html


@pytest.mark.parametrize("role", ["customer_support", "loan_officer"])
def test_a_card_shows_back_office_and_no_secret(world: World, role: str) -> None:
    kudi = world.kudi
    hide_secrets_in(kudi, "own")
    html = page(kudi, role, "own")
    manager = kudi["account_manager"]
    assert f"Dedicated to {manager.name}. Ask {manager.user.first_name}." in html
    assert "0803 *** **81" in html
    assert "Back office" in html
    assert not [secret for secret in WRITTEN_SECRETS if secret in html]
    assert "Activity" not in html
    assert openings(kudi) == 0


def test_a_card_of_a_customer_of_nobody_says_why_it_is_one(world: World) -> None:
    html = page(world.kudi, "loan_officer", "remote")
    assert "your role does not open full profiles in Kano T1" in html


def test_a_card_has_no_activity(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    response = kudi.client("customer_support").get(kudi.url(f"customers/{own.pk}/activity/"))
    assert response.status_code == 403
    assert kudi["account_manager"].name in words(response)


def test_buttons_are_those_the_member_may_press(world: World) -> None:
    kudi = world.kudi
    assert "Edit account manager" in page(kudi, "admin", "own")
    assert "Add account manager" in page(kudi, "admin", "free")
    manager = page(kudi, "account_manager", "own")
    assert "Change status" in manager
    assert "Edit account manager" not in manager
    compliance = page(kudi, "compliance", "own")
    assert "Change status" not in compliance
    assert "account-manager/" not in compliance


def test_back_office_names_manager_since_and_assigner(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        assign_account_manager(
            actor=kudi["admin"], customer=kudi.customers["free"], manager=kudi["other_manager"], reason="Moved."
        )
    html = page(kudi, "admin", "free")
    assert f"assigned by {kudi['admin'].name}" in html
    assert "assigned by the system" in page(kudi, "admin", "own")
    assert "differs from the customer’s office, Ikeja T1" in html
    assert kudi["other_manager"].office.name in html


def test_back_office_shows_where_the_manager_sits_now(world: World) -> None:
    kudi = world.kudi
    kudi["account_manager"].office = kudi.other_branch
    with organization_context(kudi.organization.pk):
        kudi["account_manager"].save()
    assert "differs from the customer’s office" in page(kudi, "admin", "own")


def test_an_empty_back_office_says_so(world: World) -> None:
    html = page(world.kudi, "customer_support", "free")
    assert "No account manager yet" in html
    assert "Everyone whose reach covers Ikeja T1 can work with this customer." in html


def test_an_opening_is_audited_once_in_a_while(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    for tab in ("", "", "activity/", "edit/"):
        page(kudi, "account_manager", "own", tab)
    assert openings(kudi) == 1
    page(kudi, "admin", "own")
    assert openings(kudi) == 2
    with organization_context(kudi.organization.pk):
        event = AuditEvent.objects.filter(verb="customer.opened").first()
        assert event is not None
        assert (event.target_id, event.before, event.after) == (own.pk, {}, {})


def test_an_edit_page_counts_as_an_opening(world: World) -> None:
    page(world.kudi, "account_manager", "own", "edit/")
    assert openings(world.kudi) == 1


@pytest.mark.parametrize(("minutes", "count"), [(14, 1), (16, 2)])
def test_a_later_opening_is_audited_again(world: World, minutes: int, count: int) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        AuditEvent.objects.create(
            organization=kudi.organization,
            at=timezone.now() - timedelta(minutes=minutes),
            verb=Verb.CUSTOMER_OPENED,
            actor_id=kudi["admin"].pk,
            target_type="customers.customer",
            target_id=kudi.customers["own"].pk,
        )
    page(kudi, "admin", "own")
    assert openings(kudi) == count


@pytest.mark.parametrize("role", ["admin", "account_manager", "customer_support", "loan_officer", "compliance"])
def test_a_profile_costs_eight_statements(world: World, role: str) -> None:
    kudi = world.kudi
    client = kudi.client(role)
    client.get(kudi.url("customers/"))
    for key in ("own", "free") if role != "account_manager" else ("own",):
        url = kudi.url(f"customers/{kudi.customers[key].pk}/")
        assert len(statements(client, url)) <= 8
        assert len(statements(client, url)) <= 7


def test_activity_tells_what_happened_in_words(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        change_customer(
            actor=kudi["admin"],
            customer=own,
            version=1,
            facts={"first_name": "Owen", "address": "T1-New street", "phone": "+2348034129981"},
        )
        assign_account_manager(
            actor=kudi["super_admin"], customer=own, manager=kudi["other_manager"], reason="Asked for it."
        )
    html = page(kudi, "admin", "own", "activity/")
    for text in (
        f"<b>{kudi['admin'].name}</b> changed the details of Owen",
        "First name changed",
        "Address changed",
        "0803 *** **81",
        "“Asked for it.”",
        f"Account manager: {kudi['account_manager'].name} → {kudi['other_manager'].name}",
        "Account managers so far",
        f"ended by {kudi['super_admin'].name}",
    ):
        assert text in html
    assert "T1-New street" not in html
    assert kudi["admin"].user.email not in html.partition("<main")[2]


def test_activity_is_paged_and_costs_the_same_for_many_lines(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    client = kudi.client("admin")
    url = kudi.url(f"customers/{own.pk}/activity/")
    client.get(url)
    few = len(statements(client, url))
    with organization_context(kudi.organization.pk):
        for minute in range(70):
            AuditEvent.objects.create(
                organization=kudi.organization,
                verb="customer.changed",
                actor_label="Somebody <x@example.com>",
                target_type="customers.customer",
                target_id=own.pk,
                target_label=str(own),
                at=timezone.now() + timedelta(minutes=minute),
            )
    assert len(statements(client, url)) == few
    shown = []
    while url:
        context = client.get(url).context
        shown += [entry.event.pk for entry in context["entries"]]
        url = context["older_url"]
    assert len(shown) == len(set(shown)) == 71
    assert client.get(kudi.url(f"customers/{own.pk}/activity/?after=%00&before=x")).status_code == 200


def test_activity_is_of_this_customer_alone(world: World) -> None:
    kudi = world.kudi
    page(kudi, "admin", "distant")
    html = page(kudi, "admin", "own", "activity/").partition("<main")[2]
    assert kudi.customers["distant"].name not in html


def test_a_bvn_is_masked_until_it_is_revealed(world: World) -> None:
    kudi = world.kudi
    own = give_bvn(kudi, "own")
    html = page(kudi, "account_manager", "own")
    assert BVN not in html
    assert "4018" in html
    assert "Reveal" in html
    url = kudi.url(f"customers/{own.pk}/bvn/")
    response = kudi.client("account_manager").post(url)
    assert BVN in words(response)
    assert response.headers["Cache-Control"] == "no-store"
    part = kudi.client("compliance").post(url, headers=HTMX).content.decode()
    assert BVN in part
    assert "<html" not in part
    with organization_context(kudi.organization.pk):
        events = AuditEvent.objects.filter(verb="customer.bvn_revealed")
        assert {event.actor_id for event in events} == {kudi["account_manager"].pk, kudi["compliance"].pk}
        assert BVN not in str([event.__dict__ for event in AuditEvent.objects.all()])


def test_a_reveal_is_a_post_by_those_who_may(world: World) -> None:
    kudi = world.kudi
    own = give_bvn(kudi, "own")
    url = kudi.url(f"customers/{own.pk}/bvn/")
    before = traces(kudi)
    assert kudi.client("account_manager").get(url).status_code == 405
    for role, status in (
        ("customer_support", 403),
        ("loan_officer", 403),
        ("other_manager", 404),
        ("no_users_unit", 404),
    ):
        response = kudi.client(role).post(url)
        assert response.status_code == status
        assert BVN not in words(response)
    assert traces(kudi) == before


def test_support_sees_the_last_digits_and_no_button(world: World) -> None:
    give_bvn(world.kudi, "free")
    html = page(world.kudi, "customer_support", "free")
    assert "4018" in html
    assert "Reveal" not in html


def test_a_customer_without_a_bvn_has_nothing_to_reveal(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=own.pk).update(bvn_encrypted="", bvn_fingerprint="", bvn_last_digits="")
    response = kudi.client("admin").post(kudi.url(f"customers/{own.pk}/bvn/"), follow=True)
    assert "has no BVN on record." in words(response)
    assert traces(kudi) == (1, 0)  # the profile it leads back to was opened


def test_hostile_values_are_shown_as_text(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    payload = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=own.pk).update(
            first_name=payload, employer=payload, address=payload, state=payload, status_reason=payload
        )
        factories.CustomerFactory(organization=kudi.organization, office=kudi.branch, first_name=payload)
    for path in (
        "customers/",
        f"customers/{own.pk}/",
        f"customers/{own.pk}/edit/",
        f"customers/{own.pk}/account-manager/",
    ):
        html = words(kudi.client("admin").get(kudi.url(path)))
        assert "<img src=x" not in html
