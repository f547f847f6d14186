"""What the restricted login may do: read and write rows, nothing else; the append-only tables it may only add to."""

from __future__ import annotations

from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connections
from psycopg import sql

_RIGHTS: Final = sql.SQL(
    "GRANT USAGE ON SCHEMA public TO {role};"
    "GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON ALL TABLES IN SCHEMA public TO {role};"
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};"
    "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}"
)
_APPEND_ONLY: Final = sql.SQL("REVOKE UPDATE, DELETE ON {table} FROM {role}")


def grant_runtime_rights(using: str) -> None:
    """Run by the owner after every migrate. Does nothing where one login does both (then the start-up check complains)."""
    role = sql.Identifier(settings.DATABASE_RUNTIME_ROLE)
    with connections[using].cursor() as cursor:
        cursor.execute(_RIGHTS.format(role=role))
        for model in apps.get_models():
            if getattr(model, "append_only", False):
                cursor.execute(_APPEND_ONLY.format(table=sql.Identifier(model._meta.db_table), role=role))
