"""What a person may ask of the lender about their data, and how long the lender keeps it: export, legal hold, erasure, deletion.

Nothing here can be undone. docs/decisions/0014 says what erasure leaves.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import BinaryIO, Final

from django.db import transaction
from django.db.models import Exists
from django.utils import timezone

from audit.services import record
from audit.verbs import Verb
from customers.errors import CustomerKept, WrongConfirmation
from customers.models import Customer
from customers.personal_bundle import write_bundle
from customers.personal_data import about_customers
from customers.policy import lock_customer, require
from customers.services.account_managers import release_customer
from customers.services.papers import erase_papers
from teams.capabilities import Capability
from teams.models import Member

DELETED_WITHIN: Final = timedelta(days=30)
"""A customer who was added by mistake is noticed by then; later there is erasure."""


@transaction.atomic
def export_personal_data(*, actor: Member, customer: Customer) -> BinaryIO:
    """A ZIP, to be closed by the caller; each one is audited. Raises NotVisible or PermissionMissing."""
    require(actor, Capability.CUSTOMERS_DATA, customer)
    row = Customer.objects.select_related("organization").get(pk=customer.pk)
    record(actor=actor, verb=Verb.PERSONAL_DATA_EXPORTED, target=row)
    return write_bundle(row)


@transaction.atomic
def change_hold(*, actor: Member, customer: Customer, until: date | None, reason: str = "") -> Customer:
    """Keep the customer from erasure to the end of a day, or lift that. Raises NotVisible or PermissionMissing."""
    row = lock_customer(actor, Capability.CUSTOMERS_DATA, customer)
    if (row.held_until, row.hold_reason) == (until, reason):
        return row
    before, row.held_until, row.hold_reason = row.held_until, until, reason if until else ""
    row.save(update_fields=["held_until", "hold_reason", "updated_at"])
    after = {"held_until": until}
    record(actor=actor, verb=Verb.HOLD_CHANGED, target=row, before={"held_until": before}, after=after, reason=reason)
    return row


@transaction.atomic
def erase_customer(*, actor: Member, customer: Customer, confirmation: str, reason: str) -> Customer:
    """Take everything personal away for good, wherever it stands; number, office, dates and the log stay.

    Raises NotVisible, PermissionMissing, WrongConfirmation or CustomerKept.
    """
    row = _lock(actor, customer, confirmation)
    if why := why_not_erased(row):
        raise CustomerKept(why)
    release_customer(actor=actor, customer=row)
    record(actor=actor, verb=Verb.CUSTOMER_ERASED, target=row, reason=reason)
    _erase(row)
    row.refresh_from_db()
    return row


@transaction.atomic
def delete_customer(*, actor: Member, customer: Customer, confirmation: str, reason: str) -> None:
    """Remove somebody who was added by mistake and never had anything to do.

    Raises NotVisible, PermissionMissing, WrongConfirmation or CustomerKept.
    """
    row = _lock(actor, customer, confirmation)
    if why := why_not_deleted(row):
        raise CustomerKept(why)
    record(actor=actor, verb=Verb.CUSTOMER_DELETED, target=row, reason=reason)
    _erase(row)
    row.delete()


def why_not_erased(customer: Customer) -> str:
    """The sentence that keeps the customer; "" when nothing does."""
    if customer.erased_at is not None:
        return f"{customer.number} was erased already."
    if is_held(customer):
        return f"A legal hold keeps {customer.name} until {_day(customer.held_until)}: {customer.hold_reason}"
    if customer.status == Customer.Status.BLACKLISTED:
        return f"{customer.name} is blacklisted and kept, so that they are recognized when they come back."
    if customer.status == Customer.Status.ACTIVE:
        return f"{customer.name} is an active customer. First change the status to inactive."
    return ""


def why_not_deleted(customer: Customer) -> str:
    """Deletion is for mistakes alone: besides what forbids erasing, time and a past do."""
    if why := why_not_erased(customer):
        return why
    if customer.created_at < timezone.now() - DELETED_WITHIN:
        return f"Customers are deleted within {DELETED_WITHIN.days} days after they were added. Erase {customer.name} instead."
    if past := _past_of(customer):
        return f"There are {past} on record. Erase {customer.name} instead."
    return ""


def is_held(customer: Customer) -> bool:
    return customer.held_until is not None and customer.held_until >= timezone.localdate()


def _past_of(customer: Customer) -> str:
    """What there is about the customer that a mistake would not have; one statement for all tables."""
    tables = [table for table in about_customers() if table.blocks_deletion]
    holds = [Exists(table.of(customer)) for table in tables]
    found = Customer.objects.filter(organization=customer.organization_id, pk=customer.pk).values_list(*holds).get()
    return next((table.name for table, is_there in zip(tables, found, strict=True) if is_there), "")


def _lock(actor: Member, customer: Customer, confirmation: str) -> Customer:
    row = lock_customer(actor, Capability.CUSTOMERS_ERASE, customer)
    if confirmation.strip().casefold() != row.number.casefold():
        raise WrongConfirmation(f"Type {row.number}, the number of this customer.")
    return row


def _erase(customer: Customer) -> None:
    """The customer's own row last, since the others are found by what stands in it."""
    erase_papers(customer=customer)
    for table in reversed(about_customers()):
        if table.erase is not None:
            table.erase(table.of(customer))


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""
