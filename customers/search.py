"""Search as you type, in steps that stay quick whether one customer matches or half of them do.

CustomerQuerySet.matching says what a search finds. This is the way to the first page and the count of it:

1. The search function names some of the ids, through the trigram index. Mostly those are all, and the rest is easy.
2. A term that is commoner than that is soon met by walking the list in its own order. By name that reads an index alone.
3. Where the walk was too short (a common term, but at the far end of the list), every id is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F
from django.db.models.expressions import RawSQL

from accounts.pagination import Keys, OneOf, Parts, first_keys
from customers.access import place_reaches
from customers.querysets import CustomerQuerySet, contains, may_be_found_by
from customers.text import SearchTerm
from lendconsole.many import as_array
from teams.capabilities import Capability, Reach
from teams.models import Member

SOME: Final = 3_000
WALK: Final = 40_000


class CustomerSearch:
    """One term, looked up for one member. `is_complete`: what is at hand is all that matches, whoever may find it.

    `parts` are those of CustomerQuerySet.visible_parts. The steps are for the part by place; one's own customers are few,
    and simply read.
    """

    def __init__(self, member: Member, term: SearchTerm) -> None:
        self.member = member
        self.term = term
        place = place_reaches(member, Capability.CUSTOMERS_FIND)[0]
        self.is_by_place = place > Reach.OWN
        self._offices = list(member.area) if place == Reach.OFFICE else None
        ids = self._some_ids() if self.is_by_place else []
        self.is_complete = len(ids) <= SOME
        self._ids = RawSQL("SELECT unnest(%s::bigint[])", [as_array(ids)])

    def _some_ids(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT array_agg(id) FROM customers_search(%s, %s, %s) id",
                [self.term.patterns, SOME + 1, self._offices],
            )
            ids: list[int] = cursor.fetchone()[0] or []
        return ids

    def at_hand(self, parts: Parts) -> Parts:
        """Those that match, as far as they are at hand: all of them, or at least these."""
        by_place, own = self._divided(parts)
        return [*(self._named(part) for part in by_place), *(part.holding(self.member, self.term) for part in own)]

    def first(self, parts: Parts, size: int) -> Keys:
        """Keys among which the first rows that match are, in the order that the parts have."""
        if self.is_complete:
            return first_keys(self.at_hand(parts), size)
        (place,), own = self._divided(parts)
        keys = self._walked(place, size)
        if len(keys) < size and place.order_by()[WALK:].exists():
            found = place.matching(self.member, self.term)
        elif own:
            found = place.filter(pk__in=keys)
        else:
            return keys
        return first_keys([found, *(part.holding(self.member, self.term) for part in own)], size)

    def _divided(self, parts: Parts) -> tuple[Sequence[Any], Sequence[Any]]:
        at = 1 if self.is_by_place else 0
        return parts[:at], parts[at:]

    def _named(self, place: CustomerQuerySet) -> CustomerQuerySet:
        return place.filter(may_be_found_by(self.member, self.term), OneOf(F("pk"), self._ids))

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
