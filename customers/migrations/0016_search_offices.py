"""The search function, asked about some offices alone: who finds customers by office gets few ids instead of thousands.

The offices are literals, as the patterns are, so that the planner can tell whether their index is worth a look.
"""

from __future__ import annotations

from importlib import import_module

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from psycopg import sql

FUNCTION = sql.SQL(
    """
CREATE FUNCTION customers_search(patterns text[], most integer, offices bigint[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_indexscan = off AS $$
DECLARE
  organization bigint := nullif(current_setting('app.organization_id', true), '')::bigint;
  matches text := '';
  pattern text;
BEGIN
  IF organization IS NULL OR coalesce(cardinality(patterns), 0) NOT BETWEEN 1 AND 6 THEN RETURN; END IF;
  -- Literals, not parameters: the planner chooses between the indexes by how rare the pattern is.
  FOREACH pattern IN ARRAY patterns LOOP
    IF pattern LIKE '%____@%' THEN
      -- Every address has the trigrams of its domain: look up what stands before it, and compare the rest.
      matches := matches || format(' AND c.search LIKE %L', split_part(pattern, '@', 1) || '%')
        || format(' AND (c.search || %L) LIKE %L', '', pattern);
    ELSE
      matches := matches || format(' AND c.search LIKE %L', pattern);
    END IF;
  END LOOP;
  IF offices IS NOT NULL THEN
    matches := matches || format(' AND c.office_id = ANY (%L::bigint[])', offices);
  END IF;
  RETURN QUERY EXECUTE 'SELECT c.id FROM public.customers_customer c WHERE c.organization_id = $1' || matches || ' LIMIT $2'
    USING organization, most;
END $$
"""
)
GRANTS = sql.SQL(
    """
REVOKE ALL ON FUNCTION customers_search(text[], integer, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION customers_search(text[], integer, bigint[]) TO {runtime};
GRANT CREATE ON SCHEMA public TO {search};
ALTER FUNCTION customers_search(text[], integer, bigint[]) OWNER TO {search};
REVOKE CREATE ON SCHEMA public FROM {search}
"""
)
_roles = {
    "search": sql.Identifier(settings.DATABASE_SEARCH_ROLE),
    "runtime": sql.Identifier(settings.DATABASE_RUNTIME_ROLE),
}


def ask_some_offices(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION customers_search(text[], integer)")
        cursor.execute(FUNCTION)
        cursor.execute(GRANTS.format(**_roles))


def ask_everywhere(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    before = import_module("customers.migrations.0003_search_some")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION customers_search(text[], integer, bigint[])")
        cursor.execute(before.FUNCTION)
        cursor.execute(before.GRANTS.format(**_roles))


class Migration(migrations.Migration):
    dependencies = [("customers", "0015_composite_keys_alone")]
    operations = [migrations.RunPython(ask_some_offices, ask_everywhere)]
