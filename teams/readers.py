"""What the settings pages show. Each page needs the same number of statements for one row and for a full page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

from django.db.models import Count, Exists, F, IntegerField, OrderBy, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import parameters
from accounts.models import Organization
from teams.capabilities import Capability, Reach
from teams.models import Invitation, Member, Office, Role
from teams.office_tree import in_tree_order, indented
from teams.policy import may_clone, may_edit, may_give, roles_of

PAGE_SIZE: Final = 50
ACTIVE, INVITED, DEACTIVATED = "active", "invited", "deactivated"
TABS: Final = {ACTIVE: "Active", INVITED: "Invited", DEACTIVATED: "Deactivated"}
PENDING, ASKED, ALL = "", "asked", "all"
STATES: Final = {
    PENDING: "Not accepted yet",
    **dict(Invitation.State.choices),
    ASKED: "Asked for a new link",
    ALL: "Any state",
}
LAST_SEEN: Final = {"week": "In the last 7 days", "month": "Not for 30 days", "never": "Never"}
SORTS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("name_key", "pk"),
    "role": ("role__name", "name_key", "pk"),
    "office": ("office__name", "name_key", "pk"),
    "seen": ("last_seen_at", "pk"),
}
SECOND_FACTOR: Final = {"on": "On", "off": "Off"}

Row = TypeVar("Row", Role, Office)


@dataclass(slots=True)
class MemberFilters:
    """What the address asks for, as far as it can be understood."""

    status: str = ACTIVE
    q: str = ""
    role: Role | None = None
    office: Office | None = None
    second_factor: str = ""
    last_seen: str = ""
    sort: str = "name"
    state: str = PENDING
    page: int = 1
    chips: list[tuple[str, str, str]] = field(default_factory=list)

    @classmethod
    def parse(cls, query: Mapping[str, str], roles: list[Role], offices: list[Office]) -> MemberFilters:
        sort = parameters.text(query, "sort")
        filters = cls(
            status=parameters.option(query, "status", TABS) or ACTIVE,
            q=parameters.text(query, "q"),
            role=_one_of(roles, parameters.key(query, "role")),
            office=_one_of(offices, parameters.key(query, "office")),
            second_factor=parameters.option(query, "second_factor", SECOND_FACTOR),
            last_seen=parameters.option(query, "last_seen", LAST_SEEN),
            sort=sort if sort.removeprefix("-") in SORTS else "name",
            state=parameters.option(query, "state", STATES) or PENDING,
            page=parameters.page(query),
        )
        filters.chips = filters._chips()
        return filters

    def _chips(self) -> list[tuple[str, str, str]]:
        possible = [
            ("Search", self.q, "q"),
            ("Role", self.role.name if self.role else "", "role"),
            ("Office", self.office.name if self.office else "", "office"),
            ("Second factor", SECOND_FACTOR.get(self.second_factor, ""), "second_factor"),
        ]
        if self.status != INVITED:
            possible.append(("Last seen", LAST_SEEN.get(self.last_seen, ""), "last_seen"))
        elif self.state:
            possible.append(("State", STATES[self.state], "state"))
        return [chip for chip in possible if chip[1]]

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """What members and invitations have in common."""
        if self.role is not None:
            rows = rows.filter(role=self.role)
        if self.office is not None:
            rows = rows.filter(office__path__startswith=self.office.path)
        return rows


def _one_of(rows: list[Row], pk: int | None) -> Row | None:
    return next((row for row in rows if row.pk == pk), None)


@dataclass(frozen=True, slots=True)
class MemberList:
    """One page of a tab. Rows carry `can_manage`, `can_deactivate` (members) or `can_change`, `can_resend` (invitations)."""

    filters: MemberFilters
    roles: list[Role]
    offices: list[Office]
    counts: dict[str, int]
    rows: list[Any]
    total: int

    @property
    def first(self) -> int:
        return (self.filters.page - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def has_next(self) -> bool:
        return self.last < self.total


def member_list(member: Member, parameters: Mapping[str, Any]) -> MemberList:
    """Four statements: roles, offices, counts, rows."""
    roles = roles_of(member.organization)
    offices = in_tree_order(Office.objects.for_organization(member.organization))
    for office in offices:
        office.indented_name = indented(office)  # type: ignore[attr-defined]  # for the filter alone
    counts = _counts(member)
    filters = MemberFilters.parse(parameters, roles, offices)
    if filters.status not in counts:
        filters.status = ACTIVE
    rows: QuerySet[Any] = _invitations(member, filters) if filters.status == INVITED else _members(member, filters)
    start = (filters.page - 1) * PAGE_SIZE
    found = list(rows.annotate(total=Window(Count("pk")))[start : start + PAGE_SIZE])
    if not found and filters.page > 1:
        filters.page = 1
        found = list(rows.annotate(total=Window(Count("pk")))[:PAGE_SIZE])
    mark = _mark_invitation if filters.status == INVITED else _mark_member
    known = {role.pk: role for role in roles}
    for row in found:
        row.role = known[row.role_id]
        mark(member, row)
    return MemberList(filters, roles, offices, counts, found, found[0].total if found else 0)


def _members(member: Member, filters: MemberFilters) -> QuerySet[Member]:
    rows = filters.narrow(Member.objects.visible_to(member).matching(filters.q).filter(status=filters.status))
    rows = rows.with_second_factor().with_customer_count().select_related("user", "office")  # type: ignore[attr-defined]  # narrow is typed for both lists
    rows = rows.annotate(
        in_reach_to_manage=_permitted(member, Capability.MEMBERS_MANAGE),
        in_reach_to_deactivate=_permitted(member, Capability.MEMBERS_DEACTIVATE),
    )
    if filters.second_factor:
        rows = rows.filter(has_second_factor=filters.second_factor == "on")
    if filters.last_seen:
        rows = rows.filter(_seen(filters.last_seen))
    return rows.order_by(*_order(filters.sort))


def _seen(last_seen: str) -> Q:
    now = timezone.now()
    match last_seen:
        case "week":
            return Q(last_seen_at__gte=now - timedelta(days=7))
        case "month":
            return Q(last_seen_at__lt=now - timedelta(days=30)) | Q(last_seen_at=None)
    return Q(last_seen_at=None)


def _order(sort: str) -> list[OrderBy]:
    """Nobody's last time counts as the longest ago, whichever way round."""
    columns = SORTS[sort.removeprefix("-")]
    if sort.startswith("-"):
        return [F(column).desc(nulls_last=True) for column in columns]
    return [F(column).asc(nulls_first=True) for column in columns]


def exported_members(member: Member, parameters: Mapping[str, Any]) -> tuple[MemberFilters, list[Any]]:
    """Every member that the list shows under the same address, on all of its pages."""
    roles = roles_of(member.organization)
    filters = MemberFilters.parse(parameters, roles, list(Office.objects.for_organization(member.organization)))
    if filters.status == INVITED:
        filters.status = ACTIVE
    return filters, list(_members(member, filters).select_related("user", "office", "role"))


def _permitted(member: Member, capability: Capability) -> Exists:
    return Exists(Member.objects.permitted(member, capability).filter(pk=OuterRef("pk")))


def _invitations(member: Member, filters: MemberFilters) -> QuerySet[Invitation]:
    rows: Any = Invitation.objects.visible_to(member).matching(filters.q)
    if filters.state == ASKED:
        rows = rows.pending().filter(asked_at__isnull=False)
    elif filters.state != ALL:
        rows = rows.in_state(filters.state)
    found: QuerySet[Invitation] = filters.narrow(rows.with_delivery())
    return found.select_related("office", "invited_by__user").order_by("-sent_at", "-pk")


def _counts(member: Member) -> dict[str, int]:
    """Of each tab that the member may see."""
    tabs: dict[str, QuerySet[Any]] = {
        status: Member.objects.visible_to(member).filter(status=status) for status in (ACTIVE, DEACTIVATED)
    }
    if member.may(Capability.MEMBERS_INVITE):
        tabs[INVITED] = Invitation.objects.visible_to(member).pending()
    found: dict[str, int] = (
        Organization.objects.filter(pk=member.organization.pk)
        .annotate(**{tab: _counted(rows) for tab, rows in tabs.items()})
        .values(*tabs)
        .get()
    )
    return {tab: found[tab] for tab in TABS if tab in found}


def _counted(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.filter(organization=OuterRef("pk")).order_by().values("organization").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)


def _mark_member(member: Member, row: Any) -> None:
    below = row.pk != member.pk and may_give(member, row.role)
    row.can_manage = below and row.in_reach_to_manage
    row.can_deactivate = below and row.in_reach_to_deactivate


def _mark_invitation(member: Member, row: Any) -> None:
    row.can_change = row.is_pending and may_give(member, row.role)
    row.can_resend = row.can_change and row.office.is_active


def members_without_second_factor(member: Member) -> QuerySet[Member]:
    """Active members who would have to set one up."""
    rows: Any = Member.objects.active().for_organization(member.organization).with_second_factor().with_name_key()
    rows = rows.filter(has_second_factor=False).select_related("user", "role", "office").order_by("name_key", "pk")
    lacking: QuerySet[Member] = rows
    return lacking


def role_rows(member: Member) -> list[Role]:
    """Every role with `holder_count` and what the member may do with it: `can_clone`, `can_edit`."""
    rows: Any = Role.objects.for_organization(member.organization)
    roles: list[Role] = list(rows.with_counts().prefetch_related("permissions"))
    for row in roles:
        marked: Any = row
        marked.can_edit = may_edit(member, row)
        marked.can_clone = may_clone(member, row)
    return roles


def capability_holders(member: Member, capability: Capability) -> tuple[list[Role], list[Member]]:
    """The roles that allow it, furthest first, and those of the people who have them that the member sees."""
    roles = [role for role in roles_of(member.organization) if role.reach(capability) > Reach.NONE]
    roles.sort(key=lambda role: -role.reach(capability).rank)
    known: dict[int, Any] = {role.pk: role for role in roles}
    rows: Any = Member.objects.visible_to(member).active().filter(role__in=roles)
    found = list(rows.with_name_key().select_related("user", "office").order_by("name_key", "pk"))
    for row in found:
        row.role = known[row.role_id]
        row.reach_there = row.role.reach(capability)
    found.sort(key=lambda row: -row.reach_there.rank)
    for role in roles:
        marked: Any = role
        marked.reach_there = role.reach(capability)
    return roles, found
