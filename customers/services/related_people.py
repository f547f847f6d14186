"""Next of kin and guarantors. The audit log says of their details that they changed, and never what they were."""

from __future__ import annotations

from typing import Any, Final, TypedDict

from django.db import transaction

from audit.services import record
from audit.verbs import Verb
from customers.activity import WITHHELD
from customers.errors import TooManyPeople
from customers.models import Customer, RelatedPerson
from customers.papers import find_related_person, lock_paper, related_people
from customers.policy import lock_customer, require
from lendconsole.errors import StaleVersion
from teams.capabilities import Capability
from teams.models import Member

MOST: Final = 10


class RelatedPersonFacts(TypedDict):
    """The phone in E.164."""

    name: str
    relationship: str
    phone: str
    address: str


@transaction.atomic
def add_related_person(*, actor: Member, customer: Customer, kind: str, facts: RelatedPersonFacts) -> RelatedPerson:
    """Raises NotVisible, PermissionMissing or TooManyPeople."""
    customer = lock_customer(actor, Capability.CUSTOMERS_VIEW, customer)
    require(actor, Capability.CUSTOMERS_EDIT, customer)
    if related_people(customer).count() >= MOST:
        raise TooManyPeople(f"{customer.name} has {MOST} people on record. Remove one of them first.")
    person = RelatedPerson.objects.create(
        organization=actor.organization, customer=customer, kind=RelatedPerson.Kind(kind), **facts
    )
    _record(actor, person, before={}, after={person.kind: WITHHELD})
    return person


@transaction.atomic
def change_related_person(
    *, actor: Member, person: RelatedPerson, version: int, facts: RelatedPersonFacts
) -> RelatedPerson:
    """Raises NotVisible, PermissionMissing or StaleVersion. The same facts again change nothing."""
    person = _lock(actor, person)
    changed = [name for name, value in facts.items() if getattr(person, name) != value]
    if not changed:
        return person
    if person.version != version:
        raise StaleVersion(
            f"Somebody else changed {person.name} after you opened this page, so nothing of yours was saved. "
            "Open the page again to see the newest details."
        )
    before = _written(person, changed)
    for name in changed:
        setattr(person, name, facts[name])  # type: ignore[literal-required]  # its own keys
    person.version += 1
    person.save(update_fields=[*changed, "version"])
    _record(actor, person, before=before, after=_written(person, changed))
    return person


@transaction.atomic
def remove_related_person(*, actor: Member, person: RelatedPerson) -> None:
    """Raises NotVisible or PermissionMissing."""
    person = _lock(actor, person)
    _record(actor, person, before={person.kind: WITHHELD}, after={person.kind: ""})
    person.delete()


def _lock(actor: Member, person: RelatedPerson) -> RelatedPerson:
    person = lock_paper(find_related_person, actor, person)
    require(actor, Capability.CUSTOMERS_EDIT, person.customer)
    return person


def _written(person: RelatedPerson, names: list[str]) -> dict[str, str]:
    return {f"{person.kind}_{name}": WITHHELD if getattr(person, name) else "" for name in names}


def _record(actor: Member, person: RelatedPerson, *, before: dict[str, Any], after: dict[str, Any]) -> None:
    record(actor=actor, verb=Verb.CUSTOMER_CHANGED, target=person.customer, before=before, after=after)
