"""A document that is brought, and what is decided about it."""

from __future__ import annotations

from typing import Final

from django import forms

from customers.models import Document
from customers.uploads import ACCEPTED, KINDS, MOST
from lendconsole.forms import ConsoleForm, SubmitOnce

APPROVE, DECLINE = "approve", "decline"
LONGEST_NAME: Final = 1000
FILE_HELP: Final = f"{KINDS}, at most {MOST}."
FILE_MESSAGES: Final = {
    "required": "Choose a file.",
    "invalid": "Choose a file.",
    "empty": "The file is empty.",
    "max_length": "The name of the file is too long.",
}


class DocumentUploadForm(SubmitOnce, ConsoleForm):
    """What the file holds is the service's to judge."""

    type = forms.ChoiceField(choices=[("", "Choose a type"), *Document.Type.choices])
    file = forms.FileField(
        max_length=LONGEST_NAME,
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=FILE_HELP,
        error_messages=FILE_MESSAGES,
    )


class DocumentReviewForm(SubmitOnce, ConsoleForm):
    decision = forms.ChoiceField(choices=[(APPROVE, "Approve"), (DECLINE, "Decline")], widget=forms.RadioSelect)
    reason = forms.CharField(
        required=False, max_length=300, widget=forms.Textarea({"rows": 2}), help_text="Needed to decline."
    )


class DocumentRemoveForm(SubmitOnce, ConsoleForm):
    reason = forms.CharField(required=False, max_length=300)
