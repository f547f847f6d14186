"""What the worker does for customers."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organization
from customers.bulk import running as bulk_running
from customers.consistency import find_differences
from customers.exporting import making
from customers.importing import running as import_running
from customers.models import BulkChange, CustomerImport, Export, FormerStatus
from customers.models.bulk import UNDO_WITHIN
from customers.querysets import JobQuerySet
from customers.services import exports, imports
from lendconsole.tenancy import organization_context
from notifications.hints import publish
from teams.models import Member

logger = logging.getLogger(__name__)


@shared_task
def check_access() -> int:
    """Nightly: report customers whose account manager, period and access disagree, by id alone. Returns how many."""
    found = 0
    for organization in Organization.objects.order_by("pk"):
        with organization_context(organization.pk):
            differences = find_differences(organization)
        found += len(differences)
        if differences:
            ids = ", ".join(str(difference.customer_id) for difference in differences[:100])
            logger.error(
                "%s customers of organization %s: account manager, period and access differ. Run check_access. Ids: %s",
                len(differences),
                organization.pk,
                ids,
            )
    return found


@shared_task(acks_late=False)
def make_export(organization_id: int, export_id: int) -> bool:
    """The row is what must not be lost: should this process die, the sweep has another one begin anew."""
    return making.make_export(organization_id, export_id)


@shared_task
def sweep_exports() -> int:
    """Exports whose hint or whose worker was lost. Returns how many were handed out again."""
    return _hand_out_lost(Export.objects.all(), making.MAKE_EXPORT)


@shared_task(acks_late=False)
def carry_out_bulk_change(organization_id: int, change_id: int) -> bool:
    """As above: what is done is noted in the row, and another process goes on behind it."""
    return bulk_running.carry_out(organization_id, change_id)


@shared_task
def sweep_bulk_changes() -> int:
    """Changes of many customers whose hint or whose worker was lost. Returns how many were handed out again."""
    return _hand_out_lost(BulkChange.objects.all(), bulk_running.CARRY_OUT)


@shared_task
def forget_former_statuses() -> int:
    """Of changes that can no longer be taken back; an undoing that began at the last moment has a day to end. Returns how many."""
    count, long_ago = 0, timezone.now() - 2 * UNDO_WITHIN
    for organization_id in Organization.objects.order_by("pk").values_list("pk", flat=True):
        with organization_context(organization_id):
            former = FormerStatus.objects.filter(organization=organization_id, change__created_at__lte=long_ago)
            count += former.delete()[0]
    return count


@shared_task
def forget_exports() -> int:
    """Expired files, and those of people who were deactivated or removed. Returns how many."""
    count = 0
    for organization_id in Organization.objects.order_by("pk").values_list("pk", flat=True):
        with organization_context(organization_id):
            count += exports.forget(_ended(Export.objects.filter(organization=organization_id)))
    return count


@shared_task(acks_late=False)
def carry_on_import(organization_id: int, import_id: int) -> bool:
    """As with exports, the row is what must not be lost."""
    return import_running.carry_on(organization_id, import_id)


@shared_task
def sweep_imports() -> int:
    """Imports whose hint or whose worker was lost. Returns how many were handed out again."""
    return _hand_out_lost(CustomerImport.objects.all(), import_running.CARRY_ON)


@shared_task
def forget_imports() -> int:
    """Expired ones with their files, and those of people who were deactivated or removed. Returns how many."""
    count = 0
    for organization_id in Organization.objects.order_by("pk").values_list("pk", flat=True):
        with organization_context(organization_id):
            count += imports.forget(_ended(CustomerImport.objects.filter(organization=organization_id)))
    return count


def _ended(jobs: JobQuerySet) -> list[Any]:
    """Those that expired or whose member is gone, but for one that a worker is finishing this moment."""
    ended = Q(expires_at__lte=timezone.now()) | ~Q(member__status=Member.Status.ACTIVE)
    return list(jobs.filter(ended).select_for_update(of=("self",), skip_locked=True))


def _hand_out_lost(jobs: JobQuerySet, task: str) -> int:
    count = 0
    for organization_id in Organization.objects.order_by("pk").values_list("pk", flat=True):
        with organization_context(organization_id):
            lost = list(jobs.without_worker().values_list("pk", flat=True)[:100])
        count += sum(publish(task, organization_id, pk) for pk in lost)
    return count
