"""Who can see one customer, at which level and why: the access rule turned around, for all members in one statement.

The conditions are those of customers.access, asked of the row of the member instead of one member. What is said in
words about them is tried against the rule by a property test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, ExpressionWrapper, JSONField, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields import BooleanField
from django.db.models.functions import JSONArray
from django.utils import timezone
from django.utils.formats import date_format

from audit.verbs import Verb
from customers.access import AnyMember, Rule, place_reaches, reach_over_customers, rules
from customers.models import Cover, Customer, TemporaryAccess
from customers.querysets import CARD, FULL
from customers.readers import events, name_of
from teams.capabilities import Capability, Reach
from teams.models import Member, Role
from teams.policy import roles_of

NOTHING: Final = ""
WHO_CAN, IN_FULL, AS_CARD, WHO_CANNOT = "", "full", "card", "nobody"
SHOWN: Final = {
    WHO_CAN: "Who can see this customer",
    IN_FULL: "Who can open it in full",
    AS_CARD: "Who sees the card alone",
    WHO_CANNOT: "Who cannot see it",
}
PAGE_SIZE: Final = 50
OTHERS_SHOWN: Final = 10
_OWN: Final = (Rule.MANAGER, Rule.COVER, Rule.TEMPORARY)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one member sees of the customer, and by which rules. `missing` says what keeps them from seeing more."""

    member: Member
    level: str
    reasons: tuple[str, ...]
    missing: str
    opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lens:
    """One page of those who see the customer. `others` are members of the name that was searched who do not."""

    rows: list[Sight]
    others: list[Sight]
    full: int
    cards: int
    total: int
    page: int

    @property
    def first(self) -> int:
        return (self.page - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def range_text(self) -> str:
        return f"{self.first:,}–{self.last:,} of {self.total:,}"

    @property
    def has_next(self) -> bool:
        return self.last < self.total


@dataclass(frozen=True, slots=True)
class _Holding:
    """By which rules one member finds the customer and opens it in full."""

    pk: int
    find: frozenset[Rule]
    view: frozenset[Rule]

    @property
    def level(self) -> str:
        return (FULL if self.view else CARD) if self.find else NOTHING

    @property
    def order(self) -> tuple[bool, bool, bool]:
        """Those to whom it is open by name before those to whom it is open by their role."""
        return (not self.find, not self.view, not (self.view or self.find) & set(_OWN))


def look(customer: Customer, *, q: str = "", shown: str = WHO_CAN, page: int = 1) -> Lens:
    """Three statements, whatever the number of members."""
    roles = {role.pk: role for role in roles_of(customer.organization)}
    everybody = _holdings(customer, list(roles.values()), q)
    seeing = [each for each in everybody if each.find]
    wanted = {
        WHO_CAN: seeing,
        IN_FULL: [each for each in seeing if each.view],
        AS_CARD: [each for each in seeing if not each.view],
        WHO_CANNOT: [each for each in everybody if not each.find],
    }[shown]
    last_page = max(1, -(-len(wanted) // PAGE_SIZE))
    page = min(max(page, 1), last_page)
    on_page = wanted[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    others = [each for each in everybody if not each.find][:OTHERS_SHOWN] if q and shown != WHO_CANNOT else []
    sights = _sights(customer, [*on_page, *others], roles)
    full = sum(1 for each in seeing if each.view)
    return Lens(sights[: len(on_page)], sights[len(on_page) :], full, len(seeing) - full, len(wanted), page)


def holders(customer: Customer, capability: Capability) -> QuerySet[Member]:
    """Who holds the capability over this customer: `permitted`, the other way round."""
    held = _conditions(customer, roles_of(customer.organization), capability)
    members = Member.objects.active().for_organization(customer.organization).select_related("user", "role", "office")
    found: QuerySet[Member] = members.filter(_any(held)).order_by("pk")
    return found


def keepers(customer: Customer) -> QuerySet[Member]:
    """Who may open this customer to others for a time: CustomerQuerySet.kept_by, the other way round."""
    roles = roles_of(customer.organization)
    own = _conditions(customer, roles, Capability.CUSTOMERS_VIEW)
    held = {rule: condition for rule, condition in own.items() if rule in (Rule.MANAGER, Rule.COVER)}
    choosing = _any(_conditions(customer, roles, Capability.CUSTOMERS_ASSIGN))
    members = Member.objects.active().for_organization(customer.organization).select_related("user", "role", "office")
    found: QuerySet[Member] = members.filter(choosing | _any(held)).order_by("pk")
    return found


def _any(conditions: Mapping[Any, Q]) -> Q:
    joined = Q(pk__in=[])
    for condition in conditions.values():
        joined |= condition
    return joined


def _holdings(customer: Customer, roles: list[Role], q: str) -> list[_Holding]:
    """Every present member of that name; those who are not active hold nothing."""
    asked = {each: _asked(customer, roles, each) for each in (Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW)}
    # What both ask alike is asked once; for which roles it counts is known without the database.
    flags = {question.key: question.condition for questions in asked.values() for question in questions}
    names = {key: f"answer_{number}" for number, key in enumerate(flags)}
    members: Any = Member.objects.present().for_organization(customer.organization).matching(q)
    rows = members.annotate(
        is_acting=ExpressionWrapper(Q(status=Member.Status.ACTIVE, user__is_active=True), output_field=BooleanField()),
        **{names[key]: flag for key, flag in flags.items()},
    ).order_by("name_key", "pk")
    found = []
    for pk, role, is_acting, *answers in rows.values_list("pk", "role", "is_acting", *names.values()):
        told = dict(zip(names, answers, strict=True))
        find, view = (
            frozenset(each.rule for each in questions if is_acting and role in each.roles and told[each.key])
            for questions in asked.values()
        )
        found.append(_Holding(pk, find, view))
    return sorted(found, key=lambda each: each.order)


@dataclass(frozen=True, slots=True)
class _Question:
    """One alternative of the rule, as a condition on the row of a member, and the roles for which it is one."""

    key: tuple[Any, ...]
    rule: Rule
    condition: Exists
    roles: set[int]


def _conditions(customer: Customer, roles: list[Role], capability: Capability) -> dict[Rule, Q]:
    """Of a row of Member: by which rules it holds the capability over the customer."""
    found: dict[Rule, Q] = defaultdict(lambda: Q(pk__in=[]))
    for question in _asked(customer, roles, capability):
        found[question.rule] |= Q(role__in=question.roles) & Q(question.condition)
    return dict(found)


def _asked(customer: Customer, roles: list[Role], capability: Capability) -> list[_Question]:
    """Roles that get equally far are asked together, and what is own alike for all of them."""
    this = Customer.objects.for_organization(customer.organization).filter(pk=customer.pk)
    alike: dict[tuple[Reach, Reach], tuple[AnyMember, set[int]]] = {}
    for role in roles:
        anybody = AnyMember(customer.organization, role.reaches)
        _, keys = alike.setdefault(place_reaches(anybody, capability), (anybody, set()))
        keys.add(role.pk)
    asked: dict[tuple[Any, ...], _Question] = {}
    for reaches, (anybody, keys) in alike.items():
        for rule, condition in rules(anybody, capability).items():
            key = (rule, *reaches) if rule == Rule.AREA else (rule,)
            if key not in asked:
                asked[key] = _Question(key, rule, Exists(this.filter(condition)), set())
            asked[key].roles.update(keys)
    return list(asked.values())


def _sights(customer: Customer, holdings: list[_Holding], roles: dict[int, Role]) -> list[Sight]:
    members = {member.pk: member for member in _with_their_own(customer, [each.pk for each in holdings])}
    words = _Words(customer)
    sights = []
    for each in holdings:
        member: Any = members[each.pk]
        member.organization = customer.organization
        member.role = roles.get(member.role_id) or member.role
        is_full = each.level == FULL
        reasons = words.reasons(member, each.view if is_full else each.find, is_full=is_full)
        missing = "" if is_full else words.missing(member, each.level)
        sights.append(Sight(member, each.level, reasons, missing, member.opened_at))
    return sights


def _with_their_own(customer: Customer, keys: list[int]) -> QuerySet[Member]:
    """`opened_at`: when they last opened the customer; `cover_ends_at` and `temporary` (kind, end, who granted it): what runs for them."""
    openings = events(customer).filter(verb=Verb.CUSTOMER_OPENED, actor_id=OuterRef("pk")).order_by("-at")
    covers = Cover.objects.running().filter(covered=customer.account_manager_id, substitute=OuterRef("pk"))
    temporary = TemporaryAccess.objects.running().filter(customer=customer, member=OuterRef("pk"))
    rows: QuerySet[Member] = Member.objects.for_organization(customer.organization).filter(pk__in=keys)
    return rows.select_related("user", "office").annotate(
        opened_at=Subquery(openings.values("at")[:1]),
        cover_ends_at=Subquery(covers.order_by("-ends_at").values("ends_at")[:1]),
        temporary=Subquery(
            temporary.order_by("-ends_at").values(
                facts=JSONArray("kind", "ends_at", name_of("granted_by__user"), output_field=JSONField())
            )[:1]
        ),
    )


class _Words:
    """The rules about one customer as sentences."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.manager = customer.account_manager

    def reasons(self, member: Any, held: frozenset[Rule], *, is_full: bool) -> tuple[str, ...]:
        """Of a member of _with_their_own."""
        said = {
            Rule.MANAGER: self._manager,
            Rule.COVER: self._cover,
            Rule.TEMPORARY: self._temporary,
        }
        found = [said[rule](member) for rule in _OWN if rule in held]
        if Rule.AREA in held:
            found.append(self._area(member, is_full=is_full))
        return tuple(found)

    def _manager(self, member: Member) -> str:
        since = getattr(self.customer, "managed_since", None)
        return f"Account manager since {_day(since)}" if since else "Account manager"

    def _cover(self, member: Any) -> str:
        covered = self.manager.name if self.manager else "the account manager"
        return f"Stands in for {covered} until {_day(Cover(ends_at=member.cover_ends_at).last_moment)}"

    def _temporary(self, member: Any) -> str:
        kind, ends_at, granted_by = member.temporary
        until = _moment(datetime.fromisoformat(ends_at))
        if kind == TemporaryAccess.Kind.EMERGENCY:
            return f"Emergency access until {until}"
        return f"Requested access until {until}{f', granted by {granted_by}' if granted_by.strip() else ''}"

    def _area(self, member: Member, *, is_full: bool) -> str:
        capability = Capability.CUSTOMERS_VIEW if is_full else Capability.CUSTOMERS_FIND
        where = (
            "all customers"
            if reach_over_customers(member, capability) == Reach.ORGANIZATION
            else f"customers of {member.office.name} and below"
        )
        oversees = is_full and self._is_dedicated_to_another(member)
        also = ", also those dedicated to others" if oversees else ""
        return f"{member.role.name} {'opens' if is_full else 'finds'} {where}{also}"

    def missing(self, member: Member, level: str) -> str:
        """The one thing that is between this member and the next level."""
        if member.status != Member.Status.ACTIVE:
            return f"{member.user.first_name} is {member.get_status_display().lower()}."
        if not member.user.is_active:
            return f"The login of {member.user.first_name} is locked."
        capability = Capability.CUSTOMERS_VIEW if level == CARD else Capability.CUSTOMERS_FIND
        return self._out_of_reach(member, capability) or self._dedicated(member)

    def _out_of_reach(self, member: Member, capability: Capability) -> str:
        reach = member.reach(capability)
        named = f"{member.role.name} has “{capability.label}”"
        if reach == Reach.NONE:
            return f"The role {member.role.name} does not have the permission “{capability.label}”."
        if reach == Reach.OWN:
            held = f"dedicated to {self.manager.name}" if self.manager else "dedicated to nobody"
            return f"{named} for own customers alone, and this one is {held}."
        if reach == Reach.OFFICE and not self.customer.office.path.startswith(member.office.path):
            return (
                f"{named} for {member.office.name} and below, and this customer belongs to {self.customer.office.name}."
            )
        return ""

    def _dedicated(self, member: Member) -> str:
        dedicated = f"Dedicated to {self.manager.name if self.manager else 'somebody else'}"
        oversight = member.reach(Capability.CUSTOMERS_OVERSEE)
        if oversight == Reach.OFFICE:
            return f"{dedicated}, and {member.role.name} oversees {member.office.name} and below alone."
        return f"{dedicated}, and the role {member.role.name} does not oversee the customers of others."

    def _is_dedicated_to_another(self, member: Member) -> bool:
        is_exclusive = self.customer.organization.exclusive_assignments
        return bool(is_exclusive and self.manager is not None and self.manager.pk != member.pk)


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j M Y")


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j M Y, H:i")
