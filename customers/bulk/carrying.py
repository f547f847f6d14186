"""What one portion of a bulk change means: which of its customers are still to be changed, and into what."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from customers.bulk.telling import tell_customers, tell_managers
from customers.bulk.writing import Act, change_status, give
from customers.models import Assignment, BulkChange, Customer
from customers.policy import eligible_managers
from customers.services.account_managers import lock_manager
from teams.capabilities import Capability
from teams.models import Member

PORTION: Final = 5_000
LEASE: Final = timedelta(seconds=90)
CAPABILITIES: Final = {
    BulkChange.Kind.ASSIGN: Capability.CUSTOMERS_ASSIGN,
    BulkChange.Kind.REMOVE: Capability.CUSTOMERS_ASSIGN,
    BulkChange.Kind.UNDO: Capability.CUSTOMERS_ASSIGN,
    BulkChange.Kind.STATUS: Capability.CUSTOMERS_CHANGE_STATUS,
}


class ClaimLost(Exception):
    """Somebody else carries the change on; what this one just wrote must be rolled back."""


def carry_on(change: BulkChange, actor: Member) -> None:
    """The next portion, in the caller's transaction, with the rule and the members as they are by now.

    Who is no longer the actor's to change is passed over. Raises ManagerNotEligible or ClaimLost.
    """
    ids = change.customer_ids[change.progress : change.progress + PORTION]
    act = Act(actor, change.reason, change.batch)
    if change.undoes is not None:
        changed = _take_back(act, ids, change.undoes)
    elif change.kind == BulkChange.Kind.STATUS:
        changed = _change_status(act, ids, Customer.Status(change.status))
    else:
        changed = _give(act, ids, lock_manager(actor, change.manager_id) if change.manager_id else None)
    change.progress, change.changed = change.progress + len(ids), change.changed + changed
    if change.progress >= change.size:
        change.state, change.finished_at = BulkChange.State.DONE, timezone.now()
        tell_managers(change, actor)
    _note(change)


def _note(change: BulkChange) -> None:
    written = BulkChange.objects.filter(pk=change.pk, attempts=change.attempts, state=BulkChange.State.RUNNING).update(
        progress=change.progress,
        changed=change.changed,
        state=change.state,
        finished_at=change.finished_at,
        leased_until=timezone.now() + LEASE if change.is_open else None,
    )
    if not written:
        raise ClaimLost


def _give(act: Act, ids: list[int], manager: Member | None) -> int:
    rows = _locked(act.actor, Capability.CUSTOMERS_ASSIGN, ids, ~Q(account_manager=manager))
    if rows:
        tell_customers(act=act, customers=rows, manager=manager)
        give(act, [row.pk for row in rows], manager)
    return len(rows)


def _change_status(act: Act, ids: list[int], status: Customer.Status) -> int:
    rows = _locked(act.actor, Capability.CUSTOMERS_CHANGE_STATUS, ids, ~Q(status=status))
    if rows:
        change_status(act, [row.pk for row in rows], status)
    return len(rows)


def _take_back(act: Act, ids: list[int], undone: BulkChange) -> int:
    """To whom the customers had before, as far as nobody touched them since and that member can have them again."""
    locked = [row.pk for row in _locked(act.actor, Capability.CUSTOMERS_ASSIGN, ids, Q())]
    former = _former_managers(undone, locked)
    wanted = {pk for pk in former.values() if pk}
    list(Member.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    managers = {member.pk: member for member in eligible_managers(act.actor.organization).filter(pk__in=wanted)}
    groups: dict[int | None, list[int]] = defaultdict(list)
    for customer, pk in former.items():
        groups[pk].append(customer)
    return sum(
        _give(act, theirs, managers[pk] if pk else None)
        for pk, theirs in groups.items()
        if pk is None or pk in managers
    )


def _former_managers(undone: BulkChange, ids: list[int]) -> dict[int, int | None]:
    """Of the customers whose account manager is still as the change left it."""
    periods = Assignment.objects.filter(organization=undone.organization_id, customer__in=ids)
    ended = periods.filter(end_batch=undone.batch)
    later = Assignment.objects.filter(customer=OuterRef("customer"), started_at__gte=OuterRef("ended_at"))
    untouched = (
        ended.exclude(Exists(later.exclude(pk=OuterRef("pk"))))
        if undone.kind == BulkChange.Kind.REMOVE
        else periods.filter(batch=undone.batch, ended_at=None)
    )
    former: dict[int, int] = dict(ended.values_list("customer", "manager"))
    return {pk: former.get(pk) for pk in untouched.values_list("customer", flat=True)}


def _locked(actor: Member, capability: Capability, ids: list[int], differing: Q) -> list[Customer]:
    """Those of the customers that the actor may change and that are not so already, locked in ascending order.

    Nothing is changed of who was erased.
    """
    allowed = Customer.objects.still_permitted(actor, capability).filter(differing, pk__in=ids, erased_at=None)
    fields = ("first_name", "last_name", "number", "email", "account_manager")
    return list(allowed.order_by("pk").select_for_update(of=("self",)).only(*fields))
