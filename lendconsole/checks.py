"""`manage.py check --database default`: refuses a database login that would not be held by row-level security."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import Error, register
from django.db import connections

from lendconsole.tenancy import tenant_models


@register("database")
def row_security_is_active(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[Error]:
    errors = []
    for alias in databases or []:
        with connections[alias].cursor() as cursor:
            tables = [model._meta.db_table for model in tenant_models(list(apps.get_models()))]
            cursor.execute(
                "SELECT t FROM unnest(%s::text[]) AS t WHERE to_regclass(t) IS NOT NULL AND NOT row_security_active(t)",
                [tables],
            )
            if unguarded := [table for (table,) in cursor.fetchall()]:
                errors.append(
                    Error(
                        f"Row-level security is not active for {', '.join(unguarded)}.",
                        hint="DATABASE_URL must name a login that owns no table, is no superuser and has no BYPASSRLS.",
                        id="tenancy.E001",
                    )
                )
    return errors
