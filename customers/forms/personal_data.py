"""Legal holds, and the two steps that cannot be undone."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from lendconsole.forms import FILL_IN, ConsoleForm, DateInput, SubmitOnce


class HoldForm(SubmitOnce, ConsoleForm):
    until = forms.DateField(
        label="Keep until", required=False, widget=DateInput, help_text="The last day. Leave it empty to lift the hold."
    )
    reason = forms.CharField(
        max_length=300,
        required=False,
        help_text="Such as the case or the rule. Stays in the audit log: name nobody in it.",
    )

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise forms.ValidationError("This day is over. Leave it empty to lift the hold.")
        return until

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("until") and not cleaned.get("reason"):
            self.add_error("reason", FILL_IN)
        return cleaned


class GoodbyeForm(SubmitOnce, ConsoleForm):
    """For erasing and for deleting."""

    confirmation = forms.CharField(
        label="Customer number",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.CharField(
        max_length=300, help_text="Such as “asked for it by e-mail”. Stays in the audit log: name nobody in it."
    )
