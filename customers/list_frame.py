"""What stands around the list of customers: what its filters offer, the saved views, the columns, the figures of its cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Count, Exists, JSONField, OuterRef, Q, QuerySet, Subquery

from accounts.pagination import CappedCount
from customers.attention import Attention, held_by_each, in_another_office, needing, not_working
from customers.columns import known
from customers.filters import Choice, Choices
from customers.models import Customer, SavedView
from customers.readers import Together, name_of
from teams.capabilities import Capability, Reach
from teams.models import Member, Office
from teams.office_tree import in_tree_order
from teams.standing import kept

SHOWN_VIEWS: Final = 200


@dataclass(frozen=True, slots=True)
class SavedLink:
    """A saved view as the menu of the list shows it."""

    pk: int
    name: str
    query: str
    is_shared: bool
    member_id: int
    owner: str


@dataclass(frozen=True, slots=True)
class ListFrame:
    """What stands around a list: its filters' choices, the saved views, one's own columns, and the figures of the cards."""

    choices: Choices
    views: list[SavedLink]
    columns: tuple[str, ...]
    cards: dict[str, int]


def list_frame(member: Member, *, with_cards: bool) -> ListFrame:
    """All of it in one statement."""
    found = (_frame_with_cards if with_cards else _frame)(member).ask()
    return ListFrame(
        choices=_choices(found),
        views=[SavedLink(**view) for view in found["views"] or ()],
        columns=known(found["columns"] or ()),
        cards=_cards(found) if with_cards else {},
    )


@kept
def _frame(member: Member) -> Together:
    return Together(member.organization, _frame_parts(member))


@kept
def _frame_with_cards(member: Member) -> Together:
    return Together(member.organization, {**_frame_parts(member), **_card_parts(member)})


def _frame_parts(member: Member) -> dict[str, Subquery]:
    views = SavedView.objects.visible_to(member).named().order_by("name", "pk")
    facts = views.values("pk", "name", "query", "is_shared", "member_id", owner=name_of("member__user"))
    columns = SavedView.objects.of(member).filter(name="").values("columns")
    return {**_choice_parts(member), "views": _Rows(facts[:SHOWN_VIEWS]), "columns": Subquery(columns)}


def _card_parts(member: Member) -> dict[str, Subquery]:
    """Who needs attention is counted in two parts, neither of which has a customer of the other."""
    if member.reach(Capability.CUSTOMERS_FIND) == Reach.OWN:
        return {}  # the groups of _choice_parts are counted
    visible = Customer.objects.visible_parts(member)
    each_visible = Customer.objects.still_visible_to(member)
    idle, at_home = not_working(member.organization), Q(office=OuterRef("office"))
    return {
        "all": CappedCount(visible),
        "active": CappedCount([part.filter(status=Customer.Status.ACTIVE) for part in visible]),
        "unassigned": CappedCount([part.filter(account_manager=None) for part in visible]),
        "mismatched": _HeldCount(in_another_office(member.organization, each_visible)),
        "not_working": _HeldCount(held_by_each(idle, each_visible, at_home)),
    }


class _Rows(Subquery):
    """All rows of a queryset of values, in its order: one document, which Python reads at once."""

    template = "(SELECT jsonb_agg(each) FROM (%(subquery)s) each)"
    output_field = JSONField()


class _HeldCount(CappedCount):
    """How many customers `held_by_each` finds."""

    def __init__(self, held: QuerySet[Any, Any]) -> None:
        Subquery.__init__(self, held)


def _cards(found: Mapping[str, Any]) -> dict[str, int]:
    """Each counted to COUNT_CAP + 1 at most, save for one's own, who are few."""
    if "groups" in found:
        groups = found["groups"] or ()
        active = sum(group["count"] for group in groups if group["status"] == Customer.Status.ACTIVE)
        attention = sum(group["attention"] for group in groups)
        return {"all": sum(group["count"] for group in groups), "active": active, "attention": attention}
    figures = {name: found[name] or 0 for name in ("all", "active", "unassigned")}
    return {**figures, "attention": sum(found[part] or 0 for part in ("mismatched", "not_working"))}


def filter_choices(member: Member) -> Choices:
    """The offices and account managers of the customers that exist for the member, in one statement."""
    return _choices(_offered(member).ask())


@kept
def _offered(member: Member) -> Together:
    return Together(member.organization, _choice_parts(member))


def _choice_parts(member: Member) -> dict[str, _Rows]:
    reach = member.reach(Capability.CUSTOMERS_FIND)
    if reach == Reach.OWN:
        return {"groups": _Rows(_own_groups(member))}
    offices = Office.objects.for_organization(member.organization)
    managers = Member.objects.for_organization(member.organization).filter(_has_visible(member, "account_manager"))
    if reach != Reach.ORGANIZATION:
        offices = offices.filter(Q(pk__in=member.area) | _has_visible(member, "office"))
    return {
        "offices": _Rows(offices.order_by().values("pk", "name", "path")),
        "managers": _Rows(managers.order_by().values("pk", name=name_of("user"))),
    }


def _has_visible(member: Member, relation: str) -> Q:
    """Of an office or a member: whether a customer that the member finds points at it."""
    looks = (Exists(part.filter(**{relation: OuterRef("pk")})) for part in Customer.objects.visible_parts(member))
    return reduce(or_, map(Q, looks))


def _own_groups(member: Member) -> QuerySet[Any, Any]:
    """One's own customers, read once for all that is offered and counted: so many of an office, a manager and a status."""
    rows = Customer.objects.visible_to(member).order_by()
    groups = rows.values("office", "office__name", "office__path", "account_manager", "status")
    return groups.annotate(
        manager=name_of("account_manager__user"),
        count=Count("pk"),
        attention=Count("pk", filter=needing(Attention.NEEDED, member.organization)),
    )


def _choices(found: Mapping[str, Any]) -> Choices:
    if "groups" in found:
        groups = found["groups"] or ()
        offices = [
            Choice(*key) for key in {(row["office"], row["office__name"], row["office__path"]) for row in groups}
        ]
        managers = [Choice(*key) for key in {(row["account_manager"], row["manager"]) for row in groups} if key[0]]
    else:
        offices, managers = ([Choice(**row) for row in found[part] or ()] for part in ("offices", "managers"))
    return Choices(offices=in_tree_order(offices), managers=sorted(managers, key=lambda c: (c.name.casefold(), c.pk)))
