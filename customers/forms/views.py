"""Naming a saved view."""

from __future__ import annotations

from django import forms

from lendconsole.forms import ConsoleForm, SubmitOnce


class SavedViewForm(SubmitOnce, ConsoleForm):
    name = forms.CharField(max_length=60)
    is_shared = forms.BooleanField(
        label="Share with everybody here",
        required=False,
        help_text="They see the name, the filters and what was searched for. Each sees their own customers in it.",
    )
