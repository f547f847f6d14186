"""The form that asks for an export."""

from __future__ import annotations

from django import forms

from customers.models import Export
from lendconsole.forms import ConsoleForm, SubmitOnce


class ExportForm(SubmitOnce, ConsoleForm):
    format = forms.ChoiceField(
        label="File", choices=Export.Format.choices, initial=Export.Format.XLSX, widget=forms.RadioSelect
    )
