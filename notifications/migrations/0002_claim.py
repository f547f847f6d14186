"""Claiming due e-mails across organizations: ids only, each with a lease, so that no two workers send the same one."""

from __future__ import annotations

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from psycopg import sql

CLAIM = sql.SQL(
    """
CREATE FUNCTION notifications_claim(most integer, lease_seconds integer, only_id bigint)
RETURNS TABLE (id bigint, organization_id bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE public.notifications_outgoingemail email
  SET attempts = attempts + 1, available_at = clock_timestamp() + make_interval(secs => lease_seconds)
  WHERE email.id IN (
    SELECT due.id FROM public.notifications_outgoingemail due
    WHERE due.state = 'pending' AND due.available_at <= clock_timestamp() AND (only_id IS NULL OR due.id = only_id)
    ORDER BY due.available_at, due.id LIMIT most FOR UPDATE SKIP LOCKED
  )
  RETURNING email.id, email.organization_id
$$;
REVOKE ALL ON FUNCTION notifications_claim(integer, integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notifications_claim(integer, integer, bigint) TO {runtime}
"""
)


def create_claim(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(CLAIM.format(runtime=sql.Identifier(settings.DATABASE_RUNTIME_ROLE)))


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]
    operations = [
        migrations.RunPython(create_claim, migrations.RunPython.noop),
        migrations.RunSQL(
            migrations.RunSQL.noop, "DROP FUNCTION IF EXISTS notifications_claim(integer, integer, bigint)"
        ),
    ]
