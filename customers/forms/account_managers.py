"""Choosing a customer's account manager, office first, and taking one away."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from customers.forms.fields import ManagerField, ask_for_managers, by_trade, chosen_office, lightest
from customers.models import Customer
from customers.policy import assignable_managers, assignable_offices
from lendconsole.forms import ConsoleForm, SubmitOnce, VersionGuard
from teams.models import Member
from teams.office_tree import OfficeField

REASON = {"required": False, "max_length": 300}


class AccountManagerForm(SubmitOnce, VersionGuard, ConsoleForm):
    """`managers`: the eligible members of the chosen office with their load; `lightest_id` is the one who holds the fewest."""

    office = OfficeField(label="Office", empty_label=None)
    manager = ManagerField(queryset=None, label="Account manager")
    reason = forms.CharField(**REASON)  # type: ignore[arg-type]  # shared words for two forms

    def __init__(self, *args: Any, member: Member, customer: Customer, **kwargs: Any) -> None:
        self.customer = customer
        super().__init__(*args, member=member, **kwargs)
        office = cast(OfficeField, self.fields["office"])
        office.first_id = customer.office_id
        office.offer(assignable_offices(member))
        ask_for_managers(office, member.url("customers:account_manager_assign", customer.pk))
        self.chosen_office = chosen_office(self)
        managers = assignable_managers(member, self.chosen_office)
        if self.chosen_office is None:
            managers = managers.none()
        self.managers = by_trade(managers)
        self.lightest_id = lightest(self.managers)
        cast(ManagerField, self.fields["manager"]).queryset = managers


class AccountManagerRemoveForm(SubmitOnce, VersionGuard, ConsoleForm):
    reason = forms.CharField(**REASON)  # type: ignore[arg-type]  # as above
