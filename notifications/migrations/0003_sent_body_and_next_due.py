"""A place for sent texts in development, and the time at which the next e-mail of any organization is due.

The function tells one time and nothing else: the sweep needs it to know when to come back.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from psycopg import sql

NEXT_DUE = sql.SQL(
    """
CREATE FUNCTION notifications_next_due() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT min(available_at) FROM public.notifications_outgoingemail WHERE state = 'pending'
$$;
REVOKE ALL ON FUNCTION notifications_next_due() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notifications_next_due() TO {runtime}
"""
)


def create_next_due(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(NEXT_DUE.format(runtime=sql.Identifier(settings.DATABASE_RUNTIME_ROLE)))


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_claim")]
    operations = [
        migrations.AddField(
            model_name="outgoingemail",
            name="sent_body",
            field=models.JSONField(help_text="text and html, kept in development only, for /dev/mailbox", null=True),
        ),
        migrations.RunPython(create_next_due, migrations.RunPython.noop),
        migrations.RunSQL(migrations.RunSQL.noop, "DROP FUNCTION IF EXISTS notifications_next_due()"),
    ]
