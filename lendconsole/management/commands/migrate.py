"""Schema changes run as the owner of the tables; everything else runs as the restricted login."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.commands.migrate import Command as Migrate

from lendconsole.tenancy import as_owner


class Command(Migrate):
    requires_system_checks: ClassVar[list[str]] = []  # type: ignore[misc]  # ours look at the tables that this is about to make

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner(options["database"]):
            super().handle(*args, **options)
