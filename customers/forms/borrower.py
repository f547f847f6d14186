"""What borrowers and the public fill in, outside the console, and what closes their reports inside it."""

from __future__ import annotations

from typing import Final

from django import forms

from customers.codes import tidy
from lendconsole.forms import ConsoleForm, PlainSentences, SubmitOnce

CODE_NEEDED: Final = "Type the code that stands in the e-mail."


class BorrowerSignInForm(PlainSentences, forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": "Fill in your e-mail address."},
    )


class SignInCodeForm(PlainSentences, forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": CODE_NEEDED},
    )

    def clean_code(self) -> str:
        return tidy(self.cleaned_data["code"])


class ManagerCodeForm(PlainSentences, forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        error_messages={"required": CODE_NEEDED},
    )


class ImpostorReportForm(PlainSentences, forms.Form):
    mark_optional = True

    what_happened = forms.CharField(
        label="What happened?",
        max_length=2000,
        widget=forms.Textarea({"rows": 5}),
        help_text="Who was it, what did they want, when, and from which number or address? Leave out passwords, PINs and card numbers.",
    )
    contact = forms.CharField(
        label="How can we reach you?", max_length=200, required=False, help_text="A phone number or an e-mail address."
    )
    code = forms.CharField(
        label="Code",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="From our e-mail about your account manager, if you have it.",
    )


class ReportCloseForm(SubmitOnce, ConsoleForm):
    outcome = forms.CharField(
        label="What did you find, and what was done?", max_length=500, widget=forms.Textarea({"rows": 3})
    )
