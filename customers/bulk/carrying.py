"""What one portion of a bulk change means: which of its customers are still to be changed, and into what."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from customers.bulk.telling import tell_customers, tell_managers
from customers.bulk.writing import Act, Given, change_status, give, remember_statuses, restore_statuses
from customers.models import Assignment, BulkChange, Customer, FormerStatus
from customers.policy import eligible_members
from customers.services.account_managers import lock_manager
from lendconsole.many import AnyOf, work_in_memory
from teams.capabilities import Capability
from teams.models import Member

PORTION: Final = 5_000
LEASE: Final = timedelta(seconds=90)
CAPABILITIES: Final = {
    BulkChange.Kind.ASSIGN: Capability.CUSTOMERS_ASSIGN,
    BulkChange.Kind.REMOVE: Capability.CUSTOMERS_ASSIGN,
    BulkChange.Kind.STATUS: Capability.CUSTOMERS_CHANGE_STATUS,
}


def needed(change: BulkChange) -> Capability:
    """To take a change back, what the change itself needed."""
    return CAPABILITIES[BulkChange.Kind((change.undoes or change).kind)]


class ClaimLost(Exception):
    """Somebody else carries the change on; what this one just wrote must be rolled back."""


def carry_on(change: BulkChange, actor: Member) -> None:
    """The next portion, in the caller's transaction, with the rule and the members as they are by now.

    Who is no longer the actor's to change is passed over. Raises ManagerNotEligible or ClaimLost.
    """
    work_in_memory()
    ids = change.customer_ids[change.progress : change.progress + PORTION]
    act = Act(actor, change.reason, change.batch)
    if change.undoes is not None:
        take_back = _take_back_statuses if change.changes_status else _take_back_managers
        changed = take_back(act, ids, change.undoes)
    elif change.changes_status:
        changed = _change_status(act, ids, change)
    else:
        changed = _give_all(act, ids, lock_manager(actor, change.manager_id) if change.manager_id else None)
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


def _give_all(act: Act, ids: list[int], manager: Member | None) -> int:
    differing = _locked(act.actor, Capability.CUSTOMERS_ASSIGN, ids, ~Q(account_manager=manager))
    return _give(act, dict.fromkeys(differing, manager.pk if manager else None))


def _give(act: Act, given: Given) -> int:
    if given:
        tell_customers(act, given)
        give(act, given)
    return len(given)


def _change_status(act: Act, ids: list[int], change: BulkChange) -> int:
    status = Customer.Status(change.status)
    differing = _locked(act.actor, Capability.CUSTOMERS_CHANGE_STATUS, ids, ~Q(status=status))
    if differing:
        remember_statuses(change, differing)
        change_status(act, differing, status)
    return len(differing)


def _take_back_statuses(act: Act, ids: list[int], undone: BulkChange) -> int:
    """Of the customers whose status is still as the change left it."""
    locked = _locked(act.actor, Capability.CUSTOMERS_CHANGE_STATUS, ids, Q())
    former = FormerStatus.objects.filter(AnyOf("customer", locked), organization=undone.organization_id, change=undone)
    untouched = list(former.values_list("customer", flat=True))
    if untouched:
        restore_statuses(act, untouched)
    return len(untouched)


def _take_back_managers(act: Act, ids: list[int], undone: BulkChange) -> int:
    """To whom the customers had before, as far as nobody touched them since and that member can have them again."""
    locked = _locked(act.actor, Capability.CUSTOMERS_ASSIGN, ids, Q())
    former = _former_managers(undone, locked)
    wanted = {pk for pk in former.values() if pk}
    list(Member.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    able = eligible_members(act.actor.organization).filter(pk__in=wanted).order_by()
    possible = {None, *able.values_list("pk", flat=True)}
    return _give(act, {customer: pk for customer, pk in former.items() if pk in possible})


def _former_managers(undone: BulkChange, ids: list[int]) -> dict[int, int | None]:
    """Of the customers whose account manager is still as the change left it."""
    periods = Assignment.objects.filter(AnyOf("customer", ids), organization=undone.organization_id)
    ended = periods.filter(end_batch=undone.batch)
    later = Assignment.objects.filter(customer=OuterRef("customer"), started_at__gte=OuterRef("ended_at"))
    untouched = (
        ended.exclude(Exists(later.exclude(pk=OuterRef("pk"))))
        if undone.kind == BulkChange.Kind.REMOVE
        else periods.filter(batch=undone.batch, ended_at=None)
    )
    former: dict[int, int] = dict(ended.values_list("customer", "manager"))
    return {pk: former.get(pk) for pk in untouched.values_list("customer", flat=True)}


def _locked(actor: Member, capability: Capability, ids: list[int], differing: Q) -> list[int]:
    """Those of the customers that the actor may change and that are not so already, locked in ascending order.

    Nothing is changed of who was erased.
    """
    allowed = Customer.objects.still_permitted(actor, capability).filter(differing, AnyOf("pk", ids), erased_at=None)
    return list(allowed.order_by("pk").select_for_update().values_list("pk", flat=True))
