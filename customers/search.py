"""Search as you type, in steps that stay quick whether one customer matches or half of them do.

CustomerQuerySet.matching says what a search finds. This is the way to the first page and the count of it:

1. The search function names some of the ids, through the trigram index. Mostly those are all, and the rest is easy.
2. A term that is commoner than that is soon met by walking the list in its own order. By name that reads an index alone.
3. Where the walk was too short (a common term, but at the far end of the list), every id is asked for.
"""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL

from accounts.pagination import OneOf
from customers.querysets import CustomerQuerySet, contains, may_be_found_by
from customers.text import SearchTerm
from teams.models import Member

SOME: Final = 3_000
WALK: Final = 40_000


class CustomerSearch:
    """One term, looked up for one member. `is_complete`: the ids at hand are all that match, whoever may find them."""

    def __init__(self, member: Member, term: SearchTerm) -> None:
        self.member = member
        self.term = term
        with connection.cursor() as cursor:
            cursor.execute("SELECT array_agg(id) FROM customers_search(%s, %s) id", [term.patterns, SOME + 1])
            ids: list[int] = cursor.fetchone()[0] or []
        self.is_complete = len(ids) <= SOME
        self._ids = RawSQL("SELECT unnest(%s::bigint[])", [ids])

    def at_hand(self, rows: CustomerQuerySet) -> CustomerQuerySet:
        """Those of the rows that match, as far as their ids are at hand: all of them, or at least these."""
        return rows.filter(may_be_found_by(self.member, self.term), OneOf(F("pk"), self._ids))

    def first(self, rows: CustomerQuerySet, size: int) -> QuerySet[Any, Any] | list[int]:
        """The keys of the first rows that match, in the order that the rows have."""
        if self.is_complete:
            return self.at_hand(rows).values("pk")[:size]
        keys = self._walked(rows, size)
        if len(keys) == size or not rows.order_by()[WALK:].exists():
            return keys
        return rows.matching(self.member, self.term).values("pk")[:size]

    def _walked(self, rows: CustomerQuerySet, size: int) -> list[int]:
        """The keys of the first matches among the first WALK rows. The walk ends as soon as there are enough."""
        matches = contains(self.term) & may_be_found_by(self.member, self.term)
        try:
            walk, parameters = rows.annotate(matches=matches).values("pk", "matches")[:WALK].query.sql_with_params()
        except EmptyResultSet:  # filtered by what the member never sees
            return []
        statement = f"SELECT pk FROM ({walk}) walked WHERE matches LIMIT %s"  # noqa: S608  # Django wrote it, without values
        with connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, size])
            return [pk for (pk,) in cursor.fetchall()]
