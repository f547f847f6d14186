"""What the pages of customers read, each in one statement where the parts allow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import (
    CharField,
    Count,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Concat, JSONObject, Lower, Now

from accounts.models import Organization
from accounts.pagination import COUNT_CAP, CappedCount, Keys, OneOf, Page, Parts, capped_count, paginate
from audit.models import AuditEvent
from audit.verbs import Verb
from customers.attention import few_in_need
from customers.bvn import bvn_fingerprint
from customers.filters import Filters
from customers.models import AccessRequest, Assignment, Cover, Customer, Document, ImpostorReport, TemporaryAccess
from customers.models.grants import MINUTE
from customers.querysets import CustomerQuerySet
from customers.search import CustomerSearch
from customers.text import SearchTerm
from lendconsole.many import AnyOf
from teams.capabilities import Capability
from teams.models import Member
from teams.standing import kept

OPENED_LATELY: Final = timedelta(minutes=15)
QUICK_RESULTS: Final = 8
OWN_REQUESTS: Final = 20
COUNTED: Final = 100
SHOWN_COVERS: Final = 20
_ON_LISTS: Final = (
    *(
        "organization",
        "number",
        "first_name",
        "last_name",
        "name_key",
        "email",
        "phone",
        "status",
        "segment",
        "joined_on",
    ),
    *("office__name", "account_manager__status", "account_manager__office__name"),
    *("account_manager__user__first_name", "account_manager__user__last_name", "account_manager__user__is_active"),
)
_THING: Final = {"number": "customer number", "phone": "phone number", "email": "e-mail address", "bvn": "BVN"}


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page of the list, and how many customers there are in all: no further than COUNT_CAP + 1, or at least so many."""

    page: Page
    total: int
    is_exact: bool = True


def customer_page(member: Member, filters: Filters, *, after: str = "", before: str = "") -> CustomerPage:
    parts = _narrowed_parts(member, filters)
    search = customer_search(member, filters.q)

    def fetch(keys: Keys) -> QuerySet[Customer]:
        return _list_rows(member, keys).annotate(total=CappedCount(search.at_hand(parts) if search else parts))

    page = paginate(
        parts, order=filters.order, after=after, before=before, first=search.first if search else None, fetch=fetch
    )
    counted = page.rows[0].total if page.rows else 0
    return CustomerPage(page, max(counted, len(page.rows)), search is None or search.is_complete)


def customer_count(member: Member, filters: Filters) -> CustomerPage:
    """How many the list has, counted as it counts them; without its rows."""
    parts = _narrowed_parts(member, filters)
    search = customer_search(member, filters.q)
    total = capped_count(search.at_hand(parts) if search else parts)
    return CustomerPage(Page([], "", ""), total, search is None or search.is_complete)


def _narrowed_parts(member: Member, filters: Filters) -> list[CustomerQuerySet]:
    """visible_parts as far as the filters leave them. The few who need attention are found first: a search finds them anyway."""
    parts = [filters.narrow(part) for part in Customer.objects.visible_parts(member)]
    place = Customer.objects.visible_by_place(member)
    if filters.need and place and not filters.q:
        few = few_in_need(filters.need, member.organization, *place)
        if few is not None:
            parts[0] = parts[0].filter(AnyOf("pk", few))
    return parts


def quick_results(member: Member, text: str) -> list[Customer]:
    """The first few for the search in the top bar."""
    search = customer_search(member, text)
    if search is None:
        return []
    parts = [part.order_by("name_key", "id") for part in Customer.objects.visible_parts(member)]
    keys = search.first(parts, QUICK_RESULTS)
    return list(_list_rows(member, keys).order_by("name_key", "id")[:QUICK_RESULTS])


def counted_together(
    organization: Organization, *, cap: int = COUNT_CAP, **rows: QuerySet[Any] | Parts
) -> dict[str, int]:
    """How many rows each has, no further than cap + 1, in one statement."""
    found = together(organization, {name: CappedCount(each, cap) for name, each in rows.items()})
    return {name: count or 0 for name, count in found.items()}  # a reach of nothing counts as null


def together(organization: Organization, parts: Mapping[str, Any]) -> dict[str, Any]:
    """What several subqueries find, in one statement."""
    return Together(organization, parts).ask()


class Together:
    """Several subqueries as one statement, to be asked as often as one likes."""

    def __init__(self, organization: Organization, parts: Mapping[str, Any]) -> None:
        document = Organization.objects.filter(pk=organization.pk).order_by().values(document=JSONObject(**parts))
        self._statement, self._parameters = document.query.sql_with_params()

    def ask(self) -> dict[str, Any]:
        """By the names of the parts; what JSON has no word for comes as text."""
        with connection.cursor() as cursor:
            cursor.execute(self._statement, self._parameters)
            found: dict[str, Any] = json.loads(cursor.fetchone()[0])
        return found


def holders_of(rows: QuerySet[Customer]) -> list[tuple[str, int]]:
    """Who the account managers of the rows are and of how many each, the most first; "Nobody" among them."""
    counts = rows.order_by().values_list("account_manager").annotate(count=Count("pk"))
    found: dict[int | None, int] = dict(counts)
    names = {
        member.pk: member.name for member in Member.objects.filter(pk__in=filter(None, found)).select_related("user")
    }
    named = [(names[pk] if pk else "Nobody", count) for pk, count in found.items()]
    return sorted(named, key=lambda pair: (-pair[1], pair[0]))


def customer_search(member: Member, text: str) -> CustomerSearch | None:
    term = SearchTerm.parse(text, member.organization.phone_region)
    return CustomerSearch(member, term) if term else None


def _list_rows(member: Member, keys: Keys) -> CustomerQuerySet[Customer, Customer]:
    """The customers of these keys, which the member finds, with what a line of a list shows."""
    named = Q(pk__in=keys) if isinstance(keys, list) else OneOf(F("pk"), keys)
    return _lines(member).filter(named)


@kept
def _lines(member: Member) -> CustomerQuerySet[Customer, Customer]:
    rows = Customer.objects.for_organization(member.organization).with_absence().with_access(member)
    return rows.select_related("office", "account_manager__user", "account_manager__office").only(*_ON_LISTS)


@kept
def profiles(member: Member) -> CustomerQuerySet[Customer, Customer]:
    """Customers as their own page shows them: who assigned the account manager and when, how many documents wait."""
    openings = AuditEvent.objects.filter(
        organization=member.organization,
        target_type=Customer._meta.label_lower,
        target_id=OuterRef("pk"),
        verb=Verb.CUSTOMER_OPENED,
        actor_id=member.pk,
        at__gt=Now() - OPENED_LATELY,
    )
    present = Assignment.objects.filter(customer=OuterRef("pk"), ended_at=None)
    cover = Cover.objects.running().filter(
        covered=OuterRef("account_manager"), substitute__status=Member.Status.ACTIVE, substitute__user__is_active=True
    )
    rows = Customer.objects.visible_to(member).with_access(member).with_oversight(member).with_papers(member)
    people: CustomerQuerySet[Customer, Customer] = rows.select_related(
        "office", "account_manager__user", "account_manager__office"
    )
    return people.defer("search").annotate(
        opened_lately=Exists(openings),
        managed_since=Subquery(present.values("started_at")),
        assigned_by_name=Subquery(present.exclude(assigned_by=None).values(name=name_of("assigned_by__user"))),
        waiting_documents=CappedCount(Document.objects.waiting().filter(customer=OuterRef("pk")), COUNTED - 1),
        absent_until=Subquery(cover.values(last=F("ends_at") - MINUTE), output_field=DateTimeField()),
        substitute_name=Subquery(cover.values(name=name_of("substitute__user"))),
    )


def periods(customer: Customer) -> QuerySet[Assignment]:
    """Who held the customer when, the present one first."""
    people = ("manager__user", "assigned_by__user", "ended_by__user")
    return customer.assignments.select_related(*people).order_by("-started_at", "-pk")


def events(customer: Customer) -> QuerySet[AuditEvent]:
    """What the audit log says about the customer."""
    return AuditEvent.objects.filter(
        organization=customer.organization_id, target_type=Customer._meta.label_lower, target_id=customer.pk
    )


def numbered(rows: QuerySet[Customer], number: str) -> QuerySet[Customer]:
    """Those with this customer number, in small or capital letters."""
    return rows.alias(number_key=Lower("number")).filter(number_key=number.lower())


def taken(member: Member, values: Mapping[str, str], *, but: int | None = None) -> dict[str, str]:
    """Which of number, phone, e-mail and BVN another customer has, with a sentence for each.

    The holder is named where the member may find them, save for the BVN, which no card shows.
    """
    messages: dict[str, str] = {}
    others = Customer.objects.for_organization(member.organization)
    if but is not None:
        others = others.exclude(pk=but)
    for field, value in values.items():
        holder = _holding(others, field, value).first() if value else None
        if holder is not None:
            named = field != "bvn" and Customer.objects.visible_to(member).filter(pk=holder.pk).exists()
            messages[field] = taken_message(field, holder if named else None)
    return messages


def _holding(rows: QuerySet[Customer], field: str, value: str) -> QuerySet[Customer]:
    match field:
        case "number":
            return numbered(rows, value)
        case "bvn":
            return rows.filter(bvn_fingerprint=bvn_fingerprint(value))
    return rows.filter(**{field: value})


def taken_message(field: str, holder: Customer | None = None) -> str:
    owner = f"{holder.name} ({holder.number})" if holder else "Another customer"
    return f"{owner} has this {_THING[field]}."


def name_of(user: str) -> Concat:
    """The name of the login that the path leads to."""
    return Concat(f"{user}__first_name", Value(" "), f"{user}__last_name", output_field=CharField())


def waiting_request(member: Member, customer: Customer) -> AccessRequest | None:
    """The member's own request for access to the customer that nobody has decided yet."""
    mine = AccessRequest.objects.for_organization(member.organization).open().filter(member=member, customer=customer)
    found: AccessRequest | None = mine.first()
    return found


def access_requests(member: Member) -> QuerySet[AccessRequest]:
    """Those of others that wait, which the member decides or oversees; `can_decide` says which."""
    rows = AccessRequest.objects.open().known_to(member).exclude(member=member)
    return rows.select_related("customer", "member__user", "member__role", "member__office")


def own_access_requests(member: Member) -> list[AccessRequest]:
    """What the member asked for lately, about customers that still exist for them."""
    mine = AccessRequest.objects.known_to(member).filter(member=member)
    rows = mine.select_related("customer", "decided_by__user", "access").order_by("-created_at", "-pk")
    return list(rows[:OWN_REQUESTS])


def emergencies(member: Member) -> QuerySet[TemporaryAccess]:
    """Every use of emergency access to the customers that the member oversees."""
    overseen = Customer.objects.permitted(member, Capability.CUSTOMERS_OVERSEE).values("pk")
    visible = Customer.objects.visible_to(member).values("pk")
    rows: QuerySet[TemporaryAccess] = TemporaryAccess.objects.emergencies().filter(
        organization=member.organization, customer__in=overseen
    )
    return rows.filter(customer__in=visible).select_related(
        "customer", "member__user", "member__role", "reviewed_by__user"
    )


def impostor_reports(member: Member) -> QuerySet[ImpostorReport]:
    """All of the organization; the customer is named to those alone who find that customer anyway."""
    findable = Prefetch("customer", Customer.objects.visible_to(member))
    rows = ImpostorReport.objects.for_organization(member.organization).select_related(
        "manager__user", "closed_by__user"
    )
    return rows.prefetch_related(findable)


def count_waiting(member: Any) -> None:
    """`access_request_count`, `emergency_count` and `waiting_document_count`, what waits for this member: one statement,
    where anything waits for anybody."""
    member.access_request_count = member.emergency_count = member.waiting_document_count = 0
    waiting: dict[str, QuerySet[Any]] = {}
    if getattr(member, "some_request_waits", False):
        waiting["access_request_count"] = AccessRequest.objects.decidable_by(member)
    if getattr(member, "some_emergency_waits", False):
        waiting["emergency_count"] = emergencies(member).filter(reviewed_at=None).exclude(member=member)
    if getattr(member, "some_document_waits", False) and member.may(Capability.DOCUMENTS_REVIEW):
        waiting["waiting_document_count"] = Document.objects.reviewable_by(member).exclude(uploaded_by=member)
    if waiting:
        for name, count in counted_together(member.organization, cap=COUNTED - 1, **waiting).items():
            setattr(member, name, count)


def covers(member: Member) -> list[Cover]:
    """Who stands in for the member, and for whom the member does: now and later."""
    rows = Cover.objects.filter(organization=member.organization_id, ends_at__gt=Now())
    people = ("covered__user", "substitute__user")
    found = rows.filter(Q(covered=member) | Q(substitute=member)).select_related(*people)
    return list(found.order_by("starts_at", "pk")[:SHOWN_COVERS])
