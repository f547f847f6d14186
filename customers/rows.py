"""Lines of the customer list, worked out before the template: asking for each part there takes three times as long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from customers.models import Customer
from customers.querysets import FULL
from customers.text import national_phone
from teams.models import Member

_PAGES: Final = (
    "customer_profile", "customer_edit", "customer_status", "account_manager_assign", "account_manager_remove",
    "note_create",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Action:
    """An item of a line's menu."""

    label: str
    icon: str
    url: str
    is_dialog: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What one line shows and offers; the member finds the customer."""

    customer: Customer
    name: str
    url: str
    assign_url: str
    phone: str
    manager: Member | None
    actions: list[Action]


def lines(member: Member, customers: Iterable[Customer]) -> list[Line]:
    # Reversing an address for every link of every line would be a fifth of the page's time.
    patterns = {page: member.url(f"customers:{page}", 0).split("0") for page in _PAGES}
    return [
        _line(customer, {page: str(customer.pk).join(parts) for page, parts in patterns.items()})
        for customer in customers
    ]


def _line(customer: Customer, urls: dict[str, str]) -> Line:
    return Line(
        customer=customer,
        name=customer.name,
        url=urls["customer_profile"],
        assign_url=urls["account_manager_assign"],
        phone=national_phone(customer.phone) if customer.access == FULL else customer.masked_phone,
        manager=customer.account_manager,
        actions=list(_actions(customer, urls)),
    )


def _actions(customer: Customer, urls: dict[str, str]) -> Iterator[Action]:
    yield Action("Open", "eye", urls["customer_profile"])
    if customer.can_edit:
        yield Action("Edit", "edit", urls["customer_edit"])
    if customer.can_assign and customer.account_manager_id:
        yield Action("Edit account manager", "user-edit", urls["account_manager_assign"], is_dialog=True)
        yield Action("Remove account manager", "user-minus", urls["account_manager_remove"], is_dialog=True)
    elif customer.can_assign:
        yield Action("Add account manager", "user-plus", urls["account_manager_assign"], is_dialog=True)
    if customer.access == FULL and customer.can_note:
        yield Action("Add note", "note", urls["note_create"], is_dialog=True)
    if customer.can_change_status:
        yield Action("Change status", "adjustments", urls["customer_status"], is_dialog=True)
