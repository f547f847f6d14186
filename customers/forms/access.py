"""Asking for access, deciding about it, and taking it in an emergency."""

from __future__ import annotations

from django import forms

from customers.models import AccessRequest
from customers.services.access import SHORTEST_REASON
from lendconsole.forms import ConsoleForm, SubmitOnce


class AccessRequestForm(SubmitOnce, ConsoleForm):
    reason = forms.CharField(max_length=500, widget=forms.Textarea({"rows": 3}))
    hours = forms.TypedChoiceField(
        label="For how long", choices=AccessRequest.Time.choices, coerce=int, initial=AccessRequest.Time.DAY
    )


class AccessGrantForm(SubmitOnce, ConsoleForm):
    hours = forms.TypedChoiceField(label="For how long", choices=AccessRequest.Time.choices, coerce=int)


class AccessDeclineForm(SubmitOnce, ConsoleForm):
    answer = forms.CharField(max_length=300, help_text="Goes by e-mail to who asked.")


class EmergencyAccessForm(SubmitOnce, ConsoleForm):
    reason = forms.CharField(
        label="What is the emergency?",
        min_length=SHORTEST_REASON,
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
    )
