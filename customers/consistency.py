"""Whether the three records of an account manager agree: the column, the open period and guardian's grant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import Permission
from django.db import connection
from psycopg import sql

from accounts.models import Organization, User
from customers.models import MANAGE, Assignment, Customer, CustomerUserObjectPermission
from teams.models import Member

MAXIMUM_REPORTED: Final = 1_000

# One row for each customer in whom they differ. Names are those of logins; an empty list is nobody.
_DIFFERENCES: Final = """
WITH named AS (
  SELECT member.id, login.id AS user_id, login.first_name || ' ' || login.last_name AS name
  FROM {members} AS member JOIN {users} AS login ON login.id = member.user_id WHERE member.organization_id = %(organization)s
), periods AS (
  SELECT customer_id, array_agg(manager_id ORDER BY manager_id) AS managers
  FROM {assignments} WHERE organization_id = %(organization)s AND ended_at IS NULL GROUP BY customer_id
), grants AS (
  SELECT content_object_id AS customer_id, array_agg(user_id ORDER BY user_id) AS users
  FROM {grants} WHERE organization_id = %(organization)s AND permission_id = %(permission)s GROUP BY content_object_id
)
SELECT customer.id, customer.first_name || ' ' || customer.last_name || ' (' || customer.number || ')',
  manager.name,
  ARRAY(SELECT name FROM named WHERE named.id = ANY (periods.managers) ORDER BY name),
  ARRAY(SELECT first_name || ' ' || last_name FROM {users} WHERE id = ANY (grants.users) ORDER BY 1)
FROM {customers} AS customer
LEFT JOIN named AS manager ON manager.id = customer.account_manager_id
LEFT JOIN periods ON periods.customer_id = customer.id
LEFT JOIN grants ON grants.customer_id = customer.id
WHERE customer.organization_id = %(organization)s AND (
  coalesce(periods.managers, '{{}}') <> array_remove(ARRAY[customer.account_manager_id], NULL)
  OR coalesce(grants.users, '{{}}') <> array_remove(ARRAY[manager.user_id], NULL)
)
ORDER BY customer.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One customer whose records disagree."""

    customer_id: int
    customer: str
    column: str | None
    periods: list[str]
    grants: list[str]

    def __str__(self) -> str:
        return (
            f"{self.customer}: the account manager is {self.column or 'nobody'}, "
            f"the open period names {_names(self.periods)}, access is granted to {_names(self.grants)}."
        )


def find_differences(organization: Organization) -> list[Difference]:
    """At most MAXIMUM_REPORTED of them. Runs inside organization_context."""
    permission = Permission.objects.get(content_type__app_label="customers", codename=MANAGE)
    models = {
        "customers": Customer,
        "members": Member,
        "users": User,
        "assignments": Assignment,
        "grants": CustomerUserObjectPermission,
    }
    tables = {name: sql.Identifier(model._meta.db_table) for name, model in models.items()}
    values = {"organization": organization.pk, "permission": permission.pk, "limit": MAXIMUM_REPORTED}
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(_DIFFERENCES).format(**tables), values)
        return [Difference(*row) for row in cursor.fetchall()]


def _names(names: list[str]) -> str:
    return " and ".join(names) or "nobody"
