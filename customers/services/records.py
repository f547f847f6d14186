"""Customers' records: new ones, their details and their status, and the two reads that leave a trace in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, TypedDict

from django.db import IntegrityError, models, transaction

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from customers.activity import WITHHELD
from customers.bvn import bvn_columns, bvn_fingerprint
from customers.errors import DuplicateCustomer, NothingToReveal, OfficeOutOfReach, ReasonMissing
from customers.models import Customer, FormerStatus
from customers.policy import lock_customer, require
from customers.querysets import FULL
from customers.readers import numbered, profiles, taken_message
from customers.services.account_managers import assign_account_manager
from customers.text import mask_email, mask_phone
from lendconsole.encryption import decrypt
from lendconsole.errors import NotVisible, StaleVersion
from teams.capabilities import Capability
from teams.models import Member, Office

_IN_CLEAR: Final = frozenset({"number", "status", "office", "joined_on"})
_TAKEN: Final = {
    "customers_customer_number_once": "number",
    "customers_customer_phone_once": "phone",
    "customers_customer_email_once": "email",
    "customers_customer_bvn_once": "bvn",
}
_STATUSES_WITH_REASON: Final = frozenset({Customer.Status.INACTIVE, Customer.Status.BLACKLISTED})


class CustomerFacts(TypedDict, total=False):
    """What can be known of a customer. Phones in E.164, e-mails in small letters, money in minor units, `bvn` 11 digits."""

    first_name: str
    last_name: str
    email: str
    phone: str
    segment: str
    joined_on: date
    bvn: str
    date_of_birth: date | None
    gender: str
    address: str
    state: str
    employer: str
    employment_status: str
    monthly_income: int | None
    office: Office


@transaction.atomic
def create_customer(
    *, actor: Member, office: Office, facts: CustomerFacts, number: str = "", account_manager: Member | None = None
) -> Customer:
    """A new customer of an office the actor reaches, pending, with the next free number unless one is given.

    Raises PermissionMissing, OfficeOutOfReach, DuplicateCustomer, and what assign_account_manager raises.
    """
    actor.require(Capability.CUSTOMERS_CREATE)
    # NO KEY: rows that merely point at the organization must not wait for this transaction.
    organization = Organization.objects.select_for_update(no_key=True).get(pk=actor.organization.pk)
    _refuse_office_out_of_reach(actor, Capability.CUSTOMERS_CREATE, office)
    customer = Customer(
        organization=organization,
        office=office,
        number=number or _next_number(organization),
        **_columns({key: value for key, value in facts.items() if key != "office"}),
    )
    _save(customer)
    record(
        actor=actor,
        verb=Verb.CUSTOMER_CREATED,
        target=customer,
        after={"number": customer.number, "office": office.name},
    )
    if account_manager is not None:
        assign_account_manager(actor=actor, customer=customer, manager=account_manager)
    return customer


@transaction.atomic
def change_customer(*, actor: Member, customer: Customer, version: int, facts: CustomerFacts) -> Customer:
    """Write the facts that differ. An empty `bvn` leaves the number as it is.

    Raises NotVisible, PermissionMissing, StaleVersion, OfficeOutOfReach or DuplicateCustomer.
    """
    row = lock_customer(actor, Capability.CUSTOMERS_EDIT, customer)
    changes = {key: value for key, value in facts.items() if _differs(row, key, value)}
    if not changes:
        return row
    _refuse_stale(row, version)
    if "office" in changes:
        _refuse_office_out_of_reach(actor, Capability.CUSTOMERS_EDIT, facts["office"])
    before = {key: _written(row, key) for key in changes}
    columns = _columns(changes)
    for name, value in columns.items():
        setattr(row, name, value)
    row.version += 1
    _save(row, update_fields=[*columns, "version", "updated_at"])
    after = {key: _written(row, key) for key in changes}
    record(actor=actor, verb=Verb.CUSTOMER_CHANGED, target=row, before=before, after=after)
    return row


@transaction.atomic
def change_customer_status(
    *, actor: Member, customer: Customer, status: str, reason: str = "", version: int | None = None
) -> Customer:
    """Raises NotVisible, PermissionMissing, StaleVersion or ReasonMissing. The present status again changes nothing."""
    row = lock_customer(actor, Capability.CUSTOMERS_CHANGE_STATUS, customer)
    status, former = Customer.Status(status), Customer.Status(row.status)
    if status == former:
        return row
    if version is not None:
        _refuse_stale(row, version)
    if not reason:
        refuse_without_reason(status, former)
    row.status, row.status_reason = status, reason
    row.version += 1
    row.save(update_fields=["status", "status_reason", "version", "updated_at"])
    FormerStatus.objects.filter(organization=row.organization_id, customer=row).delete()
    record(
        actor=actor,
        verb=Verb.CUSTOMER_STATUS_CHANGED,
        target=row,
        before={"status": former.label},
        after={"status": status.label},
        reason=reason,
    )
    return row


@transaction.atomic
def open_profile(*, actor: Member, pk: int, needed: Capability | None = None) -> Customer:
    """The customer for its own page, at the level the actor may see. Raises NotVisible, and PermissionMissing without `needed`.

    Opening in full is audited, once per member and customer within readers.OPENED_LATELY: a page that is reloaded,
    or left for its next tab, is one opening.
    """
    customer: Customer | None = profiles(actor).filter(pk=pk).first()
    if customer is None:
        raise NotVisible
    if needed is not None:
        require(actor, needed, customer)
    if customer.access == FULL and not customer.opened_lately:  # type: ignore[attr-defined]  # annotated by profiles
        record(actor=actor, verb=Verb.CUSTOMER_OPENED, target=customer)
    return customer


@transaction.atomic
def reveal_bvn(*, actor: Member, customer: Customer) -> str:
    """The number in clear; each reveal is audited. Raises NotVisible, PermissionMissing or NothingToReveal."""
    require(actor, Capability.CUSTOMERS_REVEAL, customer)
    if not customer.bvn_encrypted:
        raise NothingToReveal(f"{customer.name} has no BVN on record.")
    record(actor=actor, verb=Verb.CUSTOMER_BVN_REVEALED, target=customer)
    return decrypt(customer.bvn_encrypted)


def _next_number(organization: Organization) -> str:
    """The next one that nobody has; numbers that were given by hand are stepped over. The organization row is locked."""
    taken = True
    while taken:
        organization.last_customer_number += 1
        number = f"{organization.customer_number_prefix}{organization.last_customer_number:06d}"
        taken = numbered(Customer.objects.for_organization(organization), number).exists()
    organization.save(update_fields=["last_customer_number"])
    return number


def _refuse_office_out_of_reach(actor: Member, capability: Capability, office: Office) -> None:
    # Locked, so that the office is not emptied and closed between this look and the write.
    open_ones = Office.objects.reached_by(actor, capability).active().select_for_update(no_key=True)
    if open_ones.filter(pk=office.pk).first() is None:
        raise OfficeOutOfReach("This office is not open to you or no longer active. Choose another one.")


def _refuse_stale(row: Customer, version: int) -> None:
    if row.version != version:
        raise StaleVersion(
            f"Somebody else changed {row.name} after you opened this page, so nothing of yours was saved. "
            "Open the page again to see the newest details."
        )


def refuse_without_reason(status: Customer.Status, former: Customer.Status) -> None:
    """Raises ReasonMissing where this change of status needs one."""
    if former == Customer.Status.BLACKLISTED:
        raise ReasonMissing("Say why the customer is no longer blacklisted.")
    if status in _STATUSES_WITH_REASON:
        raise ReasonMissing(f"Say why the customer becomes {status.label.lower()}.")


def _differs(row: Customer, key: str, value: Any) -> bool:
    if key == "bvn":
        return bool(value) and bvn_fingerprint(value) != row.bvn_fingerprint
    return bool(getattr(row, key) != value)


def _columns(facts: Mapping[str, Any]) -> dict[str, Any]:
    columns = dict(facts)
    if bvn := columns.pop("bvn", ""):
        columns.update(bvn_columns(bvn))
    return columns


def _written(row: Customer, key: str) -> Any:
    """How a value stands in the audit log: never what the card masks, nor anything else about the person's life."""
    if key == "bvn":
        return WITHHELD if row.bvn_fingerprint else ""
    value = getattr(row, key)
    if key in ("phone", "email"):
        return mask_phone(value) if key == "phone" else mask_email(value)
    if key not in _IN_CLEAR:
        return WITHHELD if value not in ("", None) else ""
    if isinstance(value, models.Model):
        return str(value)
    display = getattr(row, f"get_{key}_display", None)
    return display() if display else value


def _save(customer: Customer, **options: Any) -> None:
    """The database holds that phone, e-mail, BVN and number are given once; its refusal becomes words."""
    try:
        with transaction.atomic():
            customer.save(**options)
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        field = _TAKEN.get(name)
        if field is None:
            raise
        raise DuplicateCustomer(taken_message(field), field=field) from error
