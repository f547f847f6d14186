"""What the worker does for customers."""

from __future__ import annotations

import logging

from celery import shared_task

from accounts.models import Organization
from customers.consistency import find_differences
from lendconsole.tenancy import organization_context

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
