"""The list of customers, its search as you type, and the search in the top bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django_htmx.http import push_url
from django_htmx.middleware import HtmxDetails

from accounts import parameters
from accounts.pages import ConsolePage
from accounts.pagination import COUNT_CAP, PAGE_SIZE, Page
from customers.attention import Attention
from customers.columns import COLUMNS, DEFAULT
from customers.errors import LookupsUsedUp
from customers.filters import LONGEST_SEARCH, MANAGERS, NOBODY, Filters, sees_cards
from customers.list_frame import list_frame
from customers.marks import Marker
from customers.models import Customer
from customers.readers import CustomerPage, customer_page, quick_results
from customers.rows import Action, lines, quick_lines
from customers.services.lookups import note_lookup
from customers.services.views import kept, may_change
from customers.text import SearchTerm
from customers.views.pages import neighbors
from teams.capabilities import Capability, Reach
from teams.models import Member

RESULTS = "results"


NOTHING: Final = CustomerPage(Page([], "", ""), 0)


class CustomerListView(ConsolePage):
    """htmx asks for parts of the same address: the results while somebody types, and `?panel=quick` for the top bar."""

    capability = Capability.CUSTOMERS_FIND

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self._is_quick:
            text = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
            refusal = self._refusal(text)
            found = quick_results(self.member, text) if text and not refusal else []
            shown = quick_lines(self.member, found, self._marker(text))
            facts = {"q": text, "lines": shown, "sees_cards": sees_cards(self.member), "refusal": refusal}
            return self.render_to_response(facts)
        response = super().get(request, *args, **kwargs)
        if self._is_part:
            push_url(response, self._address())
        return response

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        is_refused = context["refusal"] and not self._htmx  # which would leave the page as it was
        response: HttpResponse = super().render_to_response(context, status=429 if is_refused else 200, **kwargs)
        return response

    def get_template_names(self) -> list[str]:
        if self._is_quick:
            return ["customers/_quick.html"]
        return ["customers/_results.html" if self._is_part else "customers/customer_list.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        frame = list_frame(self.member, with_cards=not self._is_part)
        filters = Filters.parse(self.request.GET, self.member, frame.choices)
        columns = filters.columns or frame.columns
        query = self._query(columns)
        refusal = self._refusal(filters.q)
        found = NOTHING if refusal else customer_page(self.member, filters, **self.cursors)
        bulk = bulk_actions(self.member)
        marker = self._marker(filters.q)
        number = parameters.page(self.request.GET) if any(self.cursors.values()) else 1
        return super().get_context_data(
            filters=filters,
            choices=frame.choices,
            statuses=Customer.Status.choices,
            segments=Customer.Segment.choices,
            managers=MANAGERS,
            attentions=Attention.choices,
            cards=list_cards(self.member, frame.cards) if frame.cards else [],
            columns=[COLUMNS[key] for key in columns or DEFAULT],
            column_choices=[(column, column.key in (columns or DEFAULT)) for column in COLUMNS.values()],
            saved_views=[(view, may_change(self.member, view)) for view in frame.views],
            customers=found.page.rows,
            lines=lines(self.member, found.page.rows, columns or DEFAULT, marker, with_choice=bool(bulk)),
            **neighbors(self.request, found.page, number),
            range_text=range_text(number, len(found.page.rows), found),
            count_text=written_count(found),
            list_query=query,
            has_more=len(found.page.rows) < found.total,
            bulk_actions=bulk,
            sees_cards=sees_cards(self.member),
            refusal=refusal,
            **kwargs,
        )

    def _query(self, columns: tuple[str, ...]) -> str:
        """The list as exports, bulk changes and saved views get it: with the columns, where somebody chose them."""
        query = QueryDict(kept(self.request.GET.urlencode()), mutable=True)
        if columns:
            query["columns"] = ",".join(columns)
        return query.urlencode()

    def _refusal(self, text: str) -> str:
        """Why this must not be searched for now."""
        try:
            note_lookup(actor=self.member, text=text)
        except LookupsUsedUp as error:
            return str(error)
        return ""

    def _marker(self, text: str) -> Marker:
        return Marker(SearchTerm.parse(text, self.member.organization.phone_region))

    @property
    def _is_quick(self) -> bool:
        return bool(self._htmx) and self.request.GET.get("panel") == "quick"

    @property
    def _is_part(self) -> bool:
        return bool(self._htmx) and self._htmx.target == RESULTS

    @property
    def _htmx(self) -> HtmxDetails:
        details: HtmxDetails = self.request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
        return details

    def _address(self) -> str:
        """What stands in the address bar while somebody types: without the filters that are empty."""
        query = self.request.GET.copy()
        for name, value in self.request.GET.items():
            if not str(value).strip():
                del query[name]
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path


@dataclass(frozen=True, slots=True)
class Card:
    """A figure above the list and the filter that lists just these."""

    label: str
    count: str
    url: str
    icon: str


def list_cards(member: Member, counts: Mapping[str, int]) -> list[Card]:
    url = member.url("customers:customer_list")
    all_are_own = member.reach(Capability.CUSTOMERS_FIND) == Reach.OWN
    parts = [
        ("all", "Your customers" if all_are_own else "Customers", "", "users"),
        ("active", "Active", f"?status={Customer.Status.ACTIVE}", "user-check"),
        ("unassigned", "Unassigned", f"?account_manager={NOBODY}", "user-off"),
        ("attention", "Needing attention", f"?attention={Attention.NEEDED}", "alert-triangle"),
    ]
    return [
        Card(label, capped(counts[key]), f"{url}{query}", icon)
        for key, label, query, icon in parts
        if key != "unassigned" or not all_are_own
    ]


BULK: Final = (
    (Capability.CUSTOMERS_ASSIGN, "Account manager", "user-edit", "customer_bulk_assign"),
    (Capability.CUSTOMERS_ASSIGN, "Remove account manager", "user-minus", "customer_bulk_remove"),
    (Capability.CUSTOMERS_CHANGE_STATUS, "Change status", "adjustments", "customer_bulk_status"),
    (Capability.CUSTOMERS_EXPORT, "Export", "download", "customer_export"),
)


def bulk_actions(member: Member) -> list[Action]:
    """What the member may do with the customers that they tick."""
    return [
        Action(label, icon, member.url(f"customers:{page}"))
        for capability, label, icon, page in BULK
        if member.may(capability)
    ]


def capped(count: int) -> str:
    return f"{COUNT_CAP:,}+" if count > COUNT_CAP else f"{count:,}"


def written_count(found: CustomerPage) -> str:
    """ "37", "1,000+"; "412+" where so many are known and counting the rest would be slow."""
    if found.total > COUNT_CAP:
        return capped(found.total)
    return f"{found.total:,}{'' if found.is_exact else '+'}"


def range_text(number: int, shown: int, found: CustomerPage) -> str:
    """ "51–100 of 1,000+". The number of the page comes from the address; where it cannot be right only the size is said."""
    last = (number - 1) * PAGE_SIZE + shown
    if not shown:
        return ""
    if number < 1 or (found.is_exact and found.total <= COUNT_CAP and last > found.total):
        return f"{shown} of {written_count(found)}"
    return f"{last - shown + 1:,}–{last:,} of {written_count(found)}"
