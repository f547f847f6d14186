"""What the worker does for teams."""

from __future__ import annotations

from celery import shared_task

from accounts.models import Organization
from lendconsole.tenancy import organization_context
from teams.services.renewals import remind_invited


@shared_task
def remind_invited_people() -> int:
    """Hourly: remind those whose invitation ends within two days, each once. Returns how many."""
    reminded = 0
    for organization in Organization.objects.active().order_by("pk"):
        with organization_context(organization.pk):
            reminded += remind_invited(organization=organization)
    return reminded
