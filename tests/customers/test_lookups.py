"""Contact data that a card masks: found when it is typed in full, so often, and written down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from audit.models import AuditEvent
from customers.services import lookups
from customers.services.lookups import note_lookup
from lendconsole.tenancy import organization_context
from teams.capabilities import Capability, Reach
from tests import factories
from tests.customers.pages import HTMX, words
from tests.pages import statements
from tests.world import Lender, World


def search(lender: Lender, text: str, role: str = "customer_support", **options: Any) -> Any:
    """As a transaction of its own, which is over when the answer is there."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        return lender.client(role).get(lender.url("customers/"), {"q": text, **options.pop("query", {})}, **options)


def events(lender: Lender) -> list[AuditEvent]:
    with organization_context(lender.organization.pk):
        return list(AuditEvent.objects.filter(verb="customer.looked_up").order_by("pk"))


def names(response: Any) -> list[str]:
    return [customer.first_name for customer in response.context["customers"]]


@pytest.mark.parametrize("role", ["customer_support", "loan_officer"])
def test_masked_contact_data_is_found_as_a_whole_only(world: World, role: str) -> None:
    kudi = world.kudi
    own = kudi.customers["own"]
    for whole in (own.phone, own.phone.replace("+234", "0"), own.email, own.email.upper()):
        assert names(search(kudi, whole, role)) == ["Own"]
    for part in (own.phone[-4:], own.phone[:-1], own.phone.replace("+234", "0")[:-1], own.email[:-1], own.email[:5]):
        assert "Own" not in names(search(kudi, part, role)), part


def test_a_look_up_is_written_down_without_what_was_asked(world: World) -> None:
    kudi = world.kudi
    own = kudi.customers["own"]
    search(kudi, own.phone)
    search(kudi, own.email)
    search(kudi, "nobody@mail.example")
    by_phone, by_email, in_vain = events(kudi)
    assert (by_phone.target_id, by_phone.actor_id) == (own.pk, kudi["customer_support"].pk)
    assert (by_phone.after, by_email.after) == (
        {"by": "phone number", "found": "one customer"},
        {"by": "e-mail address", "found": "one customer"},
    )
    assert (in_vain.target_type, in_vain.after["found"]) == ("accounts.organization", "nobody")
    for event in (by_phone, by_email, in_vain):
        assert own.phone[-6:] not in str(vars(event))
        assert "mail.example" not in str({**vars(event), "actor_label": ""})


def test_typing_and_turning_pages_is_one_look_up(world: World) -> None:
    kudi = world.kudi
    phone = kudi.customers["own"].phone
    for length in range(3, len(phone)):
        search(kudi, phone[:length], headers={**HTMX, "HX-Target": "results"})
    assert events(kudi) == []
    for _ in range(2):
        search(kudi, phone, headers={**HTMX, "HX-Target": "results"})
        search(kudi, phone, query={"panel": "quick"}, headers=HTMX)
    assert len(events(kudi)) == 1


def test_a_look_up_that_was_never_written_down_is_written_down_the_next_time(world: World) -> None:
    kudi = world.kudi
    phone = kudi.customers["own"].phone
    with organization_context(kudi.organization.pk):
        note_lookup(actor=kudi["customer_support"], text=phone)
        transaction.set_rollback(True)  # as the middleware does when the rest of the page breaks
    assert events(kudi) == []
    search(kudi, phone)
    assert len(events(kudi)) == 1


def test_what_is_open_or_no_contact_data_is_no_look_up(world: World) -> None:
    kudi = world.kudi
    for text in (kudi.customers["free"].phone, kudi.customers["free"].email, "Own", kudi.customers["own"].number):
        assert names(search(kudi, text))
    search(kudi, kudi.customers["own"].phone, "admin")
    search(kudi, kudi.customers["own"].phone, "account_manager")
    assert events(kudi) == []


def test_so_many_within_ten_minutes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    phone = kudi.customers["own"].phone
    monkeypatch.setattr(lookups, "MOST", 3)
    for number in range(3):
        assert search(kudi, f"nobody{number}@mail.example").status_code == 200
    refused = search(kudi, phone)
    assert (refused.status_code, names(refused), len(events(kudi))) == (429, [], 3)
    html = words(refused)
    assert "You looked up the contact data of 3 customers within 10 minutes. Wait until" in html
    assert f'value="{phone}"' in html
    assert "nobody0@mail.example" in words(search(kudi, "nobody0@mail.example"))  # asked before
    for options in ({"query": {"panel": "quick"}, "headers": HTMX}, {"headers": {**HTMX, "HX-Target": "results"}}):
        part = search(kudi, phone, **options)
        assert part.status_code == 200
        assert "You looked up the contact data" in words(part)
        assert "Own" not in words(part)
    assert names(search(kudi, "Own T1")) == ["Own"]
    assert names(search(kudi, phone, "loan_officer")) == ["Own"]
    with time_machine.travel(timezone.now() + timedelta(minutes=12)):
        assert names(search(kudi, phone)) == ["Own"]


def test_exports_and_bulk_changes_are_no_way_around(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MOST", 1)
    kudi = world.kudi
    reaches = {
        Capability.CUSTOMERS_FIND: Reach.ORGANIZATION,
        Capability.CUSTOMERS_EXPORT: Reach.ORGANIZATION,
        Capability.CUSTOMERS_CHANGE_STATUS: Reach.ORGANIZATION,
    }
    with organization_context(kudi.organization.pk):
        role = factories.RoleFactory(organization=kudi.organization, reaches=reaches)
        kudi.members["finder"] = factories.MemberFactory(organization=kudi.organization, role=role, office=kudi.head)
    client, phone = kudi.client("finder"), kudi.customers["own"].phone.replace("+", "%2B")
    search(kudi, "nobody@mail.example", "finder")
    export = client.get(kudi.url(f"customers/export/?q={phone}"))
    assert export.status_code == 403
    assert "You looked up the contact data" in words(export)
    change = words(client.get(kudi.url(f"customers/change/status/?all=1&list=q%3D%252B{phone[3:]}")))
    assert "You looked up the contact data" in change
    assert "1 customer<" not in change


def test_a_look_up_costs_three_statements(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("customer_support")
    client.get(kudi.url("customers/"))
    usual = len(statements(client, kudi.url("customers/?q=own")))
    assert len(statements(client, kudi.url(f"customers/?q={kudi.customers['own'].email}"))) == usual + 3
