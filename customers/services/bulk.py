"""Changing many customers at once: asking for it, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from audit.services import record
from audit.verbs import Verb
from customers.bulk.carrying import CAPABILITIES, LEASE, carry_on, needed
from customers.bulk.running import start_carrying
from customers.errors import (
    ChangedMeanwhile,
    MoreThanShown,
    NotForAllCustomers,
    NothingChosen,
    NothingToUndo,
    TooManyChanges,
)
from customers.exporting.rows import found_customers
from customers.filters import Filters
from customers.list_frame import filter_choices
from customers.models import BulkChange, Customer
from customers.services.account_managers import lock_manager
from customers.services.lookups import note_lookup
from customers.services.records import refuse_without_reason
from lendconsole.errors import NotVisible
from teams.models import Member

AT_ONCE: Final = 500
"""So many are changed before the page answers; the worker changes more."""
MOST_UNDER_WAY: Final = 3
_NAMED: Final = 3


@transaction.atomic
def start_bulk_change(
    *,
    actor: Member,
    kind: BulkChange.Kind,
    parameters: Mapping[str, str],
    expected: int,
    seen_at: datetime,
    manager: Member | None = None,
    status: str = "",
    reason: str = "",
) -> BulkChange:
    """Change all customers of a list, as it is at this moment, or none.

    `expected` and `seen_at`: how many the page said they are, and when. Raises PermissionMissing, NothingChosen,
    MoreThanShown, ChangedMeanwhile, NotForAllCustomers, ManagerNotEligible, ReasonMissing or TooManyChanges.
    """
    actor.require(CAPABILITIES[kind])
    Member.objects.select_for_update(no_key=True).get(pk=actor.pk)
    filters = Filters.parse(parameters, actor, filter_choices(actor))
    ids = chosen_ids(actor, filters)
    refuse_for_some(actor, kind, ids)
    if len(ids) > expected:
        raise MoreThanShown(
            f"There are now {len(ids):,} customers, not {expected:,} as this page said. Look again and press once more."
        )
    _refuse_changed(filters, seen_at)
    if manager is not None:
        manager = lock_manager(actor, manager.pk)
    if kind == BulkChange.Kind.STATUS and not reason:
        _refuse_without_reason(ids, Customer.Status(status))
    facts = {"manager": manager, "status": status, "reason": reason, "words": filters.in_words[:600]}
    return _start(actor, BulkChange(kind=kind, customer_ids=ids, **facts))


@transaction.atomic
def undo_bulk_change(*, actor: Member, pk: int, reason: str = "") -> BulkChange:
    """Give the customers the account manager or the status back that they had before, where nobody changed it since.

    Raises NotVisible, PermissionMissing, NothingToUndo, ReasonMissing or TooManyChanges.
    """
    change = find_bulk_change(actor, pk, locked=True)
    actor.require(needed(change))
    if not change.can_be_undone:
        raise NothingToUndo("This can no longer be taken back.")
    if not reason:
        _refuse_to_restore_without_reason(change)
    facts = {"customer_ids": change.customer_ids, "words": change.words, "reason": reason}
    return _start(actor, BulkChange(kind=BulkChange.Kind.UNDO, undoes=change, **facts))


def find_bulk_change(member: Member, pk: int, *, locked: bool = False) -> BulkChange:
    """One of the member's own. Raises NotVisible."""
    rows = BulkChange.objects.visible_to(member).select_related("manager__user", "undoes", "undone_by")
    if locked:
        rows = rows.select_for_update(of=("self",))
    change: BulkChange | None = rows.filter(pk=pk).first()
    if change is None:
        raise NotVisible
    return change


def chosen_ids(member: Member, filters: Filters) -> list[int]:
    """The customers of the list in ascending order.

    Raises NothingChosen, LookupsUsedUp, or NotVisible when one was chosen by hand that is not there.
    """
    if filters.ignored:
        raise NothingChosen(f"Nobody was changed, because there is no such filter: {', '.join(filters.ignored)}.")
    note_lookup(actor=member, text=filters.q)
    ids = sorted(found_customers(member, filters).order_by().values_list("pk", flat=True))
    if len(ids) < len(filters.chosen):
        raise NotVisible
    if not ids:
        raise NothingChosen("No customer matches anymore. Nobody was changed.")
    return ids


def refuse_for_some(actor: Member, kind: BulkChange.Kind, ids: list[int]) -> None:
    """All or nobody. Raises PermissionMissing or NotForAllCustomers."""
    capability = CAPABILITIES[kind]
    actor.require(capability)
    allowed = set(Customer.objects.permitted(actor, capability).filter(pk__in=ids).values_list("pk", flat=True))
    others = [pk for pk in ids if pk not in allowed]
    if others:
        named = Customer.objects.visible_to(actor).filter(pk__in=others[:_NAMED]).order_by("pk")
        names = [customer.name for customer in named] + [f"{len(others) - _NAMED:,} more"] * (len(others) > _NAMED)
        is_one = len(others) == 1
        raise NotForAllCustomers(
            f"{len(others):,} of these {len(ids):,} customers {'is' if is_one else 'are'} not yours to change:"
            f" {', '.join(names)}. Nobody was changed. Leave {'that one' if is_one else 'those'} out and try once more."
        )


def _refuse_changed(filters: Filters, seen_at: datetime) -> None:
    """For those chosen by hand, whose lines somebody was looking at."""
    changed = Customer.objects.filter(pk__in=filters.chosen, updated_at__gt=seen_at).order_by("pk").first()
    if changed is not None:
        raise ChangedMeanwhile(
            f"Somebody changed {changed.name} while you were choosing. Look again and press once more."
        )


def _refuse_without_reason(ids: list[int], status: Customer.Status) -> None:
    differing = Customer.objects.filter(pk__in=ids).exclude(status=status).order_by()
    for former in differing.values_list("status", flat=True).distinct():
        refuse_without_reason(status, Customer.Status(former))


def _refuse_to_restore_without_reason(change: BulkChange) -> None:
    for former in change.former_statuses.order_by().values_list("status", flat=True).distinct():
        refuse_without_reason(Customer.Status(former), Customer.Status(change.status))


def _start(actor: Member, change: BulkChange) -> BulkChange:
    """Carry it out here, or leave it to the worker."""
    if BulkChange.objects.visible_to(actor).unfinished().count() >= MOST_UNDER_WAY:
        raise TooManyChanges(
            f"{MOST_UNDER_WAY} of your changes are still under way. Wait until one of them is done, then try once more."
        )
    change.organization, change.member = actor.organization, actor
    change.size = len(change.customer_ids)
    is_small = change.size <= AT_ONCE
    if is_small:
        change.state, change.attempts, change.leased_until = BulkChange.State.RUNNING, 1, timezone.now() + LEASE
    change.save(force_insert=True)
    record(
        actor=actor,
        verb=Verb.CUSTOMERS_CHANGED,
        target=actor.organization,
        after=_facts(change),
        reason=change.reason,
    )
    if is_small:
        carry_on(change, actor)
    else:
        start_carrying(change)
    return change


def _facts(change: BulkChange) -> dict[str, Any]:
    value = change.manager.name if change.manager else change.get_status_display()
    return {"customers": f"{change.size:,}", change.get_kind_display().lower(): value or "all", "filters": change.words}
