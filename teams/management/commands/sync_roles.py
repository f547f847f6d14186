"""manage.py sync_roles: bring the built-in roles of every organization up to their definitions. Part of an upgrade."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import Organization
from lendconsole.tenancy import organization_context
from teams.services import sync_built_in_roles


class Command(BaseCommand):
    help = "Bring the built-in roles of every organization up to their definitions. Run after each upgrade; repeating it is harmless."

    def handle(self, *args: Any, **options: Any) -> None:
        organizations = list(Organization.objects.order_by("pk"))
        for organization in organizations:
            with organization_context(organization.pk):
                sync_built_in_roles(organization=organization)
        self.stdout.write(f"The built-in roles of {len(organizations)} organizations are up to date.")
