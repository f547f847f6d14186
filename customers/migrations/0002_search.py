"""The search function.

LIKE is not leakproof, so under row-level security the planner may not use the trigram index (50 times slower). A role
whose only policy is USING (true) has no security qualification left: inside a function that it owns the index serves.
The function filters by the organization setting itself and returns ids alone, which callers join back to the table
under their own policies.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from psycopg import sql

FUNCTION = sql.SQL(
    """
CREATE FUNCTION customers_search(patterns text[], exact text[]) RETURNS TABLE (id bigint, is_open boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp ROWS 200 AS $$
DECLARE
  organization bigint := nullif(current_setting('app.organization_id', true), '')::bigint;
  matches text := '';
  name_matches text := '';
  pattern text;
BEGIN
  IF organization IS NULL OR coalesce(cardinality(patterns), 0) NOT BETWEEN 1 AND 6 THEN RETURN; END IF;
  -- Literals, not parameters: the planner chooses between the indexes by how rare the pattern is.
  FOREACH pattern IN ARRAY patterns LOOP
    matches := matches || format(' AND c.search LIKE %L', pattern);
    name_matches := name_matches || format(' AND (%L || c.name_key || %L || lower(c.number)) LIKE %L', ' ', ' ', pattern);
  END LOOP;
  RETURN QUERY EXECUTE
    'SELECT c.id, (true' || name_matches || ') OR c.phone = ANY ($2) OR c.email = ANY ($2) OR lower(c.number) = ANY ($2) '
    'FROM public.customers_customer c WHERE c.organization_id = $1' || matches
    USING organization, exact;
END $$
"""
)
GRANTS = sql.SQL(
    """
GRANT USAGE ON SCHEMA public TO {search};
GRANT SELECT ON customers_customer TO {search};
CREATE POLICY customers_customer_search_reads ON customers_customer FOR SELECT TO {search} USING (true)
"""
)
FUNCTION_GRANTS = sql.SQL(
    """
REVOKE ALL ON FUNCTION customers_search(text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION customers_search(text[], text[]) TO {runtime};
GRANT CREATE ON SCHEMA public TO {search};
ALTER FUNCTION customers_search(text[], text[]) OWNER TO {search};
REVOKE CREATE ON SCHEMA public FROM {search}
"""
)


def create_search(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    roles = {
        "search": sql.Identifier(settings.DATABASE_SEARCH_ROLE),
        "runtime": sql.Identifier(settings.DATABASE_RUNTIME_ROLE),
    }
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FUNCTION)
        cursor.execute(GRANTS.format(**roles))
        cursor.execute(FUNCTION_GRANTS.format(**roles))


def drop_search(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION customers_search(text[], text[])")
        cursor.execute("DROP POLICY customers_customer_search_reads ON customers_customer")


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]
    operations = [migrations.RunPython(create_search, drop_search)]
