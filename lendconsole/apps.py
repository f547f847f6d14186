"""Start-up of the whole program: the runtime login's rights after each migration, and the checks that refuse to run without walls."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class LendconsoleConfig(AppConfig):
    name = "lendconsole"

    def ready(self) -> None:
        from lendconsole import checks, grants  # noqa: F401  # models are not loaded when this module is

        # Django emits the signal for apps with models only; any one of them will do.
        post_migrate.connect(_grant, sender=apps.get_app_config("customers"))


def _grant(using: str, **kwargs: Any) -> None:
    from lendconsole.grants import grant_runtime_rights

    grant_runtime_rights(using)
