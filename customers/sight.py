"""How many customers somebody starts or ceases to see by a change that nobody has made yet: counting, and saying it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import Permission
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from customers.models import MANAGE, Cover, Customer, CustomerUserObjectPermission, TemporaryAccess
from teams.capabilities import Capability
from teams.models import Member

COUNTED: Final = (Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW)
_COUNTS_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Sight:
    """How many customers one member starts or ceases to find, or to open in full."""

    member: Member
    count: int


@dataclass(frozen=True, slots=True)
class SightChange:
    capability: Capability
    is_gain: bool
    rows: tuple[Sight, ...]

    @property
    def sentence(self) -> str:
        counts = sorted(row.count for row in self.rows)
        few, many = counts[0], counts[-1]
        number = f"{many:,}" if few == many else f"{few:,} to {many:,}"
        to_whom = number_of_people(len(counts)) if few == many else f"each of {number_of_people(len(counts))}"
        things = "customer" if many == 1 else "customers"
        verb = "is" if many == 1 else "are"
        if self.capability == Capability.CUSTOMERS_FIND:
            if self.is_gain:
                return f"{number} more {things} {'becomes' if many == 1 else 'become'} visible to {to_whom}."
            return f"{number} {things} {verb} no longer visible to {to_whom}."
        if self.is_gain:
            return f"{number} more {things} can be opened in full by {to_whom}."
        return f"{number} {things} can no longer be opened in full by {to_whom}."


def counted(querysets: Mapping[str, QuerySet[Customer]]) -> dict[str, int]:
    """Many counts in few statements. Joined as SQL: to nest them in one query costs Django more than the answers do."""
    found = dict.fromkeys(querysets, 0)
    compiled = [(name, *part) for name, rows in querysets.items() if (part := _compiled(rows))]
    for start in range(0, len(compiled), _COUNTS_AT_ONCE):
        parts = compiled[start : start + _COUNTS_AT_ONCE]
        counts = ", ".join(f"(SELECT count(*) FROM ({sql}) counted)" for _, sql, _ in parts)  # noqa: S608  # from Django
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {counts}", [value for *_, values in parts for value in values])
            found |= zip([name for name, *_ in parts], cursor.fetchone(), strict=True)
    return found


def _compiled(rows: QuerySet[Customer]) -> tuple[str, tuple[Any, ...]] | None:
    try:
        return rows.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return None


def without_own(member: Member) -> Member:
    """Somebody in the same office to whom nothing is dedicated, who covers for nobody and was opened nothing."""
    somebody, login = copy.copy(member), copy.copy(member.user)
    somebody.pk = login.pk = 0
    somebody.user = login
    return somebody


def own_customers(members: Iterable[Member]) -> dict[int, set[int]]:
    """The customers that are each member's own, for many members in three statements; customers.access has it for one."""
    own: dict[int, set[int]] = {member.pk: set() for member in members}
    manage = Permission.objects.filter(content_type__app_label="customers", codename=MANAGE).values("pk")[:1]
    granted = CustomerUserObjectPermission.objects.filter(
        permission=Subquery(manage), user=OuterRef("account_manager__user"), content_object=OuterRef("pk")
    )
    held = Customer.objects.filter(account_manager__in=own).filter(Exists(granted))
    covered = Cover.objects.running().filter(substitute__in=own)
    opened = TemporaryAccess.objects.running().filter(member__in=own)
    for rows in (
        held.values_list("account_manager", "pk"),
        covered.exclude(covered__customers=None).values_list("substitute", "covered__customers"),
        opened.values_list("member", "customer"),
    ):
        for member, customer in rows:
            own[member].add(customer)
    return own


def number_of_people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
