"""Choosing an account manager, office first, and taking one away."""

from __future__ import annotations

from typing import Any, Final, cast

from django import forms

from customers.forms.fields import ManagerField, ask_for_managers, by_trade, chosen_office, lightest
from customers.models import Customer
from customers.policy import assignable_managers, assignable_offices
from lendconsole.forms import ConsoleForm, SubmitOnce, VersionGuard
from teams.models import Member
from teams.office_tree import OfficeField

REASON: Final[dict[str, Any]] = {"required": False, "max_length": 300}


class ManagerChoice(ConsoleForm):
    """`managers`: the eligible members of the chosen office with their load; `lightest_id` is the one who holds the fewest.

    `url` is the page itself, asked for the members of another office; `first_office` stands at the top.
    """

    office = OfficeField(label="Office", empty_label=None)
    manager = ManagerField(queryset=None, label="Account manager")

    def __init__(self, *args: Any, member: Member, url: str, first_office: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        office = cast(OfficeField, self.fields["office"])
        office.first_id = first_office
        office.offer(assignable_offices(member))
        ask_for_managers(office, url)
        self.chosen_office = chosen_office(self)
        managers = assignable_managers(member, self.chosen_office)
        if self.chosen_office is None:
            managers = managers.none()
        self.managers = by_trade(managers)
        self.lightest_id = lightest(self.managers)
        cast(ManagerField, self.fields["manager"]).queryset = managers


class AccountManagerForm(SubmitOnce, VersionGuard, ManagerChoice):
    reason = forms.CharField(**REASON)

    def __init__(self, *args: Any, member: Member, customer: Customer, **kwargs: Any) -> None:
        url = member.url("customers:account_manager_assign", customer.pk)
        super().__init__(*args, member=member, url=url, first_office=customer.office_id, **kwargs)


class AccountManagerRemoveForm(SubmitOnce, VersionGuard, ConsoleForm):
    reason = forms.CharField(**REASON)
