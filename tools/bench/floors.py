"""What a long job costs at least: the same rows through bare statements over sets, as the owner of the tables, rolled back at the end.

No rule, no policy, no lock is asked, and no e-mail has more than an address. What makes a statement itself cheap for
PostgreSQL (docs/performance.md) counts for the floor as well.
"""

from __future__ import annotations

import time
from typing import Any, Final

from psycopg import sql

from teams.models import Member
from tools.bench.measuring import bare

PORTION: Final = 5_000
_MOVE: Final = sql.SQL(
    """
UPDATE customers_assignment SET ended_at = now() WHERE customer_id = ANY (%(ids)s) AND ended_at IS NULL;
DELETE FROM customers_customeruserobjectpermission WHERE content_object_id = ANY (%(ids)s);
INSERT INTO audit_auditevent (organization_id, at, verb, actor_label, target_type, target_id, target_label, before, after,
  reason, request_id)
SELECT organization_id, now(), 'account_manager.assigned', '', 'customers.customer', id, number,
  jsonb_build_object('account_manager', account_manager_id), jsonb_build_object('account_manager', %(manager)s), '', ''
FROM customers_customer WHERE id = ANY (%(ids)s);
INSERT INTO notifications_outgoingemail (organization_id, kind, dedupe_key, topic, recipient, recipient_label, subject,
  payload, sealed_body, state, state_reason, attempts, available_at, created_at)
SELECT organization_id, 'floor', 'floor:' || id, 'floor:' || id, email, '', '', '{{}}', '', 'pending', '', 0, now(), now()
FROM customers_customer WHERE id = ANY (%(ids)s);
INSERT INTO customers_assignment (organization_id, customer_id, manager_id, started_at, reason, end_reason)
SELECT %(organization)s, id, %(manager)s, now(), '', '' FROM unnest(%(ids)s) AS id;
INSERT INTO customers_customeruserobjectpermission (organization_id, permission_id, user_id, content_object_id)
SELECT %(organization)s, (SELECT id FROM auth_permission WHERE codename = 'manage_customer'), %(user)s, id
FROM unnest(%(ids)s) AS id;
UPDATE customers_customer SET account_manager_id = %(manager)s, version = version + 1, updated_at = now(), number = number
WHERE id = ANY (%(ids)s);
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED
"""
).format()
# Customers like those who are there, with what belongs to each alone made anew.
_IMPORT: Final = sql.SQL(
    """
CREATE TEMPORARY TABLE copied ON COMMIT DROP AS SELECT row_number() OVER () AS copy, {alike} FROM customers_customer
CROSS JOIN generate_series(1, 100) WHERE organization_id = %(organization)s LIMIT %(rows)s;
INSERT INTO customers_customer ({alike}, number, email, phone, bvn_fingerprint)
SELECT {alike}, 'FL-' || copy, 'floor' || copy || '@mail.example', '+99' || copy, md5(copy::text) FROM copied;
CREATE TEMPORARY TABLE made ON COMMIT DROP AS SELECT id, number, account_manager_id FROM customers_customer
WHERE organization_id = %(organization)s AND number LIKE 'FL-%%';
INSERT INTO audit_auditevent (organization_id, at, verb, actor_label, target_type, target_id, target_label, before, after,
  reason, request_id)
SELECT %(organization)s, now(), 'customer.imported', '', 'customers.customer', id, number, '{{}}', '{{}}', '', '' FROM made;
INSERT INTO customers_assignment (organization_id, customer_id, manager_id, started_at, reason, end_reason)
SELECT %(organization)s, id, account_manager_id, now(), '', '' FROM made WHERE account_manager_id IS NOT NULL;
INSERT INTO customers_customeruserobjectpermission (organization_id, permission_id, user_id, content_object_id)
SELECT %(organization)s, (SELECT id FROM auth_permission WHERE codename = 'manage_customer'), user_id, made.id
FROM made JOIN teams_member AS member ON member.id = made.account_manager_id;
SET CONSTRAINTS ALL IMMEDIATE
"""
).format(
    alike=sql.SQL(
        "organization_id, first_name, last_name, status, status_reason, segment, office_id, account_manager_id, joined_on,"
        " bvn_encrypted, bvn_last_digits, gender, address, state, employer, employment_status, created_at, updated_at, version"
    )
)


def move_floor(organization_id: int, manager: Member, ids: list[int]) -> float:
    """Milliseconds; in portions, as the worker does it."""
    facts = {"organization": organization_id, "manager": manager.pk, "user": manager.user_id}
    portions = [ids[start : start + PORTION] for start in range(0, len(ids), PORTION)]
    return _spent(_MOVE, [{**facts, "ids": portion} for portion in portions])


def import_floor(organization_id: int, rows: int) -> float:
    return _spent(_IMPORT, [{"organization": organization_id, "rows": rows}])


def _spent(statements: sql.Composed, rounds: list[dict[str, Any]]) -> float:
    with bare("owner") as server, server.cursor() as cursor:
        cursor.execute("SET work_mem = '64MB'")
        start = time.perf_counter()
        for facts in rounds:
            cursor.execute(statements, facts)
        spent = time.perf_counter() - start
        server.rollback()
    return spent * 1000
