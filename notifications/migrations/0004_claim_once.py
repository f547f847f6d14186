"""Claims as many e-mails as were asked for, whatever the plan.

The former function asked for them in a subquery of WHERE, which a nested loop runs again for each row that it looks at:
each run locked the next one, and e-mails were claimed that nobody was told of and that waited for their lease to end.
"""

from __future__ import annotations

from typing import Final

from django.db import migrations

CLAIM: Final = """
CREATE OR REPLACE FUNCTION notifications_claim(most integer, lease_seconds integer, only_id bigint)
RETURNS TABLE (id bigint, organization_id bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH due AS MATERIALIZED (
    SELECT waiting.id FROM public.notifications_outgoingemail waiting
    WHERE waiting.state = 'pending' AND waiting.available_at <= clock_timestamp()
      AND (only_id IS NULL OR waiting.id = only_id)
    ORDER BY waiting.available_at, waiting.id LIMIT most FOR UPDATE SKIP LOCKED
  )
  UPDATE public.notifications_outgoingemail email
  SET attempts = attempts + 1, available_at = clock_timestamp() + make_interval(secs => lease_seconds)
  FROM due WHERE email.id = due.id
  RETURNING email.id, email.organization_id
$$
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_sent_body_and_next_due")]
    operations = [migrations.RunSQL(CLAIM, migrations.RunSQL.noop)]
