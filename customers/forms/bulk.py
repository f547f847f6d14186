"""What is asked before many customers are changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms

from customers.forms.account_managers import REASON, ManagerChoice
from customers.forms.records import STATUS_REASON
from customers.models import Customer
from lendconsole.forms import RELOAD, ConsoleForm, SubmitOnce

_HIDDEN: dict[str, Any] = {
    "widget": forms.HiddenInput,
    "error_messages": dict.fromkeys(("required", "invalid", "min_value", "max_value"), RELOAD),
}


class BulkForm(SubmitOnce, ConsoleForm):
    """How many customers the page said there are, and when: so that nobody changes others than they saw."""

    expected = forms.IntegerField(min_value=0, **_HIDDEN)
    seen_at = forms.FloatField(min_value=0, max_value=32_503_680_000, **_HIDDEN)

    def clean_seen_at(self) -> datetime:
        return datetime.fromtimestamp(self.cleaned_data["seen_at"], UTC)


class BulkAssignForm(ManagerChoice, BulkForm):
    reason = forms.CharField(**REASON)


class BulkRemoveForm(BulkForm):
    reason = forms.CharField(**REASON)


class BulkStatusForm(BulkForm):
    status = forms.ChoiceField(choices=[("", "Choose a status"), *Customer.Status.choices])
    reason = forms.CharField(**STATUS_REASON)


class BulkUndoForm(SubmitOnce, ConsoleForm):
    reason = forms.CharField(**STATUS_REASON)
