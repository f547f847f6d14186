"""`manage.py load_demo`: the two demo lenders, once. Later runs find them and bring their roles to this version alone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from lendconsole import demo
from lendconsole.errors import DomainError


class Command(BaseCommand):
    help = "Load the demo lenders with their teams and customers (development machines only)."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError(
                "The demo has a public password. It is loaded on development machines only (DEVELOPMENT=1)."
            )
        if demo.is_loaded():
            self.stdout.write("The demo is loaded already.")
            call_command("sync_roles", stdout=self.stdout)
            return
        try:
            demo.load_demo(self.stdout.write)
        except DomainError as problem:
            raise CommandError(str(problem)) from None
