"""Who the account manager of a customer is. The one writer of the column, the dated period and guardian's grant.

The three are written together or not at all; `manage.py check_access` proves that they agree.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from audit.services import record
from audit.verbs import Verb
from customers.emails.managers import announce_change
from customers.errors import ManagerNotEligible, NoAccountManager
from customers.models import MANAGE, Assignment, Customer
from customers.policy import assignable_managers, lock_customer
from lendconsole.errors import StaleVersion
from teams.capabilities import Capability
from teams.models import Member


@transaction.atomic
def assign_account_manager(
    *, actor: Member, customer: Customer, manager: Member, reason: str = "", version: int | None = None
) -> Assignment:
    """Dedicate the customer to the manager, in place of whoever it was.

    `version` is the customer's version that the actor decided on. Raises NotVisible, PermissionMissing,
    ManagerNotEligible or StaleVersion. Choosing the present manager again changes nothing.
    """
    customer = lock_customer(actor, Capability.CUSTOMERS_ASSIGN, customer)
    manager = lock_manager(actor, manager.pk)
    former = customer.account_manager
    if former == manager:
        return Assignment.objects.get(customer=customer, ended_at=None)
    _refuse_stale(customer, version)
    now = timezone.now()
    if former is not None:
        now = _end_period(actor, customer, former, now=now, reason=reason)
    assignment = Assignment.objects.create(
        organization=customer.organization,
        customer=customer,
        manager=manager,
        started_at=now,
        assigned_by=actor,
        reason=reason,
    )
    assign_perm(f"customers.{MANAGE}", manager.user, customer)
    _write_column(customer, manager)
    record(
        actor=actor,
        verb=Verb.MANAGER_ASSIGNED,
        target=customer,
        before={"account_manager": former.name if former else None},
        after={"account_manager": manager.name, "office": manager.office.name},
        reason=reason,
    )
    announce_change(customer=customer, former=former, manager=manager, event=f"assignment:{assignment.pk}", actor=actor)
    return assignment


@transaction.atomic
def remove_account_manager(*, actor: Member, customer: Customer, reason: str = "", version: int | None = None) -> None:
    """Leave the customer without an account manager. Raises NotVisible, PermissionMissing, NoAccountManager or StaleVersion."""
    customer = lock_customer(actor, Capability.CUSTOMERS_ASSIGN, customer)
    former = customer.account_manager
    if former is None:
        raise NoAccountManager(f"{customer.name} has no account manager.")
    _refuse_stale(customer, version)
    ended = Assignment.objects.get(customer=customer, ended_at=None)
    _end_period(actor, customer, former, now=timezone.now(), reason=reason)
    _write_column(customer, None)
    record(
        actor=actor,
        verb=Verb.MANAGER_REMOVED,
        target=customer,
        before={"account_manager": former.name},
        after={"account_manager": None},
        reason=reason,
    )
    announce_change(customer=customer, former=former, manager=None, event=f"assignment:{ended.pk}:ended", actor=actor)


def release_customer(*, actor: Member, customer: Customer) -> None:
    """End it for a customer who is erased: nobody is told. Call with the row locked and the permission asked."""
    if customer.account_manager is not None:
        _end_period(actor, customer, customer.account_manager, now=timezone.now(), reason="")
        _write_column(customer, None)


def lock_manager(actor: Member, pk: int) -> Member:
    """The chosen member, locked so that nobody deactivates them or closes customers to their role meanwhile.

    Asked after the lock: a statement that waits for it would still see the role's permissions of before. Raises
    ManagerNotEligible.
    """
    Member.objects.for_organization(actor.organization).select_for_update().filter(pk=pk).first()
    eligible = assignable_managers(actor).filter(pk=pk).first()
    if eligible is None:
        raise ManagerNotEligible("This member cannot be an account manager now. Choose another one.")
    return eligible


def _refuse_stale(customer: Customer, version: int | None) -> None:
    if version is not None and version != customer.version:
        present = customer.account_manager.name if customer.account_manager else "nobody"
        raise StaleVersion(
            f"Somebody changed {customer.name} while you were choosing. The account manager is now {present}. "
            "Look again and press once more."
        )


def _end_period(actor: Member, customer: Customer, former: Member, *, now: datetime, reason: str) -> datetime:
    """Close the open period and take the grant; returns the moment of the change, never before the period began."""
    period = Assignment.objects.get(customer=customer, ended_at=None)
    moment = max(now, period.started_at)
    Assignment.objects.filter(pk=period.pk).update(ended_at=moment, ended_by=actor, end_reason=reason)
    remove_perm(f"customers.{MANAGE}", former.user, customer)
    return moment


def _write_column(customer: Customer, manager: Member | None) -> None:
    customer.account_manager = manager
    Customer.objects.filter(pk=customer.pk).update(
        account_manager=manager, version=F("version") + 1, updated_at=timezone.now()
    )
