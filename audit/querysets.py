"""Reads of the audit log. Each starts from a member and never leaves that member's organization."""

from __future__ import annotations

from typing import Final, Self

from django.db import connection, models

from accounts.pages import Actor

MOST_ACTORS: Final = 1000
# One step through the index per actor instead of reading the whole log for a DISTINCT.
_ACTORS: Final = """
WITH RECURSIVE seen AS (
  (SELECT actor_id, actor_label FROM audit_auditevent
   WHERE organization_id = %(organization)s AND actor_id IS NOT NULL
   ORDER BY actor_id, at DESC, id DESC LIMIT 1)
  UNION ALL
  SELECT following.actor_id, following.actor_label FROM seen CROSS JOIN LATERAL (
    SELECT actor_id, actor_label FROM audit_auditevent
    WHERE organization_id = %(organization)s AND actor_id > seen.actor_id
    ORDER BY actor_id, at DESC, id DESC LIMIT 1
  ) following
)
SELECT actor_id, actor_label FROM seen LIMIT %(most)s
"""


class AuditEventQuerySet(models.QuerySet):
    def visible_to(self, member: Actor) -> Self:
        """The organization's own. Who may read them at all is the page's permission."""
        return self.filter(organization=member.organization)


def actors_known_to(member: Actor) -> list[tuple[int, str]]:
    """Everybody who ever did something here, with the label of the latest time, in the order of their labels."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTORS, {"organization": member.organization.pk, "most": MOST_ACTORS})
        return sorted(cursor.fetchall(), key=lambda actor: actor[1].casefold())
