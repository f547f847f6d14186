"""Lines of the customer list, worked out before the template: asking for each part there takes three times as long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from django.utils.safestring import SafeString

from customers.columns import COLUMNS
from customers.filters import written_day
from customers.marks import Marker
from customers.models import Customer
from customers.querysets import FULL
from teams.models import Member

_PAGES: Final = (
    "customer_profile", "customer_edit", "customer_status", "account_manager_assign", "account_manager_remove",
    "note_create",
)  # fmt: skip
Urls = dict[str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """An item of a line's menu."""

    label: str
    icon: str
    url: str
    is_dialog: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What one line shows and offers; the member finds the customer. `head` and `cells` are ready for the page."""

    name: str
    head: SafeString
    cells: SafeString
    actions: list[Action]


def lines(
    member: Member, customers: Iterable[Customer], columns: Sequence[str], marker: Marker, *, with_choice: bool
) -> list[Line]:
    """`with_choice`: each has a box to tick."""
    # Reversing an address for every link of every line would be a fifth of the page's time.
    patterns = {page: member.url(f"customers:{page}", 0).rsplit("0", 1) for page in _PAGES}
    return [
        _line(
            customer,
            {page: f"{before}{customer.pk}{behind}" for page, (before, behind) in patterns.items()},
            columns,
            marker,
            with_choice=with_choice,
        )
        for customer in customers
    ]


@dataclass(frozen=True, slots=True)
class QuickLine:
    """One result of the search in the top bar."""

    url: str
    name: SafeString
    note: SafeString
    manager: Member | None
    office: str


def quick_lines(member: Member, customers: Iterable[Customer], marker: Marker) -> list[QuickLine]:
    return [
        QuickLine(
            url=member.url("customers:customer_profile", customer.pk),
            name=marker.text(customer.name),
            note=_joined_notes([marker.text(customer.number), _phone(customer, marker), *_met_email(customer, marker)]),
            manager=customer.account_manager,
            office=customer.office.name,
        )
        for customer in customers
    ]


def _line(customer: Customer, urls: Urls, columns: Sequence[str], marker: Marker, *, with_choice: bool) -> Line:
    head = _head(customer, urls, marker, with_email="email" not in columns)
    return Line(
        name=customer.name,
        head=_chosen(customer, head) if with_choice else head,
        cells=SafeString("".join(_cell(key, customer, urls, marker) for key in columns)),
        actions=list(_actions(customer, urls)),
    )


def _head(customer: Customer, urls: Urls, marker: Marker, *, with_email: bool) -> SafeString:
    notes = [marker.text(customer.number)]
    if customer.access != FULL:
        notes.append(SafeString("card"))
    if with_email:
        notes += _met_email(customer, marker)
    link = f'<a href="{escape(urls["customer_profile"])}">{marker.text(customer.name)}</a>'
    return SafeString(f'{link}<span class="cell-note d-block">{_joined_notes(notes)}</span>')


def _chosen(customer: Customer, head: SafeString) -> SafeString:
    """Behind the box that ticks the customer."""
    label = escape(f"Choose {customer.name}")
    box = (
        f'<input class="form-check-input m-0" type="checkbox" name="customer" value="{customer.pk}" form="chosen"'
        f' aria-label="{label}">'
    )
    return SafeString(f'<span class="person">{box}<span>{head}</span></span>')


def _joined_notes(notes: Iterable[SafeString]) -> SafeString:
    return SafeString(" · ".join(note for note in notes if note))


def _met_email(customer: Customer, marker: Marker) -> list[SafeString]:
    """The address where the search met it, so that people see why the customer is there."""
    is_met = customer.access == FULL and customer.email and marker.meets(customer.email)
    return [_written_email(customer, marker)] if is_met else []


def _written_email(customer: Customer, marker: Marker) -> SafeString:
    """A long address breaks before the @."""
    return SafeString(marker.text(customer.email).replace("@", "<wbr>@"))


def _cell(key: str, customer: Customer, urls: Urls, marker: Marker) -> str:
    column = COLUMNS[key]
    css = f' class="{column.css}"' if column.css else ""
    return f'<td data-label="{column.label}"{css}>{_CONTENTS[key](customer, urls, marker)}</td>'


def _phone(customer: Customer, marker: Marker) -> SafeString:
    """What is masked is never marked."""
    if customer.access == FULL:
        return marker.phone(customer.phone)
    return SafeString(escape(customer.masked_phone))


def _email(customer: Customer, marker: Marker) -> SafeString:
    return _written_email(customer, marker) if customer.access == FULL else SafeString(escape(customer.masked_email))


def _account_manager(customer: Customer, urls: Urls) -> str:
    manager = customer.account_manager
    if manager is None:
        return (
            f'<span class="text-secondary">Nobody</span>{_assign_link(customer, urls) if customer.can_assign else ""}'
        )
    avatar = f'<span class="avatar avatar-sm" aria-hidden="true">{escape(manager.initials)}</span>'
    return f'<span class="person">{avatar}<span>{escape(manager.name)}{_warning(customer, manager)}</span></span>'


def _assign_link(customer: Customer, urls: Urls) -> str:
    label = escape(f"Assign an account manager to {customer.name}")
    url = escape(urls["account_manager_assign"])
    return f'<a class="btn btn-sm ms-2" href="{url}" data-dialog aria-label="{label}">Assign</a>'


def _warning(customer: Customer, manager: Member) -> str:
    if manager.status != Member.Status.ACTIVE or not manager.user.is_active:
        return '<span class="small state-red d-block">can no longer act here</span>'
    if customer.manager_is_absent:
        return '<span class="small state-orange d-block">absent, somebody stands in</span>'
    if customer.has_office_mismatch:
        title = "Another office than the customer’s"
        return f'<span class="small state-orange d-block" title="{title}">in {escape(manager.office.name)}</span>'
    return ""


def _segment(customer: Customer) -> str:
    return escape(customer.get_segment_display()) if customer.access == FULL else ""


def _status(customer: Customer) -> str:
    return f'<span class="badge badge-outline state state-{customer.tone}">{customer.get_status_display()}</span>'


def _joined(customer: Customer) -> str:
    return f'<time datetime="{customer.joined_on.isoformat()}">{written_day(customer.joined_on)}</time>'


_CONTENTS: Final[dict[str, Callable[[Customer, Urls, Marker], str]]] = {
    "phone": lambda customer, urls, marker: _phone(customer, marker),
    "email": lambda customer, urls, marker: _email(customer, marker),
    "segment": lambda customer, urls, marker: _segment(customer),
    "office": lambda customer, urls, marker: escape(customer.office.name),
    "account_manager": lambda customer, urls, marker: _account_manager(customer, urls),
    "status": lambda customer, urls, marker: _status(customer),
    "joined": lambda customer, urls, marker: _joined(customer),
}


def _actions(customer: Customer, urls: Urls) -> Iterator[Action]:
    yield Action("Open", "eye", urls["customer_profile"])
    if customer.can_edit:
        yield Action("Edit", "edit", urls["customer_edit"])
    if customer.can_assign and customer.account_manager_id:
        yield Action("Edit account manager", "user-edit", urls["account_manager_assign"], is_dialog=True)
        yield Action("Remove account manager", "user-minus", urls["account_manager_remove"], is_dialog=True)
    elif customer.can_assign:
        yield Action("Add account manager", "user-plus", urls["account_manager_assign"], is_dialog=True)
    if customer.can_note:
        yield Action("Add note", "note", urls["note_create"], is_dialog=True)
    if customer.can_change_status:
        yield Action("Change status", "adjustments", urls["customer_status"], is_dialog=True)
