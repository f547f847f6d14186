"""Fields that the forms about customers share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

import phonenumbers
from django import forms

from customers.text import to_e164
from teams.built_in_roles import BuiltInRole
from teams.models import Member, Office
from teams.office_tree import OfficeField

LONGEST_PHONE: Final = 40
MANAGERS: Final = "managers"


def ask_for_managers(office: forms.Field, url: str) -> None:
    """Another office brings the list of its members. Nothing else of the form goes into the address."""
    office.widget.attrs.update(
        {
            "data-hx-get": url,
            "data-hx-trigger": "change",
            "data-hx-target": f"#{MANAGERS}",
            "data-hx-swap": "outerHTML",
            # Until they are there nobody picks, or sends, somebody of the former office.
            "data-hx-disabled-elt": f"#{MANAGERS} fieldset, form:has(#{MANAGERS}) [type=submit]",
        }
    )


class ManagerField(forms.ModelChoiceField):
    """Shown by hand as a list of radio buttons (customers/_managers.html)."""

    widget = forms.RadioSelect

    def label_from_instance(self, obj: Any) -> str:
        member: Member = obj
        return member.name


class PhoneField(forms.CharField):
    """Any spelling people use; its clean value is E.164."""

    def __init__(self, *, region: str = "", **kwargs: Any) -> None:
        self.region = region
        super().__init__(
            max_length=LONGEST_PHONE, widget=forms.TextInput({"type": "tel", "autocomplete": "off"}), **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        """A number on record as people of its country write it."""
        try:
            number = phonenumbers.parse(str(value), None) if str(value).startswith("+") else None
        except phonenumbers.NumberParseException:
            number = None
        if number is None or phonenumbers.region_code_for_number(number) != self.region:
            return value
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return to_e164(text, self.region) if text else ""


class MoneyField(forms.DecimalField):
    """Typed in major units, with or without thousands separators; its clean value is a whole number of minor units."""

    def __init__(self, *, digits: int = 2, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_digits=15, **kwargs)
        self.digits = digits

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", "").replace(" ", "") if isinstance(value, str) else value)

    def clean(self, value: Any) -> Any:
        amount = super().clean(value)
        if amount is None:
            return None
        minor = amount.scaleb(self.digits)
        if minor != minor.to_integral_value():
            raise forms.ValidationError(f"Use at most {self.digits} digits after the point.", code="digits")
        return int(minor)


def chosen_office(form: forms.BaseForm, field: str = "office") -> Office | None:
    """The office that stands in the form now: typed, given by the address, or the only one there is."""
    value = form[field].value()
    choices = cast(OfficeField, form.fields[field])
    found: Office | None = choices.find(getattr(value, "pk", value))
    return found or (choices.rows[0] if len(choices.rows) == 1 else None)


def by_trade(managers: Iterable[Member]) -> list[Member]:
    """Those whose role is Account Manager first; others can hold customers, but seldom should."""
    return sorted(managers, key=lambda manager: not _is_account_manager(manager))


def lightest(managers: list[Member]) -> int | None:
    """Who of the account managers by role (without any: of all) holds the fewest customers, if there are two to compare."""
    managers = [manager for manager in managers if _is_account_manager(manager)] or managers
    if len(managers) < 2:
        return None
    return int(min(managers, key=lambda manager: manager.load).pk)  # type: ignore[attr-defined]  # annotated by the policy


def _is_account_manager(member: Member) -> bool:
    return member.role.built_in == BuiltInRole.ACCOUNT_MANAGER
