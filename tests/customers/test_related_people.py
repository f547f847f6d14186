"""Next of kin and guarantors: who writes them down, and that nobody else learns of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import uuid4

import pytest
from django.db import transaction

from audit.models import AuditEvent
from customers.errors import TooManyPeople
from customers.models import Customer, RelatedPerson
from customers.services.related_people import (
    MOST,
    RelatedPersonFacts,
    add_related_person,
    change_related_person,
    remove_related_person,
)
from lendconsole.errors import DomainError, NotVisible, PermissionMissing, StaleVersion
from lendconsole.tenancy import organization_context
from tests import factories
from tests.customers.pages import traces, words
from tests.pages import statements
from tests.world import Lender, World

FACTS: RelatedPersonFacts = {
    "name": "T1-Canary Kin",
    "relationship": "T1-Canary-Aunt",
    "phone": "+2348034129981",
    "address": "T1-Canary Close",
}
SECRETS = ("Canary", "8034129981", "0803 412 9981")


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk):
        yield world.kudi


def add(lender: Lender, role: str = "account_manager", key: str = "own", kind: str = "guarantor") -> RelatedPerson:
    return add_related_person(actor=lender[role], customer=lender.customers[key], kind=kind, facts=FACTS)


def change(lender: Lender, person: RelatedPerson, role: str = "account_manager", **facts: Any) -> RelatedPerson:
    version = facts.pop("version", person.version)
    merged = cast(RelatedPersonFacts, {**FACTS, **facts})
    return change_related_person(actor=lender[role], person=person, version=version, facts=merged)


def refused(lender: Lender, error: type[DomainError], act: Callable[[], Any]) -> None:
    before = (traces(lender), list(RelatedPerson.objects.order_by("pk").values()))
    with pytest.raises(error), transaction.atomic():
        act()
    assert (traces(lender), list(RelatedPerson.objects.order_by("pk").values())) == before


def last_event() -> AuditEvent:
    event = AuditEvent.objects.order_by("-pk").first()
    assert event is not None
    return event


def test_the_log_says_that_and_not_what(kudi: Lender) -> None:
    person = add(kudi)
    assert last_event().after == {"guarantor": "withheld"}
    change(kudi, person, phone="", name="T1-Canary Other")
    assert last_event().before == {"guarantor_name": "withheld", "guarantor_phone": "withheld"}
    assert last_event().after == {"guarantor_name": "withheld", "guarantor_phone": ""}
    remove_related_person(actor=kudi["admin"], person=person)
    assert not RelatedPerson.objects.exists()
    logged = str([event.__dict__ for event in AuditEvent.objects.all()])
    assert not [secret for secret in SECRETS if secret in logged]


def test_who_may_not(kudi: Lender) -> None:
    person = add(kudi)
    for role, error in (
        ("compliance", PermissionMissing),
        ("customer_support", PermissionMissing),
        ("loan_officer", PermissionMissing),
        ("other_manager", NotVisible),
        ("deactivated", NotVisible),
    ):
        hidden = error if role == "compliance" else NotVisible
        refused(kudi, error, lambda role=role: add(kudi, role))
        refused(kudi, hidden, lambda role=role: change(kudi, person, role, name="X"))
        refused(kudi, hidden, lambda role=role: remove_related_person(actor=kudi[role], person=person))


def test_the_second_of_two_is_told(kudi: Lender) -> None:
    person = add(kudi)
    change(kudi, person, name="Ada Obi")
    refused(kudi, StaleVersion, lambda: change(kudi, person, name="Ada Eze", version=1))
    before = traces(kudi)
    change(kudi, person, name="Ada Obi", version=1)
    assert traces(kudi) == before


def test_there_are_a_few_of_them(kudi: Lender) -> None:
    for _ in range(MOST):
        add(kudi)
    refused(kudi, TooManyPeople, lambda: add(kudi))


def page(lender: Lender, role: str, path: str = "") -> str:
    response = lender.client(role).get(lender.url(f"customers/{lender.customers['own'].pk}/{path}"))
    assert response.status_code == 200
    return words(response)


def test_the_way_of_a_guarantor(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    client = kudi.client("account_manager")
    new = kudi.url(f"customers/{own.pk}/people/new/?kind=guarantor")
    assert '<option value="guarantor" selected>' in words(client.get(new))
    data = {"submission_key": str(uuid4()), **FACTS, "kind": "guarantor", "phone": "12"}
    answer = client.post(new, data)
    assert answer.status_code == 422
    assert FACTS["name"] in words(answer)
    for _ in range(2):
        assert client.post(new, {**data, "phone": "0803 412 9981"}).status_code == 302
    html = page(kudi, "compliance")
    for text in (FACTS["name"], FACTS["relationship"], "0803 412 9981", FACTS["address"], "Nobody is on record."):
        assert text in html
    assert "Add guarantor" not in html
    assert "Guarantor added" in page(kudi, "admin", "activity/")


def test_a_card_a_search_and_the_other_lender_know_nobody(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        person = add(kudi)
    for path in ("customers/?q=Canary", "customers/?q=08034129981", f"customers/{kudi.customers['own'].pk}/"):
        for role in ("customer_support", "admin") if "?" in path else ("customer_support",):
            html = words(kudi.client(role).get(kudi.url(path))).replace("?q=Canary", "").replace('value="Canary"', "")
            assert FACTS["name"] not in html
            assert "0803 412 9981" not in html
    assert world.rival.client("admin").get(world.rival.url(f"people/{person.pk}/edit/")).status_code == 404
    with organization_context(world.rival.organization.pk):
        assert not RelatedPerson.objects.exists()


def test_a_profile_costs_the_same_with_many(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    client, url = kudi.client("admin"), kudi.url(f"customers/{own.pk}/")
    client.get(url)
    few = statements(client, url)
    with organization_context(kudi.organization.pk):
        for _ in range(MOST):
            factories.related_person(Customer.objects.get(pk=own.pk))
    assert len(statements(client, url)) == len(few) <= 8
