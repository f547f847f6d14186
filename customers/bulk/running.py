"""The worker's part of a bulk change: claimed by a lease, carried on portion by portion, each in a transaction of its own.

The portion and the note of it are written together. A worker that is killed loses at most the portion it was at, and
whoever claims the change next goes on behind what is done.
"""

from __future__ import annotations

import logging
from typing import Final

from django.db.models import F
from django.utils import timezone

from customers.bulk.carrying import LEASE, ClaimLost, carry_on, needed
from customers.models import BulkChange
from lendconsole.errors import DomainError
from lendconsole.tenancy import organization_context
from notifications.hints import publish_after_commit
from teams.models import Member
from teams.policy import acting_member

logger = logging.getLogger(__name__)

CARRY_OUT: Final = "customers.tasks.carry_out_bulk_change"
MOST_ATTEMPTS: Final = 5
GAVE_UP: Final = "It could not be carried on. What is done stays; choose the others once more."


def start_carrying(change: BulkChange) -> None:
    publish_after_commit(CARRY_OUT, change.organization_id, change.pk)


def carry_out(organization_id: int, change_id: int) -> bool:
    """Whether this call brought the change to its end. Called outside of any organization."""
    with organization_context(organization_id):
        change = _claim(organization_id, change_id)
    if change is None:
        return False
    try:
        while change.is_open:
            with organization_context(organization_id):
                carry_on(change, _actor(change))
    except ClaimLost:
        return False
    except DomainError as reason:
        _write(change, BulkChange.State.STOPPED, str(reason))
        return False
    except Exception:
        logger.exception("Bulk change %s was not carried on.", change.pk)
        is_last = change.attempts >= MOST_ATTEMPTS
        _write(change, BulkChange.State.STOPPED if is_last else BulkChange.State.WAITING, GAVE_UP if is_last else "")
        return False
    return True


def _claim(organization_id: int, change_id: int) -> BulkChange | None:
    """The attempt is counted before the work, so that a change that kills its worker is given up like any other."""
    free = BulkChange.objects.filter(organization=organization_id, pk=change_id).without_worker()
    claimed = free.update(
        state=BulkChange.State.RUNNING, leased_until=timezone.now() + LEASE, attempts=F("attempts") + 1
    )
    if not claimed:
        return None
    change = BulkChange.objects.select_related("organization", "undoes__organization").get(pk=change_id)
    if change.attempts > MOST_ATTEMPTS:
        _write(change, BulkChange.State.STOPPED, GAVE_UP)
        return None
    return change


def _actor(change: BulkChange) -> Member:
    """Who asked for it, as they are now. Raises NotVisible or PermissionMissing."""
    member = acting_member(change.organization_id, change.member_id)
    if member is None:
        raise DomainError("Whoever asked for it has no access anymore. What is done stays.")
    member.require(needed(change))
    return member


def _write(change: BulkChange, state: BulkChange.State, reason: str) -> None:
    """Only while this attempt is the latest one."""
    with organization_context(change.organization_id):
        mine = BulkChange.objects.filter(pk=change.pk, attempts=change.attempts, state=BulkChange.State.RUNNING)
        finished_at = timezone.now() if state == BulkChange.State.STOPPED else None
        mine.update(state=state, state_reason=reason[:300], leased_until=None, finished_at=finished_at)
